from __future__ import annotations

import numpy as np

from support.scenes import HEIGHT, WIDTH
from vivant.engines.diorama.motion.fields import Rect, Sheet
from vivant.engines.diorama.motion.frame import sheets
from vivant.engines.diorama.motion.frame.light import make_dither
from vivant.engines.diorama.motion.frame.rig import CameraPose, aim
from vivant.media import F32, Planes

NOISE = make_dither(HEIGHT, WIDTH)
GLOW = np.array([(1, 1, 1, 0, 0, 0), (1, 1, 1, 0.4, 0.2, 0.05)], np.float32)
VEIL = np.array([(1, 1, 1, 0, 0, 0), (0.3, 0.3, 0.3, 0.35, 0.35, 0.35)], np.float32)


def picture(luma: int = 90) -> Planes:
    half = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    return Planes(np.full((HEIGHT, WIDTH), luma, np.uint8), half.copy(), half.copy())


def look(sheet: Sheet, luma: int = 90, **pose: float) -> Planes:
    frame = picture(luma)
    home = {"x": 0.0, "y": 0.0, "z": 0.0, "pan": 0.0, "tilt": 0.0, "roll": 0.0, "zoom": 1.0, "pivot": 0.5}
    near = np.full((HEIGHT // 4, WIDTH // 4), 0.5, np.float32)
    grid = aim(near, CameraPose(**(home | pose)), Rect(0, 0, WIDTH, HEIGHT), WIDTH, HEIGHT)
    sheets.draw(sheet, grid, frame, NOISE)
    return frame


def spot(table: F32) -> Sheet:
    """Canvas rows 80..120, columns 160..240."""
    return Sheet(160, 80, 8, np.ones((6, 11), np.float32), table)


def middle_of(change: F32) -> tuple[float, float]:
    rows, columns = np.nonzero(change)
    return float(rows.mean()), float(columns.mean())


def test_a_sheet_is_drawn_where_it_is_and_the_rest_stays_to_the_bit() -> None:
    frame = look(spot(GLOW))
    assert frame.y[100, 200] > 120
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[60:146, 140:266] = False
    assert (frame.y[outside] == 90).all()
    assert (frame.u[outside[::2, ::2]] == 128).all() and (frame.v[outside[::2, ::2]] == 128).all()


def test_light_is_added_in_its_own_colour() -> None:
    frame = look(spot(GLOW))
    assert frame.v[50, 100] > 140 and frame.u[50, 100] < 120


def test_a_veil_brings_dark_and_bright_nearer_to_each_other() -> None:
    dark, bright = (int(look(spot(VEIL), luma).y[100, 200]) for luma in (40, 220))
    assert 40 < dark < bright < 220
    assert bright - dark < 0.6 * 180


def test_a_sheet_keeps_its_place_in_the_picture_while_the_camera_moves() -> None:
    still = middle_of(look(spot(GLOW)).y.astype(np.float32) - 90)
    panned = middle_of(look(spot(GLOW), pan=24.0).y.astype(np.float32) - 90)
    assert abs(panned[1] - (still[1] - 24)) < 1 and abs(panned[0] - still[0]) < 1
    nearer = look(spot(GLOW), zoom=1.2)
    assert (nearer.y != 90).sum() > 1.3 * (look(spot(GLOW)).y != 90).sum()


def test_an_amount_of_nothing_changes_nothing() -> None:
    frame = look(Sheet(0, 0, 8, np.zeros((30, 50), np.float32), GLOW))
    assert (frame.y == 90).all() and (frame.u == 128).all()


def test_nothing_overflows_before_white() -> None:
    frame = look(spot(np.array([(1, 1, 1, 0, 0, 0), (5, 5, 5, 9, 9, 9)], np.float32)), 230)
    assert frame.y.max() <= 235 and frame.y[100, 200] >= 230
