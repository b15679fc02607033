from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.motion.ambient.drawn_clouds import find_shapes
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Drift, Motion
from vivant.media import F32, U8


@pytest.fixture(scope="module")
def cartoon() -> Scene:
    """A flat blue sky with a white cloud at the left and a yellow sun at the right, over a green field."""
    picture: U8 = np.full((HEIGHT, WIDTH, 3), (120, 180, 235), np.uint8)
    cv2.ellipse(picture, (110, 60), (40, 18), 0, 0, 360, (250, 250, 250), -1)
    cv2.circle(picture, (380, 60), 26, (250, 220, 60), -1)
    picture[180:] = (90, 170, 80)
    return scene_of(picture, sky=region(rows_between(0, 180)))


def push(ambient: Ambient, n: int) -> F32:
    field = ambient.field(n)
    assert field is not None
    return field.dx


def test_a_cloud_is_pale_and_a_sun_is_not(cartoon: Scene) -> None:
    clouds, others = find_shapes(cartoon.source.planes, cartoon.sky.mask)
    assert clouds[15, 27] == 1 and others[15, 95] == 1
    assert clouds[:40, 60:].max() == 0 and others[:40, :60].max() == 0


@pytest.mark.parametrize(("direction", "sign"), [("left", -1), ("right", 1)])
def test_a_drawn_cloud_keeps_its_shape_on_its_way(cartoon: Scene, play: Play, direction: Drift, sign: int) -> None:
    dx = push(play(cartoon, Motion(kind="clouds", direction=direction), frames=97), 96)
    cloud = dx[12:19, 19:37]
    assert -sign * cloud.mean() > 3 and cloud.std() < 0.05 * abs(cloud.mean())


def test_a_drawn_sun_and_the_land_stay_where_they_are(cartoon: Scene, play: Play) -> None:
    ambient = play(cartoon, Motion(kind="clouds", strength=1.0), frames=97)
    dx = push(ambient, 96)
    assert not dx[10:20, 90:100].any() and not dx[45:].any()
    assert ambient.flow(50) is None


def test_the_sky_around_a_cloud_is_stretched_without_folding(cartoon: Scene, play: Play) -> None:
    dx = push(play(cartoon, Motion(kind="clouds", strength=1.0), frames=289), 288)
    assert np.abs(np.diff(dx, axis=1) / 4).max() < 0.8
