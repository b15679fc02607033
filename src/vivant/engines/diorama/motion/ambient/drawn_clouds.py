"""What is a cloud in a sky drawn in flat colours, and what is not."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.fields import average_quarter
from vivant.media import F32, U8, Planes


def find_shapes(planes: Planes, sky: F32) -> tuple[U8, U8]:
    """(clouds, other things) in a drawn sky, uint8 0 or 1 on the quarter grid: what differs from the rest of its row.
    A cloud is paler and brighter than the sky; suns, kites and birds are not."""
    open_ = average_quarter(sky) > 0.5
    luma = average_quarter(planes.y.astype(np.float32))
    height, width = luma.shape
    blue, red = (filters.resize(p, width, height) for p in (planes.u, planes.v))
    clouds, others = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    for row in range(height):
        here = open_[row]
        if here.sum() < 8:
            continue
        usual = [float(np.median(p[row, here])) for p in (luma, blue, red)]
        away = [p[row] - u for p, u in zip((luma, blue, red), usual, strict=True)]
        differs = here & (np.abs(away[0]) + np.abs(away[1]) + np.abs(away[2]) > 14)
        pale = np.hypot(blue[row] - 128, red[row] - 128) < 14
        clouds[row] = differs & pale & (away[0] > 4)
        others[row] = differs & ~(pale & (away[0] > 4))
    # Rims between blue and yellow are as pale as clouds, so thin shapes are dropped; rims of clouds are not other
    # things.
    clouds = np.asarray(cv2.morphologyEx(clouds, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    # A pale shape that reaches the ground, a sail or a snowy peak, is no cloud.
    _, labels = cv2.connectedComponents(clouds)
    ground = cv2.dilate((~open_).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    rooted = np.isin(labels, np.setdiff1d(np.unique(labels[ground & (clouds > 0)]), 0))
    clouds, others = clouds & ~rooted, others | rooted
    rim = np.asarray(cv2.dilate(clouds, np.ones((5, 5), np.uint8)), np.uint8)
    return clouds, np.asarray(others & (1 - rim), np.uint8)
