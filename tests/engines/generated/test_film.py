"""Films that other programs made: right ones of every kind, and hostile ones."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from support.generated_films import number_of, numbered, patches, refer_to, tone, write_film
from support.paths import ROOT
from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.film import MOST_PIXELS, at_24_fps, read_film
from vivant.engines.generated.footage import Footage
from vivant.errors import EngineFailed, Stopped
from vivant.media import F32, SAMPLE_RATE, U8
from vivant.request import Canvas

SMALL: Final = GenerationCanvas.of(Canvas(192, 112, 97), grid=16, max_pixels=0)


def go_on() -> None:
    """Nobody wants to stop."""


def read(path: Path, *, canvas: GenerationCanvas = SMALL, check: Callable[[], None] = go_on) -> Footage:
    return read_film(path, canvas=canvas, seconds=4, check=check)


def film(folder: Path, frames: Iterator[U8] | None = None, *, name: str = "film.mp4", **how: Any) -> Path:
    path = folder / name
    write_film(path, numbered(97, 192, 112) if frames is None else frames, **how)
    return path


def sounding(folder: Path, sound: F32, rate: int, **how: Any) -> F32 | None:
    return read(film(folder, sound=(sound, rate), **how)).sound


def peak_hertz(samples: F32) -> float:
    spectrum = np.abs(np.fft.rfft(samples[0] * np.hanning(samples.shape[1])))
    return float(np.argmax(spectrum) * SAMPLE_RATE / samples.shape[1])


# -- frames and their times -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("container", "codec", "pixels", "options"),
    [
        ("mp4", "libx264", "yuv420p", None),
        ("mp4", "libx264", "yuv444p", None),
        ("mov", "libx264", "yuv420p", None),
        ("matroska", "libx264", "yuv420p", None),
        ("webm", "libvpx", "yuv420p", {"deadline": "realtime", "cpu-used": "8", "b": "2M"}),
        ("webm", "libvpx-vp9", "yuv420p", {"deadline": "realtime", "cpu-used": "8", "b": "2M"}),
        ("avi", "mjpeg", "yuvj420p", {}),
        ("mp4", "mpeg4", "yuv420p", {"b": "4M"}),
        ("matroska", "ffv1", "yuv420p", {}),
    ],
)
def test_a_film_at_24_fps_comes_out_frame_by_frame(
    tmp_path: Path, container: str, codec: str, pixels: str, options: dict[str, str] | None
) -> None:
    footage = read(film(tmp_path, container=container, codec=codec, pixels=pixels, options=options))
    assert [number_of(frame) for frame in footage.frames] == list(range(97))
    assert footage.sound is None


def test_every_frame_has_the_canvass_size_and_rgb_bytes(tmp_path: Path) -> None:
    for frame in read(film(tmp_path)).frames:
        assert frame.shape == (112, 192, 3) and frame.dtype == np.uint8


def test_more_frames_than_ordered_are_left_out(tmp_path: Path) -> None:
    footage = read(film(tmp_path, numbered(140, 192, 112)))
    assert [number_of(frame) for frame in footage.frames] == list(range(97))


@pytest.mark.parametrize("fps", [12, 16, 25, 30, 60, Fraction(30000, 1001)])
def test_each_frame_is_the_source_frame_nearest_in_time(tmp_path: Path, fps: int | Fraction) -> None:
    count = int(Fraction(97, 24) * fps) + 2
    footage = read(film(tmp_path, numbered(count, 192, 112), fps=fps))
    for n, frame in enumerate(footage.frames):
        assert abs(Fraction(number_of(frame)) / fps - Fraction(n, 24)) <= Fraction(1, 2) / fps + Fraction(1, 1000)


def test_times_that_vary_are_followed(tmp_path: Path) -> None:
    times = [Fraction(0)]
    steps = np.random.default_rng(4).integers(15, 90, 120)
    for step in steps:
        times.append(times[-1] + Fraction(int(step), 1000))
    footage = read(film(tmp_path, numbered(len(times), 192, 112), times=times, container="matroska"))
    for n, frame in enumerate(footage.frames):
        moment = Fraction(n, 24)
        nearest = min(abs(one - moment) for one in times)
        assert abs(times[number_of(frame)] - moment) <= nearest + Fraction(1, 500)  # Matroska counts in milliseconds


def test_a_film_that_begins_late_begins_with_its_first_frame(tmp_path: Path) -> None:
    times = [7 + Fraction(n, 24) for n in range(97)]
    footage = read(film(tmp_path, times=times, container="matroska"))
    assert [number_of(frame) for frame in footage.frames] == list(range(97))


@pytest.mark.parametrize("count", [88, 96])
def test_the_last_frame_of_a_film_that_is_a_little_short_is_held(tmp_path: Path, count: int) -> None:
    numbers = [number_of(frame) for frame in read(film(tmp_path, numbered(count, 192, 112))).frames]
    assert numbers == [*range(count), *[count - 1] * (97 - count)]


@pytest.mark.parametrize("count", [1, 49, 86])
def test_a_film_that_is_too_short_fails_at_once_and_says_how_short(tmp_path: Path, count: int) -> None:
    path = film(tmp_path, numbered(count, 192, 112))
    with pytest.raises(EngineFailed, match=rf"delivered {count / 24:.2f} s of film; the clip takes 4.04 s"):
        read(path)


def test_a_wrong_rate_that_makes_the_film_too_short_fails(tmp_path: Path) -> None:
    path = film(tmp_path, numbered(97, 192, 112), fps=48)
    with pytest.raises(EngineFailed, match=r"2\.02 s of film"):
        read(path)


def test_one_frame_that_claims_to_last_for_ever_is_too_short(tmp_path: Path) -> None:
    path = film(tmp_path, numbered(2, 192, 112), fps=Fraction(1, 100))
    try:
        numbers = [number_of(frame) for frame in read(path).frames]
    except EngineFailed:
        return
    assert numbers == [0] * 97  # two frames a hundred seconds apart do cover it


# -- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(384, 224), (96, 56), (200, 112), (192, 104)])
def test_another_size_of_about_the_same_shape_is_scaled_and_cropped(tmp_path: Path, size: tuple[int, int]) -> None:
    footage = read(film(tmp_path, numbered(97, *size)))
    frames = list(footage.frames)
    assert all(frame.shape == (112, 192, 3) for frame in frames)
    assert [number_of(frame) for frame in frames] == list(range(97))


@pytest.mark.parametrize("size", [(112, 192), (160, 112), (192, 64), (40, 24)])
def test_a_film_of_quite_another_size_or_shape_fails_and_names_both(tmp_path: Path, size: tuple[int, int]) -> None:
    footage = read(film(tmp_path, numbered(97, *size)))
    with pytest.raises(EngineFailed, match=rf"{size[0]}x{size[1]}; 192x112 was asked for"):
        next(footage.frames)


def test_a_film_of_20000_by_20000_fails_before_a_frame_is_allocated(tmp_path: Path) -> None:
    # An MJPEG frame says its size in a header; 20000x20000 is written into one that is tiny.
    path = film(tmp_path, numbered(97, 192, 112), container="avi", codec="mjpeg", pixels="yuvj420p", options={})
    data = bytearray(path.read_bytes())
    start = 0
    while (at := data.find(b"\xff\xc0\x00\x11\x08", start)) >= 0:
        data[at + 5 : at + 9] = (20000).to_bytes(2, "big") * 2
        start = at + 9
    header = data.find(b"strf") + 8
    for offset in (4, 8):
        data[header + offset : header + offset + 4] = (20000).to_bytes(4, "little")
    path.write_bytes(data)
    # In a process of its own, whose memory is limited to less than such a frame takes.
    outcome = in_little_memory(path, 900)
    assert "EngineFailed" in outcome and "at most 9437184 pixels" in outcome


def test_a_frame_that_is_larger_than_the_file_says_fails(tmp_path: Path) -> None:
    path = film(tmp_path, numbered(97, 192, 112), container="avi", codec="mjpeg", pixels="yuvj420p", options={})
    data = bytearray(path.read_bytes())
    frames = [at for at in range(len(data)) if data[at : at + 5] == b"\xff\xc0\x00\x11\x08"]
    for at in frames[3:]:
        data[at + 5 : at + 9] = (20000).to_bytes(2, "big") * 2
    path.write_bytes(data)
    outcome = in_little_memory(path, 900)
    assert "EngineFailed" in outcome


def in_little_memory(path: Path, megabytes: int) -> str:
    """What became of reading the film in a process that may have so much address space beyond its start."""
    code = f"""
    import resource, sys
    sys.path[:0] = [{str(ROOT / "src")!r}, {str(ROOT / "tests")!r}]
    from pathlib import Path
    from vivant.engines.generated.canvas import GenerationCanvas
    from vivant.engines.generated.film import read_film
    from vivant.request import Canvas
    canvas = GenerationCanvas.of(Canvas(192, 112, 97), grid=16, max_pixels=0)
    size = int(next(l for l in open("/proc/self/status") if l.startswith("VmSize")).split()[1]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size + {megabytes} * 2**20,) * 2)
    try:
        for frame in read_film(Path({str(path)!r}), canvas=canvas, seconds=4, check=lambda: None).frames: pass
        print("read")
    except Exception as error:
        print(type(error).__name__, error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- hostile files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{other}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{other}'\n",
        "<?xml version='1.0'?><MPD><BaseURL>{other}</BaseURL></MPD>",
        "{other}",
    ],
    ids=["playlist", "concat list", "DASH", "a path"],
)
def test_a_file_that_names_another_file_opens_nothing(tmp_path: Path, text: str) -> None:
    other = film(tmp_path, name="other.mp4")
    path = tmp_path / "film.mp4"
    path.write_text(text.format(other=other))
    with pytest.raises(EngineFailed, match="no film that is read"):
        read(path)


