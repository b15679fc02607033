"""From an order to footage, through the double: pictures, words, length, rate, sound, seeds and progress."""

from __future__ import annotations

import gc
import io
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support.comfyui import DOCUMENTED, WORKFLOWS, StoppableWatch, generator, order, plain
from support.doubles.comfyui import ComfyUIDouble, comfyui_double
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch
from vivant.engines.comfyui.engine import ComfyuiGenerator
from vivant.engines.generated.footage import Footage
from vivant.engines.registry import complete_options
from vivant.errors import BackendLost, EngineFailed, Misconfigured, OutOfMemory
from vivant.media import U8

RED, BLUE = (200, 40, 40), (40, 40, 200)


def difference(one: U8, other: U8) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def take(footage: Footage) -> list[U8]:
    return list(footage.frames)


@pytest.mark.parametrize(
    ("name", "fps", "sound"),
    [
        ("ltx-2.5-first", 24.0, True),
        ("wan-2.2-a14b-first", 16.0, False),
        ("wan-2.2-5b-first", 24.0, False),
        ("minimax-h3-first", 24.0, True),
    ],
)
def test_every_exported_template_makes_a_film_that_begins_on_the_picture_at_24_frames_per_second(
    double: ComfyUIDouble, name: str, fps: float, sound: bool
) -> None:
    footage = generator(double.url, name, fps=fps).generate(order(), NullWatch())
    frames = take(footage)
    assert len(frames) == 25 and {frame.shape for frame in frames} == {(64, 64, 3)}
    assert difference(frames[0], plain(64, RED)) < 8
    assert difference(frames[0], frames[-1]) > 2
    assert (footage.sound is not None) == sound
    if footage.sound is not None:
        assert footage.sound.shape[0] == 2 and np.abs(footage.sound).max() > 0.1


@pytest.mark.parametrize(
    ("first", "last", "fps"),
    [
        ("ltx-2.5-first", "ltx-2.5-first-and-last", 24.0),
        ("wan-2.2-a14b-first", "wan-2.2-a14b-first-and-last", 16.0),
        ("minimax-h3-first", "minimax-h3-first-and-last", 24.0),
    ],
)
def test_with_a_last_picture_the_other_workflow_runs_and_the_film_goes_from_one_to_the_other(
    double: ComfyUIDouble, first: str, last: str, fps: float
) -> None:
    made = generator(double.url, first, last=last, fps=fps)
    seconds = 4 if "h3" in first else 1  # H3 makes 107 frames for 97, which are played a little faster
    frames = take(made.generate(order(last=True, seconds=seconds), NullWatch()))
    assert difference(frames[0], plain(64, RED)) < 8
    assert difference(frames[-1], plain(64, BLUE)) < 12


def test_the_documented_workflows_run(double: ComfyUIDouble) -> None:
    for path in sorted(DOCUMENTED.glob("*-first.json")):
        options: dict[str, Any] = {"url": [double.url], "workflow": str(path)}
        if (last := path.with_name(path.stem + "-and-last.json")).exists():
            options["workflow_last"] = str(last)
        made = ComfyuiGenerator(complete_options("comfyui", options))
        made.setup()
        assert len(take(made.generate(order(last=last.exists()), NullWatch()))) == 25


def test_the_pictures_and_the_words_arrive_as_they_are(double: ComfyUIDouble) -> None:
    words = 'She says "你好". {"a": 1} %width% \\ ' + "x" * 5000
    given = order(prompt=words, last=True)
    generator(double.url, "ltx-2.5-first", last="ltx-2.5-first-and-last").generate(given, NullWatch())
    (sent,) = double.calls("POST", "/prompt")
    assert sent["prompt"]["251:252"]["inputs"]["value"] == words
    assert given.last is not None
    for slot, picture in (("31", given.first), ("39", given.last)):
        stored = double.inputs[sent["prompt"][slot]["inputs"]["image"]]
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(stored))), picture)


