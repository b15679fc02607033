"""Draws leaf shapes into a frame: pointed at both ends, round as a petal or square as a slip of paper, folded along the
middle, seen from any side. Knows nothing of motion.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep_scalar
from vivant.engines.diorama.kernels import Records, fast_kernel, record_type
from vivant.media import U8, Planes

# Its middle, half axes and the width of its soft edge in pixels of the frame, as seen; angle in radians; opacity 0..1;
# luma 16..235 and chroma 16..240; the luma by which one side of the middle is brighter than the other; 0 for a pointed
# leaf .. 1 for a petal .. 2 for a slip of paper.
BLADE: Final = record_type(
    "x", "y", "length", "width", "angle", "soft", "alpha", "luma", "cb", "cr", "fold", "roundness"
)  # fmt: skip


def make_batch(count: int) -> Records:
    """`count` blades, BLADE (count,), all zero and so not drawn until they are filled in."""
    return np.zeros(count, BLADE)


def draw(frame: Planes, blades: Records) -> None:
    """Draw `blades`, BLADE (count,), into `frame`, in place, in order."""
    _draw(frame.y, frame.u, frame.v, blades)


@fast_kernel
def _draw(y: U8, u: U8, v: U8, blades: Records) -> None:
    for i in range(blades.shape[0]):
        blade = blades[i]
        alpha = blade["alpha"]
        if alpha < 0.01:
            continue
        long, wide = max(blade["length"], 0.6), max(blade["width"], 0.45)
        soft, cos, sin = max(blade["soft"], 0.5), math.cos(blade["angle"]), math.sin(blade["angle"])
        cx, cy, roundness = blade["x"], blade["y"], blade["roundness"]
        luma, cb, cr, fold = blade["luma"], blade["cb"], blade["cr"], blade["fold"]
        reach_x = abs(cos) * long + abs(sin) * wide + soft + 1
        reach_y = abs(sin) * long + abs(cos) * wide + soft + 1
        for row in range(max(0, math.ceil(cy - reach_y)), min(y.shape[0], int(cy + reach_y) + 1)):
            for column in range(max(0, math.ceil(cx - reach_x)), min(y.shape[1], int(cx + reach_x) + 1)):
                dx, dy = column - cx, row - cy
                along, across = (cos * dx + sin * dy) / long, cos * dy - sin * dx
                share = alpha * _cover(along, across, long, wide, soft, roundness)
                if share > 0.004:
                    side = min(max(across / (0.35 * wide + 0.3), -1.0), 1.0)
                    value = luma + fold * side
                    value = y[row, column] + share * (value - y[row, column])
                    y[row, column] = np.uint8(min(max(value, 16.0), 235.0) + 0.5)
        for row in range(max(0, math.ceil((cy - reach_y) / 2)), min(u.shape[0], int((cy + reach_y) / 2) + 1)):
            for column in range(max(0, math.ceil((cx - reach_x) / 2)), min(u.shape[1], int((cx + reach_x) / 2) + 1)):
                dx, dy = 2 * column - cx, 2 * row + 0.5 - cy
                along, across = (cos * dx + sin * dy) / long, cos * dy - sin * dx
                share = alpha * _cover(along, across, long, wide, max(soft, 1.0), roundness)
                if share > 0.004:
                    u[row, column] = np.uint8(u[row, column] + share * (cb - u[row, column]) + 0.5)
                    v[row, column] = np.uint8(v[row, column] + share * (cr - v[row, column]) + 0.5)


@fast_kernel
def _cover(along: float, across: float, long: float, wide: float, soft: float, roundness: float) -> Any:
    """Coverage 0..1: the half width along the blade is (1 - a²) for a leaf, broader before its end for a petal, and the
    same all along for paper."""
    if along < -1 - soft / long or along > 1 + soft / long:
        return 0.0
    a = min(max(along, -1.0), 1.0)
    pointed = 1 - a * a
    petal, paper = min(roundness, 1.0), max(0.0, roundness - 1)
    half = wide * ((1 - petal) * pointed * (1 - 0.25 * a) + petal * math.sqrt(pointed) * (0.8 + 0.35 * a))
    half += paper * (wide - half)
    # Distance to the rim: across the blade beside it, and from the tip beyond it.
    distance = half - abs(across)
    beyond = (abs(along) - 1) * long
    if paper > 0:
        distance = min(distance, -beyond)
    elif beyond > 0:
        distance = -math.sqrt(across * across + beyond * beyond)
    return smoothstep_scalar(0.5 + distance / (2 * soft))
