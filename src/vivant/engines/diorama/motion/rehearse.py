"""Compile the kernels of all that moves by itself, or load them from the cache, by playing every motion once in a tiny
scene. For the engine's setup, so that the first clip does not wait.
"""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import numpy as np

from vivant.engines.diorama.motion.ambient import compose
from vivant.engines.diorama.scene.scene import Region, Scene, Source
from vivant.engines.diorama.storyboard import Motion, MotionKind, PictureFacts, Storyboard
from vivant.engines.diorama.timeline import Event, Timeline
from vivant.media import F32, U8, Planes, to_planes

WIDTH, HEIGHT, FRAMES = 320, 180, 3


def rehearse() -> None:
    """Under half a second with a filled cache; some seconds the first time ever."""
    storyboard = Storyboard(
        width=WIDTH, height=HEIGHT, frames=FRAMES, seed=0, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(), motions=tuple(Motion(kind=kind) for kind in get_args(MotionKind)),
    )  # fmt: skip
    curve = np.full(FRAMES, 0.5, np.float32)
    timeline = Timeline(
        frames=FRAMES,
        seed=0,
        curves={"wind": curve, "flicker": curve, "light": curve},
        events=(Event(id="strike0", kind="strike", time=Fraction(1, 24)),),
    )
    ambient = compose(_scene(), storyboard, timeline)
    frame = Planes(*(np.full((HEIGHT // k, WIDTH // k), 128, np.uint8) for k in (1, 2, 2)))
    ambient.field(1)
    ambient.flow(1)
    ambient.overlay(1, frame)


def _scene() -> Scene:
    """Four bands: sky, plants, water, and a fire at the lower border."""
    picture: U8 = np.random.default_rng(0).integers(60, 200, (HEIGHT, WIDTH, 3), np.uint8)
    bands = [_band(k) for k in range(4)]
    planes = to_planes(picture)
    nothing: F32 = np.zeros((HEIGHT, WIDTH), np.float32)
    return Scene(
        rgb=picture, source=Source(planes, np.repeat(np.repeat(planes.y, 2, 0), 2, 1)), depth=nothing + 0.5,
        matte=Region(nothing, 0.0), sky=Region(bands[0], 1.0), plants=Region(bands[1], 1.0),
        water=Region(bands[2], 1.0), fire=Region(bands[3], 1.0), horizon=80.0, waterline=90.0, facts=PictureFacts(),
    )  # fmt: skip


def _band(k: int) -> F32:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[k * HEIGHT // 4 : (k + 1) * HEIGHT // 4] = 1
    return mask
