"""Fixtures of the tests of faces."""

from __future__ import annotations

import numpy as np
import pytest

from support.faces import photo, scene_of
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.scene import Scene


@pytest.fixture(scope="session")
def finder() -> FaceFinder:
    return FaceFinder()


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
