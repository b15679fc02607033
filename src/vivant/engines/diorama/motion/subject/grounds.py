"""Whose each place of the picture is, where the matte shows several bodies: each moves on its own ground."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.fields import STEP, average_quarter
from vivant.engines.diorama.scene.body import Body
from vivant.media import F32

SOFT: Final = 2.0  # quarter samples over which one ground passes into the next


def share_out(bodies: Sequence[Body], matte: F32) -> list[tuple[Body, F32, F32 | None]]:
    """Each body that is seen with its part of the matte, float32 (h, w), 0..1, and its ground, float32 on the quarter
    grid, 0..1; None: all of the picture is its."""
    if len(bodies) == 1:
        return [(bodies[0], matte, None)]
    inside = (average_quarter(matte) > 0.5).astype(np.uint8)
    _, labels = cv2.connectedComponents(inside, connectivity=8)
    # Labels of the nearest part of the matte, everywhere.
    _, nearest = cv2.distanceTransformWithLabels(1 - inside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    known = np.zeros(int(nearest.max()) + 1, np.int32)
    known[nearest[inside > 0]] = labels[inside > 0]
    owner = known[nearest]
    h, w = matte.shape
    shared: list[tuple[Body, F32, F32 | None]] = []
    for body in bodies:
        row = int(np.clip(round(body.trunk.y / STEP), 0, inside.shape[0] - 1))
        column = int(np.clip(round(body.trunk.x / STEP), 0, inside.shape[1] - 1))
        if not inside[row, column]:
            continue
        ground = (owner == owner[row, column]).astype(np.float32)
        own = cv2.resize(ground, (w, h), interpolation=cv2.INTER_NEAREST)
        shared.append((body, np.asarray(matte * own, np.float32), filters.blur(ground, SOFT)))
    return shared
