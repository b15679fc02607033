"""What every engine in the registry promises. A new engine is tested by this file as soon as it is registered.

The promises are those of engines/base.py and docs/engines.md: canvas, clock, frames, sound, seeds, cancelling,
progress, and no failure for odd words or pictures.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

from support.clips import photo
from support.doubles import BEHIND, nothing_behind
from support.fingerprints import fingerprint
from support.watches import RecordingWatch
from vivant.engines.base import Engine, NullWatch
from vivant.engines.registry import ENGINES, load_engine
from vivant.errors import Stopped
from vivant.generate import make_clip
from vivant.media import SAMPLES_PER_FRAME, U8, Clip, Pictures, Planes, fit, to_planes
from vivant.request import SIZES, Brief, VideoRequest

PROMPT: Final = 'Waves on the lake, wind and birds. The camera pans right. She says "Good morning."'
FRAME_0_PSNR: Final = 40.0  # dB of luma: the clip starts on the picture
LAST_PSNR: Final = 36.0  # dB of luma: and ends on the last one, if there is one


@pytest.fixture(scope="module", params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with BEHIND.get(request.param, nothing_behind)() as options:
        engine = load_engine(request.param, options)
        engine.setup()
        yield engine


@pytest.fixture(scope="module")
def lake() -> U8:
    return photo("mountain_lake")


@pytest.fixture(scope="module")
def falls() -> U8:
    return photo("sea_falls")


def make_request(picture: U8, *, has_last: bool = False, **fields: Any) -> VideoRequest:
    """The smallest clip the contract allows, unless `fields` say otherwise."""
    brief = Brief(**{"prompt": PROMPT, "resolution": "480p", "seconds": 4, "seed": 7, **fields})
    return brief.resolve(picture.shape[1], picture.shape[0], has_last_frame=has_last)


def render(engine: Engine, request: VideoRequest, pictures: Pictures, watch: RecordingWatch | None = None) -> Clip:
    watch = watch or RecordingWatch()
    return engine.render(engine.plan(request, pictures, watch), pictures, watch)


def luma_psnr(planes: Planes, picture: U8) -> float:
    """dB between a frame and a picture that fills it."""
    height, width = planes.y.shape
    wanted = to_planes(fit(picture, width, height)).y
    return float(cv2.PSNR(planes.y, wanted))


# -- who it is --------------------------------------------------------------------------------------------------------


def test_an_engine_is_called_what_the_registry_calls_it_and_has_a_version(engine: Engine) -> None:
    assert ENGINES[engine.name].build.endswith(type(engine).__name__)
    assert engine.version.strip()


# -- plan -------------------------------------------------------------------------------------------------------------


def test_a_storyboard_is_json_that_names_its_engine_and_version(engine: Engine, lake: U8) -> None:
    data = engine.plan(make_request(lake), Pictures(lake), NullWatch()).to_data()
    assert json.loads(json.dumps(data)).keys() == data.keys()
    assert (data["engine"], data["version"]) == (engine.name, engine.version)


def test_equal_requests_get_equal_storyboards(engine: Engine, lake: U8) -> None:
    first, again = (engine.plan(make_request(lake), Pictures(lake), NullWatch()).to_data() for _ in range(2))
    assert json.dumps(first) == json.dumps(again)


def test_a_storyboard_can_be_told_in_lines_of_plain_text(engine: Engine, lake: U8) -> None:
    lines = engine.explain(engine.plan(make_request(lake), Pictures(lake), NullWatch()))
    assert lines and all(line.strip() and line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        " ",
        "\x01\x07\x1b[31m",
        "\u202e\u200b\ufeff",
        "🌊" * 500,
        '"',
        "“”「」",
        "a " * 5000,
        "{{}} %s ${x} <b>",
        "，。！",
    ],
    ids=["empty", "blank", "control", "invisible", "emoji", "one-quote", "empty-quotes", "long", "markup", "signs"],
)
def test_no_words_make_planning_fail(engine: Engine, lake: U8, prompt: str) -> None:
    storyboard = engine.plan(make_request(lake, prompt=prompt), Pictures(lake), NullWatch())
    json.dumps(storyboard.to_data())
    assert engine.explain(storyboard)


# -- canvas, clock, frames, sound -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=":".join)
def test_frames_have_the_size_of_every_canvas_and_begin_with_the_picture(
    engine: Engine, lake: U8, size: tuple[str, str]
) -> None:
    resolution, ratio = size
    request = make_request(lake, resolution=resolution, ratio=ratio, prompt="wind", generate_audio=False)
    clip = render(engine, request, Pictures(lake))
    assert clip.canvas == request.canvas
    frames = clip.frames
    first, second = islice(frames, 2)
    for planes in (first, second):
        assert planes.y.shape == (request.canvas.height, request.canvas.width)
        assert planes.y.dtype == planes.u.dtype == planes.v.dtype == np.uint8
    assert luma_psnr(first, lake) >= FRAME_0_PSNR
    close(frames)


def test_a_clip_has_exactly_its_frames_and_2000_samples_for_each(engine: Engine, lake: U8) -> None:
    request = make_request(lake)
    clip = render(engine, request, Pictures(lake))
    count = sum(1 for _ in clip.frames)
    assert count == request.canvas.frames == 97
    assert clip.soundtrack is not None
    samples = clip.soundtrack().samples
    assert samples.shape == (2, count * SAMPLES_PER_FRAME)
    assert np.isfinite(samples).all() and np.abs(samples).max() <= 1
    assert samples.any()


def test_luma_and_chroma_stay_in_the_limited_range(engine: Engine, lake: U8) -> None:
    clip = render(engine, make_request(lake, generate_audio=False), Pictures(lake))
    for planes in islice(clip.frames, 0, None, 12):
        assert planes.y.min() >= 16 and planes.y.max() <= 235
        for plane in (planes.u, planes.v):
            assert plane.min() >= 16 and plane.max() <= 240


def test_without_sound_there_is_no_soundtrack(engine: Engine, lake: U8) -> None:
    clip = render(engine, make_request(lake, generate_audio=False), Pictures(lake))
    assert clip.soundtrack is None
    close(clip.frames)


def test_cuts_lie_inside_the_clip_in_order(engine: Engine, lake: U8) -> None:
    request = make_request(lake, prompt="Pan left. Cut to a close-up. Cut to a wide shot, tilt up.")
    clip = render(engine, request, Pictures(lake))
    assert list(clip.cuts) == sorted(set(clip.cuts))
    assert all(0 < cut < request.canvas.frames for cut in clip.cuts)
    close(clip.frames)


def test_a_clip_with_a_last_picture_ends_on_it(engine: Engine, lake: U8, falls: U8) -> None:
    request = make_request(lake, has_last=True, generate_audio=False)
    frames = list(render(engine, request, Pictures(lake, falls)).frames)
    assert len(frames) == request.canvas.frames
    assert luma_psnr(frames[0], lake) >= FRAME_0_PSNR
    assert luma_psnr(frames[-1], falls) >= LAST_PSNR


def test_what_it_makes_becomes_a_file_with_the_same_facts(engine: Engine, lake: U8, tmp_path: Path) -> None:
    request = make_request(lake)
    storyboard = engine.plan(request, Pictures(lake), NullWatch())
    facts, _ = make_clip(engine, storyboard, Pictures(lake), request, tmp_path / "clip.mp4", RecordingWatch())
    canvas = request.canvas
    assert (facts.width, facts.height, facts.frames) == (canvas.width, canvas.height, canvas.frames)
    assert facts.has_audio


# -- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["black", "white", "noise", "small", "tall", "wide"])
def test_no_picture_makes_it_fail(engine: Engine, kind: str) -> None:
    shape = {"small": (301, 301), "tall": (1499, 601), "wide": (601, 1499)}.get(kind, (400, 500))
    picture = np.full((*shape, 3), 255 if kind == "white" else 0, np.uint8)
    if kind not in ("black", "white"):
        picture = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)
    clip = render(engine, make_request(picture, generate_audio=False), Pictures(picture))
    frames = clip.frames
    assert sum(1 for _ in islice(frames, 3)) == 3
    close(frames)


def test_the_pictures_it_was_given_stay_as_they_are(engine: Engine, lake: U8, falls: U8) -> None:
    first, last = lake.copy(), falls.copy()
    frames = render(engine, make_request(lake, has_last=True), Pictures(first, last)).frames
    next(frames)
    close(frames)
    assert np.array_equal(first, lake) and np.array_equal(last, falls)


# -- seeds ------------------------------------------------------------------------------------------------------------


def test_the_same_request_gives_the_same_frames_and_samples_to_the_bit_and_another_seed_another_take(
    engine: Engine, lake: U8
) -> None:
    def take(seed: int) -> tuple[str, str]:
        return fingerprint(render(engine, make_request(lake, seed=seed), Pictures(lake)))

    first = take(7)
    other = take(8)
    assert take(7) == first, "a take in between changed it"
    assert other[0] != first[0]


# -- cancelling, progress, attempts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stop_at", [1, 2, 5, 12, 40])
def test_a_job_that_is_told_to_stop_ends_soon_and_leaves_the_engine_usable(
    engine: Engine, lake: U8, stop_at: int
) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    watch = RecordingWatch(stop_at)
    taken = 0
    with pytest.raises(Stopped):
        for _ in render(engine, make_request(lake), Pictures(lake), watch).frames:
            taken += 1
    assert taken <= stop_at
    wait_until_ended(before)
    assert len(watch.stopped) == len(set(watch.stopped)), "a thread went on after it was told to stop"
    frames = render(engine, make_request(lake), Pictures(lake)).frames
    assert luma_psnr(next(frames), lake) >= FRAME_0_PSNR
    close(frames)


def test_it_asks_whether_to_stop_at_least_once_a_frame(engine: Engine, lake: U8) -> None:
    watch = RecordingWatch()
    frames = render(engine, make_request(lake, generate_audio=False), Pictures(lake), watch).frames
    count = sum(1 for _ in frames)
    assert watch.checks >= count - 1  # frame 0 is the picture


def test_progress_never_falls_and_stays_within_0_and_1(engine: Engine, lake: U8) -> None:
    watch = RecordingWatch()
    clip = render(engine, make_request(lake), Pictures(lake), watch)
    for _ in clip.frames:
        pass
    assert clip.soundtrack is not None
    clip.soundtrack()
    assert watch.fractions == sorted(watch.fractions)
    assert all(0 <= fraction <= 1 for fraction in watch.fractions)


def test_frames_that_nobody_takes_any_more_leave_no_thread_behind(engine: Engine, lake: U8) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    frames = render(engine, make_request(lake), Pictures(lake)).frames
    next(frames)
    close(frames)
    wait_until_ended(before)


def test_a_second_attempt_may_bring_what_the_first_remembered(engine: Engine, lake: U8) -> None:
    watch = RecordingWatch()
    frames = render(engine, make_request(lake), Pictures(lake), watch).frames
    next(frames)
    close(frames)
    json.dumps(dict(watch.remembered))
    again = render(engine, make_request(lake), Pictures(lake), RecordingWatch(remembered=watch.remembered)).frames
    assert luma_psnr(next(again), lake) >= FRAME_0_PSNR
    close(again)


def close(frames: Iterator[Planes]) -> None:
    """Tell a stream of frames that nobody takes the rest, as the encoder does when it fails."""
    getattr(frames, "close", lambda: None)()


def wait_until_ended(before: set[int | None]) -> None:
    """Wait until no thread is alive that was not in `before`."""
    deadline = time.monotonic() + 20
    while left := [t.name for t in threading.enumerate() if t.ident not in before]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.02)
