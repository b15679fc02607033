"""The net that knows the kinds of COCO: what it sees in photos, where, and that it sees it again each time."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene.detection import FAINTEST, NAMES, ObjectDetector, share_of_boxes
from vivant.media import U8


@pytest.fixture(scope="module")
def detector() -> ObjectDetector:
    return ObjectDetector()


def photo(name: str) -> U8:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(
    ("name", "what", "box"),
    [
        ("car", "car", (4, 141, 419, 425)),
        ("things/car_meadow", "car", (194, 450, 420, 555)),
        ("things/junk_lake", "boat", (393, 294, 524, 485)),
        ("things/plane_clouds", "airplane", (509, 96, 762, 159)),
        ("golden_dog", "dog", (120, 20, 500, 512)),
        ("parrot", "bird", (82, 79, 499, 486)),
        ("portrait_curie", "person", (0, 52, 677, 972)),
    ],
)
def test_the_surest_object_of_a_photo_has_its_name_and_its_place(
    detector: ObjectDetector, name: str, what: str, box: tuple[float, float, float, float]
) -> None:
    surest = detector.detect(photo(name))[0]
    assert (surest.name, surest.score > 0.5) == (what, True)
    assert share_of_boxes(surest.box, box) > 0.5


def test_a_picture_of_nothing_has_no_objects(detector: ObjectDetector) -> None:
    assert detector.detect(np.full((90, 160, 3), 128, np.uint8)) == ()


@pytest.mark.parametrize("shape", [(512, 200), (200, 512), (33, 47)])
def test_boxes_lie_within_a_picture_of_any_shape(detector: ObjectDetector, shape: tuple[int, int]) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    rgb[: shape[0] // 2] = photo("car")[100 : 100 + shape[0] // 2, : shape[1]]
    for one in detector.detect(rgb):
        assert one.name in NAMES and one.score >= FAINTEST
        assert 0 <= one.box[0] < one.box[2] <= shape[1] and 0 <= one.box[1] < one.box[3] <= shape[0]


def test_the_same_picture_gives_the_same_objects(detector: ObjectDetector) -> None:
    assert ObjectDetector().detect(photo("car")) == detector.detect(photo("car"))


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [((0, 0, 2, 2), (0, 0, 2, 2), 1.0), ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3), ((0, 0, 1, 1), (5, 5, 6, 6), 0.0)],
)
def test_boxes_share_what_they_have_in_common_of_what_either_has(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float], share: float
) -> None:
    assert share_of_boxes(a, b) == pytest.approx(share)
