"""Draws the drifting sky into a frame: the backdrop's sky, moved, takes the place of the sky that was read with the
picture, by as much as each pixel shows of it. What stands before the sky stays as it is, to the bit where it hides the
sky. Knows grids and planes, not what moves the sky.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import STEP, Drift, quarter_shape, sample_quarter
from vivant.engines.diorama.motion.frame import texels, warp
from vivant.engines.diorama.motion.frame.crossfade import find_visible, make_runs
from vivant.engines.diorama.motion.frame.warp import Grid
from vivant.engines.diorama.scene.backdrop import Backdrop
from vivant.engines.diorama.scene.scene import Margins, Source
from vivant.media import F32, U8, Planes

APART: Final = 18.0  # px²: two copies farther apart than its root show clouds that have nothing to do with each other


RESTS: Final = 0.1  # widths over which a drifting sky comes to rest


class Sky:
    """A backdrop made ready to be read, once per clip."""

    def __init__(self, backdrop: Backdrop, beyond: Margins | None = None, picture: Source | None = None) -> None:
        """beyond: how far frames look beyond the canvas. There nothing drifts; so that no seam is seen, the sky comes
        to rest before it. picture: what frames show before the sky is drawn, if it is read from that alone, as it is:
        where it shows the bare sky, that need not be read once more."""
        height, width = backdrop.alpha.shape
        margins = beyond or Margins()
        self._moved = warp.to_texels(_widen(backdrop.source, margins), margins)
        self._home = warp.to_texels(_widen(backdrop.home, margins), margins)
        alpha = _rest_at(backdrop.alpha, margins)
        self._alpha = alpha
        half = filters.resize(alpha, alpha.shape[1] // 2, alpha.shape[0] // 2)
        self._alpha_half = np.rint(half).astype(np.uint8)
        rows, columns = quarter_shape(height, width)
        # Where any pixel that a sample of the quarter grid stands for shows some sky.
        widest = cv2.dilate(backdrop.alpha, np.ones((2 * STEP + 1, 2 * STEP + 1), np.uint8))
        self._extent = np.ascontiguousarray((widest[::STEP, ::STEP] > 0).astype(np.float32))
        self._rims = _find_rims(backdrop, picture)
        tone = [filters.resize(plane, columns, rows) for plane in backdrop.tone]
        soft = sample_quarter(filters.blur_widely(backdrop.source.planes.y, 0.03 * height))
        self._tone_and_soft = np.stack([*tone, soft])  # of y, u and v; and the local mean of luma

    def draw(self, drift: Drift, view: Grid, grid: Grid, frame: Planes) -> None:
        """Into `frame`, planes of the whole output, in place. view: where the output looks; grid: the same with the
        displacement of what stands before the sky."""
        extent, rims = warp.look_up(np.stack([self._extent, self._rims]), grid.x, grid.y)
        ax, ay, bx, by = warp.look_up(np.stack([drift.ax, drift.ay, drift.bx, drift.by]), view.x, view.y)
        ax, ay, bx, by = ax + view.x, ay + view.y, bx + view.x, by + view.y
        weight = np.float32(drift.weight)
        there = warp.look_up(self._tone_and_soft, ax, ay)
        if weight > 0:
            there = (1 - weight) * there + weight * warp.look_up(self._tone_and_soft, bx, by)
        lit, mean = warp.look_up(self._tone_and_soft[:3], view.x, view.y) - there[:3], there[3]
        apart = 1 - np.exp(-((ax - bx) ** 2 + (ay - by) ** 2) / APART)
        contrast = (1 / np.sqrt(1 - 2 * weight * (1 - weight) * apart)).astype(np.float32)
        y, u, v = (np.ascontiguousarray(tone) for tone in lit)
        (x, y_), (ax, ay), (bx, by) = (self._moved.place(*at) for at in ((grid.x, grid.y), (ax, ay), (bx, by)))
        copies = _Copies(x, y_, ax, ay, bx, by, extent, rims, float(weight), mean, contrast, drift.settled)
        for plane, name, alpha, tone, step in (
            (frame.y, "y2", self._alpha, y, STEP),
            (frame.u, "u", self._alpha_half, u, STEP // 2),
            (frame.v, "v", self._alpha_half, v, STEP // 2),
        ):
            _lay(plane, getattr(self._moved, name), getattr(self._home, name), alpha, copies, tone, step)


def _rest_at(alpha: U8, beyond: Margins) -> U8:
    """alpha, uint8 (h, w), fading out toward the sides beyond which frames look, with 0 around it."""
    height, width = alpha.shape
    rest = np.ones((height, width), np.float32)
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    for used, away in (
        (beyond.left, columns), (beyond.right, columns[::-1]), (beyond.top, rows), (beyond.bottom, rows[::-1]),
    ):  # fmt: skip
        if used:
            rest = rest * smoothstep((away - 2) / np.float32(RESTS * width))
    resting = np.rint(alpha * rest).astype(np.uint8)
    sides = (beyond.top, beyond.bottom, beyond.left, beyond.right)
    return np.asarray(cv2.copyMakeBorder(resting, *sides, cv2.BORDER_CONSTANT, value=0), np.uint8)


def _widen(source: Source, beyond: Margins) -> Source:
    """The source with its mirror image around it."""
    if beyond == Margins():
        return source

    def widen(plane: U8, scale: float) -> U8:
        top, bottom, left, right = (
            round(scale * side) for side in (beyond.top, beyond.bottom, beyond.left, beyond.right)
        )
        return np.asarray(cv2.copyMakeBorder(plane, top, bottom, left, right, cv2.BORDER_REFLECT_101), np.uint8)

    planes = source.planes
    return Source(Planes(widen(planes.y, 1), widen(planes.u, 0.5), widen(planes.v, 0.5)), widen(source.y2, 2))


def _find_rims(backdrop: Backdrop, picture: Source | None) -> F32:
    """Where a picture shows something else than both skies of the backdrop, and close to it: float32 on the quarter
    grid, 0 or 1."""
    height, width = backdrop.alpha.shape
    if picture is None:
        return np.ones(quarter_shape(height, width), np.float32)
    unlike = np.zeros((height, width), np.uint8)
    for sky in (backdrop.source, backdrop.home):
        _mark_unlike(unlike, sky.y2, picture.y2)
        _mark_unlike(unlike, sky.planes.u, picture.planes.u)
        _mark_unlike(unlike, sky.planes.v, picture.planes.v)
    size = 2 * (STEP + 4) + 1  # what a sample stands for, and as far as a chroma sample and a view from afar reach
    near = cv2.dilate(unlike, np.ones((size, size), np.uint8))
    return np.ascontiguousarray(near[::STEP, ::STEP], np.float32)


@kernel
def _mark_unlike(marks: U8, one: U8, other: U8) -> None:
    """Set 1, uint8 (h, w), where two planes of twice or half that size differ."""
    doubled = one.shape[0] > marks.shape[0]
    for i in range(one.shape[0]):
        for j in range(one.shape[1]):
            if one[i, j] == other[i, j]:
                continue
            if doubled:
                marks[i // 2, j // 2] = 1
            else:
                marks[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = 1


class _Copies(NamedTuple):
    """On the output's grid, all float32 and contiguous."""

    x: F32  # where the picture was read, canvas pixels
    y: F32
    ax: F32  # where the sky is read
    ay: F32
    bx: F32
    by: F32
    extent: F32  # over 0 where some sky is seen
    rims: F32  # over 0 where the frame shows something else than the bare sky
    weight: float  # of b, 0..1
    mean: F32  # local mean of luma
    contrast: F32  # by which the blend's deviation from the mean is multiplied
    settled: float  # how far the rims of outlines have vanished, 0..1


