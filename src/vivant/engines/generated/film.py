"""A film that another program made -> footage on the generation canvas at 24 fps, with sound at 48 kHz.

The film may be hostile. It is read from an open file, so that it cannot make FFmpeg open another one (playlists and
concat lists name others, some films refer to others), and only as one of three containers with codecs that video
models use. Nothing that it announces is believed: size, number of frames, times and duration are those of what
was decoded. One frame is held at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Final, NoReturn, TypeVar

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream
from PIL import Image

from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.footage import Footage
from vivant.errors import EngineFailed
from vivant.media import F32, SAMPLE_RATE, U8, crop_box
from vivant.request import FPS

MOST_BYTES: Final = 2 * 2**30  # of a file; 12 s of 1080p as intra frames of high quality are a tenth of it
MOST_PIXELS: Final = 4096 * 2304  # of a source frame; more than any size of the contract, doubled in neither direction
MOST_FPS: Final = 120  # source frames a second; more are a film that never ends
MOST_SECONDS: Final = 600.0  # of work on one film, without what its taker needs
COVERED: Final = Fraction(9, 10)  # of the time of a clip, below which a film is too short
MOST_STRETCH: Final = 1.1  # by which the aspect of a source frame may differ from the canvas's; it is cropped
LEAST_SIDE: Final = 0.25  # of the canvas's side; smaller films are not scaled up
MOST_CHANNELS: Final = 16
MOST_TEMPO: Final = 1.15  # that a film with a fixed end may be played faster, or slower; MiniMax-H3 needs 1.11
NUMBERS: Final = 0.99  # share of samples that must be numbers, or the sound counts as none

# How a file of each container begins (offset, bytes), and FFmpeg's name for it.
_CONTAINERS: Final = (
    (4, b"ftyp", "mov", "MP4"),
    (0, b"\x1aE\xdf\xa3", "matroska", "WebM"),
    (0, b"RIFF", "avi", "AVI"),
)
_CODECS: Final = frozenset({
    "h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "libaom-av1", "libvpx", "libvpx-vp9", "mpeg4", "mjpeg", "ffv1",
})  # fmt: skip
_SOUNDS: Final = frozenset({
    "aac", "mp3", "mp3float", "opus", "libopus", "vorbis", "libvorbis", "flac", "alac", "ac3", "eac3",
    "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_u8", "pcm_s16be", "pcm_f32be",
})  # fmt: skip

T = TypeVar("T")


def read_film(
    path: Path, *, canvas: GenerationCanvas, seconds: int, check: Callable[[], None], exact_end: bool = False
) -> Footage:
    """The footage of a film: 24 * seconds + 1 frames of the generation canvas's size, and its sound if it has any.

    Frame n is the source frame nearest to n/24 s after the first one; the last one is held when the film is a little
    short. Frames are decoded as they are taken, so the file must stay until then. Their colours are those that the
    film's tags say (BT.601, BT.709, full range …). Untagged ones are BT.601: FFmpeg's converter writes that when nobody
    says otherwise, and so do the programs around video models. A frame of another size is cropped to the canvas's
    aspect and scaled.

    exact_end: the film's last frame is to be the last one, because it shows the last picture. A film that is up to 15 %
    longer or shorter than the clip is then played faster or slower, its sound without a change of pitch.

    check: called at every packet; may raise. Raises EngineFailed, in words, when the file is no such film, covers less
    than 90 % of the time, has another shape than the canvas or takes too long; the frames may raise it as well.
    """
    wanted = FPS * seconds + 1
    work = _Work(check)
    with _open(path) as movie:
        source = _look(movie)
        sound, told = _read_sound(movie, wanted, work)
        described = source.describe()
    tempo = Fraction(1)
    if exact_end:
        with _open(path) as movie:
            tempo = _find_tempo(movie, wanted, work)
        if tempo != 1:
            told["tempo"] = round(float(tempo), 4)
            sound = None if sound is None else _change_tempo(sound, tempo)
    with _open(path) as movie:
        _check_length(movie, wanted, work, tempo)
    frames = _read_frames(path, canvas, wanted, work, tempo)
    return Footage(frames=frames, sound=sound, facts={"film": described, **told})


def at_24_fps(frames: Iterator[U8], *, fps: Fraction, wanted: int, blend: bool) -> Iterator[U8]:
    """`wanted` frames at 24 fps from frames at `fps`: each the one nearest in time, or, with `blend`, the two beside it
    mixed by their distance in time. The last one is held when they are a little short.

    frames: uint8 (h, w, 3) each; so are those that come out. Raises EngineFailed when the frames cover less than 90 %
    of the time, or when there are none.
    """
    timed = ((Fraction(n) / fps, frame) for n, frame in enumerate(frames))
    for before, after, share in _between(timed, wanted, 1 / fps):
        if blend and before is not after and 0 < share < 1:
            mixed = before.astype(np.float32) * (1 - float(share)) + after.astype(np.float32) * float(share)
            yield np.rint(mixed).astype(np.uint8)
        else:
            yield before if share < Fraction(1, 2) else after


def _between(timed: Iterator[tuple[Fraction, T]], wanted: int, last_for: Fraction) -> Iterator[tuple[T, T, Fraction]]:
    """For each n below `wanted`: the items before and after n/24 s, and where between them it lies, 0..1. Times rise;
    the first is 0. `last_for`: seconds that the last item lasts. Raises EngineFailed when the items do not cover it."""
    first = next(timed, None)
    if first is None:
        raise EngineFailed("The model delivered no frames.")
    before, after = first, next(timed, None)
    for n in range(wanted):
        moment = Fraction(n, FPS)
        while after is not None and after[0] <= moment:
            before, after = after, next(timed, None)
        if after is None:
            covered = before[0] + last_for
            if covered < COVERED * Fraction(wanted, FPS):
                raise EngineFailed(_short(covered, wanted))
            yield before[1], before[1], Fraction(0)
        else:
            yield before[1], after[1], (moment - before[0]) / (after[0] - before[0])


def _short(covered: Fraction, wanted: int) -> str:
    return f"The model delivered {float(covered):.2f} s of film; the clip takes {wanted / FPS:.2f} s."


# -- opening ----------------------------------------------------------------------------------------------------------


class _Work:
    """Asks whether to go on, and limits the time spent on one film without what its taker needs."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check, self._left = check, MOST_SECONDS
        self._since = time.monotonic()

    def go_on(self) -> None:
        """Raises what `check` raises, and EngineFailed when the time is over."""
        self._check()
        now = time.monotonic()
        self._left -= now - self._since
        self._since = now
        if self._left < 0:
            raise EngineFailed(f"Reading the film took longer than {MOST_SECONDS:g} s.")

    def resume(self) -> None:
        """The time until now was not ours."""
        self._since = time.monotonic()


