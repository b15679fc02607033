"""Blurs, resizes and samples float arrays: typed wrappers of OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.media import F32


def blur(values: NDArray[Any], sigma: float, sigma_y: float | None = None) -> F32:
    """Gaussian blur of a 2-D array -> float32 of its shape. sigma: samples, in y too unless `sigma_y` is given."""
    out = cv2.GaussianBlur(np.asarray(values, np.float32), (0, 0), sigmaX=sigma, sigmaY=sigma_y or sigma)
    return np.asarray(out, np.float32)


def blur_widely(values: NDArray[Any], sigma: float) -> F32:
    """`blur` with a sigma of many samples, made on a smaller copy: a 2-D array -> float32 of its shape, within a few
    hundredths of the values' spread, most at the border."""
    shrink = int(sigma / 5)
    if shrink < 2:
        return blur(values, sigma)
    h, w = values.shape
    small = resize(values, max(w // shrink, 1), max(h // shrink, 1))
    across, down = small.shape[1] / w, small.shape[0] / h
    return resize(blur(small, sigma * across, sigma * down), w, h)


def resize(values: NDArray[Any], width: int, height: int) -> F32:
    """A 2-D array -> float32 (height, width), averaged if that is narrower, else bilinear."""
    shrinks = width < values.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.asarray(values, np.float32), (width, height), interpolation=how), np.float32)


def sample(values: F32, x: NDArray[Any], y: NDArray[Any]) -> F32:
    """values, float32 (h, w), at columns x and rows y (equal 2-D shapes) -> float32 of that shape, bilinear; edges
    repeat."""
    columns, rows = np.asarray(x, np.float32), np.asarray(y, np.float32)
    out = cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)
