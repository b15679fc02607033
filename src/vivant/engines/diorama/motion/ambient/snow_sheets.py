"""Sheets of snow that a blizzard drives across the picture: two layers of streaked noise that go with the wind."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.motion.ambient import haze
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.smoke import TILE, cloudy_noise
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, Planes
from vivant.request import FPS

CELL: Final = 8  # pixels from one sample of a sheet to the next
FADE_IN: Final = 1.2  # seconds until they have full density
SPEED: Final = 0.55  # heights per second, in no wind
BLOWN: Final = 0.75  # more of it, in full wind
MOST: Final = 0.5  # share of the picture that a sheet hides, at most
WHITE: Final = 226  # luma


class SnowSheets:
    """Drawn over the frame, before the flakes."""

    def __init__(self, air: Air, strength: float) -> None:
        self._air = air
        rows, columns = -(-air.height // CELL), -(-air.width // CELL)
        self._noise = cloudy_noise(rng(air.seed, "snow/sheets"))
        # Long along the wind, which blows them down a little.
        x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        step = TILE / rows
        self._x, self._y = (
            (0.42 * step * x).astype(np.float32),
            (1.15 * step * (y - 0.22 * air.side * x)).astype(np.float32),
        )
        self._step = step
        self._most = MOST * strength
        self._there = (smootherstep(np.arange(air.frames) / (FADE_IN * FPS)) * air.amplitude).astype(np.float32)
        self._white = min(float(WHITE), 0.8 * air.bright + 62)

    def draw(self, n: int, frame: Planes) -> None:
        there = float(self._there[n]) * self._most
        if there <= 0:
            return
        height, width = frame.y.shape
        share = (255 * there * self._density(n)).astype(np.float32)
        full = np.rint(cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)).astype(np.uint8)
        haze.blend_toward(frame.y, full, 256, round(self._air.dim(self._white, n)))

    def _density(self, n: int) -> F32:
        """0..1 on the coarse grid."""
        way = self._air.height / CELL * (SPEED * self._air.side * n / FPS + BLOWN * float(self._air.drift[n]))
        one, two = self._read(1.0, 1.0 * way, 0.0), self._read(1.9, 1.35 * way, 91.0)
        return np.asarray(np.clip((0.6 * one + 0.4 * two - 0.42) / 0.34, 0, 1), np.float32)

    def _read(self, zoom: float, way: float, down: float) -> F32:
        x = np.float32(zoom) * self._x - np.float32((zoom * 0.42 * self._step * way) % TILE)
        y = np.float32(zoom) * self._y + np.float32(down)
        out: Any = cv2.remap(self._noise, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return np.asarray(out, np.float32)
