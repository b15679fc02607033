"""Steam that curls from a cup, smoke that rises from a chimney: wisps of a box of rising air (`fluid`) over an opening,
lit as the picture is, thinner the higher they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_number
from vivant.engines.diorama.easing import smootherstep, smoothstep
from vivant.engines.diorama.motion.ambient import fluid
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.hearth import Hearth
from vivant.engines.diorama.motion.fields import Sheet
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

LOOP: Final = 132  # frames
ROWS: Final = 136  # cells
FADE_IN: Final = 0.7  # seconds
WIDE: Final = 3.4  # openings: how wide the box is
OVER: Final = 1.5  # of what is seen above an opening, that a plume is tall at most; its top is thin
LOW: Final = 0.2  # heights of the picture that it is tall at least
SLENDER: Final = 0.3  # of its height, half the width of its opening at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Where it comes out, pixels: its middle, half its width and height; how high what comes out is seen to rise."""

    x: float
    y: float
    half_width: float
    half_height: float
    tall: float
    on_subject: bool = False

    def __post_init__(self) -> None:
        for name in ("half_width", "half_height", "tall"):
            check_number(f"Opening.{name}", getattr(self, name), 0.5)


class Plume:
    """One plume of steam or smoke."""

    def __init__(self, air: Air, opening: Opening, what: Literal["steam", "smoke"], strength: float) -> None:
        """strength: 0..1."""
        self._air, self._opening = air, opening
        medium = fluid.STEAM if what == "steam" else fluid.SMOKE
        step = opening.tall / ROWS
        columns = 2 * math.ceil(max(WIDE * 2 * opening.half_width, 0.62 * opening.tall) / step / 2)
        if columns > ROWS * 1.4:
            columns = 2 * round(0.7 * ROWS)
            step = max(step, WIDE * 2 * opening.half_width / columns)
        rows = ROWS
        self._step = step
        self._left, self._top = opening.x - 0.5 * step * (columns - 1), opening.y - step * 0.93 * rows
        chance = rng(air.seed, f"plume/{what}")
        source = _Source(chance, rows, columns, opening.half_width / step, max(1.6, opening.half_height / step))
        blown = 26.0 * float((air.side * np.abs(air.wind)).mean()) * (1.0 if what == "smoke" else 0.4)
        self._rising = fluid.simulate(chance, source, medium, frames=min(LOOP, air.frames), wind=blown)
        self._there = smootherstep(np.arange(air.frames) / (FADE_IN * FPS)) * air.amplitude
        rise = 1 - np.arange(rows, dtype=np.float32)[:, None] / rows
        # It gathers over the opening and thins out above: no line where it begins, none where it ends.
        # Before food it is seen at once.
        begins = (0.02, 0.15) if what == "steam" and opening.on_subject else (0.04, 0.26)
        self._seen = (smoothstep((rise - begins[0]) / begins[1]) * np.clip((1.02 - rise) / 0.55, 0, 1) ** 0.7).astype(
            np.float32
        )
        self._table = _make_table(air, what, strength)

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        there = float(self._there[n])
        if n == 0 or there <= 0:
            return ()
        loop = len(self._rising.amounts)
        one, two = self._rising.at(n), self._rising.at(n + 0.47 * loop)[:, ::-1]
        amount = np.clip(np.float32(there) * self._seen * np.maximum(one, 0.8 * two), 0, 1).astype(np.float32)
        return (Sheet(self._left, self._top, self._step, amount, self._table, self._opening.on_subject),)


