"""Which photographs show a sky, by eye, and what finding it makes of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.photo_scenes import see_photo
from vivant.engines.diorama.scene.open_sky import detect_lines, measure_boards
from vivant.engines.diorama.storyboard import TRUSTED

# Looked at one by one; share: of the canvas that is sky, from and to.
SKIES = {
    "beach_dusk": (0.34, 0.55), "city_river": (0.28, 0.4), "cypress_field": (0.3, 0.42), "forest_fog": (0.3, 0.45),
    "lava_sea": (0.4, 0.6), "meadow_trees": (0.12, 0.2), "reeds": (0.28, 0.38), "rocket": (0.6, 0.85),
    "sea_storm": (0.3, 0.45), "things/plane_clouds": (0.34, 0.46), "things/car_meadow": (0.12, 0.2),
}  # fmt: skip
WITHOUT = (
    "cat_chelsea", "coffee", "dahlia", "fig_bowl", "gamepad", "golden_dog", "goldfish", "hangar_shuttle", "owl",
    "pancakes", "portrait_curie", "raccoon", "sunflower", "tabby_cat", "two_dogs", "wine_room",
)  # fmt: skip


@pytest.mark.parametrize("name", SKIES)
def test_a_sky_is_found_as_large_as_it_is(name: str) -> None:
    sky = see_photo(name).sky
    least, most = SKIES[name]
    assert sky.trust >= TRUSTED
    assert least <= sky.share <= most


@pytest.mark.parametrize("name", WITHOUT)
def test_walls_water_rooms_and_leaves_are_no_sky(name: str) -> None:
    assert see_photo(name).sky.trust < TRUSTED - 0.04


def test_boards_are_parallel_lines_and_clouds_and_crossing_wires_are_not() -> None:
    above = np.ones((144, 256), bool)
    plain = np.full((432, 768, 3), 225, np.uint8)
    boards, wires = plain.copy(), plain.copy()
    for k in range(5):
        cv2.line(boards, (0, 60 + 70 * k), (767, 40 + 70 * k), (190, 190, 190), 2)
    for k in range(-1, 2):
        cv2.line(wires, (384 - 340 * k, 20), (384 + 340 * k, 410), (60, 60, 60), 2)
    assert measure_boards(detect_lines(boards), above) > 3
    assert measure_boards(detect_lines(wires), above) < 1.1
    assert measure_boards(detect_lines(plain), above) == 0.0
