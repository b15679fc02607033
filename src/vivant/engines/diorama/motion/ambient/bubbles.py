"""Bubbles: thin spheres that rise and wobble, a bright rim and one highlight each."""

from __future__ import annotations

import math

import numpy as np

from vivant.engines.diorama.motion.ambient import capsules, rings
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.lens import GOLDEN, Lens, wrap_around
from vivant.engines.diorama.random_streams import rng
from vivant.media import Planes
from vivant.request import FPS


class Bubbles:
    """Many small ones, a few large."""

    def __init__(self, air: Air, strength: float) -> None:
        chance = rng(air.seed, "bubbles")
        count = round(air.area * (18 + 70 * strength))
        share = (np.arange(count)[::-1] + chance.random(count)) / count
        z = 0.7 * (5.0 / 0.7) ** (share**0.6)
        lens = Lens.of(air, focus=1.8, open_at_720p=2.4)
        self._pixels, self._blur = lens.pixels(z), lens.blur(z)
        size = chance.lognormal(math.log(0.02), 0.45, count)  # metres, radius
        self._radius = np.clip(size * self._pixels, 1.2 * air.scale, 46 * air.scale)
        # Larger ones rise faster.
        self._rise = 0.16 * np.sqrt(size / 0.012) * chance.uniform(0.8, 1.25, count)
        self._rate = chance.uniform(1.6, 3.4, count)
        self._phase = chance.uniform(0, 2 * math.pi, (2, count))
        self._place = chance.random((2, count))
        self._alpha = chance.uniform(0.6, 1, count) * np.exp(-z / 9)
        self._air = air

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._air.opacity[n])
        if opacity <= 0:
            return
        air, time = self._air, n / FPS
        turn = self._rate * time + self._phase[0]
        margin = self._radius + 3 * self._blur + 4
        room_y, room_x = air.height + 2 * margin, air.width + 2 * margin
        y, again = wrap_around(self._place[1], -self._rise * time * self._pixels, room_y)
        sway = 0.02 * np.sin(turn) + 0.008 * np.sin(2.1 * turn + self._phase[1])
        travel = (sway + 0.25 * float(air.drift[n])) * self._pixels - again * GOLDEN * room_x
        x, _ = wrap_around(self._place[0], travel, room_x)
        x, y = x - margin, y - margin
        wobble = 1 + 0.05 * np.sin(2.7 * turn + self._phase[1])
        out = rings.make_batch(len(x))
        out["x"], out["y"] = x, y
        out["radius_x"], out["radius_y"] = self._radius * wobble, self._radius / wobble
        out["thickness"] = np.clip(0.09 * self._radius, 0.6, 3) + 0.5 * self._blur
        fade = self._alpha * opacity * self._radius / (self._radius + self._blur)
        out["lift"], out["sink"] = 78 * fade, 12 * fade
        rings.draw(frame, out)
        shine = capsules.make_batch(2 * len(x))
        for part, where, size, alpha in ((shine[: len(x)], -0.42, 0.2, 0.8), (shine[len(x) :], 0.45, 0.12, 0.35)):
            at_x, at_y = x + where * self._radius, y + where * self._radius
            part["x0"], part["y0"] = at_x - 0.1 * self._radius, at_y + 0.1 * self._radius
            part["x1"], part["y1"] = at_x + 0.1 * self._radius, at_y - 0.1 * self._radius
            part["radius"] = size * self._radius * 0.6
            part["soft"] = np.maximum(0.5, 0.12 * self._radius + self._blur)
            part["alpha"] = alpha * fade
            part["bright"] = part["shade"] = 232
            part["cb"] = part["cr"] = 128
        capsules.draw(frame, shine)
