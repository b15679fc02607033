"""Everything that moves by itself in one clip: reads the motions of the storyboard, finds where each may happen in this
picture, and adds them up frame by frame. What each motion looks like is in the module of its name.
"""

from __future__ import annotations

import cv2
import numpy as np

from vivant.engines.diorama.motion import pin
from vivant.engines.diorama.motion.air import Air, air
from vivant.engines.diorama.motion.capsules import Veil
from vivant.engines.diorama.motion.fields import Ambient, Field, Flow
from vivant.engines.diorama.motion.haze import Haze
from vivant.engines.diorama.motion.rain import Rain
from vivant.engines.diorama.motion.snow import Snow
from vivant.engines.diorama.motion.sum import Sum
from vivant.engines.diorama.motion.water import Water
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import Motion, Storyboard
from vivant.engines.diorama.timeline import Timeline
from vivant.media import F32, Planes


def compose(scene: Scene, storyboard: Storyboard, timeline: Timeline) -> Ambient:
    """The sum of all motions of the storyboard in this scene. A motion whose region is not there adds nothing."""
    breeze = air(scene, storyboard, timeline)
    whole = _Whole(storyboard.width, storyboard.height)
    for motion in storyboard.motions:
        match motion.kind:
            case "rain":
                whole.drawn.append(Rain(breeze, motion.strength, _veil(scene), _wet(scene, breeze, motion)))
            case "snow":
                whole.drawn.append(Snow(breeze, motion.strength, _veil(scene), _white(scene, breeze, motion)))
            case "water":
                _add_water(whole, scene, breeze, motion)
            case _:
                pass
    return whole


class _Whole:
    """Implements Ambient."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self.moved: list[Water] = []
        self.drawn: list[Rain | Snow] = []

    def field(self, n: int) -> Field | None:
        if n == 0 or not self.moved:
            return None
        total = Sum.nothing(self._width, self._height)
        for motion in self.moved:
            motion.add(n, total)
        return total.field()

    def flow(self, n: int) -> Flow | None:
        return None

    def overlay(self, n: int, frame: Planes) -> None:
        for motion in self.drawn:
            motion.draw(n, frame)


def may_move(region: Region, motion: Motion) -> bool:
    """A region moves if it is trusted, or if the prompt names it and there is something to it."""
    least = 0.2 if motion.origin == "prompt" else 0.5
    return region.trust >= least and float(region.mask.max(initial=0)) > 0.5


def _add_water(whole: _Whole, scene: Scene, breeze: Air, motion: Motion) -> None:
    if not may_move(scene.water, motion):
        return
    rows = np.arange(0, breeze.height, 4)[:, None]
    below = np.clip((rows - scene.waterline) / max(1.0, breeze.height - scene.waterline), 0, 1)
    ramp = (5 + 26 * below**0.7) * breeze.scale * np.ones((1, -(-breeze.width // 4)), np.float32)
    weight = pin.pinned(scene.water.mask, ramp.astype(np.float32))
    if weight.max() <= 0:
        return
    luma = pin.quarter(scene.source.planes.y.astype(np.float32))
    whole.moved.append(
        Water(breeze, weight, scene.horizon, scene.waterline, motion.strength, luma, roughness(scene, weight))
    )


def roughness(scene: Scene, weight: F32) -> float:
    """0 for a mirror, 1 for surf: how much fine contrast the water has of its own."""
    luma = scene.source.planes.y[::2, ::2].astype(np.float32)
    fine = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 2.0))
    share = cv2.resize(weight, luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
    mean = float((fine * share).sum() / max(1.0, float(share.sum())))
    return float(np.clip((mean - 2.0) / 7.0, 0, 1))


def _veil(scene: Scene) -> Veil:
    """Hides far drops and flakes behind the subject, as far as its outline can be trusted."""
    cover = np.clip(pin.quarter(scene.matte.mask) * scene.matte.trust, 0, 1) * 255
    return Veil(np.rint(cover).astype(np.uint8))


def _wet(scene: Scene, breeze: Air, motion: Motion) -> Haze:
    luma = 0.55 * breeze.bright + 0.45 * breeze.middle
    return Haze(breeze, scene.depth, 0.05 * motion.strength, 0.06 + 0.26 * motion.strength, luma)


def _white(scene: Scene, breeze: Air, motion: Motion) -> Haze:
    luma = min(225.0, 0.8 * breeze.bright + 35)
    return Haze(breeze, scene.depth, 0.03 * motion.strength, 0.06 + 0.3 * motion.strength, luma)
