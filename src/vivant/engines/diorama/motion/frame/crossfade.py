"""A stream laid into a frame: both of its phases are read and blended where its mask is, and nothing elsewhere. Knows
grids and planes, not what flows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import STEP, Rect
from vivant.engines.diorama.motion.frame import texels
from vivant.engines.diorama.motion.frame.texels import U32
from vivant.engines.diorama.motion.frame.warp import Texels
from vivant.media import F32, U8, Planes

SEEN: Final = np.float32(0.004)  # less of a stream changes no byte


@dataclass(frozen=True, slots=True, eq=False)
class Phases:
    """Two phases on the output's grid, all float32 grid_shape(rect) and contiguous. ax, ay, bx, by: source positions in
    canvas pixels; weight: of b, 0..1; mask: 0..1; soft: local mean of luma; give: contrast about it that is given
    back."""

    rect: Rect
    ax: F32
    ay: F32
    bx: F32
    by: F32
    weight: F32
    mask: F32
    soft: F32
    give: F32


def crossfade(source: Texels, stream: Phases, frame: Planes) -> None:
    """Blend the stream into `frame` (planes of the whole output, in place)."""
    rect, s = stream.rect, stream
    crossfade_luma(
        frame.y, source.y2, s.ax, s.ay, s.bx, s.by, s.weight, s.mask, s.soft, s.give,
        rect.top, rect.left, rect.height, rect.width,
    )  # fmt: skip
    for plane, packed in ((frame.u, source.u), (frame.v, source.v)):
        crossfade_chroma(
            plane, packed, s.ax, s.ay, s.bx, s.by, s.weight, s.mask,
            rect.top // 2, rect.left // 2, rect.height // 2, rect.width // 2,
        )  # fmt: skip


@kernel
def crossfade_luma(
    out: U8, packed: U32, ax: F32, ay: F32, bx: F32, by: F32, weight: F32, mask: F32, soft: F32, give: F32,
    top: int, left: int, height: int, width: int,
) -> None:  # fmt: skip
    columns = mask.shape[1]
    floats, ints, words, line_a = texels.workspace(columns, STEP)
    line_b, fields, node = np.empty_like(line_a), np.empty((4, STEP * columns), np.float32), floats[0]
    low, high, half = np.float32(16), np.float32(235), np.float32(0.5)
    for i in range(height):
        row, part = texels.row_of(i, STEP)
        first, last = _run(mask, row, 0)
        while first < last:
            texels.read_row(packed, ax, ay, row, part, first, last, STEP, 2.0, 0.0, line_a, floats, ints, words)
            texels.read_row(packed, bx, by, row, part, first, last, STEP, 2.0, 0.0, line_b, floats, ints, words)
            for k, field in enumerate((weight, mask, soft, give)):
                texels.interpolate_row(field, row, part, first, last, 1.0, 0.0, node)
                texels.upsample(node, last - first, STEP, 0.0, fields[k])
            # The first sample of a run stands half a step before the pixel of its grid column.
            start = STEP * first - STEP // 2
            skip = max(0, -start)
            count = min(STEP * (last - first), width - start) - skip
            here = out[top + i, left + start + skip : left + start + skip + count]
            w, m, s, g = fields[0][skip:], fields[1][skip:], fields[2][skip:], fields[3][skip:]
            a, b = line_a[skip:], line_b[skip:]
            for j in range(count):
                one, base = np.float32(a[j]), np.float32(here[j])
                value = one + w[j] * (np.float32(b[j]) - one)
                value = s[j] + (value - s[j]) * g[j]
                mixed = min(max(base + m[j] * (value - base), low), high) + half
                here[j] = np.uint8(np.int32(mixed if m[j] > SEEN else base))
            first, last = _run(mask, row, last)


@kernel
def crossfade_chroma(
    out: U8, packed: U32, ax: F32, ay: F32, bx: F32, by: F32, weight: F32, mask: F32,
    top: int, left: int, height: int, width: int,
) -> None:  # fmt: skip
    step, columns = STEP // 2, mask.shape[1]
    floats, ints, words, line_a = texels.workspace(columns, step)
    line_b, fields, node = np.empty_like(line_a), np.empty((2, step * columns), np.float32), floats[0]
    half = np.float32(0.5)
    for i in range(height):
        row, part = texels.row_of(i, step)
        first, last = _run(mask, row, 0)
        while first < last:
            texels.read_row(packed, ax, ay, row, part, first, last, step, 0.5, -0.25, line_a, floats, ints, words)
            texels.read_row(packed, bx, by, row, part, first, last, step, 0.5, -0.25, line_b, floats, ints, words)
            for k, field in enumerate((weight, mask)):
                texels.interpolate_row(field, row, part, first, last, 1.0, 0.0, node)
                texels.upsample(node, last - first, step, 0.0, fields[k])
            start = step * first - step // 2
            skip = max(0, -start)
            count = min(step * (last - first), width - start) - skip
            here = out[top + i, left + start + skip : left + start + skip + count]
            w, m, a, b = fields[0][skip:], fields[1][skip:], line_a[skip:], line_b[skip:]
            for j in range(count):
                one, base = np.float32(a[j]), np.float32(here[j])
                value = one + w[j] * (np.float32(b[j]) - one)
                here[j] = np.uint8(np.int32(base + m[j] * (value - base) + half if m[j] > SEEN else base))
            first, last = _run(mask, row, last)


@kernel
def _run(mask: F32, row: int, after: int) -> tuple[int, int]:
    """The next stretch of grid columns, from `after` on, between which the stream is seen; (n, n) if there is none."""
    end = mask.shape[1] - 1
    first = after
    while first < end and _unseen(mask, row, first):
        first += 1
    last = first
    while last < end and not _unseen(mask, row, last):
        last += 1
    return first, last


@kernel
def _unseen(mask: F32, row: int, column: int) -> bool:
    strongest = max(
        max(mask[row, column], mask[row, column + 1]), max(mask[row + 1, column], mask[row + 1, column + 1])
    )
    return bool(strongest <= SEEN)
