"""The smooth motion of a person: the head turns, nods and tilts before what is behind it, chin and cheeks follow the
jaw, brows rise, shoulders breathe, weight is shifted. One displacement on the quarter grid.

A head that turns goes aside as a whole, and the more a point stands out toward the viewer, the more it moves: so nose,
cheeks, hair and background pass each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.faces import expressions
from vivant.engines.diorama.motion.faces.expressions import EVERY_FACE
from vivant.engines.diorama.motion.faces.face_pose import FacePose
from vivant.engines.diorama.motion.faces.figure import OVAL, make_figure
from vivant.engines.diorama.motion.faces.rbf import interpolate
from vivant.engines.diorama.motion.fields import STEP
from vivant.media import F32, F64

INNER_LIPS: Final = frozenset((  # coincide where lips are closed; the mouth moves them
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324,
    62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292, 96, 89, 179, 86, 15, 316, 403, 319, 325,
))  # fmt: skip

# In face heights (brow to chin), unless said otherwise.
FADE: Final = 0.3  # outside the face's outline its motion fades out over this distance
FINEST: Final = 1 / 50  # the motion of a face has no finer detail
BREATH_RISE: Final = 0.032  # of the shoulders
BREATH_WIDER: Final = 0.014  # at their ends
LEAN: Final = 0.07  # of the head, at the farthest
LAG: Final = 3  # frames by which the ends of hair follow the head


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadState:
    """The curves of one head at one frame: 0..1, unless said otherwise; yaw, pitch and roll in degrees."""

    jaw: float = 0.0
    wide: float = 0.0
    round: float = 0.0
    smile: float = 0.0
    frown: float = 0.0
    brow: float = 0.0  # -1..1
    smirk: float = 0.0
    knit: float = 0.0
    inner: float = 0.0
    widen: float = 0.0
    squint: float = 0.0
    sneer: float = 0.0
    pout: float = 0.0
    chew: float = 0.0  # -1..1
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    breath: float = 0.0
    lean: float = 0.0  # -1..1


class Head:
    """One head, and what it sits on. `add` changes nothing here and may be called from any thread."""

    def __init__(
        self,
        pose: FacePose,
        canvas: tuple[int, int],
        *,
        body: F32 | None,
        others: Sequence[FacePose] = (),
        acted: frozenset[str] = frozenset(),
    ) -> None:
        """canvas: (width, height). body: float32 mask (h, w) of all subjects, None where it is not trusted. others: the
        other faces of the picture. acted: the expressions beyond those of speech and idle life that the clip needs;
        others do nothing."""
        unit = pose.unit
        outline = pose.landmarks[list(OVAL), :2]
        face = _GridRect.around(outline, 1.1 * FADE * unit, canvas)
        inside = face.fade_outside(outline, FADE * unit)[..., None]
        self._names = (*EVERY_FACE, *(name for name in expressions.NAMES if name in acted and name not in EVERY_FACE))
        moves = [move * inside for move in _expressions(pose, face, self._names)]
        self._face, self._moves = face, np.stack(moves).transpose(0, 3, 1, 2).astype(np.float32)
        self._figure = figure = make_figure(pose, canvas, body, list(others))
        # Both are moved in one window, so that what the face does is carried along by the head.
        rows, columns = figure.where
        self._window = window = _GridRect(
            min(columns.start, face.left), min(rows.start, face.top),
            max(columns.stop, face.right), max(rows.stop, face.bottom),
        )  # fmt: skip
        right = pose.axes[0, :2] / max(float(np.hypot(*pose.axes[0, :2])), 1e-6)
        down = np.array([-right[1], right[0]])
        degree = np.pi / 180
        head, away = figure.head, figure.away
        limits = np.stack([figure.sideways, figure.upward])
        swing = np.stack([-away[..., 1] * head, away[..., 0] * head]) * degree
        turns = [
            figure.yaw * (right * unit * degree)[:, None, None], figure.pitch * (down * unit * degree)[:, None, None],
            swing,
        ]  # fmt: skip
        nothing = np.zeros_like(head)
        bodily = [
            np.stack([figure.aside * (BREATH_WIDER * unit), figure.breath * (-BREATH_RISE * unit)]),
            np.stack([figure.lean * (LEAN * unit), nothing]),
        ]
        self._turns: F32 = np.stack([turn * limits for turn in turns]).astype(np.float32)
        self._bodily: F32 = np.stack([move * limits for move in bodily]).astype(np.float32)
        self._late = figure.late
        self._inside_face = _inside(face, window)
        self._inside_figure = (
            slice(rows.start - window.top, rows.stop - window.top),
            slice(columns.start - window.left, columns.stop - window.left),
        )

    @property
    def where(self) -> tuple[slice, slice]:
        """The window of the quarter grid outside which nothing moves."""
        return self._window.where

    def add(self, dx: F32, dy: F32, state: HeadState, before: HeadState) -> None:
        """Add the displacement of this head, canvas pixels, to dx and dy, float32 on the whole quarter grid, in place.
        before: its state LAG frames earlier."""
        forward = np.zeros((2, *self._window.shape), np.float32)
        faces, figure = forward[:, *self._inside_face], forward[:, *self._inside_figure]
        for name, move in zip(self._names, self._moves, strict=True):
            weight = getattr(state, name)
            if weight:
                faces += np.float32(weight) * move
        for name, move in zip(("yaw", "pitch", "roll"), self._turns, strict=True):
            weight, earlier = getattr(state, name), getattr(before, name)
            if weight or earlier:
                figure += (np.float32(weight) + np.float32(earlier - weight) * self._late) * move
        for name, move in zip(("breath", "lean"), self._bodily, strict=True):
            weight = getattr(state, name)
            if weight:
                figure += np.float32(weight) * move
        looks = _inverse(forward)
        dx[self._window.where] += looks[0]
        dy[self._window.where] += looks[1]


@dataclass(frozen=True, slots=True)
class _GridRect:
    """A part of the quarter grid: rows top..bottom-1, columns left..right-1."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, outline: F64, margin: float, canvas: tuple[int, int]) -> _GridRect:
        """The part that covers `outline`, float64 (n, 2), and `margin` pixels more, in a canvas (width, height)."""
        columns, rows = (-(-side // STEP) for side in canvas)
        left, top = np.clip(((outline.min(0) - margin) // STEP).astype(int), 0, [columns - 2, rows - 2]).tolist()
        right, bottom = np.clip(((outline.max(0) + margin) // STEP).astype(int) + 2, 2, [columns, rows]).tolist()
        return cls(left, top, right, bottom)

    @property
    def where(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    def points(self) -> F64:
        """float64 (rows, columns, 2): canvas positions of the samples."""
        y, x = np.mgrid[self.top : self.bottom, self.left : self.right]
        return STEP * np.stack([x, y], axis=-1).astype(np.float64)

    def fade_outside(self, outline: F64, reach: float) -> F64:
        """float64 (rows, columns): 1 inside the hull of `outline`, (n, 2), falling to 0 at `reach` pixels outside it.

        The distance from the hull is the largest one from its sides, exact but for its corners. (The results of
        OpenCV's distanceTransform with its precise mask differ in their last bits from call to call; with masks of 3
        and 5 they do not.)
        """
        hull = cv2.convexHull(outline.astype(np.float32))[:, 0].astype(np.float64)
        at, middle = self.points(), hull.mean(0)
        away = np.full(self.shape, -np.inf)
        for a, b in zip(hull, np.roll(hull, -1, axis=0), strict=True):
            normal = np.array([b[1] - a[1], a[0] - b[0]]) / max(float(np.hypot(*(b - a))), 1e-9)
            if (middle - a) @ normal > 0:
                normal = -normal
            away = np.maximum(away, (at[..., 0] - a[0]) * normal[0] + (at[..., 1] - a[1]) * normal[1])
        return 1 - smoothstep(away / reach)


def _inside(part: _GridRect, whole: _GridRect) -> tuple[slice, slice]:
    """Where a part lies in the window of a whole that covers it."""
    return (
        slice(part.top - whole.top, part.bottom - whole.top),
        slice(part.left - whole.left, part.right - whole.left),
    )


def _inverse(forward: F32) -> F32:
    """Displacement backward, d, from that forward, f, both float32 (2, rows, columns) on the quarter grid, canvas
    pixels: d(p) = -f(p + d(p)), by four fixed-point steps."""
    _, rows, columns = forward.shape
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    looks = -forward
    for _ in range(4):
        at_x, at_y = x + looks[0] / STEP, y + looks[1] / STEP
        for k in (0, 1):
            looks[k] = -cv2.remap(forward[k], at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return looks


def _expressions(pose: FacePose, part: _GridRect, names: Sequence[str]) -> list[F64]:
    """Displacement in pixels, (rows, columns, 2) each, of the expressions `names` at 1."""
    kept = [i for i in range(468) if i not in INNER_LIPS]
    flat = pose.flat(expressions.displace(pose, kept, names))
    unit = pose.unit
    outline = pose.landmarks[list(OVAL), :2]
    outward = outline - outline.mean(0)
    ring = outline + 1.1 * FADE * unit * outward / np.linalg.norm(outward, axis=1, keepdims=True)  # at rest
    centres = np.concatenate([pose.landmarks[kept, :2], ring]) / unit
    values = np.concatenate([flat, np.zeros((len(flat), len(ring), 2))], axis=1)

    # Interpolated on a grid just fine enough for faces, then enlarged to the quarter grid.
    coarse = max(1.0, FINEST * unit / STEP)
    rows, columns = (int(np.ceil(side / coarse)) + 1 for side in part.shape)
    y, x = np.mgrid[0:rows, 0:columns] * coarse
    at = STEP * np.stack([x + part.left, y + part.top], axis=-1).reshape(-1, 2) / unit
    carried = interpolate(centres, values.transpose(1, 0, 2).reshape(len(centres), -1), at, soft=0.03)
    y, x = np.mgrid[0 : part.shape[0], 0 : part.shape[1]] / coarse
    fine = [
        cv2.remap(
            layer.reshape(rows, columns).astype(np.float32), x.astype(np.float32), y.astype(np.float32),
            cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float64)
        for layer in carried.T
    ]  # fmt: skip
    return [np.stack(pair, axis=-1) for pair in zip(fine[0::2], fine[1::2], strict=True)]
