from __future__ import annotations

import cv2
import numpy as np

from support.scenes import HEIGHT, WATERLINE, WIDTH, region, rows_between, scene_of
from vivant.engines.diorama.motion.ambient import falloff
from vivant.engines.diorama.motion.ambient.places import Places
from vivant.engines.diorama.scene import sea
from vivant.engines.diorama.scene.backdrop import find_shaded, find_standing
from vivant.media import F32, U8


def surf() -> U8:
    """Rough grey water below the waterline with a dark rock in it."""
    chance = np.random.default_rng(8)
    rough = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.2)
    grey = np.clip(140 + 110 * rough, 40, 240)
    grey[:WATERLINE] = 180
    rock = np.hypot(np.arange(WIDTH)[None] - 240, 1.3 * (np.arange(HEIGHT)[:, None] - 210)) < 40
    grey[rock] = 40 + 10 * rough[rock]
    return np.repeat(grey[..., None], 3, 2).astype(np.uint8)


def test_a_rock_in_the_surf_does_not_heave() -> None:
    scene = scene_of(surf(), water=region(rows_between(WATERLINE, HEIGHT)))
    places = Places(scene)
    assert places.roughness > 0.5
    assert places.water[200:220, 225:255].max() == 0
    assert places.water[200:220, 60:120].mean() > 0.9
    assert places.lying[50:55, 57:63].max() == 0


def test_a_mirror_is_not_rough_and_its_dark_parts_are_reflections() -> None:
    calm: U8 = np.repeat(np.linspace(30, 180, HEIGHT)[:, None, None] * np.ones((1, WIDTH, 3)), 1, 0).astype(np.uint8)
    scene = scene_of(calm, water=region(rows_between(WATERLINE, HEIGHT)))
    assert Places(scene).roughness < 0.1
    assert Places(scene).water[130:, :].mean() > 0.97


def test_roughness_does_not_depend_on_the_size_of_the_canvas() -> None:
    luma = surf()[..., 0]
    water = rows_between(WATERLINE, HEIGHT)
    double: U8 = np.asarray(cv2.resize(luma, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    twice: F32 = np.asarray(cv2.resize(water, None, fx=2, fy=2), np.float32)
    assert abs(sea.measure_roughness(luma, water) - sea.measure_roughness(double, twice)) < 0.2


def test_the_subject_is_neither_sky_nor_water() -> None:
    body = np.zeros((HEIGHT, WIDTH), np.float32)
    body[60:200, 200:280] = 1
    scene = scene_of(
        surf(), water=region(rows_between(WATERLINE, HEIGHT)), sky=region(rows_between(0, 110)), matte=region(body, 0.9)
    )
    places = Places(scene)
    assert places.sky[70:100, 210:270].max() == 0 and places.water[130:190, 210:270].max() == 0


def test_a_mast_before_the_sky_is_not_a_cloud() -> None:
    picture = np.full((HEIGHT, WIDTH), 150, np.float32)
    picture += 12 * np.sin(np.arange(WIDTH) / 40)[None]  # soft clouds
    for column in range(230, 250, 4):
        picture[30:150, column : column + 2] = 40  # a lattice mast
    picture[150:] = 60
    luma = picture.astype(np.uint8)
    standing = find_standing(luma, rows_between(0, 150))
    assert standing[60:140, 232:246].min() > 0.9
    assert standing[:130, :180].max() == 0 and standing[:130, 300:].max() == 0


def test_a_gap_in_a_cloud_is_no_skyline() -> None:
    """Both are darker than the sky above them and near the ground, but below a gap there is cloud."""
    picture = np.full((HEIGHT, WIDTH), 120, np.float32)
    picture[72:110, 180:300] = 225  # a cloud over the ground
    picture[84:94, 220:240] = 130  # a gap in it
    picture[104:110, 60:100] = 90  # a skyline in haze
    picture[110:] = 60
    shaded = find_shaded(picture.astype(np.uint8), rows_between(0, 110))
    assert shaded[86:92, 224:236].max() < 0.1
    assert shaded[106:108, 64:96].min() > 0.9


def test_weights_vanish_at_a_shore_but_not_at_the_pictures_border() -> None:
    weights = falloff.weigh(rows_between(WATERLINE, HEIGHT), 20.0)
    assert weights[: WATERLINE // 4 + 3].max() == 0
    assert weights[-1].min() > 0.99 and weights[-10:, 0].min() > 0.99


def test_a_tree_moves_the_plain_sky_beside_it_but_no_textured_wall(texture: U8) -> None:
    crown = np.zeros((HEIGHT, WIDTH), np.float32)
    crown[80:200, 160:320] = 1
    half_plain = texture.copy()
    half_plain[:, : WIDTH // 2] = 128
    weights = falloff.weigh_with_rim(
        crown, half_plain[..., 0], np.zeros_like(crown), np.zeros_like(crown), reach=40, ramp=12
    )
    assert weights[30:40, 38].min() > 0.1  # eight pixels outside, before the plain half
    assert weights[30:40, 82].max() == 0  # and outside on the other side
    assert weights[35, 60] > 0.9


def test_a_colourful_subject_without_a_face_is_a_blossom_and_a_grey_one_is_not() -> None:
    disc = (np.hypot(np.arange(WIDTH)[None] - 240, np.arange(HEIGHT)[:, None] - 136) < 70).astype(np.float32)
    for colour, is_blossom in (((240, 120, 30), True), ((120, 118, 110), False)):
        picture = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
        picture[disc > 0] = colour
        tint = Places(scene_of(picture, matte=region(disc, 0.95))).blossom
        assert (tint is not None) == is_blossom
        if tint is not None:
            assert np.abs(tint - colour).max() < 2


def test_snow_lies_on_a_wide_plain_ground_and_not_on_the_plain_wall_of_a_tower() -> None:
    rough = np.random.default_rng(3).integers(40, 200, (HEIGHT, WIDTH, 1), np.uint8)
    tower = rough.copy()
    tower[150:, WIDTH - 90 :] = 60
    square = rough.copy()
    square[200:] = 60
    sky = region(rows_between(0, 110))
    wall = Places(scene_of(np.repeat(tower, 3, axis=2), sky=sky)).ledges[180:]
    open_ground = Places(scene_of(np.repeat(square, 3, axis=2), sky=sky)).ledges[240:]
    assert wall.max() < 0.05 and open_ground.mean() > 0.5
