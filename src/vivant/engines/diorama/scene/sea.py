"""How rough the water of a picture is, and which parts of it are rocks."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.media import F32, U8

ROWS: Final = 360  # height of the copy that is judged, so that all canvas sizes give the same answer


def measure_roughness(luma: U8, water: F32) -> float:
    """0 like a mirror .. 1 surf: the fine contrast of the water. luma: uint8 (h, w). water: float32 (h, w), 0..1."""
    small, mask = _small(luma, water)
    fine = np.abs(small - filters.blur(small, 2.0))
    mean = float((fine * mask).sum() / max(1.0, float(mask.sum())))
    return float(np.clip((mean - 3.0) / 6.0, 0, 1))


def find_rocks(luma: U8, water: F32) -> F32:
    """Rocks in rough water, which must not move with it: dark, compact bodies. float32 (h, w), 0..1; arguments as of
    `measure_roughness`. Not for calm water, where the darkest bodies are reflections."""
    small, mask = _small(luma, water)
    if not (mask > 0.5).any():
        return np.zeros_like(water)
    usual = float(np.median(small[mask > 0.5]))
    # Toward the horizon the sea itself is darker, and rocks are too small to matter.
    below = np.clip(np.arange(ROWS) - int(np.argmax((mask > 0.5).any(axis=1))), 0, None)[:, None] / (0.3 * ROWS)
    limit = usual * (0.3 + 0.38 * np.minimum(1, below))
    dark = ((filters.blur(small, 1.5) < limit) & (mask > 0.3)).astype(np.uint8)
    body = cv2.morphologyEx(dark, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    body = cv2.morphologyEx(body, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(body)
    kept = np.zeros(body.shape, np.float32)
    for label in range(1, count):
        # Unlike rocks, the dark sides of waves are thin and horizontal.
        wide, high, area = (int(stats[label, k]) for k in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
        if area > 0.0006 * body.size and wide < 9 * high and area > 0.25 * wide * high:
            kept[labels == label] = 1
    return filters.resize(cv2.dilate(kept, np.ones((3, 3))), water.shape[1], water.shape[0])


def _small(luma: U8, water: F32) -> tuple[F32, F32]:
    columns = max(2, round(luma.shape[1] * ROWS / luma.shape[0]))
    return filters.resize(luma, columns, ROWS), filters.resize(water, columns, ROWS)
