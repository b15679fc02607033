"""Light and shade that drift over a sky in which no cloud can be seen to drift: haze, overcast, bare blue. Such a sky
has nothing to move, and moving it would only show the slip of a border that haze hides.

The shade lies on a plane overhead, so that it is small and slow near the horizon. It is a gain: the first frame is the
picture, and nothing is torn.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient.air import Air, initial_share
from vivant.engines.diorama.motion.ambient.smoke import TILE, cloudy_noise
from vivant.engines.diorama.motion.fields import STEP, FieldSum, quarter_shape
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

SPEED: Final = 1.6  # px per frame overhead at 640 px on the long side, strength 0.5
FASTER: Final = 3.6  # times as fast at strength 1, and as slow at strength 0
DARKER: Final = 0.17  # share of its light that a pale sky loses where the shade is full
BRIGHTER: Final = 0.16  # that a dark or blue one gains: thin clouds are paler than it
PALE: Final = 140.0  # luma, 16..235, from which a sky is pale
SIZE: Final = 0.8  # widths of a tile of the noise overhead
FLAT: Final = 0.50  # of the height of the sky: how far from the zenith the horizon of the plane is
DEEP: Final = 3.6  # how fast the plane recedes: shades are a little wider than high overhead, and level far away
DENSE: Final = (0.36, 0.74)  # of the noise, 0..1, between which a shade begins and is full
TURNS: Final = 9.0  # seconds in which its outlines change


class SkyShade:
    """One per clip; adds brightness. sky: float32 on the quarter grid, 0..1. luma: float32 on it, 16..235. side: -1 to
    the left, 1 to the right. strength: 0..1. deeper: times as dark or bright: what is dark must change more to show."""

    def __init__(self, air: Air, sky: F32, luma: F32, strength: float, side: float, *, deeper: float = 1.0) -> None:
        self._air = air
        rows, columns = quarter_shape(air.height, air.width)
        seen = np.flatnonzero(sky.mean(axis=1) > 0.04)
        rim = max(8, int(seen[-1])) if len(seen) else rows
        high = np.clip((rim - np.arange(rows, dtype=np.float32)) / rim, 0, 1)[:, None] + np.float32(FLAT)
        middle = columns / 2
        unit = TILE / (SIZE * columns)  # samples of the noise for each sample of the grid, overhead
        self._x = ((np.arange(columns, dtype=np.float32)[None] - middle) / high * (1 + FLAT) * unit).astype(np.float32)
        self._y = (DEEP * unit * rim / high * np.ones((1, columns))).astype(np.float32)
        speed = SPEED * max(air.width, air.height) / 640 * FASTER ** (2 * strength - 1)
        self._pace = side * speed * FPS / STEP * unit  # samples of the noise in a second
        self._noise, self._other = cloudy_noise(rng(air.seed, "sky/shade")), cloudy_noise(rng(air.seed, "sky/turning"))
        pale = float(smoothstep(np.array((np.average(luma, weights=sky + 1e-6) - PALE) / 30)))
        self._share = (deeper * (BRIGHTER - (BRIGHTER + DARKER) * pale) * filters.blur(sky, 1.0) * sky).astype(
            np.float32
        )
        self._first = self._density(0.0)

    def add(self, n: int, out: FieldSum) -> None:
        amplitude = float(self._air.swing[n])
        if n == 0 or amplitude == 0:
            return
        change = self._density(float(self._air.flowed[n])) - np.float32(initial_share(n)) * self._first
        out.gain[:] *= 1 + np.float32(amplitude) * self._share * change

    def _density(self, time: float) -> F32:
        """0..1 on the quarter grid."""
        x, y = self._x - np.float32(self._pace * time), self._y
        near = self._read(self._noise, x, y)
        # Another layer that goes at its own pace changes the outlines of the first.
        aside = np.float32(TILE / TURNS / 4 * time)
        density = 0.72 * near + 0.28 * self._read(self._other, 1.7 * x + aside, 1.7 * y)
        return np.asarray(smoothstep((density - DENSE[0]) / (DENSE[1] - DENSE[0])), np.float32)

    def _read(self, noise: F32, x: F32, y: F32) -> F32:
        at_x, at_y = np.mod(x, TILE).astype(np.float32), np.mod(y, TILE).astype(np.float32)
        return np.asarray(cv2.remap(noise, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)
