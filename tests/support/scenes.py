"""A small hand-made scene for tests of motion: flat ground with the regions a test asks for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene.drawing import score_drawing
from vivant.engines.diorama.scene.scene import Region, Scene, Source
from vivant.engines.diorama.storyboard import PictureFacts
from vivant.media import F32, U8, to_planes

WIDTH, HEIGHT = 480, 272
WATERLINE = 120

Play = Callable[..., Ambient]


def region(mask: object, trust: float = 1.0) -> Region:
    return Region(np.asarray(mask, np.float32) * np.ones((HEIGHT, WIDTH), np.float32), trust)


def nowhere() -> Region:
    return region(0, 0.0)


def scene_of(rgb: U8, **regions: Region) -> Scene:
    """A scene of flat ground around the given regions; what is not named is not there."""
    planes = to_planes(rgb)
    rows = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None]
    return Scene(
        rgb=rgb,
        source=Source(planes, np.repeat(np.repeat(planes.y, 2, 0), 2, 1)),
        depth=rows * np.ones((1, WIDTH), np.float32),
        horizon=float(WATERLINE),
        waterline=float(WATERLINE),
        facts=PictureFacts(drawn=score_drawing(planes.y)),
        matte=regions.get("matte", nowhere()),
        sky=regions.get("sky", nowhere()),
        water=regions.get("water", nowhere()),
        plants=regions.get("plants", nowhere()),
        fire=regions.get("fire", nowhere()),
    )


def rows_between(top: int, bottom: int) -> F32:
    rows = np.arange(HEIGHT)[:, None]
    return ((rows >= top) & (rows < bottom)).astype(np.float32) * np.ones((1, WIDTH), np.float32)
