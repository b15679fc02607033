"""Reads the picture, once per frame. A Grid says where each fourth pixel of the output looks in the picture; positions
are interpolated between, luma is read bilinearly from its doubled plane, chroma at its own size. Knows no camera and no
time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.kernels import fast_kernel, kernel
from vivant.engines.diorama.motion.fields import STEP, Patch, Rect
from vivant.engines.diorama.motion.frame.texels import I32, sample, sample_beside
from vivant.engines.diorama.scene.scene import Margins, Source
from vivant.media import F32, U8, Planes

# cv2.resize by 4 puts output pixel x at grid position (x + 1/2)/4 - 1/2, so sample j sits on pixel 4j + 1.5. One sample
# more on every side keeps the enlargement linear up to the edge.
FIRST: Final = 1.5 - STEP


def grid_shape(rect: Rect) -> tuple[int, int]:
    """(rows, columns) of a grid that covers `rect`, with one sample more on every side."""
    return -(-rect.height // STEP) + 2, -(-rect.width // STEP) + 2


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where the output looks. x, y: float32 grid_shape(rect), source positions in canvas pixels; sample (i, j) belongs
    to output pixel (rect.left + 4j - 2.5, rect.top + 4i - 2.5)."""

    rect: Rect
    x: F32
    y: F32

    def part(self, rect: Rect) -> Grid:
        """The same for a rect inside a grid of the whole output (whose rect starts at 0, 0)."""
        rows, columns = grid_shape(rect)
        r, c = rect.top // STEP, rect.left // STEP
        return Grid(rect, self.x[r : r + rows, c : c + columns], self.y[r : r + rows, c : c + columns])


def enlarge(values: F32, rect: Rect) -> F32:
    """A float32 array on the grid of `rect` -> (rect.height, rect.width)."""
    rows, columns = values.shape
    full = filters.resize(values, STEP * columns, STEP * rows)
    return full[STEP : STEP + rect.height, STEP : STEP + rect.width]


