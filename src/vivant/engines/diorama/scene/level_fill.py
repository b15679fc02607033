"""Fills a hole row by row from what is left and right of it, where the two agree: water, sky and ground behind a thing
go on as they are. Patches from elsewhere would put a lit peak into a lake. Of a drawing, whose colours are flat, all
rows are filled so: where the sides differ, one gives way to the other along a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.media import F32, Planes

Mask = NDArray[np.bool_]

_RIM: Final = 6  # pixels beside the hole whose mean is its side
_ROWS: Final = 3.0  # sigma, pixels: over so many rows it is told whether sides agree
_AGREE: Final = (26.0, 48.0)  # levels of luma and chroma by which sides differ: surely the same, and surely not
_CALM: Final = (3.0, 6.5)  # standard deviation of luma beside the hole: calm, and textured, where patches do better
_SIDE: Final = 7  # rows of which a side is the median
_LINE: Final = 15  # rows: of a drawing, lines thinner than half of it beside the hole
_GRAIN: Final = 6.0  # levels of detail that are carried into the hole


def fill_level(completed: Planes, planes: Planes, hole: F32, *, flat: bool) -> Planes:
    """`completed` with those rows of the hole that can be filled from its sides filled so. planes: the picture; hole:
    float32 (h, w), 0..1, which mixes old and new; flat: it is a drawing."""
    gone = hole > 0.004
    rows, columns = np.flatnonzero(gone.any(axis=1)), np.flatnonzero(gone.any(axis=0))
    if not len(rows):
        return completed
    h, w = hole.shape
    top, bottom = int(rows[0]) // 2 * 2, min(h, (int(rows[-1]) + 2) // 2 * 2)
    left = max(0, int(columns[0]) - 4 * _RIM) // 2 * 2
    right = min(w, (int(columns[-1]) + 4 * _RIM + 2) // 2 * 2)
    box, half = (slice(top, bottom), slice(left, right)), (slice(top // 2, bottom // 2), slice(left // 2, right // 2))
    size = (right - left, bottom - top)
    chroma = [cv2.resize(plane[half], size, interpolation=cv2.INTER_LINEAR) for plane in (planes.u, planes.v)]
    own = np.dstack([planes.y[box], *chroma]).astype(np.float32)
    filled, sure = _fill_rows(own, gone[box], flat=flat)
    part = hole[box]
    share = (sure * (part > 0)).astype(np.float32)
    new = own * (1 - part[..., None]) + filled * part[..., None]
    out = []
    for plane, k, where in ((completed.y, 0, box), (completed.u, 1, half), (completed.v, 2, half)):
        fresh, weight = np.ascontiguousarray(new[..., k]), share
        if k:
            fresh, weight = (filters.resize(a, size[0] // 2, size[1] // 2) for a in (fresh, weight))
        made = plane.copy()
        mixed = plane[where] + weight * (fresh - plane[where])
        made[where] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
        out.append(made)
    return Planes(*out)


def _fill_rows(own: F32, gone: Mask, *, flat: bool) -> tuple[F32, F32]:
    """The picture, float32 (h, w, 3), with the hole filled from its sides, and how sure that is, float32 (h, w)."""
    h, w = gone.shape
    rim = 2 if flat else _RIM
    runs = [(row, *run) for row in range(h) for run in _runs(gone[row])]
    sides = np.stack([own, own])  # of each pixel of the hole
    calm: Any = np.zeros((h, w), np.float32)
    along = np.zeros((h, w), np.float32)
    for row, first, last in runs:
        beside = [own[row, max(0, first - rim) : first], own[row, last : last + rim]]
        known = [side for side in beside if len(side)] or [own[row]]
        spot = (row, slice(first, last))
        for k in (0, 1):
            sides[(k, *spot)] = (beside[k] if len(beside[k]) else known[0]).mean(axis=0)
        calm[spot] = max(float(side[:, 0].std()) for side in known)
        along[spot] = (np.arange(last - first) + 0.5) / (last - first)
    # A median keeps the line of the horizon sharp. In a drawing a thin line that meets the hole does not go on in it.
    sides = np.stack([_median_of_rows(side, _LINE if flat else _SIDE) for side in sides])
    weight = np.maximum(_down(gone.astype(np.float32)), 1e-3)
    differ: Any = np.sqrt((((sides[0] - sides[1]) ** 2) * np.array([1, 2, 2], np.float32)).sum(-1))
    if not flat:
        differ, calm = _down(differ * gone) / weight, _down(calm * gone) / weight
    agree: Any = 1 - smoothstep((differ - _AGREE[0]) / (_AGREE[1] - _AGREE[0]))
    share: Any = smoothstep(along)
    if flat:
        share = np.where(agree > 0.5, share, _give_way(sides, agree <= 0.5, gone, along))
        sure = gone.astype(np.float32)
    else:
        sure = (agree * (1 - smoothstep((calm - _CALM[0]) / (_CALM[1] - _CALM[0]))) * gone).astype(np.float32)
        inside = np.maximum(filters.blur(gone.astype(np.float32), 2.0), 1e-3)
        sure = np.clip(filters.blur(sure, 2.0) / inside, 0, 1).astype(np.float32)
    filled: Any = np.where(gone[..., None], sides[0] * (1 - share[..., None]) + sides[1] * share[..., None], own)
    if flat:
        return np.asarray(filled, np.float32), sure
    detail = own - np.dstack([filters.blur(own[..., k], 2.0) for k in range(3)])
    for row, first, last in runs:
        nearer = first if first >= w - last else last  # the side with more of the picture
        mirrored = 2 * nearer - 1 - np.arange(first, last)
        there = (mirrored >= 0) & (mirrored < w)
        taken = np.clip(mirrored, 0, w - 1)
        grain = np.clip(detail[row, taken], -_GRAIN, _GRAIN) * (there & ~gone[row, taken])[:, None]
        filled[row, first:last] += grain
    return np.asarray(filled, np.float32), np.asarray(sure, np.float32)


def _runs(row: Mask) -> Iterator[tuple[int, int]]:
    """The stretches of a row of the hole: first column, and the one behind the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        yield int(first), int(last)


