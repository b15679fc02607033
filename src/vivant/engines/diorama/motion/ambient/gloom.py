"""A storm takes the light of the day: before a bright sky no bolt is seen and no flash lights anything. The sky grows
dark before the first stroke, and the ground with it, though less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.fields import FieldSum
from vivant.engines.diorama.timing.timeline import Event
from vivant.media import F32
from vivant.request import FPS

SKY: Final = 112.0  # mean luma, 16..235, to which a brighter sky sinks; one that is darker already stays
DARKEST: Final = 0.5  # share of its luma above black that it keeps at least
GROUND: Final = 0.55  # of that way, as a power, that the ground goes along
GATHERS: Final = 1.1  # seconds in which it comes
BEFORE: Final = 1.6  # seconds before the first stroke at which it begins, if the clip has them
RIM: Final = 8.0  # samples of the quarter grid at 720 lines between the light of the sky and that of the ground


class Gloom:
    """Implements compose.Displacement."""

    def __init__(self, air: Air, sky: F32, luma: F32, strikes: Sequence[Event]) -> None:
        """sky: float32 on the quarter grid, 0..1. luma: float32 on it, 16..235. strikes: at least one."""
        self._air = air
        bright = float(np.average(luma, weights=sky + 1e-6))
        kept = float(np.clip((SKY - 16) / max(1.0, bright - 16), DARKEST, 1.0))
        way = GROUND + (1 - GROUND) * filters.blur(sky, RIM * air.scale)
        self._loss = (-np.log(kept) * way).astype(np.float32)
        begins = max(0.0, min(float(strike.time) for strike in strikes) - BEFORE)
        self._there = smootherstep((np.arange(air.frames) / FPS - begins) / GATHERS) * air.amplitude * air.lit

    def add(self, n: int, out: FieldSum) -> None:
        if self._loss.any() and self._there[n] > 0:
            out.gain[:] *= np.exp(-np.float32(self._there[n]) * self._loss)
