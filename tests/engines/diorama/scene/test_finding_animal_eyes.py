"""Eyes of animals are found where they are in photographs, and nowhere else: not on noses, paws, stones and petals."""

from __future__ import annotations

import numpy as np
import pytest

from support.faces import photo
from vivant.engines.diorama.scene.animal_eyes import find_eyes, find_turned_eye
from vivant.engines.diorama.scene.being import find_being, find_others, recognise
from vivant.engines.diorama.scene.body import AnimalEye, Body
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.detection import ObjectDetector
from vivant.engines.diorama.scene.drawing import score_drawing
from vivant.engines.diorama.scene.matte import Matting, fill_eyes

SIDE = 640  # pixels, both ways: places below are shares of the picture


@pytest.fixture(scope="module")
def matting() -> Matting:
    return Matting()


def look(matting: Matting, name: str) -> tuple[AnimalEye, ...]:
    rgb = photo(f"{name}.jpg")
    h, w = rgb.shape[:2]
    scale = SIDE / min(h, w)
    rgb = photo(f"{name}.jpg", (round(w * scale), round(h * scale)))
    return find_eyes(rgb, matting.matte(rgb).mask)


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("golden_dog", [(0.56, 0.39)]),
        ("owl", [(0.544, 0.455)]),
        ("cat_chelsea", [(0.365, 0.39), (0.73, 0.457)]),
    ],
)
def test_eyes_are_found_where_they_are(matting: Matting, name: str, places: list[tuple[float, float]]) -> None:
    h, w = photo(f"{name}.jpg").shape[:2]
    scale = SIDE / min(h, w)
    eyes = look(matting, name)
    assert len(eyes) == len(places)
    for eye, (x, y) in zip(eyes, places, strict=True):
        off = np.hypot(eye.x - x * w * scale, eye.y - y * h * scale)
        assert off < 0.5 * eye.across
        assert eye.blinks


@pytest.mark.parametrize("name", ["tabby_cat", "snow_birds", "balloon", "dahlia", "sunflower", "pancakes"])
def test_paws_stones_and_petals_are_no_eyes(matting: Matting, name: str) -> None:
    assert look(matting, name) == ()


def test_a_pupil_as_dark_as_the_water_behind_it_is_the_fishes(matting: Matting) -> None:
    rgb = photo("goldfish.jpg", (SIDE, SIDE))
    matte = matting.matte(rgb).mask
    assert matte[300:325, 440:463].min() > 0.95
    assert matte[300:325, 600:].max() < 0.05


def test_a_hole_through_which_one_sees_light_stays_a_hole() -> None:
    y, x = np.mgrid[:200, :200]
    hole = np.hypot(x - 100, y - 100) < 5
    matte = ((np.hypot(x - 100, y - 100) < 80) & ~hole).astype(np.float32)
    dark, light = np.full((200, 200, 3), 20, np.uint8), np.full((200, 200, 3), 200, np.uint8)
    assert fill_eyes(matte, light)[100, 100] == 0
    filled = fill_eyes(matte, dark)
    assert filled[100, 100] > 0.95
    assert np.array_equal(filled[:60], matte[:60])


def test_a_head_in_profile_is_about_its_one_eye_and_toward_the_trunk(matting: Matting) -> None:
    rgb = photo("golden_dog.jpg", (SIDE, SIDE))
    body, fact = find_being(matting.matte(rgb), rgb)
    assert body is not None
    assert fact is not None
    assert fact.eyes
    assert body.head is not None
    (eye,) = body.eyes
    assert np.hypot(body.head.x - eye.x, body.head.y - eye.y) < body.head.radius
    assert body.head.x < eye.x  # the trunk is on the left, the muzzle on the right
    assert 0.15 * SIDE < body.head.radius < 0.35 * SIDE


