"""Stars: few bright ones and many faint ones, each twinkling by itself; none low over the horizon or before clouds."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import STEP, Stars
from vivant.engines.diorama.motion.light.stage import Stage
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

_COUNT: Final = 520  # over a whole canvas of 16:9
_FAINTEST: Final = 26.0  # levels of luma that a star adds, for u = 1 of u**-1/1.35
_BRIGHTEST: Final = 190.0
_TWINKLE: Final = 0.45


class Starfield:
    """The stars of one clip."""

    def __init__(self, stage: Stage) -> None:
        chance = rng(stage.seed, "stars")
        count = round(_COUNT * max(0.6, stage.width / stage.height / (16 / 9)))
        self._x = chance.uniform(0, stage.width, count)
        self._y = chance.uniform(0, stage.height, count)
        bright = np.minimum(_BRIGHTEST, _FAINTEST * chance.random(count) ** (-1 / 1.35))
        rows = np.clip(self._y / STEP, 0, stage.shape[0] - 1).astype(int)
        columns = np.clip(self._x / STEP, 0, stage.shape[1] - 1).astype(int)
        high = np.clip((stage.horizon - self._y / stage.height) / (0.45 * stage.horizon), 0, 1)
        clouds = stage.sky_luma / stage.sky_tone
        clear = np.clip(1.6 - 1.1 * np.abs(clouds[rows, columns]), 0, 1)
        seen = stage.sky[rows, columns] > 0.95
        self._luma = bright * high * clear * seen
        self._sigma = stage.scale * (0.5 + 0.34 * (bright / _BRIGHTEST) ** 0.6)
        # The brightest come out first.
        self._order = 0.35 * (1 - bright / bright.max()) + 0.1 * chance.random(count)
        self._rate = chance.uniform(0.5, 2.6, (2, count))
        self._phase = chance.uniform(0, 2 * math.pi, (2, count))

    @property
    def count(self) -> int:
        """How many can be seen."""
        return int((self._luma > 4).sum())

    def stars(self, n: int, share: float) -> Stars:
        """Frame n; share, 0..1: how far they have come out."""
        out = smoothstep(np.clip((share * 1.45 - self._order) / 0.3, 0, 1))
        turns = 2 * math.pi * self._rate * n / FPS + self._phase
        twinkle = 1 - _TWINKLE * (0.5 + 0.3 * np.sin(turns[0]) + 0.2 * np.sin(turns[1]))
        luma = self._luma * out * twinkle
        seen = luma > 1.5
        parts: list[F32] = [
            np.asarray(values[seen], np.float32) for values in (self._x, self._y, np.maximum(self._sigma, 0.45), luma)
        ]
        return Stars(*parts)
