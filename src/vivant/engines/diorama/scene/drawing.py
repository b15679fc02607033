"""Whether a picture is a drawing of flat colours. Knows nothing of what it shows."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.media import U8

SIDE: Final = 360  # pictures are judged with this short side, so that every canvas size judges alike
# Shares of flat pixels: up to the first it is a photograph, from the second on a drawing. The sample photos have under
# 0.5.
FLAT: Final = (0.6, 0.8)


def score_drawing(luma: U8) -> float:
    """0..1: how surely a picture, luma uint8 (h, w), is a drawing: by the share of its pixels whose neighbours all have
    the same tone. 0 for photographs."""
    scale = SIDE / min(luma.shape)
    small = np.rint(filters.resize(luma, round(luma.shape[1] * scale), round(luma.shape[0] * scale))).astype(np.uint8)
    window = np.ones((3, 3), np.uint8)
    differs = cv2.dilate(small, window) - cv2.erode(small, window)
    photograph, drawing = FLAT
    return float(np.clip(((differs <= 1).mean() - photograph) / (drawing - photograph), 0, 1))
