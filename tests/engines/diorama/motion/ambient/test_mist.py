from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from support.scenes import HEIGHT, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient.compose import _Composition
from vivant.engines.diorama.motion.ambient.mist import Mist
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


def test_mist_hides_a_cliff_far_off_and_leaves_the_rock_before_it(play: Play) -> None:
    """Both stand out, as one subject of two parts: each is as far as the ground at its foot."""
    picture: U8 = np.full((HEIGHT, WIDTH, 3), 190, np.uint8)
    parts = np.zeros((HEIGHT, WIDTH), np.float32)
    cliff, rock = (slice(20, 100), slice(20, 180)), (slice(130, 250), slice(280, 380))
    for part in (cliff, rock):
        parts[part] = 1
        picture[part] = 25
    scene = scene_of(picture, matte=region(parts))
    ambient = play(scene, Motion(kind="fog"), frames=FRAMES)
    lifted = np.stack([drawn(scene, ambient, n).astype(np.float32) for n in range(24, FRAMES, 8)]) - 37
    of_cliff, of_rock = (
        lifted[:, rows.start + 10 : rows.stop - 10, columns.start + 10 : columns.stop - 10]
        for rows, columns in (cliff, rock)
    )
    # Of the 117 levels by which mist is brighter there. A bank hides it nearly wholly,
    assert np.percentile(of_cliff.max(axis=0), 85) > 80
    assert np.percentile(of_cliff.max(axis=0) - of_cliff.min(axis=0), 70) > 60  # and where it was it opens again
    assert np.percentile(of_rock, 95) < 12


def test_foam_on_near_water_is_no_haze() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    picture[:90], picture[200:] = 225, 235  # a bright sky, and surf at the viewer's feet
    sky, water = rows_between(0, 90), rows_between(90, HEIGHT)
    down = np.clip((np.arange(HEIGHT, dtype=np.float32)[:, None] - 90) / 180, 0, 1).astype(np.float32)
    depth = np.repeat(down, WIDTH, axis=1)
    far = measure_distance(picture, depth, sky, water)
    assert far[220:].mean() < 0.25 < 0.6 < far[95:110].mean()


def find_mist(ambient: Ambient) -> Mist:
    """The layer itself: in a frame the banks lie over each other."""
    assert isinstance(ambient, _Composition)
    return next(one for one in ambient._overlays if isinstance(one, Mist))


def find_growth(still: F32, passed: F32) -> float:
    """How many times as large what `still` shows is in `passed`, 1..1.4, about the middle of the canvas."""
    rows, columns = still.shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    middle_x, middle_y = 0.5 * (WIDTH - 1) / 8, 0.5 * (HEIGHT - 1) / 8
    inside = (slice(8, -8), slice(10, -10))

    def likeness(scale: float) -> float:
        moved = filters.sample(passed, middle_x + (x - middle_x) * scale, middle_y + (y - middle_y) * scale)
        return float(np.corrcoef(still[inside].ravel(), moved[inside].ravel())[0, 1])

    return max((float(scale) for scale in np.arange(1.0, 1.4, 0.01)), key=likeness)


def test_a_camera_that_goes_forward_passes_the_near_banks_faster_than_the_far(dusk: Scene, play: Play) -> None:
    """As seen at 1.5 seconds by a camera that has gone forward and by one that has not."""
    forward = np.linspace(0, 0.3, FRAMES).astype(np.float32)
    ambient = play(dusk, Motion(kind="fog"), frames=FRAMES)
    gone = play(dusk, Motion(kind="fog"), frames=FRAMES, forward=forward)
    grown = [
        find_growth(*(np.asarray(find_mist(one)._bank(bank, 60, 60)) for one in (ambient, gone))) for bank in range(3)
    ]
    assert 1.03 < grown[0] < grown[1] - 0.02 < grown[2] - 0.04
