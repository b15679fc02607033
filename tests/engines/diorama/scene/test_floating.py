"""Whether the subject floats: asked of photos with a boat, an animal on land, and none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.floating import subject_floats
from vivant.engines.diorama.scene.found_things import FoundThings
from vivant.request import Canvas, nearest_ratio


@pytest.fixture(scope="module")
def analyser() -> SceneAnalyser:
    return SceneAnalyser()


@pytest.mark.parametrize(
    ("name", "floats"),
    [("things/junk_lake", True), ("things/car_meadow", False), ("antelope", False), ("mountain_lake", False)],
)
def test_only_what_stands_on_water_floats(analyser: SceneAnalyser, name: str, *, floats: bool) -> None:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        picture = np.asarray(image.convert("RGB"))
    scene = analyser.analyse(picture, Canvas.of("480p", nearest_ratio(picture.shape[1], picture.shape[0]), 4))
    assert subject_floats(scene) is floats
    assert len(FoundThings(scene, analyser.find).find_floating()) == floats
