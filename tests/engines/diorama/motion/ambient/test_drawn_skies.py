from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, region, rows_between, scene_of
from support.timelines import still
from vivant.engines.diorama.motion.ambient.drawn_clouds import find_shapes
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Drift, Motion, Shot, Storyboard
from vivant.media import U8


@pytest.fixture(scope="module")
def cartoon() -> Scene:
    """A flat blue sky with a white cloud at the left and a yellow sun at the right, over a green field."""
    picture: U8 = np.full((HEIGHT, WIDTH, 3), (120, 180, 235), np.uint8)
    cv2.ellipse(picture, (110, 60), (40, 18), 0, 0, 360, (250, 250, 250), -1)
    cv2.circle(picture, (380, 60), 26, (250, 220, 60), -1)
    picture[180:] = (90, 170, 80)
    return scene_of(picture, sky=region(rows_between(0, 180)))


def test_a_cloud_is_pale_and_a_sun_is_not(cartoon: Scene) -> None:
    clouds, others = find_shapes(cartoon.source.planes, cartoon.sky.mask)
    assert clouds[15, 27] == 1 and others[15, 95] == 1
    assert clouds[:40, 60:].max() == 0 and others[:40, :60].max() == 0


def test_a_pale_shape_that_reaches_the_ground_is_no_cloud(cartoon: Scene) -> None:
    picture = cartoon.rgb.copy()
    cv2.fillConvexPoly(picture, np.array([(250, 179), (290, 179), (270, 120)]), (250, 250, 250))
    scene = scene_of(picture, sky=cartoon.sky)
    clouds, others = find_shapes(scene.source.planes, scene.sky.mask)
    assert clouds[40, 67] == 0 and others[40, 67] == 1


@pytest.mark.parametrize(("direction", "sign"), [("left", -1), ("right", 1)])
def test_a_drawn_cloud_drifts_as_one_piece_under_a_sun_that_stays(
    cartoon: Scene, play: Play, direction: Drift, sign: int
) -> None:
    motion = Motion(kind="clouds", direction=direction)
    storyboard = Storyboard(
        width=WIDTH, height=HEIGHT, frames=97, seed=7, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(Shot(start=0, end=97, moves=()),), motions=(motion,),
    )  # fmt: skip
    clip = Renderer(cartoon, still(97, 7), storyboard, play(cartoon, motion, frames=97))
    middles, areas = [], []
    for n in (0, 24, 48, 72, 96):
        frame = clip.frame(n)
        white = np.argwhere((frame.y[:100, :330] > 215) & (np.arange(330) > 40))
        middles.append(float(white[:, 1].mean()))
        areas.append(len(white))
        assert np.array_equal(frame.y[181:], cartoon.source.planes.y[181:])
        assert np.abs(frame.y[50:70, 370:390].astype(int) - cartoon.source.planes.y[50:70, 370:390]).max() < 4
    if sign > 0:  # the other way it leaves the picture
        assert (np.diff(middles) > 24 * 0.5 * WIDTH / 640).all()
        assert max(areas) < 1.08 * min(areas)
    else:
        assert middles[1] < middles[0] - 24 * 0.5 * WIDTH / 640
