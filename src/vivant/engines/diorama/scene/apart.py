"""Which places of a picture belong to which of several subjects that one matte shows beside each other."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.media import F32

SIDE: Final = 256  # long side of the copy of the matte that is taken apart
# Radii of the largest circle in the matte: subjects joined by less are two. Of the mattes of eleven animals and people
# that are one none falls apart up to 0.7; two dogs of which one hangs over the other do from 0.55 on.
BRIDGE: Final = 0.6
LIKE: Final = 0.25  # of the area of the largest: a further subject is as large at least


def tell_apart(matte: F32) -> NDArray[np.int32] | None:
    """For every pixel of a matte, float32 (h, w), 0..1, the number of the nearest subject, int32 (h, w), from 1; None
    where there is one subject or none."""
    h, w = matte.shape
    scale = SIDE / max(h, w)
    small = filters.resize(matte, max(1, round(w * scale)), max(1, round(h * scale)))
    inside = (small > 0.5).astype(np.uint8)
    wide = round(BRIDGE * float(cv2.distanceTransform(inside, cv2.DIST_L2, 5).max()))
    size = max(3, wide + 1 - wide % 2)
    solid = cv2.erode(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = 1 + np.flatnonzero(areas >= LIKE * areas.max()) if count > 2 else np.zeros(0, np.int64)
    if len(large) < 2:
        return None
    kept = np.isin(labels, large)
    _, nearest = cv2.distanceTransformWithLabels(
        (~kept).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner = np.zeros(int(nearest.max()) + 1, np.int32)
    owner[nearest[kept]] = labels[kept]
    return np.asarray(cv2.resize(owner[nearest], (w, h), interpolation=cv2.INTER_NEAREST), np.int32)
