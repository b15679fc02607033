"""A finished file, read back for tests: its luma frames and its sound; and frames as a viewer gets them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from vivant.encode.mp4 import write_mp4
from vivant.media import F32, U8, Clip, Planes
from vivant.request import Canvas


def luma(path: Path) -> Iterator[U8]:
    """Y of every frame, uint8 (h, w)."""
    with av.open(str(path)) as movie:
        for frame in movie.decode(video=0):
            rows = np.frombuffer(frame.planes[0], np.uint8).reshape(frame.height, -1)  # type: ignore[call-overload]  # a buffer
            yield rows[:, : frame.width].copy()


def develop(frames: Sequence[Planes]) -> list[U8]:
    """Luma of the same frames after they were encoded, one after the other as a clip, and decoded again."""
    height, width = frames[0].y.shape
    clip = Clip(canvas=Canvas(width, height, len(frames)), frames=iter(frames), soundtrack=None)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_mp4(clip, path)
        return list(luma(path))


def sound(path: Path) -> F32:
    """float32 (2, n), 48 kHz."""
    with av.open(str(path)) as movie:
        blocks = [frame.to_ndarray() for frame in movie.decode(audio=0)]
    joined: F32 = np.concatenate(blocks, axis=1)
    return joined


def psnr(a: U8, b: U8) -> float:
    """dB, of 8-bit values."""
    return float(10 * np.log10(255**2 / max(1e-9, float(np.mean((a.astype(float) - b) ** 2)))))
