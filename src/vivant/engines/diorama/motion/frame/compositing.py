"""Lays a cut-out over a frame, a row at a time. Where it is opaque the picture itself is read, which costs a quarter of
compositing it; only its rim is composited, and nothing is done elsewhere. Knows planes and grids, not what is laid."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.frame import texels
from vivant.media import F32, U8

I16 = NDArray[np.int16]
I32 = NDArray[np.int32]

_SEEN: Final = np.float32(1e-3)  # less of a cut-out, averaged over a cell of the grid, is none


class Where(NamedTuple):
    """On the output's grid, all float32 and contiguous."""

    x: F32  # where the planes of the cut-out are read, canvas pixels
    y: F32
    extent: F32  # over 0 where there is some of it
    solid: F32  # 1 where it is opaque, as far as a cell of the grid reads
    slack: F32  # by which what is left over may exceed what its alpha allows, in 1/16


@kernel
def lay(
    plane: U8, rect: tuple[int, int, int, int], picture: U8, left: I16, alpha: U8, zero: int, where: Where, step: int,
    scale: float, shift: float,
) -> None:  # fmt: skip
    """Composite one plane of a cut-out over `plane`, uint8 (h, w) of the whole output, in place. rect: the first row
    and column of it that the grids cover, and how many. picture: that plane of the picture, see
    `texels.sample`; left: int16, in 1/16, and alpha: uint8, of the same size. step: output pixels from one sample
    of the grids to the next; scale, shift: from canvas pixels to samples of the plane."""
    x, y, extent, solid, slack = where
    top, first_column, height, width = rect
    h, w = left.shape
    columns = extent.shape[1]
    buffers = texels.make_buffers(columns, step)
    own, share = np.empty(columns * step, np.int16), np.empty(columns * step, np.uint8)
    loose, node = np.empty(columns * step, np.float32), buffers.nodes[0]
    positions = texels.Positions(x, y, step, scale, shift)
    most, least = make_bounds(zero)
    flat_left, flat_alpha = left.reshape(-1), alpha.reshape(-1)
    runs, count, of_row = np.empty((2 * columns, 3), np.int64), 0, -1
    for i in range(height):
        out = plane[top + i, first_column : first_column + width]
        row, part = texels.row_of(i, step)
        if row != of_row:  # the same for `step` rows of the output
            count, of_row = _find_runs(extent, solid, row, runs), row
        for r in range(count):
            first, last = runs[r, 0], runs[r, 1]
            skip, start, stop = texels.clip_run(first, last, step, width)
            if start >= stop:
                continue
            span = texels.Span(row, part, first, last)
            if runs[r, 2]:
                texels.read_row(picture, positions, span, skip, out[start:stop], buffers)
                continue
            texels.place_row(h, w, positions, span, buffers)
            _read_rim(flat_left, flat_alpha, w, buffers, step * (last - first), own, share)
            texels.interpolate_row(slack, row, part, first, last, 1.0, 0.0, node)
            texels.upsample(node, last - first, step, 0.0, loose)
            composite_row(
                out[start:stop], own[skip:], share[skip:], np.int32(zero), most, least, loose[skip:],
            )  # fmt: skip


@kernel
def _find_runs(extent: F32, solid: F32, row: int, runs: NDArray[np.int64]) -> int:
    """Write (first, last, whether it is opaque) of what is seen between grid columns into `runs`, int64 (n, 3), from
    left to right; returns how many."""
    count = 0
    at, last = _next_seen(extent, row, 0)
    while at < last:
        begin, end = texels.next_covered(solid, row, at, last)
        if at < begin:  # its rim
            runs[count, 0], runs[count, 1], runs[count, 2] = at, begin, 0
            count += 1
        if begin < end:
            runs[count, 0], runs[count, 1], runs[count, 2] = begin, end, 1
            count += 1
        at = end
        if at == last:
            at, last = _next_seen(extent, row, last)
    return count


