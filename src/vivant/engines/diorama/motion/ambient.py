"""Everything that moves by itself in one clip: reads the motions of the storyboard, finds where each may happen in this
picture, and adds them up frame by frame. What each motion looks like is in the module of its name.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from vivant.engines.diorama.motion import falls, pin, sea
from vivant.engines.diorama.motion.air import Air, air
from vivant.engines.diorama.motion.capsules import Veil
from vivant.engines.diorama.motion.fields import Ambient, Field, Flow
from vivant.engines.diorama.motion.haze import Haze
from vivant.engines.diorama.motion.rain import Rain
from vivant.engines.diorama.motion.snow import Snow
from vivant.engines.diorama.motion.stream import Current, Stream
from vivant.engines.diorama.motion.sum import Sum
from vivant.engines.diorama.motion.water import Water
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import Motion, Storyboard
from vivant.engines.diorama.timeline import Timeline
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
            case _:
                pass
    whole.settle()
    return whole


class _Whole:
    """Implements Ambient. Filled motion by motion, then settled; after that it does not change."""

    def __init__(self, breeze: Air, scene: Scene) -> None:
        self._air, self._scene = breeze, scene
        self._moved: list[Water] = []
        self._drawn: list[Rain | Snow] = []
        self._currents: list[Current] = []
        self._stream: Stream | None = None
        self._falls = False

    def field(self, n: int) -> Field | None:
        if n == 0 or not self._moved:
            return None
        total = Sum.nothing(self._air.width, self._air.height)
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
            self._stream = Stream(self._air, self._currents)

    def add_rain(self, motion: Motion) -> None:
        luma = 0.55 * self._air.bright + 0.45 * self._air.middle
        haze = Haze(self._air, self._scene.depth, 0.05 * motion.strength, 0.06 + 0.26 * motion.strength, luma)
        self._drawn.append(Rain(self._air, motion.strength, self._veil(), haze))

    def add_snow(self, motion: Motion) -> None:
        luma = min(225.0, 0.8 * self._air.bright + 35)
        haze = Haze(self._air, self._scene.depth, 0.03 * motion.strength, 0.06 + 0.3 * motion.strength, luma)
        self._drawn.append(Snow(self._air, motion.strength, self._veil(), haze))

    def add_water(self, motion: Motion) -> None:
        scene, breeze = self._scene, self._air
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
        mask = falls.falling(luma, self._water, self._air.scale)
        current = None if self._falls else falls.current(self._air, luma, mask, strength)
        if current is not None:
            self._currents.append(current)
            self._falls = True
        return mask

    def _veil(self) -> Veil:
        """Hides far drops and flakes behind the subject, as far as its outline can be trusted."""
        cover = np.clip(pin.quarter(self._scene.matte.mask) * self._scene.matte.trust, 0, 1) * 255
        return Veil(np.rint(cover).astype(np.uint8))


def may_move(region: Region, motion: Motion) -> bool:
    """A region moves if it is trusted, or if the prompt names it and there is something to it."""
    least = 0.2 if motion.origin == "prompt" else 0.5
    return region.trust >= least and float(region.mask.max(initial=0)) > 0.5
