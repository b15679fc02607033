"""Shadows of clouds that pass over the ground, and a patch of sunlight that moves across: patterns on the ground plane,
seen in perspective."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smootherstep, smoothstep
from vivant.engines.diorama.motion.fields import average_quarter
from vivant.engines.diorama.motion.light.stage import Stage
from vivant.engines.diorama.motion.light.tones import follow, lit_by, neutral, towards
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

_SHADE: Final = np.array([0.40, 0.50, 0.66])  # of sunlit ground, linear RGB, at full strength: the sky still lights it
_FARTHEST: Final = 2.7  # against the foreground: farther away the shadows would be too small to be seen
_SIZE: Final = 256  # of the repeating pattern
_SPEED: Final = 0.085  # patterns a second, at full strength
_START: Final = 1.3  # s, over which the shadows that lay there at frame 0 are let go
_SUNNY: Final = (70.0, 120.0)  # luma of ground on which no sun, and all of it, is taken to shine


class CloudShadows:
    """One pattern for a clip."""

    def __init__(self, stage: Stage, strength: float, side: float) -> None:
        """side: -1 or 1, where the clouds go; strength: 0..1."""
        self._strength = strength
        chance = rng(stage.seed, "light/shadows")
        self._pattern = make_pattern(chance, 3.1)
        rows, columns = stage.shape
        # Distances on the ground, 1 in the foreground; what stands higher than the horizon is as far as its foot.
        below = np.maximum(stage.y - (stage.horizon - 0.05), 0.17) / max(0.2, 1.05 - stage.horizon)
        far = np.minimum(1 / below, _FARTHEST)
        climbing = np.clip(stage.horizon - stage.y, 0, 1) * 1.8
        self._z = np.broadcast_to(0.3 * far + climbing, (rows, columns)).astype(np.float32)
        self._x = ((stage.x - 0.5) * far * 0.36).astype(np.float32)
        self._go = np.float32(side * _SPEED * (0.6 + 0.8 * strength))
        sunny = np.clip((filters.blur(stage.luma, 2) - _SUNNY[0] + 40) / (_SUNNY[1] - _SUNNY[0]), 0.35, 1)
        # Mist along the rim of the sky is half sky, and no ground on which a shadow would lie.
        above = filters.blur(np.maximum(stage.sky, average_quarter(stage.scene.sky.mask)), 2.5)
        ground = np.clip(1 - 2.2 * above, 0, 1)
        weight = ground * (1 - 0.45 * stage.water) * (1 - 0.5 * stage.faces) * (1 - stage.fire) * sunny
        self._weight = np.asarray(weight, np.float32)
        self._first = self._cover(0.0)

    def tone(self, n: int, share: float) -> F32:
        """float32 (7, rows, columns) at frame n; share: 0..1 of them."""
        t = n / FPS
        start = 1 - float(smootherstep(np.array(t / _START)))
        # Where a shadow lay at frame 0 the picture has it already: as it leaves, that place grows brighter a little.
        cover = self._cover(t) - np.float32(start) * self._first
        weight = (np.clip(cover, -0.3, 1) * self._weight * np.float32(share)).astype(np.float32)
        light = _SHADE ** (0.35 + 1.3 * self._strength)
        return towards(lit_by(light, 0.94), weight)

    def _cover(self, t: float) -> F32:
        """How much cloud is between the sun and each place, 0..1."""
        x = self._x - np.float32(t) * self._go
        cloud = filters.sample(self._pattern, _wrap(x), _wrap(self._z + np.float32(0.21 * abs(self._go) * t)))
        return smoothstep(((cloud - 0.36) / 0.42).astype(np.float32))


class MovingSunlight:
    """A soft band of sunlight that goes across the whole picture, warm in the light, a little darker beside it."""

    def __init__(self, stage: Stage, strength: float, side: float) -> None:
        self._stage, self._side = stage, side
        self._strength = strength
        slant = 0.45 * (stage.y - 0.5) * stage.height / stage.width
        self._across = (stage.x + np.float32(side) * slant).astype(np.float32)
        self._keep = (1 - 0.35 * stage.faces - 0.5 * stage.sky).astype(np.float32)

    def tone(self, share: float) -> F32:
        """float32 (7, rows, columns). share: 0..1 of the way."""
        if share <= 0:
            return neutral(1, 1)
        come = float(smoothstep(np.array(share / 0.16)))
        at = -0.1 + 1.2 * share
        at = at if self._side > 0 else 1 - at
        band = np.exp(-(((self._across - np.float32(at)) / 0.2) ** 2))
        amount = (0.4 + 0.9 * self._strength) * come
        light = lit_by(np.array([1.85, 1.55, 1.1]), 1.0)
        dark = lit_by(np.array([0.66, 0.7, 0.78]), 0.97)
        lit = towards(light, (band * amount * self._keep).astype(np.float32))
        shaded = towards(dark, ((1 - band) * amount * self._keep).astype(np.float32))
        return follow(lit, shaded)


def make_pattern(chance: np.random.Generator, slope: float) -> F32:
    """float32 (256, 256), 0..1, evenly spread, repeating: noise whose amplitude falls with frequency**-slope."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(_SIZE), np.fft.fftfreq(_SIZE)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(chance.normal(size=(_SIZE, _SIZE))) * np.minimum(frequency, 1) ** -(slope / 2 + 0.5)
    spectrum[frequency < 1.5 / _SIZE] *= 0.4
    spectrum[0, 0] = 0
    values = np.fft.ifft2(spectrum).real
    ranks = values.ravel().argsort().argsort().reshape(values.shape)
    return (ranks / values.size).astype(np.float32)


def _wrap(turns: F32) -> F32:
    """Positions in a repeating pattern, in turns, as samples of it."""
    return np.asarray(np.mod(turns, 1) * np.float32(_SIZE - 1), np.float32)
