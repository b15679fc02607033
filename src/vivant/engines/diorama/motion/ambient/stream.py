"""What flows in one direction without end: falls, flames. The way of each sample along the flow is integrated
once per clip; two copies of the picture, half a period apart, are shown in turn, so that neither is displaced too far
(flow maps: Vlachos, SIGGRAPH 2010; integration: Holynski et al., 2021).

Knows velocities and masks; what flows, and how fast, is in falls.py and fire.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_array, check_number
from vivant.engines.diorama.easing import smoothstep_scalar
from vivant.engines.diorama.kernels import fast_kernel
from vivant.engines.diorama.motion.ambient import falloff
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.fields import STEP, Flow
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, F64
from vivant.request import FPS

STEPS: Final = 8  # of the integration, per period
REACH: Final = 0.75  # periods that a path is known in both directions
# Each time a copy starts again, it starts with another offset, or the same drops would be seen in every period.
EARLIER: Final = 0.22  # periods
ASIDE: Final = 5.0  # px at 720p, across the flow


@dataclass(frozen=True, slots=True, eq=False)
class Current:
    """Something that flows. Arrays float32 on the quarter grid: velocity in canvas pixels per second, 0 where the mask
    is 0, so that nothing is brought in from outside; mask 0..1. period: seconds for which one copy is shown. flowed:
    float64 (frames,), seconds for which it has flowed, see `Air`. grain: quarter samples, the size of the parts that
    change from one copy to the other together: fine for drops, coarse for crests, which it would tear into combs.
    Raises ValueError for others."""

    vx: F32
    vy: F32
    mask: F32
    period: float
    flowed: F64
    grain: float = 2.2

    def __post_init__(self) -> None:
        check_array("Current.mask", self.mask, np.float32, (None, None), 0, 1)
        check_array("Current.vx", self.vx, np.float32, self.mask.shape)
        check_array("Current.vy", self.vy, np.float32, self.mask.shape)
        check_number("Current.period", self.period, 0.01)
        check_number("Current.grain", self.grain, 0.1)
        check_array("Current.flowed", self.flowed, np.float64, (None,), 0)


class _Paths(NamedTuple):
    """Where the content of each sample comes from, all float32 on a window of the quarter grid, (rows, columns)."""

    x: F32  # (ages, rows, columns): canvas pixels, at ages from -REACH to REACH periods, STEPS to the period
    y: F32
    delay: F32  # when a sample changes from one copy to the other, 0..1/2 of a period
    period: F32  # seconds
    vx: F32  # canvas pixels per second
    vy: F32
    slow: F32  # seconds of travel that make ASIDE pixels
    mask: F32  # 0..1


class Stream:
    """All currents of a clip as one flow; where two overlap, the one with the larger mask counts."""

    def __init__(self, air: Air, currents: Sequence[Current]) -> None:
        strongest = np.argmax([c.mask for c in currents], axis=0)
        vx, vy, mask = (
            np.choose(strongest, [getattr(c, name) for c in currents]).astype(np.float32)
            for name in ("vx", "vy", "mask")
        )
        period = np.choose(strongest, [c.period for c in currents]).astype(np.float32)
        self._shape = mask.shape
        top, bottom, left, right = falloff.find_bounds(mask)
        self._window = slice(top, bottom), slice(left, right)
        path_x, path_y = _paths(vx * period, vy * period, self._window)
        speed = np.hypot(vx, vy)[self._window]
        slow = (ASIDE * air.scale * np.clip(mask[self._window], 0, 1) / (speed + 1e-3)).astype(np.float32)
        chance = rng(air.seed, "stream/starts")
        starts = int(air.frames / FPS / float(period.min())) + 3
        self._starts = chance.uniform(-1, 1, (2, starts, 2)).astype(np.float32)  # copy, start, (earlier, aside)
        self._starts[0, 0] = 0  # the first copy starts as the picture itself
        self._mask, self._air = mask, air
        self._flowed = np.stack([c.flowed for c in currents], axis=1).astype(np.float32)  # (frames, currents)
        self._strongest = np.ascontiguousarray(strongest[self._window])
        delays = [_delays(air.seed, path_x, path_y, self._window, mask.shape, c.grain) for c in currents]
        self._paths = _Paths(
            path_x, path_y, np.choose(self._strongest, delays).astype(np.float32),
            np.ascontiguousarray(period[self._window]), np.ascontiguousarray(vx[self._window]),
            np.ascontiguousarray(vy[self._window]), slow, np.ascontiguousarray(mask[self._window]),
        )  # fmt: skip

    def flow(self, n: int) -> Flow | None:
        amplitude = float(self._air.running[n])
        if n == 0 or amplitude == 0:
            return None
        whole = np.zeros((5, *self._shape), np.float32)
        part = np.zeros((5, *self._paths.mask.shape), np.float32)
        _two_phases(part, self._paths, self._starts, self._flowed[n], self._strongest)
        whole[:, *self._window] = part
        ax, ay, bx, by, weight = whole
        return Flow(ax, ay, bx, by, weight, self._mask if amplitude == 1 else self._mask * np.float32(amplitude))


def _paths(vx: F32, vy: F32, box: tuple[slice, slice]) -> tuple[F32, F32]:
    """Displacements in x and y to where the content of each sample is taken from, float32 (ages, rows, columns) of the
    window `box`, canvas pixels. vx, vy: float32 on the quarter grid, canvas pixels per period.

    Content of age s has travelled for s periods and is taken from that far upstream; negative ages look downstream."""
    ahead = round(REACH * STEPS)
    back = -ahead
    height, width = vx.shape
    grid_x, grid_y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    steps_x: dict[int, F32] = {0: np.zeros_like(vx)}
    steps_y: dict[int, F32] = {0: np.zeros_like(vy)}
    for sign, last in ((-1, -back), (1, ahead)):
        dx, dy = steps_x[0], steps_y[0]
        for step in range(1, last + 1):
            for _ in range(2):  # two half steps, each by the midpoint rule
                h = sign * 0.5 / STEPS
                x, y = grid_x + dx / STEP, grid_y + dy / STEP
                half_x, half_y = (h / 2 / STEP * filters.sample(v, x, y) for v in (vx, vy))
                move_x, move_y = filters.sample(vx, x + half_x, y + half_y), filters.sample(vy, x + half_x, y + half_y)
                dx, dy = dx + np.float32(h) * move_x, dy + np.float32(h) * move_y
            steps_x[sign * step], steps_y[sign * step] = dx, dy
    ages = range(ahead, back - 1, -1)  # age grows as the content is taken from further upstream
    return (
        np.ascontiguousarray(np.stack([steps_x[s][box] for s in ages])),
        np.ascontiguousarray(np.stack([steps_y[s][box] for s in ages])),
    )


def _delays(seed: int, path_x: F32, path_y: F32, box: tuple[slice, slice], shape: tuple[int, ...], grain: float) -> F32:
    """When each part changes from one copy to the other, float32 (rows, columns), 0..1/2 of a period, so that not all
    parts change at once. Noise of that grain smeared along the flow: neighbours along it change together."""
    noise = filters.blur(rng(seed, "stream").normal(size=shape), grain)
    rows, columns = np.mgrid[box]
    smeared = np.zeros_like(path_x[0])
    for dx, dy in zip(path_x, path_y, strict=True):
        smeared += filters.sample(noise, columns + dx / STEP, rows + dy / STEP)
    smeared = filters.blur(smeared, 1.5)
    spread = (smeared - smeared.mean()) / (smeared.std() + 1e-6)
    delay: F32 = (0.25 + 0.25 * np.tanh(0.9 * spread)).astype(np.float32)
    return delay


@fast_kernel
def _two_phases(out: F32, paths: _Paths, starts: F32, flowed: F32, strongest: NDArray[np.int64]) -> None:
    """Fill in `out`, float32 (5, rows, columns): x and y of copy a, x and y of copy b, weight of b. starts: float32
    (copy, start, (earlier, aside)), -1..1. flowed: seconds, float32 (currents,); strongest: int64 (rows, columns),
    which of them counts.

    Copy a starts as the picture itself and is shown alone until a part's delay is over; from then on both copies run
    from half a period ahead of their content to half a period behind it, and b is full when a starts again."""
    ax, ay, bx, by, weight = out[0], out[1], out[2], out[3], out[4]
    path_x, path_y, delay, period, vx, vy, slow, mask = paths
    half, early = np.float32(0.5), np.float32(EARLIER)
    for row in range(ax.shape[0]):
        for column in range(ax.shape[1]):
            if mask[row, column] <= np.float32(0):
                continue
            turns = flowed[strongest[row, column]] / period[row, column]
            a, b = turns + delay[row, column], turns + delay[row, column] + half
            start_a, start_b = int(a), int(b)
            a, b = a - start_a, b - start_b
            share = abs(2 * a - 1) if start_a > 0 else max(np.float32(0), 2 * a - 1)
            age = turns if start_a == 0 else a - half + early * starts[0, start_a, 0]
            aside = slow[row, column] * starts[0, start_a, 1]
            weight[row, column] = smoothstep_scalar(share)
            ax[row, column] = _along(path_x, row, column, age) - vy[row, column] * aside
            ay[row, column] = _along(path_y, row, column, age) + vx[row, column] * aside
            age = b - half + early * starts[1, start_b, 0]
            aside = slow[row, column] * starts[1, start_b, 1]
            bx[row, column] = _along(path_x, row, column, age) - vy[row, column] * aside
            by[row, column] = _along(path_y, row, column, age) + vx[row, column] * aside


@fast_kernel
def _along(path: F32, row: int, column: int, age: Any) -> Any:
    """The displacement at `age` (periods), interpolated between the steps of the path."""
    place = min(max((age + np.float32(REACH)) * np.float32(STEPS), np.float32(0)), np.float32(path.shape[0] - 1))
    step = min(int(place), path.shape[0] - 2)
    rest = place - np.float32(step)
    return path[step, row, column] * (1 - rest) + path[step + 1, row, column] * rest
