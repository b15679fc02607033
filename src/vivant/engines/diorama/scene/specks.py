"""Finds small dark things that fly before the sky: birds far off, each a few pixels wide. Knows no motion."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.scene.scene import Region, Scene

# Sizes are those of a picture of this short side, in pixels.
SHORT: Final = 480
_WINDOW: Final = 21  # wider than any wing span that is looked for
_DARKER: Final = 26.0  # levels of luma than the sky about it
_DULL: Final = 0.72  # share of the luma about it, above black, over which it is a shade of a cloud or of snow
_SHADE: Final = 0.52  # the same before rocks and clouds
_SMOOTH: Final = 9.0  # standard deviation of luma up to which the sky is plain
_DARK: Final = 0.48  # and under which it is surely something before the sky
_AREA: Final = (9, 420)
_SIDE: Final = 46
_CONTRAST: Final = 2.4  # against how restless the sky about it is
_ENOUGH: Final = 6  # birds that make a flock for sure


def find_flying(scene: Scene) -> Region:
    """All of them in one mask, float32 (h, w), 0..1; each is a connected part. Trust grows with their number and with
    how plainly they are seen; 0 where there are none."""
    luma = scene.source.planes.y
    h, w = luma.shape
    empty = Region(np.zeros((h, w), np.float32), 0.0)
    if scene.sky.trust < 0.3:
        return empty
    scale = min(h, w) / SHORT
    window = 2 * round(0.5 * _WINDOW * scale) + 1
    closed = cv2.morphologyEx(luma, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))
    deeper = closed.astype(np.float32) - luma
    # Birds may be holes of a coarse sky mask.
    reach = 2 * round(window) + 1
    sky = cv2.morphologyEx((scene.sky.mask > 0.5).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    under = (luma.astype(np.float32) - 16) < _DULL * (closed.astype(np.float32) - 16)
    dark = ((deeper > _DARKER) & under & (sky > 0)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    soft = np.clip((deeper - 0.35 * _DARKER) / (0.5 * _DARKER), 0, 1).astype(np.float32)
    mask = np.zeros((h, w), np.float32)
    plain: list[float] = []
    for k in range(1, count):
        left, top, width, height, area = (int(v) for v in stats[k])
        if not _AREA[0] * scale**2 <= area <= _AREA[1] * scale**2 or max(width, height) > _SIDE * scale:
            continue
        margin = max(4, round(12 * scale))
        rows = slice(max(0, top - margin), min(h, top + height + margin))
        columns = slice(max(0, left - margin), min(w, left + width + margin))
        own = labels[rows, columns] == k
        near = cv2.dilate(own.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        about = luma[rows, columns][~near]
        if not len(about):
            continue
        beside = float(np.median(about))
        share = (float(np.percentile(luma[rows, columns][own], 25)) - 16) / max(beside - 16, 1.0)
        sure = share < _DARK
        plain_sky = float(about.std()) < _SMOOTH
        if share > (_DULL if plain_sky else _SHADE) or sky[rows, columns].mean() < (0.5 if sure else 0.9):
            continue
        if dark[rows, columns][~near].mean() > (0.35 if sure else 0.2):  # one of many: leaves, a slope
            continue
        contrast = (1 - share) * beside / (float(about.std()) + 4)
        if contrast < _CONTRAST:
            continue
        part = np.maximum(own, soft[rows, columns] * (cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0))
        mask[rows, columns] = np.maximum(mask[rows, columns], part)
        plain.append(contrast)
    if not plain:
        return empty
    trust = min(1.0, 0.35 + 0.65 * len(plain) / _ENOUGH) * float(np.clip(np.median(plain) / 4, 0, 1))
    return Region(np.asarray(np.maximum(mask, filters.blur(mask, 0.6)), np.float32), trust)
