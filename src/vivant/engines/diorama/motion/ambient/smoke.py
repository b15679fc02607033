"""Smoke: two layers of the same cloudy noise slide over each other, which makes banks form, drift and
dissolve.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.motion.ambient import haze
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, Planes
from vivant.request import FPS

CELL: Final = 8  # the banks are computed on every eighth pixel
TILE: Final = 256  # size of the noise, which repeats
FADE_IN: Final = 2.2  # seconds until it has full density


class Smoke:
    """Banks over the frame. `where`: float32 (h, w), 0..1, their greatest density in each place."""

    def __init__(self, air: Air, where: F32, luma: float, strength: float, *, rising: float, billow: float) -> None:
        """luma: 16..235. rising: canvas heights per second; smoke goes up. billow: 0 even veils .. 1 separate puffs."""
        self._air, self._luma, self._rising = air, luma, rising
        rows, columns = -(-air.height // CELL), -(-air.width // CELL)
        self._where = filters.resize(where, columns, rows) * np.float32(0.3 + 0.85 * strength)
        self._noise = cloudy_noise(rng(air.seed, "smoke"))
        # One tile spans about a picture's height; low banks look flat from the side.
        step = TILE / rows
        x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        self._x, self._y = (0.45 * step * x).astype(np.float32), ((0.8 - 0.3 * billow) * step * y).astype(np.float32)
        self._billow = billow
        self._pace = 0.018 * TILE  # noise cells per second even without wind
        amplitude = air.amplitude
        self._there = (smootherstep(np.arange(air.frames) / (FADE_IN * FPS)) * amplitude).astype(np.float32)

    def draw(self, n: int, frame: Planes) -> None:
        there = float(self._there[n])
        if there <= 0:
            return
        height, width = frame.y.shape
        share = np.clip(255 * there * self._where * self._density(n), 0, 255 * haze.MOST).astype(np.float32)
        full = np.rint(cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)).astype(np.uint8)
        half = np.rint(cv2.resize(share, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR)).astype(np.uint8)
        haze.blend_toward(frame.y, full, 256, round(self._luma))
        haze.blend_toward(frame.u, half, 256, round(self._air.tint[0]))
        haze.blend_toward(frame.v, half, 256, round(self._air.tint[1]))

    def _density(self, n: int) -> F32:
        """0..1 on the coarse grid."""
        time, blown = n / FPS, float(self._air.drift[n]) * 0.09 * TILE
        across = blown + self._air.side * self._pace * time
        up = self._rising * TILE * time
        one = self._read(1.0, -across, up)
        two = self._read(1.7, -1.45 * across + 31.0, 1.3 * up + 77.0)
        both = 0.55 * one + 0.45 * two
        low, high = 0.30 + 0.14 * self._billow, 0.78 - 0.06 * self._billow
        return np.asarray(np.clip((both - low) / (high - low), 0, 1), np.float32)

    def _read(self, zoom: float, right: float, down: float) -> F32:
        x, y = (
            np.float32(zoom) * self._x + np.float32(right % TILE),
            np.float32(zoom) * self._y + np.float32(down % TILE),
        )
        out: Any = cv2.remap(self._noise, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return np.asarray(out, np.float32)


def cloudy_noise(chance: np.random.Generator) -> F32:
    """Periodic noise whose power falls as f^-3.2, as that of clouds about does; float32 (TILE, TILE), 0..1."""
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :])
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(chance.normal(size=(TILE, TILE))) * frequency**-1.6
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=(TILE, TILE))
    low, high = np.percentile(noise, (2, 98))
    return np.asarray(np.clip((noise - low) / (high - low), 0, 1), np.float32)
