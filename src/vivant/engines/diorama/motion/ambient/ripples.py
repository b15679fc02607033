"""Where rain lands: rings that widen on water, and small splashes on the ground."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.motion.ambient import capsules, rings
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.lens import FOCAL
from vivant.engines.diorama.motion.ambient.water import find_vanishing_row
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, Planes
from vivant.request import FPS

LIFE: Final = 0.75  # seconds of a ring
SPLASH: Final = 0.13  # seconds of a splash
WIDEST: Final = 0.11  # camera heights: how far a ring gets; some 20 cm under a standing eye


class Ripples:
    """Rings and splashes, each with its moment and its size in perspective."""

    def __init__(self, air: Air, water: F32, ground: F32, horizon: float, strength: float) -> None:
        """water, ground: float32 on the quarter grid, 0..1. horizon: row, pixels. strength: 0..1."""
        chance = rng(air.seed, "ripples")
        self._air, self._strength = air, strength
        row = find_vanishing_row(horizon, horizon, air.height)
        seconds = air.frames / FPS + LIFE
        self._rings = self._landings(chance, water, row, seconds * air.area * (45 + 420 * strength), LIFE)
        self._splashes = self._landings(chance, ground, row, seconds * air.area * (20 + 260 * strength), SPLASH)
        self._bright = float(np.clip(0.3 * air.middle + 0.85 * air.bright, 150, 225))

    def _landings(self, chance: np.random.Generator, where: F32, row: float, count: float, life: float) -> F32:
        """float32 (n, 5): moment (s), x, y (px), pixels per camera height there, relative size; sorted by moment.

        Equally many per square metre of ground; none where they would be too small to be seen."""
        below = np.maximum(float(STEP) * np.arange(where.shape[0]) - row, 1.0)[:, None]
        scale = below * np.ones((1, where.shape[1]))  # px per camera height, for things lying in the plane across
        share = np.where(scale * WIDEST > 3.0 * self._air.scale, where / scale, 0)
        total = float(share.sum())
        covered = float((where > 0.5).mean())
        if total <= 0 or covered < 0.01:
            return np.zeros((0, 5), np.float32)
        number = round(count * min(1.0, 2.5 * covered))
        at = np.searchsorted(np.cumsum(share.ravel()) / total, chance.random(number))
        at = np.minimum(at, share.size - 1)
        rows, columns = np.divmod(at, where.shape[1])
        moments = np.sort(chance.uniform(-life, self._air.frames / FPS, number))
        spot = chance.uniform(-2, 2, (2, number))
        size = chance.lognormal(0, 0.3, number)
        return np.stack([moments, STEP * columns + spot[0], STEP * rows + spot[1], scale.ravel()[at], size], 1).astype(
            np.float32
        )

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._air.opacity[n] * self._air.first_visible[n])
        if opacity <= 0:
            return
        now = n / FPS
        self._draw_rings(n, now, opacity, frame)
        self._draw_splashes(n, now, opacity, frame)

    def _draw_rings(self, n: int, now: float, opacity: float, frame: Planes) -> None:
        born = self._rings[slice(*np.searchsorted(self._rings[:, 0], (now - LIFE, now)))]
        if not len(born):
            return
        moment, x, y, scale, size = born.T
        x, y = self._air.project(n, x, y)
        age = (now - moment) / LIFE
        squash = np.clip(scale / (FOCAL * min(self._air.width, self._air.height)), 0.05, 0.6)  # seen at a low angle
        radius = WIDEST * scale * size * np.sqrt(age)
        fade = (1 - age) ** 1.5 * np.minimum(1, 6 * age) * opacity * float(self._air.lit[n])
        out = rings.make_batch(len(born))
        out["x"], out["y"] = x, y
        out["radius_x"], out["radius_y"] = radius, radius * squash
        out["thickness"] = np.clip(0.10 * radius, 0.55, 2.2)
        out["lift"] = (26 + 20 * self._strength) * fade
        out["sink"] = (15 + 12 * self._strength) * fade
        rings.draw(frame, out)

    def _draw_splashes(self, n: int, now: float, opacity: float, frame: Planes) -> None:
        born = self._splashes[slice(*np.searchsorted(self._splashes[:, 0], (now - SPLASH, now)))]
        if not len(born):
            return
        moment, x, y, scale, size = born.T
        x, y = self._air.project(n, x, y)
        age = (now - moment) / SPLASH
        reach = np.clip(0.035 * scale * size, 1.2, 9 * self._air.scale)
        out = capsules.make_batch(2 * len(born))
        for k, side in enumerate((-1.0, 1.0)):
            part = out[k::2]
            tip_x, tip_y = x + side * reach * age * 1.1, y - reach * (1.6 * age - 1.1 * age * age) * 1.5
            part["x0"], part["y0"] = x + 0.5 * (tip_x - x), y + 0.4 * (tip_y - y)
            part["x1"], part["y1"] = tip_x, tip_y
            part["radius"] = np.clip(0.11 * reach, 0.3, 0.9)
            part["soft"] = 0.6
            part["alpha"] = (0.34 + 0.2 * self._strength) * (1 - age) * opacity
            part["bright"], part["shade"] = self._air.dim(self._bright, n), self._air.dim(self._bright - 25, n)
            part["cb"] = part["cr"] = 128
        capsules.draw(frame, out)
