"""Air that shimmers because it is hot, over a fire or over hot ground: what is seen through it wavers. Two patterns of
lenses rise, each faster than the other.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient.air import Air, initial_share
from vivant.engines.diorama.motion.fields import STEP, FieldSum, quarter_shape
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

TILE: Final = 128  # size of a pattern, which repeats
BLUR: Final = (3.4, 2.2)  # samples of it across and down: hot air lies in flat layers
# For a short side of 720 px, set by eye: px of the picture for a sample of the pattern, and px a second that it rises.
LAYERS: Final = ((6.5, 92.0), (4.2, 140.0))
AMPLITUDE: Final = (5.6, 2.9)  # px (standard deviation) at strength 1, across and down


class Shimmer:
    """Implements compose.Displacement."""

    def __init__(self, air: Air, weight: F32, strength: float) -> None:
        """weight: float32 on the quarter grid, 0..1, how much of it is seen where."""
        self._air, self._reach = air, air.scale * (0.4 + 0.9 * strength)
        rows, columns = np.flatnonzero(weight.max(axis=1) > 0.01), np.flatnonzero(weight.max(axis=0) > 0.01)
        self.is_there = len(rows) > 1 and len(columns) > 1
        if not self.is_there:
            return
        self._rows, self._columns = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        self._weight = weight[self._rows, self._columns]
        x, y = np.meshgrid(STEP * np.arange(columns[0], columns[-1] + 1), STEP * np.arange(rows[0], rows[-1] + 1))
        self._x, self._y = (axis.astype(np.float32) / np.float32(air.scale) for axis in (x, y))
        chance = rng(air.seed, "shimmer")
        self._tiles = [(_make_tile(chance), _make_tile(chance)) for _ in LAYERS]
        self._home = self._pattern(0.0)

    def add(self, n: int, out: FieldSum) -> None:
        amplitude = self._reach * float(self._air.swing[n])
        if amplitude <= 0:
            return
        here, share = (self._rows, self._columns), np.float32(initial_share(n))
        for total, now, home, reach in zip(
            (out.dx, out.dy), self._pattern(n / FPS), self._home, AMPLITUDE, strict=True
        ):
            total[here] += np.float32(amplitude * reach) * self._weight * (now - share * home)

    def _pattern(self, time: float) -> tuple[F32, F32]:
        """float32, standard deviation about 1, across and down."""
        across, down = np.zeros_like(self._x), np.zeros_like(self._x)
        for (step, rises), (one, two) in zip(LAYERS, self._tiles, strict=True):
            x = (self._x / np.float32(step)) % TILE
            y = ((self._y + np.float32(rises * time)) / np.float32(step)) % TILE
            across += filters.sample(one, x, y)
            down += filters.sample(two, x, y)
        return across * np.float32(0.7), down * np.float32(0.7)


def over_ground(subject: F32, horizon: float) -> F32:
    """Where hot ground is seen through its own air: most about the horizon, where one looks through most of it, less
    toward the viewer, not on what stands near. subject: float32 (h, w), 0..1, what stands near; horizon: its row.
    Returns float32 on the quarter grid, 0..1."""
    height, width = subject.shape
    rows, columns = quarter_shape(height, width)
    low = (STEP * np.arange(rows, dtype=np.float32)[:, None] - np.float32(horizon)) / height
    over = np.exp(-((np.minimum(low, 0) / 0.07) ** 2))
    near = 1 - 0.75 * np.clip((low - 0.08) / 0.4, 0, 1)
    open_ = 1 - np.clip(1.5 * filters.blur(filters.resize(subject, columns, rows), 1.5), 0, 1)
    return np.asarray(over * near * open_, np.float32)


def over_fire(bounds: tuple[float, float, float, float], tall: float, shape: tuple[int, int]) -> F32:
    """The air over a fire, widening upward. bounds: (top, bottom, left, right) of what burns, pixels; tall: pixels, how
    high flames reach; shape: (h, w) of the picture. Returns float32 on the quarter grid, 0..1."""
    top, _, left, right = bounds
    rows, columns = quarter_shape(*shape)
    up = (top - STEP * np.arange(rows, dtype=np.float32)[:, None]) / np.float32(tall)
    half = 0.5 * (right - left) + tall * (0.15 + 0.22 * np.clip(up, 0, 3))
    aside = (STEP * np.arange(columns, dtype=np.float32)[None] - 0.5 * (left + right)) / half
    return np.asarray(
        np.exp(-(aside**4)) * np.clip((up + 0.1) / 0.7, 0, 1) * np.clip((2.8 - up) / 1.6, 0, 1), np.float32
    )


def bounds_of(mask: F32) -> tuple[float, float, float, float]:
    """(top, bottom, left, right) of a mask, float32 (h, w), 0..1, pixels; it must be there."""
    rows, columns = np.flatnonzero(mask.max(axis=1) > 0.5), np.flatnonzero(mask.max(axis=0) > 0.5)
    return float(rows[0]), float(rows[-1]), float(columns[0]), float(columns[-1])


def _make_tile(chance: np.random.Generator) -> F32:
    """float32 (TILE + 1, TILE + 1), standard deviation 1; the last row and column repeat the first."""
    noise = np.tile(chance.normal(0, 1, (TILE, TILE)).astype(np.float32), (3, 3))
    soft: Any = cv2.GaussianBlur(noise, (0, 0), BLUR[0], sigmaY=BLUR[1])[TILE : 2 * TILE, TILE : 2 * TILE]
    return np.asarray(np.pad((soft - soft.mean()) / soft.std(), ((0, 1), (0, 1)), mode="wrap"), np.float32)
