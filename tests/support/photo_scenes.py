"""What is seen in a photograph of tests/photos, at 480p."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.scene import Scene
from vivant.media import fit
from vivant.request import Canvas, nearest_ratio


@cache
def _models() -> tuple[SceneAnalyser, FaceFinder]:
    return SceneAnalyser(), FaceFinder()


def see_photo(name: str) -> Scene:
    """The scene of tests/photos/NAME.jpg, in the ratio nearest to its own."""
    analyser, finder = _models()
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        picture = np.asarray(image.convert("RGB"))
    canvas = Canvas.of("480p", nearest_ratio(picture.shape[1], picture.shape[0]), 4)
    return analyser.analyse(picture, canvas, faces=finder.find(fit(picture, canvas.width, canvas.height)))
