"""The way between two views: exact at both ends, steady between them, and inside what the two pictures show."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.engines.diorama.motion.frame.view_path import TIGHTEST, ViewPath
from vivant.engines.diorama.scene.registration import apply, scale_at

SIZE = (640, 360)
CORNERS = np.array([[0, 0], [639, 0], [639, 359], [0, 359]], np.float64)
VIEWS = {
    "nearer": np.array([[2.2, 0, -700], [0, 2.2, -250], [0, 0, 1.0]]),
    "back": np.array([[0.5, 0, 200], [0, 0.5, 60], [0, 0, 1.0]]),
    "aside": np.array([[1, 0, -380], [0, 1, 0], [0, 0, 1.0]]),
    "aslant": np.array([[1, 0, -200], [0, 1, -90], [0, 0, 1.0]]),
    "turned": np.array([[0.98, 0.12, -80], [-0.12, 0.98, 40], [0.0002, 0, 1.0]]),
}


@pytest.mark.parametrize("name", VIEWS)
def test_both_ends_are_exact_and_no_step_is_a_jump(name: str) -> None:
    path = ViewPath(VIEWS[name], SIZE)
    assert np.array_equal(path.first(0), np.eye(3)) and np.array_equal(path.last(1), np.eye(3))
    shares = np.linspace(0, 1, 201)
    corners = np.array([apply(path.first(s), CORNERS) for s in shares])
    assert np.abs(apply(VIEWS[name], corners[-2]) - CORNERS).max() < 12 * path.travel
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=-1)
    assert np.abs(np.diff(steps, axis=0)).max() < 1.0


def test_a_zoom_is_steady_about_its_fixed_point() -> None:
    path = ViewPath(VIEWS["nearer"], SIZE)
    scales = [scale_at(path.first(s), 320, 180) for s in (0.25, 0.5, 0.75)]
    assert scales == pytest.approx([2.2**-s for s in (0.25, 0.5, 0.75)], rel=1e-6)
    fixed = np.array([[700 / 1.2, 250 / 1.2]])
    assert apply(path.first(0.5), fixed) == pytest.approx(fixed)


@pytest.mark.parametrize("name", VIEWS)
def test_each_point_of_every_view_is_in_one_of_the_pictures(name: str) -> None:
    path = ViewPath(VIEWS[name], SIZE)
    assert path.tightest <= TIGHTEST
    x, y = np.meshgrid(np.linspace(0, 639, 21), np.linspace(0, 359, 13))
    points = np.stack([x.ravel(), y.ravel()], 1)
    for share in np.linspace(0, 1, 41):
        seen = [apply(view, points) for view in (path.first(share), path.last(share))]
        beyond = [np.maximum(np.maximum(-p, p - [639, 359]).max(1), 0) for p in seen]
        assert np.minimum(*beyond).max() < 4  # pixels, as much as a mirrored rim that nobody sees
