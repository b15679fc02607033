"""Falling leaves, petals and confetti: they tumble, swing from side to side, and go with the wind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.motion.ambient import blades
from vivant.engines.diorama.motion.ambient.air import FADE_IN, Air
from vivant.engines.diorama.motion.ambient.capsules import Occluder
from vivant.engines.diorama.motion.ambient.lens import GOLDEN, Lens, wrap_around
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.random_streams import rng
from vivant.media import Planes, to_planes
from vivant.request import FPS

SHUTTER: Final = 0.4 / FPS  # seconds
THROWN: Final = 0.25  # seconds until what is thrown is there: it does not come on like weather


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What falls: lengths in metres, speeds in metres per second. colours: RGB."""

    length: float
    slim: float  # width over length, 0..1
    fall: float
    wind: float  # at wind 1
    swing: float  # metres to each side
    round: float  # see blades.py
    dimmest: float  # share of their brightness that they keep in a dark picture; petals are translucent
    few: int  # at 720p, strength 0
    many: int  # more at strength 1
    colours: tuple[tuple[int, int, int], ...]
    gleam: float = 9.0  # luma by which one half is brighter than the other
    flips: float = 1.0  # times as fast as a leaf it turns over


KINDS: Final[dict[str, Kind]] = {
    "leaves": Kind(
        length=0.085, slim=0.52, fall=1.15, wind=3.2, swing=0.22, round=0.0, dimmest=0.4, few=22, many=90,
        colours=((196, 120, 34), (172, 70, 28), (214, 160, 52), (148, 92, 40), (188, 56, 34), (160, 140, 60)),
    ),
    "petals": Kind(
        length=0.046, slim=0.72, fall=0.62, wind=2.2, swing=0.14, round=1.0, dimmest=0.8, few=40, many=170,
        colours=((250, 218, 226), (246, 196, 210), (255, 236, 238), (240, 178, 196)),
    ),
    "confetti": Kind(
        length=0.05, slim=0.6, fall=1.35, wind=1.3, swing=0.19, round=2.0, dimmest=0.75, few=170, many=480, gleam=26,
        flips=2.2,
        colours=(
            (232, 52, 64), (250, 186, 32), (42, 132, 226), (60, 180, 90), (238, 96, 168), (140, 84, 208),
            (246, 240, 228), (255, 140, 40),
        ),
    ),
}  # fmt: skip


