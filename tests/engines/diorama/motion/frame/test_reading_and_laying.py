"""The inner loops of a frame give what their definitions say, computed here pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.engines.diorama.motion.fields import Rect
from vivant.engines.diorama.motion.frame.compositing import composite
from vivant.engines.diorama.motion.frame.layers import Covers, composite_over, make_cutout
from vivant.engines.diorama.motion.frame.warp import Grid, grid_shape, look_up, to_texels
from vivant.engines.diorama.motion.frame.warp import read as read_grid
from vivant.engines.diorama.scene.scene import Source
from vivant.media import U8, Planes


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


def test_a_cut_out_is_laid_the_same_whether_its_inside_is_read_or_composited() -> None:
    height, width = 96, 128
    chance = np.random.default_rng(5)

    def plane(shape: tuple[int, int]) -> U8:
        return cv2.GaussianBlur(chance.integers(16, 236, shape, np.uint8), (0, 0), 1.5).astype(np.uint8)

    disc = cv2.circle(np.zeros((height, width), np.float32), (70, 50), 36, 1.0, cv2.FILLED)
    alpha = np.asarray(cv2.GaussianBlur(disc, (0, 0), 1.0), np.float32)
    hole = np.asarray(cv2.dilate((alpha > 0).astype(np.uint8), np.ones((5, 5), np.uint8)), np.uint8)
    shapes = (height, width), (height // 2, width // 2), (height // 2, width // 2), (2 * height, 2 * width)
    first = [plane(shape) for shape in shapes]
    second = [
        np.where(cv2.resize(hole, shape[::-1], interpolation=cv2.INTER_AREA) > 0, plane(shape), shown)
        for shown, shape in zip(first, shapes, strict=True)
    ]
    source, behind = (Source(Planes(y, u, v), y2) for y, u, v, y2 in (first, second))
    cutout = make_cutout(source, behind, alpha, hole.astype(np.float32), to_texels(source))
    assert float(cutout.covers[1].mean()) > 0.05  # or nothing was read
    whole = Rect(0, 0, width, height)
    rows, columns = grid_shape(whole)
    x, y = np.meshgrid(4 * np.arange(columns) - 2.5, 4 * np.arange(rows) - 2.5)
    grid = Grid(whole, (0.97 * x + 5.3).astype(np.float32), (1.02 * y - 3.1).astype(np.float32))
    shift = np.full(grid.x.shape, 9.0, np.float32)

    def laid(covers: Covers) -> Planes:
        under = behind.planes
        frame = Planes(under.y.copy(), under.u.copy(), under.v.copy())
        composite_over(cutout, grid, (frame.y, frame.u, frame.v), shift=shift, covers=covers)
        return frame

    extent, solid = look_up(cutout.covers, grid.x, grid.y)
    read, composited = laid(Covers(extent, solid)), laid(Covers(extent, np.zeros_like(solid)))
    everywhere = laid(Covers(np.ones_like(extent), np.zeros_like(solid)))
    for one, other, third in zip(
        (read.y, read.u, read.v), (composited.y, composited.u, composited.v),
        (everywhere.y, everywhere.u, everywhere.v), strict=True,
    ):  # fmt: skip
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 1
        assert np.array_equal(other, third)
    # What is hidden by its inside need not be read beneath it, and nobody sees the difference.
    bare = read_grid(to_texels(behind), grid)
    spared = read_grid(to_texels(behind), grid, solid)
    assert not np.array_equal(bare.y, spared.y)
    for frame in (bare, spared):
        composite_over(cutout, grid, (frame.y, frame.u, frame.v), shift=shift, covers=Covers(extent, solid))
    assert np.array_equal(bare.y, spared.y)
    assert np.array_equal(bare.u, spared.u)
    assert np.array_equal(bare.v, spared.v)
