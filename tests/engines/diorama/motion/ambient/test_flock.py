"""Birds far off: before the sky alone, across it, and not in the picture at frame 0."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Drift, Motion
from vivant.media import F32, Planes


@pytest.fixture
def evening() -> Scene:
    """A pale sky above row 140."""
    picture = np.full((HEIGHT, WIDTH, 3), 190, np.uint8)
    picture[140:] = 60
    return scene_of(picture, sky=region(rows_between(0, 140)))


def darker(scene: Scene, ambient: Ambient, n: int) -> F32:
    source = scene.source.planes
    frame = Planes(source.y.copy(), source.u.copy(), source.v.copy())
    ambient.overlay(n, frame)
    return source.y.astype(np.float32) - frame.y


def birds(direction: Drift = "right", strength: float = 0.5) -> Motion:
    return Motion(kind="birds", strength=strength, direction=direction)


def test_frame_0_has_no_birds_and_then_there_is_a_flock_before_the_sky(evening: Scene, play: Play) -> None:
    ambient = play(evening, birds())
    assert not darker(evening, ambient, 0).any()
    for n in (16, 24, 36, 48):
        there = darker(evening, ambient, n)
        assert cv2.connectedComponents((there > 25).astype(np.uint8))[0] - 1 >= 5
        assert there[150:].max() == 0  # none before the land
        assert 0.0005 < (there > 25).mean() < 0.02  # small


@pytest.mark.parametrize(("direction", "sign"), [("right", 1), ("left", -1)])
def test_they_cross_the_sky_at_a_pixel_per_frame_and_more(
    evening: Scene, play: Play, direction: Drift, sign: int
) -> None:
    ambient = play(evening, birds(direction))
    leaders = []
    for n in (20, 44):
        columns = np.nonzero(darker(evening, ambient, n) > 25)[1]
        leaders.append(float(columns.max() if sign > 0 else columns.min()))
    per_frame = (leaders[1] - leaders[0]) / 24 * 640 / WIDTH
    assert 1.0 < sign * per_frame < 4.0


def test_their_wings_beat(evening: Scene, play: Play) -> None:
    ambient = play(evening, birds())
    heights = []
    for n in range(16, 48):
        _, _, stats, _ = cv2.connectedComponentsWithStats((darker(evening, ambient, n) > 25).astype(np.uint8))
        heights.append(float(np.median(stats[1:, cv2.CC_STAT_HEIGHT])))
    assert max(heights) > min(heights) + 1


def test_without_a_sky_there_are_none(play: Play) -> None:
    scene = scene_of(np.full((HEIGHT, WIDTH, 3), 120, np.uint8))
    assert not darker(scene, play(scene, birds()), 40).any()
