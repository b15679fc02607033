"""Portraits as scenes, and speech with known phonemes: what all tests of faces share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vivant.engines.diorama.scene.colour import source
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import PictureFacts
from vivant.media import U8, fit

PHOTOS = Path(__file__).parents[1] / "photos"


@pytest.fixture(scope="session")
def finder() -> FaceFinder:
    return FaceFinder()


def photo(name: str, size: tuple[int, int] | None = None) -> U8:
    """RGB uint8 of tests/photos/<name>, fitted to (width, height) if given."""
    picture = np.asarray(Image.open(PHOTOS / name).convert("RGB"))
    return picture if size is None else fit(picture, *size)


def scene_of(picture: U8, finder: FaceFinder) -> Scene:
    """A scene that knows nothing but its faces."""
    height, width = picture.shape[:2]
    nothing = np.zeros((height, width), np.float32)
    none = Region(nothing, 0.0)
    return Scene(
        rgb=picture, source=source(picture), depth=nothing, matte=none, sky=none, water=none, plants=none, fire=none,
        horizon=height / 2, waterline=float(height), facts=PictureFacts(), faces=finder.find(picture),
    )  # fmt: skip


@pytest.fixture(scope="session")
def barkla(finder: FaceFinder) -> Scene:
    return scene_of(photo("portrait_barkla.jpg", (420, 560)), finder)


@pytest.fixture(scope="session")
def both(finder: FaceFinder) -> Scene:
    """Two people side by side: Barkla at the left, Curie at the right."""
    left, right = (photo(f"portrait_{who}.jpg", (360, 480)) for who in ("barkla", "curie"))
    return scene_of(np.concatenate([left, right], axis=1), finder)


@pytest.fixture(scope="session")
def wide(finder: FaceFinder) -> Scene:
    """Barkla before much background."""
    portrait = photo("portrait_barkla.jpg", (240, 320))
    return scene_of(np.pad(portrait, ((40, 0), (240, 240), (0, 0)), mode="edge"), finder)
