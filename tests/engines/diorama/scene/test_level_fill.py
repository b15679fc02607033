"""What is behind a thing goes on from what is left and right of it."""

from __future__ import annotations

import numpy as np

from vivant.engines.diorama.scene.level_fill import fill_level
from vivant.media import F32, U8, Planes

H, W = 80, 160


def planes_of(y: F32) -> Planes:
    grey: U8 = np.full((H // 2, W // 2), 128, np.uint8)
    return Planes(np.clip(np.rint(y), 16, 235).astype(np.uint8), grey, grey)


def hole_at(left: int, right: int) -> F32:
    hole = np.zeros((H, W), np.float32)
    hole[20:70, left:right] = 1
    return hole


def fill(picture: F32, patched: F32, hole: F32, *, flat: bool = False) -> F32:
    made = fill_level(planes_of(patched), planes_of(picture), hole, flat=flat)
    return made.y.astype(np.float32)


def water() -> F32:
    rows = np.linspace(90, 150, H)[:, None]
    return (np.repeat(rows, W, axis=1) + np.random.default_rng(1).normal(0, 1, (H, W))).astype(np.float32)


def test_calm_water_goes_on_whatever_patches_say() -> None:
    picture, hole = water(), hole_at(60, 100)
    shown = np.where(hole > 0, 230, picture).astype(np.float32)  # a white thing
    patched = np.where(hole > 0, 200, picture).astype(np.float32)  # behind which a lit peak was put
    made = fill(shown, patched, hole)
    inside = (slice(24, 66), slice(62, 98))
    assert np.abs(made[inside] - picture[inside]).mean() < 3
    assert made[inside].std(axis=1).mean() > 0.4  # and it is no smear


def test_textured_ground_is_left_to_the_patches() -> None:
    picture = (130 + np.random.default_rng(2).normal(0, 25, (H, W))).astype(np.float32)
    patched, hole = picture[:, ::-1].copy(), hole_at(60, 100)
    made = fill(picture, np.where(hole > 0, patched, picture).astype(np.float32), hole)
    inside = hole > 0
    assert np.abs(made[inside] - np.clip(patched, 16, 235)[inside]).mean() < 1


def test_nothing_changes_beside_the_hole() -> None:
    picture, hole = water(), hole_at(60, 100)
    for flat in (False, True):
        made = fill(picture, picture, hole, flat=flat)
        assert np.array_equal(made[hole == 0], planes_of(picture).y[hole == 0])


def test_between_two_drawn_hills_lies_a_straight_ridge_and_no_third_hill() -> None:
    columns = np.arange(W)
    ridge = np.where(columns < 80, 20 + 0.5 * columns, 20 + 0.4 * (W - columns))  # a valley in the middle
    picture = np.where(np.arange(H)[:, None] < ridge[None], 200, 90).astype(np.float32)
    hole = hole_at(60, 100)
    made = fill(np.where(hole > 0, 30, picture).astype(np.float32), picture, hole, flat=True)
    tops = (made > 150).sum(axis=0)  # rows of sky in each column
    assert tops[60:100].min() >= min(tops[58], tops[102]) - 1  # nowhere higher than at its ends
    assert np.abs(np.diff(tops[60:100])).max() <= 2
    assert set(np.unique(made[hole > 0]).astype(int)) & {30} == set()  # nothing of the thing is left


def test_a_thing_at_the_border_is_filled_from_the_other_side() -> None:
    picture, hole = water(), hole_at(0, 40)
    made = fill(np.where(hole > 0, 230, picture).astype(np.float32), picture * 0 + 60, hole)
    assert np.abs(made[24:66, 2:38] - picture[24:66, 2:38]).mean() < 3