class _Source:
    """Soft patches that wander over the opening and come and go."""

    def __init__(self, chance: np.random.Generator, rows: int, columns: int, half: float, flat: float) -> None:
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        self._x, self._y = x - 0.5 * (columns - 1), y - 0.93 * rows
        count = 4
        self._place = half * np.linspace(-0.75, 0.75, count)
        self._rate, self._phase = chance.uniform(0.25, 0.7, (2, count)), chance.uniform(0, 2 * math.pi, (2, count))
        self._half, self._flat = half, flat

    def __call__(self, time: float) -> F32:
        out = np.zeros(self._x.shape, np.float32)
        wide = max(1.4, 0.17 * self._half)
        for place, rates, phases in zip(self._place, self._rate.T, self._phase.T, strict=True):
            turn = 2 * math.pi * rates * time + phases
            at = place + 0.3 * self._half * math.sin(turn[0])
            much = max(0.0, 0.55 + 0.45 * math.sin(turn[1]))
            spot = np.exp(-((self._x - at) ** 2) / (2 * wide**2) - self._y**2 / (2 * self._flat**2))
            out = np.maximum(out, (much * spot).astype(np.float32))
        return out


def _make_table(air: Air, what: Literal["steam", "smoke"], strength: float) -> F32:
    """See `Sheet`: what it hides, and the light that it throws back."""
    density = np.linspace(0, 1, 64)
    most = (0.64 if what == "steam" else 0.72) * (0.7 + 0.6 * strength)
    # Thin veils are hardly seen, wisps are: it is their curls that show.
    hidden = most * smoothstep((density - 0.02) / (0.64 if what == "steam" else 0.5))[:, None] * np.ones((1, 3))
    white = min(236.0, 0.8 * air.bright + 0.2 * air.middle + 58)
    luma = white if what == "steam" else 0.62 * white
    cb, cr = (1.4 * (value - 128) / 224 for value in air.tint)
    grey = (luma - 16) / 219
    colour = np.clip([grey + 1.5748 * cr, grey - 0.1873 * cb - 0.4681 * cr, grey + 1.8556 * cb], 0, 1) ** 2
    # Steam is seen by the light that it scatters: before what is bright it is lost, and never darker than that. Smoke
    # also hides what is behind it.
    factor = 1 - hidden * (colour if what == "steam" else 1.0)
    return np.concatenate([factor, hidden * colour], axis=1).astype(np.float32)


def open_over(hearth: Hearth) -> Opening:
    """Smoke of a fire: it is seen from where its flames end."""
    top, _, left, right = hearth.bounds
    half = max(3.0, 0.3 * (right - left))
    return Opening(
        x=0.5 * (left + right), y=top - 0.75 * hearth.tall, half_width=half, half_height=0.5 * half,
        tall=max(2.4 * hearth.tall, 5 * half), on_subject=hearth.on_subject,
    )  # fmt: skip


def find_opening(mask: F32, *, narrow: bool) -> Opening | None:
    """The opening of a thing, float32 (h, w), 0..1, seen from above or from the side: over its upper part. narrow: what
    comes out is a thread, as of a cigarette. None where there is no such thing."""
    height = mask.shape[0]
    solid = filters.blur(mask, 2.0) > 0.5
    rows = np.flatnonzero(solid.any(axis=1))
    if not len(rows):
        return None
    top, size = int(rows[0]), int(rows[-1] - rows[0] + 1)
    # What is cut off by the upper border, or nearly so, is seen from above: it is open farther down.
    down = 0.03 if narrow else 0.18 if top > 0.1 * height else 0.3
    level = min(height - 1, top + round(down * size))
    columns = np.flatnonzero(solid[min(level, top + round(0.1 * size))])
    if not len(columns):
        return None
    left, right = float(columns[0]), float(columns[-1])
    half = max(2.0, (0.16 if narrow else 0.3) * (right - left + 1))
    # No taller than what is seen of it: of a plume that leaves the picture its foot alone would hang there like drops.
    most = max(LOW * height, OVER * level)
    tall = float(np.clip(4.2 * half, min(0.34 * height, most), min(0.8 * height, most)))
    half = min(half, SLENDER * tall)
    return Opening(x=0.5 * (left + right), y=float(level), half_width=half, half_height=max(1.0, 0.3 * half), tall=tall)
