"""What stands out of a body is its tail only where something thin goes from its tip to the trunk."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.engines.diorama.scene.body import Body, Circle, Limb
from vivant.engines.diorama.scene.tail import find_tail, with_sure_tail
from vivant.media import F32

HEIGHT, WIDTH = 240, 320
TRUNK = Circle(130.0, 140.0, 50.0)


def matte(*lines: tuple[tuple[int, int], tuple[int, int], int]) -> F32:
    """A trunk with lines: from, to and thickness."""
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(drawn, (140, 140), (80, 50), 0, 0, 360, 1, -1)
    for start, end, thick in lines:
        cv2.line(drawn, start, end, 1, thick)
    return drawn.astype(np.float32)


def with_tail(tip: tuple[float, float]) -> Body:
    return Body(trunk=TRUNK, ground=200.0, tail=Limb((160.0, 140.0), tip))


def quarter(mask: F32) -> F32:
    return np.asarray(cv2.resize(mask, (WIDTH // 4, HEIGHT // 4), interpolation=cv2.INTER_AREA), np.float32)


def test_a_tail_begins_at_the_rim_of_the_trunk() -> None:
    mask = matte(((205, 120), (290, 70), 9))
    found = with_sure_tail(with_tail((289.0, 71.0)), mask).tail
    assert found is not None
    assert np.hypot(found.root[0] - 212, found.root[1] - 116) < 12
    assert found.tip == (289.0, 71.0)


def test_the_trunk_beside_a_tail_is_no_part_of_it() -> None:
    """It lies along the back, two samples above it."""
    mask = matte(((215, 120), (215, 70), 9), ((215, 74), (130, 74), 9))
    mask[79:88, 100:209] = 0
    found = find_tail(quarter(mask), with_tail((132.0, 74.0)))
    assert found is not None
    rows, _ = np.nonzero(found.part)
    assert rows.max() <= 31  # of the back, at row 23 and below, only where the tail joins it
    assert not found.part[22:, :48].any()
    assert found.rest[30:40, 20:50].all()


def test_what_the_border_cuts_off_is_no_tail() -> None:
    mask = matte(((205, 120), (WIDTH, 120), 9))
    assert with_sure_tail(with_tail((WIDTH - 2.0, 120.0)), mask).tail is None


def test_a_tail_whose_swing_nobody_would_see_is_none() -> None:
    mask = matte(((213, 118), (226, 110), 5))
    assert with_sure_tail(with_tail((225.0, 111.0)), mask).tail is None


def test_a_blunt_end_is_no_tail() -> None:
    mask = matte(((205, 130), (270, 130), 70))
    assert with_sure_tail(with_tail((300.0, 130.0)), mask).tail is None