def enlarge_half(values: F32, rect: Rect) -> F32:
    """A float32 array on the grid of `rect` -> (rect.height / 2, rect.width / 2), on the chroma samples' rows and half
    a luma pixel right of their columns."""
    rows, columns = values.shape
    full = filters.resize(values, 2 * columns, 2 * rows)
    return full[2 : 2 + rect.height // 2, 2 : 2 + rect.width // 2]


@dataclass(frozen=True, slots=True, eq=False)
class Texels:
    """What is read of a source, contiguous. y2: uint8 (2h, 2w); u, v: uint8 (h/2, w/2). left, top: pixels of it that
    lie left of the canvas and above it."""

    y2: U8
    u: U8
    v: U8
    left: int = 0
    top: int = 0

    def place(self, x: F32, y: F32) -> tuple[F32, F32]:
        """Canvas positions as positions in these planes, contiguous."""
        if self.left or self.top:
            x, y = x + np.float32(self.left), y + np.float32(self.top)
        return np.ascontiguousarray(x), np.ascontiguousarray(y)


def to_texels(source: Source, margins: Margins | None = None) -> Texels:
    """What is read of a source; not copied. margins: what of it lies around the canvas."""
    beyond = margins or Margins()
    y2, u, v = (np.ascontiguousarray(plane) for plane in (source.y2, source.planes.u, source.planes.v))
    return Texels(y2, u, v, beyond.left, beyond.top)


def read(source: Texels, grid: Grid, hidden: F32 | None = None) -> Planes:
    """What the grid's rect shows: y (height, width), u, v (half of both). hidden: float32 on the grid, 1 where
    something else is drawn over it, so that what is there need not be read; at both ends of a cell in both ways.

    A chroma sample (i, j) sits on luma (2i + 0.5, 2j): left siting. The map enlarged by 2 is read half a luma pixel to
    its right, which the quarter of a chroma pixel subtracted here cancels (to 0.05 px where the zoom is 1.1)."""
    rect = grid.rect
    x, y = source.place(grid.x, grid.y)

    def read_plane(plane: U8, step: int, scale: float, shift: float) -> U8:
        height, width = step * rect.height // STEP, step * rect.width // STEP
        if hidden is None:
            return sample(plane, x, y, step, scale, shift, height, width)
        return sample_beside(plane, x, y, hidden, step, scale, shift, height, width)

    u, v = (read_plane(plane, STEP // 2, 0.5, -0.25) for plane in (source.u, source.v))
    return Planes(read_plane(source.y2, STEP, 2.0, 0.0), u, v)


def read_patched(source: Source, patch: Patch, grid: Grid, frame: Planes) -> None:
    """Read again, into `frame` (planes of the grid's rect, in place), what `patch` changes."""
    area = patch.rect
    inside = (
        (grid.x > area.left - STEP) & (grid.x < area.left + area.width + STEP)
        & (grid.y > area.top - STEP) & (grid.y < area.top + area.height + STEP)
    )  # fmt: skip
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return
    last_row, last_column = grid.x.shape[0] - 3, grid.x.shape[1] - 3
    r0, r1 = max(rows[0] - 1, 0), min(rows[-1] + 1, last_row + 1)
    c0, c1 = max(columns[0] - 1, 0), min(columns[-1] + 1, last_column + 1)
    # Cell r of the rect starts at row 4r; the grid carries one sample more in front of it.
    r0, c0 = min(r0, last_row), min(c0, last_column)
    width = min(STEP * int(c1 - c0), grid.rect.width - STEP * int(c0)) // 2 * 2
    height = min(STEP * int(r1 - r0), grid.rect.height - STEP * int(r0)) // 2 * 2
    if width <= 0 or height <= 0:
        return
    rect = Rect(STEP * int(c0), STEP * int(r0), width, height)
    shape = grid_shape(rect)
    x, y = (a[r0 : r0 + shape[0], c0 : c0 + shape[1]] for a in (grid.x, grid.y))
    h, w = source.planes.y.shape
    # The part of the source that these pixels read, even and within the picture, with the patch laid over it.
    left = int(np.clip(np.floor(x.min()) - 2, 0, min(w, area.left))) // 2 * 2
    top = int(np.clip(np.floor(y.min()) - 2, 0, min(h, area.top))) // 2 * 2
    right = int(np.clip(-(-(np.ceil(x.max()) + 3) // 2) * 2, area.left + area.width, w))
    bottom = int(np.clip(-(-(np.ceil(y.max()) + 3) // 2) * 2, area.top + area.height, h))
    y2 = source.y2[2 * top : 2 * bottom, 2 * left : 2 * right].copy()
    u = source.planes.u[top // 2 : bottom // 2, left // 2 : right // 2].copy()
    v = source.planes.v[top // 2 : bottom // 2, left // 2 : right // 2].copy()
    read_from = Rect(left, top, right - left, bottom - top)
    y2[area.luma2_in(read_from)] = patch.y2
    within = area.chroma_in(read_from)
    u[within], v[within] = patch.u, patch.v
    moved = Grid(rect, x - np.float32(left), y - np.float32(top))
    put(read(Texels(y2, u, v), moved), rect, frame)


def put(part: Planes, rect: Rect, frame: Planes) -> None:
    """Write the planes of a rect into those of the whole output."""
    frame.y[rect.luma] = part.y
    frame.u[rect.chroma], frame.v[rect.chroma] = part.u, part.v


class Corners(NamedTuple):
    """Which four samples of a quarter grid each of n positions lies between: the upper left one's row, column and index
    among all, int32; how far right of it and below, 0..1 of a sample, float32."""

    column: I32
    row: I32
    at: I32
    right: F32
    down: F32


@kernel
def look_up(fields: F32, x: F32, y: F32) -> F32:
    """float32 (k, rows, columns), contiguous, on the quarter grid, whose sample (i, j) is canvas pixel (4i, 4j), read
    bilinearly at canvas positions x, y (any shape (a, b)) -> float32 (k, a, b). Edges repeat."""
    count, rows, columns = fields.shape
    flat, width = fields.reshape(-1), x.shape[1]
    out = np.empty((count, x.shape[0], width), np.float32)
    corners = make_corners(width)
    # A row at a time, each step a loop of its own: only such loops use SIMD.
    for i in range(x.shape[0]):
        find_corners(x[i], y[i], rows, columns, corners)
        for k in range(count):
            read_between(flat, k * rows * columns, columns, corners, out[k, i])
    return out


@kernel
def make_corners(n: int) -> Corners:
    """Room for n positions."""
    column, row, at = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    return Corners(column, row, at, np.empty(n, np.float32), np.empty(n, np.float32))


@kernel
def find_corners(x: F32, y: F32, rows: int, columns: int, corners: Corners) -> None:
    """Fill `corners` for canvas positions x, y, float32 (n,), in a quarter grid of that many rows and columns."""
    column, row, at, right, down = corners
    _split_quarters(x, columns - 1, column, right)
    _split_quarters(y, rows - 1, row, down)
    line = np.int32(columns)
    for j in range(at.shape[0]):
        at[j] = np.int32(row[j] * line) + column[j]


@fast_kernel
def _split_quarters(position: F32, last: int, whole: I32, part: F32) -> None:
    """Canvas positions as samples of the quarter grid, 0..last: the sample before each, and how far behind it. All
    (n,). No step rounds, so the order that the compiler chooses does not matter."""
    quarter, zero, end, most = np.float32(0.25), np.float32(0), np.float32(last), np.int32(last - 1)
    for j in range(position.shape[0]):
        at = min(max(position[j] * quarter, zero), end)
        # Clamped again, so that nothing outside the field is read, whatever the positions are.
        sample_before = np.int32(max(min(np.int32(at), most), np.int32(0)))
        whole[j], part[j] = sample_before, at - np.float32(sample_before)


@kernel
def read_between(flat: F32, first: int, columns: int, corners: Corners, out: F32) -> None:
    """out, float32 (n,) = the field, of that many columns, that begins at flat[first], between its corners."""
    at, right, down = corners.at, corners.right, corners.down
    plane, line, one = np.int32(first), np.uint32(columns), np.uint32(1)
    for j in range(at.shape[0]):
        here = np.uint32(at[j] + plane)
        upper = flat[here] + right[j] * (flat[here + one] - flat[here])
        lower = flat[here + line] + right[j] * (flat[here + line + one] - flat[here + line])
        out[j] = upper + down[j] * (lower - upper)
