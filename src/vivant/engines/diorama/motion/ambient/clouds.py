"""Clouds: the sky drifts with the wind, faster overhead than near the horizon, and slowly swirls. The sun and the moon
stay where they are.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient import falloff
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.stream import Current
from vivant.engines.diorama.motion.fields import quarter_shape
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, U8

SPEED: Final = 21.0  # px per second at the upper border, at 720p, strength 0.5
PERIOD: Final = 7.0  # seconds
ROWS: Final = 360  # height of the copy on which masts and roofs before the sky are looked for
TURN: Final = 0.22  # speed of the swirling, as a share of that of the drift


def make_current(air: Air, luma: U8, sky: F32, strength: float, direction: str) -> Current | None:
    """The drift of the sky, None if there is no sky. luma: uint8 (h, w). sky: float32 (h, w), 0..1. strength: 0..1.
    direction: left, right or "" for the wind's own."""
    weight = falloff.weigh(sky * (1 - find_lamps(luma, air.scale)) * (1 - find_standing(luma, sky)), 34 * air.scale)
    if weight.max() < 0.5:
        return None
    side = {"left": -1.0, "right": 1.0}.get(direction, air.side)
    rows = np.flatnonzero(weight.max(axis=1))
    height = np.clip((rows[-1] - np.arange(weight.shape[0])) / max(8, int(rows[-1])), 0, 1)[:, None]
    speed = SPEED * air.scale * (0.35 + 1.3 * strength) * (0.3 + 0.7 * height) * weight
    turning = filters.blur(rng(air.seed, "clouds").normal(size=weight.shape), 11.0 * air.scale)
    down, right = np.gradient(turning)
    length = float(np.sqrt((down**2 + right**2).mean())) + 1e-9
    # The gradient turned by a right angle has no divergence: nothing wells up or drains away.
    vx = speed * (side + TURN * down / length)
    vy = speed * (-TURN * right / length - 0.03)
    return Current(vx.astype(np.float32), vy.astype(np.float32), np.sqrt(weight), PERIOD, air.flowed)


def find_standing(luma: U8, sky: F32) -> F32:
    """What a coarse sky mask took in by mistake: float32 (h, w), 0..1. luma: uint8 (h, w); sky: float32 (h, w), 0..1.

    Masts, far roofs and slopes have fine detail, which clouds seldom have, and are connected to the ground."""
    height, width = luma.shape
    columns = max(2, round(width * ROWS / height))
    small, open_ = filters.resize(luma, columns, ROWS), filters.resize(sky, columns, ROWS) > 0.5
    detail = (filters.blur(np.abs(small - filters.blur(small, 1.5)), 2.5) > 3.5) & open_
    _, labels = cv2.connectedComponents(detail.astype(np.uint8))
    rim = cv2.dilate((~open_).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    rooted = np.isin(labels, np.setdiff1d(np.unique(labels[rim & detail]), 0))
    grown = cv2.dilate(rooted.astype(np.float32), np.ones((5, 5), np.uint8))
    return filters.resize(grown, width, height)


def find_lamps(luma: U8, scale: float) -> F32:
    """Sun, moon and lamps with their halos: float32 (h, w), 0..1. luma: uint8 (h, w); scale: of the canvas, see Air."""
    height, width = luma.shape
    small = filters.resize(luma, *quarter_shape(height, width)[::-1])
    bright = np.clip((filters.blur(small, 2.0 * scale) - 226) / 6, 0, 1)
    halo = np.clip(3 * filters.blur(bright, 9.0 * scale), 0, 1)
    return filters.resize(np.maximum(bright, halo), width, height)
