"""Clouds seen from above: a level sea of them under an open sky. What finds water finds its far edge, and doubts that
it is water as it is pale."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.scene.scene import Region
from vivant.engines.diorama.storyboard import TRUSTED
from vivant.media import F32, U8

SIDE: Final = 256  # long side of the copy that is judged
LEAST: Final = 0.2  # trust in the water from which its far edge is one
WIDE: Final = 0.85  # share of all below the far edge that is alike
PALE: Final = (58.0, 90.0)  # Lab L: the sea is darker, and snow in the sun brighter
GREY: Final = 14.0  # chroma in Lab up to which cloud is grey
COOL: Final = (-2.2, 5.0)  # Lab a above which it is no sea, b below which it is no sand
BILLOWS: Final = 3.2  # local standard deviation of L from which the cover has billows; snow, ice and mist are plain


def find_cloud_cover(rgb: U8, *, water: Region, sky: Region, waterline: float) -> F32 | None:
    """The cover, float32 (h, w), 0..1, or None. rgb: uint8 (h, w, 3). water: what was found under the level far edge at
    the row `waterline`."""
    height, width = water.mask.shape
    if not LEAST <= water.trust < TRUSTED or sky.trust < TRUSTED or sky.share < 0.15 or waterline > 0.8 * height:
        return None
    if float(water.mask[int(waterline) :].mean()) < WIDE:
        return None
    scale = SIDE / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
    inside = cv2.resize(water.mask, size, interpolation=cv2.INTER_AREA) > 0.5
    light, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    mean = cv2.GaussianBlur(light, (0, 0), 2)
    billows = np.sqrt(np.maximum(cv2.GaussianBlur(light * light, (0, 0), 2) - mean * mean, 0))
    middle = float(np.median(light[inside]))
    is_cloud = (
        PALE[0] < middle < PALE[1]
        and float(np.median(np.hypot(a, b)[inside])) < GREY
        and float(np.median(a[inside])) > COOL[0]
        and float(np.median(b[inside])) < COOL[1]
        and float(np.median(billows[inside])) > BILLOWS
    )
    return water.mask if is_cloud else None