def test_without_sound_asked_there_is_none(double: ComfyUIDouble) -> None:
    assert generator(double.url, "ltx-2.5-first").generate(order(audio=False), NullWatch()).sound is None


def test_equal_seeds_give_equal_frames_and_another_seed_another_take(double: ComfyUIDouble) -> None:
    made = generator(double.url)
    one, other, again = (take(made.generate(order(seed=seed), NullWatch())) for seed in (7, 99, 7))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert difference(one[-1], other[-1]) > 1


def test_every_submission_has_an_id_and_a_file_of_its_own_so_that_an_old_film_is_never_taken(
    double: ComfyUIDouble,
) -> None:
    made = generator(double.url)
    take(made.generate(order(), NullWatch()))
    double.outputs.clear()
    assert len(take(made.generate(order(), NullWatch()))) == 25
    assert double.ran[1] == ["58"]  # the rest was kept
    one, two = double.calls("POST", "/prompt")
    assert one["prompt_id"] != two["prompt_id"]
    for sent in (one, two):
        assert sent["prompt"]["58"]["inputs"]["filename_prefix"] == f"vivant/{sent['prompt_id']}"
        assert sent["partial_execution_targets"] == ["58"]


def test_a_picture_never_takes_the_place_of_another_that_a_job_may_still_wait_for(double: ComfyUIDouble) -> None:
    made = generator(double.url)
    one, other = order(), order()
    other = replace(other, first=other.first[::-1].copy())
    for given in (one, other, one):
        made.generate(given, NullWatch())
    names = [sent["prompt"]["56"]["inputs"]["image"] for sent in double.calls("POST", "/prompt")]
    assert names[0] == names[2] != names[1]
    assert len(double.inputs) == 2 and all(name.startswith("vivant/") for name in double.inputs)


def test_the_name_that_the_server_gave_a_picture_is_used(double: ComfyUIDouble) -> None:
    double.inputs["vivant/renamed.png"] = b"x"
    double.manners.answers["/upload/image"] = (200, b'{"name": "renamed.png", "subfolder": "vivant", "type": "input"}')
    with pytest.raises(EngineFailed, match="UnidentifiedImageError"):  # what lies there is no picture
        generator(double.url).generate(order(), NullWatch())
    assert double.calls("POST", "/prompt")[0]["prompt"]["56"]["inputs"]["image"] == "vivant/renamed.png"


def test_progress_follows_the_steps_of_the_samplers(double: ComfyUIDouble) -> None:
    double.manners.step_seconds = 0.1
    watch = RecordingWatch()
    generator(double.url, "ltx-2.5-first").generate(order(), watch)
    between = {round(fraction, 3) for fraction in watch.fractions if 0.06 < fraction < 0.8}
    assert len(between) >= 5  # 8 steps
    assert watch.fractions == sorted(watch.fractions) and watch.fractions[-1] == pytest.approx(0.9)


def test_without_a_websocket_the_film_comes_all_the_same(double: ComfyUIDouble) -> None:
    double.manners.no_sockets = True
    assert len(take(generator(double.url).generate(order(), NullWatch()))) == 25


def test_a_websocket_that_breaks_is_opened_again(double: ComfyUIDouble) -> None:
    double.manners.sockets_break = 1
    double.manners.step_seconds = 0.15
    watch = RecordingWatch()
    generator(double.url, "ltx-2.5-first").generate(order(), watch)
    assert len(double.socket_headers) >= 2
    assert any(0.06 < fraction < 0.8 for fraction in watch.fractions)


def test_headers_go_with_every_call_and_with_the_websocket_and_without_them_the_server_is_not_used() -> None:
    def guard(manners: Any) -> None:
        manners.header = ("X-Gate", "open-sesame")

    with comfyui_double(guard) as double:
        take(generator(double.url, headers={"X-Gate": "open-sesame"}).generate(order(), NullWatch()))
        assert [headers["X-Gate"] for headers in double.socket_headers] == ["open-sesame"]
        with pytest.raises(Misconfigured, match="401") as refused:
            generator(double.url, headers={"X-Gate": "wrong-word"})
        assert "wrong-word" not in str(refused.value)


