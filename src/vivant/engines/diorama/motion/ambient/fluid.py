"""A small box of air in which heat or steam rises, whirls and fades: the shapes of flames, smoke and steam, computed
once per clip on a coarse grid (stable fluids: Stam, 1999; with vorticity confinement: Fedkiw et al., 2001).

The walls of a closed box turn whatever rises back down. So what is carried also moves with a steady upward draught that
the flow itself does not feel, and the flow dies out toward the borders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from vivant.media import F32, U8
from vivant.request import FPS

SUBSTEPS: Final = 2  # a frame
WARM_UP: Final = 30  # frames that are computed and not shown: the first one shown is in full swing
_SMOOTH: Final = np.array([0.06, 0.88, 0.06], np.float32)
LOOP_BLEND: Final = 10  # frames over which the end of a loop turns into its beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """How something rises. Lengths in cells, times in seconds."""

    buoyancy: float  # cells/s² where the amount is 1
    draught: float  # cells/s, the steady upward motion of what is carried, in the middle of the box
    confinement: float  # of the small whirls that the grid would lose
    kick: float  # cells/s², random pushes that break the symmetry
    sway: float  # cells/s, how fast the air above leans from side to side
    burns: float  # of the amount that burns away in a second: sharp tips
    fades: float  # share of the amount that spreads away in a second: soft ends


FLAME: Final = Medium(buoyancy=1300, draught=110, confinement=11, kick=260, sway=12, burns=2.3, fades=0.4)
STEAM: Final = Medium(buoyancy=300, draught=105, confinement=7, kick=300, sway=34, burns=0.0, fades=0.6)
SMOKE: Final = Medium(buoyancy=240, draught=110, confinement=6, kick=220, sway=26, burns=0.0, fades=0.22)


@dataclass(frozen=True, slots=True, eq=False)
class Rising:
    """A loop of what rises. amounts: uint8 (frames, rows, columns), 255 the most; mean: float32 (frames,), of each
    frame against the mean of all, about 1."""

    amounts: U8
    mean: F32

    def at(self, time: float) -> F32:
        """float32 (rows, columns), 0..1, at a time in frames; the loop repeats, between frames it is blended."""
        count = len(self.amounts)
        first, share = int(np.floor(time)) % count, np.float32(time - np.floor(time))
        one = self.amounts[first].astype(np.float32)
        if share:
            one += share * (self.amounts[(first + 1) % count].astype(np.float32) - one)
        return np.asarray(one / 255, np.float32)


def simulate(
    chance: np.random.Generator,
    source: Callable[[float], F32],
    medium: Medium,
    *,
    frames: int,
    wind: float = 0.0,
    pull: float = 0.0,
    room: F32 | None = None,
) -> Rising:
    """source: time in seconds -> float32 (rows, columns), both even, 0..1: what is at least there at that time. frames:
    of the loop. wind: cells/s to the right at the top of the box, less below. pull: 1/s, how fast air is drawn in
    from both sides to one fire in the middle. room: float32 (rows, columns), 0..1, where there can be any; None:
    everywhere but at the borders."""
    rows, columns = source(0.0).shape
    box = _Box(chance, rows, columns, medium, wind, pull)
    shown: list[F32] = []
    fade = _fade_at_borders(rows, columns) if room is None else room
    for n in range(-WARM_UP, frames + LOOP_BLEND):
        for k in range(SUBSTEPS):
            box.step(source((n + k / SUBSTEPS) / FPS))
        if n >= 0:
            shown.append(np.clip(box.amount, 0, 1) * fade)
    for k in range(LOOP_BLEND):  # what follows the last frame turns into the first ones
        share = np.float32((k + 1) / (LOOP_BLEND + 1))
        shown[k] = shown[frames + k] + share * (shown[k] - shown[frames + k])
    amounts = np.stack([np.rint(255 * one).astype(np.uint8) for one in shown[:frames]])
    mean = amounts.mean(axis=(1, 2), dtype=np.float64)
    return Rising(amounts, (mean / max(float(mean.mean()), 1e-6)).astype(np.float32))


class _Box:
    """The air at one moment; `step` goes on by 1/SUBSTEPS of a frame."""

    def __init__(
        self, chance: np.random.Generator, rows: int, columns: int, medium: Medium, wind: float, pull: float
    ) -> None:
        self._chance, self._medium, self._dt = chance, medium, np.float32(1 / (SUBSTEPS * FPS))
        x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        self._x, self._y = x, y
        self.amount: F32 = np.zeros((rows, columns), np.float32)
        self._u, self._v = np.zeros_like(self.amount), np.zeros_like(self.amount)
        waves = (
            2 * np.cos(np.pi * np.arange(columns) / columns)[None] + 2 * np.cos(np.pi * np.arange(rows) / rows)[:, None]
        )
        inverse = 1 / np.minimum(waves - 4, -1e-6)
        inverse[0, 0] = 0
        self._inverse = inverse.astype(np.float32)
        height = 1 - y / rows
        side = np.minimum(x, columns - 1 - x) / columns
        self._calm = np.clip(np.minimum(side / 0.08, (y / rows) / 0.2), 0, 1).astype(np.float32)
        self._height, self._time = height.astype(np.float32), 0.0
        self._sways = chance.uniform(0, 2 * np.pi, 2)
        self._blown = (wind * height - pull * (x - 0.5 * (columns - 1))).astype(np.float32)

    def step(self, source: F32) -> None:
        medium, dt = self._medium, self._dt
        rows, columns = source.shape
        self.amount = np.maximum(self.amount, source)
        coarse = self._chance.standard_normal((2, max(2, rows // 10), max(2, columns // 10))).astype(np.float32)
        push = [cv2.resize(one, (columns, rows), interpolation=cv2.INTER_CUBIC) for one in coarse]
        here = np.minimum(1, 2 * self.amount)
        self._u += dt * np.float32(4 * medium.kick) * here * push[0]
        self._v += dt * (np.float32(2 * medium.kick) * here * push[1] - np.float32(medium.buoyancy) * self.amount)
        self._confine()
        self._u, self._v = (self._carry(one, self._u, self._v) * self._calm for one in (self._u, self._v))
        # Central differences do not see a checkerboard: it is smoothed away.
        self._u, self._v = (
            np.asarray(cv2.sepFilter2D(one, -1, _SMOOTH, _SMOOTH, borderType=cv2.BORDER_REPLICATE), np.float32)
            for one in (self._u, self._v)
        )
        self._project()
        kept = np.float32(1 - dt * medium.fades)
        # The air of a room is never quite still: what rises leans to one side, then to the other.
        self._time += float(dt)
        one, two = np.sin(2 * np.pi * np.array([0.23, 0.41]) * self._time + self._sways)
        lean = np.float32(medium.sway * (0.6 * one + 0.4 * two))
        u, v = self._u + self._blown + lean * self._height, self._v - np.float32(medium.draught)
        moved = self._carry(self.amount, u, v)
        # What left the source within this step fills the gap behind it: else it rises in stripes.
        for share in (np.float32(0.7), np.float32(0.4), np.float32(0.15)):
            moved = np.maximum(moved, self._carry(source, share * u, share * v))
        self.amount = np.maximum(kept * moved - dt * np.float32(medium.burns) * (moved > 0) * (0.45 + 0.55 * moved), 0)

    def _carry(self, what: F32, u: F32, v: F32) -> F32:
        x, y = self._x - self._dt * u, self._y - self._dt * v
        out: Any = cv2.remap(what, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(out, np.float32)

    def _confine(self) -> None:
        """Vorticity confinement: small whirls get back what the grid takes from them."""
        curl = _across(self._v) - _down(self._u)
        size = np.abs(curl)
        gx, gy = _across(size), _down(size)
        length = np.sqrt(gx * gx + gy * gy) + np.float32(1e-3)
        force = self._dt * np.float32(self._medium.confinement) * curl / length
        self._u += gy * force
        self._v -= gx * force

    def _project(self) -> None:
        """Take away what would compress the air: the pressure by a cosine transform, walls all round."""
        divergence = _across(self._u) + _down(self._v)
        pressure: Any = cv2.idct(cv2.dct(divergence) * self._inverse)
        self._u -= _across(pressure)
        self._v -= _down(pressure)


def _across(values: F32) -> F32:
    out = np.empty_like(values)
    out[:, 1:-1] = 0.5 * (values[:, 2:] - values[:, :-2])
    out[:, 0], out[:, -1] = 0.5 * (values[:, 1] - values[:, 0]), 0.5 * (values[:, -1] - values[:, -2])
    return out


def _down(values: F32) -> F32:
    out = np.empty_like(values)
    out[1:-1] = 0.5 * (values[2:] - values[:-2])
    out[0], out[-1] = 0.5 * (values[1] - values[0]), 0.5 * (values[-1] - values[-2])
    return out


def _fade_at_borders(rows: int, columns: int) -> F32:
    """Nothing is cut off at the box's upper and side borders: float32 (rows, columns), 0..1."""
    x, y = np.arange(columns) / (columns - 1), np.arange(rows) / (rows - 1)
    side = np.clip(np.minimum(x, 1 - x) / 0.12, 0, 1)[None]
    top = np.clip(y / 0.2, 0, 1)[:, None]
    both = side * side * (3 - 2 * side) * top * top * (3 - 2 * top)
    return both.astype(np.float32)
