"""The smooth motion of a face: the head turns and nods, chin and cheeks follow the jaw, brows rise, shoulders breathe.
One displacement on the quarter grid that is exactly zero outside the head and shoulders.

A turning head keeps its outline, as a ball does; the more a point stands out toward the viewer, the more it moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.faces import expressions
from vivant.engines.diorama.motion.faces.expressions import EARS, EVERY_FACE
from vivant.engines.diorama.motion.faces.face_pose import FacePose
from vivant.engines.diorama.motion.faces.local_frame import solve_2x2
from vivant.engines.diorama.motion.faces.rbf import interpolate
from vivant.engines.diorama.motion.fields import STEP
from vivant.media import F32, F64

OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
INNER_LIPS: Final = frozenset((  # coincide where lips are closed; the mouth moves them
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324,
    62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292, 96, 89, 179, 86, 15, 316, 403, 319, 325,
))  # fmt: skip

# In face heights (brow to chin), unless said otherwise.
FADE: Final = 0.3  # outside the face's outline its motion fades out over this distance
FINEST: Final = 1 / 50  # the motion of a face has no finer detail
BREATH_RISE: Final = 0.012  # of the shoulders
DEPTH: Final = 0.55  # how far the nose stands before the axis of turning
HAIR: Final = 0.28  # above the forehead
NECK: Final = 0.5  # below the ears, where a head tilts


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


class Head:
    """One head. `add` changes nothing here and may be called from any thread."""

    def __init__(
        self, pose: FacePose, canvas: tuple[int, int], *, body: F32 | None, acted: frozenset[str] = frozenset()
    ) -> None:
        """canvas: (width, height). body: float32 mask (h, w) of head and shoulders, None where it is not trusted.
        acted: the expressions beyond those of speech and idle life that the clip needs; others do nothing."""
        unit = pose.unit
        outline = pose.landmarks[list(OVAL), :2]
        face = _GridRect.around(outline, 1.1 * FADE * unit, canvas)
        inside = face.fade_outside(outline, FADE * unit)[..., None]
        ball = _ball(pose, face.points())[..., None]
        away = face.points() - (pose.landmarks[list(EARS), :2].mean(0) + pose.flat(np.array([0.0, NECK, 0.0])))
        degree = np.pi / 180
        self._names = (*EVERY_FACE, *(name for name in expressions.NAMES if name in acted and name not in EVERY_FACE))
        moves = [
            *(move * inside for move in _expressions(pose, face, self._names)),
            ball * pose.flat(np.array([DEPTH * degree, 0.0, 0.0])),
            ball * pose.flat(np.array([0.0, DEPTH * degree, 0.0])),
            ball * np.stack([-away[..., 1], away[..., 0]], axis=-1) * degree,
        ]
        self._names += ("yaw", "pitch", "roll")
        self._face, self._moves = face, np.stack(moves).transpose(0, 3, 1, 2).astype(np.float32)
        self._body = _GridRect.around(outline, 1.2 * unit, canvas)
        rise = _breathing(pose, self._body.points(), body)[..., None] * pose.flat(np.array([0.0, -BREATH_RISE, 0.0]))
        self._rise: F32 = rise.transpose(2, 0, 1).astype(np.float32)

    def add(self, dx: F32, dy: F32, state: HeadState) -> None:
        """Add the displacement of this head, canvas pixels, to dx and dy, float32 on the whole quarter grid, in
        place."""
        weights, breath = [getattr(state, name) for name in self._names], state.breath
        if any(weights):
            forward = np.zeros(self._moves.shape[1:], np.float32)
            for weight, move in zip(weights, self._moves, strict=True):
                if weight:
                    forward += np.float32(weight) * move
            looks = _inverse(forward)
            dx[self._face.where] += looks[0]
            dy[self._face.where] += looks[1]
        if breath:
            dx[self._body.where] -= np.float32(breath) * self._rise[0]
            dy[self._body.where] -= np.float32(breath) * self._rise[1]


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


def _ball(pose: FacePose, at: F64) -> F64:
    """0 on the outline of the head .. 1 where it is nearest: (1 - r²)^1.5 of an ellipse about face and hair. at: canvas
    points, float64 (..., 2)."""
    right, down = pose.axes[0, :2] * pose.unit, pose.axes[1, :2] * pose.unit
    outline = solve_2x2(right, down, pose.landmarks[list(OVAL), :2] - pose.origin[:2])
    low, high = outline.min(0) - [0, HAIR], outline.max(0)
    local = (solve_2x2(right, down, at - pose.origin[:2]) - (low + high) / 2) / ((high - low) / 2)
    ball: F64 = np.maximum(0, 1 - (local**2).sum(-1)) ** 1.5
    return ball


def _breathing(pose: FacePose, at: F64, body: F32 | None) -> F64:
    """How much each point rises with the breath, 0..1: shoulders and chest fully, neck and background not at all. at:
    canvas points, float64 (..., 2). body: float32 (h, w), 0..1."""
    upright = solve_2x2(pose.axes[0, :2], pose.axes[1, :2], at - pose.origin[:2]) / pose.unit
    x, down = upright[..., 0], upright[..., 1]
    low = smoothstep((down - 0.3) / 0.5) * (1 - smoothstep((down - 1.05) / 0.35))
    if body is None:
        return low * (1 - smoothstep((np.abs(x) - 0.4) / 0.5))
    soft = cv2.GaussianBlur(body, (0, 0), max(1.0, 0.05 * pose.unit))
    h, w = body.shape
    here = soft[np.clip(at[..., 1].astype(int), 0, h - 1), np.clip(at[..., 0].astype(int), 0, w - 1)]
    taken: F64 = low * np.maximum(0, 2.0 * here - 1) * (1 - smoothstep((np.abs(x) - 0.8) / 0.35))
    return taken
