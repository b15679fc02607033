"""The MP4 file, reopened and measured."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from support.clips import photo
from support.film import luma, psnr
from support.watches import RecordingWatch
from vivant.encode.mp4 import write_mp4
from vivant.encode.probe import probe
from vivant.engines.base import NullWatch
from vivant.engines.testcard.engine import Testcard
from vivant.errors import EngineFailed, Stopped
from vivant.media import Clip, Pictures, Planes, Soundtrack, fit, to_planes
from vivant.request import SIZES, Brief, Canvas, VideoRequest

PHOTO = photo("dahlia")


def card(request: VideoRequest) -> Clip:
    engine = Testcard()
    engine.setup()
    pictures = Pictures(PHOTO)
    return engine.render(engine.plan(request, pictures, NullWatch()), pictures, NullWatch())


def resolve(**fields: Any) -> VideoRequest:
    return Brief(prompt="a flower", seed=7, **fields).resolve(640, 427, has_last_frame=False)


def solid(canvas: Canvas, count: int) -> Iterator[Planes]:
    grey = np.full((canvas.height // 2, canvas.width // 2), 128, np.uint8)
    for n in range(count):
        yield Planes(np.full((canvas.height, canvas.width), 40 + n, np.uint8), grey, grey)


@pytest.mark.parametrize(("resolution", "ratio"), [size for size in SIZES if size[0] != "1080p"])
def test_every_size_of_the_table_keeps_its_pixels_and_chroma(resolution: str, ratio: str, tmp_path: Path) -> None:
    width, height = SIZES[resolution, ratio]
    planes = to_planes(fit(PHOTO, width, height))
    clip = Clip(Canvas(width, height, 3), iter([planes] * 3), None)
    write_mp4(clip, tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as movie:
        frame = next(movie.decode(video=0))
        for plane, wanted in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
            buffer: Any = plane  # has the buffer interface, which PyAV does not type
            rows = np.frombuffer(buffer, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
            assert psnr(rows, wanted) > 40
            # A shifted or dropped row would show at the bottom, whatever the mean says.
            assert psnr(rows[-8:], wanted[-8:]) > 36


def test_1080p_in_every_ratio_opens_with_its_own_size(tmp_path: Path) -> None:
    for (resolution, ratio), (width, height) in SIZES.items():
        if resolution == "1080p":
            write_mp4(Clip(Canvas(width, height, 2), solid(Canvas(width, height, 2), 2), None), tmp_path / "a.mp4")
            facts = probe(tmp_path / "a.mp4")
            assert (facts.width, facts.height, facts.frames) == (width, height, 2), ratio


def test_the_file_is_what_the_contract_promises(tmp_path: Path) -> None:
    write_mp4(card(resolve(resolution="480p", seconds=4)), tmp_path / "clip.mp4")
    facts = probe(tmp_path / "clip.mp4")
    assert (facts.width, facts.height, facts.frames) == (752, 560, 97)
    assert facts.fps == 24
    assert (facts.video_codec, facts.pixel_format) == ("h264", "yuv420p")
    assert (facts.audio_codec, facts.sample_rate, facts.channels) == ("aac", 48_000, 2)
    assert abs(facts.video_seconds - facts.audio_seconds) <= 1 / facts.fps
    with av.open(str(tmp_path / "clip.mp4")) as movie:
        frame = next(movie.decode(video=0))
        assert (frame.colorspace, frame.color_range) == (1, 1)  # BT.709, limited
        context = movie.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc) == (1, 1)


def test_the_index_comes_before_the_data(tmp_path: Path) -> None:
    write_mp4(card(resolve(resolution="480p", seconds=4)), tmp_path / "clip.mp4")
    raw = (tmp_path / "clip.mp4").read_bytes()
    assert 0 < raw.index(b"moov") < raw.index(b"mdat")


def test_frames_are_evenly_spaced(tmp_path: Path) -> None:
    write_mp4(card(resolve(resolution="480p", seconds=4)), tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as movie:
        times = [frame.time for frame in movie.decode(video=0)]
    assert np.allclose(times, np.arange(97) / 24, atol=1e-4)


def test_frame_0_is_the_picture(tmp_path: Path) -> None:
    request = resolve(resolution="720p", seconds=4)
    write_mp4(card(request), tmp_path / "clip.mp4")
    wanted = to_planes(fit(PHOTO, request.canvas.width, request.canvas.height)).y
    assert psnr(next(luma(tmp_path / "clip.mp4")), wanted) >= 40


def test_a_beep_and_its_flash_meet_within_a_frame(tmp_path: Path) -> None:
    write_mp4(card(resolve(resolution="480p", seconds=4)), tmp_path / "clip.mp4")
    size = 560 // 12
    lit = [
        n
        for n, y in enumerate(luma(tmp_path / "clip.mp4"))
        if n and y[size + 8 : 2 * size - 8, size + 8 : 2 * size - 8].mean() > 230
    ]
    assert lit == [24, 48, 72, 96]
    with av.open(str(tmp_path / "clip.mp4")) as movie:
        sound = np.concatenate([f.to_ndarray()[0] for f in movie.decode(audio=0)])
    power = np.convolve(sound**2, np.ones(240) / 240, mode="same")
    loud = np.flatnonzero(np.diff((power > 0.03).astype(int)) == 1)
    assert len(loud) == 4
    assert np.abs(loud / 48_000 - np.array(lit) / 24).max() < 1 / 24


def test_a_silent_request_has_no_audio_stream(tmp_path: Path) -> None:
    write_mp4(card(resolve(resolution="480p", seconds=4, generate_audio=False)), tmp_path / "clip.mp4")
    assert not probe(tmp_path / "clip.mp4").has_audio


def test_the_same_clip_decodes_to_the_same_bits(tmp_path: Path) -> None:
    for name in "ab":
        write_mp4(card(resolve(resolution="480p", seconds=4)), tmp_path / f"{name}.mp4")
    for one, other in zip(luma(tmp_path / "a.mp4"), luma(tmp_path / "b.mp4"), strict=True):
        assert np.array_equal(one, other)


def test_the_same_frames_become_the_same_file_however_often(tmp_path: Path) -> None:
    # Like the frames of a clip with rain; with two threads x264 made two different files of them, each about as often.
    resized = fit(PHOTO, 560, 752)
    chance = np.random.default_rng(1)
    still = to_planes(resized)
    frames = []
    for n in range(72):
        y = np.roll(still.y, n // 3, axis=1)
        for x, top in zip(chance.integers(0, 560, 150), chance.integers(0, 700, 150), strict=True):
            y[top : top + 50, x] = np.minimum(y[top : top + 50, x].astype(int) + 30, 235)
        frames.append(Planes(y, still.u, still.v))
    files = set()
    for _ in range(5):
        write_mp4(Clip(Canvas(560, 752, len(frames)), iter(frames), None), tmp_path / "clip.mp4")
        files.add((tmp_path / "clip.mp4").read_bytes())
    assert len(files) == 1


def test_the_mark_changes_the_corner_and_nothing_else(tmp_path: Path) -> None:
    canvas = Canvas(864, 496, 4)
    write_mp4(Clip(canvas, solid(canvas, 4), None), tmp_path / "plain.mp4")
    write_mp4(Clip(canvas, solid(canvas, 4), None), tmp_path / "marked.mp4", mark=True)
    for plain, marked in zip(luma(tmp_path / "plain.mp4"), luma(tmp_path / "marked.mp4"), strict=True):
        changed = np.abs(plain.astype(int) - marked) > 40
        assert changed[-70:, -260:].sum() > 200
        changed[-70:, -260:] = False
        assert not changed.any()


@pytest.mark.parametrize("count", [2, 5])
def test_an_engine_that_miscounts_its_frames_fails_and_leaves_no_file(count: int, tmp_path: Path) -> None:
    canvas = Canvas(320, 320, 4)
    with pytest.raises(EngineFailed, match="4"):
        write_mp4(Clip(canvas, solid(canvas, count), None), tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_miscounts_its_samples_fails_and_leaves_no_file(tmp_path: Path) -> None:
    canvas = Canvas(320, 320, 4)
    short = Soundtrack(np.zeros((2, 7999), np.float32))
    with pytest.raises(EngineFailed, match="8000 samples"):
        write_mp4(Clip(canvas, solid(canvas, 4), lambda: short), tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_the_sound_is_made_and_encoded_while_the_frames_are(tmp_path: Path) -> None:
    canvas, asked = Canvas(320, 320, 4), threading.Event()

    def hear() -> Soundtrack:
        asked.set()
        return Soundtrack(np.zeros((2, 8000), np.float32))

    def draw() -> Iterator[Planes]:
        for planes in solid(canvas, 4):
            assert asked.wait(10)  # behind the frames it would never come
            yield planes

    write_mp4(Clip(canvas, draw(), hear), tmp_path / "clip.mp4")
    assert probe(tmp_path / "clip.mp4").has_audio


def test_nothing_works_on_the_sound_of_a_clip_that_has_failed(tmp_path: Path) -> None:
    canvas, long = Canvas(320, 320, 4), Soundtrack(np.zeros((2, 48_000 * 600), np.float32))
    with pytest.raises(EngineFailed, match="4"):
        write_mp4(Clip(canvas, solid(canvas, 2), lambda: long), tmp_path / "clip.mp4")
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("vivant-aac")]
    assert list(tmp_path.iterdir()) == []


def test_a_stop_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    watch = RecordingWatch(stop_at=49)
    with pytest.raises(Stopped):
        write_mp4(card(resolve(resolution="480p", seconds=4)), tmp_path / "clip.mp4", watch=watch)
    assert list(tmp_path.iterdir()) == []
    assert watch.fractions == sorted(watch.fractions)