@kernel
def _next_seen(extent: F32, row: int, after: int) -> tuple[int, int]:
    """(first, last) of the next grid columns, from `after` on, between which some of it is; equal if there are none."""
    end = extent.shape[1] - 1
    upper, lower = extent[row], extent[row + 1]
    first = after
    while first < end and max(max(upper[first], upper[first + 1]), max(lower[first], lower[first + 1])) <= _SEEN:
        first += 1
    last = first
    while last < end and max(max(upper[last], upper[last + 1]), max(lower[last], lower[last + 1])) > _SEEN:
        last += 1
    return first, last


@kernel
def _read_rim(left: I16, alpha: U8, line: int, buffers: texels.Buffers, n: int, own: I16, share: U8) -> None:
    """Fill own and share with n bilinear samples of two planes, flat, with lines of `line` samples, at the positions
    that `texels.place_row` has left in `buffers`."""
    px, py, words = buffers.x, buffers.y, buffers.words
    one, below = np.uint32(1), np.uint32(line)
    for j in range(n):
        a = np.uint32(words[j])
        b, c, d = a + one, a + below, a + below + one
        right, down = np.int32(px[j]), np.int32(py[j])
        wa, wb = (32 - right) * (32 - down), right * (32 - down)
        wc, wd = (32 - right) * down, right * down
        sum_ = wa * np.int32(left[a]) + wb * np.int32(left[b]) + wc * np.int32(left[c]) + wd * np.int32(left[d])
        own[j] = np.int16((sum_ + 512) >> 10)
        cover = wa * np.int32(alpha[a]) + wb * np.int32(alpha[b]) + wc * np.int32(alpha[c]) + wd * np.int32(alpha[d])
        share[j] = np.uint8((cover + 512) >> 10)


@kernel
def composite(out: U8, left: I16, alpha: U8, zero: int, slack: F32) -> None:
    """out = left + (1 - alpha) · out about `zero`, in place, all (h, w). out, alpha: uint8; left: int16, in 1/16;
    slack: float32, 1/16 by which left may exceed what its alpha allows."""
    most, least = make_bounds(zero)
    for i in range(out.shape[0]):
        composite_row(out[i], left[i], alpha[i], np.int32(zero), most, least, slack[i])


@kernel
def make_bounds(zero: int) -> tuple[I32, I32]:
    """The most and the least that can be left over for each alpha, in 1/16: int32 (256,)."""
    most, least = np.empty(256, np.int32), np.empty(256, np.int32)
    for share in range(256):
        most[share] = (share * (255 - zero) * 16) // 255
        least[share] = (-share * zero * 16) // 255
    return most, least


@kernel
def composite_row(out: U8, left: I16, alpha: U8, zero: np.int32, most: I32, least: I32, slack: F32) -> None:
    """One row of `composite`. most, least: see `make_bounds`. All in int32, and without a branch: such loops use SIMD.
    Fixed point: alpha in 1/255, colours in 1/16, sums in 1/4080. Where nothing is laid this gives back what is
    there."""
    sixteen, whole, bottom, top = np.int32(16), np.int32(255), np.int32(0), np.int32(255)
    # Divided as an unsigned number, which needs no case for what is below 0.
    lift, per, down = np.int32(2040 + 4080 * 1024), np.uint32(4080), np.int32(1024)
    for j in range(out.shape[0]):
        share = np.int32(alpha[j])
        more = np.int32(slack[j])
        own = np.int32(min(max(np.int32(left[j]), np.int32(least[share] - more)), np.int32(most[share] + more)))
        under = np.int32(np.int32(np.int32(np.int32(out[j]) - zero) * sixteen) * np.int32(whole - share))
        sum_ = np.int32(np.int32(np.int32(own * whole) + under) + lift)
        value = np.int32(np.int32(np.int32(np.uint32(sum_) // per) - down) + zero)
        out[j] = np.uint8(min(max(value, bottom), top))
