from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from support.scenes import HEIGHT, WIDTH, rows_between
from vivant.engines.diorama.scene import backdrop as sky_of
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.colour import make_source
from vivant.media import F32, U8
from vivant.request import Canvas, nearest_ratio

SHORE = 150


def evening(ground: int = 40) -> U8:
    """Soft clouds above row SHORE, dark even ground below."""
    noise = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 8)
    grey = 150 + 20 * noise / noise.std()
    grey[SHORE:] = ground
    return np.repeat(np.clip(grey, 0, 235)[..., None], 3, 2).astype(np.uint8)


def make(picture: U8, sky: F32) -> sky_of.Backdrop:
    found = sky_of.make_backdrop(make_source(picture), picture, sky, reach=40)
    assert found is not None
    return found


def test_the_outline_is_found_though_the_mask_misses_it_by_some_pixels() -> None:
    found = make(evening(), rows_between(0, SHORE + 3))
    assert (found.alpha[: SHORE - 2] > 240).mean() > 0.9
    assert found.alpha[SHORE + 1 :].max() < 12


def test_the_sky_goes_on_behind_the_ground() -> None:
    found = make(evening(), rows_between(0, SHORE))
    behind = found.source.planes.y[SHORE : SHORE + 30].astype(np.float32)
    above = found.source.planes.y[SHORE - 60 : SHORE].astype(np.float32)
    assert abs(behind.mean() - above.mean()) < 20 and behind.min() > 80


def test_where_sky_and_slope_are_alike_the_sky_comes_to_rest_before_the_slope() -> None:
    found = make(evening(ground=150), rows_between(0, SHORE))
    rows = found.alpha[:, 100:380].mean(axis=1) / 255
    assert rows[SHORE - 3] < 0.1 and rows[SHORE - 60] > 0.95
    assert np.abs(np.diff(rows)).max() < 0.12


def test_what_the_sky_shows_of_itself_is_the_picture() -> None:
    found = make(evening(), rows_between(0, SHORE))
    inside = found.alpha > 250
    inside[SHORE - 8 :] = False
    assert np.array_equal(found.home.planes.y[inside], make_source(evening()).planes.y[inside])


def test_a_picture_without_open_sky_has_no_backdrop() -> None:
    picture = evening()
    assert sky_of.make_backdrop(make_source(picture), picture, rows_between(0, 3), reach=40) is None


def test_a_mast_before_the_sky_is_no_part_of_it() -> None:
    picture = evening()
    for column in range(230, 250, 4):
        picture[30:SHORE, column : column + 2] = 25
    found = make(picture, rows_between(0, SHORE))
    assert found.source.planes.y[40:130, 228:252].min() > 90
    assert found.alpha[:130, :180].mean() > 240


def test_thin_aerials_on_a_roof_stand_still_before_the_sky() -> None:
    """Hardly darker than the sky, one or two pixels wide, and too short to be told from a wire's end by its length."""
    picture = evening()
    aerials = ((60, 1, 18), (200, 2, 30), (330, 1, 40))
    for left, wide, high in aerials:
        picture[SHORE - high : SHORE, left : left + wide] = picture[SHORE - high : SHORE, left : left + wide] // 10 * 9
    found = make(picture, rows_between(0, SHORE))
    for left, wide, high in aerials:
        there = found.alpha[SHORE - high + 3 : SHORE - 8, left : left + wide]
        assert np.median(there) < 60
    assert (found.alpha[: SHORE - 45] > 240).mean() > 0.95  # no part of the clouds is held


def test_a_burnt_out_cloud_is_no_sun() -> None:
    luma = np.full((HEIGHT, WIDTH), 120, np.uint8)
    luma[40:60, 80:300] = 235
    sky = rows_between(0, 200)
    assert sky_of.find_lamps(luma, sky, 0.4).max() == 0
    cv2.circle(luma, (400, 60), 9, 235, -1)
    assert sky_of.find_lamps(luma, sky, 0.4)[60, 400] > 0.9


def test_the_sky_is_continued_where_the_subject_hid_it() -> None:
    picture = evening()
    subject = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.circle(subject, (240, 80), 30, 1.0, -1)
    picture[subject > 0] = 220
    found = make(picture, rows_between(0, SHORE) * (1 - subject))
    assert found.alpha[80, 240] == 0
    behind, background = sky_of.continue_behind(found, make_source(evening()), subject)
    assert behind.alpha[60:100, 220:260].min() > 240
    assert np.array_equal(background.planes.y[70:90, 230:250], found.source.planes.y[70:90, 230:250])


def test_a_sky_that_darkens_evenly_to_one_side_shows_no_clouds_however_steeply_it_does() -> None:
    sky = rows_between(0, SHORE)
    shade = np.tile(np.linspace(190, 40, WIDTH, dtype=np.float32), (HEIGHT, 1))
    assert not sky_of.are_clouds_seen(shade.astype(np.uint8), sky)
    for x in range(40, WIDTH, 80):
        cv2.circle(shade, (x, SHORE // 2), 16, 220.0, -1)
    clouds = cv2.GaussianBlur(shade, (0, 0), 6)
    assert sky_of.are_clouds_seen(clouds.astype(np.uint8), sky)


def test_faint_clouds_are_seen_in_an_open_sky_and_not_in_a_gap_between_leaves() -> None:
    light = np.full((HEIGHT, WIDTH), 150.0, np.float32)
    for x in range(10, WIDTH, 60):
        cv2.circle(light, (x, SHORE // 2), 22, 165.0, -1)
    luma = cv2.GaussianBlur(light, (0, 0), 9).astype(np.uint8)
    gap = np.zeros((HEIGHT, WIDTH), np.float32)
    gap[:SHORE, : WIDTH // 12] = 1
    assert sky_of.are_clouds_seen(luma, rows_between(0, SHORE))
    assert not sky_of.are_clouds_seen(luma, gap)


@pytest.mark.parametrize(
    ("name", "seen"),
    [("mountain_lake", True), ("sea_falls", True), ("antelope", True), ("city_day", False), ("leaves", False)],
)
def test_a_bare_or_hazy_sky_shows_no_clouds_that_would_be_seen_to_drift(name: str, seen: bool) -> None:
    picture = np.asarray(Image.open(PHOTOS / f"{name}.jpg").convert("RGB"))
    for ratio in dict.fromkeys((nearest_ratio(picture.shape[1], picture.shape[0]), "16:9")):
        scene = SceneAnalyser().analyse(picture, Canvas.of("480p", ratio, 4))
        assert sky_of.are_clouds_seen(scene.source.planes.y, scene.sky.mask) is seen
