"""Whether the subject floats: asked of photos with a boat, a rock in the surf, an animal on land, and none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.floating import subject_floats
from vivant.engines.diorama.scene.scene import Scene
from vivant.media import U8
from vivant.request import Canvas, nearest_ratio


@pytest.fixture(scope="module")
def analyser() -> SceneAnalyser:
    return SceneAnalyser()


@pytest.mark.parametrize(
    ("name", "floats"),
    [("things/junk_lake", True), ("things/car_meadow", False), ("antelope", False), ("mountain_lake", False)],
)
def test_only_what_stands_on_water_floats(analyser: SceneAnalyser, name: str, *, floats: bool) -> None:
    scene = _see(analyser, name)
    assert subject_floats(scene) is floats
    assert len(analyser.find_floating(scene)) == floats


def test_a_rock_in_the_surf_stands_on_water_and_is_no_boat(analyser: SceneAnalyser) -> None:
    scene = _see(analyser, "sea_storm")
    assert subject_floats(scene)
    assert analyser.find_floating(scene) == ()


def test_a_bird_that_rests_on_a_lake_floats_without_being_named(analyser: SceneAnalyser) -> None:
    parrot, lake = _read("parrot"), _read("mountain_lake")
    lake = np.asarray(Image.fromarray(lake).resize((1152, 576)))
    matte = analyser.analyse(parrot, Canvas(640, 640, 4)).matte.mask[80:430, 80:600].copy()
    matte[-12:] *= np.linspace(1, 0, 12)[:, None]  # under water it is not seen
    size = (198, 133)
    bird = np.asarray(Image.fromarray(parrot).resize((640, 640)).crop((80, 80, 600, 430)).resize(size), np.float32)
    alpha = np.asarray(Image.fromarray(matte).resize(size))[..., None]
    picture = lake.astype(np.float32)
    place = np.s_[480 - size[1] : 480, 480 : 480 + size[0]]
    picture[place] = alpha * bird + (1 - alpha) * picture[place]
    scene = analyser.analyse(picture.astype(np.uint8), Canvas(864, 432, 4))
    (thing,) = analyser.find_floating(scene)
    assert thing.kind == "bird"
    assert analyser.find(scene, thing).trust >= 0.6


def _read(name: str) -> U8:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        return np.asarray(image.convert("RGB"))


def _see(analyser: SceneAnalyser, name: str) -> Scene:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        picture = np.asarray(image.convert("RGB"))
    return analyser.analyse(picture, Canvas.of("480p", nearest_ratio(picture.shape[1], picture.shape[0]), 4))
