"""Everything that moves by itself in one clip: the storyboard's motions, each made where the picture has room for it,
and added up frame by frame. What a motion looks like is in the module of its name; where it may be, in `places`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np

from vivant.engines.diorama.motion.ambient import clouds, falls, fire
from vivant.engines.diorama.motion.ambient.air import Air, air
from vivant.engines.diorama.motion.ambient.bubbles import Bubbles
from vivant.engines.diorama.motion.ambient.drawn_clouds import DrawnClouds
from vivant.engines.diorama.motion.ambient.embers import Embers
from vivant.engines.diorama.motion.ambient.fog import Fog
from vivant.engines.diorama.motion.ambient.haze import Haze
from vivant.engines.diorama.motion.ambient.leaves import Leaves
from vivant.engines.diorama.motion.ambient.lightning import Lightning
from vivant.engines.diorama.motion.ambient.motes import Dust, Fireflies
from vivant.engines.diorama.motion.ambient.places import DOUBTFUL, Places, may_move
from vivant.engines.diorama.motion.ambient.rain import Rain
from vivant.engines.diorama.motion.ambient.ripples import Ripples
from vivant.engines.diorama.motion.ambient.snow import Snow
from vivant.engines.diorama.motion.ambient.stream import Current, Stream
from vivant.engines.diorama.motion.ambient.sway import Sway
from vivant.engines.diorama.motion.ambient.water import Water
from vivant.engines.diorama.motion.fields import Ambient, Field, FieldSum, Flow, average_quarter
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Motion, Storyboard
from vivant.engines.diorama.timing.timeline import Event, Timeline
from vivant.media import F32, Planes


def compose(scene: Scene, storyboard: Storyboard, timeline: Timeline) -> Ambient:
    """The sum of all motions of the storyboard in this scene. A motion whose region is not there adds nothing."""
    cast = _Cast(air(scene, storyboard, timeline), Places(scene))
    for motion in storyboard.motions:
        match motion.kind:
            case "rain":
                cast.rain(motion)
            case "snow":
                cast.snow(motion)
            case "water":
                cast.water(motion)
            case "falls":
                cast.falls(motion)
            case "clouds":
                cast.clouds(motion)
            case "wind":
                cast.wind(motion)
            case "fire":
                cast.fire(motion, timeline.flicker)
            case "fog" | "smoke":
                cast.fog(motion)
            case "lightning":
                cast.lightning(motion, [event for event in timeline.events if event.kind == "strike"])
            case "leaves" | "petals":
                cast.leaves(motion, motion.kind)
            case "sparks":
                cast.sparks(motion)
            case "dust":
                cast.drawn.append(Dust(cast.air, motion.strength))
            case "fireflies":
                cast.drawn.append(Fireflies(cast.air, motion.strength))
            case "bubbles":
                cast.drawn.append(Bubbles(cast.air, motion.strength))
    return _Composition(cast)


class Displacement(Protocol):
    """What moves in the picture itself: adds its displacement and light at frame n."""

    def add(self, n: int, out: FieldSum) -> None: ...


class Overlay(Protocol):
    """What is in front of the camera: draws itself over frame n, in place."""

    def draw(self, n: int, frame: Planes) -> None: ...


class _Composition:
    """Implements Ambient."""

    def __init__(self, cast: _Cast) -> None:
        self._width, self._height = cast.air.width, cast.air.height
        self._moved, self._drawn = tuple(cast.moved), tuple(cast.drawn)
        self._stream = Stream(cast.air, cast.currents) if cast.currents else None

    def field(self, n: int) -> Field | None:
        if n == 0 or not self._moved:
            return None
        total = FieldSum.zero(self._width, self._height)
        for motion in self._moved:
            motion.add(n, total)
        return total.field()

    def flow(self, n: int) -> Flow | None:
        return None if self._stream is None else self._stream.flow(n)

    def overlay(self, n: int, frame: Planes) -> None:
        for motion in self._drawn:
            motion.draw(n, frame)


class _Cast:
    """What was found to move so far; each method adds the motion of its name if its place is there."""

    def __init__(self, breeze: Air, places: Places) -> None:
        self.air, self._places, self._scene = breeze, places, places.scene
        self.moved: list[Displacement] = []
        self.drawn: list[Overlay] = []
        self.currents: list[Current] = []
        self._falls = False

    def rain(self, motion: Motion) -> None:
        grey = 0.55 * self.air.bright + 0.45 * self.air.middle
        haze = Haze(self.air, self._scene.depth, 0.05 * motion.strength, 0.06 + 0.26 * motion.strength, grey)
        wet = average_quarter(self._places.water) * (self._scene.water.trust >= DOUBTFUL)
        ground = average_quarter(self._places.ground)
        self.drawn.append(Ripples(self.air, wet, ground, self._scene.horizon, motion.strength))
        self.drawn.append(Rain(self.air, motion.strength, self._places.occluder(), haze))

    def snow(self, motion: Motion) -> None:
        white = min(225.0, 0.8 * self.air.bright + 35)
        haze = Haze(self.air, self._scene.depth, 0.03 * motion.strength, 0.06 + 0.3 * motion.strength, white)
        self.drawn.append(Snow(self.air, motion.strength, self._places.occluder(), haze))

    def water(self, motion: Motion) -> None:
        scene = self._scene
        if not may_move(scene.water, motion):
            return
        self._fall(motion.strength)  # what falls does not lie: it falls, asked for or not
        weight = self._places.lying
        if weight.max() > 0:
            luma = average_quarter(scene.source.planes.y.astype(np.float32))
            rough = self._places.roughness
            self.moved.append(Water(self.air, weight, scene.horizon, scene.waterline, motion.strength, luma, rough))

    def falls(self, motion: Motion) -> None:
        if may_move(self._scene.water, motion):
            self._fall(motion.strength)

    def _fall(self, strength: float) -> None:
        if not self._falls:
            self._falls = True
            self._flow(falls.current(self.air, self._scene.source.planes.y, self._places.falling, strength))

    def clouds(self, motion: Motion) -> None:
        if not may_move(self._scene.sky, motion):
            return
        planes, sky = self._scene.source.planes, self._places.sky
        if self._places.is_drawn:
            self.moved.append(DrawnClouds(self.air, planes, sky, motion.strength, motion.direction))
        else:
            self._flow(clouds.current(self.air, planes.y, sky, motion.strength, motion.direction))

    def wind(self, motion: Motion) -> None:
        if may_move(self._scene.plants, motion):
            blossom = self._places.blossom is not None and motion.origin == "prompt"
            weight, firm = self._places.plants(with_blossom=blossom)
            if weight.max() > 0:
                glint = 0.0 if self._places.is_drawn else 1.0  # flat colours have no leaves to turn
                self.moved.append(Sway(self.air, weight, firm, motion.strength, glint))

    def fire(self, motion: Motion, flicker: F32) -> None:
        if may_move(self._scene.fire, motion):
            self.moved.append(fire.Flames(self.air, self._scene.fire.mask, flicker, motion.strength))
            self._flow(fire.current(self.air, self._scene.fire.mask, motion.strength))

    def fog(self, motion: Motion) -> None:
        smoke = motion.kind == "smoke"
        over_fire = smoke and may_move(self._scene.fire, motion)
        where = self._places.banks(smoke=smoke, over_fire=over_fire)
        luma = min(205.0, 0.5 * self.air.bright + 0.4 * self.air.middle + 14) - 22 * smoke
        rising, billow = (0.10, 1.0) if smoke else (0.0, 0.35)
        self.drawn.append(Fog(self.air, where, luma, motion.strength, rising=rising, billow=billow))

    def lightning(self, motion: Motion, strikes: Sequence[Event]) -> None:
        if strikes and may_move(self._scene.sky, motion):
            ground = float(np.flatnonzero((self._scene.sky.mask > 0.5).any(axis=1))[-1])
            bolts = Lightning(self.air, strikes, self._places.sky, self._scene.source.planes.y, ground)
            self.moved.append(bolts)
            self.drawn.append(bolts)

    def leaves(self, motion: Motion, what: Literal["leaves", "petals"]) -> None:
        tint = self._places.blossom if what == "petals" else None
        self.drawn.append(Leaves(self.air, what, motion.strength, tint, self._places.occluder()))

    def sparks(self, motion: Motion) -> None:
        seen = may_move(self._scene.fire, motion)
        hearth = average_quarter(self._scene.fire.mask) if seen else None
        self.drawn.append(Embers(self.air, hearth, motion.strength))

    def _flow(self, current: Current | None) -> None:
        if current is not None:
            self.currents.append(current)
