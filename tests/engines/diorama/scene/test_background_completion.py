"""The background behind a subject, completed from the picture's own pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.complete import complete, pull_push
from vivant.media import F32, U8, fit, to_planes


def hillside() -> U8:
    with Image.open(PHOTOS / "antelope.jpg") as image:
        return fit(np.asarray(image.convert("RGB")), 864, 496)


def a_hole() -> F32:
    """A blob over grass and rock at the right, where nothing stands."""
    hole = np.zeros((496, 864), np.float32)
    cv2.ellipse(hole, (620, 330), (70, 90), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(hole, (0, 0), 1.5), np.float32)


def detail(plane: U8, inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    return float(np.asarray(cv2.Laplacian(plane, cv2.CV_32F))[inside].std())


def test_the_filling_has_the_texture_that_telea_lacks() -> None:
    picture, hole = hillside(), a_hole()
    filled = complete(make_source(picture), picture, hole, reach=200)
    inside = hole > 0.99
    small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    gone = (cv2.resize(hole, small.shape[1::-1], interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    smeared = cv2.resize(cv2.inpaint(small, gone, 3, cv2.INPAINT_TELEA), (864, 496))
    true = detail(to_planes(picture).y, inside)
    assert 0.6 * true < detail(filled.planes.y, inside) < 1.4 * true
    assert detail(to_planes(np.asarray(smeared, np.uint8)).y, inside) < 0.3 * true


def test_soft_seams_are_softer_and_what_is_far_from_them_is_not() -> None:
    picture, hole = hillside(), a_hole()
    hard, soft = (complete(make_source(picture), picture, hole, reach=200, soft=size).planes.y for size in (0, 4.0))
    inside = hole > 0.99
    assert detail(soft, inside) < 0.9 * detail(hard, inside)
    assert (soft == hard)[inside].mean() > 0.05


@pytest.mark.parametrize("soft", [0.0, 4.0])
def test_nothing_changes_outside_the_hole(soft: float) -> None:
    picture, hole = hillside(), a_hole()
    before = make_source(picture)
    filled = complete(before, picture, hole, reach=200, soft=soft)
    outside = hole == 0
    assert np.array_equal(filled.planes.y[outside], before.planes.y[outside])
    far = cv2.dilate((hole > 0).astype(np.uint8), np.ones((15, 15), np.uint8)) == 0
    assert np.array_equal(filled.y2[::2, ::2][far], before.planes.y[far])


def test_what_was_in_the_hole_leaves_no_trace() -> None:
    picture, hole = hillside(), a_hole()
    painted = picture.copy()
    painted[hole > 0.02] = (255, 0, 255)
    filled = complete(make_source(painted), painted, hole, reach=200)
    magenta = to_planes(np.full((2, 2, 3), (255, 0, 255), np.uint8))
    inside = hole[::2, ::2] > 0.99
    assert np.abs(filled.planes.u[inside].astype(int) - int(magenta.u[0, 0])).min() > 30


def test_a_smooth_filling_meets_what_is_known() -> None:
    ramp = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[None], 48, axis=0)
    known = np.ones_like(ramp)
    known[10:30, 20:40] = 0
    filled = pull_push(ramp, known)
    assert np.abs(filled - ramp).max() < 0.12
    assert np.array_equal(filled[known == 1], ramp[known == 1])


def test_a_border_takes_nothing_from_rows_far_away() -> None:
    """A sky over a town goes on as sky, also in its corners, where the patches have little to go by."""
    grain = np.random.default_rng(0).normal(0, 4, (512, 864, 3))
    picture = np.clip(60 + grain, 0, 255).astype(np.uint8)  # dark sky
    picture[300:, ::8] = 255  # bright windows
    hole = np.zeros((512, 864), np.float32)
    hole[:48] = 1
    picture[:48] = picture[48:49]
    filled = complete(make_source(picture), picture, hole, reach=48, begin="border")
    sky = to_planes(np.full((2, 2, 3), 60, np.uint8)).y[0, 0]
    assert np.abs(filled.planes.y[:48].astype(int) - int(sky)).max() < 40
