"""Rivers and harbours: their far edge is no level line, as banks and quays stand before one another. Strip by strip
they mirror what stands above, and nearly at one height."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.scene.features import Features
from vivant.media import F32, F64

STRIPS: Final = 16  # upright ones, in each of which a mirror is looked for
ROWS: Final = (0.3, 0.8)  # of the height, in which the edge of the water may lie
WITHIN: Final = 0.045  # heights above and below the common row in which strips agree
REACH: Final = 0.35  # heights: the most that is compared
SQUEEZED: Final = (0.7, 0.85, 1.0, 1.15)  # height of what is mirrored against its mirror image
LIKE: Final = (0.72, 0.92)  # correlation between which a mirror counts not at all and wholly
# Share of the strips, each by as much as it counts, between which water is trusted not at all and wholly.
AGREED: Final = (0.35, 0.65)
CONTRAST: Final = (1.5, 1.0)  # L, deviation above and below under which there is nothing to compare
BLURRED: Final = (2.0, 12.0)  # samples: finer is ripples, coarser the darkening from sky to ground


def find_quayside(seen: Features) -> tuple[NDArray[np.uint8], float]:
    """(mask of 0 and 1, trust 0..1) of water that mirrors a town or a bank; all 0 where none is found."""
    height, width = seen.shape
    likeness = _mirror_strips(seen)
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


def _mirror_strips(seen: Features) -> F32:
    """float32 (h, STRIPS), 0..1: how well what lies under a row mirrors what stands above it in each strip."""
    height, width = seen.shape
    light = np.asarray(cv2.GaussianBlur(seen.lab[..., 0], (0, 0), BLURRED[0]), np.float32)
    light = light - np.asarray(cv2.GaussianBlur(light, (0, 0), BLURRED[1]), np.float32)
    upside_down = np.ascontiguousarray(light[::-1])
    share = _share_of_strips(width)
    out = np.zeros((height, STRIPS), np.float32)
    for row in range(int(ROWS[0] * height), int(ROWS[1] * height)):
        reach = min(height - row, int(REACH * height))
        for squeeze in SQUEEZED:
            n = min(round(reach * squeeze), row)
            below = cv2.resize(light[row : row + reach], (width, n), interpolation=cv2.INTER_AREA)
            alike = _correlate(upside_down[height - row :][:n], np.asarray(below, np.float32), share)
            out[row] = np.maximum(out[row], alike)
    return np.asarray(np.clip((out - LIKE[0]) / (LIKE[1] - LIKE[0]), 0, 1), np.float32)


def _share_of_strips(width: int) -> F64:
    """float64 (width, STRIPS): what each column counts in the mean of a strip. Strips overlap by half, so that each
    shows a part of an outline."""
    halves = np.linspace(0, width, 2 * STRIPS + 1).astype(int)
    share = np.zeros((width, STRIPS), np.float64)
    for strip in range(STRIPS):
        first, last = halves[max(2 * strip - 1, 0)], halves[min(2 * strip + 3, 2 * STRIPS)]
        share[first:last, strip] = 1 / max(last - first, 1)
    return share


def _correlate(above: F32, below: F32, share: F64) -> F32:
    """Correlation of two float32 (rows, w) in each strip, float32 (STRIPS,); 0 where one of them is plain. share: see
    _share_of_strips."""
    columns = [
        cv2.reduce(values, 0, cv2.REDUCE_AVG, dtype=cv2.CV_64F)
        for values in (above, below, above * above, below * below, above * below)
    ]
    one, other, one_squared, other_squared, product = np.concatenate(columns) @ share
    one_spread, other_spread = one_squared - one**2, other_squared - other**2
    shown = (one_spread > CONTRAST[0] ** 2) & (other_spread > CONTRAST[1] ** 2)
    alike = (product - one * other) / np.sqrt(np.maximum(one_spread * other_spread, 1e-6))
    return np.where(shown, alike, 0).astype(np.float32)
