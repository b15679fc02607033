"""Where the light of a frame is read: it goes with what it falls on. A head that turns takes the light of its face
along, and what it uncovers has the light of what lies beside it. Knows grids, not what the light is about."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.motion.frame import warp
from vivant.engines.diorama.motion.frame.warp import Grid
from vivant.media import F32

_COVERED: Final = 0.02  # extent from which a place belongs to the subject


def find_way_out(extent: F32) -> F32:
    """From each place of a subject to the nearest beside it: float32 (2, rows, columns), x and y, canvas pixels, on the
    quarter grid; 0 beside it, and where it fills the picture. extent: float32 (rows, columns), 0..1, where it is."""
    inside = np.asarray(extent > _COVERED, np.uint8)
    way = np.zeros((2, *inside.shape), np.float32)
    rows, columns = np.nonzero(inside == 0)
    if not len(rows) or not inside.any():
        return way
    # Each label is that of the nearest sample beside the subject.
    _, labels = cv2.distanceTransformWithLabels(inside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros((2, int(labels.max()) + 1), np.float32)
    nearest[:, labels[rows, columns]] = columns, rows
    own = np.meshgrid(np.arange(inside.shape[1]), np.arange(inside.shape[0]))
    return np.asarray(STEP * inside * (nearest[:, labels] - own), np.float32)


def place_light(beside: Grid, subject: Grid, extent: F32, way_out: F32) -> Grid:
    """Where the light is read of a subject that was laid over what is behind it. beside, subject: where the output
    looks for either; extent: float32 on the output's grid, 0..1, where the subject is now; way_out: see
    `find_way_out`."""
    away = warp.look_up(way_out, beside.x, beside.y)
    x, y = beside.x + away[0], beside.y + away[1]
    return Grid(beside.rect, x + extent * (subject.x - x), y + extent * (subject.y - y))
