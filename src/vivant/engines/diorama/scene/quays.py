"""Rivers and harbours: their far edge is no level line, as banks and quays stand before one another. Strip by strip
they mirror what stands above, and nearly at one height."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.scene.features import Features
from vivant.engines.diorama.scene.mirrors import measure_mirrors_in_strips

STRIPS: Final = 16  # upright ones, in each of which a mirror is looked for
ROWS: Final = (0.3, 0.8)  # of the height, in which the edge of the water may lie
WITHIN: Final = 0.045  # heights above and below the common row in which strips agree
REACH: Final = 0.35  # heights: the most that is compared
SQUEEZED: Final = (0.7, 0.85, 1.0, 1.15)  # height of what is mirrored against its mirror image
LIKE: Final = (0.72, 0.92)  # correlation between which a mirror counts not at all and wholly
# Share of the strips, each by as much as it counts, between which water is trusted not at all and wholly.
AGREED: Final = (0.35, 0.65)
CONTRAST: Final = (1.5, 1.0)  # L, deviation above and below under which there is nothing to compare


def find_quayside(seen: Features) -> tuple[NDArray[np.uint8], float]:
    """(mask of 0 and 1, trust 0..1) of water that mirrors a town or a bank; all 0 where none is found."""
    height, width = seen.shape
    alike = measure_mirrors_in_strips(
        seen, strips=STRIPS, rows=ROWS, reach=REACH, squeezed=SQUEEZED, plain=CONTRAST
    )  # fmt: skip
    likeness = np.clip((alike - LIKE[0]) / (LIKE[1] - LIKE[0]), 0, 1).astype(np.float32)
    reach = max(1, round(WITHIN * height))
    near = np.asarray(cv2.dilate(likeness, np.ones((2 * reach + 1, 1), np.uint8)), np.float32)
    agreed = near.mean(axis=1)
    # Of equally good rows, as the window slides over the same edges, the middle one.
    common = round(float(np.flatnonzero(agreed > agreed.max() - 1e-3).mean()))
    trust = float(np.clip((agreed.max() - AGREED[0]) / (AGREED[1] - AGREED[0]), 0, 1))
    if trust == 0:
        return np.zeros(seen.shape, np.uint8), 0.0
    top = max(common - reach, 0)
    window = likeness[top : common + reach + 1]
    found = window.max(axis=0) > 0
    rows = top + window.argmax(axis=0).astype(np.float32)
    middle = (np.arange(STRIPS) + 0.5) * width / STRIPS
    edge = np.interp(np.arange(width) + 0.5, middle[found], rows[found])
    return (np.arange(height)[:, None] >= edge[None]).astype(np.uint8), trust
