"""Where the sails of a boat are: what stands wide above its hull. Knows no prompt and no motion."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.scene.scene import Region
from vivant.media import F32

_HULL: Final = 0.26  # of a boat's height, from below
_LEAST: Final = 0.3  # of a boat's area: with less above the hull there are masts and cabins
_MAST: Final = 0.045  # of its height: what is thinner is a mast


def find_sails(boat: Region) -> Region:
    """The part of a boat's region that is sails; trust 0 where it has none."""
    solid = (boat.mask > 0.5).astype(np.uint8)
    rows = np.flatnonzero(solid.any(axis=1))
    if not len(rows):
        return Region(np.zeros_like(boat.mask), 0.0)
    above = solid.copy()
    above[round(rows[-1] - _HULL * len(rows)) :] = 0
    size = max(3, round(_MAST * len(rows)) | 1)
    wide = cv2.morphologyEx(above, cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    share = float(wide.sum()) / max(float(solid.sum()), 1.0)
    near: F32 = cv2.dilate(wide, np.ones((size, size), np.uint8)).astype(np.float32)
    mask = np.asarray(boat.mask * near, np.float32)
    mask[round(rows[-1] - _HULL * len(rows)) :] = 0
    return Region(mask, boat.trust * float(np.clip((share - 0.5 * _LEAST) / (0.5 * _LEAST), 0, 1)))