def test_a_film_whose_frames_lie_in_another_file_opens_nothing(tmp_path: Path) -> None:
    other = film(tmp_path, name="other.mov", container="mov")
    path = tmp_path / "film.mov"
    path.write_bytes(refer_to(other.read_bytes(), str(other)))
    # A reader that follows such references does find the other film by this one.
    with path.open("rb") as file, av.open(file, "r", options={"enable_drefs": "1", "use_absolute_path": "1"}) as movie:
        assert len(list(movie.decode(video=0))) == 97
    with pytest.raises(EngineFailed, match="no frames"):
        list(read(path).frames)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 100,
        b"<html>502 Bad Gateway</html>",
        b'{"error": "busy"}',
        b"\x89PNG\r\n\x1a\n" + bytes(99),
        b"\x00\x00\x00\x20ftypisom" + bytes(range(256)),
        b"\x1aE\xdf\xa3" + bytes(range(256)),
        b"RIFF" + bytes(range(256)),
    ],
    ids=["empty", "zeros", "html", "json", "png", "no mp4", "no webm", "no avi"],
)
def test_a_file_that_is_no_film_fails_in_words(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    with pytest.raises(EngineFailed, match=r"no film that is read|cannot be read|no pictures"):
        list(read(path).frames)


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6])
def test_a_film_that_is_cut_off_fails(tmp_path: Path, container: str, share: float) -> None:
    path = film(tmp_path, container=container)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(EngineFailed):
        list(read(path).frames)


