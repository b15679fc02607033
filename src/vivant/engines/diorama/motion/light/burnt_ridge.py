"""A sun that stands on a ridge burns the ridge out of the picture, so that the sky seems to reach down into it. When
that sun goes, the ridge has to be there again: its outline goes on from both sides."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.media import F32, U8

REACH: Final = 3.2  # radii of the sun to both sides in which it may have burnt the ridge
LEAST: Final = 0.03  # widths: a smaller sun is taken for one of these
BURNT: Final = (150.0, 205.0)  # luma from which what is white below the outline is taken for burnt, and surely so


def find_burnt_ridge(sky_share: U8, luma: U8, x: float, radius: float) -> F32:
    """Where the ridge is burnt out, float32 (h, w), 0..1; all 0 where the outline of the sky has no notch at the sun.
    sky_share, luma: uint8 (h, w). x, radius: of the sun, pixels."""
    height, width = sky_share.shape
    rows = np.arange(height)[:, None]
    rim = np.where(sky_share > 127, rows, -1).max(axis=0).astype(np.float32)
    reach = REACH * max(radius, LEAST * width)
    # The outline without what dips into it and is no wider than the glare.
    wide = np.ones((1, 2 * round(reach) + 1), np.uint8)
    whole = cv2.morphologyEx(cv2.blur(rim[None], (5, 1)), cv2.MORPH_OPEN, wide)[0]
    columns = np.arange(width)
    beside = np.clip(2 - np.abs(columns - x) / reach, 0, 1)  # fades over another reach
    below = np.clip((rows - whole[None] + 1) / 3, 0, 1) * (rows <= rim[None] + 2 * reach / 3) * beside[None]
    low, high = BURNT
    white = np.clip((filters.blur(luma, 2.0) - low) / (high - low), 0, 1)
    in_notch = (rows <= rim[None] + 2) & (rim[None] > whole[None] + 2)
    # What is in the notch is burnt, and so is what glares under it.
    return np.asarray(below * np.maximum(white, in_notch * (white > 0.3)), np.float32)
