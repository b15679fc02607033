"""Two pictures of one place are found to be so, and how they fit, from photographs cropped, turned and relit."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene.registration import Registration, apply, register
from vivant.engines.diorama.scene.relight import compare_light
from vivant.media import F64, U8, to_planes

WIDTH, HEIGHT = 640, 360
CORNERS = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT], [320, 180]], np.float64)


def photo(name: str, width: int = WIDTH, height: int = HEIGHT) -> U8:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        return np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))


def seen_by(large: U8, view: F64) -> U8:
    """What a camera sees of a large picture: view, float64 (3, 3), from its pixels to those of the picture."""
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(large, view, (WIDTH, HEIGHT), flags=flags), np.uint8)


def luma(picture: U8) -> U8:
    return to_planes(picture).y


def fit_of(first: U8, last: U8) -> Registration:
    fit = register(luma(first), luma(last))
    assert fit is not None
    return fit


ONE = np.array([[1.5, 0, 60], [0, 1.5, 40], [0, 0, 1.0]])
VIEWS = {
    "closer": np.array([[0.8, 0, 400], [0, 0.8, 260], [0, 0, 1.0]]),
    "aside": np.array([[1.4, 0, 330], [0, 1.4, 30], [0, 0, 1.0]]),
    "rolled": np.array([[1.38, -0.12, 120], [0.12, 1.38, 20], [0, 0, 1.0]]),
    "turned": np.array([[1.5, 0.05, 100], [0.02, 1.45, 60], [0.00012, 0.00004, 1.0]]),
}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("light", [1.0, 0.45])
def test_a_view_is_found_to_a_pixel_in_any_light(name: str, light: float) -> None:
    large = photo("city_day", 1280, 720)
    first, last = seen_by(large, ONE), seen_by(large, VIEWS[name])
    fit = fit_of(first, np.rint(last * light).astype(np.uint8))
    true = np.linalg.inv(VIEWS[name]) @ ONE
    inside = apply(true, CORNERS)
    shown = (inside > -1).all(1) & (inside[:, 0] < WIDTH + 1) & (inside[:, 1] < HEIGHT + 1)
    error = np.hypot(*(apply(fit.view, CORNERS) - inside).T)
    assert error[shown].max() < 0.9 and error.max() < 2.5  # what both show, and what is far beyond it
    assert fit.leftover < 1.2


def test_pictures_of_different_places_are_not_registered() -> None:
    names = ("city_day", "sea_falls", "waves_sunset", "mountain_lake", "drawing_cat", "dahlia")
    for first, last in pairwise(names):
        assert register(luma(photo(first)), luma(photo(last))) is None


def test_what_moved_by_itself_is_flow_and_not_the_camera() -> None:
    """A part of the picture bulges to the right while its surroundings stand still."""
    picture = photo("city_day")
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    bulge = 7 * np.exp(-(((x - 320) / 90) ** 2 + ((y - 180) / 70) ** 2))
    moved = cv2.remap(picture, x - bulge, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    fit = fit_of(picture, np.asarray(moved, np.uint8))
    assert np.abs(apply(fit.view, CORNERS) - CORNERS).max() < 1.0
    assert fit.there[0, 45, 80] == pytest.approx(7, abs=1.0) and abs(fit.there[0, 10, 20]) < 0.7


def test_a_soft_portrait_without_features_is_registered_by_its_flow() -> None:
    soft = np.asarray(cv2.GaussianBlur(photo("portrait_barkla", 360, 480), (0, 0), 5), np.uint8)
    shifted = np.asarray(np.roll(soft, 4, axis=1), np.uint8)
    fit = fit_of(soft, shifted)
    middle = apply(fit.to_last, np.array([180.0, 240.0])) + fit.there[:, 60, 45]
    assert middle[0] - 180 == pytest.approx(4, abs=1.0)


def test_the_change_of_light_is_measured_and_things_that_differ_can_be_left_out_of_it() -> None:
    picture = photo("mountain_lake")
    shade = np.linspace(1.0, 0.4, WIDTH)[None, :, None]
    last = np.rint(picture * shade).astype(np.uint8)
    last[120:240, 260:380] = (250, 250, 250)
    fit = fit_of(picture, last)
    unlike = np.zeros_like(fit.both)
    unlike[28:62, 63:97] = 1
    change = compare_light(to_planes(picture), to_planes(last), fit, unlike)
    assert change.gain[45, 12] == pytest.approx(0.95, abs=0.06)
    assert change.gain[45, 145] == pytest.approx(0.5, abs=0.06)
    assert change.gain[45, 80] == pytest.approx(0.7, abs=0.08)
