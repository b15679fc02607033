"""Clouds of drawings with flat colours: they drift as whole shapes. The swirling flow of clouds.py would tear drawn
shapes apart.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.fields import STEP, FieldSum, average_quarter
from vivant.media import F32, U8, Planes
from vivant.request import FPS

SPEED: Final = 8.0  # px per second at 720p, strength 0.5
FARTHEST: Final = 44.0  # px at 720p
YIELDING: Final = 2.5  # the sky around a cloud is stretched over this many times the distance that the cloud goes


class DrawnClouds:
    """Pale shapes in a drawn sky drift; the plain sky around them is compressed and stretched, nothing is cut."""

    def __init__(self, air: Air, planes: Planes, sky: F32, strength: float, direction: str) -> None:
        """sky: float32 (h, w), 0..1. strength: 0..1. direction: left, right or "" for the wind's own."""
        side = {"left": -1.0, "right": 1.0}.get(direction, air.side)
        speed = SPEED * air.scale * (0.4 + 1.2 * strength)
        seconds = air.frames / FPS
        self._air = air
        self._speed = np.float32(side * min(speed, FARTHEST * air.scale / seconds))
        farthest = abs(float(self._speed)) * seconds
        clouds, others = find_shapes(planes, sky)
        fixed = others | (average_quarter(sky) < 0.5)
        give = YIELDING * farthest / STEP
        near = 1 - smoothstep((_distance(clouds) - farthest / STEP - 2) / give)
        self._weight = (near * smoothstep((_distance(fixed) - 3) / give)).astype(np.float32)

    def add(self, n: int, out: FieldSum) -> None:
        out.dx[:] -= self._speed * np.float32(float(self._air.flowed[n]) * float(self._air.amplitude[n])) * self._weight


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
    rim = np.asarray(cv2.dilate(clouds, np.ones((5, 5), np.uint8)), np.uint8)
    return clouds, np.asarray(others & (1 - rim), np.uint8)


def _distance(shape: U8 | np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> F32:
    """Samples to the nearest part of `shape`; far where there is none."""
    if not shape.any():
        return np.full(shape.shape, 1e6, np.float32)
    return np.asarray(cv2.distanceTransform((~shape.astype(bool)).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
