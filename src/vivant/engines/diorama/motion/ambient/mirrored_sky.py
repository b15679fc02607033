"""Clouds that drift are mirrored in calm water: what the water shows of the sky changes as the sky does.

Sliding the water itself would pull its shores along. So the change of the sky above, mirrored at the waterline, is
added as light: the clouds that the water shows go, and those that have come appear.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.clouds import Clouds
from vivant.engines.diorama.motion.fields import STEP, FieldSum, average_quarter
from vivant.engines.diorama.scene.backdrop import Backdrop
from vivant.media import F32

ALIKE: Final = 0.35  # correlation of the water with the mirrored sky, from which it is a mirror
SOFT: Final = 1.6  # quarter samples by which water blurs what it mirrors
SHORT: Final = (1.0, 0.85, 0.7)  # times as high as the sky that the mirror image may be, as it is seen from above
LEAST: Final = 60  # samples of mirrored sky, below which there is none to speak of
MOST: Final = 0.5  # share by which light may change


class MirroredSky:
    """One per clip; adds brightness to the water."""

    def __init__(self, air: Air, clouds: Clouds, backdrop: Backdrop, water: F32, luma: F32, waterline: float) -> None:
        """water: float32 on the quarter grid, 0..1, level water. luma: float32 on it, 16..235. waterline: row,
        pixels."""
        self._air, self._clouds = air, clouds
        rows, columns = water.shape
        tone = filters.resize(backdrop.tone[0], columns, rows)
        sky = filters.blur(average_quarter(backdrop.source.planes.y.astype(np.float32)) - tone, SOFT)
        alpha = average_quarter(backdrop.alpha.astype(np.float32)) / np.float32(255)
        self._luma = np.maximum(filters.blur(luma, SOFT) - 16, 12)
        self._detail = sky
        self._x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        line = waterline / STEP
        best = ALIKE
        self._weight, self._y, self._home = np.zeros_like(water), y, sky
        for short in SHORT:
            mirrored = (line - (y - line) / short).astype(np.float32)
            weight = np.asarray(water * filters.sample(alpha, self._x, mirrored) * (mirrored >= 0), np.float32)
            home = filters.sample(sky, self._x, mirrored)
            slope, likeness = _fit(home, filters.blur(luma, SOFT), weight)
            if likeness > best:
                best = likeness
                self._y, self._home = mirrored, home
                self._weight = (min(slope, 1.0) * weight).astype(np.float32)

    @property
    def is_there(self) -> bool:
        """Whether the water is a mirror of the sky."""
        return bool(self._weight.any())

    def add(self, n: int, out: FieldSum) -> None:
        drift = self._clouds.drift(n)
        if drift is None or not self.is_there:
            return
        moved = np.zeros_like(self._home)
        for dx, dy, share in ((drift.ax, drift.ay, 1 - drift.weight), (drift.bx, drift.by, drift.weight)):
            if share > 0:
                x, y = self._x, self._y
                across, down = filters.sample(dx, x, y), filters.sample(dy, x, y)
                moved += np.float32(share) * filters.sample(self._detail, x + across / STEP, y + down / STEP)
        change = self._weight * (moved - self._home) / self._luma
        out.gain[:] *= 1 + np.float32(self._air.swing[n]) * np.clip(change, -MOST, MOST)


def _fit(sky: F32, water: F32, weight: F32) -> tuple[float, float]:
    """(luma of the water for each of the sky's, correlation of both), where the weight is; (0, 0) where it is hardly
    anywhere. The gradual change of light from the shore to the viewer is left out."""
    inside = weight > 0.5
    if int(inside.sum()) < LEAST:
        return 0.0, 0.0
    rows = np.nonzero(inside)[0]
    a, b = sky[inside].astype(np.float64), water[inside].astype(np.float64)
    trend = np.stack([np.ones(len(rows)), rows, rows * rows / len(weight)], axis=1)
    a, b = (values - trend @ np.linalg.lstsq(trend, values, rcond=None)[0] for values in (a, b))
    return float((a * b).sum() / ((a * a).sum() + 1e-6)), float(
        (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-6)
    )
