"""The masts, ropes and baskets that hang on a thing and that a matte leaves out."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.storyboard import ThingKind
from vivant.media import F32, U8

_RESTLESS: Final = 18.0  # Lab: before a background with more detail than this nothing thin can be told


def add_thin_parts(mask: F32, crop: U8, water: F32, kind: ThingKind) -> F32:
    """The mask with the masts, ropes and baskets that hang on it: small, unlike the background around them, above or
    below the body and near it. A thing that moves without them is torn. Waves at a hull are no part of it. All (h, w)
    of the crop; water: 0..1."""
    solid = mask > 0.5
    area = float(solid.sum())
    if area < 30:
        return mask
    h, w = mask.shape
    size = float(np.sqrt(area))
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    known = (cv2.dilate(solid.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0).astype(np.float32)
    lab = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2LAB), np.float32)
    window = max(9, round(0.3 * size) | 1)
    apart = np.sqrt(_differ_squared(lab, known, 0.5 * window))
    low = np.arange(h)[:, None] > 0.5 * (rows[0] + rows[-1])
    if kind == "balloon":  # its basket, straight below
        middle, reach = 0.5 * (columns[0] + columns[-1]), 0.14 * (columns[-1] - columns[0])
        allowed = low & (np.abs(np.arange(w)[None] - middle) < reach) & (np.arange(h)[:, None] < rows[-1] + 0.4 * size)
        level, gap, most = 22.0, 0.16, 0.1
    else:
        ring = (cv2.dilate(solid.astype(np.uint8), np.ones((window, window), np.uint8)) > 0) & (known > 0)
        restless = float(np.percentile(apart[ring], 80)) if ring.any() else 255.0
        if restless > _RESTLESS:
            return mask
        inside = (np.arange(w) >= columns[0] - 0.04 * size) & (np.arange(w) <= columns[-1] + 0.04 * size)
        allowed = inside[None] & ~(low & (water > 0.5))
        level, gap, most = max(24.0, 1.6 * restless), 0.05, 0.05
    unlike = ((apart > level) & ~solid & allowed).astype(np.uint8)
    bridge = np.ones((max(3, round(gap * size)) | 1, max(3, round(0.05 * size)) | 1), np.uint8)
    joined = cv2.morphologyEx(np.maximum(unlike, solid.astype(np.uint8)), cv2.MORPH_CLOSE, bridge)
    _, labels = cv2.connectedComponents(joined, connectivity=8)
    body = np.setdiff1d(np.unique(labels[solid]), 0)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(unlike * np.isin(labels, body), connectivity=8)
    added = np.zeros((h, w), np.float32)
    for k in range(1, count):
        left, top, width, height, pixels = (int(v) for v in stats[k])
        touches = left == 0 or top == 0 or left + width == w or top + height == h
        upright = kind == "balloon" or height > 1.4 * width  # a mast, not the ridge of a hill behind
        if 4 <= pixels < most * area and upright and not touches:
            added[parts == k] = 1
    if float(added.sum()) > 2 * most * area:
        return mask
    if kind == "balloon" and added.any():  # the basket alone, and the lines that it hangs on
        largest = 1 + int(
            np.argmax(stats[1:, cv2.CC_STAT_AREA] * np.isin(range(1, count), np.unique(parts[added > 0])))
        )
        left, top, width, height, _ = (int(v) for v in stats[largest])
        added = (parts == largest).astype(np.float32)
        added[rows[-1] - 2 : top + 1, left : left + width] = 1
    return np.asarray(np.maximum(mask, np.clip(1.6 * filters.blur(added, 0.7), 0, 1)), np.float32)


def _differ_squared(lab: F32, known: F32, sigma: float) -> F32:
    """How far each pixel is from the mean of the known ones about it, squared, float32 (h, w). lab: float32 (h, w, 3);
    known: float32 (h, w), 0 or 1; sigma: pixels, many, so that the means are made on a smaller copy."""
    weight = np.maximum(filters.blur_widely(known, sigma), np.float32(1e-3))
    total = np.zeros(known.shape, np.float32)
    for k in range(3):
        plane = np.ascontiguousarray(lab[..., k])
        total += (plane - filters.blur_widely(plane * known, sigma) / weight) ** 2
    return total
