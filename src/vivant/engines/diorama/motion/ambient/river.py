"""Rivers and brooks: water runs down its bed, along the banks and around what stands in it, faster where it is white.

The way is that of a potential flow: the potential is 1 at the upper end of the bed, 0 at its lower end, and harmonic
between them, with no flow through the banks.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient import falloff
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.stream import Current
from vivant.engines.diorama.motion.ambient.water import force
from vivant.engines.diorama.motion.fields import average_quarter
from vivant.media import F32

SPEED: Final = 72.0  # px per second of white water at 720p, strength 0.5
PERIOD: Final = 0.55  # seconds: longer ones drag the edges of the steps along
LENGTH: Final = 2.5  # a bed is at least that many times as long down the picture as it is wide
RIM: Final = 6.0  # px at 720p by which a bed is widened, or nothing of a narrow brook would be left inside its falloff
SWEEPS: Final = 400  # of the relaxation; it starts near its end, at the height in the picture


def is_running(water: F32) -> bool:
    """Whether a mask, float32 (h, w), 0..1, is that of a bed rather than of a surface."""
    body = (cv2.resize(water, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    rows = np.flatnonzero(body.any(axis=1))
    if not len(rows):
        return False
    # A bed that leaves the picture is as wide there as it is inside.
    widest = 2 * float(cv2.distanceTransform(np.pad(body, 1, mode="edge"), cv2.DIST_L2, 5).max())
    return bool((rows[-1] - rows[0]) / max(widest, 1.0) > LENGTH)


def make_current(air: Air, luma: F32, water: F32, strength: float) -> Current | None:
    """The current of running water, None if it is too narrow. luma: float32 on the quarter grid. water: float32 (h, w),
    0..1. strength: 0..1."""
    rim = 2 * round(RIM * air.scale) + 1
    wide = cv2.dilate(water, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim)))
    weight = falloff.weigh(np.asarray(wide, np.float32), 9 * air.scale)
    if weight.max() < 0.5:
        return None
    down, right = _find_way(weight > 0)
    inside = average_quarter(water)
    mean = filters.blur(luma * inside, 30.0 * air.scale) / (filters.blur(inside, 30.0 * air.scale) + 1e-3)
    white = filters.blur(np.clip((luma - mean) / 45, 0, 1), 1.5)
    speed = SPEED * air.scale * force(strength) * (0.5 + 0.7 * np.clip(2 * white, 0, 1)) * weight
    return Current(
        (right * speed).astype(np.float32), (down * speed).astype(np.float32), np.sqrt(weight), PERIOD, air.flowed
    )


def _find_way(bed: NDArray[np.bool_]) -> tuple[F32, F32]:
    """(down, right): float32, unit vectors of the potential flow in the bed, bool, both on the quarter grid."""
    height = np.linspace(1, 0, bed.shape[0], dtype=np.float32)[:, None] * np.ones(bed.shape, np.float32)
    count, labels = cv2.connectedComponents(bed.astype(np.uint8))
    fixed = ~bed
    for label in range(1, count):
        rows = np.flatnonzero((labels == label).any(axis=1))
        for row in (rows[0], rows[-1]):
            fixed[row] |= labels[row] == label
    solid = bed.astype(np.float32)
    beside = sum(_shift(solid, dy, dx) for dy, dx in _AROUND) + np.float32(1e-6)
    for _ in range(SWEEPS):
        mean = sum(_shift(height * solid, dy, dx) for dy, dx in _AROUND) / beside
        height = np.where(fixed, height, mean).astype(np.float32)
    # One-sided at the banks, so that the ground beside them does not count.
    down = sum(s * (_shift(height, -s, 0) - height) * _shift(solid, -s, 0) for s in (1, -1))
    right = sum(s * (_shift(height, 0, -s) - height) * _shift(solid, 0, -s) for s in (1, -1))
    down, right = (filters.blur(-np.asarray(v) * solid, 2.0) for v in (down, right))
    # Seen from the front a bed may wind, but water never climbs.
    down = np.maximum(down, 0.25 * np.abs(right))
    length = np.hypot(down, right) + 1e-9
    return (down / length).astype(np.float32), (right / length).astype(np.float32)


_AROUND: Final = ((1, 0), (-1, 0), (0, 1), (0, -1))


def _shift(values: F32, down: int, right: int) -> F32:
    """The array moved by one sample; its border repeats."""
    padded = np.pad(values, 1, mode="edge")
    rows, columns = values.shape
    return padded[1 - down : 1 - down + rows, 1 - right : 1 - right + columns]
