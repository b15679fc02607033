"""Blends a stream into a frame: both phases are read where the mask of the stream is not 0, and nothing elsewhere.
Knows grids and planes, not what flows."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import STEP, Rect
from vivant.engines.diorama.motion.frame import texels
from vivant.engines.diorama.motion.frame.warp import Texels
from vivant.media import F32, U8, Planes

VISIBLE: Final = np.float32(0.004)  # less of a stream changes no byte


class Phases(NamedTuple):
    """Two phases of a stream on the output's grid, all float32 grid_shape(rect) and contiguous."""

    ax: F32  # source positions of phase a, canvas pixels
    ay: F32
    bx: F32  # and of phase b
    by: F32
    weight: F32  # of b, 0..1
    mask: F32  # where the stream is, 0..1
    mean: F32  # local mean of luma
    contrast: F32  # by which the blend's deviation from the mean is multiplied


def crossfade(source: Texels, rect: Rect, phases: Phases, frame: Planes) -> None:
    """Blend the stream into `frame` (planes of the whole output, in place) inside `rect`."""
    ax, ay = source.place(phases.ax, phases.ay)
    bx, by = source.place(phases.bx, phases.by)
    phases = phases._replace(ax=ax, ay=ay, bx=bx, by=by)
    crossfade_luma(frame.y, source.y2, phases, rect.top, rect.left, rect.height, rect.width)
    for out, plane in ((frame.u, source.u), (frame.v, source.v)):
        crossfade_chroma(out, plane, phases, rect.top // 2, rect.left // 2, rect.height // 2, rect.width // 2)


@kernel
def crossfade_luma(out: U8, plane: U8, phases: Phases, top: int, left: int, height: int, width: int) -> None:
    """Blend both phases of `plane`, see `texels.sample`, into the rows and columns of `out` (h, w) that are given."""
    ax, ay, bx, by, weight, mask, mean, contrast = phases
    columns = mask.shape[1]
    buffers = texels.make_buffers(columns, STEP)
    line_a, line_b = np.empty(columns * STEP, np.uint8), np.empty(columns * STEP, np.uint8)
    fields, node = np.empty((4, STEP * columns), np.float32), buffers.nodes[0]
    a_positions, b_positions = texels.Positions(ax, ay, STEP, 2.0, 0.0), texels.Positions(bx, by, STEP, 2.0, 0.0)
    low, high, half = np.float32(16), np.float32(235), np.float32(0.5)
    runs, seen, of_row = make_runs(columns), 0, -1
    for i in range(height):
        row, part = texels.row_of(i, STEP)
        if row != of_row:  # the same for `step` rows of the output
            seen, of_row = find_visible(mask, row, runs), row
        for run in range(seen):
            first, last = runs[run, 0], runs[run, 1]
            span = texels.Span(row, part, first, last)
            # The first sample of a run stands half a step before the pixel of its grid column.
            skip, start, stop = texels.clip_run(first, last, STEP, width)
            count = max(0, stop - start)
            texels.read_row(plane, a_positions, span, skip, line_a[:count], buffers)
            texels.read_row(plane, b_positions, span, skip, line_b[:count], buffers)
            for k, field in enumerate((weight, mask, mean, contrast)):
                texels.interpolate_row(field, row, part, first, last, 1.0, 0.0, node)
                texels.upsample(node, last - first, STEP, 0.0, fields[k])
            here = out[top + i, left + start : left + start + count]
            w, m, s, g = fields[0][skip:], fields[1][skip:], fields[2][skip:], fields[3][skip:]
            for j in range(count):
                one, base = np.float32(line_a[j]), np.float32(here[j])
                value = one + w[j] * (np.float32(line_b[j]) - one)
                value = s[j] + (value - s[j]) * g[j]
                mixed = min(max(base + m[j] * (value - base), low), high) + half
                here[j] = np.uint8(np.int32(mixed if m[j] > VISIBLE else base))


@kernel
def crossfade_chroma(out: U8, plane: U8, phases: Phases, top: int, left: int, height: int, width: int) -> None:
    """The same for a chroma plane `out` (h/2, w/2), in its own rows and columns; its contrast is left alone."""
    ax, ay, bx, by, weight, mask = phases.ax, phases.ay, phases.bx, phases.by, phases.weight, phases.mask
    step, columns = STEP // 2, mask.shape[1]
    buffers = texels.make_buffers(columns, step)
    line_a, line_b = np.empty(columns * step, np.uint8), np.empty(columns * step, np.uint8)
    fields, node = np.empty((2, step * columns), np.float32), buffers.nodes[0]
    a_positions, b_positions = texels.Positions(ax, ay, step, 0.5, -0.25), texels.Positions(bx, by, step, 0.5, -0.25)
    half = np.float32(0.5)
    runs, seen, of_row = make_runs(columns), 0, -1
    for i in range(height):
        row, part = texels.row_of(i, step)
        if row != of_row:  # the same for `step` rows of the output
            seen, of_row = find_visible(mask, row, runs), row
        for run in range(seen):
            first, last = runs[run, 0], runs[run, 1]
            span = texels.Span(row, part, first, last)
            skip, start, stop = texels.clip_run(first, last, step, width)
            count = max(0, stop - start)
            texels.read_row(plane, a_positions, span, skip, line_a[:count], buffers)
            texels.read_row(plane, b_positions, span, skip, line_b[:count], buffers)
            for k, field in enumerate((weight, mask)):
                texels.interpolate_row(field, row, part, first, last, 1.0, 0.0, node)
                texels.upsample(node, last - first, step, 0.0, fields[k])
            here = out[top + i, left + start : left + start + count]
            w, m = fields[0][skip:], fields[1][skip:]
            for j in range(count):
                one, base = np.float32(line_a[j]), np.float32(here[j])
                value = one + w[j] * (np.float32(line_b[j]) - one)
                here[j] = np.uint8(np.int32(base + m[j] * (value - base) + half if m[j] > VISIBLE else base))


@kernel
def make_runs(columns: int) -> NDArray[np.int64]:
    """Room for the runs of a row of that many grid columns: int64 (n, 2)."""
    return np.empty((columns, 2), np.int64)


@kernel
def find_visible(mask: F32, row: int, runs: NDArray[np.int64]) -> int:
    """Write the (first, last) grid columns between which a mask, float32 (rows, columns), is seen below `row` into
    `runs`, int64 (n, 2), from left to right; returns how many there are."""
    end, first, count = mask.shape[1] - 1, 0, 0
    while first < end:
        while first < end and _is_invisible(mask, row, first):
            first += 1
        last = first
        while last < end and not _is_invisible(mask, row, last):
            last += 1
        if first < last:
            runs[count, 0], runs[count, 1] = first, last
            count += 1
        first = last
    return count


@kernel
def _is_invisible(mask: F32, row: int, column: int) -> bool:
    strongest = max(
        max(mask[row, column], mask[row, column + 1]), max(mask[row + 1, column], mask[row + 1, column + 1])
    )
    return bool(strongest <= VISIBLE)
