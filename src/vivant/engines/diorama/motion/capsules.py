"""Soft capsules drawn into a frame: a capsule is a disc dragged along a line, which is what a drop, a flake or a spark
leaves on film while the shutter is open. Knows shapes and coverage; not what they are or how they move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np

from vivant.media import F32, U8, Planes

# Columns of a batch of capsules, one row each. Lengths in pixels of the frame.
X0, Y0, X1, Y1, RADIUS, SOFT, ALPHA, BRIGHT, SHADE, CB, CR = range(11)
COLUMNS: Final = 11
# A capsule's luma goes from BRIGHT on a dark background to SHADE on a bright one, between these lumas: water and snow
# are lit by the sky, so they glow before dark ground and stand grey before the sky itself.
DARK, LIGHT = 120.0, 225.0


@dataclass(frozen=True, slots=True, eq=False)
class Veil:
    """Where far capsules are hidden, e.g. behind the subject. cover: uint8 (ceil(h/4), ceil(w/4)), 255 hides."""

    cover: U8


def batch(count: int) -> F32:
    """Room for `count` capsules: float32 (count, COLUMNS), all zero, so that what is not filled in is not drawn."""
    return np.zeros((count, COLUMNS), np.float32)


def draw(frame: Planes, capsules: F32, depth: F32 | None = None, veil: Veil | None = None) -> None:
    """Draw `capsules` (float32 (count, COLUMNS)) into `frame`, in place, in order.

    `depth` float32 (count,) says how much of each capsule the veil hides where it covers fully, 0..1.
    A radius under half a pixel is drawn half a pixel wide and as much fainter: thin things fade, they do not vanish.
    """
    if veil is None or depth is None:
        _draw(frame.y, frame.u, frame.v, capsules, _NO_DEPTH, _NO_COVER, False)
    else:
        _draw(frame.y, frame.u, frame.v, capsules, depth, veil.cover, True)


_NO_DEPTH: Final = np.zeros(1, np.float32)
_NO_COVER: Final = np.zeros((1, 1), np.uint8)
_kernel: Any = numba.njit(nogil=True, cache=True, fastmath=True)


@_kernel  # type: ignore[untyped-decorator]
def _draw(y: U8, u: U8, v: U8, capsules: F32, depth: F32, cover: U8, veiled: bool) -> None:
    for i in range(capsules.shape[0]):
        alpha = capsules[i, ALPHA]
        if alpha < 0.004:
            continue
        ax, ay, bx, by = capsules[i, X0], capsules[i, Y0], capsules[i, X1], capsules[i, Y1]
        radius, soft = capsules[i, RADIUS], max(capsules[i, SOFT], np.float32(0.5))
        if radius < 0.5:
            alpha *= radius * 2
            radius = np.float32(0.5)
        hidden = depth[i] if veiled else np.float32(0)
        _luma(y, ax, ay, bx, by, radius, soft, alpha, capsules[i, BRIGHT], capsules[i, SHADE], hidden, cover)
        grey = abs(capsules[i, CB] - 128) + abs(capsules[i, CR] - 128) < 16
        if radius + soft > 1.7 or not grey:  # of what is grey and thinner than a chroma sample no colour is seen
            _chroma(u, v, ax / 2, ay / 2 - 0.25, bx / 2, by / 2 - 0.25, radius / 2, soft / 2, alpha,
                    capsules[i, CB], capsules[i, CR], hidden, cover)  # fmt: skip


@_kernel  # type: ignore[untyped-decorator]
def _span(row: int, ax: float, ay: float, bx: float, by: float, reach: float, width: int) -> tuple[int, int]:
    """The columns [left, right) of `row` that lie within `reach` of the segment, generously."""
    low, high = row - reach, row + reach
    if ay == by:
        left, right = min(ax, bx), max(ax, bx)
    else:
        slope = (bx - ax) / (by - ay)
        top, bottom = min(ay, by), max(ay, by)
        first = ax + slope * (min(max(low, top), bottom) - ay)
        last = ax + slope * (min(max(high, top), bottom) - ay)
        left, right = min(first, last), max(first, last)
    return max(0, int(np.floor(left - reach)) + 1), min(width, int(np.floor(right + reach)) + 1)


@_kernel  # type: ignore[untyped-decorator]
def _coverage(
    x: float, y: float, ax: float, ay: float, bx: float, by: float, over: float, radius: float, soft: float
) -> float:
    """How much of the pixel the capsule covers, 0..1: 1 inside radius - soft, 0 outside radius + soft."""
    dx, dy = bx - ax, by - ay
    t = min(max(((x - ax) * dx + (y - ay) * dy) * over, 0.0), 1.0)
    ex, ey = x - ax - t * dx, y - ay - t * dy
    away = ex * ex + ey * ey
    if away >= (radius + soft) * (radius + soft):
        return 0.0
    share = (radius + soft - np.sqrt(away)) / (2 * soft)
    share = min(share, 1.0)
    return float(share * share * (3 - 2 * share))


@_kernel  # type: ignore[untyped-decorator]
def _luma(
    y: U8, ax: float, ay: float, bx: float, by: float, radius: float, soft: float, alpha: float,
    bright: float, shade: float, hidden: float, cover: U8,
) -> None:  # fmt: skip
    height, width = y.shape
    reach = radius + soft
    length = (bx - ax) ** 2 + (by - ay) ** 2
    over = 1 / length if length > 1e-6 else 0.0
    for row in range(max(0, int(np.floor(min(ay, by) - reach)) + 1), min(height, int(max(ay, by) + reach) + 1)):
        left, right = _span(row, ax, ay, bx, by, reach, width)
        for column in range(left, right):
            share = alpha * _coverage(column, row, ax, ay, bx, by, over, radius, soft)
            if share <= 0:
                continue
            if hidden > 0:
                share *= 1 - hidden * cover[row >> 2, column >> 2] / 255
            behind = float(y[row, column])
            lit = min(max((behind - DARK) / (LIGHT - DARK), 0.0), 1.0)
            target = bright + (shade - bright) * lit * lit * (3 - 2 * lit)
            y[row, column] = np.uint8(behind + share * (target - behind) + 0.5)


@_kernel  # type: ignore[untyped-decorator]
def _chroma(
    u: U8, v: U8, ax: float, ay: float, bx: float, by: float, radius: float, soft: float, alpha: float,
    cb: float, cr: float, hidden: float, cover: U8,
) -> None:  # fmt: skip
    height, width = u.shape
    soft = max(soft, 0.5)
    reach = radius + soft
    length = (bx - ax) ** 2 + (by - ay) ** 2
    over = 1 / length if length > 1e-6 else 0.0
    for row in range(max(0, int(np.floor(min(ay, by) - reach)) + 1), min(height, int(max(ay, by) + reach) + 1)):
        left, right = _span(row, ax, ay, bx, by, reach, width)
        for column in range(left, right):
            share = alpha * _coverage(column, row, ax, ay, bx, by, over, radius, soft)
            if share <= 0:
                continue
            if hidden > 0:
                share *= 1 - hidden * cover[row >> 1, column >> 1] / 255
            u[row, column] = np.uint8(u[row, column] + share * (cb - u[row, column]) + 0.5)
            v[row, column] = np.uint8(v[row, column] + share * (cr - v[row, column]) + 0.5)
