"""The films that `ComfyUIDouble` makes: small moving pictures that begin on one picture and end on another."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np

from vivant.media import U8


class Picture:
    """A picture with the hash of its bytes, so that films can be compared and kept."""

    def __init__(self, pixels: U8) -> None:
        self.pixels = pixels
        self.key = hash(pixels.tobytes())

    def __hash__(self) -> int:
        return self.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Picture) and self.key == other.key

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def scaled(self, width: int, height: int) -> Picture:
        return self if self.size == (width, height) else Picture(np.asarray(cv2.resize(self.pixels, (width, height))))


@dataclass(frozen=True)
class Film:
    """What a graph has decided about its film so far. count: frames. seed: chooses how it moves."""

    width: int
    height: int
    count: int
    first: Picture | None = None
    last: Picture | None = None
    seed: int = 0
    prompt: str = ""
    still: bool = False  # RepeatImageBatch: nothing moves
    fps: Fraction = Fraction(24)
    sound: float | None = None  # Hz of its tone, 0 for silence, None for no track

    def with_changes(self, **changes: Any) -> Film:
        return replace(self, **changes)


@lru_cache(maxsize=64)
def write_film(film: Film) -> bytes:
    """An MP4: H.264, and AAC if it has a sound. Equal films have equal bytes."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as movie:
        video = movie.add_stream("libx264", rate=film.fps)
        video.width, video.height, video.pix_fmt = film.width // 2 * 2, film.height // 2 * 2, "yuv420p"
        video.options = {"preset": "ultrafast", "crf": "16", "threads": "1"}
        audio = movie.add_stream("aac", rate=48_000, layout="stereo") if film.sound is not None else None
        for pixels in _frames(film, video.width, video.height):
            movie.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        movie.mux(video.encode(None))
        if audio is not None:
            time = np.arange(round(film.count / film.fps * 48_000)) / 48_000
            tone = (0.2 * np.sin(2 * np.pi * (film.sound or 0) * time)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
            frame.sample_rate = 48_000
            movie.mux(audio.encode(frame))
            movie.mux(audio.encode(None))
    return file.getvalue()


def _frames(film: Film, width: int, height: int) -> Any:
    first = film.first.scaled(width, height).pixels if film.first else np.full((height, width, 3), 90, np.uint8)
    last = film.last.scaled(width, height).pixels if film.last else None
    angle = (film.seed % 360) / 180 * np.pi
    for n in range(film.count):
        # Out and back again; without a last picture it goes on.
        way = 0.0 if film.still else 0.06 * width * n / max(1, film.count - 1)
        if last is not None:
            way *= 1 - n / max(1, film.count - 1)
        shift = np.array([[1, 0, way * np.cos(angle)], [0, 1, way * np.sin(angle)]], np.float32)
        moved = cv2.warpAffine(first, shift, (width, height), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
        share = n / max(1, film.count - 1) if last is not None else 0.0
        yield np.asarray(cv2.addWeighted(moved, 1 - share, last, share, 0)) if last is not None and share else moved
