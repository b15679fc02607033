"""Clouds: the sky drifts with the wind, faster overhead than near the horizon, and its clouds slowly change shape.
What stands before it, and the sun and the moon, stay where they are: see scene/backdrop.py.

Where the content of each sample comes from is followed step by step through a velocity without divergence (curl
noise: Bridson, Hourihan and Nordenstam, SIGGRAPH 2007) that changes in time. One copy of the sky is shown as long as
it is not torn out of shape; else copies take turns, all of them as far on their way, each deformed anew.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.fields import STEP, Drift, quarter_shape
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.scene.backdrop import Backdrop
from vivant.media import F32, F64
from vivant.request import FPS

SPEED: Final = 1.15  # px per frame overhead at 640 px on the long side, strength 0.5, clouds with clear outlines
FASTER: Final = 3.6  # times as fast at strength 1, and as slow at strength 0
# Gradient of luma, per px at 640 px, that the clearest 8 % of a sky have where SPEED holds. Soft clouds must go faster
# to be seen to go, up to so many times.
CLEAR: Final = 3.4
SOFTER: Final = 1.6
HORIZON: Final = 0.5  # speed at the horizon as a share of that overhead
CELL: Final = 16  # canvas pixels from one sample of the paths to the next
KEY: Final = 3  # frames from one time at which the paths are known to the next
SETTLES: Final = 1.5  # seconds in which the rims of outlines vanish
FARTHEST: Final = 0.45  # widths that a copy is carried
SLANT: Final = 0.2  # px downward for each px beyond the border, where clouds point no way
WINDWARD: Final = 0.3  # widths beside the border over which it is measured which way clouds point
STREAKY: Final = (0.12, 0.35)  # coherence of their directions between which they count not at all and wholly
TURN: Final = (0.15, 0.11)  # speed of the turning as a share of the drift's, at strength 0.5 or less and at 1
TURNS: Final = (3.0, 1.2)  # seconds in which it changes
FINE: Final = (0.45, 0.15)  # share of the small eddies, at the same: when time races they stir streaks like paint
FADES: Final = 0.5  # share of the time from copy to copy in which one takes the place of the other
EDDIES: Final = (0.155, 0.065)  # sizes of the eddies, widths


class Clouds:
    """The drift of one backdrop."""

    def __init__(
        self, air: Air, backdrop: Backdrop, strength: float, direction: str, *, rigid: bool = False,
        arrives_from: Backdrop | None = None,
    ) -> None:  # fmt: skip
        """strength: 0..1. direction: left, right or "" for the wind's own. rigid: as one piece, as in a drawing.
        arrives_from: the sky of the first picture, if this is that of a given last one, in which the drift of both
        ends."""
        self._air, self._shape = air, quarter_shape(air.height, air.width)
        self._side = {"left": -1.0, "right": 1.0}.get(direction, air.side)
        fast = float(np.clip(2 * strength - 1, 0, 1))
        long = max(air.width, air.height)
        rows, columns = -(-air.height // CELL) + 1, -(-air.width // CELL) + 1
        speed = SPEED * long / 640 * FASTER ** (2 * strength - 1) * FPS  # px per second
        if rigid:
            over, turn, rise = np.ones((rows, 1)), 0.0, np.ones((rows, 1))
        else:
            speed *= measure_softness(arrives_from or backdrop)
            rise = _elevation(backdrop, rows)
            over = HORIZON + (1 - HORIZON) * rise**0.8
            turn = TURN[0] + (TURN[1] - TURN[0]) * fast
        self._over = (speed * over * np.ones((rows, columns))).astype(np.float32)
        # Seen from so low, what is near the horizon only goes to and fro.
        self._rise = (self._over * np.clip(2.5 * rise, 0, 1)).astype(np.float32)
        self._life = TURNS[0] + (TURNS[1] - TURNS[0]) * fast
        seconds = float(air.flowed[-1])
        fine = FINE[0] + (FINE[1] - FINE[0]) * fast
        renewals = range(int(seconds / self._life) + 3)
        self._eddies = [_eddy(air.seed, k, (rows, columns), long, turn, fine) for k in renewals]
        self._grid_x, self._grid_y = np.meshgrid(
            np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)
        )
        self._slant = np.float32(_measure_slant(backdrop, self._side))
        # From one copy's undisplaced moment to that of the next, seconds; each is seen for twice that.
        one = speed * seconds <= FARTHEST * air.width
        self._turn = seconds + 1 if one else max(1.0, 0.5 * FARTHEST * air.width / speed)
        copies = 1 if one else int(seconds / self._turn) + 2
        self._arrives = arrives_from is not None
        self._copies = [self._follow(k * self._turn, seconds) for k in range(copies)]
        self._arrival = seconds if arrives_from else None
        self._kept = lru_cache(maxsize=2)(self._drift)
        if arrives_from:
            # One copy: what is far from home is hidden by the first picture's sky, which is still seen then.
            self._turn = seconds + 1
            start, keys = self._follow(seconds, seconds)
            self._copies = [(start, keys + np.stack([self._over * np.float32(self._side * seconds), 0 * self._over]))]

    def drift(self, n: int) -> Drift | None:
        """Asked for twice for each frame where water mirrors the sky; pure, so each thread's last one is kept."""
        return self._kept(n)

    def _drift(self, n: int) -> Drift | None:
        time = float(self._air.flowed[n])
        if self._arrival is not None:
            ax, ay = self._at(0, time)
            return Drift(ax, ay, ax, ay, 0.0, float(smoothstep(np.array((self._arrival - time) / SETTLES))))
        if n == 0 or time == 0:
            return None
        first = min(int(time / self._turn), len(self._copies) - 1)
        ax, ay = self._at(first, time)
        settled = float(smoothstep(np.array(time / SETTLES)))
        if first + 1 >= len(self._copies):
            return Drift(ax, ay, ax, ay, 0.0, settled)
        bx, by = self._at(first + 1, time)
        weight = smoothstep(np.array((time / self._turn - first - 0.5) / FADES + 0.5, np.float32))
        return Drift(ax, ay, bx, by, float(np.clip(weight, 0, 1)), settled)

    def _at(self, copy: int, time: float) -> tuple[F32, F32]:
        """Displacement of a copy, float32 on the quarter grid, canvas pixels."""
        start, keys = self._copies[copy]
        place = float(np.clip((time - start) * FPS / KEY, 0, len(keys) - 1))
        key = min(int(place), len(keys) - 2)
        rest = np.float32(place - key)
        between = keys[key] + rest * (keys[key + 1] - keys[key])
        rows, columns = self._shape
        x = np.arange(columns, dtype=np.float32) * (STEP / CELL) * np.ones((rows, 1), np.float32)
        y = np.arange(rows, dtype=np.float32)[:, None] * (STEP / CELL) * np.ones((1, columns), np.float32)
        dx, dy = filters.sample(between[0], x, y), filters.sample(between[1], x, y)
        # Beyond the border the sky goes on as its mirror image: read at a slant, so that no cloud meets its own, or so
        # that streaks go on the way they point.
        at, last = CELL * x + dx, np.float32(self._air.width - 1)
        folded = last - np.abs(np.mod(at, 2 * last) - last)
        return folded - CELL * x, dy + self._slant * np.minimum(np.abs(at - folded), last / 2)

    def _follow(self, home: float, seconds: float) -> tuple[float, F32]:
        """The paths of a copy whose shapes are those of the picture at the time `home`, seconds: when it is first seen,
        and its displacements from then on, float32 (keys, 2, rows, columns), canvas pixels."""
        step = KEY / FPS
        before = int(np.ceil(min(home, self._turn) / step)) if home > 0 else 0
        after = int(np.ceil(min(self._turn, seconds - home) / step)) + 1 if seconds > home else 1
        # A copy that is shown later starts from the picture carried along in one piece: had each row gone its own speed
        # for so long, clouds would be drawn out to slanting streaks.
        along = self._over if home == 0 or self._arrives else np.full_like(self._over, self._over.mean())
        still = np.stack([-along * np.float32(self._side * home), 0 * self._over])
        back, ahead = [still], [still]
        for sign, steps, paths in ((-1, before, back), (1, after, ahead)):
            for k in range(steps):
                paths.append(self._carry(paths[-1], home + sign * (k + 0.5) * step, sign * step))
        return home - before * step, np.stack(back[:0:-1] + ahead)

    def _carry(self, path: F32, time: float, step: float) -> F32:
        """The displacements one step later: what is now at x was before at x - v·step."""
        vx, vy = self._velocity(time)
        # The velocity half a step upstream: the midpoint rule.
        half = 0.5 * step / CELL
        x, y = self._grid_x - np.float32(half) * vx, self._grid_y - np.float32(half) * vy
        move_x, move_y = (np.float32(step) * filters.sample(v, x, y) for v in (vx, vy))
        x, y = self._grid_x - move_x / CELL, self._grid_y - move_y / CELL
        return np.stack([filters.sample(path[0], x, y) - move_x, filters.sample(path[1], x, y) - move_y])

    def _velocity(self, time: float) -> tuple[F32, F32]:
        """Canvas pixels per second at a time, float32 (rows, columns)."""
        place = max(0.0, time / self._life)
        first = min(int(place), len(self._eddies) - 2)
        angle = 0.5 * np.pi * float(smoothstep(np.array(place - first)))
        turning = np.float32(np.cos(angle)) * self._eddies[first] + np.float32(np.sin(angle)) * self._eddies[first + 1]
        return self._over * (np.float32(self._side) + turning[0]), self._rise * turning[1]


