"""Brooks between rocks and plants: too narrow and too broken for a level edge or an even region. Shaded water mirrors
the sky and foam scatters its light, so that both are bluer than the dry ground about them, be it by little.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.scene.features import Features
from vivant.media import F32

SURE: Final = 0.2  # the most that a brook is trusted by its colour: enough for a prompt that names water
SEEN: Final = 0.6  # and where all else speaks for one: enough to run by itself
# Ramps (doubtful, sure) of what speaks for one: times as long down the picture as wide; how far down it reaches; fine
# contrast, L; share of gradients that are upright, less than outside; share of foam; Lab b of foam above the rest.
LONG, FOOT, BUSY = (2.8, 3.8), (0.9, 0.97), (8.0, 11.0)
LEVEL, FOAM, WARMER = (0.05, 0.1), (0.1, 0.2), (4.0, 1.0)
BLUER: Final = 9.0  # Lab b below that of the picture's ground at which water starts to be told
SPREAD: Final = 3.5  # Lab b: neighbours that much less blue still belong to it
LEAST, MOST = 0.008, 0.2  # area, shares of the picture


def find_brook(seen: Features, *, sky: F32) -> tuple[NDArray[np.uint8], float]:
    """(mask of 0 and 1, trust 0..SEEN); all 0 where there is none. sky: float32 (h, w) of the small copy, 0..1."""
    h, w = seen.shape
    nothing = np.zeros((h, w), np.uint8)
    b = cv2.GaussianBlur(seen.lab[..., 2], (0, 0), 0.8)
    ground = (sky < 0.3) & (seen.subject < 0.5)
    if float(ground.mean()) < 0.3:
        return nothing, 0.0
    usual = float(np.median(b[ground]))
    # A picture that is blue as a whole has no dry ground to compare with.
    if usual < 0:
        return nothing, 0.0
    core = np.asarray((b < usual - BLUER) & ground, np.bool_)
    reach = ((b < usual - BLUER + SPREAD) & ground).astype(np.uint8)
    # Steps of the brook hide each other; what is nearly in one line belongs together.
    joined = cv2.morphologyEx(reach, cv2.MORPH_CLOSE, np.ones((round(0.08 * h) | 1, 5), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    best, weight = 0, 0.0
    for label in range(1, count):
        here = labels == label
        top, high = int(stats[label, cv2.CC_STAT_TOP]), int(stats[label, cv2.CC_STAT_HEIGHT])
        over = sky[max(0, top - 4) : top + 1, here.any(axis=0)]
        touches_sky = bool((over > 0.3).any())
        if high < 0.2 * h or touches_sky or not LEAST < float(here.mean()) < MOST:
            continue
        if float((core & here).sum()) > weight:
            best, weight = label, float((core & here).sum())
    body = ((reach > 0) & (labels == best)).astype(np.uint8)
    body = np.asarray(cv2.morphologyEx(body, cv2.MORPH_CLOSE, np.ones((3, 7), np.uint8)), np.uint8)
    # Foam is white somewhere; a dark blue mass is a tree or a slope.
    if weight < 0.003 * h * w or np.percentile(seen.lab[..., 0][body > 0], 92) < 50:
        return nothing, 0.0
    trust = SURE * float(np.clip(weight / (0.008 * h * w), 0.6, 1))
    return body, trust + (SEEN - SURE) * _measure_steps(seen, body > 0, sky) * (trust / SURE)


def _measure_steps(seen: Features, body: NDArray[np.bool_], sky: F32) -> float:
    """0..1: how surely water runs down steps there: in a bed that is long, leads down and out of the picture and is
    broken by level streaks of foam. Sunlight on a road under trees is as bright, but warmer than the shade beside."""
    h = len(body)
    rows = np.flatnonzero(body.any(axis=1))
    widest = 2 * float(cv2.distanceTransform(np.pad(body.astype(np.uint8), 1, mode="edge"), cv2.DIST_L2, 5).max())
    light, b = seen.lab[..., 0], seen.lab[..., 2]
    foam = body & (light > np.median(light[body]) + 14)
    outside = ~body & (sky < 0.3)
    if not foam.any() or not (body & ~foam).any() or not outside.any():
        return 0.0
    measured = (
        ((rows[-1] - rows[0]) / max(widest, 1.0), LONG),
        (rows[-1] / h, FOOT),
        (float(seen.busy[body].mean()), BUSY),
        (float(seen.upright[outside].mean() - seen.upright[body].mean()), LEVEL),
        (float(foam.sum() / body.sum()), FOAM),
        (float(np.median(b[foam]) - np.median(b[body & ~foam])), WARMER),
    )
    return min(float(np.clip((value - none) / (all_ - none), 0, 1)) for value, (none, all_) in measured)
