"""Portraits as scenes: what all tests of faces share."""

from __future__ import annotations

import numpy as np
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.faces import FaceFinder, describe_face
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import PictureFacts
from vivant.media import U8, fit
from vivant.request import Canvas


def photo(name: str, size: tuple[int, int] | None = None) -> U8:
    """RGB uint8 of tests/photos/<name>, fitted to (width, height) if given."""
    picture = np.asarray(Image.open(PHOTOS / name).convert("RGB"))
    return picture if size is None else fit(picture, *size)


def scene_of(picture: U8, finder: FaceFinder) -> Scene:
    """A scene with faces and nothing else."""
    height, width = picture.shape[:2]
    nothing = np.zeros((height, width), np.float32)
    none = Region(nothing, 0.0)
    faces = finder.find(picture)
    facts = PictureFacts(faces=tuple(describe_face(face, Canvas(width, height, 1)) for face in faces))
    return Scene(
        rgb=picture, source=make_source(picture), depth=nothing,
        matte=none, sky=none, water=none, plants=none, fire=none,
        horizon=height / 2, waterline=float(height), facts=facts, faces=faces,
    )  # fmt: skip
