"""Rectangles and the quarter grid, which everything in motion shares."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.engines.diorama.motion.fields import Rect, average_quarter, quarter_shape, sample_quarter


def test_a_rect_around_points_is_even_covers_them_and_stays_inside_the_canvas() -> None:
    points = np.array([[5.3, 7.9], [41.2, 30.0]])
    rect = Rect.around(points, (44, 200))
    assert not any(side % 2 for side in (rect.left, rect.top, rect.width, rect.height))
    assert rect.left <= 3.3 and rect.top <= 5.9 and rect.top + rect.height >= 32
    assert rect.left + rect.width == 44


def test_rects_are_near_if_fewer_pixels_lie_between_them_than_the_gap() -> None:
    one, other = Rect(0, 0, 10, 10), Rect(20, 0, 10, 10)
    assert one.is_near(other, 11) and other.is_near(one, 11)
    assert not one.is_near(other, 10)
    assert one.union(other) == Rect(0, 0, 30, 10)


def test_a_rect_inside_another_has_double_rows_in_luma_and_half_in_chroma() -> None:
    outer, inner = Rect(10, 20, 100, 60), Rect(14, 30, 8, 6)
    assert inner.luma2_in(outer) == (slice(20, 32), slice(8, 24))
    assert inner.chroma_in(outer) == (slice(5, 8), slice(2, 6))
    assert inner.chroma == inner.chroma_in(Rect(0, 0, 200, 200))


@pytest.mark.parametrize("shape", [(8, 12), (9, 13), (11, 15)])
def test_the_quarter_grid_has_a_sample_on_every_fourth_pixel(shape: tuple[int, int]) -> None:
    values = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
    small = sample_quarter(values)
    assert small.shape == quarter_shape(*shape) and small.flags.c_contiguous
    assert small[1, 2] == values[4, 8]
    assert average_quarter(values)[1, 1] == pytest.approx(values[4, 4])  # the mean of a plane is its middle
