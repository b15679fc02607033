"""The local frame of a mouth or an eye: x from one corner (-1) to the other (1), t across it in canvas pixels.

Mouths and eyes open and close along t only, so the warp of each column x is a monotone function in closed form. A table
of t holds a value for each of TABLE columns. This module holds coordinates and moves pixels; how far is up to mouth.py
and eyes.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import Records, kernel, record_type
from vivant.engines.diorama.motion.faces.canvas_patch import CanvasPatch
from vivant.engines.diorama.motion.fields import Rect
from vivant.engines.diorama.scene.scene import Source
from vivant.media import F32, F64

Index = NDArray[np.int16]

# How the picture follows one column of an edge that moved: where the edge was (t); how far it moved outward; where the
# rigid part ends and, inverted, how long the rest is, both measured from the edge at rest; how much the rest bends; the
# length of that rest before the edge moved; where all motion ends. Canvas pixels.
EDGE: Final = record_type("at", "moved", "rigid_end", "inverse", "bend", "span", "end")
TABLE: Final = 513  # columns; x = -1 is the first, x = 1 the last
X: Final[F64] = np.linspace(-1, 1, TABLE)


@dataclass(frozen=True, slots=True, eq=False)
class LocalFrame:
    """origin: the middle between the corners, canvas pixels. along: from there to the corner at x = 1. down: unit
    vector of t. All float64 (2,)."""

    origin: F64
    along: F64
    down: F64

    @classmethod
    def between(cls, left: F64, right: F64, down: F64) -> LocalFrame:
        """The frame whose ends lie at `left` and `right`, canvas pixels; `down` is a direction. All float64 (2,)."""
        return cls((left + right) / 2, (right - left) / 2, down / np.hypot(*down))

    def own(self, points: F64) -> F64:
        """Canvas points, float64 (n, 2) -> x and t, (n, 2)."""
        return solve_2x2(self.along, self.down, points - self.origin)

    def canvas(self, x: F64, t: F64) -> F64:
        """x and t, float64 of equal shape -> canvas points (..., 2)."""
        points: F64 = self.origin + x[..., None] * self.along + t[..., None] * self.down
        return points

    def edge_through(self, points: F64, *, inset: float) -> F64:
        """A table of t from corner to corner through canvas points, float64 (n, 2), kept `inset` (of x) off the
        corners."""
        own = self.own(points)
        own = own[np.argsort(own[:, 0])]
        limit = 1 - inset
        knots = np.maximum.accumulate(np.clip(own[:, 0], -limit, limit) + np.arange(len(own)) * 1e-4)
        return curve_through(np.r_[-1.0, knots, 1.0], np.r_[0.0, own[:, 1], 0.0])

    def luma(self, source: Source, x: F64, t: F64) -> F32:
        """The picture's luma, float32, at x and t (equal 2-D shapes), bilinear."""
        at = 2 * self.canvas(x, t).astype(np.float32)
        read: F32 = cv2.remap(
            source.y2, at[..., 0].copy(), at[..., 1].copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).astype(np.float32)
        return read


def solve_2x2(a: F64, b: F64, vectors: F64) -> F64:
    """Solve vectors = s·a + t·b for s, t: float64 (..., 2) -> (..., 2). Without LAPACK, for the reason given in
    rbf.py."""
    x, y = vectors[..., 0], vectors[..., 1]
    area = a[0] * b[1] - a[1] * b[0]
    return np.stack([(x * b[1] - y * b[0]) / area, (y * a[0] - x * a[1]) / area], axis=-1)


@dataclass(frozen=True, slots=True)
class Reach:
    """How skin beyond a moving edge follows it: fully up to `rigid` pixels from the edge, not at all from `end` on.

    Between them the motion fades out: smoothly at `end` if smooth is 1, linearly, which stretches least, if it is 0."""

    rigid: float
    end: float
    smooth: float = 1.0


