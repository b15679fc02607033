"""Shafts of light from the sun, or from where the light comes in, that widen, drift and breathe; and the flare that the
sun draws in a lens."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import CB, COLOUR, CR, GAIN, LIFT
from vivant.engines.diorama.motion.light.stage import Stage
from vivant.engines.diorama.motion.light.tones import Colour, colour_of, follow, lit_by, neutral, screen, towards
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

_WARM: Final = np.array([1.0, 0.84, 0.60])
_BESIDE: Final = np.array([0.44, 0.47, 0.52])  # what lights the ground between shafts, linear RGB
_SHAFTS: Final = (9.0, 17.0, 31.0)  # waves of brightness in a radian about the source
_DRIFT: Final = (0.16, -0.23, 0.34)  # turns a second by which each goes around
_SOFT: Final = 0.13  # heights over which brightness is averaged that makes shafts stronger or weaker
_BRIGHT: Final = (60.0, 170.0)  # luma, 0..219, of what is dark and what is bright behind a shaft
_START: Final = 0.9  # s, over which the shafts that are added take the place of none

_SLIDE: Final = 0.13  # share of their way from the sun by which the ghosts of a lens slide to and fro
# Of a lens: (place on the line from the sun through the middle, radius in heights, light, linear RGB); 0 is the sun.
_GHOSTS: Final = (
    (0.42, 0.035, 0.5, (0.9, 0.7, 0.4)),
    (0.68, 0.062, 0.34, (0.5, 0.9, 0.55)),
    (1.18, 0.024, 0.6, (0.55, 0.7, 1.0)),
    (1.46, 0.105, 0.3, (0.95, 0.55, 0.5)),
    (1.82, 0.050, 0.42, (0.45, 0.6, 1.0)),
)


class Rays:
    """Shafts from one point: the sun if it is seen, else a place above the brighter side."""

    def __init__(self, stage: Stage, strength: float) -> None:
        self._stage, self._strength = stage, strength
        self._source = find_source(stage)
        sx, sy = self._source
        ratio = stage.width / stage.height
        across, down = (stage.x - sx) * ratio, stage.y - sy
        self._angle = np.arctan2(across, down).astype(np.float32)
        far = np.hypot(across, down)
        reach = 1.5 if sy < 0 else 0.9
        fall = np.exp(-((far / reach) ** 2)) * smoothstep(far / 0.2)
        # Light that comes from above goes down; from a sun low in the sky it goes all around, more to below.
        below = 0.35 + 0.65 * smoothstep((down / 0.25 + 0.5).astype(np.float32))
        # Shafts lie in the air before all that is far, sky and ground alike: what they cross changes how they are seen
        # but gradually, so that none ends at the outline of a mountain or of its image in a lake.
        bright = smoothstep((filters.blur(stage.luma, _SOFT * stage.shape[0]) - _BRIGHT[0]) / (_BRIGHT[1] - _BRIGHT[0]))
        self._where = (fall * below * (1 - 0.62 * bright) * (1 - 0.55 * stage.faces)).astype(np.float32)
        # On what is bright a shaft is seen by the dimmer air beside it.
        self._beside = (fall * below * (0.12 + 0.33 * bright) * (1 - 0.7 * stage.faces)).astype(np.float32)
        chance = rng(stage.seed, "light/rays")
        self._phase = chance.uniform(0, 2 * math.pi, 3)
        self._breath = chance.uniform(0.14, 0.24)
        warm = _WARM if stage.scene.facts.brightness > 0.3 else np.array([0.86, 0.92, 1.0])
        self._colour = colour_of(warm)

    def tone(self, n: int, share: float) -> F32:
        """float32 (7, rows, columns) at frame n; share: 0..1 of the light."""
        t = n / FPS
        shafts = np.zeros_like(self._angle)
        for waves, drift, phase, part in zip(_SHAFTS, _DRIFT, self._phase, (0.5, 0.32, 0.18), strict=True):
            turn = waves * self._angle + 2 * math.pi * drift * t + phase
            shafts += np.float32(part) * np.sin(turn.astype(np.float32))
        shafts = smoothstep((shafts + 0.35) / np.float32(1.15))
        come = float(smoothstep(np.array(t / _START)))
        breath = 0.86 + 0.14 * math.sin(2 * math.pi * self._breath * t)
        amount = (0.31 + 0.64 * self._strength) * come * breath * share
        dimmed = np.clip(np.float32(amount) * (1 - shafts) * self._beside, 0, 0.8).astype(np.float32)
        light = np.clip(np.float32(amount) * (0.06 + 0.94 * shafts) * self._where, 0, 0.8).astype(np.float32)
        return follow(towards(lit_by(_BESIDE), dimmed), screen(light, self._colour))


class Flare:
    """A glow about the sun, a streak, and the ghosts of a lens on the line through the middle of the picture."""

    def __init__(self, stage: Stage, strength: float) -> None:
        self._stage, self._strength = stage, strength
        self._ratio = stage.width / stage.height
        self._source = find_source(stage)

    def tone(self, n: int, share: float) -> F32:
        """float32 (7, rows, columns) at frame n; share: 0..1 of the light."""
        stage, t = self._stage, n / FPS
        sx, sy = self._source
        come = share * float(smoothstep(np.array(t / 0.8)))
        shimmer = 1 + 0.1 * math.sin(2 * math.pi * 0.7 * t) + 0.05 * math.sin(2 * math.pi * 1.9 * t + 1)
        amount = come * (0.6 + 1.0 * self._strength) * shimmer
        across, down = (stage.x - sx) * self._ratio, stage.y - sy
        far = np.hypot(across, down)
        glow = 0.8 * np.exp(-((far / 0.07) ** 2)) + 0.4 * np.exp(-far / 0.18)
        glow = glow + 0.30 * np.exp(-((down / 0.012) ** 2) - (np.abs(across) / 0.75))
        total = _add(neutral(*stage.shape), (amount * glow).astype(np.float32), colour_of(np.array([1.0, 0.85, 0.6])))
        # The ghosts slide along their line and a little across it, as they do with a hand that holds the camera.
        sway = _SLIDE * (math.sin(2 * math.pi * 0.19 * t) + 0.4 * math.sin(2 * math.pi * 0.43 * t))
        lean = 0.35 * _SLIDE * math.sin(2 * math.pi * 0.27 * t)
        for place, radius, light, rgb in _GHOSTS:
            along = place * (1 + sway)
            gx = sx + (0.5 - sx) * along - (0.5 - sy) * lean * place
            gy = sy + (0.5 - sy) * along + (0.5 - sx) * lean * place
            gone = np.hypot((stage.x - gx) * self._ratio, stage.y - gy) / radius
            disc = np.clip((1.05 - gone) * 9, 0, 1) * (0.55 + 0.45 * np.clip(gone, 0, 1) ** 3)
            total = _add(total, (amount * light * disc).astype(np.float32), colour_of(np.array(rgb)))
        return total


def find_source(stage: Stage) -> tuple[float, float]:
    """Where the light comes from, shares of the canvas: the sun, else a place above the upper border."""
    sun = stage.shining.sun
    if sun is not None:
        return sun.x / stage.width, sun.y / stage.height
    return 0.12 + 0.76 * stage.brightest_side, -0.22


def _add(tone: F32, light: F32, colour: Colour) -> F32:
    """Light on top of a tone, in place: as a screen where it is strong."""
    cover = np.clip(light, 0, 0.9)
    tone[GAIN] *= 1 - 0.6 * cover
    tone[COLOUR] *= 1 - 0.5 * cover
    tone[LIFT] = tone[LIFT] * (1 - 0.6 * cover) + cover * colour.luma * 0.9
    tone[CB] += cover * colour.cb
    tone[CR] += cover * colour.cr
    return tone
