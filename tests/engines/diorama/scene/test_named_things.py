"""Finding the thing that a prompt names: where it is, how sure that is, and when it is not there."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.named import LOOKS, find_thing
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import MOVABLE, Thing, ThingKind
from vivant.media import F32, U8, fit
from vivant.request import Canvas, nearest_ratio

Box = tuple[float, float, float, float]  # left, top, right, bottom, shares of the canvas


@pytest.fixture(scope="module")
def analyser() -> SceneAnalyser:
    return SceneAnalyser()


@cache
def scene_of(analyser: SceneAnalyser, name: str) -> Scene:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        picture = np.asarray(image.convert("RGB"))
    canvas = Canvas.of("480p", nearest_ratio(picture.shape[1], picture.shape[0]), 4)
    faces = finder().find(fit(picture, canvas.width, canvas.height))
    return analyser.analyse(picture, canvas, faces=faces)


@cache
def finder() -> FaceFinder:
    return FaceFinder()


def box_of(region: Region) -> Box:
    solid = region.mask > 0.5
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    h, w = solid.shape
    return (
        float(columns[0]) / w,
        float(rows[0]) / h,
        float(columns[-1] + 1) / w,
        float(rows[-1] + 1) / h,
    )


@pytest.mark.parametrize(
    ("name", "thing", "box"),
    [
        ("things/balloon_lake", Thing(kind="balloon"), (0.637, 0.097, 0.773, 0.42)),
        ("things/car_meadow", Thing(kind="car"), (0.165, 0.702, 0.428, 0.858)),
        ("things/car_meadow", Thing(kind="car", colour="red", place="left"), (0.165, 0.702, 0.428, 0.858)),
        ("things/junk_lake", Thing(kind="boat"), (0.322, 0.544, 0.444, 0.842)),
        ("things/plane_clouds", Thing(kind="plane"), (0.431, 0.161, 0.682, 0.277)),
        ("things/rocket", Thing(kind="rocket"), (0.468, 0.300, 0.538, 0.97)),
        ("drawing_cat", Thing(kind="boat"), (0.585, 0.467, 0.735, 0.699)),
        ("drawing_cat", Thing(kind="animal"), (0.173, 0.531, 0.403, 0.924)),
        ("antelope", Thing(kind="animal"), (0.17, 0.485, 0.523, 0.935)),
        ("balloon", Thing(kind="balloon"), (0.23, 0.17, 0.76, 0.83)),
        ("coffee", Thing(kind="cup"), (0.08, 0.04, 0.83, 0.97)),
        ("car", Thing(kind="car"), (0.0, 0.27, 0.83, 0.81)),
    ],
)
def test_the_thing_is_found_where_it_is(analyser: SceneAnalyser, name: str, thing: Thing, box: Box) -> None:
    found = analyser.find(scene_of(analyser, name), thing)
    assert found.trust >= 0.5
    assert np.abs(np.subtract(box_of(found), box)).max() < 0.035


def test_a_rocket_is_found_in_a_larger_canvas_too(analyser: SceneAnalyser) -> None:
    with Image.open(PHOTOS / "things/rocket.jpg") as image:
        picture = np.asarray(image.convert("RGB"))
    canvas = Canvas.of("720p", nearest_ratio(picture.shape[1], picture.shape[0]), 4)
    found = analyser.find(analyser.analyse(picture, canvas), Thing(kind="rocket"))
    box = box_of(found)
    assert found.trust >= 0.5
    assert box[0] < 0.49 and box[2] > 0.52 and abs(box[1] - 0.3) < 0.03  # from its tip, with its whole width


def test_thin_parts_stay_with_their_body(analyser: SceneAnalyser) -> None:
    found = analyser.find(scene_of(analyser, "things/balloon_lake"), Thing(kind="balloon"))
    solid = (found.mask > 0.4).astype(np.uint8)
    assert cv2.connectedComponents(solid, connectivity=8)[0] == 2  # the background and one whole balloon
    rows = np.flatnonzero(solid.any(axis=1))
    basket = solid[rows[-1] - 4 : rows[-1]]
    assert basket.any() and np.flatnonzero(basket.any(axis=0)).size < 0.3 * solid.any(axis=0).sum()


# The middles of birds that are plainly before the sky, shares of the canvas.
BIRDS = ((0.119, 0.147), (0.290, 0.142), (0.036, 0.341), (0.064, 0.482), (0.175, 0.456), (0.282, 0.450), (0.486, 0.407))


def test_birds_before_the_sky_are_found_all_together_and_hardly_anything_else(analyser: SceneAnalyser) -> None:
    found = analyser.find(scene_of(analyser, "things/snow_birds"), Thing(kind="bird", several=True))
    h, w = found.mask.shape
    assert found.trust > 0.7
    for x, y in BIRDS:
        row, column = round(y * h), round(x * w)
        assert found.mask[row - 7 : row + 8, column - 7 : column + 8].max() > 0.8
    assert 7 <= cv2.connectedComponents((found.mask > 0.5).astype(np.uint8))[0] - 1 <= 16  # each in one piece
    assert found.mask[:, w // 2 :].sum() < 0.08 * found.mask.sum()  # the rocks are no birds


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("things/car_meadow", Thing(kind="boat")),
        ("things/balloon_lake", Thing(kind="car")),
        ("things/car_meadow", Thing(kind="car", colour="blue")),
        ("portrait_barkla", Thing(kind="car")),
        ("city_day", Thing(kind="bird", several=True)),
        ("mountain_lake", Thing(kind="bird", several=True)),
        ("mountain_lake", Thing(kind="balloon")),  # a sunlit peak is none
        ("leaves", Thing(kind="bird", several=True)),
        ("waves_sunset", Thing(kind="boat")),  # nor a wave a boat
        ("sea_sunset", Thing(kind="boat")),
        ("altai_tall", Thing(kind="boat")),
        ("city_river", Thing(kind="balloon")),  # nor a tower
        ("city_river", Thing(kind="kite")),
        ("rocket", Thing(kind="car")),
        ("mountain_lake", Thing(kind="rocket")),
    ],
)
def test_what_is_not_there_is_not_trusted(analyser: SceneAnalyser, name: str, thing: Thing) -> None:
    assert analyser.find(scene_of(analyser, name), thing).trust < 0.4


# What a thing that stands out was taken for before a detector was asked, with a trust of 0.5 to 1.0.
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("antelope", "train"),
        ("car", "boat"),
        ("car", "cup"),
        ("things/car_meadow", "train"),
        ("things/car_meadow", "cup"),
        ("things/junk_lake", "fish"),
        ("things/junk_lake", "cup"),
        ("drawing_cat", "car"),
        ("drawing_cat", "cup"),
        ("drawing_cat", "train"),
        ("goldfish", "cup"),
        ("goldfish", "car"),
    ],
)
def test_one_thing_is_not_taken_for_another(analyser: SceneAnalyser, name: str, kind: ThingKind) -> None:
    assert analyser.find(scene_of(analyser, name), Thing(kind=kind)).trust < MOVABLE


@pytest.mark.parametrize(
    ("name", "kind"),
    [("things/rocket", "rocket"), ("things/car_meadow", "car"), ("waves_sunset", "boat"), ("goldfish", "bird")],
)
def test_the_net_looks_at_few_crops_of_a_picture(analyser: SceneAnalyser, name: str, kind: ThingKind) -> None:
    crops = []

    def look(crop: U8) -> F32:
        crops.append(crop.shape)
        return analyser._matting.look(crop)

    find_thing(scene_of(analyser, name), Thing(kind=kind), look, analyser._detector.detect)
    assert len(crops) <= LOOKS


def test_the_words_tell_one_thing_from_another(analyser: SceneAnalyser) -> None:
    scene = scene_of(analyser, "drawing_cat")
    left = box_of(analyser.find(scene, Thing(kind="other", place="left")))
    right = box_of(analyser.find(scene, Thing(kind="other", colour="red", place="right")))
    assert left[2] < 0.45 and right[0] > 0.5
