"""The inner loops of a frame give what their definitions say, computed here pixel by pixel."""

from __future__ import annotations

import numpy as np

from vivant.engines.diorama.motion.frame.layers import composite
from vivant.engines.diorama.motion.frame.warp import look_up


def test_a_field_is_read_between_its_samples_and_repeats_beyond_its_edges() -> None:
    chance = np.random.default_rng(3)
    fields = chance.normal(0, 1, (3, 7, 9)).astype(np.float32)
    x, y = (chance.uniform(-20, 60, (11, 13)).astype(np.float32) for _ in range(2))
    x[0, :4], y[0, :4] = (0, 32, 31.99, -1e9), (0, 24, 1e9, 23.5)
    found = look_up(fields, x, y)
    px, py = np.clip(x.astype(float) / 4, 0, 8), np.clip(y.astype(float) / 4, 0, 6)
    c, r = np.minimum(px.astype(int), 7), np.minimum(py.astype(int), 5)
    fx, fy = px - c, py - r
    upper = fields[:, r, c] * (1 - fx) + fields[:, r, c + 1] * fx
    lower = fields[:, r + 1, c] * (1 - fx) + fields[:, r + 1, c + 1] * fx
    assert np.abs(found - (upper * (1 - fy) + lower * fy)).max() < 1e-5


def test_what_is_laid_keeps_to_its_bounds_and_nothing_laid_changes_nothing() -> None:
    chance = np.random.default_rng(4)
    shape = (40, 50)
    for zero in (0, 128):
        for slack in (64, 4000):
            under = chance.integers(0, 256, shape, np.uint8)
            alpha = chance.integers(0, 256, shape, np.uint8)
            left = chance.integers(-5000, 5000, shape, np.int16)
            alpha[:10] = left[:10] = 0
            alpha[10:20] = 255
            laid = under.copy()
            composite(laid, left, alpha, zero, np.full(shape, slack, np.float32))
            assert np.array_equal(laid[:10], under[:10])
            share = alpha.astype(int)
            most, least = share * (255 - zero) * 16 // 255 + slack, -share * zero * 16 // 255 - slack
            own = np.clip(left.astype(int), least, most)
            wanted = (own * 255 + (under.astype(int) - zero) * 16 * (255 - share) + 2040) // 4080 + zero
            assert np.array_equal(laid, np.clip(wanted, 0, 255))
