"""Rough sea: its crests and foam run toward the viewer, faster the nearer they are. Waves that only distort the picture
(water.py) leave every crest of it in its place.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.stream import Current
from vivant.engines.diorama.motion.ambient.water import force
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32

ROUGH: Final = 0.3  # roughness from which a sea has crests of its own; below it is a mirror, and mirrors do not slide
SPEED: Final = 42.0  # px per second at the near edge, at 720p, strength 0.5
PERIOD: Final = 1.2  # seconds: longer ones stretch crests, shorter ones soften them
ASIDE: Final = 0.2  # of the speed, with the wind
GRAIN: Final = 30.0  # quarter samples at 720p, see Current
FASTEST: Final = 75.0  # px per second at 720p: what travels farther in its period is combed into threads
BREAKING: Final = 0.7  # of the speed, by which water comes in faster that has twice the usual contrast
UNEVEN: Final = 0.25  # of the speed: not all of a crest arrives at once


def make_current(air: Air, weight: F32, waterline: float, strength: float, sea: float, luma: F32) -> Current | None:
    """The drift of level water, None where it is too calm. weight: float32 on the quarter grid, 0..1. waterline: row,
    pixels. strength: 0..1. sea: 0 a lake .. 1 surf. luma: float32 on the quarter grid."""
    share = min(1.0, max(0.0, (sea - ROUGH) / 0.25))
    if share == 0 or weight.max() < 0.5:
        return None
    rows = float(STEP) * np.arange(weight.shape[0])[:, None]
    near = np.clip((rows - waterline) / max(8.0, air.height - waterline), 0, 1)
    # Wide and low, as crests are: smaller eddies curl them like marbled paper.
    uneven = filters.blur(rng(air.seed, "swell").normal(size=weight.shape), 40.0 * air.scale, 10.0 * air.scale)
    uneven = np.clip(uneven / (float(uneven.std()) + 1e-9), -1.5, 1.5)
    speed = SPEED * air.scale * force(strength) * share * (0.62 + 0.38 * near) * weight
    # What breaks comes in faster than what heaves, also far out.
    busy = filters.blur(np.abs(luma - filters.blur(luma, 3.0)), 5.0)
    usual = float((busy * weight).sum() / weight.sum()) + 1e-3
    speed *= 1 + UNEVEN * uneven + BREAKING * np.clip(busy / usual - 1, 0, 1)
    fastest = FASTEST * air.scale
    speed = fastest * np.tanh(speed / fastest)
    return Current(
        (ASIDE * air.side * speed).astype(np.float32),
        speed.astype(np.float32),
        np.sqrt(weight),
        PERIOD,
        air.flowed,
        grain=GRAIN * air.scale,
    )
