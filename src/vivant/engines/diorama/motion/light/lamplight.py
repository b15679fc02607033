"""Light of lamps and signs: a lamp that comes on and lights what is near, neon signs that flicker, the light of a whole
room that rises, falls or flickers, the glow about the moon."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.light.stage import Stage
from vivant.engines.diorama.motion.light.tones import Colour, colour_of, follow, lit_by, screen, towards
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

_LAMP: Final = np.array([1.0, 0.70, 0.38])
_MOON: Final = np.array([0.72, 0.82, 1.0])
_OFF: Final = 0.16  # of its light that a sign keeps while it is off
_STEADY: Final = (0.5, 1.7)  # s for which a sign shines between two fits of flicker
_FIT: Final = (0.35, 0.95)  # s that such a fit lasts


class LampsOn:
    """Every lamp that is seen brightens and lights its surroundings, one after the other; without any, warm light fills
    the room from above."""

    def __init__(self, stage: Stage, strength: float) -> None:
        self._stage = stage
        chance = rng(stage.seed, "light/lamps")
        ratio = stage.width / stage.height
        self._lights: list[tuple[F32, float]] = []
        lamps = stage.shining.lamps[:8]
        for k, lamp in enumerate(lamps):
            x, y = lamp.x / stage.width, lamp.y / stage.height
            far = np.hypot((stage.x - x) * ratio, stage.y - y)
            radius = 0.10 + 3 * lamp.radius / stage.height
            near = 0.75 * np.exp(-((far / radius) ** 2)) + 0.35 / (1 + (far / (2 * radius)) ** 2) ** 1.35
            begins = 0.02 + 0.72 * k / max(1, len(lamps)) + 0.1 * float(chance.random())
            self._lights.append((np.asarray(near, np.float32), begins))
        if not lamps:
            far = np.hypot((stage.x - 0.5) * ratio * 0.7, stage.y + 0.15)
            self._lights.append(((0.95 / (1 + (far / 0.7) ** 2)).astype(np.float32), 0.02))
        self._strength = 0.55 + 0.9 * strength
        self._keep = (1 - 0.45 * stage.faces) * (1 - 0.6 * stage.sky)

    def tone(self, share: float) -> F32:
        """float32 (7, rows, columns). share: 0..1 of the way."""
        light = np.zeros(self._stage.shape, np.float32)
        for near, begins in self._lights:
            light += near * np.float32(_switch_on((share - begins) / 0.16))
        light = (np.minimum(light, 1.6) * self._strength * self._keep).astype(np.float32)
        lit = towards(lit_by(1 + 1.25 * _LAMP), light)
        return follow(lit, screen(np.clip(0.10 * light, 0, 0.3).astype(np.float32), colour_of(_LAMP)))


class NeonFlicker:
    """Each sign goes out and on again in fits, with the glow that it throws."""

    def __init__(self, stage: Stage, strength: float, frames: int) -> None:
        signs = stage.shining.signs
        count = int(signs.max())
        chance = rng(stage.seed, "light/neon")
        rows, columns = stage.shape
        # Signs near each other are one: they go out together.
        xs, ys = _middles(signs, count)
        self._lights: list[F32] = []
        self._curves: list[F32] = []
        groups = _group(xs, ys, 0.09 * stage.width)
        for group in groups:
            mask = np.isin(signs, group).astype(np.float32)
            near = filters.resize(mask, columns, rows)
            soft = np.maximum(
                np.clip(filters.blur(near, 0.8) * 1.5, 0, 1), 2.2 * filters.blur(near, 7 * max(0.6, stage.scale))
            )
            self._lights.append(np.clip(soft, 0, 1).astype(np.float32))
            self._curves.append(flicker_curve(chance, frames))
        self._strength = min(1.0, 0.5 + strength)

    def tone(self, n: int, share: float) -> F32:
        """float32 (7, rows, columns) at frame n."""
        light = np.zeros_like(self._lights[0])
        for near, curve in zip(self._lights, self._curves, strict=True):
            light = np.maximum(light, near * (1 - curve[n]))
        return towards(lit_by(np.full(3, 0.09), 0.8), (light * np.float32(self._strength * share)).astype(np.float32))


class RoomLight:
    """The light of everything rises, falls or flickers, more on the side that it comes from."""

    def __init__(self, stage: Stage, strength: float, frames: int) -> None:
        self._stage, self._strength = stage, strength
        side = np.exp(-(((stage.x - stage.brightest_side) / 0.7) ** 2))
        self._side = np.broadcast_to((0.55 + 0.45 * side).astype(np.float32), stage.shape)
        self._go = (1 - 0.35 * stage.faces) * (1 - 0.8 * stage.fire)
        self._curve = _flutter(rng(stage.seed, "light/flicker"), frames)

    def darken(self, share: float) -> F32:
        """float32 (7, rows, columns). share: 0..1 of the way."""
        light = np.array([0.13, 0.15, 0.2]) ** (0.5 + 0.7 * self._strength)
        return self._stage.keep_skin(towards(lit_by(light, 0.75), (np.float32(share) * self._go).astype(np.float32)))

    def brighten(self, share: float) -> F32:
        """float32 (7, rows, columns). share: 0..1 of the way."""
        light = lit_by(np.array([1.9, 1.75, 1.5]) ** (0.4 + 0.8 * self._strength), 1.0)
        return towards(light, (np.float32(share) * self._go * self._side).astype(np.float32))

    def flicker(self, n: int, share: float) -> F32:
        """float32 (7, rows, columns) at frame n."""
        light = lit_by(np.full(3, 0.42 - 0.2 * self._strength), 0.9)
        return towards(light, (np.float32(share * self._curve[n]) * self._go * self._side).astype(np.float32))


class MoonGlow:
    """The halo of the moon, which breathes as thin cloud passes before it."""

    def __init__(self, stage: Stage, strength: float) -> None:
        moon = stage.shining.sun
        self._light = np.zeros(stage.shape, np.float32)
        self._colour = colour_of(_MOON)
        if moon is not None:
            far = np.hypot(stage.x * stage.width - moon.x, stage.y * stage.height - moon.y) - moon.radius
            far = np.maximum(far, 0) / stage.height
            near = (0.42 * np.exp(-far / 0.05) + 0.22 * np.exp(-far / 0.26)) * smoothstep(far / 0.012)
            self._light = (near * (0.5 + 0.9 * strength)).astype(np.float32)
            # Half of its own colour, half of moonlight.
            planes, (x, y) = stage.scene.source.planes, (int(moon.x) // 2, int(moon.y) // 2)
            cb, cr = float(planes.u[y, x]) - 128, float(planes.v[y, x]) - 128
            night = self._colour
            self._colour = Colour(night.luma, 0.5 * (night.cb + cb), 0.5 * (night.cr + cr))

    def tone(self, n: int, share: float) -> F32:
        """float32 (7, rows, columns) at frame n."""
        t = n / FPS
        breath = 0.72 + 0.28 * math.sin(2 * math.pi * (0.31 * t - 0.2))
        come = float(smoothstep(np.array(t / 1.0)))
        light = np.clip(self._light * np.float32(come * breath * share), 0, 0.7).astype(np.float32)
        return screen(light, self._colour)


def flicker_curve(chance: np.random.Generator, frames: int) -> F32:
    """How bright a sign is, float32 (frames,), 0..1: it shines, then fails for some frames at a time. 1 at frame 0; a
    fit begins within the first half second and at least every two seconds."""
    curve = np.ones(frames, np.float32)
    at = float(chance.uniform(0.12, 0.45))
    while at * FPS < frames:
        stop = at + float(chance.uniform(*_FIT))
        n = max(1, round(at * FPS))
        while n < min(frames, stop * FPS):
            off = int(chance.integers(1, 5))
            curve[n : n + off] = _OFF + 0.25 * chance.random()
            n += off + int(chance.integers(2, 5))
        at = stop + float(chance.uniform(*_STEADY))
    return curve


def _flutter(chance: np.random.Generator, frames: int) -> F32:
    """How much light is missing, float32 (frames,), 0..1, 0 at frame 0: slow swings with short dips, as branches or
    clouds before a window make them."""
    t = np.arange(frames) / FPS
    rates, phases = np.array([0.55, 1.1, 2.3]), chance.uniform(0, 2 * math.pi, 3)
    waves = (np.sin(2 * math.pi * rates * t[:, None] + phases) * np.array([0.5, 0.32, 0.18])).sum(1)
    curve = np.clip(0.5 + 0.75 * waves, 0, 1) * smoothstep(t / 0.4)
    return np.asarray(curve, np.float32)


def _switch_on(share: float) -> float:
    """A lamp that is switched on: a first flash, then its full light."""
    if share <= 0:
        return 0.0
    flash = 0.35 * math.exp(-(((share - 0.12) / 0.08) ** 2))
    return min(1.0, float(smoothstep(np.array(share))) + flash)


def _middles(labels: np.ndarray[tuple[int, ...], np.dtype[np.int32]], count: int) -> tuple[F32, F32]:
    """Middles of the parts 1..count, canvas pixels, float32 (count,)."""
    rows, columns = np.nonzero(labels)
    numbers = labels[rows, columns]
    size = np.maximum(np.bincount(numbers, minlength=count + 1), 1)
    x = np.bincount(numbers, columns, minlength=count + 1) / size
    y = np.bincount(numbers, rows, minlength=count + 1) / size
    return x[1:].astype(np.float32), y[1:].astype(np.float32)


def _group(x: F32, y: F32, reach: float) -> list[list[int]]:
    """Numbers, from 1, of the parts that lie within `reach` pixels of each other."""
    near = np.hypot(x[:, None] - x[None], y[:, None] - y[None]) < reach
    left = set(range(len(x)))
    groups: list[list[int]] = []
    while left:
        found: set[int] = set()
        fresh = {min(left)}
        while fresh:
            found |= fresh
            fresh = {int(k) for one in fresh for k in np.flatnonzero(near[one])} - found
        left -= found
        groups.append(sorted(k + 1 for k in found))
    return groups
