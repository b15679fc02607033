"""Fire: flames flow upward inside their mask, sway, brighten with the timeline's flicker, and light what is around."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient import falloff
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.stream import Current
from vivant.engines.diorama.motion.fields import STEP, FieldSum, average_quarter
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

SPEED: Final = 120.0  # px per second at 720p, strength 0.5
PERIOD: Final = 0.55  # seconds
LICK: Final = 5.0  # px at 720p: how far a flame sways to each side
FLARE: Final = 0.22  # share by which flames brighten at full flicker
GLOW: Final = 0.16  # and what is beside them


def make_current(air: Air, fire: F32, strength: float) -> Current | None:
    """The upward current inside `fire`, float32 (h, w), 0..1. None if there is too little of it."""
    weight = falloff.weigh(fire, 10 * air.scale, level=0.4)
    if weight.max() < 0.3:
        return None
    turning = filters.blur(rng(air.seed, "fire/way").normal(size=weight.shape), 5.0 * air.scale)
    speed = SPEED * air.scale * (0.5 + strength) * weight
    aside = 0.25 * turning / (turning.std() + 1e-9)
    return Current((speed * aside).astype(np.float32), -speed, np.sqrt(weight), PERIOD, air.flowed)


class Flames:
    """The sway of flames and their changing light. fire: float32 (h, w), 0..1. flicker: float32 (frames,), -1..1."""

    def __init__(self, air: Air, fire: F32, flicker: F32, strength: float) -> None:
        self._air, self._flicker = air, flicker
        small = average_quarter(fire)
        self._weight = falloff.weigh(fire, 8 * air.scale, level=0.4)
        self._flare = (FLARE * (0.5 + strength) * np.clip(filters.blur(small, 1.5), 0, 1)).astype(np.float32)
        wide = filters.blur(small, 28.0 * air.scale)
        self._glow = (GLOW * (0.5 + strength) * np.clip(2.5 * wide, 0, 1)).astype(np.float32)
        rows = STEP * np.arange(small.shape[0])[:, None] / (46.0 * air.scale)
        columns = STEP * np.arange(small.shape[1])[None, :] / (70.0 * air.scale)
        self._phase = (2 * math.pi * (rows + 0.6 * np.sin(columns))).astype(np.float32)
        self._lick = (LICK * air.scale * (0.4 + 1.2 * strength) * self._weight).astype(np.float32)

    def add(self, n: int, out: FieldSum) -> None:
        amplitude = np.float32(self._air.swing[n])
        if n == 0 or amplitude == 0:
            return
        flicker = np.float32(self._flicker[n])
        # The swing travels upward.
        swing = np.sin(self._phase + np.float32(2 * math.pi * 2.1 * n / FPS)) - np.sin(self._phase)
        out.dx[:] += amplitude * self._lick * swing * np.float32(0.7)
        out.gain[:] *= 1 + amplitude * flicker * np.maximum(self._flare, self._glow)
