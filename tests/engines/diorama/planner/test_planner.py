"""The optional planner, against a simulated endpoint on loopback: good answers in every form, and every way to fail."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.chat_simulator import Answer, ChatHandler, chat_endpoint
from vivant.engines.base import NullWatch
from vivant.engines.diorama.engine import Diorama
from vivant.engines.diorama.planner.chat import Endpoint, PlannerFailed
from vivant.engines.diorama.planner.intent import Intent, answer_schema
from vivant.engines.diorama.planner.plan import plan, read_intent
from vivant.engines.diorama.storyboard import FaceFact, PictureFacts, Storyboard
from vivant.errors import Stopped
from vivant.media import Pictures
from vivant.request import Brief, VideoRequest

PAIR = PictureFacts(
    faces=(FaceFact(x=0.3, y=0.4, height=0.2), FaceFact(x=0.7, y=0.4, height=0.2)), sky=0.3, sky_trust=0.9
)
KEY = "sk-a-very-secret-key"
ZOOM = {"kind": "zoom", "direction": "in"}
GOOD: dict[str, Any] = {
    "shots": [
        {"start": 0, "moves": [{"kind": "pan", "direction": "left", "words": "pans left"}]},
        {"start": 2, "cut": True, "size": "close-up", "target": "face", "face": 2, "moves": [ZOOM]},
    ],
    "motions": [{"kind": "rain", "start": 1}, {"kind": "water", "words": "waves"}],
    "lines": [{"text": "Hello there.", "speaker": "the woman", "gender": "woman", "face": 1, "start": 2.5}],
    "actions": [{"kind": "smile", "face": 2, "start": 1, "end": 3}],
    "cues": [{"kind": "rain"}],
    "music": {"mood": "sad", "tempo": 70},
    "undone": ["the dog runs"],
}  # fmt: skip


def request(**fields: Any) -> VideoRequest:
    brief = Brief(
        prompt="The camera pans left. The dog runs.", **{"resolution": "480p", "seconds": 5, "seed": 7, **fields}
    )
    return brief.resolve(1280, 720, has_last_frame=False)


def planned(
    answer: Answer, seconds: float = 5.0, check: Callable[[], None] = lambda: None, **fields: Any
) -> Storyboard:
    with chat_endpoint(answer) as (base, _):
        endpoint = Endpoint(base=base, model="m", key=KEY, seconds=seconds)
        return plan(endpoint, request(**fields), PAIR, morph=False, check=check)


def saying(data: Any) -> Answer:
    return lambda handler: handler.say(json.dumps(data))


def test_an_answer_becomes_a_storyboard() -> None:
    board = planned(saying(GOOD))
    assert [(shot.start, shot.end, shot.cut) for shot in board.shots] == [(0, 48, False), (48, 121, True)]
    assert board.shots[1].framing is not None and board.shots[1].framing.face_index == 1
    assert [(line.text, line.voice, line.face_index, line.start) for line in board.lines] == [
        ("Hello there.", "af_heart", 0, 60)
    ]
    assert [(action.kind, action.face_index, action.start, action.end) for action in board.actions] == [
        ("smile", 1, 24, 72)
    ]
    assert [motion.kind for motion in board.motions] == ["rain"]  # no water is in the picture
    assert board.music is not None and (board.music.mood, board.seed) == ("sad", 7)
    assert board.notes == (
        "“waves”: no water is seen in the picture that could move.",
        "“the dog runs”: the planner found no way to do this.",
    )


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "Here it is:\n```json\n{}\n```\nEnjoy!",
        "<think>a brace?</think>{}",
        "<think>a {brace} and { another</think>{}",
        "By the schema {shots: …} it is {}",
    ],
)
def test_json_is_found_in_what_surrounds_it(form: str) -> None:
    assert read_intent(form.replace("{}", json.dumps(GOOD))).shots[1].cut


def test_a_server_that_refuses_seed_and_temperature_is_asked_without_them() -> None:
    def answer(handler: ChatHandler) -> None:
        if {"temperature", "seed"} & set(handler.asked[-1]):
            handler.reply(400, b'{"error": "temperature is not supported"}')
        else:
            handler.say(json.dumps(GOOD))

    assert planned(answer).shots[1].cut


def test_what_cannot_be_stored_printed_or_spoken_is_no_part_of_a_storyboard() -> None:
    line = {"text": "Hello \ud800\x1b[31m there", "speaker": "a\x00man", "face": 1}
    board = planned(saying({**GOOD, "lines": [line, {"text": "…"}], "undone": ["\ud83d flies\x07"]}))
    told = json.dumps(board.to_data(), ensure_ascii=False)
    assert len(board.lines) == 1 and told.encode()
    assert not any(sign in told for sign in ("\\u001b", "\\u0000", "\\u0007"))


def test_what_the_picture_or_the_request_does_not_allow_is_told() -> None:
    with chat_endpoint(saying(GOOD)) as (base, _):
        endpoint = Endpoint(base=base, model="m", key=KEY, seconds=5)
        nobody = PictureFacts(sky=0.3, sky_trust=0.9)
        board = plan(endpoint, request(camera_fixed=True), nobody, morph=False, check=lambda: None)
    told = " ".join(board.notes)
    assert "pans left" in told and "no face was found" in told and "off screen" in told


@pytest.mark.parametrize("known", ["json_schema", "json_object", ""])
def test_a_server_that_knows_fewer_forms_is_asked_again(known: str) -> None:
    def answer(handler: ChatHandler) -> None:
        form = handler.asked[-1].get("response_format", {}).get("type", "")
        simpler = {"json_schema": ("json_schema", "json_object", ""), "json_object": ("json_object", ""), "": ("",)}
        if form in simpler[known]:
            handler.say(json.dumps(GOOD))
        else:
            handler.reply(400, b'{"error": "unknown response_format"}')

    assert planned(answer).shots[1].cut


def test_the_request_says_what_the_engine_can_do_and_no_more() -> None:
    with chat_endpoint(saying(GOOD)) as (base, handler):
        plan(Endpoint(base=base, model="m", key=KEY), request(), PAIR, morph=False, check=lambda: None)
    (asked,) = handler.asked
    assert asked["path"] == "/v1/chat/completions" and asked["model"] == "m" and asked["temperature"] == 0
    assert handler.keys == [f"Bearer {KEY}"]
    assert asked["messages"][1] == {"role": "user", "content": request().prompt}
    assert '"fireflies"' in asked["messages"][0]["content"] and "5 seconds" in asked["messages"][0]["content"]


def test_the_request_wins_over_the_planner() -> None:
    board = planned(saying(GOOD), camera_fixed=True, generate_audio=False)
    assert [move.kind for shot in board.shots for move in shot.moves] == ["static"]
    assert board.cues == () and board.music is None


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: handler.reply(500, b"oops"),
        lambda handler: handler.reply(401, b"{}"),
        lambda handler: handler.reply(302, b"", Location="http://127.0.0.1:1/"),
        lambda handler: handler.reply(200, b"not json"),
        lambda handler: handler.reply(200, b'{"choices": []}'),
        lambda handler: handler.reply(200, json.dumps({"choices": [{"message": {"content": None}}]}).encode()),
        lambda handler: handler.say("I cannot help with that."),
        lambda handler: handler.say("{" * 5000),
        lambda handler: handler.say('{"shots": []}'),
        lambda handler: handler.say(json.dumps({**GOOD, "shots": [{"start": 0}, {"start": 0.1}]})),
        lambda handler: handler.say(json.dumps({**GOOD, "shots": [{"start": 0}] * 400})),
        lambda handler: handler.say(json.dumps({**GOOD, "actions": [{"kind": "fly"}]})),
        lambda handler: handler.say(json.dumps({**GOOD, "actions": [{"kind": "smile", "face": 5}]})),
        lambda handler: handler.say(json.dumps({**GOOD, "actions": [{"kind": "smile", "start": -3}]})),
        lambda handler: handler.say(json.dumps({**GOOD, "lines": [{"text": "x" * 900}]})),
        lambda handler: handler.say(json.dumps({**GOOD, "shots": [{"start": 0, "moves": [{**ZOOM, "kind": "pan"}]}]})),
        lambda handler: handler.connection.close(),
        lambda handler: handler.pour(),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_used_is_refused(answer: Answer) -> None:
    with pytest.raises(PlannerFailed) as failed:
        planned(answer)
    assert KEY not in str(failed.value)


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: time.sleep(30),
        lambda handler: handler.drip(),
        lambda handler: handler.drip_until_closed(),
    ],
)
def test_a_peer_that_stalls_is_left_at_the_deadline(answer: Answer) -> None:
    began = time.monotonic()
    with pytest.raises(PlannerFailed, match=r"within 1 s"):
        planned(answer, seconds=1.0)
    assert time.monotonic() - began < 2.5
    while any(thread.name == "vivant-planner" for thread in threading.enumerate()):
        assert time.monotonic() - began < 5, "its thread is still there"
        time.sleep(0.05)


def test_a_job_that_is_to_stop_stops_while_the_planner_thinks() -> None:
    began = time.monotonic()

    def check() -> None:
        if time.monotonic() - began > 0.3:
            raise Stopped("cancelled")

    with pytest.raises(Stopped):
        planned(lambda handler: time.sleep(30), seconds=30, check=check)
    assert time.monotonic() - began < 2


def test_nobody_there_is_a_failure_like_others() -> None:
    with pytest.raises(PlannerFailed, match="could not be reached"):
        plan(Endpoint(base="http://127.0.0.1:9/v1"), request(), PAIR, morph=False, check=lambda: None)


@pytest.mark.parametrize("base", ["", "ftp://x/v1", "localhost:8080"])
def test_an_endpoint_without_an_address_cannot_be_built(base: str) -> None:
    with pytest.raises(ValueError, match=r"Endpoint.base must be an http or https URL"):
        Endpoint(base=base)


@pytest.mark.parametrize("key", ["密钥", "two words", "line\nbreak"])
def test_a_key_that_no_header_can_carry_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as refused:
        Endpoint(base="http://localhost/v1", key=key)
    assert key not in str(refused.value)


def test_the_key_is_not_in_the_text_of_an_endpoint() -> None:
    assert KEY not in repr(Endpoint(base="http://x/v1", key=KEY))


def test_the_schema_is_that_of_what_is_read() -> None:
    definitions = answer_schema()["$defs"]
    assert set(answer_schema()["properties"]) == set(Intent.__struct_fields__)
    assert "yawn" in definitions["PlannedAction"]["properties"]["kind"]["enum"]


def test_the_built_in_reader_reads_when_the_planner_fails_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    engine = Diorama({"planner_url": "http://127.0.0.1:9/v1", "planner_api_key": KEY})
    engine.setup()
    pictures = Pictures(np.full((720, 1280, 3), 128, np.uint8))
    with caplog.at_level(logging.WARNING):
        board = engine.plan(request(), pictures, NullWatch())
    assert board.notes[0] == "The planner could not be used: the built-in reader read the prompt."
    assert [move.kind for shot in board.shots for move in shot.moves] == ["pan"]
    assert "could not be reached" in caplog.text and KEY not in caplog.text


def test_the_engine_plans_with_the_planner() -> None:
    with chat_endpoint(saying(GOOD)) as (base, _):
        engine = Diorama({"planner_url": base, "planner_seconds": "5"})
        engine.setup()
        board = engine.plan(request(), Pictures(np.full((720, 1280, 3), 128, np.uint8)), NullWatch())
    assert board.shots[1].cut
