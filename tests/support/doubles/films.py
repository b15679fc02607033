"""The films that doubles of servers make: the picture that was sent, a square that moves over it as the seed says, and
a tone; the second half shows the last picture if there is one. Quick to write, and equal wishes give equal bytes.
"""

from __future__ import annotations

import io
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import av
import cv2
import numpy as np
from PIL import Image

from vivant.media import U8

# container -> (PyAV's name, video codec, options, sound codec)
_KINDS: Final[dict[str, tuple[str, str, dict[str, str], str]]] = {
    "mp4": ("mp4", "libx264", {"preset": "ultrafast", "crf": "14", "tune": "zerolatency", "threads": "1"}, "aac"),
    "webm": ("matroska", "libvpx", {"deadline": "realtime", "cpu-used": "16", "threads": "1"}, "pcm_s16le"),
    "avi": ("avi", "mjpeg", {"threads": "1"}, "pcm_s16le"),
}


def read_picture(data: bytes) -> U8:
    """The pixels of a PNG or JPEG: uint8 (h, w, 3)."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def make_film(
    first: U8 | None,
    last: U8 | None = None,
    *,
    width: int,
    height: int,
    frames: int,
    seed: int,
    fps: int = 24,
    sound: bool = True,
    kind: str = "mp4",
    rate: int = 48_000,
) -> bytes:
    """A film of so many pixels (even sides) and frames. first, last: uint8 (h, w, 3) of any size."""
    planes = tuple(None if p is None else _planes(p, width, height).tobytes() for p in (first, last))
    return _write(planes[0], planes[1], width, height, frames, seed, fps, sound, kind, rate)


def _planes(picture: U8, width: int, height: int) -> U8:
    """Y, U and V below each other, uint8 (height * 3 / 2, width)."""
    if picture.shape[:2] != (height, width):
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420))


@lru_cache(maxsize=24)
def _write(
    first: bytes | None, last: bytes | None, width: int, height: int, frames: int, seed: int, fps: int, sound: bool,
    kind: str, rate: int,
) -> bytes:  # fmt: skip
    container, codec, options, sound_codec = _KINDS[kind]
    shape = (height * 3 // 2, width)
    grey = np.concatenate([np.full((height, width), 90, np.uint8), np.full((height // 2, width), 128, np.uint8)])
    start, end = (None if p is None else np.frombuffer(p, np.uint8).reshape(shape) for p in (first, last))
    start = grey if start is None else start
    file = io.BytesIO()
    with av.open(file, "w", format=container) as movie:
        video: Any = movie.add_stream(codec, rate=fps, options=options)
        video.width, video.height = width, height
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec != "libx264":
            video.bit_rate = 40_000_000
        audio: Any = movie.add_stream(sound_codec, rate=rate, layout="stereo") if sound else None
        for n in range(frames):
            shown = (end if end is not None and 2 * n > frames else start).copy()
            _draw_square(shown, width, height, n / fps, seed)
            frame = av.VideoFrame.from_ndarray(shown, format=video.pix_fmt)
            frame.pts, frame.time_base = n, Fraction(1, fps)
            movie.mux(video.encode(frame))
        movie.mux(video.encode(None))
        if audio is not None:
            _write_tone(movie, audio, frames / fps, rate, seed)
    return file.getvalue()


def _draw_square(planes: U8, width: int, height: int, time: float, seed: int) -> None:
    """On the luma; it leaves the picture's corners alone and is on its way from the first frame on."""
    side = max(8, height // 10) // 2 * 2
    random = np.random.default_rng(seed)
    x, y = random.uniform(0.2, 0.6, 2)
    speed = random.uniform(0.05, 0.1) * width
    left = int(x * (width - side) + speed * time) % (width - side)
    top = int(y * (height - side))
    planes[top : top + side, left : left + side] = random.integers(60, 200)


def _write_tone(movie: Any, audio: Any, seconds: float, rate: int, seed: int) -> None:
    time = np.arange(round(seconds * rate)) / rate
    tone = (0.2 * np.sin(2 * np.pi * (300 + seed % 300) * time)).astype(np.float32)
    block = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
    block.sample_rate, block.pts, block.time_base = rate, 0, Fraction(1, rate)
    resampler = av.AudioResampler(format=audio.format.name, layout="stereo", rate=rate, frame_size=1024)
    for piece in [*resampler.resample(block), *resampler.resample(None)]:
        movie.mux(audio.encode(piece))
    movie.mux(audio.encode(None))