def measure_softness(backdrop: Backdrop) -> float:
    """1..SOFTER: how much faster clouds must go to be seen as those with clear outlines are."""
    alpha = backdrop.alpha
    long = max(alpha.shape)
    size = (max(2, round(alpha.shape[1] * 640 / long)), max(2, round(alpha.shape[0] * 640 / long)))
    luma = filters.blur(filters.resize(backdrop.source.planes.y, *size), 1.1)
    inside = filters.resize(alpha, *size) > 250
    if not inside.any():
        return 1.0
    down, right = np.gradient(luma)
    return float(np.clip(CLEAR / (np.percentile(np.hypot(down, right)[inside], 92) + 1e-3), 1.0, SOFTER))


def _measure_slant(backdrop: Backdrop, side: float) -> float:
    """px downward for each px that the mirror image at the windward border is read further in. A streak that rises by s
    per px has a mirror image that falls, and goes on straight if that is read s lower for each px."""
    height, width = backdrop.alpha.shape
    size = (max(8, width // 4), max(8, height // 4))
    luma = filters.blur(filters.resize(backdrop.source.planes.y, *size), 1.5)
    weight = filters.resize(backdrop.alpha, *size) > 250
    beside = round(WINDWARD * size[0])
    part = np.s_[:, :beside] if side > 0 else np.s_[:, -beside:]
    down, right = (np.gradient(luma, axis=axis)[part][weight[part]] for axis in (0, 1))
    xx, yy, xy = float((right * right).sum()), float((down * down).sum()), float((right * down).sum())
    coherence = np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-6)
    # The streak is across the gradient.
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + 0.5 * np.pi
    slope = float(np.clip(np.tan(angle), -0.4, 0.4)) if abs(np.cos(angle)) > 0.3 else 0.0
    share = float(smoothstep(np.array((coherence - STREAKY[0]) / (STREAKY[1] - STREAKY[0]))))
    return (1 - share) * SLANT + share * side * slope


def _elevation(backdrop: Backdrop, rows: int) -> F64:
    """(rows, 1): 0 at the lower rim of the sky and below it, 1 at the top."""
    seen = np.flatnonzero((backdrop.alpha > 127).mean(axis=1) > 0.04)
    rim = max(CELL, int(seen[-1])) if len(seen) else backdrop.alpha.shape[0]
    height: F64 = np.clip((rim - CELL * np.arange(rows)) / rim, 0, 1)[:, None]
    return height


def _eddy(seed: int, k: int, shape: tuple[int, int], long: int, share: float, fine: float) -> F32:
    """The k-th turning of the air, float32 (2, rows, columns): velocities across and down whose root mean square is
    `share`, `fine` of it against 0.75 in small eddies. The gradient of noise turned by a right angle has no divergence:
    nothing wells up or drains away."""
    chance = rng(seed, f"clouds/{k}")
    total = np.zeros((2, *shape))
    for size, part in zip(EDDIES, (0.75, fine), strict=True):
        down, right = np.gradient(filters.blur(chance.normal(size=shape), 0.5 * size * long / CELL))
        length = float(np.sqrt((down**2 + right**2).mean())) + 1e-9
        total += part * np.stack([down, -right]) / length
    return np.asarray(share * total / np.sqrt(0.75**2 + fine**2), np.float32)