ALIVE = ("drawing_cat", "cat_chelsea", "golden_dog", "owl")
# Things, plants, rocks, food, vehicles, buildings and drawings, and animals of which no certain eye is seen.
LIFELESS = (
    "altai_tall", "balloon", "beach_dusk", "car", "city_day", "city_night", "city_river", "clouds", "cocktail_beach",
    "coffee", "cypress_field", "dahlia", "dandelions", "dune_grass", "fig_bowl", "forest_fog", "forest_stream",
    "forest_valley", "gamepad", "hangar_shuttle", "lava_sea", "leaves", "lightning", "meadow_trees", "mountain_lake",
    "mountain_path", "pancakes", "pond_mountain", "reeds", "rocket", "sea_cliffs", "sea_falls", "sea_storm",
    "sea_sunset", "snow_birds", "sunflower", "sunset_hills", "waves_sunset", "wine_room",
    "things/balloon_lake", "things/car_meadow", "things/junk_lake", "things/plane_clouds", "things/rocket",
    "things/snow_birds",
    "antelope", "goldfish", "parrot", "raccoon", "tabby_cat", "two_dogs",
)  # fmt: skip


# Animals that a detector recognises, and as what they live.
RECOGNISED = {"antelope": "animal", "parrot": "bird", "raccoon": "animal", "tabby_cat": "animal"}
ANIMALS = (*ALIVE, *RECOGNISED, "goldfish", "two_dogs", "snow_birds", "leaves")


@pytest.fixture(scope="module")
def detector() -> ObjectDetector:
    return ObjectDetector()


@pytest.mark.parametrize(("name", "lives"), [(n, True) for n in ALIVE] + [(n, False) for n in LIFELESS])
def test_what_blinks_unasked_has_eyes(matting: Matting, detector: ObjectDetector, name: str, *, lives: bool) -> None:
    rgb = photo(f"{name}.jpg")
    h, w = rgb.shape[:2]
    scale = 480 / min(h, w)
    seen = photo(f"{name}.jpg", (2 * round(w * scale / 2), 2 * round(h * scale / 2)))
    matte = matting.matte(seen)
    body, fact = find_being(matte, seen)
    assert (fact is not None and fact.being == "animal") == lives
    if lives:
        assert fact is not None
        assert fact.eyes
    if name in ANIMALS:  # of a gamepad a coloured button passes for the eye of a turned head: things are not asked
        assert bool(find_turned_eye(seen, matte.mask)) == (name == "tabby_cat")
    if body is None or fact is None or lives:
        return
    drawn = score_drawing(make_source(seen).planes.y)
    _, known = recognise(body, fact, matte, seen, detector.detect(seen), drawn=drawn)
    assert known.being == RECOGNISED.get(name, "")
    assert known.eyes == (fact.eyes or name == "tabby_cat")


def test_the_eye_of_a_cat_that_lies_on_its_back_is_found_and_both_its_lids_close_alike(matting: Matting) -> None:
    rgb = photo("tabby_cat.jpg", (SIDE, SIDE))
    (eye,) = find_turned_eye(rgb, matting.matte(rgb).mask)
    assert np.hypot(eye.x - 0.445 * SIDE, eye.y - 0.589 * SIDE) < 0.3 * eye.across
    assert 0.02 * SIDE < eye.across < 0.035 * SIDE
    assert eye.blinks
    assert not eye.upright


def find_two_dogs(matting: Matting) -> tuple[Body, Body]:
    rgb = photo("two_dogs.jpg", (480, 720))
    matte = matting.matte(rgb)
    body, _ = find_being(matte, rgb)
    assert body is not None
    (other,) = find_others(matte, rgb, body)
    return body, other


def test_each_of_two_dogs_that_look_out_of_a_window_is_all_head(matting: Matting) -> None:
    for dog in find_two_dogs(matting):
        assert dog.head is not None
        assert np.hypot(dog.head.x - dog.trunk.x, dog.head.y - dog.trunk.y) < 0.2 * dog.trunk.radius


def test_the_black_eye_of_a_fish_is_found_and_no_lid_closes_over_it(matting: Matting) -> None:
    (eye,) = look(matting, "goldfish")
    assert np.hypot(eye.x - 0.705 * SIDE, eye.y - 0.487 * SIDE) < eye.across
    assert not eye.blinks


def test_each_of_two_dogs_is_found(matting: Matting) -> None:
    body, other = find_two_dogs(matting)
    assert abs(other.trunk.y - body.trunk.y) > body.trunk.radius + other.trunk.radius
