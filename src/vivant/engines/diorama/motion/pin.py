"""Where a region may move: its mask at quarter resolution, faded to nothing well inside its border, so that shores,
trunks and roofs stay where they are to the bit.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.media import F32

# px: how far one quarter sample is felt once the camera has read between samples and the reading was enlarged, 8·√2
REACH: Final = 11.4


def quarter(mask: F32) -> F32:
    """float32 (h, w) -> (ceil(h/4), ceil(w/4)); sample (i, j) belongs to pixel (4i, 4j), averaged about it."""
    height, width = mask.shape
    blurred = cv2.blur(mask, (5, 5), borderType=cv2.BORDER_REPLICATE)
    small: F32 = np.ascontiguousarray(blurred[::4, ::4], np.float32)
    if small.shape != (-(-height // 4), -(-width // 4)):
        raise ValueError(f"A mask of {mask.shape} has no quarter grid.")
    return small


def pinned(mask: F32, ramp: float | F32, level: float = 0.5) -> F32:
    """Weights at quarter resolution, 0..1: zero wherever enlarging them could reach a pixel outside mask > level,
    rising to the mask's own value over `ramp` pixels inside (a number, or one per quarter sample).

    The picture's own border is no shore: weights do not fall toward it.
    """
    inside = np.pad((mask > level).astype(np.uint8), 1, mode="edge")
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1][::4, ::4]
    if inside.all():
        distance = np.full_like(distance, 1e6)
    t = np.clip((distance - REACH) / np.maximum(ramp, 1e-3), 0, 1)
    weights = (t * t * (3 - 2 * t) * np.minimum(quarter(mask), 1)).astype(np.float32)
    weights[weights < 1e-3] = 0
    return weights
