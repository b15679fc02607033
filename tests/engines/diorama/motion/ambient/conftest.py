"""What the tests of ambient motions share: small artificial scenes, and storyboards that move them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WATERLINE, WIDTH, Play, region, rows_between, scene_of
from support.timelines import still
from vivant.engines.diorama.motion.ambient.compose import compose
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import Lighting, Motion, Shot, Storyboard, Thing
from vivant.engines.diorama.timing.curves import CameraCurves
from vivant.engines.diorama.timing.lights import make_lights
from vivant.engines.diorama.timing.timeline import Event
from vivant.engines.diorama.timing.wind import make_wind
from vivant.media import F32, U8


@pytest.fixture(scope="session")
def texture() -> U8:
    noise = np.random.default_rng(5).normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32)
    cloudy = cv2.GaussianBlur(noise, (0, 0), 3.0)
    grey = np.clip(120 + 260 * cloudy, 30, 225)
    return np.stack([grey * 0.9, grey, np.clip(grey * 1.1, 0, 255)], axis=-1).astype(np.uint8)


@pytest.fixture(scope="session")
def lake(texture: U8) -> Scene:
    """Water below WATERLINE, sky above row 80, land between them."""
    return scene_of(texture, water=region(rows_between(WATERLINE, HEIGHT)), sky=region(rows_between(0, 80)))


@pytest.fixture(scope="session")
def night() -> Scene:
    """A flat dark picture, on which every overlay is seen."""
    return scene_of(np.full((HEIGHT, WIDTH, 3), 40, np.uint8))


@pytest.fixture(scope="session")
def play() -> Play:
    """play(scene, *motions, frames=, seed=, …) -> Ambient; wind is a number or a curve, tilt, forward the camera's."""

    def perform(
        scene: Scene,
        *motions: Motion,
        frames: int = 49,
        seed: int = 7,
        wind: float | F32 = 0.5,
        morph: bool = False,
        events: tuple[Event, ...] = (),
        tilt: F32 | None = None,
        forward: F32 | None = None,
        find: Callable[[Thing], Region] | None = None,
        lights: tuple[Lighting, ...] = (),
    ) -> Ambient:
        storyboard = Storyboard(
            width=WIDTH, height=HEIGHT, frames=frames, seed=seed, language="en", audio=False, camera_fixed=True,
            morph=morph, shots=(Shot(start=0, end=frames, moves=()),), motions=motions,
            lights=lights,
        )  # fmt: skip
        curve = make_wind(seed, frames, wind) if isinstance(wind, float) else wind
        flicker = np.sin(np.arange(frames, dtype=np.float32) * 1.7).astype(np.float32)
        camera = CameraCurves.at_home(frames)
        if tilt is not None:
            camera = replace(camera, tilt=tilt)
        if forward is not None:
            camera = replace(camera, z=forward)
        timeline = replace(
            still(frames, seed),
            wind=curve,
            flicker=flicker,
            camera=camera,
            events=events,
            lights=make_lights(storyboard),
        )
        return compose(scene, storyboard, timeline, find)

    return perform
