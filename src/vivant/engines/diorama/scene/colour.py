"""Makes what warps read of a picture: its BT.709 planes, and its luma at twice the size. Knows no scene."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.scene.scene import Source
from vivant.media import F32, U8, to_planes

# Lanczos-3 at half a sample, L(x) = sinc(x)·sinc(x/3) for x = ±0.5, ±1.5, ±2.5, normalised to a sum of one.
_OFFSETS: Final = np.arange(-2.5, 3.0)
_HALF: Final = (np.sinc(_OFFSETS) * np.sinc(_OFFSETS / 3)).astype(np.float32)
_HALF_SAMPLE: Final[F32] = _HALF / _HALF.sum()
_KEEP: Final[F32] = np.ones(1, np.float32)


def make_source(picture: U8) -> Source:
    """RGB uint8 (h, w, 3), even sides -> planes and phase-aligned double luma."""
    planes = to_planes(picture)
    return Source(planes, double_luma(planes.y))


def double_luma(plane: U8) -> U8:
    """uint8 (h, w) -> (2h, 2w) with out[2i, 2j] == plane[i, j] exactly; samples between are separable Lanczos-3.

    Sampled bilinearly at doubled positions it gives nearly bicubic detail at a third of the cost.
    """
    h, w = plane.shape
    exact = plane.astype(np.float32)
    right = _between(exact, horizontal=True)
    out = np.empty((2 * h, 2 * w), np.uint8)
    out[0::2, 0::2] = plane
    out[0::2, 1::2] = _rounded(right)
    out[1::2, 0::2] = _rounded(_between(exact, horizontal=False))
    out[1::2, 1::2] = _rounded(_between(right, horizontal=False))
    return out


def _between(plane: F32, *, horizontal: bool) -> F32:
    kernels = (_HALF_SAMPLE, _KEEP) if horizontal else (_KEEP, _HALF_SAMPLE)
    anchor = (2, 0) if horizontal else (0, 2)  # taps at -2 … +3: the sample half-way to the next
    filtered = cv2.sepFilter2D(plane, cv2.CV_32F, *kernels, anchor=anchor, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(filtered, np.float32)


def _rounded(values: F32) -> U8:
    out: U8 = np.clip(np.rint(values), 16, 235).astype(np.uint8)  # Lanczos overshoots at edges
    return out
