"""Against a real ComfyUI, with built-in nodes only: VIVANT_TEST_COMFYUI_URL=http://127.0.0.1:8188.

docs/engines/comfyui.md says how to start one on a CPU. The film is a still, as no model is at hand; everything around a
model is real: upload, submit, websocket, history, queue, cancel, download.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from support.clips import photo
from support.comfyui import StoppableWatch, generator, order
from vivant.engines.base import NullWatch
from vivant.engines.comfyui.check import check
from vivant.engines.registry import complete_options, load_engine
from vivant.errors import EngineFailed, Misconfigured, Stopped
from vivant.generate import make_clip
from vivant.media import Pictures
from vivant.request import Brief

URL = os.environ.get("VIVANT_TEST_COMFYUI_URL", "")
pytestmark = pytest.mark.skipif(not URL, reason="VIVANT_TEST_COMFYUI_URL names no server")

NO_WORDS: dict[str, Any] = {"slots": {"prompt": None}}


def test_a_request_becomes_a_clip_with_sound(tmp_path: Path) -> None:
    lake = photo("mountain_lake")
    workflow = str(Path(__file__).with_name("workflows") / "built-in-nodes.json")
    engine = load_engine("comfyui", {"url": [URL], "workflow": workflow, **NO_WORDS})
    engine.setup()
    brief = Brief(prompt="Waves.", resolution="480p", seconds=4, seed=7)
    request = brief.resolve(lake.shape[1], lake.shape[0], has_last_frame=False)
    storyboard = engine.plan(request, Pictures(lake), NullWatch())
    facts = make_clip(engine, storyboard, Pictures(lake), request, tmp_path / "clip.mp4", NullWatch())
    found = facts[0] if isinstance(facts, tuple) else facts
    assert (found.width, found.height, found.frames, found.has_audio) == (864, 496, 97, True)


def test_the_same_order_twice_is_two_films_of_which_the_second_is_not_the_first_ones_file() -> None:
    made = generator(URL, "built-in-nodes", **NO_WORDS)
    for _ in range(2):
        footage = made.generate(order(), NullWatch())
        assert len(list(footage.frames)) == 25 and not footage.facts["adopted"]


def test_a_job_that_ended_is_taken_over_by_the_next_attempt() -> None:
    watch = StoppableWatch()
    made = generator(URL, "built-in-nodes", **NO_WORDS)
    list(made.generate(order(), watch).frames)
    again = generator(URL, "built-in-nodes", **NO_WORDS).generate(order(), StoppableWatch(watch.remembered))
    assert again.facts["adopted"] and len(list(again.frames)) == 25


def test_a_large_job_can_be_cancelled() -> None:
    watch = StoppableWatch()
    made = generator(URL, "built-in-nodes", **NO_WORDS)
    threading.Timer(0.5, watch.told_to_stop.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        made.generate(order(side=1024, seconds=12), watch)
    assert time.monotonic() - began < 3


def test_a_workflow_whose_nodes_it_lacks_is_told_by_their_names() -> None:
    with pytest.raises(Misconfigured, match=r"lacks nodes of the workflow: .*LTXV"):
        generator(URL, "ltx-2.5-first")


def test_a_model_file_that_it_lacks_is_told() -> None:
    try:
        made = generator(URL, "wan-2.2-5b-first")
    except Misconfigured:
        pytest.skip("this ComfyUI is older than Wan 2.2")
    with pytest.raises(EngineFailed, match=r"wan2\.2_.*the server does not have"):
        made.generate(order(), NullWatch())


def test_the_check_finds_the_server_and_every_built_in_node() -> None:
    workflow = str(Path(__file__).with_name("workflows") / "built-in-nodes.json")
    found = list(check(complete_options("comfyui", {"url": [URL], "workflow": workflow, **NO_WORDS})))
    assert all(passed for passed, _, _ in found)
    assert any("every node and every file" in what for _, what, _ in found)