@kernel
def _lay(out: U8, sky: U8, home: U8, alpha: U8, copies: _Copies, tone: F32, step: int) -> None:
    """out += alpha · (the moved sky + tone - the sky in its place), in place, uint8 (h, w). sky, home, alpha: see
    Backdrop. step: output pixels from one sample of the grids to the next, 4 for luma, 2 for chroma."""
    x, y, ax, ay, bx, by, extent, rims, weight, mean, contrast, settled = copies
    height, width = out.shape
    columns = extent.shape[1]
    is_luma = step == STEP
    scale, shift = (2.0, 0.0) if is_luma else (0.5, -0.25)
    share_scale = 1.0 if is_luma else 0.5
    low, high = (np.float32(16), np.float32(235)) if is_luma else (np.float32(16), np.float32(240))
    buffers = texels.make_buffers(columns, step)
    node = buffers.nodes[0]
    lines, fields = np.empty((5, columns * step), np.uint8), np.empty((3, columns * step), np.float32)
    line_0, line_a, line_b, line_s, line_h = lines[0], lines[1], lines[2], lines[3], lines[4]
    tones, means, gains = fields[0], fields[1], fields[2]
    at_home = texels.Positions(x, y, step, scale, shift)
    share = texels.Positions(x, y, step, share_scale, shift)
    at_a, at_b = texels.Positions(ax, ay, step, scale, shift), texels.Positions(bx, by, step, scale, shift)
    two, not_yet, gone = weight > 0, settled < 1, np.float32(settled)
    w, part_255, half = np.float32(weight), np.float32(1 / 255), np.float32(0.5)
    runs, near = make_runs(columns), make_runs(columns)
    count, rims_seen, of_row = 0, 0, -1
    for i in range(height):
        row, part = texels.row_of(i, step)
        if row != of_row:  # the same for `step` rows of the output
            count, rims_seen, of_row = find_visible(extent, row, runs), find_visible(rims, row, near), row
        for run in range(count):
            first, last = runs[run, 0], runs[run, 1]
            span = texels.Span(row, part, first, last)
            skip, start, stop = texels.clip_run(first, last, step, width)
            if start >= stop:
                continue
            n = stop - start
            here = out[i, start:stop]
            texels.read_row(alpha, share, span, skip, line_s[:n], buffers)
            # Bare sky has been read already; only about outlines the sky in its place is another.
            for j in range(n):
                line_h[j] = here[j]
            for j in range(n):
                line_0[j] = here[j]
            for r in range(rims_seen):
                begin, end = max(near[r, 0], first), min(near[r, 1], last)
                if begin >= end:
                    continue
                rim = texels.Span(row, part, begin, end)
                left_out, at, up_to = texels.clip_run(begin, end, step, width)
                at, up_to = at - start, max(at, up_to) - start
                texels.read_row(home, at_home, rim, left_out, line_h[at:up_to], buffers)
                if not_yet:
                    texels.read_row(sky, at_home, rim, left_out, line_0[at:up_to], buffers)
            texels.read_row(sky, at_a, span, skip, line_a[:n], buffers)
            if two:
                texels.read_row(sky, at_b, span, skip, line_b[:n], buffers)
                texels.interpolate_row(mean, row, part, first, last, 1.0, 0.0, node)
                texels.upsample(node, last - first, step, 0.0, means)
                texels.interpolate_row(contrast, row, part, first, last, 1.0, 0.0, node)
                texels.upsample(node, last - first, step, 0.0, gains)
            texels.interpolate_row(tone, row, part, first, last, 1.0, 0.0, node)
            texels.upsample(node, last - first, step, 0.0, tones)
            for j in range(n):
                moved = np.float32(line_a[j])
                if two:
                    moved += w * (np.float32(line_b[j]) - moved)
                    if is_luma:
                        moved = means[j + skip] + (moved - means[j + skip]) * gains[j + skip]
                before = np.float32(line_h[j])
                if not_yet:
                    before = np.float32(line_0[j]) + gone * (before - np.float32(line_0[j]))
                change = np.float32(line_s[j]) * part_255 * (moved + tones[j + skip] - before)
                value = min(max(np.float32(here[j]) + change, low), high) + half
                here[j] = np.uint8(np.int32(value if line_s[j] != 0 else np.float32(here[j])))
