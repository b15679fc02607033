"""Lakes seen from above and bays: water whose far edge is no level line through the picture. They are smooth, set off
from what lies around them, and brighter than land as they mirror the sky, or so wide that they are most of the picture.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.scene.features import Features, measure_separation
from vivant.media import F32

SURE: Final = 0.3  # the most that a pool is trusted: enough for a prompt that names water, not for one that does not
SEEDS: Final = 400  # places from which regions are grown
# Differences of neighbours in Lab within which a region grows; they follow a slow change of colour, and stop at edges.
STEP: Final = (2.2, 1.6, 1.6)
ALIKE: Final = 0.9  # pooled standard deviations of colour within which two regions are one water
LEAST, MOST = 0.006, 0.5  # area of a region, shares of the picture
_TAKEN, _NEW = 2, 255  # pixels of regions that were grown before, and of the one that is growing


def find_pool(seen: Features, *, rim: F32, sky: F32) -> tuple[NDArray[np.uint8], float]:
    """(mask of 0 and 1, trust 0..SURE) of the most likely pool; all 0 where none is found. rim: float32 (w,), lower rim
    of the sky, rows; sky: float32 (h, w), 0..1; both of the small copy."""
    light = seen.lab[..., 0]
    open_ = (np.arange(seen.shape[0])[:, None] > rim[None] + 2) & (sky < 0.3)
    best, trust, weight = np.zeros(seen.shape, np.uint8), 0.0, 0.0
    if float(open_.mean()) < 0.1:
        return best, trust
    usual, bright = np.percentile(light[open_], (50, 75))
    yellow = float((seen.lab[..., 2] * sky).sum() / max(float(sky.sum()), 1.0))
    fine = np.abs(light - cv2.GaussianBlur(light, (0, 0), 1.5))
    fine = cv2.GaussianBlur(fine, (0, 0), 1.5)
    parts = _grow_regions(seen, open_, fine)
    for part in parts:
        inside = part > 0
        ring = (cv2.dilate(part, np.ones((9, 9))) > cv2.dilate(part, np.ones((3, 3)))) & (sky < 0.5)
        if int(ring.sum()) < 20:
            continue
        a, b = (float(seen.lab[..., k][inside].mean()) for k in (1, 2))
        if (a < -7 and b > -2) or b > max(yellow, 0) + 9:  # a meadow; sand
            continue
        apart = measure_separation(seen.lab[inside], seen.lab[ring])
        smooth = float(fine[ring].mean()) / (float(fine[inside].mean()) + 0.3)
        columns = np.flatnonzero(part.any(axis=0))
        wide = (columns[-1] - columns[0]) / seen.shape[1]
        vast = min(float(inside.mean()) / 0.2, (wide - 0.6) / 0.2, (0.24 - float(seen.upright[inside].mean())) / 0.04)
        mean = float(light[inside].mean())
        mirrors, vast = np.clip((mean - bright + 6) / 8, 0, 1), vast * np.clip((mean - usual + 6) / 8, 0, 1)
        likely = float(np.clip(max(mirrors, vast), 0, 1))
        likely *= float(np.clip((apart - 1.2) / 0.6, 0, 1) * np.clip((smooth - 1.3) / 0.4, 0, 1))
        if weigh(likely, float(inside.mean())) > weight:
            best, trust, weight = part, SURE * likely, weigh(likely, float(inside.mean()))
    return _join(seen, best, parts) if trust > 0 else best, trust


def _join(seen: Features, pool: NDArray[np.uint8], parts: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The pool with the regions of nearly its colour that touch it: soft edges cut water into pieces."""
    near = cv2.dilate(pool, np.ones((5, 5), np.uint8)) > 0
    same = [
        part
        for part in parts
        if (near & (part > 0)).sum() > 0.1 * part.sum() ** 0.5
        and measure_separation(seen.lab[part > 0], seen.lab[pool > 0]) < ALIKE
    ]
    return np.asarray(np.max([pool, *same], axis=0), np.uint8)


def weigh(trust: float, area: float) -> float:
    """How much speaks for one of several finds: a small one that is a little surer is not the better one. area: share
    of the picture."""
    return trust * math.pow(area, 0.25)


def _grow_regions(seen: Features, open_: NDArray[np.bool_], fine: NDArray[np.float32]) -> list[NDArray[np.uint8]]:
    """Masks of 0 and 1: regions of slowly changing colour in the open part, grown from its smoothest pixels."""
    flat = cv2.pyrMeanShiftFiltering((seen.rgb * 255).astype(np.uint8), 6, 14, maxLevel=1)
    lab = cv2.cvtColor(flat.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    taken = np.pad((~open_).astype(np.uint8), 1)
    smoothest = np.argsort((fine + 100 * ~open_).ravel(), kind="stable")
    parts = []
    for at in smoothest[:: max(1, smoothest.size // SEEDS)]:
        row, column = divmod(int(at), seen.shape[1])
        if taken[row + 1, column + 1]:
            continue
        how = 4 | (_NEW << 8) | cv2.FLOODFILL_MASK_ONLY
        area, _, _, (left, top, across, down) = cv2.floodFill(lab, taken, (column, row), 0, STEP, STEP, how)
        grown = taken[top + 1 : top + 1 + down, left + 1 : left + 1 + across]
        here = grown == _NEW
        grown[here] = _TAKEN
        if LEAST < area / fine.size < MOST:
            part = np.zeros(fine.shape, np.uint8)
            part[top : top + down, left : left + across] = here
            parts.append(np.asarray(cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8))
    return parts
