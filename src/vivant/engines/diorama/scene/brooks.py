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

SURE: Final = 0.2  # the most that a brook is trusted: enough for a prompt that names water
BLUER: Final = 9.0  # Lab b below that of the picture's ground at which water starts to be told
SPREAD: Final = 3.5  # Lab b: neighbours that much less blue still belong to it
LEAST, MOST = 0.008, 0.2  # area, shares of the picture


def find_brook(seen: Features, *, sky: F32) -> tuple[NDArray[np.uint8], float]:
    """(mask of 0 and 1, trust 0..SURE); all 0 where there is none. sky: float32 (h, w) of the small copy, 0..1."""
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
    return body, SURE * float(np.clip(weight / (0.008 * h * w), 0.6, 1))
