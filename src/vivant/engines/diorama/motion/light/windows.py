"""Windows of houses that are lit one by one, each with its own colour, brightness and moment, and the soft light around
them."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import CB, COLOUR, CR, GAIN, LIFT, Glow
from vivant.engines.diorama.motion.light.stage import Stage
from vivant.engines.diorama.motion.light.tones import colour_of, neutral
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32

_LIT: Final = 0.42  # share of the windows
_WARM: Final = np.array([1.0, 0.52, 0.15])
_COOL: Final = np.array([0.85, 0.95, 1.0])
_SWITCH: Final = 0.025  # of the way, until a lamp is at its full light
_HALO: Final = ((0.8, 0.8), (2.6, 0.9))  # sigma in samples of the quarter grid at a short side of 496, and share


class Windows:
    """Those of one clip. The moments are on the way of what switches them on, 0..1."""

    def __init__(self, stage: Stage, middle: float, spread: float, lit: float = _LIT) -> None:
        """middle, spread: mean and standard deviation of the moments; lit: the share of windows with a light."""
        self._stage = stage
        self._windows = stage.shining.windows
        count = int(self._windows.max())
        chance = rng(stage.seed, "windows")
        self._on = np.where(
            chance.random(count + 1) < lit, np.clip(chance.normal(middle, spread, count + 1), 0.04, 0.97), 2.0
        )
        self._on[0] = 2.0
        # Neighbours often belong to one room, and offices are lit in cool light.
        self._bright = np.clip(chance.lognormal(-0.12, 0.3, count + 1), 0.35, 1.0)
        warmth = chance.beta(3.0, 0.9, count + 1)[:, None]
        colour = colour_of(_COOL + warmth * (_WARM - _COOL))
        rows, columns = stage.shape
        self._colour = []
        weight = np.maximum(filters.blur(_shrink((self._on < 2)[self._windows], columns, rows), 1.2), 1e-4)
        for part, zero in zip(colour, (16.0, 128.0, 128.0), strict=True):
            values = np.where(self._on < 2, part, 0)[self._windows]
            self._colour.append((zero + filters.blur(_shrink(values, columns, rows), 1.2) / weight).astype(np.float32))

    @property
    def count(self) -> int:
        """How many are lit in the end."""
        return int((self._on < 2).sum())

    def glow(self, share: float) -> Glow | None:
        """The windows that are lit at a moment, 0..1."""
        lit = smoothstep((share - self._on) / _SWITCH)
        if lit.max() <= 0:
            return None
        table = np.rint(235 * lit * self._bright).astype(np.uint8)
        luma, cb, cr = self._colour
        # Softened, as a lens does it.
        sharp = np.asarray(table[self._windows], np.uint8)
        return Glow(np.asarray(cv2.GaussianBlur(sharp, (3, 3), 0.55), np.uint8), luma, cb, cr)

    def halo(self, glow: Glow, dark: float) -> F32:
        """float32 (7, rows, columns): the light around them. dark: 0 by day, where hardly any is seen, .. 1."""
        rows, columns = self._stage.shape
        spread = _shrink(glow.share, columns, rows) / np.float32(255)
        light = np.zeros_like(spread)
        for sigma, part in _HALO:
            light += np.float32(part) * filters.blur(spread, sigma * max(0.6, self._stage.scale))
        light = np.clip(light * np.float32(0.15 + 0.85 * dark), 0, 0.6).astype(np.float32)
        _, cb, cr = self._colour
        tone = neutral(rows, columns)
        tone[LIFT] = 120 * light
        tone[GAIN] = tone[COLOUR] = 1 - 0.4 * light
        tone[CB], tone[CR] = light * (cb - 128), light * (cr - 128)
        return tone


def _shrink(values: NDArray[Any], columns: int, rows: int) -> F32:
    return filters.resize(values, columns, rows)
