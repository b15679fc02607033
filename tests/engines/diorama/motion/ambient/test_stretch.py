"""What a displacement tears is measured as numpy's differences say."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.engines.diorama.motion.ambient.stretch import Bears, find_worst


@pytest.mark.parametrize("shape", [(23, 37), (2, 2), (40, 3)])
def test_stretch_and_bending_are_those_of_central_differences_and_only_rise(shape: tuple[int, int]) -> None:
    chance = np.random.default_rng(2)
    moved, along_x, along_y = (chance.normal(0, 3, shape).astype(np.float32) for _ in range(3))
    most, before = (chance.uniform(0.2, 0.7, shape).astype(np.float32) for _ in range(2))
    worst = 4 * before
    find_worst(worst, moved, Bears(along_x, along_y, most, np.float32(0.5)), np.float32(8))
    down, across = np.gradient(moved.astype(np.float64), 8)
    bent = np.abs(along_x * across + along_y * down) / most
    wanted = np.max([4 * before, np.hypot(down, across) / 0.5, bent], axis=0)
    assert np.allclose(worst, wanted, rtol=1e-5)
    assert (worst == 4 * before).any()
    assert (worst > 4 * before).any()
