"""Soft capsules drawn into a frame: a capsule is a disc dragged along a line, which is what a drop, a flake or a spark
leaves on film while the shutter is open. Knows shapes and coverage; not what they are or how they move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep_scalar
from vivant.engines.diorama.kernels import fast_kernel, inline_kernel
from vivant.media import F32, U8, Planes

# Columns of a batch of capsules, one row each. Lengths in pixels of the frame.
X0, Y0, X1, Y1, RADIUS, SOFT, ALPHA, BRIGHT, SHADE, CB, CR = range(11)
COLUMNS: Final = 11
# A capsule's luma goes from BRIGHT on a dark background to SHADE on a bright one, between these lumas: water and snow
# are lit by the sky, so they glow before dark ground and stand grey before the sky itself.
DARK, LIGHT = 120.0, 225.0


@dataclass(frozen=True, slots=True, eq=False)
class Occluder:
    """Where far capsules are hidden, e.g. behind the subject. cover: uint8 (ceil(h/4), ceil(w/4)), 255 hides.
    distance: metres from the camera to what hides them."""

    cover: U8
    distance: float = 4.0


def batch(count: int) -> F32:
    """Room for `count` capsules: float32 (count, COLUMNS), all zero, so that what is not filled in is not drawn."""
    return np.zeros((count, COLUMNS), np.float32)


def draw(frame: Planes, capsules: F32, depth: F32 | None = None, occluder: Occluder | None = None) -> None:
    """Draw `capsules` (float32 (count, COLUMNS)) into `frame`, in place, in order.

    `depth` float32 (count,) says how much of each capsule the occluder hides where it covers fully, 0..1.
    A radius under half a pixel is drawn half a pixel wide and as much fainter: thin things fade, they do not vanish.
    """
    if occluder is None or depth is None:
        _draw(frame.y, frame.u, frame.v, capsules, _NO_DEPTH, _NO_COVER, False)
    else:
        _draw(frame.y, frame.u, frame.v, capsules, depth, occluder.cover, True)


_NO_DEPTH: Final = np.zeros(1, np.float32)
_NO_COVER: Final = np.zeros((1, 1), np.uint8)
# All arithmetic is float32: a Python number in a kernel would make it float64, at half the speed.
ZERO, HALF, ONE, TWO = (np.float32(v) for v in (0, 0.5, 1, 2))
_DARK, _OVER, _SHARE, _THIN = np.float32(DARK), np.float32(1 / (LIGHT - DARK)), np.float32(1 / 255), np.float32(0.004)


@fast_kernel
def _draw(y: U8, u: U8, v: U8, capsules: F32, depth: F32, cover: U8, occluded: bool) -> None:
    for i in range(capsules.shape[0]):
        alpha = capsules[i, ALPHA]
        if alpha < _THIN:
            continue
        ax, ay, bx, by = capsules[i, X0], capsules[i, Y0], capsules[i, X1], capsules[i, Y1]
        radius, soft = capsules[i, RADIUS], max(capsules[i, SOFT], HALF)
        if radius < HALF:
            alpha *= radius * TWO
            radius = HALF
        hidden = depth[i] * _SHARE if occluded else ZERO
        _luma(y, ax, ay, bx, by, radius, soft, alpha, capsules[i, BRIGHT], capsules[i, SHADE], hidden, cover)
        grey = abs(capsules[i, CB] - np.float32(128)) + abs(capsules[i, CR] - np.float32(128)) < np.float32(16)
        if radius + soft > np.float32(1.7) or not grey:  # what is grey and thinner than a chroma sample has no colour
            _chroma(
                u, v, ax * HALF, ay * HALF - np.float32(0.25), bx * HALF, by * HALF - np.float32(0.25), radius * HALF,
                max(soft * HALF, HALF), alpha, capsules[i, CB], capsules[i, CR], hidden, cover,
            )  # fmt: skip


@inline_kernel
def _span(row: Any, ax: Any, ay: Any, bx: Any, by: Any, reach: Any, width: int) -> Any:
    """The columns [left, right) of `row` that lie within `reach` of the segment, generously."""
    if ay == by:
        left, right = min(ax, bx), max(ax, bx)
    else:
        slope = (bx - ax) / (by - ay)
        top, bottom = min(ay, by), max(ay, by)
        first = ax + slope * (min(max(row - reach, top), bottom) - ay)
        last = ax + slope * (min(max(row + reach, top), bottom) - ay)
        left, right = min(first, last), max(first, last)
    return max(0, int(np.floor(left - reach)) + 1), min(width, int(np.floor(right + reach)) + 1)


@inline_kernel
def _coverage(x: Any, y: Any, ax: Any, ay: Any, dx: Any, dy: Any, over: Any, reach: Any, blunt: Any, fade: Any) -> Any:
    """How much of the pixel the capsule covers: 0 at `reach` from its line, 1 from 1/blunt nearer on. `fade` 0..1: how
    much it thins out toward its ends, as the streak of something that is not a rod does."""
    t = min(max(((x - ax) * dx + (y - ay) * dy) * over, ZERO), ONE)
    ex, ey = x - ax - t * dx, y - ay - t * dy
    share = smoothstep_scalar((reach - np.sqrt(ex * ex + ey * ey)) * blunt)
    ends = min(ONE, np.float32(4.5) * min(t, ONE - t) + np.float32(0.1))
    return share * (ONE - fade * (ONE - ends))


@inline_kernel
def _fade(square: Any, reach: Any) -> Any:
    """Long streaks thin out toward their ends, short ones are what they are. square: of the length."""
    return min(max(np.sqrt(square) / (np.float32(5) * reach) - HALF, ZERO), ONE)


@fast_kernel
def _luma(
    y: U8, ax: Any, ay: Any, bx: Any, by: Any, radius: Any, soft: Any, alpha: Any, bright: Any, shade: Any, hidden: Any,
    cover: U8,
) -> None:  # fmt: skip
    height, width = y.shape
    reach, blunt = radius + soft, HALF / soft
    dx, dy = bx - ax, by - ay
    over = ONE / max(dx * dx + dy * dy, np.float32(1e-6))
    fade = _fade(dx * dx + dy * dy, reach)
    for row in range(max(0, int(np.floor(min(ay, by) - reach)) + 1), min(height, int(max(ay, by) + reach) + 1)):
        at = np.float32(row)
        left, right = _span(at, ax, ay, bx, by, reach, width)
        for column in range(left, right):
            share = alpha * _coverage(np.float32(column), at, ax, ay, dx, dy, over, reach, blunt, fade)
            if hidden > ZERO:
                share *= ONE - hidden * np.float32(cover[row >> 2, column >> 2])
            behind = np.float32(y[row, column])
            target = bright + (shade - bright) * smoothstep_scalar((behind - _DARK) * _OVER)
            y[row, column] = np.uint8(behind + share * (target - behind) + HALF)


@fast_kernel
def _chroma(
    u: U8, v: U8, ax: Any, ay: Any, bx: Any, by: Any, radius: Any, soft: Any, alpha: Any, cb: Any, cr: Any, hidden: Any,
    cover: U8,
) -> None:  # fmt: skip
    height, width = u.shape
    reach, blunt = radius + soft, HALF / soft
    dx, dy = bx - ax, by - ay
    over = ONE / max(dx * dx + dy * dy, np.float32(1e-6))
    fade = _fade(dx * dx + dy * dy, reach)
    for row in range(max(0, int(np.floor(min(ay, by) - reach)) + 1), min(height, int(max(ay, by) + reach) + 1)):
        at = np.float32(row)
        left, right = _span(at, ax, ay, bx, by, reach, width)
        for column in range(left, right):
            share = alpha * _coverage(np.float32(column), at, ax, ay, dx, dy, over, reach, blunt, fade)
            if hidden > ZERO:
                share *= ONE - hidden * np.float32(cover[row >> 1, column >> 1])
            blue, red = np.float32(u[row, column]), np.float32(v[row, column])
            u[row, column] = np.uint8(blue + share * (cb - blue) + HALF)
            v[row, column] = np.uint8(red + share * (cr - red) + HALF)