@contextmanager
def _open(path: Path) -> Iterator[InputContainer]:
    """Open as the container that its first bytes say. What goes wrong inside the block, too, becomes EngineFailed."""
    if (size := path.stat().st_size) > MOST_BYTES:
        raise EngineFailed(f"The film has {size} bytes; at most {MOST_BYTES} are read.")
    with path.open("rb") as file:
        container = _container_of(file)
        try:
            # From the file object, and whatever else FFmpeg wants to open is refused. Sizes are checked before a frame
            # is allocated, also while it probes the streams.
            options = {"max_pixels": str(MOST_PIXELS), "codec_whitelist": ",".join(sorted(_CODECS | _SOUNDS))}
            with av.open(file, "r", format=container, options=options, io_open=_open_nothing) as movie:
                yield movie
        except (av.error.FFmpegError, ValueError, MemoryError, OverflowError, PermissionError) as error:
            raise EngineFailed(f"The film cannot be read: {_words(error)}.") from error


def _open_nothing(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    """What FFmpeg calls to open a file that a film refers to."""
    raise PermissionError("it refers to another file")


def _container_of(file: IO[bytes]) -> str:
    """FFmpeg's name of the container. Raises EngineFailed when it is none that is read."""
    head = file.read(16)
    file.seek(0)
    for at, signature, name, _ in _CONTAINERS:
        if head[at : at + len(signature)] == signature:
            return name
    known = ", ".join(words for *_, words in _CONTAINERS)
    raise EngineFailed(f"The file is no film that is read ({known}); it begins with {head[:8]!r}.")


def _words(error: Exception) -> str:
    """What FFmpeg says, without names of files."""
    return str(getattr(error, "strerror", None) or error).rstrip(".") or type(error).__name__


@dataclass(frozen=True, slots=True)
class _Source:
    """What a file has: its first stream of pictures, the codec's name and the size in pixels that it announces."""

    container: str
    codec: str
    width: int
    height: int

    def describe(self) -> str:
        return f"{self.codec} {self.width}x{self.height} in {self.container}"


def _look(movie: InputContainer) -> _Source:
    """Raises EngineFailed for a film without pictures, with a codec that is not read, or with frames too large."""
    video = _video_of(movie)
    context = video.codec_context
    return _Source(movie.format.name.split(",")[0], context.name, context.width, context.height)


def _video_of(movie: InputContainer) -> VideoStream:
    if not movie.streams.video:
        raise EngineFailed("The film has no pictures.")
    video = movie.streams.video[0]
    context = video.codec_context
    if context is None or context.name not in _CODECS:
        name = context.name if context is not None else "unknown"
        raise EngineFailed(f"The film's codec is {name}; read are {', '.join(sorted(_CODECS))}.")
    _check_size(context.width, context.height)
    context.thread_count = 1
    context.options = {"max_pixels": str(MOST_PIXELS)}
    return video


def _usual(video: VideoStream) -> Fraction:
    """Seconds that a frame lasts, as the file announces it: at most an eighth, or one frame could fill a clip."""
    rate = video.average_rate
    return min(Fraction(1) / rate, Fraction(1, 8)) if rate and rate > 0 else Fraction(1, FPS)


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1 or width * height > MOST_PIXELS:  # 0x0: FFmpeg's own limit refused the size
        found = f"are {width}x{height}" if width > 0 and height > 0 else "have no size, or a larger one"
        raise EngineFailed(f"The film's frames {found}; at most {MOST_PIXELS} pixels are read.")


def _find_tempo(movie: InputContainer, wanted: int, work: _Work) -> Fraction:
    """How many times as fast the film is to be played, so that its last frame is the clip's; 1 where it is too far off
    for that, or where its packets have no times."""
    video = _video_of(movie)
    low: int | None = None
    high, count = 0, 0
    for packet in movie.demux(video):
        work.go_on()
        if packet.pts is None:
            continue
        count += 1
        if count > MOST_FPS * (wanted // FPS + 2):
            raise EngineFailed(f"The film has more than {MOST_FPS} frames a second.")
        low = packet.pts if low is None else min(low, packet.pts)
        high = max(high, packet.pts)
    span = Fraction(high - (low or 0)) * (video.time_base or Fraction(0))
    tempo = span / Fraction(wanted - 1, FPS)
    if not 1 / MOST_TEMPO <= tempo <= MOST_TEMPO or abs(tempo - 1) < Fraction(1, 2 * wanted):
        return Fraction(1)  # half a frame is no matter
    return tempo


def _check_length(movie: InputContainer, wanted: int, work: _Work, tempo: Fraction) -> None:
    """Raise EngineFailed for a film that is plainly too short, before anything of it is used. Decodes nothing; what it
    lets through may still turn out to be short when it is decoded."""
    video = _video_of(movie)
    low: int | None = None
    high, count = 0, 0
    frame = _usual(video)
    for packet in movie.demux(video):
        work.go_on()
        if packet.pts is None:
            continue
        count += 1
        low = packet.pts if low is None else min(low, packet.pts)
        high = max(high, packet.pts)
        reached = Fraction(high - low) * (video.time_base or Fraction(0)) / tempo
        if reached + frame >= COVERED * Fraction(wanted, FPS) or count > MOST_FPS * wanted:
            return
    if low is not None:  # without times they are counted while they are decoded
        raise EngineFailed(_short(Fraction(high - low) * (video.time_base or Fraction(0)) + frame, wanted))


# -- pictures ---------------------------------------------------------------------------------------------------------


def _read_frames(path: Path, canvas: GenerationCanvas, wanted: int, work: _Work, tempo: Fraction) -> Iterator[U8]:
    """The frames at 24 fps, decoded one after the other. Raises EngineFailed."""
    with _open(path) as movie:
        video = _video_of(movie)
        usual = _usual(video)
        shown: tuple[VideoFrame, U8] | None = None
        timed = ((moment / tempo, frame) for moment, frame in _decode(movie, video, usual, wanted, work, tempo))
        for before, after, share in _between(timed, wanted, usual):
            nearest = before if share < Fraction(1, 2) else after
            if shown is None or shown[0] is not nearest:
                shown = (nearest, _to_canvas(nearest, canvas))
            yield shown[1]
            work.resume()


def _decode(
    movie: InputContainer, video: VideoStream, usual: Fraction, wanted: int, work: _Work, tempo: Fraction
) -> Iterator[tuple[Fraction, VideoFrame]]:
    """(seconds after the first frame, frame), rising. Frames without a time follow each other at the usual rate, and
    frames whose time does not rise are left out. Ends behind the time that is wanted."""
    start: Fraction | None = None
    last = Fraction(-1)
    enough = Fraction(wanted, FPS) * max(tempo, Fraction(1))
    most = MOST_FPS * (wanted // FPS + 2)
    count = 0
    for packet in movie.demux(video):
        work.go_on()
        for frame in packet.decode():
            count += 1
            if count > most:
                raise EngineFailed(f"The film has more than {MOST_FPS} frames a second.")
            stamp = frame.pts * frame.time_base if frame.pts is not None and frame.time_base else None
            if stamp is None:
                stamp = (start or Fraction(0)) + (last + usual if last >= 0 else 0)
            start = stamp if start is None else start
            moment = stamp - start
            if moment <= last:
                continue
            last = moment
            yield moment, frame
            if moment > enough:
                return


_CONVERT: Final = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND


def _to_canvas(frame: VideoFrame, canvas: GenerationCanvas) -> U8:
    """RGB uint8 (canvas.height, canvas.width, 3). Raises EngineFailed for a frame of quite another shape."""
    _check_size(frame.width, frame.height)
    # Its own colour space and range are taken from the frame's tags.
    picture = np.asarray(frame.reformat(format="rgb24", interpolation=_CONVERT, threads=1).to_ndarray(), np.uint8)
    if picture.shape == (canvas.height, canvas.width, 3):
        return picture
    stretch = (frame.width * canvas.height) / (frame.height * canvas.width)
    small = frame.width < LEAST_SIDE * canvas.width or frame.height < LEAST_SIDE * canvas.height
    if small or not 1 / MOST_STRETCH <= stretch <= MOST_STRETCH:
        raise EngineFailed(
            f"The model delivered frames of {frame.width}x{frame.height}; "
            f"{canvas.width}x{canvas.height} was asked for, or a similar size of about the same shape."
        )
    box = crop_box(frame.width, frame.height, canvas.width, canvas.height)
    size = (canvas.width, canvas.height)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS, box=box))


# -- sound ------------------------------------------------------------------------------------------------------------


def _read_sound(movie: InputContainer, wanted: int, work: _Work) -> tuple[F32 | None, dict[str, Any]]:
    """float32 (2, n) at 48 kHz from the time of the first frame on, at most a second longer than the clip; None where
    there is none or none that can be used, with a fact that says why."""
    if not movie.streams.audio:
        return None, {}
    audio = movie.streams.audio[0]
    context = audio.codec_context
    if context is None or context.name not in _SOUNDS:
        return None, {"sound_left_out": f"its codec is {context.name if context is not None else 'unknown'}"}
    most = SAMPLE_RATE * (wanted // FPS + 2)
    try:
        samples = _decode_sound(movie, audio, most, work)
    except (av.error.FFmpegError, ValueError) as error:  # the pictures are worth more than the sound
        return None, {"sound_left_out": f"it cannot be decoded: {_words(error)}"}
    if samples is None:
        return None, {"sound_left_out": "it is empty"}
    good = np.isfinite(samples)
    if good.mean() < NUMBERS:
        return None, {"sound_left_out": "its samples are no numbers"}
    return np.where(good, samples, np.float32(0)), {}


def _decode_sound(movie: InputContainer, audio: AudioStream, most: int, work: _Work) -> F32 | None:
    parts: list[F32] = []
    count = 0
    resampler: av.AudioResampler | None = None
    shape: tuple[int, int] | None = None
    delay: Fraction | None = None
    start = _first_picture(movie)
    for packet in movie.demux(audio):
        work.go_on()
        for frame in packet.decode():
            if not 1 <= frame.layout.nb_channels <= MOST_CHANNELS or not 1000 <= frame.sample_rate <= 768_000:
                raise ValueError(f"{frame.layout.nb_channels} channels at {frame.sample_rate} Hz")
            if shape != (frame.layout.nb_channels, frame.sample_rate):  # it may change on the way
                parts += _flush(resampler)
                shape = (frame.layout.nb_channels, frame.sample_rate)
                # One channel goes to both sides as loud as it is; more are mixed down as FFmpeg does.
                layout = "mono" if shape[0] == 1 else "stereo"
                resampler = av.AudioResampler(format="fltp", layout=layout, rate=SAMPLE_RATE)
            if delay is None:
                delay = Fraction(0) if frame.pts is None else frame.pts * (frame.time_base or Fraction(0)) - start
            frame.pts = None
            for piece in _resample(resampler, frame):
                parts.append(piece)
                count += piece.shape[1]
        if count > most:
            break
    parts += _flush(resampler)
    if not parts or not sum(part.shape[1] for part in parts):
        return None
    return _shift(np.concatenate(parts, axis=1)[:, :most], delay or Fraction(0), most)


def _resample(resampler: av.AudioResampler | None, frame: AudioFrame | None) -> list[F32]:
    if resampler is None:
        return []
    made = [np.asarray(piece.to_ndarray(), np.float32) for piece in resampler.resample(frame)]
    return [np.broadcast_to(piece, (2, piece.shape[1])) for piece in made]


def _flush(resampler: av.AudioResampler | None) -> list[F32]:
    """What the resampler still holds."""
    return _resample(resampler, None)


def _first_picture(movie: InputContainer) -> Fraction:
    """The time in seconds at which the pictures begin, as the file announces it."""
    video = movie.streams.video[0]
    return Fraction(video.start_time or 0) * (video.time_base or Fraction(0))


def _change_tempo(samples: F32, tempo: Fraction) -> F32:
    """Sound that is so many times as fast, at its own pitch. samples: float32 (2, n); so is what is returned."""
    graph = av.filter.Graph()
    base = Fraction(1, SAMPLE_RATE)
    source = graph.add_abuffer(sample_rate=SAMPLE_RATE, format="fltp", layout="stereo", time_base=base)
    faster = graph.add("atempo", f"{float(tempo):.6f}")
    graph.link_nodes(source, faster, graph.add("aformat", "sample_fmts=fltp"), graph.add("abuffersink")).configure()
    parts: list[F32] = []

    def take() -> None:
        while True:
            try:
                parts.append(np.asarray(graph.pull().to_ndarray(), np.float32))
            except (av.error.BlockingIOError, av.error.EOFError):
                return

    for at in range(0, samples.shape[1], SAMPLE_RATE):
        block = AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, at : at + SAMPLE_RATE]), "fltp", "stereo")
        block.sample_rate, block.pts, block.time_base = SAMPLE_RATE, at, base
        graph.push(block)
        take()
    graph.push(None)
    take()
    return np.concatenate(parts, axis=1) if parts else samples


def _shift(samples: F32, delay: Fraction, most: int) -> F32 | None:
    """Sound that begins `delay` seconds after the pictures (before them, if below 0), from their beginning on."""
    offset = round(delay * SAMPLE_RATE)
    if offset >= 0:
        return np.pad(samples, ((0, 0), (min(offset, most), 0)))[:, :most]
    return np.ascontiguousarray(samples[:, -offset:]) if -offset < samples.shape[1] else None
