"""How a plane is read between its pixels, a row of output at a time: each pixel is packed with its right, lower and
lower right neighbour into one word, so that a bilinear sample is one read. Knows neither pictures nor cameras.

Positions are rounded to 1/32 pixel and beyond the border the plane is mirrored (101), as `cv2.remap` does it with its
linear interpolation: the values are the same, in less than half of its time, counting that no map is enlarged
(docs/decisions/0042).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import kernel
from vivant.media import F32, U8

I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]

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
    """Room for what a row of n samples goes through: float32 (6, n), int32 (n,), uint32 (n,)."""

    floats: F32
    ints: I32
    words: U32


@kernel
def pack(plane: U8) -> U32:
    """uint8 (h, w) -> uint32 (h, w): the pixel, its right, its lower and its lower right neighbour, lowest byte first.
    The last row and column are their own neighbours."""
    h, w = plane.shape
    out = np.empty((h, w), np.uint32)
    for i in range(h):
        here, below, line = plane[i], plane[min(i + 1, h - 1)], out[i]
        for j in range(w - 1):
            line[j] = (
                np.uint32(here[j]) | (np.uint32(here[j + 1]) << np.uint32(8))
                | (np.uint32(below[j]) << np.uint32(16)) | (np.uint32(below[j + 1]) << np.uint32(24))
            )  # fmt: skip
        line[w - 1] = np.uint32(here[w - 1]) * np.uint32(0x101) | np.uint32(below[w - 1]) * np.uint32(0x1010000)
    return out


@kernel
def sample(texels: U32, x: F32, y: F32, step: int, scale: float, shift: float, height: int, width: int) -> U8:
    """uint8 (height, width), read where x, y · scale + shift say. x, y: float32 grids with a sample at every `step`
    (4 or 2) output pixels, the first one and a half steps (in whole and half pixels) before the first pixel, as
    `cv2.resize` enlarges it less a rim of one sample."""
    out = np.empty((height, width), np.uint8)
    columns = x.shape[1]
    buffers, line = make_buffers(columns, step), np.empty(columns * step, np.uint8)
    positions = Positions(x, y, step, scale, shift)
    for i in range(height):
        row, part = row_of(i, step)
        read_row(texels, positions, Span(row, part, 0, columns - 1), line, buffers)
        out[i] = line[step // 2 : step // 2 + width]
    return out


@kernel
def sample_beside(
    texels: U32, x: F32, y: F32, hidden: F32, step: int, scale: float, shift: float, height: int, width: int
) -> U8:
    """The same without the cells that are hidden, see `next_covered`: they are 0. hidden: float32 like x and y."""
    out = np.empty((height, width), np.uint8)
    columns = x.shape[1]
    buffers, line = make_buffers(columns, step), np.empty(columns * step, np.uint8)
    positions = Positions(x, y, step, scale, shift)
    for i in range(height):
        row, part = row_of(i, step)
        at = 0
        while at < columns - 1:
            begin, end = next_covered(hidden, row, at, columns - 1)
            if at < begin:
                read_row(texels, positions, Span(row, part, at, begin), line[step * at :], buffers)
            line[step * begin : step * end] = 0
            at = end
        out[i] = line[step // 2 : step // 2 + width]
    return out


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
    return Buffers(np.empty((6, n), np.float32), np.empty(n, np.int32), np.empty(n, np.uint32))


@kernel
def row_of(i: int, step: int) -> tuple[int, np.float32]:
    """The grid row above output row i, and how far i lies below it, 0..1 of a step."""
    at = (i + step + 0.5) / step - 0.5
    row = int(at)
    return row, np.float32(at - row)


@kernel
def read_row(texels: U32, positions: Positions, span: Span, line: U8, buffers: Buffers) -> None:
    """Fill `line`, uint8, with the (last - first) · step samples of `span`. texels: uint32 (h, w), see `pack`."""
    h, w = texels.shape
    n = (span.last - span.first) * positions.step
    place_row(h, w, positions, span, buffers)
    floats, ints, words = buffers
    flat = texels.reshape(-1)
    for j in range(n):
        words[j] = flat[np.uint32(ints[j])]
    _blend_neighbours(words[:n], floats[4][:n], floats[5][:n], line)


@kernel
def place_row(h: int, w: int, positions: Positions, span: Span, buffers: Buffers) -> None:
    """Where the samples of `span` are in a plane of h rows and w columns: buffers.ints the index of the pixel before
    each, buffers.floats[4] and [5] how far behind it to the right and down, in 1/32 (0..31)."""
    row, part, first, last = span
    step, scale, shift = positions.step, positions.scale, positions.shift
    n = (last - first) * step
    floats, ints = buffers.floats, buffers.ints
    grid_x, grid_y, place_x, place_y = floats[0], floats[1], floats[2][:n], floats[3][:n]
    right, bottom = np.int32(32 * (w - 1)), np.int32(32 * (h - 1))
    interpolate_row(positions.x, row, part, first, last, 32 * scale, 32 * shift, grid_x)
    interpolate_row(positions.y, row, part, first, last, 32 * scale, 32 * shift, grid_y)
    upsample(grid_x, last - first, step, _ROUND, place_x)
    upsample(grid_y, last - first, step, _ROUND, place_y)
    bits_x, bits_y = place_x.view(np.int32), place_y.view(np.int32)
    if _any_outside(grid_x, last - first + 1, np.float32(right)):
        _mirror(bits_x, right)
    if _any_outside(grid_y, last - first + 1, np.float32(bottom)):
        _mirror(bits_y, bottom)
    _split_position(bits_x, bits_y, right, bottom, np.int32(w), ints[:n], floats[4][:n], floats[5][:n])


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
    bits_x: I32, bits_y: I32, right: np.int32, bottom: np.int32, stride: np.int32, where: I32, px: F32, py: F32
) -> None:
    """From positions in 1/32 pixel to the word to read, and the parts (0..31) that remain, all (n,)."""
    bits, low = np.int32(_ROUND_BITS), np.int32(0)
    for j in range(where.shape[0]):
        # Clamped, so that nothing outside the plane is read, whatever the positions are.
        x = np.int32(min(max(np.int32(bits_x[j] - bits), low), right))
        y = np.int32(min(max(np.int32(bits_y[j] - bits), low), bottom))
        where[j] = np.int32(np.int32(np.int32(y >> np.int32(5)) * stride) + np.int32(x >> np.int32(5)))
        px[j], py[j] = np.float32(np.int32(x & np.int32(31))), np.float32(np.int32(y & np.int32(31)))


@kernel
def _blend_neighbours(words: U32, px: F32, py: F32, out: U8) -> None:
    # Sums of integers below 2**24: exact in float32, which multiplies faster than int32.
    half, whole, byte = np.float32(512), np.float32(1 / 1024), np.uint32(255)
    for j in range(words.shape[0]):
        word = words[j]
        a = np.float32(np.int32(word & byte))
        b = np.float32(np.int32((word >> np.uint32(8)) & byte))
        c = np.float32(np.int32((word >> np.uint32(16)) & byte))
        d = np.float32(np.int32(word >> np.uint32(24)))
        upper, lower = a * _PARTS + px[j] * (b - a), c * _PARTS + px[j] * (d - c)
        out[j] = np.uint8(np.int32((upper * _PARTS + py[j] * (lower - upper) + half) * whole))
