"""What the weather leaves behind: ground that gets wet and shines in the rain, snow that settles on the ground and on
upper edges.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.fields import STEP, Sheet
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

WETS: Final = 2.4  # seconds until the ground is wet
DARKER: Final = 0.42  # share of its linear light that dry ground throws back and wet ground does not
SHEEN: Final = 0.16  # linear light of the sky in it, times that of the brightest parts
WHITENS: Final = 5.0  # seconds until as much snow lies as will
MOST: Final = 0.66  # share of the ground's own light that snow hides at most


class WetGround:
    """Ground that darkens, and in which patches of sky gleam and tremble."""

    def __init__(self, air: Air, ground: F32, horizon: float, strength: float) -> None:
        """ground: float32 on the quarter grid, 0..1. horizon: row, pixels. strength: 0..1."""
        self._air, self._ground = air, np.clip(ground, 0, 1)
        self._there = smootherstep(np.arange(air.frames) / (WETS * FPS)) * air.amplitude * (0.55 + 0.45 * strength)
        rows, columns = ground.shape
        low = np.clip((STEP * np.arange(rows, dtype=np.float32)[:, None] - horizon) / (air.height - horizon + 1), 0, 1)
        noise = filters.blur(rng(air.seed, "wet").standard_normal((rows, columns)), 9 * air.scale, 2.6 * air.scale)
        patches = np.clip(0.45 + 0.5 * noise / (noise.std() + 1e-6), 0, 1)
        # Water mirrors most where it is looked at along its surface.
        self._gleam = (ground * patches * (1 - 0.65 * low)).astype(np.float32)
        self._phase = (2 * math.pi * rng(air.seed, "wet/phase").random((rows, columns))).astype(np.float32)
        self._phase = 6 * filters.blur(self._phase, 3 * air.scale, 1.5 * air.scale)
        dark = np.stack([np.ones(3), np.array([1 - DARKER, 1 - 0.95 * DARKER, 1 - 0.88 * DARKER])])
        self._darkens = np.concatenate([dark, np.zeros((2, 3))], axis=1).astype(np.float32)
        cb, cr = ((value - 128) / 224 for value in air.tint)
        light = ((air.bright - 16) / 219) ** 2
        sky = SHEEN * light * np.array([1 + 1.6 * cr, 1 - 0.2 * cb - 0.5 * cr, 1 + 1.9 * cb])
        shines = np.ones((2, 6))
        shines[:, 3:] = np.stack([np.zeros(3), np.maximum(sky, 0)])
        self._shines = shines.astype(np.float32)

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        there = float(self._there[n])
        if n == 0 or there <= 0 or not self._ground.any():
            return ()
        tremble = 0.72 + 0.28 * np.sin(self._phase + np.float32(2 * math.pi * 1.3 * n / FPS))
        gleam = np.clip(np.float32(there) * self._gleam * tremble, 0, 1)
        return (
            Sheet(0, 0, STEP, np.clip(np.float32(there) * self._ground, 0, 1), self._darkens),
            Sheet(0, 0, STEP, gleam.astype(np.float32), _dim(self._shines, float(self._air.lit[n]))),
        )


class SettledSnow:
    """Snow that gathers in patches which grow together."""

    def __init__(self, air: Air, lies: F32, strength: float) -> None:
        """lies: float32 on the quarter grid, 0..1, how willingly it lies in each place. strength: 0..1."""
        self._air, self._lies = air, np.clip(lies, 0, 1)
        noise = filters.blur(rng(air.seed, "settled").standard_normal(lies.shape), 3.2 * air.scale, 1.6 * air.scale)
        self._noise = np.clip(0.5 + 0.25 * noise / (noise.std() + 1e-6), 0, 1).astype(np.float32)
        self._grown = smootherstep(np.arange(air.frames) / (WHITENS * FPS)) * (0.45 + 0.5 * strength)
        white = ((min(228.0, 0.7 * air.bright + 70) - 16) / 219) ** 2
        table = np.ones((2, 6))
        table[1, :3] = 1 - MOST
        table[:, 3:] = np.array([[0.0], [MOST * white]]) * np.array([0.96, 0.98, 1.0])
        self._table = table.astype(np.float32)

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        grown = float(self._grown[n]) * float(self._air.amplitude[n])
        if n == 0 or grown <= 0 or not self._lies.any():
            return ()
        # The willing places first; a wide threshold, so that no crumbs are seen.
        depth = np.clip((self._lies * (0.35 + 0.65 * self._noise) + 1.15 * grown - 1) / 0.7, 0, 1) * (self._lies > 0)
        soft = np.clip(np.minimum(depth, self._lies), 0, 1)
        return (Sheet(0, 0, STEP, soft.astype(np.float32), _dim(self._table, float(self._air.lit[n]))),)


def _dim(table: F32, lit: float) -> F32:
    """The table of a sheet whose light is that of the sky, when `lit` of its luma is left. table: float32 (n, 6)."""
    dimmed = table.copy()
    dimmed[:, 3:] *= np.float32(lit**2)
    return dimmed
