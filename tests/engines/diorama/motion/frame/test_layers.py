"""What is cut out takes nothing of the ground beside it along."""

from __future__ import annotations

import numpy as np

from support.scenes import HEIGHT, WIDTH, region, scene_of
from vivant.engines.diorama.motion.fields import STEP, Rect
from vivant.engines.diorama.motion.frame.layers import composite_over, cut_out
from vivant.engines.diorama.motion.frame.nearness import make_nearness
from vivant.engines.diorama.motion.frame.warp import FIRST, Grid, grid_shape

GOLD, GREEN = (206, 150, 70), (40, 130, 50)


def test_a_rim_of_grass_in_the_matte_of_a_golden_thing_stays_behind_as_that_moves() -> None:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    away = np.hypot(rows - 136, columns - 240)
    rgb = np.where((away < 60)[..., None], GOLD, GREEN).astype(np.uint8)
    # The matte is three pixels too wide.
    scene = scene_of(rgb, matte=region(np.clip(63.5 - away, 0, 1)))
    nearness, subject = make_nearness(scene)
    layers = cut_out(scene, nearness, subject_nearness=subject, reach=30)
    # Laid over grey, where green has no business.
    frame = tuple(
        np.full_like(plane, 128) for plane in (scene.source.planes.y, scene.source.planes.u, scene.source.planes.v)
    )
    grid = shifted(20)
    composite_over(layers.subject, grid, (frame[0], frame[1], frame[2]), shift=np.full_like(grid.x, 20))
    v = frame[2].astype(float)
    assert (v < 118).mean() < 1e-3, "green"
    assert (v > 150).mean() > 0.8 * (away < 60).mean(), "gold"


def shifted(pixels: float) -> Grid:
    rect = Rect(0, 0, WIDTH, HEIGHT)
    rows, columns = grid_shape(rect)
    x, y = np.meshgrid(np.arange(columns) * STEP + FIRST + pixels, np.arange(rows) * STEP + FIRST)
    return Grid(rect, x.astype(np.float32), y.astype(np.float32))
