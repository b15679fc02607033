"""The sheet of what was seen shows what the scene holds, where it is."""

from __future__ import annotations

import numpy as np

from support.scenes import HEIGHT, WIDTH, region, rows_between, scene_of
from vivant.engines.diorama.explain_picture import COLUMNS, PANEL, draw_sheet
from vivant.media import F32

GREY = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)


def panels_of(sheet: np.ndarray) -> list[F32]:
    """The pictures of the panels, float32 (h, w, 3), cut out of a sheet."""
    width = (sheet.shape[1] - 8) // COLUMNS - 8
    height = round(width * HEIGHT / WIDTH)
    rows = (sheet.shape[0] - 8) // (height + 54)
    return [
        sheet[8 + r * (height + 54) :, 8 + c * (width + 8) :][:height, :width].astype(np.float32)
        for r in range(rows)
        for c in range(COLUMNS)
    ]


def test_each_region_is_tinted_where_it_is_and_nowhere_else() -> None:
    scene = scene_of(
        GREY, sky=region(rows_between(0, 100)), water=region(rows_between(160, HEIGHT)), plants=region(0, 0.0)
    )
    _, _, _, sky, water, plants, fire = panels_of(draw_sheet(scene))[:7]
    scale = sky.shape[0] / HEIGHT
    colourful = [np.ptp(panel, axis=2) > 30 for panel in (sky, water, plants, fire)]
    top, bottom = round(90 * scale), round(180 * scale)
    assert colourful[0][:top].mean() > 0.95 and not colourful[0][bottom:].any()
    assert colourful[1][bottom:].mean() > 0.95 and not colourful[1][:top].any()
    assert not colourful[2].any() and not colourful[3].any()


def test_the_subject_is_bright_with_an_outline_only_where_it_is_trusted() -> None:
    disc = np.hypot(*(np.mgrid[:HEIGHT, :WIDTH] - np.array([136, 240])[:, None, None])) < 80
    trusted, doubted = (panels_of(draw_sheet(scene_of(GREY, matte=region(disc, trust))))[1] for trust in (0.9, 0.0))
    h, w = trusted.shape[:2]
    assert trusted[h // 2, w // 2].mean() > 120 > 40 > trusted[h // 10, w // 10].mean()
    assert count_red(trusted) > 100 and count_red(doubted) == 0


def count_red(panel: F32) -> int:
    return int((np.ptp(panel, axis=2) > 60).sum())


def test_depth_is_dark_far_away_and_bright_near() -> None:
    depth = panels_of(draw_sheet(scene_of(GREY)))[2].mean(axis=2)
    assert depth[-3:].mean() > depth[len(depth) // 2].mean() + 30 > depth[:3].mean() + 60


def test_panels_stay_small_however_large_the_picture_is() -> None:
    sheet = draw_sheet(scene_of(GREY))
    assert sheet.dtype == np.uint8 and sheet.shape[1] <= COLUMNS * (PANEL + 8) + 8
