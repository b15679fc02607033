"""Where the sun is in photographs, and that bright clouds are not taken for it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from support.scenes import HEIGHT, WIDTH, rows_between
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.lights import Lamp, find_shining, find_sun
from vivant.media import U8, to_planes
from vivant.request import Canvas

CANVAS = Canvas(864, 496, 97)
SHORE = 200


@pytest.fixture(scope="module")
def analyser() -> SceneAnalyser:
    return SceneAnalyser()


def sun_of(analyser: SceneAnalyser, name: str) -> Lamp | None:
    picture = np.asarray(Image.open(PHOTOS / f"{name}.jpg").convert("RGB"))
    return find_shining(analyser.analyse(picture, CANVAS)).sun


@pytest.mark.parametrize(
    ("name", "x", "y"), [("sunset_hills", 0.5, 0.4), ("waves_sunset", 0.06, 0.19), ("drawing_cat", 0.79, 0.15)]
)
def test_the_sun_is_found_where_it_is(analyser: SceneAnalyser, name: str, x: float, y: float) -> None:
    sun = sun_of(analyser, name)
    assert sun is not None
    assert sun.x / CANVAS.width == pytest.approx(x, abs=0.04)
    assert sun.y / CANVAS.height == pytest.approx(y, abs=0.04)


@pytest.mark.parametrize(
    "name",
    ["city_river", "dune_grass", "forest_valley", "lava_sea", "mountain_lake", "pond_mountain", "reeds", "sea_storm"],
)  # fmt: skip
def test_a_bright_cloud_is_no_sun(analyser: SceneAnalyser, name: str) -> None:
    assert sun_of(analyser, name) is None


def sky_with(colour: tuple[int, int, int], size: tuple[int, int]) -> U8:
    """A pale blue sky with an ellipse of this colour and half axes at (300, 80), over dark ground."""
    picture = np.full((HEIGHT, WIDTH, 3), (150, 165, 185), np.uint8)
    cv2.ellipse(picture, (300, 80), size, 0, 0, 360, colour, -1)
    picture[SHORE:] = 60
    return picture


def test_a_pale_disc_is_the_sun_in_haze_and_a_long_spot_as_bright_is_a_cloud() -> None:
    sky = rows_between(0, SHORE)
    sun = find_sun(to_planes(sky_with((232, 228, 220), (12, 12))), sky)
    assert sun is not None
    assert (sun.x, sun.y) == pytest.approx((300, 80), abs=2)
    assert find_sun(to_planes(sky_with((232, 228, 220), (36, 9))), sky) is None
