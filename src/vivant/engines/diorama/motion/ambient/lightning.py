"""Lightning: at each strike of the timeline a bolt in the sky, and the clouds around it lit; a bolt that the picture
shows goes out and comes back. How the whole picture flares is the timeline's "light" curve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.kernels import Records
from vivant.engines.diorama.motion.ambient import capsules
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.capsules import Occluder
from vivant.engines.diorama.motion.ambient.shown_bolt import ShownBolt
from vivant.engines.diorama.motion.fields import FieldSum, Sheet, average_quarter
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.timing.timeline import Event
from vivant.media import F32, U8, Planes
from vivant.request import FPS

# The bolt itself, frame by frame from its strike: the stroke, the dark after it, the return stroke, its afterglow.
VISIBILITY: Final = (1.0, 0.3, 0.9, 0.45, 0.2, 0.08)
# One that the picture shows, from frame 0 on: it flickers once more and goes out.
GOES_OUT: Final = (1.0, 0.95, 0.6, 0.85, 0.5, 0.3, 0.16, 0.08, 0.03)
GLOW: Final = 0.4  # how much brighter the cloud is right beside the bolt


class Lightning:
    """All strikes of a clip. sky: float32 (h, w), 0..1; luma: uint8 (h, w); ground: row where bolts end, pixels; shown:
    the bolt of the picture itself, which is what flashes in the first strike and every second one after it."""

    def __init__(
        self, air: Air, strikes: Sequence[Event], sky: F32, luma: U8, ground: float, shown: ShownBolt | None = None
    ) -> None:
        self._air, self._shown = air, shown
        again = strikes[::2] if shown else ()
        self._again = [math.floor(strike.time * FPS) for strike in again]
        self._sky = average_quarter(sky)
        # What is white already cannot get brighter.
        self._room = np.clip((215 - average_quarter(luma.astype(np.float32))) / 120, 0, 1)
        self._occluder = Occluder(np.rint(255 * (1 - np.clip(self._sky, 0, 1))).astype(np.uint8))
        self._strikes = [
            (math.floor(strike.time * FPS), strike, self._bolt(strike, ground), self._halo(strike))
            for strike in strikes
            if strike not in again
        ]

    def _bolt(self, strike: Event, ground: float) -> Records:
        """Capsules of the bolt and its branches; the stem last, over its branches."""
        air, chance = self._air, rng(self._air.seed, f"bolt/{strike.id}")
        scale = air.scale * (1.35 - 0.7 * strike.depth)
        x = 0.5 * air.width * (1 + strike.x)
        foot = x + chance.normal(0, 0.10) * air.width
        stem = _break_line(chance, (x, -0.03 * air.height), (foot, ground), 0.17)
        lines = [(stem, 1.0)]
        for _ in range(int(chance.integers(4, 8))):
            start = int(chance.integers(len(stem) // 8, int(0.75 * len(stem))))
            heading = stem[start + 1] - stem[start]
            turn = chance.choice([-1, 1]) * chance.uniform(0.35, 0.9)
            length = chance.uniform(0.12, 0.34) * (ground - stem[start][1] + 0.1 * air.height)
            heading = heading / (np.hypot(*heading) + 1e-6)
            along = np.array([
                math.cos(turn) * heading[0] - math.sin(turn) * heading[1],
                abs(math.sin(turn) * heading[0] + math.cos(turn) * heading[1]),
            ])  # fmt: skip
            lines.append((_break_line(chance, tuple(stem[start]), tuple(stem[start] + length * along), 0.2), 0.4))
        parts = []
        for points, share in reversed(lines):
            taper = np.linspace(1, 0.55 if share == 1 else 0.15, len(points) - 1)
            for radius, softness, alpha in ((0.5, 17.0, 0.13), (1.3, 5.0, 0.36), (1.25, 0.8, 1.0)):
                part = capsules.make_batch(len(points) - 1)
                part["x0"], part["y0"] = points[:-1].T
                part["x1"], part["y1"] = points[1:].T
                part["radius"] = radius * scale * (0.35 + 0.65 * share) * (0.5 + 0.5 * taper)
                part["soft"] = max(0.6, softness * scale * (0.4 + 0.6 * share))
                part["alpha"] = alpha * (0.35 + 0.65 * share) * taper
                part["bright"] = part["shade"] = 235
                part["cb"], part["cr"] = 138, 126  # a little blue
                parts.append(part)
        return np.concatenate(parts)

    def _halo(self, strike: Event) -> F32:
        """By how much this strike brightens each part of the sky, float32 on the quarter grid."""
        height, width = self._sky.shape
        across = (np.arange(width) / width - 0.5 * (1 + strike.x))[None, :] * self._air.width / self._air.height
        down = (np.arange(height) / height)[:, None]
        clouds = filters.blur(
            rng(self._air.seed, f"glow/{strike.id}").normal(size=(height, width)), 9.0 * self._air.scale
        )
        patchy = np.clip(1 + 0.35 * clouds / (clouds.std() + 1e-9), 0.2, 2)
        near = np.exp(-(across**2) / 0.16 - down / 0.9)
        return np.asarray(GLOW * strike.strength * near * patchy * self._sky * self._room, np.float32)

    def _hidden(self, n: int) -> float:
        """How far the bolt of the picture has gone out at frame n, 0..1."""
        seen = max([GOES_OUT[n] if n < len(GOES_OUT) else 0.0, *(_visibility(n - first) for first in self._again)])
        return (1 - seen) * float(self._air.amplitude[n])

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        hidden = self._hidden(n) if self._shown else 0.0
        return (self._shown.sheet(hidden),) if self._shown and n and hidden > 0 else ()

    def add(self, n: int, out: FieldSum) -> None:
        if self._shown:
            out.gain[:] *= 1 - np.float32(self._hidden(n)) * self._shown.glow
        for first, _, _, halo in self._strikes:
            visible = _visibility(n - first)
            if visible > 0:
                out.gain[:] *= 1 + np.float32(visible * float(self._air.amplitude[n])) * halo

    def draw(self, n: int, frame: Planes) -> None:
        for first, strike, bolt, _ in self._strikes:
            visible = _visibility(n - first) * float(self._air.amplitude[n]) * (0.6 + 0.4 * strike.strength)
            if visible > 0 and n > 0:
                now = bolt.copy()
                now["alpha"] *= visible
                for x, y in (("x0", "y0"), ("x1", "y1")):
                    now[x], now[y] = self._air.project(n, now[x], now[y])
                capsules.draw(frame, now, np.ones(len(now), np.float32), self._occluder)


def _visibility(frame: int) -> float:
    return VISIBILITY[frame] if 0 <= frame < len(VISIBILITY) else 0.0


def _break_line(chance: np.random.Generator, start: tuple[float, ...], end: tuple[float, ...], rough: float) -> F32:
    """A line from start to end broken by midpoint displacement: float32 (65, 2)."""
    points = np.array([start, end], np.float64)
    for _ in range(6):
        legs = points[1:] - points[:-1]
        aside = np.stack([-legs[:, 1], legs[:, 0]], 1) * chance.normal(0, rough, (len(legs), 1))
        middle = 0.5 * (points[1:] + points[:-1]) + aside
        woven = np.empty((2 * len(points) - 1, 2))
        woven[0::2], woven[1::2] = points, middle
        points = woven
    return points.astype(np.float32)
