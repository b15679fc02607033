"""A sea of clouds seen from above rolls: its billows drift with the wind, the nearer the faster, and turn over a little
on their way."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.stream import Current
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

SPEED: Final = 2.4  # px per frame at the near edge, at 640 px on the long side, strength 0.5
FASTER: Final = 3.0  # times as fast at strength 1, and as slow at strength 0
FAR: Final = 0.3  # speed at the far edge, as a share of that at the near one
AHEAD: Final = 0.22  # of the speed, toward the viewer
TURNING: Final = 0.3  # of the speed: how unevenly billows go
EDDY: Final = 0.07  # size of a billow's turning, widths
PERIOD: Final = 2.6  # seconds
GRAIN: Final = 40.0  # quarter samples at 720p, see Current


def make_current(air: Air, weight: F32, waterline: float, strength: float, direction: str) -> Current | None:
    """The drift, None where there is hardly any cover. weight: float32 on the quarter grid, 0..1. waterline: row of the
    far edge, pixels. strength: 0..1. direction: left, right or "" for the wind's own."""
    if weight.max() < 0.5:
        return None
    rows, columns = weight.shape
    y = float(STEP) * np.arange(rows)[:, None]
    near = np.clip((y - waterline) / max(8.0, air.height - waterline), 0, 1)
    long = max(air.width, air.height)
    speed = SPEED * long / 640 * FASTER ** (2 * strength - 1) * FPS * (FAR + (1 - FAR) * near) * weight
    size = EDDY * air.width / STEP
    # Without divergence, so that no billow is drawn together: the curl of a noise, flat as all that is seen from far.
    noise = filters.blur(rng(air.seed, "cloud_sea").normal(size=(rows, columns)), size, 0.5 * size)
    down, right = np.gradient(noise)
    turn = np.stack([down, -0.5 * right])
    turn = np.clip(turn / (2 * float(turn.std()) + 1e-12), -1, 1)
    side = {"left": -1.0, "right": 1.0}.get(direction, air.side)
    return Current(
        (speed * (side + TURNING * turn[0])).astype(np.float32),
        (speed * (AHEAD + TURNING * turn[1])).astype(np.float32),
        np.sqrt(weight).astype(np.float32),
        PERIOD,
        air.flowed,
        grain=GRAIN * air.scale,
    )
