"""Flames that the picture does not show: they stand on the upper edge of a thing, or on the ground, lick upward and
light what is around. Their shapes come from a box of rising air (`fluid`), their colours from their heat.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient import fluid
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.hearth import Hearth
from vivant.engines.diorama.motion.fields import Sheet
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32

TALL: Final = 66.0  # cells that a flame of `fluid.FLAME` reaches up to
LOOP: Final = 96  # frames
MOST_CELLS: Final = (140, 180)  # rows, columns of the box
PATCH: Final = 7.0  # cells: the size of what burns more, and less, than its neighbours
HOTTEST: Final = 1.15  # heat where the amount is 1
# Heat and the linear R, G, B that it sends out: soot that glows from dark red over orange to yellow, set by eye.
COLOURS: Final = (
    (0.00, 0.0, 0.0, 0.0), (0.12, 0.03, 0.002, 0.0002), (0.30, 0.34, 0.045, 0.003), (0.52, 1.0, 0.27, 0.02),
    (0.75, 1.7, 0.78, 0.11), (1.15, 2.4, 1.6, 0.5),
)  # fmt: skip


class Blaze:
    """One fire."""

    def __init__(self, air: Air, hearth: Hearth, strength: float, flicker: F32, luma: F32) -> None:
        """strength: 0..1. flicker: float32 (frames,), -1..1. luma: float32 (h, w), 16..235, of the picture."""
        self._air, self._flicker, self._hearth = air, flicker, hearth
        tall = hearth.tall * (0.7 + 0.6 * strength)
        top, bottom, left, right = hearth.bounds
        left, right, top, bottom = left - 0.55 * tall, right + 0.55 * tall, top - 1.75 * tall, bottom + 0.1 * tall
        rows_most, columns_most = MOST_CELLS
        step = max(tall / TALL, (right - left) / columns_most, (bottom - top) / rows_most)
        rows, columns = (2 * math.ceil(size / step / 2) for size in (bottom - top, right - left))
        self._left, self._top, self._step = left, top, step
        x, y = np.meshgrid(left + step * np.arange(columns), top + step * np.arange(rows))
        burning = filters.sample(hearth.burning, x, y)
        burning[(x < 0) | (x > air.width - 1) | (y < 0) | (y > air.height - 1)] = 0
        # A flame of a coarser box would be as many cells high: it burns away faster.
        medium = replace(fluid.FLAME, burns=fluid.FLAME.burns * math.sqrt(step * TALL / tall))
        chance = rng(air.seed, "blaze")
        # A wide front is many fires: as one it would be a wall.
        apart = float(np.clip((right - left) / (4 * tall), 0, 1)) * (not hearth.is_ground)
        self._rising = fluid.simulate(
            chance,
            _Source(chance, burning, apart),
            medium,
            frames=min(LOOP, air.frames),
            wind=40 * float(air.wind.mean()),
            pull=1.5 if hearth.is_ground else 0.0,
        )
        self._spared = (1 - filters.sample(hearth.spared, x, y)).astype(np.float32)
        behind = filters.sample(luma, np.clip(x, 0, air.width - 1), np.clip(y, 0, air.height - 1))
        near = np.clip(3 * filters.blur(burning, 8.0), 0, 1)
        self._table = _make_table(float((behind * near).sum() / max(1e-6, float(near.sum()))))

    @property
    def emission(self) -> F32:
        """float32 (frames of the loop,), about 1: how much light there is."""
        return self._rising.mean

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        opacity = float(self._air.opacity[n])
        if n == 0 or opacity <= 0:
            return ()
        # The same fire at other times behind it: one alone looks like a cut-out.
        loop = len(self._rising.amounts)
        one, two, three = self._rising.at(n), self._rising.at(n + 0.37 * loop), self._rising.at(n + 0.71 * loop)
        heat = np.maximum(one, np.maximum(0.88 * two, 0.8 * three)) + 0.12 * np.minimum(one, two)
        heat *= np.float32(opacity * (1 + 0.10 * float(self._flicker[n])))
        amount = np.clip(heat * self._spared, 0, 1)
        return (Sheet(self._left, self._top, self._step, amount, self._table, self._hearth.on_subject),)


class _Source:
    """What burns, at a time: patches flare up and die down along the edge."""

    def __init__(self, chance: np.random.Generator, burning: F32, apart: float) -> None:
        """apart: how much single fires stand apart, 0..1."""
        self._burning, self._apart = burning, apart
        noise = [filters.blur(chance.standard_normal(burning.shape), PATCH, PATCH) for _ in range(4)]
        self._noise = [one / (one.std() + 1e-6) for one in noise]
        self._rates = chance.uniform(0.45, 0.95, 2)
        self._puffs = 2.1 * chance.uniform(0.9, 1.1)  # Hz: how often a flame of this size sheds its tip

    def __call__(self, time: float) -> F32:
        one, two = 2 * math.pi * self._rates * time
        a, b, c, d = self._noise
        turning = 0.8 * (a * math.cos(one) + b * math.sin(one)) + 0.55 * (c * math.cos(two) + d * math.sin(two))
        patches = np.clip(0.72 - 0.3 * self._apart + (0.36 + 0.4 * self._apart) * turning, 0, 1)
        puff = 1 + 0.15 * math.sin(2 * math.pi * self._puffs * time)
        return np.asarray(np.clip(self._burning * patches * puff, 0, 1), np.float32)


def _make_table(behind: float) -> F32:
    """See `Sheet`. behind: luma, 16..235, of what is about the foot of the flames. Before what is bright a flame is
    seen by what it hides, and by its red."""
    heat = np.linspace(0, HOTTEST, 256)
    known = np.array(COLOURS)
    light = np.stack([np.interp(heat, known[:, 0], known[:, k]) for k in (1, 2, 3)], axis=1)
    bright = float(np.clip((behind - 50) / 90, 0, 1))
    most = 0.3 + 0.6 * bright
    light = light * (1 - bright * np.array([0.0, 0.3, 0.5]))
    hidden = most * smoothstep(heat / 0.5)[:, None]
    return np.concatenate([1 - hidden * np.ones((1, 3)), light], axis=1).astype(np.float32)
