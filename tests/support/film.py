"""A finished file, read back for tests: its luma frames and its sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from vivant.media import F32, U8


def luma(path: Path) -> Iterator[U8]:
    """Y of every frame, uint8 (h, w)."""
    with av.open(str(path)) as movie:
        for frame in movie.decode(video=0):
            rows = np.frombuffer(frame.planes[0], np.uint8).reshape(frame.height, -1)  # type: ignore[call-overload]  # a buffer
            yield rows[:, : frame.width].copy()


def sound(path: Path) -> F32:
    """float32 (2, n), 48 kHz."""
    with av.open(str(path)) as movie:
        blocks = [frame.to_ndarray() for frame in movie.decode(audio=0)]
    joined: F32 = np.concatenate(blocks, axis=1)
    return joined


def psnr(a: U8, b: U8) -> float:
    """dB, of 8-bit values."""
    return float(10 * np.log10(255**2 / max(1e-9, float(np.mean((a.astype(float) - b) ** 2)))))
