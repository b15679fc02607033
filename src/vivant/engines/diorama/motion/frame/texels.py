"""How a plane is read between its pixels, a row of output at a time: the four texels around each position are gathered
into one word, and the words of a row are blended at once. Knows neither pictures nor cameras.

Positions are rounded to 1/32 pixel and beyond the border the plane is mirrored (101), as `cv2.remap` does it with its
linear interpolation: the values are the same, in less than half of its time, counting that no map is enlarged
(docs/decisions/0042). What limits it is how much memory a row touches, so planes are read as they are, in bytes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import kernel
from vivant.media import F32, U8

I32 = NDArray[np.int32]

_PARTS: Final = np.float32(32)  # of a pixel
# Added to a float below 2**22 it rounds to an integer, half to even, which is then in the low bits.
_ROUND: Final = np.float32(1.5 * 2**23)
_ROUND_BITS: Final = 0x4B400000
_COVERED: Final = np.float32(0.999)


class Positions(NamedTuple):
    """Where output pixels read a plane: at x, y · scale + shift in its own samples. x, y: float32 (rows, columns), a
    grid with a sample at every `step` (4 or 2) output pixels, the first one and a half steps before the first pixel."""

    x: F32
    y: F32
    step: int
    scale: float
    shift: float


class Span(NamedTuple):
    """A part of one output row: `part` (0..1) of a step below grid row `row`, between grid columns first and last."""

    row: int
    part: np.float32
    first: int
    last: int


class Buffers(NamedTuple):
    """Room for what a row of n samples goes through, each step in the place of the one before: small, so that it stays
    in the first cache. All (n,), nodes float32 (2, n)."""

    nodes: F32
    x: F32
    y: F32
    words: I32


@kernel
def sample(plane: U8, x: F32, y: F32, step: int, scale: float, shift: float, height: int, width: int) -> U8:
    """uint8 (height, width), read from a plane, uint8 (h, w), contiguous and at least 2 each way, where x, y · scale +
    shift say. x, y: float32 grids with a sample at every `step`
    (4 or 2) output pixels, the first one and a half steps (in whole and half pixels) before the first pixel, as
    `cv2.resize` enlarges it less a rim of one sample."""
    out = np.empty((height, width), np.uint8)
    columns = x.shape[1]
    buffers = make_buffers(columns, step)
    positions = Positions(x, y, step, scale, shift)
    for i in range(height):
        row, part = row_of(i, step)
        read_row(plane, positions, Span(row, part, 0, columns - 1), step // 2, out[i], buffers)
    return out


@kernel
def sample_beside(
    plane: U8, x: F32, y: F32, hidden: F32, step: int, scale: float, shift: float, height: int, width: int
) -> U8:
    """The same without the cells that are hidden, see `next_covered`: they are 0. hidden: float32 like x and y."""
    out = np.zeros((height, width), np.uint8)
    columns = x.shape[1]
    buffers = make_buffers(columns, step)
    positions = Positions(x, y, step, scale, shift)
    seen, count, of_row = np.empty((columns, 2), np.int64), 0, -1
    for i in range(height):
        row, part = row_of(i, step)
        if row != of_row:  # the same for `step` rows of the output
            count, of_row = _find_uncovered(hidden, row, seen), row
        for k in range(count):
            first, last = seen[k, 0], seen[k, 1]
            skip, start, stop = clip_run(first, last, step, width)
            if start < stop:
                read_row(plane, positions, Span(row, part, first, last), skip, out[i, start:stop], buffers)
    return out


@kernel
def _find_uncovered(cover: F32, row: int, runs: NDArray[np.int64]) -> int:
    """Write the (first, last) grid columns of what is not covered into `runs`, int64 (n, 2); returns how many."""
    at, end, count = 0, cover.shape[1] - 1, 0
    while at < end:
        begin, after = next_covered(cover, row, at, end)
        if at < begin:
            runs[count, 0], runs[count, 1] = at, begin
            count += 1
        at = after
    return count


@kernel
def clip_run(first: int, last: int, step: int, width: int) -> tuple[int, int, int]:
    """Of the samples between grid columns first and last those inside an output of that width: how many are left out
    before, and the output columns from and up to which the others are."""
    start = step * first - step // 2
    skip = max(0, -start)
    return skip, start + skip, min(step * last - step // 2, width)


@kernel
def next_covered(cover: F32, row: int, after: int, end: int) -> tuple[int, int]:
    """(first, last) of the next grid columns, from `after` to `end`, between which all four corners of each cell are
    covered, float32 0..1; both are `end` if there are none."""
    upper, lower = cover[row], cover[row + 1]
    first = after
    while first < end and min(min(upper[first], upper[first + 1]), min(lower[first], lower[first + 1])) < _COVERED:
        first += 1
    last = first
    while last < end and min(min(upper[last], upper[last + 1]), min(lower[last], lower[last + 1])) >= _COVERED:
        last += 1
    return first, last


@kernel
def make_buffers(columns: int, step: int) -> Buffers:
    """What `read_row` needs for rows of that many grid columns."""
    n = columns * step
    return Buffers(
        np.empty((2, columns), np.float32), np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.int32)
    )


@kernel
def row_of(i: int, step: int) -> tuple[int, np.float32]:
    """The grid row above output row i, and how far i lies below it, 0..1 of a step."""
    at = (i + step + 0.5) / step - 0.5
    row = int(at)
    return row, np.float32(at - row)


@kernel
def read_row(plane: U8, positions: Positions, span: Span, skip: int, out: U8, buffers: Buffers) -> None:
    """Fill `out`, uint8 (n,), with samples of `span`, without its first `skip`. plane: see `sample`."""
    h, w = plane.shape
    n = out.shape[0]
    place_row(h, w, positions, span, buffers)
    words = buffers.words[skip : skip + n]
    flat, stride, one, byte = plane.reshape(-1), np.uint32(w), np.uint32(1), np.uint32(8)
    for j in range(n):
        at = np.uint32(words[j])
        upper = np.uint32(flat[at]) | (np.uint32(flat[at + one]) << byte)
        lower = np.uint32(flat[at + stride]) | (np.uint32(flat[at + stride + one]) << byte)
        words[j] = np.int32(np.uint32(upper | (lower << np.uint32(16))))
    _blend_neighbours(words, buffers.x[skip : skip + n], buffers.y[skip : skip + n], out)


@kernel
def place_row(h: int, w: int, positions: Positions, span: Span, buffers: Buffers) -> None:
    """Where the samples of `span` are in a plane of h rows and w columns: buffers.words the index of the pixel before
    each, which has a right and a lower neighbour, buffers.x and y how far behind it to the right and down, in 1/32
    (0..32)."""
    row, part, first, last = span
    step, scale, shift = positions.step, positions.scale, positions.shift
    n = (last - first) * step
    grid_x, grid_y = buffers.nodes[0], buffers.nodes[1]
    place_x, place_y = buffers.x[:n], buffers.y[:n]
    right, bottom = np.int32(32 * (w - 1)), np.int32(32 * (h - 1))
    interpolate_row(positions.x, row, part, first, last, 32 * scale, 32 * shift, grid_x)
    interpolate_row(positions.y, row, part, first, last, 32 * scale, 32 * shift, grid_y)
    upsample(grid_x, last - first, step, _ROUND, place_x)
    upsample(grid_y, last - first, step, _ROUND, place_y)
    if _any_outside(grid_x, last - first + 1, np.float32(right)):
        _mirror(place_x.view(np.int32), right)
    if _any_outside(grid_y, last - first + 1, np.float32(bottom)):
        _mirror(place_y.view(np.int32), bottom)
    _split_position(place_x, place_y, right, bottom, np.int32(w), buffers.words[:n])


@kernel
def interpolate_row(
    grid: F32, row: int, part: np.float32, first: int, last: int, scale: float, shift: float, out: F32
) -> None:
    """out[k] = (the grid, float32 (rows, columns), `part` of the way between `row` and the next, at column first + k,
    up to `last`) · scale + shift."""
    upper, lower = grid[row, first : last + 1], grid[row + 1, first : last + 1]
    for k in range(last + 1 - first):
        out[k] = (upper[k] + part * (lower[k] - upper[k])) * np.float32(scale) + np.float32(shift)


@kernel
def upsample(values: F32, cells: int, step: int, add: float | np.float32, out: F32) -> None:
    """out[step · k …] = `step` (4 or 2) samples between values[k] and values[k + 1], plus `add`, for `cells` of k.
    float32 (n,)."""
    more = np.float32(add)
    if step == 4:
        for k in range(cells):
            start, way = values[k], values[k + 1] - values[k]
            out[4 * k] = start + np.float32(0.125) * way + more
            out[4 * k + 1] = start + np.float32(0.375) * way + more
            out[4 * k + 2] = start + np.float32(0.625) * way + more
            out[4 * k + 3] = start + np.float32(0.875) * way + more
    else:
        for k in range(cells):
            start, way = values[k], values[k + 1] - values[k]
            out[2 * k] = start + np.float32(0.25) * way + more
            out[2 * k + 1] = start + np.float32(0.75) * way + more


@kernel
def _any_outside(values: F32, count: int, limit: np.float32) -> bool:
    beyond = np.int32(0)
    for k in range(count):
        beyond |= np.int32(values[k] < np.float32(0)) | np.int32(values[k] > limit)
    return bool(beyond != 0)


@kernel
def _mirror(bits: I32, limit: np.int32) -> None:
    for j in range(bits.shape[0]):
        at = np.int32(abs(np.int32(bits[j] - _ROUND_BITS)))
        bits[j] = np.int32(np.int32(limit - abs(np.int32(limit - at))) + _ROUND_BITS)


@kernel
def _split_position(
    place_x: F32, place_y: F32, right: np.int32, bottom: np.int32, stride: np.int32, where: I32
) -> None:
    """From positions in 1/32 pixel, plus `_ROUND`, to the index of the pixel before each, and in their place the parts
    (0..32) that remain. All (n,)."""
    bits_x, bits_y = place_x.view(np.int32), place_y.view(np.int32)
    bits, low, five = np.int32(_ROUND_BITS), np.int32(0), np.int32(5)
    # The last pixel of a row or column is read as the neighbour, wholly, of the last but one.
    last_x, last_y = np.int32((right >> five) - np.int32(1)), np.int32((bottom >> five) - np.int32(1))
    for j in range(where.shape[0]):
        # Clamped, so that nothing outside the plane is read, whatever the positions are.
        x = np.int32(min(max(np.int32(bits_x[j] - bits), low), right))
        y = np.int32(min(max(np.int32(bits_y[j] - bits), low), bottom))
        column, row = np.int32(min(np.int32(x >> five), last_x)), np.int32(min(np.int32(y >> five), last_y))
        where[j] = np.int32(np.int32(row * stride) + column)
        place_x[j] = np.float32(np.int32(x - np.int32(column << five)))
        place_y[j] = np.float32(np.int32(y - np.int32(row << five)))


@kernel
def _blend_neighbours(words: I32, px: F32, py: F32, out: U8) -> None:
    # Sums of integers below 2**24: exact in float32, which multiplies faster than int32.
    half, whole, byte = np.float32(512), np.float32(1 / 1024), np.int32(255)
    for j in range(words.shape[0]):
        word = words[j]
        a = np.float32(np.int32(word & byte))
        b = np.float32(np.int32(np.int32(word >> np.int32(8)) & byte))
        c = np.float32(np.int32(np.int32(word >> np.int32(16)) & byte))
        d = np.float32(np.int32(np.int32(word >> np.int32(24)) & byte))
        upper, lower = a * _PARTS + px[j] * (b - a), c * _PARTS + px[j] * (d - c)
        out[j] = np.uint8(np.int32((upper * _PARTS + py[j] * (lower - upper) + half) * whole))
