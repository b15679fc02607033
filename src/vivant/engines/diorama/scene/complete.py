"""Completes the background behind the subject, once per clip, from pixels of the background only.

Patches are matched on a small copy (PatchMatch, Barnes et al. 2009, inside the expectation-maximisation of Wexler et
al. 2007, coarse to fine), then the field of offsets is enlarged and full-size pixels are copied, so that texture and
grain are those of the picture.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import fast_kernel, kernel
from vivant.engines.diorama.scene.colour import double_luma
from vivant.engines.diorama.scene.level_fill import fill_level
from vivant.engines.diorama.scene.scene import Source
from vivant.media import F32, U8, Planes

I32 = NDArray[np.int32]
Mask = NDArray[np.bool_]
Begin = Literal["smooth", "level", "border"]

_WORK: Final = 320  # long side of the copy on which patches are matched
_RADIUS: Final = 3  # patches are 7x7; the kernels have it as range(-3, 4)
_LENGTH: Final = 24  # numbers in a row of the patches that are compared: three channels of eight pixels, for SIMD
_LEVELS: Final = 3
_ROUNDS: Final = 4  # of matching and voting on each level
_LAST_ROUNDS: Final = 2  # on the finest one, which costs more than all others
_SWEEPS: Final = 3  # in each round
_ROWS: Final = 0.1  # of the height: how many rows beyond its own width a border may take patches from
_NONE: Final = np.float32(1e30)  # the cost where no patch was found; finite, as fast kernels need it
_NEAR: Final = 16  # pixels within which patches are tried about what a coarser level found


def complete(
    source: Source,
    rgb: U8,
    hole: F32,
    *,
    reach: float,
    seed: int = 0,
    begin: Begin = "smooth",
    flat: bool = False,
    soft: float = 0.0,
) -> Source:
    """`source` with the hole filled. rgb: uint8 (h, w, 3), the same picture. hole: float32 (h, w), 0..1; old and new
    are mixed by it. reach: how far in from the hole's rim the result can be seen, in pixels; farther in it is only
    filled smoothly. begin: what the first matches are like: "smooth", an average of all around the hole; "level", what
    is left and right of it, for one that will be seen as a whole: scenes are layered, and from an average a hill would
    end in haze; where both sides agree nothing else is taken (level_fill.py); "border", what `rgb` has in the hole,
    which is the picture's edge drawn outward: it goes on with what is near, so nothing is taken from rows far away.
    flat: it is a drawing, of which "level" holds everywhere. soft: pixels, standard deviation, of the blur of
    seams between patches: in a sky nothing is as hard as they are. Equal arguments, equal result."""
    h, w = hole.shape
    scale = _WORK / max(h, w)
    size = (max(round(w * scale), 16), max(round(h * scale), 16))
    small: Any = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    gone = cv2.resize((hole > 0.02).astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    gone = cv2.dilate(gone.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    offsets, seen = _match(small, gone, max(2, round(reach * scale) + 2), seed, begin)
    maps = _enlarge(offsets, seen, (w, h))
    planes = source.planes
    y = _fill(planes.y, hole, maps, half=False)
    halved: Any = cv2.resize(hole, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    u, v = (_fill(plane, halved, maps, half=True) for plane in (planes.u, planes.v))
    if soft > 0:
        seams = _find_seams(maps, soft * scale)
        y = _soften(y, seams, hole, soft)
        u, v = (_soften(plane, seams, halved, soft / 2) for plane in (u, v))
    if begin == "level":
        made = fill_level(Planes(y, u, v), planes, hole, flat=flat)
        y, u, v = made.y, made.u, made.v
    # Outside the hole the double-size luma stays as it is.
    painted = double_luma(y)
    weight = cv2.resize((hole > 0.004).astype(np.uint8), (2 * w, 2 * h), interpolation=cv2.INTER_NEAREST)
    weight = cv2.dilate(weight, np.ones((9, 9), np.uint8))
    y2 = np.where(weight > 0, painted, source.y2)
    return Source(Planes(y, u, v), y2)


def pull_push(values: F32, known: F32) -> F32:
    """float32 (h, w[, c]) with unknown pixels (known 0..1, float32 (h, w)) filled smoothly from the known ones about
    them: averages go down a pyramid and come back where nothing was known."""
    h, w = known.shape
    weight = known if values.ndim == 2 else known[..., None]
    if min(h, w) <= 2 or float(known.min()) >= 1:
        mean = (values * weight).sum(axis=(0, 1)) / max(float(known.sum()), 1e-6)
        flat: F32 = (values * weight + mean * (1 - weight)).astype(np.float32)
        return flat
    half = (max((w + 1) // 2, 1), max((h + 1) // 2, 1))
    below = cv2.resize(known, half, interpolation=cv2.INTER_AREA)
    divisor = np.maximum(below, 1e-6)
    mean = cv2.resize((values * weight).astype(np.float32), half, interpolation=cv2.INTER_AREA)
    mean = mean / (divisor if values.ndim == 2 else divisor[..., None])
    filled = pull_push(mean.astype(np.float32), np.minimum(below * 2, 1))
    up = cv2.resize(filled, (w, h), interpolation=cv2.INTER_LINEAR)
    out: F32 = (values * weight + up * (1 - weight)).astype(np.float32)
    return out


def _match(small: U8, gone: Mask, reach: int, seed: int, begin: Begin) -> tuple[I32, Mask]:
    """For pixels of the hole that can be seen (the mask returned): row and column offsets, int32 (h, w, 2), to the
    background pixel that goes there."""
    inner = cv2.distanceTransform(gone.astype(np.uint8), cv2.DIST_L2, 3)
    seen = gone & (inner <= reach)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    levels: list[tuple[Any, Mask, Mask]] = [(lab, gone, seen)]
    for _ in range(_LEVELS - 1):
        picture, hole, want = levels[-1]
        half = ((picture.shape[1] + 1) // 2, (picture.shape[0] + 1) // 2)
        if min(half) < 6 * _RADIUS:
            break
        levels.append(
            (
                cv2.resize(picture, half, interpolation=cv2.INTER_AREA),
                cv2.resize(hole.astype(np.uint8), half, interpolation=cv2.INTER_AREA) > 0,
                cv2.resize(want.astype(np.uint8), half, interpolation=cv2.INTER_AREA) > 0,
            )
        )
    offsets: I32 | None = None
    for step, (picture, hole, want) in reversed(list(enumerate(levels))):
        want = want & hole
        usable = _usable(hole)
        if not usable.any() or not want.any():
            return np.zeros((*gone.shape, 2), np.int32), np.zeros_like(gone)
        canvas = _begin(begin, picture, hole)
        ring = cv2.dilate(want.astype(np.uint8), np.ones((2 * _RADIUS + 1, 2 * _RADIUS + 1), np.uint8)) > 0
        start = _start(usable, ring, offsets, seed + step)
        # Filled pixels count less the farther in they are, or matches drift to any flat dark patch.
        sure = (1.25 ** -cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)).astype(np.float32)
        laid, weights = _lay_out(picture), _lay_out(np.repeat(sure[..., None], 3, axis=2))
        # What comes from the coarser level is about right: patches far from it have been tried there.
        widest = picture.shape[1] if step else _NEAR
        farthest = picture.shape[0]
        if begin == "border":
            farthest = min(farthest, 2 * _RADIUS + int((reach + _ROWS * gone.shape[0]) / 2**step))
        for k in range(_ROUNDS if step else _LAST_ROUNDS):
            if offsets is not None or k:
                canvas = _vote(canvas, picture, start, ring, want, sure)
            state = np.uint32(seed * 8 + step * 4 + k + 1)
            start = _search(_lay_out(canvas), laid, weights, start, ring, usable, state, (widest, farthest), _LENGTH)
        offsets = start
    assert offsets is not None
    return offsets, seen


def _begin(begin: Begin, picture: F32, hole: Mask) -> F32:
    if begin == "border":
        return picture
    return _across(picture, hole) if begin == "level" else pull_push(picture, (~hole).astype(np.float32))


def _across(picture: F32, hole: Mask) -> F32:
    """float32 (h, w, 3): each row of the hole goes from what is left of it to what is right of it."""
    smooth = pull_push(picture, (~hole).astype(np.float32))
    out = smooth.copy()
    w = hole.shape[1]
    columns = np.arange(w)
    for row in np.flatnonzero(hole.any(axis=1)):
        known = np.flatnonzero(~hole[row])
        if len(known):
            for k in range(3):
                out[row, :, k] = np.interp(columns, known, picture[row, known, k])
    return np.asarray(np.where(hole[..., None], out, picture), np.float32)


def _usable(hole: Mask) -> Mask:
    """Centres of patches that touch neither the hole nor the border."""
    clear = cv2.erode((~hole).astype(np.uint8), np.ones((2 * _RADIUS + 1, 2 * _RADIUS + 3), np.uint8))
    clear[:_RADIUS] = clear[-_RADIUS:] = 0
    clear[:, :_RADIUS] = clear[:, -_RADIUS - 1 :] = 0
    return clear > 0


def _start(usable: Mask, ring: Mask, coarser: I32 | None, seed: int) -> I32:
    """Initial offsets, int32 (h, w, 2): those of the coarser level, else a random usable patch on about the same row,
    since pictures are layered: sky, hills, ground."""
    h, w = usable.shape
    offsets = np.zeros((h, w, 2), np.int32)
    rows, columns = np.nonzero(ring)
    if coarser is not None:
        half = coarser[np.minimum(rows // 2, coarser.shape[0] - 1), np.minimum(columns // 2, coarser.shape[1] - 1)]
        offsets[rows, columns] = 2 * half
        return offsets
    choice = np.random.Generator(np.random.Philox(key=seed))
    all_rows, all_columns = np.nonzero(usable)  # sorted by rows
    nearest = np.searchsorted(all_rows, rows) + choice.integers(-w, w, len(rows))
    pick = np.clip(nearest, 0, len(all_rows) - 1)
    offsets[rows, columns, 0], offsets[rows, columns, 1] = all_rows[pick] - rows, all_columns[pick] - columns
    return offsets


@fast_kernel
def _distance(
    canvas: F32, picture: F32, sure: F32, r: int, c: int, sr: int, sc: int, best: np.float32, length: int
) -> np.float32:
    """The weighted sum of squares between the patch of `canvas` about (r, c) and that of `picture` about (sr, sc);
    given up after a row that takes it above `best`. All three as `_lay_out` gives them. length: numbers in a row of a
    patch, told at run time: a loop whose length the compiler knows it unrolls, and then uses no SIMD."""
    total = np.float32(0)
    for i in range(7):
        one = canvas[r + i, 3 * c : 3 * c + length]
        other = picture[sr + i, 3 * sc : 3 * sc + length]
        weight = sure[r + i, 3 * c : 3 * c + length]
        row = np.float32(0)
        for k in range(length):
            away = one[k] - other[k]
            row += weight[k] * away * away
        total += row
        if total > best:
            return total
    return total


@kernel
def _lay_out(picture: F32) -> F32:
    """float32 (h, w, 3) -> (h + 6, 3 · (w + 7)): the channels side by side, with a rim of zeros, so that no patch
    reaches beyond it."""
    h, w = picture.shape[:2]
    out = np.zeros((h + 6, 3 * (w + 7)), np.float32)
    for r in range(h):
        for c in range(w):
            for k in range(3):
                out[r + 3, 3 * (c + 3) + k] = picture[r, c, k]
    return out


@kernel
def _search(
    canvas: F32, picture: F32, sure: F32, offsets: I32, ring: Mask, usable: Mask, state: np.uint32,
    limits: tuple[int, int], length: int,
) -> I32:  # fmt: skip
    """Sweeps of propagation and random search. A patch far away costs a little more than a near one. canvas, picture,
    sure: as `_lay_out` gives them. state: seed of the random numbers, of a linear congruential generator. limits: how
    far from what was found so far patches are tried, and how many rows away they may be. length: see `_distance`."""
    h, w = ring.shape
    out = offsets.copy()
    cost = np.full((h, w), _NONE, np.float32)
    pull = np.float32(0.35)
    widest, farthest = limits
    for r in range(h):
        for c in range(w):
            if ring[r, c]:
                sr, sc = r + out[r, c, 0], c + out[r, c, 1]
                if 0 <= sr < h and 0 <= sc < w and usable[sr, sc] and abs(sr - r) <= farthest:
                    away = pull * np.float32(abs(out[r, c, 0]) * 2 + abs(out[r, c, 1]))
                    cost[r, c] = away + _distance(canvas, picture, sure, r, c, sr, sc, _NONE, length)
    for sweep in range(_SWEEPS):
        step = 1 if sweep % 2 == 0 else -1
        for ri in range(h):
            r = ri if step == 1 else h - 1 - ri
            for ci in range(w):
                c = ci if step == 1 else w - 1 - ci
                if not ring[r, c]:
                    continue
                for side in range(2):
                    nr, nc = (r - step, c) if side == 0 else (r, c - step)
                    if nr < 0 or nr >= h or nc < 0 or nc >= w or not ring[nr, nc]:
                        continue
                    if out[nr, nc, 0] == out[r, c, 0] and out[nr, nc, 1] == out[r, c, 1]:
                        continue
                    sr, sc = r + out[nr, nc, 0], c + out[nr, nc, 1]
                    if 0 <= sr < h and 0 <= sc < w and usable[sr, sc] and abs(sr - r) <= farthest:
                        away = pull * np.float32(abs(sr - r) * 2 + abs(sc - c))
                        if away >= cost[r, c]:
                            continue
                        found = away + _distance(canvas, picture, sure, r, c, sr, sc, cost[r, c] - away, length)
                        if found < cost[r, c]:
                            cost[r, c] = found
                            out[r, c, 0], out[r, c, 1] = sr - r, sc - c
                radius = w if cost[r, c] == _NONE else widest
                while radius >= 1:
                    state = state * np.uint32(1664525) + np.uint32(1013904223)
                    dr = int((state >> np.uint32(16)) % np.uint32(2 * radius + 1)) - radius
                    state = state * np.uint32(1664525) + np.uint32(1013904223)
                    dc = int((state >> np.uint32(16)) % np.uint32(2 * radius + 1)) - radius
                    if cost[r, c] == _NONE:
                        sr, sc = r + dr, c + dc
                    else:
                        sr, sc = r + out[r, c, 0] + dr // 2, c + out[r, c, 1] + dc
                    if 0 <= sr < h and 0 <= sc < w and usable[sr, sc] and abs(sr - r) <= farthest:
                        away = pull * np.float32(abs(sr - r) * 2 + abs(sc - c))
                        if away < cost[r, c]:
                            found = away + _distance(canvas, picture, sure, r, c, sr, sc, cost[r, c] - away, length)
                            if found < cost[r, c]:
                                cost[r, c] = found
                                out[r, c, 0], out[r, c, 1] = sr - r, sc - c
                    radius //= 2
    # Pixels for which no patch was found keep the smooth filling.
    for r in range(h):
        for c in range(w):
            if ring[r, c] and cost[r, c] == _NONE:
                out[r, c, 0], out[r, c, 1] = 0, 0
    return out


@kernel
def _vote(canvas: F32, picture: F32, offsets: I32, ring: Mask, want: Mask, sure: F32) -> F32:
    """Each wanted pixel becomes the weighted mean of the pixels that the patches covering it propose."""
    h, w = ring.shape
    out = canvas.copy()
    for r in range(h):
        for c in range(w):
            if not want[r, c]:
                continue
            weight = np.float32(0)
            a = np.zeros(3, np.float32)
            for i in range(-3, 4):
                for j in range(-3, 4):
                    rr, cc = r + i, c + j
                    if rr < 0 or rr >= h or cc < 0 or cc >= w or not ring[rr, cc]:
                        continue
                    sr, sc = r + offsets[rr, cc, 0], c + offsets[rr, cc, 1]
                    if sr < 0 or sr >= h or sc < 0 or sc >= w or (offsets[rr, cc, 0] == 0 and offsets[rr, cc, 1] == 0):
                        continue
                    share = sure[rr, cc] / np.float32(1 + i * i + j * j)
                    weight += share
                    for k in range(3):
                        a[k] += share * picture[sr, sc, k]
            if weight > 0:
                for k in range(3):
                    out[r, c, k] = a[k] / weight
    return out


def _enlarge(offsets: I32, seen: Mask, size: tuple[int, int]) -> tuple[F32, F32, F32]:
    """Rows and columns of the offsets in full-size pixels, and where there are any (0 or 1), all float32, per small
    pixel."""
    h, w = seen.shape
    factor_x, factor_y = size[0] / w, size[1] / h
    held = seen & ((offsets[..., 0] != 0) | (offsets[..., 1] != 0))
    return (
        (np.rint(offsets[..., 0] * factor_y)).astype(np.float32),
        (np.rint(offsets[..., 1] * factor_x)).astype(np.float32),
        held.astype(np.float32),
    )


def _find_seams(maps: tuple[F32, F32, F32], soft: float) -> F32:
    """How near a small pixel is to where two patches meet, 0..1: float32, of the size of `maps`. soft: pixels of it."""
    rows, columns, held = maps
    seams = np.zeros_like(held)
    for axis in (0, 1):
        met = sum((np.abs(np.diff(values, axis=axis)) > 1).astype(np.float32) for values in (rows, columns, held * 2))
        before, after = ((0, 1), (0, 0)), ((1, 0), (0, 0))
        for pad in (before, after):
            seams += np.pad(np.asarray(met, np.float32), pad if axis == 0 else pad[::-1])
    near = cv2.GaussianBlur(np.minimum(seams, 1), (0, 0), max(0.6, soft))
    return np.asarray(np.clip(2.5 * near, 0, 1), np.float32)


def _soften(plane: U8, seams: F32, hole: F32, soft: float) -> U8:
    """plane, uint8 (h, w), blurred at the seams within the hole."""
    h, w = plane.shape
    share = cv2.resize(seams, (w, h), interpolation=cv2.INTER_LINEAR) * hole
    blurred = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), soft)
    return np.asarray(np.rint(plane + share * (blurred - plane)), np.uint8)


def _fill(plane: U8, hole: F32, maps: tuple[F32, F32, F32], *, half: bool) -> U8:
    """plane, uint8 (h, w), with full-size pixels copied by the small field of offsets. Each pixel mixes what its four
    nearest small pixels would copy: inside a patch these agree, and between patches the seams are soft."""
    h, w = plane.shape
    if not hole.any():
        return plane.copy()
    scale = 4
    small = (max((w + scale - 1) // scale, 1), max((h + scale - 1) // scale, 1))
    known = cv2.resize((hole <= 0.02).astype(np.float32), small, interpolation=cv2.INTER_AREA)
    shrunk = cv2.resize(plane.astype(np.float32) * (hole <= 0.02), small, interpolation=cv2.INTER_AREA)
    smooth = pull_push(
        (shrunk / np.maximum(known, 1e-6)).astype(np.float32), np.where(known > 0.5, known, 0).astype(np.float32)
    )
    fallback = np.asarray(cv2.resize(smooth, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    return _copy_patches(plane, np.ascontiguousarray(hole, np.float32), *maps, fallback, 0.5 if half else 1.0)


@kernel
def _copy_patches(plane: U8, hole: F32, rows: F32, columns: F32, held: F32, fallback: F32, shrink: float) -> U8:
    """`_fill` where patches were found, and elsewhere `fallback`, float32 (h, w); outside the hole the plane. rows,
    columns, held: see `_enlarge`; shrink: of their offsets."""
    h, w = plane.shape
    sh, sw = held.shape
    out = plane.copy()
    half, one, least, shrunk = np.float32(0.5), np.float32(1), np.float32(1e-6), np.float32(shrink)
    down, across = np.float32(sh / h), np.float32(sw / w)
    for r in range(h):
        py = (np.float32(r) + half) * down - half
        base_r = int(np.floor(py))
        for c in range(w):
            part = hole[r, c]
            if part <= 0:
                continue
            px = (np.float32(c) + half) * across - half
            base_c = int(np.floor(px))
            total, weight = np.float32(0), np.float32(0)
            for dr in range(2):
                i = min(max(base_r + dr, 0), sh - 1)
                for dc in range(2):
                    j = min(max(base_c + dc, 0), sw - 1)
                    if held[i, j] == 0:
                        continue
                    near: Any = (1.0 - abs(py - (base_r + dr))) * (1.0 - abs(px - (base_c + dc)))
                    near = min(max(near, 0.0), 1.0)
                    near = near * near * held[i, j]  # squared: narrower seams
                    from_r = min(max(int(np.rint(np.float32(r) + rows[i, j] * shrunk)), 0), h - 1)
                    from_c = min(max(int(np.rint(np.float32(c) + columns[i, j] * shrunk)), 0), w - 1)
                    total = np.float32(total + near * plane[from_r, from_c])
                    weight = np.float32(weight + near)
            sure = min(max(weight / np.float32(0.25), np.float32(0)), one)
            fresh = sure * total / max(weight, least) + (one - sure) * fallback[r, c]
            value = np.rint(np.float32(plane[r, c]) * (one - part) + fresh * part)
            out[r, c] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))
    return out
