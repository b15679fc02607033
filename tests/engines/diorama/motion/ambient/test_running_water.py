from __future__ import annotations

import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.motion.ambient import river
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Motion
from vivant.media import F32, U8

BROOK = Motion(kind="water", strength=0.5)


def bed() -> F32:
    """A brook that comes from the upper right and leaves at the lower left."""
    middle = np.linspace(330, 130, HEIGHT)[:, None]
    return (np.abs(np.arange(WIDTH)[None] - middle) < 24).astype(np.float32)


@pytest.fixture(scope="module")
def brook(texture: U8) -> Scene:
    return scene_of(texture, water=region(bed()))


def test_a_bed_is_told_from_a_surface() -> None:
    assert river.is_running(bed())
    assert not river.is_running(rows_between(120, HEIGHT))
    assert not river.is_running(rows_between(60, 90))  # far water: narrow, but across the picture


def test_a_brook_runs_down_along_its_banks(brook: Scene, play: Play) -> None:
    flow = play(brook, BROOK).flow(2)
    assert flow is not None
    inside = np.asarray(bed()[::4, ::4] > 0)
    inside[:8] = inside[-8:] = False
    # What comes down to the left is read from above and from the right.
    down, left = -flow.ay[inside].mean(), flow.ax[inside].mean()
    assert down > 0.3 and left / down == pytest.approx(200 / HEIGHT, rel=0.35)


def test_a_brook_is_seen_to_move_and_its_banks_are_not(brook: Scene, play: Play) -> None:
    ambient = play(brook, BROOK)
    one, two = ambient.flow(2), ambient.flow(3)
    assert one is not None and two is not None
    step = np.hypot(two.ax - one.ax, two.ay - one.ay)
    middle = np.abs(np.arange(WIDTH)[None, ::4] - np.linspace(330, 130, HEIGHT)[::4, None])
    assert np.median(step[middle < 8]) * 640 / WIDTH > 0.5
    assert flow_outside(one.mask, middle) == 0


def flow_outside(mask: F32, distance: F32) -> float:
    return float(mask[distance > 34].max())
