"""What a shut lid is made of: the skin of that side of the eye which bears no marking."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.engines.diorama.motion.subject.lids import Lid
from vivant.engines.diorama.scene.body import AnimalEye
from vivant.engines.diorama.scene.colour import make_source
from vivant.media import U8

EYE = AnimalEye(160.0, 160.0, 30.0, 26.0)


def draw_owl(brow: float | None) -> U8:
    """Grey fur and an orange eye with a pupil; brow: how far above the middle of the eye a dark band lies."""
    picture = np.full((320, 320, 3), 150, np.uint8)
    y, x = np.mgrid[:320, :320]
    out = np.hypot((x - EYE.x) / EYE.across, (y - EYE.y) / EYE.down)
    if brow is not None:
        picture[np.abs(y - EYE.y + brow) < 11] = 15
    picture[out < 1] = (250, 140, 10)
    picture[out < 0.45] = 5
    return picture


@pytest.mark.parametrize("brow", [None, 46.0, 60.0])
def test_a_shut_eye_is_covered_by_fur_and_by_no_dark_brow(brow: float | None) -> None:
    lid = Lid(make_source(draw_owl(brow)), EYE)
    shut, open_ = lid.draw(1.0), lid.draw(0.0)
    row, column = round(2 * (EYE.y - lid.rect.top)), round(2 * (EYE.x - lid.rect.left))
    eye = np.s_[row - 32 : row + 33, column - 20 : column + 21]
    assert float((open_.y2[eye] < 60).mean()) > 0.2  # the pupil
    assert float((shut.y2[eye] < 60).mean()) < 0.1  # the line where the lids meet
    assert float(np.median(shut.y2[eye])) > 100


@pytest.mark.parametrize("tilt", [-35.0, 50.0, 90.0])
def test_the_lids_of_a_turned_eye_close_across_it(tilt: float) -> None:
    eye = AnimalEye(160.0, 160.0, 30.0, 14.0, tilt=tilt, upright=False)
    y, x = np.mgrid[:320, :320]
    cos, sin = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    along, across = cos * (x - eye.x) + sin * (y - eye.y), cos * (y - eye.y) - sin * (x - eye.x)
    picture = np.full((320, 320, 3), 90, np.uint8)
    picture[np.hypot(along / eye.across, across / eye.down) < 1] = 230
    lid = Lid(make_source(picture), eye)
    open_, shut = lid.draw(0.0), lid.draw(1.0)
    bright = float((open_.y2 > 160).mean())
    assert bright > 0.05
    assert float((shut.y2 > 160).mean()) < 0.03 * bright
