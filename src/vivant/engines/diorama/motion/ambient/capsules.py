"""Draws soft capsules into a frame. A capsule is a disc moved along a line: the trace of a drop, a flake or a spark
while the shutter is open. Knows nothing of motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from vivant.engines.diorama.easing import smoothstep_scalar
from vivant.engines.diorama.kernels import Records, fast_kernel, inline_kernel, record_type
from vivant.media import F32, U8, Planes

# Its ends, radius and the width of its soft edge in pixels of the frame; opacity 0..1; luma before a dark and before a
# bright background, 16..235; chroma 16..240.
CAPSULE: Final = record_type("x0", "y0", "x1", "y1", "radius", "soft", "alpha", "bright", "shade", "cb", "cr")
# "bright" holds up to the first of these lumas of the background, "shade" from the second on: water and snow are lit by
# the sky, so they are brighter than dark ground and darker than the sky itself.
DARK, LIGHT = 120.0, 225.0


@dataclass(frozen=True, slots=True, eq=False)
class Occluder:
    """What hides far capsules, e.g. the subject. cover: uint8 on the quarter grid, 0 shows .. 255 hides. distance:
    metres from the camera."""

    cover: U8
    distance: float = 4.0


def make_batch(count: int) -> Records:
    """`count` capsules, CAPSULE (count,), all zero and so not drawn until they are filled in."""
    return np.zeros(count, CAPSULE)


def draw(frame: Planes, capsules: Records, depth: F32 | None = None, occluder: Occluder | None = None) -> None:
    """Draw `capsules`, CAPSULE (count,), into `frame`, in place, in order.

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


class _Segment(NamedTuple):
    """What every pixel of one capsule needs, float32: its ends a and b, b - a, one over the square of its length, the
    distance at which it ends, one over the width of its edge, how much it thins out toward its ends (0..1), opacity."""

    ax: Any
    ay: Any
    bx: Any
    by: Any
    dx: Any
    dy: Any
    over: Any
    reach: Any
    blunt: Any
    fade: Any
    alpha: Any


@fast_kernel
def _draw(y: U8, u: U8, v: U8, capsules: Records, depth: F32, cover: U8, occluded: bool) -> None:
    for i in range(capsules.shape[0]):
        c = capsules[i]
        alpha = c["alpha"]
        if alpha < _THIN:
            continue
        radius, soft = c["radius"], max(c["soft"], HALF)
        if radius < HALF:
            alpha *= radius * TWO
            radius = HALF
        hidden = depth[i] * _SHARE if occluded else ZERO
        segment = _segment(c["x0"], c["y0"], c["x1"], c["y1"], radius, soft, alpha)
        _luma(y, segment, c["bright"], c["shade"], hidden, cover)
        grey = abs(c["cb"] - np.float32(128)) + abs(c["cr"] - np.float32(128)) < np.float32(16)
        if radius + soft > np.float32(1.7) or not grey:  # what is grey and thinner than a chroma sample has no colour
            segment = _segment(
                c["x0"] * HALF, c["y0"] * HALF - np.float32(0.25), c["x1"] * HALF, c["y1"] * HALF - np.float32(0.25),
                radius * HALF, max(soft * HALF, HALF), alpha,
            )  # fmt: skip
            _chroma(u, v, segment, c["cb"], c["cr"], hidden, cover)


@inline_kernel
def _segment(ax: Any, ay: Any, bx: Any, by: Any, radius: Any, soft: Any, alpha: Any) -> _Segment:
    dx, dy, reach = bx - ax, by - ay, radius + soft
    square = dx * dx + dy * dy
    # Long streaks thin out toward their ends, short ones do not.
    fade = min(max(np.sqrt(square) / (np.float32(5) * reach) - HALF, ZERO), ONE)
    return _Segment(ax, ay, bx, by, dx, dy, ONE / max(square, np.float32(1e-6)), reach, HALF / soft, fade, alpha)


@inline_kernel
def _rows(s: _Segment, height: int) -> Any:
    """The rows [top, bottom) that the segment reaches."""
    top = int(np.floor(min(s.ay, s.by) - s.reach)) + 1
    return max(0, top), min(height, int(max(s.ay, s.by) + s.reach) + 1)


@inline_kernel
def _columns(s: _Segment, row: Any, width: int) -> Any:
    """The columns [left, right) of `row` that the segment reaches, and perhaps some more."""
    if s.ay == s.by:
        left, right = min(s.ax, s.bx), max(s.ax, s.bx)
    else:
        slope = (s.bx - s.ax) / (s.by - s.ay)
        top, bottom = min(s.ay, s.by), max(s.ay, s.by)
        first = s.ax + slope * (min(max(row - s.reach, top), bottom) - s.ay)
        last = s.ax + slope * (min(max(row + s.reach, top), bottom) - s.ay)
        left, right = min(first, last), max(first, last)
    return max(0, int(np.floor(left - s.reach)) + 1), min(width, int(np.floor(right + s.reach)) + 1)


@inline_kernel
def _coverage(s: _Segment, x: Any, y: Any) -> Any:
    """How much of the pixel the capsule covers, 0..1: 0 at `reach` from its line, 1 from 1/blunt nearer on; less toward
    its ends where it fades."""
    t = min(max(((x - s.ax) * s.dx + (y - s.ay) * s.dy) * s.over, ZERO), ONE)
    ex, ey = x - s.ax - t * s.dx, y - s.ay - t * s.dy
    share = smoothstep_scalar((s.reach - np.sqrt(ex * ex + ey * ey)) * s.blunt)
    ends = min(ONE, np.float32(4.5) * min(t, ONE - t) + np.float32(0.1))
    return share * (ONE - s.fade * (ONE - ends))


@fast_kernel
def _luma(y: U8, s: _Segment, bright: Any, shade: Any, hidden: Any, cover: U8) -> None:
    top, bottom = _rows(s, y.shape[0])
    for row in range(top, bottom):
        at = np.float32(row)
        left, right = _columns(s, at, y.shape[1])
        for column in range(left, right):
            share = s.alpha * _coverage(s, np.float32(column), at)
            if hidden > ZERO:
                share *= ONE - hidden * np.float32(cover[row >> 2, column >> 2])
            behind = np.float32(y[row, column])
            target = bright + (shade - bright) * smoothstep_scalar((behind - _DARK) * _OVER)
            y[row, column] = np.uint8(behind + share * (target - behind) + HALF)


@fast_kernel
def _chroma(u: U8, v: U8, s: _Segment, cb: Any, cr: Any, hidden: Any, cover: U8) -> None:
    top, bottom = _rows(s, u.shape[0])
    for row in range(top, bottom):
        at = np.float32(row)
        left, right = _columns(s, at, u.shape[1])
        for column in range(left, right):
            share = s.alpha * _coverage(s, np.float32(column), at)
            if hidden > ZERO:
                share *= ONE - hidden * np.float32(cover[row >> 1, column >> 1])
            blue, red = np.float32(u[row, column]), np.float32(v[row, column])
            u[row, column] = np.uint8(blue + share * (cb - blue) + HALF)
            v[row, column] = np.uint8(red + share * (cr - red) + HALF)
