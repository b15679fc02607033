"""Which photographs show water, by eye, and what finding it makes of them."""

from __future__ import annotations

import pytest

from support.photo_scenes import see_photo
from vivant.engines.diorama.motion.ambient.places import Places
from vivant.engines.diorama.storyboard import TRUSTED

# Looked at one by one; share: of the canvas that is water, from and to.
WATER = {
    "beach_dusk": (0.1, 0.25), "city_river": (0.3, 0.5), "cocktail_beach": (0.15, 0.3), "mountain_lake": (0.3, 0.45),
    "sea_cliffs": (0.33, 0.48), "sea_storm": (0.4, 0.55), "sea_sunset": (0.2, 0.5), "waves_sunset": (0.3, 0.5),
}  # fmt: skip
# Clouds from above, snow, fog, mist, sand, halls and meadows.
WITHOUT = (
    "city_day", "clouds", "cypress_field", "dandelions", "dune_grass", "forest_fog", "forest_valley", "hangar_shuttle",
    "meadow_trees", "mountain_path", "pancakes", "reeds", "rocket", "snow_birds", "sunset_hills", "things/plane_clouds",
)  # fmt: skip
ABOVE_CLOUDS = ("clouds", "things/plane_clouds")


@pytest.mark.parametrize("name", WATER)
def test_water_is_found_as_large_as_it_is(name: str) -> None:
    water = see_photo(name).water
    least, most = WATER[name]
    assert water.trust >= TRUSTED
    assert least <= water.share <= most


@pytest.mark.parametrize("name", WITHOUT)
def test_clouds_snow_fog_sand_and_fields_are_no_water(name: str) -> None:
    assert see_photo(name).water.trust < TRUSTED - 0.04


def test_only_a_sea_of_clouds_is_a_cover_of_clouds() -> None:
    for name in (*ABOVE_CLOUDS, "sea_cliffs", "snow_birds", "dune_grass", "pond_mountain", "meadow_trees"):
        cover = Places(see_photo(name)).cloud_cover
        assert (float(cover.mean()) > 0.3) == (name in ABOVE_CLOUDS), name


def test_a_beach_takes_in_its_shadows_and_its_black_stones_and_leaves_the_surf() -> None:
    beach = Places(see_photo("cocktail_beach"))
    height, width = beach.water.shape
    assert beach.water[int(0.72 * height) :].mean() < 0.01  # the shadow and the foot of the glass
    assert beach.water[int(0.58 * height) : int(0.62 * height), : int(0.3 * width)].mean() > 0.9  # foam
    dusk = Places(see_photo("beach_dusk"))
    height, width = dusk.water.shape
    assert dusk.water[int(0.9 * height) :, : int(0.06 * width)].mean() < 0.05