def _median_of_rows(side: F32, rows: int) -> F32:
    """The median over so many rows of the colours beside a hole, float32 (h, w, 3)."""
    return np.asarray(median_filter(side, (rows, 1, 1), mode="nearest"), np.float32)


def _down(values: F32) -> F32:
    """Smoothed over rows, float32."""
    smooth: Any = cv2.GaussianBlur(values, (1, 0), sigmaX=0.1, sigmaY=_ROWS, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float32)


def _give_way(sides: F32, differ: Mask, gone: Mask, along: F32) -> F32:
    """float32 (h, w), 0..1: how much a pixel is of the right side, in rows whose sides differ. Of a stretch of such
    rows, the side that goes on below takes over from its edge, row by row."""
    right = np.zeros(gone.shape, np.float32)
    count, labels = cv2.connectedComponents((gone & differ).astype(np.uint8), connectivity=8)
    for number in range(1, count):
        part = labels == number
        rows = np.flatnonzero(part.any(axis=1))
        first, last = int(rows[0]), int(rows[-1])
        below = min(last + 2, len(gone) - 1)
        columns = np.flatnonzero(part[last])
        under = sides[0, below, columns].mean(axis=0) if gone[below, columns].any() else None
        ends = [sides[k, last, columns].mean(axis=0) for k in (0, 1)]
        goes_on = 0 if under is None else int(np.linalg.norm(under - ends[1]) < np.linalg.norm(under - ends[0]))
        down = (np.arange(len(gone)) - first + 0.5) / (last - first + 1)
        edge = (1 - down if goes_on else down)[:, None]
        right[part] = np.clip((along - edge) * (last - first + 1) + 0.5, 0, 1)[part]
    return right
