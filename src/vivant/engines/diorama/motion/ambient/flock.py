"""Birds far off: small silhouettes that cross the sky in a loose flock, their wings beating in bursts. They pass behind
what stands before the sky."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient import capsules
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import Drift
from vivant.media import F32, F64, Planes
from vivant.request import FPS

SPEED: Final = 0.085  # widths per second: 2.3 pixels per frame at 640 pixels
SPAN: Final = (0.016, 0.030)  # of the width, tip to tip
SPREAD: Final = 0.34  # widths over which a flock is strung out
_BEAT: Final = (2.3, 3.6)  # per second
_RAISED: Final = math.radians(32)  # how far wings go up and down from where they glide
_GLIDE: Final = math.radians(10)
_WEIGHT: Final = 0.62  # of a silhouette's darkness: the air between makes what is far off paler


class Flock:
    """Made once per clip."""

    def __init__(self, air: Air, sky: F32, luma: F32, strength: float, direction: Drift) -> None:
        """sky: float32 (h/4, w/4), 0..1 on the quarter grid, where birds can be seen; luma: that of the picture there,
        16..235."""
        chance = rng(air.seed, "birds")
        count = round(6 + 14 * strength)
        self._air, self._sky = air, sky
        self._side = {"left": -1.0, "right": 1.0}.get(direction) or (1.0 if air.side >= 0 else -1.0)
        open_ = sky > 0.5
        rows = np.flatnonzero(open_.mean(axis=1) > 0.35)
        low = 4.0 * float(rows[-1]) if len(rows) else 0.3 * air.height
        share = (np.arange(count) + chance.random(count)) / count
        self._behind = SPREAD * air.width * share  # how far behind the first
        middle = chance.uniform(0.3, 0.5) * low
        self._y = middle + 0.16 * low * chance.normal(0, 1, count).clip(-1.6, 1.6)
        self._span = chance.uniform(*SPAN, count) * air.width
        self._speed = SPEED * air.width * (0.9 + 0.2 * (self._span / air.width - SPAN[0]) / (SPAN[1] - SPAN[0]))
        self._pace = chance.uniform(*_BEAT, count)
        self._phase = chance.uniform(0, 2 * math.pi, (4, count))
        self._slow = chance.uniform(0.12, 0.3, (2, count))
        about = float(luma[open_].mean()) if open_.any() else 160.0
        self._dark = 16 + (1 - _WEIGHT) * (about - 16) * 0.5

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._air.opacity[n])
        if opacity <= 0:
            return
        time = n / FPS
        x, y = self._places(time)
        seen = opacity * self._visible(x, y)
        at_x, at_y = self._air.project(n, x, y)
        beat = self._wings(time)
        zoom = float(self._air.view[n, 2])
        half = 0.5 * self._span * zoom
        count = len(x)
        batch = capsules.make_batch(5 * count)
        elbow_x, elbow_y = 0.45 * half * np.cos(beat), -0.45 * half * np.sin(beat)
        # The outer wing lags: it bends down on the way up.
        outer = beat - 0.5 * self._bend(time) - math.radians(18)
        tip_x, tip_y = elbow_x + 0.6 * half * np.cos(outer), elbow_y - 0.6 * half * np.sin(outer)
        zero = np.zeros(count)
        parts = (
            (-elbow_x, elbow_y, zero, zero, 0.075), (elbow_x, elbow_y, zero, zero, 0.075),
            (-tip_x, tip_y, -elbow_x, elbow_y, 0.045), (tip_x, tip_y, elbow_x, elbow_y, 0.045),
            (-0.16 * half * self._side, 0.03 * half, 0.2 * half * self._side, -0.02 * half, 0.11),
        )  # fmt: skip
        for k, (x0, y0, x1, y1, thick) in enumerate(parts):
            part = batch[k * count : (k + 1) * count]
            part["x0"], part["y0"], part["x1"], part["y1"] = at_x + x0, at_y + y0, at_x + x1, at_y + y1
            part["radius"] = np.maximum(thick * half, 0.55 * self._air.scale)
            part["soft"] = 0.6
            part["alpha"] = 0.9 * seen
            part["bright"] = part["shade"] = self._dark
            part["cb"] = part["cr"] = 128
        capsules.draw(frame, batch)

    def _places(self, time: float) -> tuple[F64, F64]:
        """Where the birds are in the picture, pixels."""
        wander = np.sin(2 * math.pi * self._slow[0] * time + self._phase[0])
        drift = np.sin(2 * math.pi * self._slow[1] * time + self._phase[1])
        way = 0.3 * SPREAD * self._air.width + self._speed * time - self._behind + 0.006 * self._air.width * drift
        x = way if self._side > 0 else self._air.width - way
        y = self._y - 0.008 * self._air.height * time + 0.014 * self._air.height * wander
        return x, y

    def _visible(self, x: F64, y: F64) -> F64:
        """0..1: what stands before the sky hides them."""
        rows, columns = self._sky.shape
        i = np.clip(np.rint(y / 4), 0, rows - 1).astype(int)
        j = np.clip(np.rint(x / 4), 0, columns - 1).astype(int)
        return np.asarray(smoothstep((self._sky[i, j].astype(np.float64) - 0.25) / 0.5), np.float64)

    def _wings(self, time: float) -> F64:
        """Angle of the inner wings above level, radians: beating in bursts, gliding between."""
        burst = np.clip(1.5 * np.sin(2 * math.pi * self._slow[0] * 1.7 * time + self._phase[2]) + 0.9, 0, 1)
        return np.asarray(_GLIDE + _RAISED * burst * np.sin(self._turn(time)), np.float64)

    def _bend(self, time: float) -> F64:
        return np.asarray(0.5 + 0.5 * np.cos(self._turn(time)), np.float64)

    def _turn(self, time: float) -> F64:
        return np.asarray(2 * math.pi * self._pace * time + self._phase[3], np.float64)