def test_missing_nodes_are_told_at_start(double: ComfyUIDouble) -> None:
    double.manners.lacks = frozenset({"Wan22ImageToVideoLatent", "CreateVideo"})
    with pytest.raises(Misconfigured) as refused:
        generator(double.url)
    said = str(refused.value)
    assert "Wan22ImageToVideoLatent (node 55" in said and "CreateVideo (node 57" in said and "custom nodes" in said


def test_a_server_that_is_down_at_start_is_lost_and_not_misconfigured() -> None:
    with comfyui_double() as double:
        url = double.url
    with pytest.raises(BackendLost, match="does not answer") as lost:
        generator(url)
    assert "VIVANT_COMFYUI_URL" in str(lost.value) and "127.0.0.1" not in str(lost.value)


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"system": []}', b'{"devices": 5}', b""])
def test_another_server_at_that_address_is_told(double: ComfyUIDouble, answer: bytes) -> None:
    double.manners.answers["/system_stats"] = (200, answer)
    with pytest.raises(Misconfigured, match="answers, and not as ComfyUI does"):
        generator(double.url)


def test_facts_name_the_model_the_workflow_and_the_server_but_not_its_address(double: ComfyUIDouble) -> None:
    made = generator(double.url)
    footage = made.generate(order(), NullWatch())
    told = {**made.facts(), **footage.facts}
    assert told["model"] == "wan2.2_ti2v_5B_fp16"
    assert (told["server"], told["device"]) == ("ComfyUI 0.3.64", "cuda:0 NVIDIA Double")
    assert told["workflow"] == "wan-2.2-5b-first.json" and told["server_seconds"] >= 0
    assert "127.0.0.1" not in str(told)


def test_a_probe_makes_a_film_and_tells_why_it_could_not(double: ComfyUIDouble) -> None:
    made = generator(double.url)
    made.probe(NullWatch())
    assert len(double.finished) == 1
    double.manners.out_of_memory = 1
    with pytest.raises(OutOfMemory):
        made.probe(NullWatch())


def test_a_graph_of_a_fixed_length_and_without_words_can_be_used(double: ComfyUIDouble) -> None:
    made = generator(double.url, "built-in-nodes", slots={"prompt": None})
    footage = made.generate(order(), NullWatch())
    assert len(take(footage)) == 25 and footage.sound is not None


def test_several_servers_have_a_worker_each(double: ComfyUIDouble) -> None:
    with comfyui_double() as second:
        urls = [double.url, second.url]
        for worker in (0, 1, 2):
            generator(urls, worker=worker).generate(order(), NullWatch())
        assert (len(double.finished), len(second.finished)) == (2, 1)


def test_files_and_threads_are_gone_when_the_frames_are_taken_closed_or_never_begun(double: ComfyUIDouble) -> None:
    made = generator(double.url)
    before = {thread.ident for thread in threading.enumerate()}
    folders = Path(tempfile.gettempdir())

    def left() -> list[Path]:
        return list(folders.glob("vivant-comfyui-*"))

    there = set(left())
    take(made.generate(order(), NullWatch()))
    begun = made.generate(order(), NullWatch())
    next(begun.frames)
    assert set(left()) - there
    del begun
    never = made.generate(order(), NullWatch())
    del never
    gc.collect()
    assert set(left()) <= there
    deadline = time.monotonic() + 5
    while any("comfyui-progress" in thread.name for thread in threading.enumerate() if thread.ident not in before):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_workflow_that_is_not_there_for_two_pictures_is_told(double: ComfyUIDouble) -> None:
    with pytest.raises(Misconfigured, match="VIVANT_COMFYUI_WORKFLOW_LAST"):
        generator(double.url).generate(order(last=True), StoppableWatch())


def test_the_workflows_of_the_tests_lie_where_they_are_looked_for() -> None:
    assert len(list(WORKFLOWS.glob("*.json"))) == 8
