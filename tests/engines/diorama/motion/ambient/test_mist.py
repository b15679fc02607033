from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from support.scenes import HEIGHT, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene.distance import measure_distance
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Drift, Motion
from vivant.media import F32, U8, Planes

FRAMES = 97
USUAL = 0.5 * WIDTH / 640  # px per frame: what is seen at 640 px as half a pixel


@pytest.fixture(scope="module")
def valley() -> Scene:
    """A dark checked slope under a bright sky, far at the top and near at the bottom."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return under_a_sky(25 + 30 * (((x // 6) + (y // 6)) % 2))


@pytest.fixture(scope="module")
def dusk() -> Scene:
    """An even dark slope under a bright sky."""
    return under_a_sky(np.full((HEIGHT, WIDTH), 35))


def under_a_sky(ground: NDArray[Any]) -> Scene:
    picture = ground.copy()
    picture[:54] = 205
    return scene_of(np.repeat(picture[..., None], 3, 2).astype(np.uint8), sky=region(rows_between(0, 54)))


def drawn(scene: Scene, ambient: Ambient, n: int) -> U8:
    source = scene.source.planes
    frame = Planes(source.y.copy(), source.u.copy(), source.v.copy())
    ambient.overlay(n, frame)
    return frame.y


def test_the_first_frame_has_no_mist_of_its_own(valley: Scene, play: Play) -> None:
    ambient = play(valley, Motion(kind="fog"), frames=FRAMES)
    assert np.array_equal(drawn(valley, ambient, 0), valley.source.planes.y)
    soon = drawn(valley, ambient, 1).astype(np.float32) - valley.source.planes.y
    assert np.abs(soon).mean() < 2.5


@pytest.mark.parametrize(("direction", "sign"), [("left", -1), ("right", 1)])
def test_banks_are_seen_to_pass_in_every_quarter(dusk: Scene, play: Play, direction: Drift, sign: int) -> None:
    ambient = play(dusk, Motion(kind="fog", direction=direction), frames=FRAMES)
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    for n in (14, 36, 60, 90):
        one, two = (drawn(dusk, ambient, k) for k in (n, n + 3))
        down, right = np.gradient(cv2.GaussianBlur(one, (0, 0), 1.5).astype(np.float32))
        edges = np.hypot(down, right)
        flow = search.calc(one, two, None)[..., 0][edges > np.percentile(edges, 80)] / 3
        assert np.percentile(sign * flow, 75) > USUAL  # between the banks the still ground shows
        assert (np.abs(one.astype(np.float32) - two) > 3).mean() > 0.03


def test_mist_hides_the_far_and_leaves_the_near(valley: Scene, play: Play) -> None:
    ambient = play(valley, Motion(kind="fog"), frames=FRAMES)
    for n in (60, 96):
        change = np.abs(drawn(valley, ambient, n).astype(np.float32) - valley.source.planes.y)
        assert change[60:108].mean() > 8
        assert change[HEIGHT - 30 :].mean() < 0.2 * change[60:108].mean()


def test_mist_thins_as_well_as_thickens(valley: Scene, play: Play) -> None:
    ambient = play(valley, Motion(kind="fog", strength=0.8), frames=FRAMES)
    change = drawn(valley, ambient, 20).astype(np.float32) - valley.source.planes.y
    assert change.min() < -1


def test_the_subject_stands_before_the_mist(play: Play) -> None:
    dark: U8 = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    body = np.zeros((HEIGHT, WIDTH), np.float32)
    body[80:240, 200:280] = 1
    scene = scene_of(dark, matte=region(body))
    frame = drawn(scene, play(scene, Motion(kind="fog", strength=0.8), frames=FRAMES), 90).astype(np.float32)
    rise = np.abs(frame - scene.source.planes.y)
    assert rise[90:230, 212:268].mean() < 0.15 * rise[90:170, 20:190].mean()


def test_haze_tells_how_far_a_slope_is_where_the_guess_does_not() -> None:
    """Three ridges, each paler than the one before it, in a picture whose depth is guessed flat."""
    picture = np.full((HEIGHT, WIDTH, 3), 225, np.uint8)
    for top, grey in ((60, 190), (130, 130), (200, 45)):
        picture[top:] = grey
    flat: F32 = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    sky = np.zeros_like(flat)
    sky[:60] = 1
    far = measure_distance(picture, flat, sky)
    ridges = [float(far[rows, 40:-40].mean()) for rows in (slice(75, 120), slice(145, 190), slice(215, 260))]
    assert ridges[0] > ridges[1] + 0.1 > ridges[2] + 0.2
