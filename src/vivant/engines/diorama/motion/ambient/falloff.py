"""Where a region may move: its mask on the quarter grid, faded to nothing inside its border, so that what lies outside
(shores, trunks, roofs) stays the same to the bit.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import STEP, average_quarter
from vivant.media import F32, U8

# How far the value of one quarter sample spreads, in pixels: to the next sample when the camera reads between samples,
# and to the next again when the reading is enlarged; 8·√2 along the diagonal.
REACH: Final = 11.4


def weigh(mask: F32, ramp: float | F32, level: float = 0.5) -> F32:
    """Weights float32 on the quarter grid, 0..1, of a mask, float32 (h, w), 0..1: zero wherever enlarging them could
    reach a pixel outside mask > level, rising to the mask's own value over `ramp` pixels (a number, or float32 on the
    grid).

    Weights do not fall toward the picture's own border.
    """
    inside = np.pad((mask > level).astype(np.uint8), 1, mode="edge")
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1][::STEP, ::STEP]
    if inside.all():
        distance = np.full_like(distance, 1e6)
    rise = smoothstep((distance - REACH) / np.maximum(ramp, 1e-3))
    weights = (rise * np.minimum(average_quarter(mask), 1)).astype(np.float32)
    weights[weights < 1e-3] = 0
    return weights


def find_bounds(weights: F32) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of what is not zero, ends excluded. weights: float32, 2-D, not all zero."""
    rows, columns = np.flatnonzero(weights.max(axis=1)), np.flatnonzero(weights.max(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def weigh_with_rim(mask: F32, luma: U8, fixed: F32, vague: F32, reach: float, ramp: float) -> F32:
    """Like `weigh`, but where plain surroundings (sky, blur) lie outside the region, they move along up to `reach`
    pixels from it, so that its outline moves too: a tree whose outline stands still looks as if seen through water.

    mask: float32 (h, w), 0..1. luma: uint8 (h, w). fixed: float32 (h, w), 0..1, what never moves along. vague: the
    same, what may move along though it is not plain. Pixels."""
    # Contrast around each pixel, without the region and its outline.
    outside = 1 - cv2.dilate((mask > 0.05).astype(np.float32), np.ones((9, 9), np.uint8))
    fine = luma.astype(np.float32)
    fine = np.abs(fine - filters.blur(fine, 2.0)) * outside
    around = filters.blur(fine, 8.0) / (filters.blur(outside, 8.0) + 1e-3)
    plain = np.clip((3.0 - around) / 1.2, 0, 1)
    free = np.maximum(mask, np.maximum(plain, vague)) * (1 - fixed)
    grown = cv2.dilate(
        average_quarter(mask), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(reach / 8) + 1,) * 2)
    )
    return np.asarray(weigh(free.astype(np.float32), ramp) * np.minimum(1, filters.blur(grown, reach / 12)), np.float32)


def find_beside_slender(mask: F32, scale: float) -> F32:
    """What is beside slender upright parts of a mask, float32 (h, w), 0..1: as much of it as they need to sway. A
    cypress is too narrow to move within its own outline, so the ground beside it gives way."""
    solid = (mask > 0.3).astype(np.uint8)
    wide = 2 * round(REACH + 12 * scale) + 1
    thin = solid - cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((1, wide), np.uint8))
    # Joined over gaps, for leaves have holes; and what is left is at least so tall.
    slender = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((2 * round(5 * scale) + 1, 3), np.uint8))
    trees = cv2.morphologyEx(slender, cv2.MORPH_OPEN, np.ones((round(64 * scale), max(3, round(4 * scale))), np.uint8))
    if not trees.any():
        return np.zeros_like(mask)
    beside = round(REACH + 16 * scale)
    grown = cv2.dilate(trees, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * beside + 1, 2 * round(4 * scale) + 1)))
    return np.asarray(grown, np.float32)