class LocalWarp:
    """Warps the pixels of a rect along t of a local frame. column: int16, of the tables, -1 outside the corners; t:
    float32; both (2·height, 2·width), for the double-size luma."""

    def __init__(self, frame: LocalFrame, rect: Rect) -> None:
        self.frame, self.rect = frame, rect
        ys, xs = np.mgrid[0 : 2 * rect.height, 0 : 2 * rect.width]
        own = frame.own(np.stack([rect.left + xs.ravel() / 2, rect.top + ys.ravel() / 2], axis=1))
        column = np.rint((own[:, 0] + 1) * (TABLE - 1) / 2)
        column[np.abs(own[:, 0]) > 1] = -1
        self.column: Index = column.astype(np.int16).reshape(xs.shape)  # -1 outside the corners
        self.t: F32 = own[:, 1].reshape(xs.shape).astype(np.float32)

    def redraw(
        self,
        patch: CanvasPatch,
        source: Source,
        rest: tuple[F64, F64],
        now: tuple[F64, F64],
        reach: tuple[Reach, Reach],
    ) -> None:
        """Redraw the rect in `patch`: the skin above the upper edge and below the lower one follows them from where
        they are at `rest` to where they are `now` (tables of t, upper and lower). Between the edges each half moves
        rigidly."""
        x, y = np.empty_like(self.t), np.empty_like(self.t)
        (upper, lower), (top, bottom) = rest, now
        _source_positions(
            self.column, self.t, ((top + bottom) / 2).astype(np.float32),
            _edge_table(upper, upper - top, reach[0]), _edge_table(lower, bottom - lower, reach[1]),
            np.array([self.rect.left, self.rect.top, *self.frame.down], np.float32), x, y,
        )  # fmt: skip
        patch.y2[self.rect.luma2_in(patch.rect)] = cv2.remap(
            source.y2, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        # A chroma sample (i, j) sits on luma (2i + ½, 2j), which is (4i + 1, 4j) of the double plane.
        half_x, half_y = x[1::4, ::4] * np.float32(0.25), (y[1::4, ::4] - 1) * np.float32(0.25)
        for mine, plane in ((patch.u, source.planes.u), (patch.v, source.planes.v)):
            mine[self.rect.chroma_in(patch.rect)] = cv2.remap(
                plane, half_x, half_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )

    def window(self, top: F64, bottom: F64, margin: float) -> tuple[slice, slice] | None:
        """Rows and columns of the double-size rect, in whole chroma samples, around where two edges, tables of t,
        float64 (n,), are apart, and `margin` canvas pixels more; None if they touch everywhere or lie outside."""
        visible = bottom - top > 0.02
        if not visible.any():
            return None
        points = np.concatenate([self.frame.canvas(X[visible], edge[visible]) for edge in (top, bottom)])
        points = 2 * (points - [self.rect.left, self.rect.top])
        (x0, y0), (x1, y1) = points.min(0) - 2 * margin, points.max(0) + 2 * margin + 1
        height, width = self.t.shape
        rows = slice(max(0, int(y0) // 4 * 4), min(height, -(-int(y1) // 4) * 4))
        columns = slice(max(0, int(x0) // 4 * 4), min(width, -(-int(x1) // 4) * 4))
        return (rows, columns) if rows.stop > rows.start and columns.stop > columns.start else None


def curve_through(knots: F64, values: F64) -> F64:
    """A table, float64 (TABLE,), through values (n,) at knots (n,) that rise from -1 to 1: Catmull-Rom in Hermite
    form."""
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


def warm_up() -> None:
    """Compile this module's kernels."""
    one = np.zeros((1, 1), np.float32)
    edge = _edge_table(np.zeros(1), np.zeros(1), Reach(1.0, 2.0))
    _source_positions(
        np.zeros((1, 1), np.int16), one, np.zeros(1, np.float32), edge, edge, np.zeros(4, np.float32), one, one.copy()
    )


def _edge_table(edge: F64, moved: F64, reach: Reach) -> Records:
    """EDGE (TABLE,): what `_edge_shift` needs to know of an edge, table of t, that moved outward by `moved`."""
    span = reach.end - reach.rigid
    given = edge, moved, moved + reach.rigid, 1 / np.maximum(span - moved, 1.0), reach.smooth * moved / span
    table = np.empty(len(edge), EDGE)
    for name, values in zip(EDGE.names or (), (*given, span, reach.end), strict=True):
        table[name] = values
    return table


@kernel
def _edge_shift(distance: Any, edge: Any) -> Any:
    """How much further out a pixel reads, given its distance outward from the edge at rest; canvas pixels. Near the
    edge everything moves with it; then a parabola leads to no motion (see Reach). edge: EDGE record."""
    moved, rigid_end, span = edge["moved"], edge["rigid_end"], edge["span"]
    if distance >= edge["end"]:
        return np.float32(0)
    if distance <= rigid_end:
        return -moved
    x = min((distance - rigid_end) * edge["inverse"], np.float32(1))
    return span * (x + edge["bend"] * x * (np.float32(1) - x)) + rigid_end - moved - distance


@kernel
def _source_positions(
    column: Index, t: F32, middle: F32, up: Records, low: Records, place: F32, out_x: F32, out_y: F32
) -> None:
    """Where each pixel reads the double-size source: out_x, out_y float32 of the shape of column and t. middle: float32
    (TABLE,), t between the edges; up, low: EDGE (TABLE,); place: left, top and down of the rect and its frame."""
    two = np.float32(2)
    left, top, dx, dy = two * place[0], two * place[1], two * place[2], two * place[3]
    for i in range(t.shape[0]):
        row = top + np.float32(i)
        for j in range(t.shape[1]):
            c = column[i, j]
            shift = np.float32(0)
            if c >= 0:
                at = t[i, j]
                if at < middle[c]:
                    shift = -_edge_shift(up[c]["at"] - at, up[c])
                else:
                    shift = _edge_shift(at - low[c]["at"], low[c])
            out_x[i, j] = left + np.float32(j) + shift * dx
            out_y[i, j] = row + shift * dy
