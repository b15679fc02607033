"""Blurs that are computed on a smaller copy."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.engines.diorama import filters


@pytest.mark.parametrize(("width", "height", "sigma"), [(1280, 720, 36.0), (963, 541, 80.0)])
def test_a_wide_blur_on_a_small_copy_is_nearly_that_of_the_whole(width: int, height: int, sigma: float) -> None:
    picture = np.random.default_rng(1).uniform(0, 255, (height, width)).astype(np.float32)
    picture[: height // 3] += 100
    difference = np.abs(filters.blur_widely(picture, sigma) - filters.blur(picture, sigma))
    assert difference.max() < 4 and difference.mean() < 1


def test_a_narrow_blur_is_that_of_the_whole() -> None:
    picture = np.random.default_rng(2).uniform(0, 255, (90, 160)).astype(np.float32)
    np.testing.assert_array_equal(filters.blur_widely(picture, 6.0), filters.blur(picture, 6.0))
