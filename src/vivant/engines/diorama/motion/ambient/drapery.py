"""Cloth that hangs free: flags, sails and curtains are cut out and move before a picture completed behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.cloth import BlownCloth, measure_reach
from vivant.engines.diorama.motion.fields import STEP, Drapery, Draping, average_quarter
from vivant.engines.diorama.scene.flags import find_cloth
from vivant.engines.diorama.scene.hang import hang
from vivant.engines.diorama.scene.lifted import Lifted, clear, lift
from vivant.engines.diorama.scene.posts import find_posts
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import MOVABLE, Motion, MotionKind, Thing
from vivant.media import F32

_BLOWN: Final = 0.035  # of the width: so far beyond their outline clothes may blow
FREE: Final[frozenset[MotionKind]] = frozenset({"flag", "sail", "curtain"})


def drape(
    scene: Scene, motions: Sequence[Motion], in_time: Callable[[Motion], Air], find: Callable[[Thing], Region] | None
) -> Drapery | None:
    """All free cloth that is to move and is found; None where there is none. in_time: the air of a motion."""
    wanted = [one for one in motions if one.kind in FREE and one.has_region and one.thing is not None]
    if find is None or not wanted:
        return None
    bodies: list[Lifted] = []
    cloths: list[Draping] = []
    reach = 0.0
    for motion in wanted:
        region = find(motion.thing) if motion.thing is not None else None
        hung = None if region is None or region.trust < MOVABLE else hang(scene, region, motion.kind)
        if region is None or hung is None:
            continue
        inside = average_quarter(region.mask)
        around = reach_around(inside, hung.length)
        if motion.kind == "sail":
            around = hold(around, scene)
        air = in_time(motion)
        # It is drawn before the picture, where nothing brings it home: it is damped until it hangs as it is shown.
        air = replace(air, swing=air.amplitude)
        cloth = BlownCloth(air, hung, around, inside, motion.kind, motion.strength)
        body = lift(scene, region, "flag")
        bodies.append(_leave_pole(body, inside) if motion.kind == "flag" else body)
        cloths.append(Draping(bodies[-1], cloth.field))
        reach = max(reach, measure_reach(motion.kind, hung.length))
    return Drapery(clear(scene, bodies, reach), tuple(cloths)) if cloths else None


def _leave_pole(flag: Lifted, inside: F32) -> Lifted:
    """A flag without the part of its pole below it, which was cut out with it: what is behind keeps that, or grass
    would bend the foot of a pole that ends in the air. inside: the flag and its pole, float32 on the quarter grid."""
    cloth = find_cloth(inside > 0.5)
    if not cloth.any():
        return flag
    h = len(flag.alpha)
    bottom = STEP * (int(np.flatnonzero(cloth.any(axis=1))[-1]) + 1) + 0.03 * h
    below = np.arange(h, dtype=np.float32)[:, None] - np.float32(bottom)
    filled, drawn = (1 - smoothstep((below - start) / 6).astype(np.float32) for start in (0.0, 12.0))
    return replace(
        flag,
        alpha=np.asarray(flag.alpha * drawn, np.float32),
        hole=np.asarray(flag.hole * filled, np.float32),
        body=np.asarray(flag.body * drawn, np.float32),
    )


def hold(weight: F32, scene: Scene) -> F32:
    """Weights of cloth, float32 on the quarter grid, 0..1, without the masts and sticks that stand in or before it."""
    posts = average_quarter(find_posts(scene.rgb, np.zeros_like(scene.depth)))
    if not posts.any():
        return weight
    near = filters.blur(cv2.dilate(np.clip(2 * posts, 0, 1), np.ones((3, 3), np.uint8)), 1.2)
    return np.asarray(weight * (1 - smoothstep(1.6 * near)), np.float32)


def spread(inside: F32, subject: F32) -> F32:
    """Weights of clothes, float32 on the quarter grid, 0..1: all of them, the air around them as far as they may blow,
    and nothing else of the subject, float32, 0..1: no hands, no sticks."""
    width = max(inside.shape)
    beyond = cv2.distanceTransform((inside < 0.4).astype(np.uint8), cv2.DIST_L2, 5)
    held = np.clip(subject - inside, 0, 1) * (beyond > 1.5)
    near = filters.blur(cv2.dilate((held > 0.3).astype(np.float32), np.ones((3, 3), np.uint8)), 1.2)
    weight = (1 - smoothstep((beyond - 2) / (_BLOWN * width))) * (1 - smoothstep(2 * near - 0.3))
    return np.asarray(np.maximum(weight, np.clip(inside - 0.6 * near, 0, 1) * (inside > 0.6)), np.float32)


def reach_around(inside: F32, length: float) -> F32:
    """1 on a cloth and about it as far as it may move, 0 elsewhere: float32 on the quarter grid. length: pixels."""
    size = 2 * max(3, round(0.3 * length / STEP)) + 1
    grown = cv2.dilate((inside > 0.05).astype(np.float32), np.ones((size, size), np.uint8))
    return np.asarray(grown, np.float32)
