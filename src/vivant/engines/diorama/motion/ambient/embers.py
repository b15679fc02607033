"""Sparks: embers that rise from a fire, whirl in its draught, cool from yellow to red and go out; or a shower of them
that falls, as under a grinder."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama.motion.ambient import capsules
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, Planes
from vivant.request import FPS

SHUTTER: Final = 0.5 / FPS
# Luma, Cb, Cr of a glowing ember: white-hot, yellow, orange, red (computed from RGB by BT.709).
GLOW: Final = np.array([[226, 100, 142], [188, 58, 172], [144, 66, 188], [86, 92, 190]], np.float64)


class Embers:
    """Each ember glows for a second or two and starts again from another place of the fire."""

    def __init__(self, air: Air, hearth: F32 | None, strength: float, *, falls: bool = False) -> None:
        """`hearth`: float32 on the quarter grid, 0..1, where there is fire; None: embers come from below the picture.
        strength: 0..1. falls: they rain down, and come from above."""
        chance = rng(air.seed, "sparks")
        count = round(air.area * (80 + 420 * strength) * (2.4 if falls else 1))
        self._falls = falls
        self._life = chance.uniform(0.7, 1.5, count) if falls else chance.uniform(1.1, 2.6, count)
        self._born = chance.uniform(0, 1, count)  # share of its life that is over at frame 0
        lives = int(air.frames / FPS / self._life.min()) + 3
        place = self._above if falls else self._place
        self._start = np.stack([place(air, hearth, chance, lives) for _ in range(count)])  # (count, lives, 2)
        near = chance.random(count) ** 2
        self._rise = air.scale * (110 + 240 * near) * chance.uniform(0.75, 1.3, count) * (0.8 + 0.5 * strength)
        if falls:  # thrown off a wheel: fast, so that they are streaks
            self._rise *= 2.1
        self._radius = air.scale * (1.2 + 2.2 * near)
        self._soft = air.scale * (0.5 + 1.4 * near**2)
        self._whirl = air.scale * (10 + 34 * near) * chance.uniform(0.5, 1.3, count)
        self._rate = chance.uniform(2.0, 5.5, count)
        self._phase = chance.uniform(0, 2 * math.pi, (2, count))
        self._wind = air.scale * (120 + 160 * near)
        self._air = air

    @staticmethod
    def _place(air: Air, hearth: F32 | None, chance: np.random.Generator, lives: int) -> F32:
        if hearth is None or not (hearth > 0.5).any():
            x = air.width * chance.uniform(-0.05, 1.05, lives)
            y = air.height * chance.uniform(0.9, 1.1, lives)
            return np.stack([x, y], -1).astype(np.float32)
        rows, columns = np.nonzero(hearth > 0.5)
        pick = chance.integers(0, len(rows), lives)
        return (STEP * np.stack([columns[pick], rows[pick]], -1)).astype(np.float32)

    @staticmethod
    def _above(air: Air, hearth: F32 | None, chance: np.random.Generator, lives: int) -> F32:
        """Where sparks that fall come from: clusters over the upper half."""
        cluster = np.array([0.12, 0.34, 0.62, 0.86])[chance.integers(0, 4, lives)]
        x = air.width * (cluster + chance.normal(0, 0.07, lives))
        y = air.height * chance.uniform(-0.12, 0.42, lives)
        return np.stack([x, y], -1).astype(np.float32)

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._air.opacity[n])
        if opacity <= 0:
            return
        lived = self._born + n / FPS / self._life
        which = lived.astype(int)
        share = lived - which
        age = share * self._life
        start = self._start[np.arange(len(which)), which]
        start = np.stack(self._air.project(n, start[:, 0], start[:, 1]), axis=1)
        out = capsules.make_batch(len(which))
        for end_x, end_y, back in (("x0", "y0", SHUTTER), ("x1", "y1", 0.0)):
            then = age - back
            turn = self._rate * then + self._phase[0] + which
            grow = np.minimum(1, then / 0.5)
            x = start[:, 0] + self._whirl * grow * (np.sin(turn) + 0.4 * np.sin(2.3 * turn + self._phase[1]))
            x += self._wind * float(self._air.wind[n]) * then * grow
            y = start[:, 1] + 0.4 * self._whirl * np.cos(1.3 * turn)
            # Draught carries them up, ever slower; what falls falls ever faster.
            y += self._rise * (0.3 * then + 0.9 * then**2) if self._falls else -self._rise * (then - 0.12 * then**2)
            out[end_x], out[end_y] = x, y
        share = share * (0.6 if self._falls else 1.0)  # these are white-hot, and gone before they are red
        hot = GLOW[np.minimum((share * 3).astype(int), 2)]
        cooler = GLOW[np.minimum((share * 3).astype(int) + 1, 3)]
        between = (share * 3 % 1)[:, None]
        colour = hot + (cooler - hot) * between
        twinkle = 0.75 + 0.25 * np.sin(17 * age + self._phase[0])
        out["radius"] = self._radius * (1 - 0.55 * share) * (1.1 if self._falls else 1)
        out["soft"] = np.maximum(self._soft, 0.5)
        out["alpha"] = opacity * twinkle * np.minimum(1, 8 * share) * (1 - share) ** 0.6 * 0.95
        out["bright"] = colour[:, 0]
        out["shade"] = np.maximum(colour[:, 0], 215)
        out["cb"], out["cr"] = colour[:, 1], colour[:, 2]
        halo = out.copy()
        halo["radius"] = 0.5
        halo["soft"] = 4.5 * self._radius + 1.5 * self._air.scale
        halo["alpha"] *= 0.26
        capsules.draw(frame, halo)
        capsules.draw(frame, out)
