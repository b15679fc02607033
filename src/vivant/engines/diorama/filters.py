"""Blurring, resizing and reading float arrays between their samples: a typed cover over OpenCV, nothing more."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.media import F32


def blur(values: NDArray[Any], sigma: float, sigma_y: float | None = None) -> F32:
    """Gaussian; `sigma` in samples, of rows too unless `sigma_y` is given. float32 of the same shape."""
    out = cv2.GaussianBlur(np.asarray(values, np.float32), (0, 0), sigmaX=sigma, sigmaY=sigma_y or sigma)
    return np.asarray(out, np.float32)


def resize(values: NDArray[Any], width: int, height: int) -> F32:
    """float32 (height, width): averaged when it shrinks, bilinear when it grows."""
    shrinks = width < values.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.asarray(values, np.float32), (width, height), interpolation=how), np.float32)


def sample(values: F32, x: NDArray[Any], y: NDArray[Any]) -> F32:
    """`values` at columns x and rows y, bilinear; edges repeat."""
    columns, rows = np.asarray(x, np.float32), np.asarray(y, np.float32)
    out = cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)