class Leaves:
    """Leaves, petals or confetti through the whole depth of the picture."""

    def __init__(
        self,
        air: Air,
        what: Literal["leaves", "petals", "confetti"],
        strength: float,
        tint: NDArray[np.float64] | None,
        occluder: Occluder,
    ) -> None:
        """tint: RGB, 0..255, of a blossom in the picture, which petals take; None for the kind's own colours. strength:
        0..1."""
        kind = KINDS[what]
        chance = rng(air.seed, what)
        count = round(air.area * (kind.few + kind.many * strength))
        lens = Lens.of(air, focus=3.0, open_at_720p=6.0)
        share = (np.arange(count)[::-1] + chance.random(count)) / count  # far ones first: near ones are drawn over them
        self._z = 0.75 * (7.0 / 0.75) ** (share**0.6)
        self._pixels, blur = lens.pixels(self._z), lens.blur(self._z)
        self._length = 0.5 * kind.length * chance.lognormal(0, 0.25, count) * self._pixels
        self._width = self._length * kind.slim * chance.uniform(0.8, 1.2, count)
        self._soft = 0.6 * air.scale + 0.9 * blur
        self._alpha = np.clip(self._length / (self._length + 0.8 * blur), 0.25, 1) * 0.96
        self._fall = kind.fall * chance.normal(1, 0.2, count).clip(0.5, 1.6)
        self._wind = kind.wind * chance.uniform(0.7, 1.2, count)
        self._swing = kind.swing * chance.uniform(0.5, 1.3, count)
        self._rate = chance.uniform(2.2, 4.2, count)  # radians per second
        self._spin = kind.flips * chance.uniform(1.5, 5.0, count) * chance.choice([-1, 1], count)
        self._turn = self._spin / kind.flips  # in the plane of the picture
        self._phase = chance.uniform(0, 2 * math.pi, (3, count))
        self._place = chance.random((2, count))
        self._round, self._gleam = kind.round, kind.gleam
        self._opacity = air.opacity
        if what == "confetti":  # of weather that is there from the first frame on, only how it appears is shorter
            n = np.arange(air.frames)
            appears = smootherstep(n / (FADE_IN * FPS))
            sooner = smootherstep(n / (THROWN * FPS)) / np.maximum(appears, 1e-6)
            self._opacity = np.minimum(air.opacity * sooner, air.amplitude)
        colours = np.array(kind.colours, np.float64)
        if tint is not None:
            colours = np.stack([tint * s + 255 * (1 - s) for s in (1.0, 0.8, 0.65, 0.9)])
        chosen = colours[chance.integers(0, len(colours), count)] + chance.normal(0, 7, (count, 3))
        # As bright as the picture allows: at dusk a leaf must not be brighter than the lamps.
        light = np.clip((0.5 * air.middle + 0.7 * air.bright) / 150, kind.dimmest, 1.15)
        swatches = np.repeat(np.repeat(np.clip(chosen * light, 0, 255)[None], 2, 0), 2, 1).astype(np.uint8)
        planes = to_planes(swatches)
        self._luma, self._cb, self._cr = (p.astype(np.float64) for p in (planes.y[0, ::2], planes.u[0], planes.v[0]))
        self._air = air
        # How much each is hidden where the subject stands in front of it.
        self._behind = np.clip((self._z / occluder.distance - 0.8) / 0.4, 0, 1)
        self._cover = filters.blur(occluder.cover, 3.0 * air.scale) / 255

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._opacity[n])
        if opacity <= 0:
            return
        air, time = self._air, n / FPS
        one = self._rate * time + self._phase[0]
        # A leaf slides along its own plane: fastest in the middle of a swing; it sinks least at the ends.
        aside = self._swing * np.sin(one)
        slide = self._swing * self._rate * np.cos(one)
        bob = 0.3 * self._swing * np.sin(2 * one)
        margin = self._length + self._soft + 2
        room_y, room_x = air.height + 2 * margin, air.width + 2 * margin
        y, again = wrap_around(self._place[1], (self._fall * time + bob) * self._pixels, room_y)
        travel = (self._wind * float(air.drift[n]) + aside) * self._pixels + again * GOLDEN * room_x
        x, _ = wrap_around(self._place[0], travel, room_x)
        speed = np.hypot(slide + self._wind * float(air.wind[n]), self._fall) * self._pixels * SHUTTER
        tumble = self._spin * time + self._phase[1]
        facing = np.cos(tumble)
        out = blades.make_batch(len(self._z))
        out["x"], out["y"] = x - margin, y - margin
        out["length"] = self._length
        out["width"] = self._width * np.maximum(np.abs(facing), 0.12)
        out["angle"] = 0.9 * np.sin(one + 0.6) + 0.5 * self._turn * time + self._phase[2]
        out["soft"] = self._soft + 0.22 * speed
        out["alpha"] = self._alpha * opacity * self._length / (self._length + 0.25 * speed)
        rows = np.clip(out["y"] / STEP, 0, self._cover.shape[0] - 1).astype(int)
        columns = np.clip(out["x"] / STEP, 0, self._cover.shape[1] - 1).astype(int)
        out["alpha"] *= 1 - self._behind * self._cover[rows, columns]
        out["luma"] = np.clip(16 + (self._luma - 16) * (0.86 + 0.24 * facing), 24, 226)
        out["cb"], out["cr"] = self._cb, self._cr
        out["fold"] = self._gleam * np.sign(facing)
        out["roundness"] = self._round
        blades.draw(frame, out)
