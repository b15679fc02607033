"""A whole task planned by a language model: a service as it runs, its worker process, and a simulated planner on
loopback that speaks real HTTP like an OpenAI chat endpoint."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

from PIL import Image

from support.chat_simulator import ChatHandler, chat_endpoint
from support.clips import photo
from support.live_service import a_brief, wait_for_status, wait_until_ready
from vivant.engines.diorama.storyboard import Storyboard
from vivant.intake.pictures import CleanPicture
from vivant.service import build_service
from vivant.settings import Settings

ANSWER = {
    "shots": [{"start": 0, "moves": []}],
    "lights": [{"kind": "night", "words": "night falls", "start": 1}, {"kind": "neon", "words": "neon glows"}],
    "travels": [
        {"thing": {"kind": "boat", "words": "the boat"}, "kind": "go", "direction": "left", "words": "the boat sails"},
        {"thing": {"kind": "person", "words": "a man"}, "kind": "approach", "words": "a man walks up"},
    ],
    "body_actions": [{"kind": "blink", "being": "animal", "words": "the cat blinks", "start": 2}],
    "lines": [{"text": "word " * 60, "speaker": "a narrator", "off_screen": True}],
    "weather": "mild",
}  # fmt: skip


def picture() -> CleanPicture:
    data = io.BytesIO()
    rgb = photo("drawing_cat")
    Image.fromarray(rgb).save(data, "PNG", compress_level=1)
    return CleanPicture(data.getvalue(), rgb.shape[1], rgb.shape[0])


async def test_a_worker_plans_with_the_planner_and_everything_is_done_or_told(tmp_path: Path) -> None:
    def answer(handler: ChatHandler) -> None:
        handler.say(json.dumps(ANSWER))

    with chat_endpoint(answer) as (base, handler):
        settings = Settings(data=tmp_path, engines=("diorama",), workers=1, planner_url=base, planner_api_key="secret")
        service = build_service(settings)
        try:
            await service.start()
            await wait_until_ready(service)
            brief = a_brief(prompt="Night falls, the boat sails left and the cat blinks.")
            task = await service.submit(brief, picture(), None, key_id="")
            await wait_for_status(service, task, "running")

            data = None
            while data is None:
                found = await service.get_task(task.id, key_id="")
                assert not found.status.is_terminal or found.storyboard, found
                data = found.storyboard
                await asyncio.sleep(0.05)
            await service.cancel(task.id, key_id="")
        finally:
            await service.stop(drain=False)
    board = Storyboard.from_data(data)
    assert [light.kind for light in board.lights] == ["night"] and board.lights[0].start == 24
    assert [(travel.thing.kind, travel.direction) for travel in board.travels] == [("boat", "left")]
    assert [(act.kind, act.being, act.start) for act in board.body_actions] == [("blink", "animal", 48)]
    assert 0 < len(board.lines[0].text.split()) < 60
    told = " ".join(board.notes)
    for words in ("neon glows", "a man walks up", "the clip has 4 s", "weather"):
        assert words in told
    (asked,) = handler.asked
    assert "travels" in asked["messages"][0]["content"] and handler.keys == ["Bearer secret"]
