"""Draws thin rings into a frame: ripples, bubbles. A bright rim with a dark one inside, as curved water has."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama.kernels import Records, fast_kernel, record_type
from vivant.media import U8, Planes

# Its middle, radii and thickness in pixels of the frame; luma added to the rim; luma taken from inside the rim.
RING: Final = record_type("x", "y", "radius_x", "radius_y", "thickness", "lift", "sink")


def make_batch(count: int) -> Records:
    """`count` rings, RING (count,), all zero and so not drawn until they are filled in."""
    return np.zeros(count, RING)


def draw(frame: Planes, rings: Records) -> None:
    """Draw `rings`, RING (count,), into the luma of `frame`, in place, in order."""
    _draw(frame.y, rings)


@fast_kernel
def _draw(y: U8, rings: Records) -> None:
    height, width = y.shape
    for i in range(rings.shape[0]):
        ring = rings[i]
        lift, sink = ring["lift"], ring["sink"]
        if lift < 0.5 and sink < 0.5:
            continue
        cx, cy, rx, ry = ring["x"], ring["y"], max(ring["radius_x"], 0.3), max(ring["radius_y"], 0.3)
        thick = max(ring["thickness"], 0.5)
        # In units of the radii the rim lies between `inner` and `outer`; rows skip the pixels inside.
        inner, outer = max(0.0, 1 - 2.5 * thick / min(rx, ry)), 1 + 1.5 * thick / min(rx, ry)
        for row in range(max(0, math.ceil(cy - ry * outer)), min(height, int(cy + ry * outer) + 1)):
            dy = (row - cy) / ry
            reach = rx * math.sqrt(max(outer * outer - dy * dy, 0.0))
            hole = rx * math.sqrt(inner * inner - dy * dy) if abs(dy) < inner else -1.0
            column, last = max(0, math.ceil(cx - reach)), min(width - 1, int(cx + reach))
            while column <= last:
                if abs(column - cx) < hole:
                    column = max(column + 1, math.ceil(cx + hole))
                    continue
                dx = (column - cx) / rx
                far = math.sqrt(dx * dx + dy * dy) + 1e-6
                # Distance to the ellipse in pixels, to first order: (far - 1) over the length of its gradient.
                slope = math.sqrt(dx * dx / (rx * rx) + dy * dy / (ry * ry)) / far
                off = (far - 1) / max(slope, 1e-6) / thick
                if -2.5 < off < 1.5:
                    # Two smooth bumps side by side, each three thicknesses wide.
                    rim, hollow = max(0.0, 1 - off * off / 2.25), max(0.0, 1 - (off + 1.2) * (off + 1.2) / 2.25)
                    value = y[row, column] + lift * rim * rim - sink * hollow * hollow
                    y[row, column] = np.uint8(min(max(value, 16.0), 235.0) + 0.5)
                column += 1
