"""All light of one clip: each lighting of the storyboard is made by the function of its kind, and the tones of a frame
follow one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.motion.fields import CB_BY_LUMA, Illumination, Shade, Stars
from vivant.engines.diorama.motion.light.daylight import NIGHT, Dawn, Daylight
from vivant.engines.diorama.motion.light.grading import GRADES, Grading
from vivant.engines.diorama.motion.light.lamplight import LampsOn, MoonGlow, NeonFlicker, RoomLight
from vivant.engines.diorama.motion.light.rays import Flare, Rays
from vivant.engines.diorama.motion.light.shadows import CloudShadows, MovingSunlight
from vivant.engines.diorama.motion.light.stage import Stage
from vivant.engines.diorama.motion.light.starlight import Starfield
from vivant.engines.diorama.motion.light.tones import follow, neutral
from vivant.engines.diorama.motion.light.windows import Windows
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Lighting, LightKind, Storyboard
from vivant.engines.diorama.timing.timeline import Timeline
from vivant.media import F32, U8

_DUSK: Final = 0.6  # how far into the evening the sun sets, of the way from day to night
_STARS_FROM: Final = 0.66  # the moment from which stars come out
_FEWEST: Final = 40  # windows of a town
_WEATHER: Final = frozenset({"rain", "snow", "fog"})  # in which night brings no stars
# What is part of a greater change: where that is, it is done by it.
_PART_OF: Final[dict[LightKind, frozenset[LightKind]]] = {
    "dusk": frozenset({"night"}),
    "dark": frozenset({"night", "dusk"}),
    "bright": frozenset({"dawn", "lamps"}),
    "golden": frozenset({"dusk", "dawn"}),
    "flicker": frozenset({"neon"}),
}


@dataclass(frozen=True, slots=True)
class TonePair:
    """What one lighting does at a frame. sky None: the same as `ground`. curve: float32 (256,) or None."""

    ground: F32
    sky: F32 | None = None
    curve: F32 | None = None


Effect = Callable[[int, float], TonePair]  # of the frame and of how far, or how much, it is there


def compose_light(
    scene: Scene, storyboard: Storyboard, timeline: Timeline, sky_share: U8 | None = None
) -> Illumination | None:
    """The light of a clip; None where it stays as it is. sky_share: uint8 (h, w), the sky's share of each pixel, where
    it is known already."""
    if not storyboard.lights:
        return None
    return _Illumination(Stage(scene, storyboard.seed, sky_share), storyboard, timeline)


class _Illumination:
    """Implements Illumination."""

    def __init__(self, stage: Stage, storyboard: Storyboard, timeline: Timeline) -> None:
        self._stage, self._frames = stage, timeline.frames
        self._side = -1.0 if any(m.kind == "clouds" and m.direction == "left" for m in storyboard.motions) else 1.0
        lights = dict(zip((light.kind for light in storyboard.lights), storyboard.lights, strict=True))
        self._curves = dict(zip(lights, timeline.lights, strict=True))
        self._effects: dict[LightKind, Effect] = {}
        for kind, light in lights.items():
            if not lights.keys() & _PART_OF.get(kind, frozenset()):
                self._effects[kind] = self._make(light)
        evening = "night" if "night" in lights else ""
        self._windows: Windows | None = None
        self._lit_by: LightKind = "night" if evening else "lamps"
        if (evening or "lamps" in lights) and int(stage.shining.windows.max()) >= _FEWEST:
            # By night a third of them is lit, in the blue hour; lamps that are named come on all along.
            self._windows = Windows(stage, 0.72, 0.15) if evening else Windows(stage, 0.46, 0.26, 0.5)
        covered = any(motion.kind in _WEATHER for motion in storyboard.motions)
        self._starfield = Starfield(stage) if (evening and not covered) or "stars" in lights else None
        # Nothing but a grade or the time of day gives a black and white photograph a colour.
        self._grey = stage.scene.facts.grey and not lights.keys() & ({"night", "dusk", "dawn"} | GRADES.keys())
        # Only light that tells sky and ground apart, and stars, need to know of every pixel what it shows.
        needed = bool(lights.keys() & {"night", "dusk", "dawn", "stars"})
        self.sky_share: U8 | None = stage.sky_share if needed else None
        self._two = self.sky_share is not None
        self._sky_luma = stage.sky_luma if self._two else np.zeros(stage.shape, np.float32)

    def shade(self, n: int) -> Shade | None:
        if n == 0:
            return None
        ground: F32 | None = None
        sky: F32 | None = None
        curve: F32 | None = None
        for kind, effect in self._effects.items():
            share = float(self._curves[kind][n])
            if share <= 0:
                continue
            tones = effect(n, share)
            ground = _after(ground, tones.ground)
            sky = _after(sky, tones.ground if tones.sky is None else tones.sky) if self._two else None
            curve = curve if tones.curve is None else tones.curve
        glow = None if self._windows is None else self._windows.glow(float(self._curves[self._lit_by][n]))
        if glow is not None and self._windows is not None:
            halo = self._windows.halo(glow, self._dark(n))
            ground, sky = _after(ground, halo), _after(sky, halo) if self._two else None
        if ground is None:
            return None
        return Shade(self._on_grid(ground), None if sky is None else self._on_grid(sky), self._sky_luma, curve, glow)

    def _on_grid(self, tone: F32) -> F32:
        whole = np.ascontiguousarray(np.broadcast_to(tone, (7, *self._stage.shape)), np.float32)
        if self._grey:
            whole = np.concatenate([whole[:CB_BY_LUMA], np.zeros_like(whole[CB_BY_LUMA:])])
        return whole

    def stars(self, n: int) -> Stars | None:
        if self._starfield is None or n == 0:
            return None
        share = float(self._curves["stars"][n]) if "stars" in self._curves else 0.0
        if "night" in self._curves:
            share = max(share, (float(self._curves["night"][n]) - _STARS_FROM) / (1 - _STARS_FROM))
        return self._starfield.stars(n, share) if share > 0 else None

    def _dark(self, n: int) -> float:
        """0 by day .. 1 by night."""
        fallen = float(self._curves["night"][n]) if "night" in self._curves else 0.0
        return max(fallen, float(np.clip(1.4 - 2.4 * self._stage.scene.facts.brightness, 0, 1)))

    def _make(self, light: Lighting) -> Effect:
        stage, strength = self._stage, light.strength
        if light.kind in GRADES:
            grading = Grading(stage, light.kind, strength)
            return lambda n, share: TonePair(grading.tone(n, share), curve=grading.curve(share))
        if light.kind in ("night", "dusk"):
            return self._evening(NIGHT if light.kind == "night" else min(NIGHT, _DUSK + 0.2 * (strength - 0.5)))
        return _MAKERS[light.kind](stage, strength, self._side, self._frames)

    def _evening(self, until: float) -> Effect:
        daylight = Daylight(self._stage)
        return lambda n, share: TonePair(daylight.ground(until * share), daylight.sky(until * share))


def _after(first: F32 | None, second: F32) -> F32:
    return second if first is None else follow(first, second)


def _dawn(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    dawn = Dawn(stage)
    return lambda n, share: TonePair(*dawn.tones(share))


def _lamps(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    if int(stage.shining.windows.max()) >= _FEWEST and not stage.shining.lamps:
        return lambda n, share: TonePair(neutral(1, 1))
    lamps = LampsOn(stage, strength)
    return lambda n, share: TonePair(lamps.tone(share))


def _dark(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    room = RoomLight(stage, strength, frames)
    return lambda n, share: TonePair(room.darken(share))


def _bright(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    room = RoomLight(stage, strength, frames)
    return lambda n, share: TonePair(room.brighten(share))


def _flicker(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    room = RoomLight(stage, strength, frames)
    return lambda n, share: TonePair(room.flicker(n, share))


def _neon(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    if not int(stage.shining.signs.max()):
        return lambda n, share: TonePair(neutral(1, 1))
    neon = NeonFlicker(stage, strength, frames)
    return lambda n, share: TonePair(neon.tone(n, share))


def _shadows(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    shadows = CloudShadows(stage, strength, side)
    return lambda n, share: TonePair(shadows.tone(n, share), neutral(1, 1))


def _sweep(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    sunlight = MovingSunlight(stage, strength, side)
    return lambda n, share: TonePair(sunlight.tone(share))


def _rays(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    rays = Rays(stage, strength)
    return lambda n, share: TonePair(rays.tone(n, share))


def _flare(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    flare = Flare(stage, strength)
    return lambda n, share: TonePair(flare.tone(n, share))


def _moon(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    moon = MoonGlow(stage, strength)
    return lambda n, share: TonePair(moon.tone(n, share))


def _stars(stage: Stage, strength: float, side: float, frames: int) -> Effect:
    return lambda n, share: TonePair(neutral(1, 1))


_MAKERS: Final[dict[LightKind, Callable[[Stage, float, float, int], Effect]]] = {
    "dawn": _dawn,
    "lamps": _lamps,
    "dark": _dark,
    "bright": _bright,
    "sweep": _sweep,
    "neon": _neon,
    "flicker": _flicker,
    "shadows": _shadows,
    "rays": _rays,
    "flare": _flare,
    "stars": _stars,
    "moon": _moon,
}
