"""A strip of a face with coordinates of its own: x from one corner (-1) to the other (1), t across it in canvas pixels.

Mouths and eyes open and close along t only, so every column x is a small monotone map in closed form. This module
holds the coordinates and moves pixels; what moves, and how far, is said by mouth.py and eyes.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.motion.piece import Box, Piece, enlarge
from vivant.engines.diorama.scene.scene import Source
from vivant.media import F32

F64 = NDArray[np.float64]
Index = NDArray[np.int16]

TABLE: Final = 513  # columns; x = -1 is the first, x = 1 the last
X: Final[F64] = np.linspace(-1, 1, TABLE)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """origin: the middle between the corners. along: from there to the corner at x = 1. down: unit vector of t."""

    origin: F64
    along: F64
    down: F64

    @classmethod
    def between(cls, left: F64, right: F64, down: F64) -> Frame:
        return cls((left + right) / 2, (right - left) / 2, down / np.hypot(*down))

    def own(self, points: F64) -> F64:
        """Canvas points (n, 2) -> (n, 2) of x, t."""
        inverse = np.linalg.inv(np.stack([self.along, self.down], axis=1))
        coordinates: F64 = (points - self.origin) @ inverse.T
        return coordinates

    def canvas(self, x: F64, t: F64) -> F64:
        """x, t of equal shape -> canvas points (..., 2)."""
        points: F64 = self.origin + x[..., None] * self.along + t[..., None] * self.down
        return points

    def luma(self, source: Source, x: F64, t: F64) -> F32:
        """The picture's luma at x, t (equal shapes, two dimensions), bilinear."""
        at = 2 * self.canvas(x, t).astype(np.float32)
        read: F32 = cv2.remap(
            source.y2, at[..., 0].copy(), at[..., 1].copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).astype(np.float32)
        return read


class Strip:
    """The pixels of a box in the coordinates of a frame, coarse for motion and at double size for painting."""

    def __init__(self, frame: Frame, box: Box, step: int) -> None:
        self.frame, self.box, self._step = frame, box, step
        rows, columns = -(-box.height // step) + 1, -(-box.width // step) + 1
        ys, xs = np.mgrid[0:rows, 0:columns]
        own = frame.own(np.stack([box.x + step * xs.ravel(), box.y + step * ys.ravel()], axis=1).astype(np.float64))
        self.grid_column: Index = column(own[:, 0]).reshape(rows, columns)
        self.grid_t: F32 = own[:, 1].reshape(rows, columns).astype(np.float32)
        self.grid_inside = (np.abs(own[:, 0]) <= 1).reshape(rows, columns)

        ys, xs = np.mgrid[0 : 2 * box.height, 0 : 2 * box.width]
        own = frame.own(np.stack([box.x + xs.ravel() / 2, box.y + ys.ravel() / 2], axis=1))
        self.column: Index = column(own[:, 0]).reshape(xs.shape)
        self.x: F32 = own[:, 0].reshape(xs.shape).astype(np.float32)
        self.t: F32 = own[:, 1].reshape(xs.shape).astype(np.float32)
        self._map_x = (2 * box.x + xs).astype(np.float32)
        self._map_y = (2 * box.y + ys).astype(np.float32)

    def on_grid(self, table: F64) -> F32:
        """A table over x, at every sample of the coarse grid."""
        return table.astype(np.float32)[self.grid_column]

    def fine(self, shift: F32) -> F32:
        """A shift along t given on the coarse grid, at every double-size pixel."""
        return enlarge(shift, self._step, self.box.height, self.box.width)

    def move(self, piece: Piece, source: Source, shift: F32) -> None:
        """Redraw the box in `piece`: every double-size pixel looks `shift` canvas pixels further along t."""
        dx, dy = (np.float32(v) for v in self.frame.down)
        piece.y2[self.box.doubled(piece.box)] = cv2.remap(
            source.y2, self._map_x + shift * (2 * dx), self._map_y + shift * (2 * dy), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        # A chroma sample (i, j) sits on luma (2i + ½, 2j), which is (4i + 1, 4j) of the double plane.
        shift = shift[1::4, ::4]
        map_x = self._map_x[1::4, ::4] / 4 + shift * (dx / 2)
        map_y = (self._map_y[1::4, ::4] - 1) / 4 + shift * (dy / 2)
        for mine, plane in ((piece.u, source.planes.u), (piece.v, source.planes.v)):
            mine[self.box.halved(piece.box)] = cv2.remap(
                plane, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )

    def window(self, top: F64, bottom: F64, margin: float) -> tuple[slice, slice] | None:
        """The part of the double-size box, in whole chroma samples, that lies between two tables of t where they are
        apart, and `margin` canvas pixels around; None where they touch everywhere or lie outside."""
        visible = bottom - top > 0.02
        if not visible.any():
            return None
        points = np.concatenate([self.frame.canvas(X[visible], edge[visible]) for edge in (top, bottom)])
        points = 2 * (points - [self.box.x, self.box.y])
        (x0, y0), (x1, y1) = points.min(0) - 2 * margin, points.max(0) + 2 * margin + 1
        height, width = self.t.shape
        rows = slice(max(0, int(y0) // 4 * 4), min(height, -(-int(y1) // 4) * 4))
        columns = slice(max(0, int(x0) // 4 * 4), min(width, -(-int(x1) // 4) * 4))
        return (rows, columns) if rows.stop > rows.start and columns.stop > columns.start else None


def shift_away(distance: F32, moved: F32, *, rigid: float, reach: float) -> F32:
    """How much further out a pixel must look, given its `distance` outward from where an edge was at rest.

    The edge moved outward by `moved` (inward if negative). Up to `rigid` everything moves with the edge; then the
    motion dies out until `reach`, where the map joins the picture at rest with its slope.
    """
    span = np.float32(reach - rigid)
    beyond = distance - moved - np.float32(rigid)
    x = np.clip(beyond / np.maximum(span - moved, np.float32(1)), 0, 1)
    ratio = moved / span
    source = span * (x + ratio * x * (1 - x))
    within = np.where(beyond <= 0, -moved, source + np.float32(rigid) - distance)
    shifted: F32 = np.where(distance >= np.float32(reach), np.float32(0), within).astype(np.float32)
    return shifted


def column(x: F64) -> Index:
    """The table's column of x, clamped to the strip."""
    return np.clip(np.rint((x + 1) * (TABLE - 1) / 2), 0, TABLE - 1).astype(np.int16)


def curve_through(knots: F64, values: F64) -> F64:
    """A table (TABLE,) through values at knots that rise from -1 to 1: Catmull-Rom in Hermite form."""
    slopes = np.gradient(values, knots)
    i = np.clip(np.searchsorted(knots, X, side="right") - 1, 0, len(knots) - 2)
    width = np.maximum(knots[i + 1] - knots[i], 1e-9)
    u = (X - knots[i]) / width
    curve: F64 = (
        values[i] * (1 + 2 * u) * (1 - u) ** 2
        + slopes[i] * width * u * (1 - u) ** 2
        + values[i + 1] * u * u * (3 - 2 * u)
        + slopes[i + 1] * width * u * u * (u - 1)
    )
    return curve


def ramp(value: F32) -> F32:
    """0 up to 0, 1 from 1 on, smooth between."""
    x = np.clip(value, np.float32(0), np.float32(1))
    eased: F32 = x * x * (np.float32(3) - 2 * x)
    return eased
