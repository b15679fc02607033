"""Whether the subject floats: asked of photos with a boat, a rock in the surf, an animal on land, and none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.floating import subject_floats
from vivant.engines.diorama.scene.scene import Scene
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


def _see(analyser: SceneAnalyser, name: str) -> Scene:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        picture = np.asarray(image.convert("RGB"))
    return analyser.analyse(picture, Canvas.of("480p", nearest_ratio(picture.shape[1], picture.shape[0]), 4))