def test_damage_anywhere_gives_frames_or_a_failure_in_words(tmp_path: Path) -> None:
    good = film(tmp_path, sound=(tone(4.1, 48_000), 48_000)).read_bytes()
    chance = np.random.default_rng(9)
    path = tmp_path / "bad.mp4"
    for _ in range(60):
        data = bytearray(good)
        for at in chance.integers(0, len(data), chance.integers(1, 40)):
            data[at] = chance.integers(0, 256)
        path.write_bytes(data)
        try:
            assert len(list(read(path).frames)) == 97
        except EngineFailed as error:
            assert str(error).strip()


def test_a_film_without_pictures_fails(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w", format="mp4") as movie:
        stream = movie.add_stream("aac", rate=48_000)
        block = av.AudioFrame.from_ndarray(tone(1, 48_000)[:, :1024], format="fltp", layout="stereo")
        block.sample_rate, block.pts = 48_000, 0
        movie.mux(stream.encode(block))
        movie.mux(stream.encode(None))
    with pytest.raises(EngineFailed, match="no pictures"):
        read(path)


def test_a_codec_that_no_video_model_uses_is_refused_by_its_name(tmp_path: Path) -> None:
    path = film(tmp_path, container="avi", codec="huffyuv", pixels="yuv422p", options={})
    with pytest.raises(EngineFailed, match="huffyuv"):
        read(path)


def test_a_million_frames_in_one_second_end_early(tmp_path: Path) -> None:
    # Twenty thousand here: read to its end, such a film would take the time for each of them.
    one = np.zeros((112, 192, 3), np.uint8)
    times = (Fraction(n, 8000) for n in range(20_000))
    path = film(tmp_path, (one for _ in range(20_000)), times=times, codec="mpeg4", options={"b": "100k"})
    read_packets = 0

    def count() -> None:
        nonlocal read_packets
        read_packets += 1

    with pytest.raises(EngineFailed, match=r"more than 120 frames a second|of film"):
        list(read(path, check=count).frames)
    assert read_packets < 15_000


def test_a_film_of_an_hour_is_read_as_far_as_the_clip_goes(tmp_path: Path) -> None:
    one = np.zeros((112, 192, 3), np.uint8)
    path = film(tmp_path, (one for _ in range(24 * 600)), codec="mpeg4", options={"b": "100k"})
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    assert len(list(read(path, check=count).frames)) == 97
    assert calls < 300


def test_reading_stops_at_the_next_packet_when_it_is_told_to(tmp_path: Path) -> None:
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise Stopped

    frames = read(film(tmp_path), check=check).frames
    next(frames)
    stop.set()
    with pytest.raises(Stopped):
        for _ in range(30):
            next(frames)


def test_one_frame_is_held_at_a_time(tmp_path: Path) -> None:
    canvas = GenerationCanvas.of(Canvas(1920, 1080, 97), grid=8, max_pixels=0)
    path = film(tmp_path, (np.full((1080, 1920, 3), n, np.uint8) for n in range(97)))
    code = f"""
    import resource, sys
    sys.path[:0] = [{str(ROOT / "src")!r}]
    from pathlib import Path
    from vivant.engines.generated.canvas import GenerationCanvas
    from vivant.engines.generated.film import read_film
    from vivant.request import Canvas
    canvas = GenerationCanvas.of(Canvas(1920, 1080, 97), grid=8, max_pixels=0)
    frames = read_film(Path({str(path)!r}), canvas=canvas, seconds=4, check=lambda: None).frames
    for _ in range(8): next(frames)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in frames: pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 60_000  # kB; all frames would take 603 MB
    assert canvas.width * canvas.height < MOST_PIXELS


def test_a_stranger_does_not_learn_where_the_film_lies(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\x00\x00\x00\x20ftypisom" + bytes(400))
    with pytest.raises(EngineFailed) as caught:
        read(path)
    assert str(tmp_path) not in str(caught.value)


# -- colours ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colours", "how"),
    [
        ((Colorspace.ITU709, ColorRange.MPEG), {}),
        ((Colorspace.ITU601, ColorRange.MPEG), {}),
        ((Colorspace.ITU709, ColorRange.JPEG), {}),
        ((Colorspace.ITU601, ColorRange.JPEG), {}),
        ((Colorspace.ITU709, ColorRange.MPEG), {"pixels": "yuv444p"}),
        (None, {}),
        (None, {"container": "avi", "codec": "mjpeg", "pixels": "yuvj420p", "options": {"qmin": "1", "qmax": "1"}}),
        (None, {"container": "webm", "codec": "libvpx", "options": {"b": "20M", "deadline": "realtime"}}),
    ],
    ids=["709", "601", "709 full", "601 full", "709 444", "untagged", "mjpeg", "vp8"],
)
def test_colours_come_out_as_they_went_in(tmp_path: Path, colours: Any, how: dict[str, Any]) -> None:
    picture = patches(192, 112)
    frame = next(read(film(tmp_path, (picture for _ in range(97)), colours=colours, **how)).frames)
    middle = (slice(14, None, 28), slice(16, None, 32))
    assert np.abs(frame[middle].astype(int) - picture[middle]).max() <= 6  # a wrong matrix or range gives 18 and more


# -- sound ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [24_000, 32_000, 44_100, 48_000])
def test_sound_of_any_rate_comes_out_at_48_khz_at_its_pitch(tmp_path: Path, rate: int) -> None:
    sound = sounding(tmp_path, tone(4.1, rate), rate)
    assert sound is not None and sound.dtype == np.float32 and sound.shape[0] == 2
    assert sound.shape[1] == pytest.approx(4.1 * SAMPLE_RATE, abs=3000)
    assert peak_hertz(sound) == pytest.approx(440, abs=1)
    assert np.abs(sound[:, 4800:-9600]).max() == pytest.approx(0.25, abs=0.03)


def test_one_channel_is_on_both_sides_as_loud_as_it_was(tmp_path: Path) -> None:
    sound = sounding(tmp_path, tone(4.1, 24_000, channels=1), 24_000, sound_layout="mono")
    assert sound is not None and np.array_equal(sound[0], sound[1])
    assert np.abs(sound[:, 4800:-9600]).max() == pytest.approx(0.25, abs=0.03)


def test_six_channels_are_mixed_down_to_two(tmp_path: Path) -> None:
    sound = sounding(tmp_path, tone(4.1, 48_000, channels=6), 48_000, sound_layout="5.1")
    assert sound is not None and sound.shape[0] == 2 and sound.any()


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi"])
def test_a_click_is_heard_at_the_frame_at_which_it_was_set(tmp_path: Path, container: str) -> None:
    samples = np.zeros((2, SAMPLE_RATE * 4), np.float32)
    samples[:, 2 * SAMPLE_RATE : 2 * SAMPLE_RATE + 200] = 0.8
    codec = "pcm_s16le" if container == "avi" else "aac"
    sound = sounding(tmp_path, samples, 48_000, container=container, sound_codec=codec)
    assert sound is not None
    loud = np.flatnonzero(np.abs(sound[0]) > 0.3)
    assert loud[0] == pytest.approx(2 * SAMPLE_RATE, abs=1500)  # less than a frame


def test_samples_that_are_no_numbers_count_as_no_sound_and_the_pictures_stay(tmp_path: Path) -> None:
    samples = np.full((2, SAMPLE_RATE * 4), np.nan, np.float32)
    footage = read(
        film(tmp_path, sound=(samples, 48_000), container="matroska", sound_codec="pcm_f32le", sound_format="flt")
    )
    assert footage.sound is None
    assert footage.facts["sound_left_out"] == "its samples are no numbers"
    assert len(list(footage.frames)) == 97


def test_a_single_sample_that_is_no_number_becomes_silence(tmp_path: Path) -> None:
    samples = tone(4.1, 48_000)
    samples[:, 1000] = np.inf
    sound = sounding(tmp_path, samples, 48_000, container="matroska", sound_codec="pcm_f32le", sound_format="flt")
    assert sound is not None and np.isfinite(sound).all() and sound.any()


def test_an_hour_of_sound_is_cut(tmp_path: Path) -> None:
    sound = sounding(tmp_path, tone(600, 8000, channels=1), 8000, sound_layout="mono")
    assert sound is not None and sound.shape[1] <= 6 * SAMPLE_RATE


def test_what_was_read_is_told(tmp_path: Path) -> None:
    assert read(film(tmp_path)).facts == {"film": "h264 192x112 in mov"}


# -- other rates without a file ---------------------------------------------------------------------------------------


def plain(count: int) -> Iterator[U8]:
    return (np.full((4, 4, 3), n, np.uint8) for n in range(count))


def test_16_fps_become_24_by_the_nearest_frame() -> None:
    made = [int(frame[0, 0, 0]) for frame in at_24_fps(plain(65), fps=Fraction(16), wanted=97, blend=False)]
    assert len(made) == 97 and made[0] == 0 and made[-1] == 64
    assert all(abs(Fraction(one, 16) - Fraction(n, 24)) <= Fraction(1, 32) for n, one in enumerate(made))


def test_16_fps_become_24_by_mixing_neighbours() -> None:
    source = (np.full((4, 4, 3), 3 * n, np.uint8) for n in range(65))
    made = [int(frame[0, 0, 0]) for frame in at_24_fps(source, fps=Fraction(16), wanted=97, blend=True)]
    assert made == [2 * n for n in range(97)]


def test_24_fps_stay_as_they_are() -> None:
    source = list(plain(97))
    made = list(at_24_fps(iter(source), fps=Fraction(24), wanted=97, blend=True))
    assert all(np.array_equal(a, b) for a, b in zip(made, source, strict=True))


@pytest.mark.parametrize("count", [0, 30, 57])
def test_too_few_frames_fail(count: int) -> None:
    with pytest.raises(EngineFailed, match="no frames" if not count else "s of film"):
        list(at_24_fps(plain(count), fps=Fraction(16), wanted=97, blend=False))


def test_a_slow_taker_does_not_use_up_the_readers_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    count = 0
    for _ in read(film(tmp_path)).frames:
        now[0] += 100.0
        count += 1
    assert count == 97


def test_a_film_that_takes_too_long_to_read_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def slow() -> None:
        now[0] += 30.0

    with pytest.raises(EngineFailed, match="longer than 600 s"):
        list(read(film(tmp_path), check=slow).frames)
