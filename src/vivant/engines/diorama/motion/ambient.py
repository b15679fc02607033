"""Everything that moves by itself in one clip: reads the motions of the storyboard, finds where each may happen in this
picture, and adds them up frame by frame. What each motion looks like is in the module of its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, Literal, Protocol

import numpy as np

from vivant.engines.diorama.motion import clouds, falls, pin, sea, soft
from vivant.engines.diorama.motion import fire as flames
from vivant.engines.diorama.motion.air import Air, air
from vivant.engines.diorama.motion.bubbles import Bubbles
from vivant.engines.diorama.motion.capsules import Veil
from vivant.engines.diorama.motion.embers import Embers
from vivant.engines.diorama.motion.fields import Ambient, Field, Flow
from vivant.engines.diorama.motion.fire import Flames
from vivant.engines.diorama.motion.fog import Fog
from vivant.engines.diorama.motion.haze import Haze
from vivant.engines.diorama.motion.leaves import Leaves
from vivant.engines.diorama.motion.lightning import Lightning
from vivant.engines.diorama.motion.motes import Dust, Fireflies
from vivant.engines.diorama.motion.rain import Rain
from vivant.engines.diorama.motion.ripples import Ripples
from vivant.engines.diorama.motion.snow import Snow
from vivant.engines.diorama.motion.stream import Current, Stream
from vivant.engines.diorama.motion.sum import Sum
from vivant.engines.diorama.motion.sway import Sway
from vivant.engines.diorama.motion.water import Water
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import Motion, Storyboard
from vivant.engines.diorama.timeline import Event, Timeline
from vivant.media import F32, Planes


def compose(scene: Scene, storyboard: Storyboard, timeline: Timeline) -> Ambient:
    """The sum of all motions of the storyboard in this scene. A motion whose region is not there adds nothing."""
    whole = _Whole(air(scene, storyboard, timeline), scene)
    for motion in storyboard.motions:
        match motion.kind:
            case "rain":
                whole.add_rain(motion)
            case "snow":
                whole.add_snow(motion)
            case "water":
                whole.add_water(motion)
            case "falls":
                whole.add_falls(motion)
            case "clouds":
                whole.add_clouds(motion)
            case "wind":
                whole.add_wind(motion)
            case "leaves" | "petals":
                whole.add_leaves(motion, motion.kind)
            case "sparks":
                whole.add_sparks(motion)
            case "dust":
                whole.add(Dust(whole.air, motion.strength))
            case "fireflies":
                whole.add(Fireflies(whole.air, motion.strength))
            case "bubbles":
                whole.add(Bubbles(whole.air, motion.strength))
            case "fire":
                whole.add_fire(motion, timeline.curves["flicker"])
            case "fog" | "smoke":
                whole.add_fog(motion)
            case "lightning":
                whole.add_lightning(motion, [event for event in timeline.events if event.kind == "strike"])
    whole.settle()
    return whole


class Drawn(Protocol):
    """What is in front of the camera."""

    def draw(self, n: int, frame: Planes) -> None: ...


class Moved(Protocol):
    """What moves in the picture itself."""

    def add(self, n: int, out: Sum) -> None: ...


BLOSSOM: Final = 30.0  # mean chroma: petals are above, fur, cloth and skin below


class _Whole:
    """Implements Ambient. Filled motion by motion, then settled; after that it does not change."""

    def __init__(self, breeze: Air, scene: Scene) -> None:
        self.air, self._scene = breeze, scene
        self._moved: list[Moved] = []
        self._drawn: list[Drawn] = []
        self._currents: list[Current] = []
        self._stream: Stream | None = None
        self._falls = False

    def field(self, n: int) -> Field | None:
        if n == 0 or not self._moved:
            return None
        total = Sum.nothing(self.air.width, self.air.height)
        for motion in self._moved:
            motion.add(n, total)
        return total.field()

    def flow(self, n: int) -> Flow | None:
        return None if self._stream is None else self._stream.flow(n)

    def overlay(self, n: int, frame: Planes) -> None:
        for motion in self._drawn:
            motion.draw(n, frame)

    def settle(self) -> None:
        if self._currents:
            self._stream = Stream(self.air, self._currents)

    def add(self, drawn: Drawn) -> None:
        self._drawn.append(drawn)

    def add_rain(self, motion: Motion) -> None:
        luma = 0.55 * self.air.bright + 0.45 * self.air.middle
        haze = Haze(self.air, self._scene.depth, 0.05 * motion.strength, 0.06 + 0.26 * motion.strength, luma)
        water = pin.quarter(self._water) * (self._scene.water.trust >= 0.5)
        landing = Ripples(self.air, water, self._ground(), self._scene.horizon, motion.strength)
        self._drawn += [landing, Rain(self.air, motion.strength, self._veil(), haze)]

    def add_snow(self, motion: Motion) -> None:
        luma = min(225.0, 0.8 * self.air.bright + 35)
        haze = Haze(self.air, self._scene.depth, 0.03 * motion.strength, 0.06 + 0.3 * motion.strength, luma)
        self._drawn.append(Snow(self.air, motion.strength, self._veil(), haze))

    def add_water(self, motion: Motion) -> None:
        scene, breeze = self._scene, self.air
        if not may_move(scene.water, motion):
            return
        # What falls does not lie: its own current carries it, asked for or not.
        water = self._water * (1 - self._add_fall(motion.strength))
        rows = 4.0 * np.arange(-(-breeze.height // 4))[:, None]
        below = np.clip((rows - scene.waterline) / max(1.0, breeze.height - scene.waterline), 0, 1)
        ramp = ((5 + 26 * below**0.7) * breeze.scale * np.ones((1, -(-breeze.width // 4)))).astype(np.float32)
        weight = pin.pinned(water, ramp)
        if weight.max() <= 0:
            return
        luma = pin.quarter(scene.source.planes.y.astype(np.float32))
        self._moved.append(Water(breeze, weight, scene.horizon, scene.waterline, motion.strength, luma, self._sea))

    def add_falls(self, motion: Motion) -> None:
        if may_move(self._scene.water, motion):
            self._add_fall(motion.strength)

    def add_clouds(self, motion: Motion) -> None:
        scene = self._scene
        if may_move(scene.sky, motion):
            sky = scene.sky.mask * (1 - scene.matte.mask * min(1.0, 1.5 * scene.matte.trust))
            drift = clouds.current(self.air, scene.source.planes.y, sky, motion.strength, motion.direction)
            if drift is not None:
                self._currents.append(drift)

    def add_wind(self, motion: Motion) -> None:
        scene, scale = self._scene, self.air.scale
        if not may_move(scene.plants, motion):
            return
        subject = (scene.matte.mask * min(1.0, 1.5 * scene.matte.trust)).astype(np.float32)
        blossom = self._is_blossom and motion.origin == "prompt"
        mask = np.maximum(scene.plants.mask, subject) if blossom else scene.plants.mask * (1 - subject)
        fixed = np.zeros_like(subject) if blossom else subject
        weight = pin.carried(mask, scene.source.planes.y, fixed, reach=44 * scale, ramp=20 * scale)
        weight *= np.clip(0.3 + pin.quarter(scene.depth), 0, 1)  # far plants swing as much, and are seen to swing less
        if weight.max() > 0:
            grown = soft.blur(pin.quarter(subject), 6 * scale)
            firm = np.clip(2.2 * grown, 0, 1) if blossom else np.zeros_like(weight)
            self._moved.append(Sway(self.air, weight, firm, motion.strength))

    def add_leaves(self, motion: Motion, what: Literal["leaves", "petals"]) -> None:
        tint = None
        if what == "petals" and self._is_blossom:
            tint = np.asarray(np.median(self._scene.rgb[self._scene.matte.mask > 0.6], axis=0), np.float64)
        self.add(Leaves(self.air, what, motion.strength, tint))

    def add_sparks(self, motion: Motion) -> None:
        fire = self._scene.fire
        hearth = pin.quarter(fire.mask) if may_move(fire, motion) else None
        self.add(Embers(self.air, hearth, motion.strength))

    def add_fire(self, motion: Motion, flicker: F32) -> None:
        fire = self._scene.fire
        if may_move(fire, motion):
            self._moved.append(Flames(self.air, fire.mask, flicker, motion.strength))
            rising = flames.current(self.air, fire.mask, motion.strength)
            if rising is not None:
                self._currents.append(rising)

    def add_fog(self, motion: Motion) -> None:
        """Fog lies far away and low; smoke rises, from a fire if one is seen."""
        scene, smoke = self._scene, motion.kind == "smoke"
        rows = np.linspace(0, 1, self.air.height, dtype=np.float32)[:, None]
        far = 1 - soft.blur(scene.depth, 24 * self.air.scale)
        where = (0.25 + 0.75 * far) * (0.35 + 0.65 * rows) if not smoke else 0.55 + 0.3 * rows + 0 * far
        if smoke and may_move(scene.fire, motion):
            where = where * _above(scene.fire.mask) * (1 - np.clip(2 * soft.blur(scene.fire.mask, 4.0), 0, 1))
        subject = soft.blur(scene.matte.mask * scene.matte.trust, 10 * self.air.scale)
        luma = 0.5 * self.air.bright + 0.4 * self.air.middle + 14
        where = (where * (1 - 0.6 * subject)).astype(np.float32)
        rising, billow = (0.10, 1.0) if smoke else (0.0, 0.35)
        self.add(Fog(self.air, where, min(luma, 205.0) - 22 * smoke, motion.strength, rising=rising, billow=billow))

    def add_lightning(self, motion: Motion, strikes: Sequence[Event]) -> None:
        if strikes and may_move(self._scene.sky, motion):
            scene = self._scene
            ground = float(np.flatnonzero((scene.sky.mask > 0.5).any(axis=1))[-1])
            sky = scene.sky.mask * (1 - scene.matte.mask * min(1.0, 1.5 * scene.matte.trust))
            bolts = Lightning(self.air, strikes, sky.astype(np.float32), ground)
            self._moved.append(bolts)
            self._drawn.append(bolts)

    @property
    def _is_blossom(self) -> bool:
        """A subject among plants, as colourful as flowers are and without a face."""
        scene = self._scene
        inside = scene.matte.mask[::2, ::2] > 0.5
        if scene.matte.trust < 0.6 or scene.faces or not inside.any():
            return False
        planes = scene.source.planes
        colour = np.hypot(planes.u[inside].astype(np.float32) - 128, planes.v[inside].astype(np.float32) - 128)
        return float(colour.mean()) > BLOSSOM

    @cached_property
    def _sea(self) -> float:
        return sea.roughness(self._scene.source.planes.y, self._scene.water.mask)

    @cached_property
    def _water(self) -> F32:
        """What of the water mask is water: not the subject before it, not the rocks in it."""
        water = self._scene.water.mask * (1 - self._scene.matte.mask * min(1.0, 1.5 * self._scene.matte.trust))
        return water * (1 - sea.rocks(self._scene.source.planes.y, water)) if self._sea > 0.3 else water

    def _add_fall(self, strength: float) -> F32:
        """Make what falls fall, once; returns where that is, float32 (h, w)."""
        luma = self._scene.source.planes.y
        mask = falls.falling(luma, self._water, self.air.scale)
        current = None if self._falls else falls.current(self.air, luma, mask, strength)
        if current is not None:
            self._currents.append(current)
            self._falls = True
        return mask

    def _ground(self) -> F32:
        """Where rain may splash: open ground, low in the picture. float32, quarter grid; nothing in a portrait."""
        scene = self._scene
        if scene.faces and max(face.size for face in scene.faces) > 0.12 * self.air.height:
            return np.zeros((-(-self.air.height // 4), -(-self.air.width // 4)), np.float32)
        taken = np.maximum(
            np.maximum(scene.sky.mask, scene.water.mask), np.maximum(scene.matte.mask, scene.plants.mask)
        )
        top = max(scene.horizon + 0.06 * self.air.height, 0.62 * self.air.height)
        low = np.clip((np.arange(self.air.height) - top) / (0.1 * self.air.height), 0, 1)[:, None]
        return pin.quarter(((1 - taken) * low).astype(np.float32))

    def _veil(self) -> Veil:
        """Hides far drops and flakes behind the subject, as far as its outline can be trusted."""
        cover = np.clip(pin.quarter(self._scene.matte.mask) * self._scene.matte.trust, 0, 1) * 255
        return Veil(np.rint(cover).astype(np.uint8))


def _above(fire: F32) -> F32:
    """The column of air over a fire, widening upward: float32 (h, w), 0..1."""
    height, width = fire.shape
    rows = np.linspace(0, 1, height)[:, None]
    weight = float(fire.sum()) + 1e-6
    x, y = (
        float((fire.sum(0) * np.arange(width)).sum() / weight),
        float((fire.sum(1) * np.arange(height)).sum() / weight),
    )
    spread = (0.10 + 0.35 * np.clip(y / height - rows, 0, 1)) * height
    across = np.exp(-(((np.arange(width)[None, :] - x) / spread) ** 2))
    return np.asarray(across * np.clip((y / height + 0.03 - rows) / 0.06, 0, 1), np.float32)


def may_move(region: Region, motion: Motion) -> bool:
    """A region moves if it is trusted, or if the prompt names it and there is something to it."""
    least = 0.1 if motion.origin == "prompt" else 0.5
    return region.trust >= least and float(region.mask.max(initial=0)) > 0.5
