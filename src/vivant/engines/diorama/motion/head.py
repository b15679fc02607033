"""Moves what is whole in a face: the head turns and nods, the jaw takes chin and cheeks along, brows rise, the body
breathes. All as one smooth displacement on the quarter grid that is exactly zero outside the head and shoulders.

A turning head keeps its outline, as a ball does: what moves is what stands out from it, in proportion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.motion.mouth import DROP
from vivant.engines.diorama.motion.pose import CORNERS, Pose
from vivant.engines.diorama.motion.rbf import spread
from vivant.media import F32

F64 = NDArray[np.float64]

STEP: Final = 4  # canvas pixels from one sample of the quarter grid to the next
OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
EARS: Final = (234, 454)
BROW: Final = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285)
INNER_LIPS: Final = frozenset((
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324,
    62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292, 96, 89, 179, 86, 15, 316, 403, 319, 325,
))  # fmt: skip
FADE: Final = 0.3  # face heights outside the face's outline over which its own motion dies away

WIDER: Final = 0.13  # of the mouth's width, at wide = 1
ROUNDER: Final = 0.17
BROW_RISE: Final = 0.028  # face heights
BREATH_RISE: Final = 0.007  # face heights the shoulders rise
DEPTH: Final = 0.55  # how far the nose stands before the axis of turning, face heights


@dataclass(frozen=True, slots=True)
class Bearing:
    """The curves of one head at one frame. Degrees for the turns, 0..1 for breath, -1..1 for brow and smile."""

    jaw: float = 0.0
    wide: float = 0.0
    round: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    breath: float = 0.0
    brow: float = 0.0
    smile: float = 0.0

    @property
    def is_rest(self) -> bool:
        return self == Bearing()


class Head:
    """One head. `add` only reads what was set up and may be called from any thread."""

    def __init__(self, pose: Pose, canvas: tuple[int, int], *, body: F32 | None) -> None:
        """`body`: float32 mask (h, w) of head and shoulders, or None where it cannot be trusted."""
        width, height = canvas
        rows, columns = -(-height // STEP), -(-width // STEP)
        unit = pose.unit
        outline = pose.landmarks[list(OVAL), :2]
        low = np.floor((outline.min(0) - 1.1 * unit) / STEP).astype(int)
        high = np.ceil((outline.max(0) + 1.1 * unit) / STEP).astype(int) + 1
        c0, r0 = np.clip(low, 0, [columns - 2, rows - 2])
        c1, r1 = np.clip(high, 2, [columns, rows])
        self._part = slice(int(r0), int(r1)), slice(int(c0), int(c1))
        ys, xs = np.mgrid[r0:r1, c0:c1]
        self._shape = xs.shape
        at = STEP * np.stack([xs.ravel(), ys.ravel()], axis=1).astype(np.float64)

        inside = _fade_outside(outline, (int(c0), int(r0)), self._shape, FADE * unit)
        ball = _ball(pose, at).reshape(self._shape)
        bases = _face_bases(pose, at).reshape(*self._shape, -1, 2) * inside[..., None, None]
        radian = np.pi / 180
        turn = DEPTH * pose.flat(np.array([radian, 0.0, 0.0]))
        nod = DEPTH * pose.flat(np.array([0.0, radian, 0.0]))
        pivot = pose.landmarks[list(EARS), :2].mean(0) + pose.flat(np.array([0.0, 0.5, 0.0]))
        roll = radian * np.stack([-(at[:, 1] - pivot[1]), at[:, 0] - pivot[0]], axis=1).reshape(*self._shape, 2)
        breath = _breath(pose, at, body).reshape(*self._shape, 2)
        self._bases: F32 = np.ascontiguousarray(
            np.stack([
                *(bases[..., k, :] for k in range(bases.shape[2])),
                ball[..., None] * turn, ball[..., None] * nod, ball[..., None] * roll, breath,
            ]).transpose(0, 3, 1, 2), np.float32,
        )  # fmt: skip

    def add(self, dx: F32, dy: F32, bearing: Bearing) -> None:
        """Add the displacement of this head to dx, dy (whole quarter grid), in place."""
        weights = np.array(
            [bearing.jaw, bearing.wide, bearing.round, max(0.0, bearing.smile), max(0.0, -bearing.smile), bearing.brow,
             bearing.yaw, bearing.pitch, bearing.roll, bearing.breath], np.float32,
        )  # fmt: skip
        forward = (weights[:, None, None, None] * self._bases).sum(0)
        looks = _inverse(forward)
        dx[self._part] += looks[0]
        dy[self._part] += looks[1]


def _inverse(forward: F32) -> F32:
    """Where each point comes from, given where each goes: d(p) = -f(p + d(p)), a few fixed-point steps."""
    _, rows, columns = forward.shape
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    looks = -forward
    for _ in range(4):
        map_x, map_y = x + looks[0] / STEP, y + looks[1] / STEP
        looks = np.stack([
            -cv2.remap(part, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for part in forward
        ])  # fmt: skip
    return looks


def _face_bases(pose: Pose, at: F64) -> F64:
    """(len(at), 6, 2): displacement in pixels for jaw, wide, round, smile, frown, brow, each at 1."""
    kept = [i for i in range(468) if i not in INNER_LIPS]
    own = pose.own(pose.landmarks[kept])
    half = _half_width(pose)
    moves = np.stack([
        _jaw(pose, own, half), _wide(own, half, WIDER), _wide(own, half, -ROUNDER),
        _smile(own, half), _frown(own, half), _brow(own, kept),
    ], axis=1)  # fmt: skip
    flat = pose.flat(moves)
    centres = pose.landmarks[kept, :2]
    # A ring of points at rest around the face.
    outline = pose.landmarks[list(OVAL), :2]
    ring = outline + (outline - outline.mean(0)) / np.linalg.norm(outline - outline.mean(0), axis=1)[:, None] * (
        1.1 * FADE * pose.unit
    )
    centres = np.concatenate([centres, ring])
    values = np.concatenate([flat.reshape(len(kept), -1), np.zeros((len(ring), flat.shape[1] * 2))])
    scale = pose.unit
    carried = spread(centres / scale, values, at / scale, soft=0.03)
    return carried.reshape(len(at), -1, 2)


def _half_width(pose: Pose) -> float:
    left, right = pose.own(pose.landmarks[list(CORNERS)])
    return float(right[0] - left[0]) / 2


def _jaw(pose: Pose, own: F64, half: float) -> F64:
    """The jaw swings about the joints before the ears; skin follows it the more, the lower it lies. The lips themselves
    are left to the mouth: here they only follow at the corners."""
    joint = pose.own(pose.landmarks[list(EARS)]).mean(0)
    joint[1] = max(joint[1], -0.3)
    arm = own - joint
    angle = DROP / max(float(joint[2]) + 0.08, 0.2)
    swing = np.stack([np.zeros(len(own)), -angle * arm[:, 2], angle * arm[:, 1]], axis=1)
    s = np.clip(np.abs(own[:, 0]) / half, 0, 1)
    bell = np.maximum(0, 1 - s * s) ** 1.15
    beside = _ease((own[:, 1] + 0.15) / 0.35)
    below = 1 - bell * np.clip(1 - (own[:, 1] - 0.05) / 0.22, 0, 1) ** 2
    above = 0.3 * (1 - bell) * _ease((own[:, 1] + 0.16) / 0.16)
    middle = np.where(own[:, 1] > 0, np.maximum(above, below * _ease(own[:, 1] / 0.12)), above)
    attached = middle + (beside - middle) * _ease((np.abs(own[:, 0]) - 0.7 * half) / (0.9 * half))
    return swing * attached[:, None]


def _wide(own: F64, half: float, amount: float) -> F64:
    """Lips and what is near them stretched sideways by `amount`."""
    outside = np.maximum(0, np.abs(own[:, 0]) - half) / half
    near = np.exp(-(outside**2) / 0.5 - (own[:, 1] / 0.2) ** 2)
    reach = np.clip(np.abs(own[:, 0]) / half, 0, 1) * np.sign(own[:, 0]) * half
    thick = -0.5 * amount * own[:, 1] * np.exp(-((own[:, 1] / 0.09) ** 2)) * near
    return np.stack([amount * reach * near, thick, -0.3 * np.minimum(amount, 0) * 0 * near], axis=1)


def _smile(own: F64, half: float) -> F64:
    """Corners out and up, cheeks up."""
    side = np.sign(own[:, 0])
    corner = np.exp(-(((np.abs(own[:, 0]) - half) / (0.75 * half)) ** 2) - (own[:, 1] / 0.12) ** 2)
    cheek = np.exp(-(((np.abs(own[:, 0]) - 1.45 * half) / 0.14) ** 2) - ((own[:, 1] + 0.22) / 0.13) ** 2)
    return np.stack([0.022 * side * corner, -0.030 * corner - 0.022 * cheek, np.zeros(len(own))], axis=1)


def _frown(own: F64, half: float) -> F64:
    corner = np.exp(-(((np.abs(own[:, 0]) - half) / (0.7 * half)) ** 2) - (own[:, 1] / 0.12) ** 2)
    return np.stack([np.zeros(len(own)), 0.02 * corner, np.zeros(len(own))], axis=1)


def _brow(own: F64, kept: list[int]) -> F64:
    brows = np.isin(kept, BROW)
    level = float(own[brows, 1].mean())
    near = np.exp(-(((own[:, 1] - level) / 0.11) ** 2)) * (np.abs(own[:, 0]) < 0.55)
    eyes = _ease((own[:, 1] - level - 0.06) / 0.08)  # lids and eyes stay
    move = np.zeros_like(own)
    move[:, 1] = -BROW_RISE * near * (1 - eyes)
    return move


def _ball(pose: Pose, at: F64) -> F64:
    """0 on the outline of the head .. 1 where it is nearest: (1 - r²)^1.5 of an ellipse about face and hair."""
    outline = pose.landmarks[list(OVAL)]
    own = pose.own(outline)
    top = own[:, 1].min() - 0.28  # hair
    bottom = own[:, 1].max()
    middle = np.array([own[:, 0].mean(), (top + bottom) / 2, 0.0])
    radii = np.array([1.08 * np.ptp(own[:, 0]) / 2, (bottom - top) / 2])
    axes = np.stack([pose.flat(np.array([radii[0], 0, 0])), pose.flat(np.array([0, radii[1], 0]))], axis=1)
    centre = pose.origin[:2] + pose.flat(middle)
    local = (at - centre) @ np.linalg.inv(axes).T
    ball: F64 = np.maximum(0, 1 - (local**2).sum(1)) ** 1.5
    return ball


def _breath(pose: Pose, at: F64, body: F32 | None) -> F64:
    """Shoulders and chest rise; the head rides on them a little less."""
    own = (at - pose.origin[:2]) @ np.linalg.inv(np.stack([pose.axes[0, :2], pose.axes[1, :2]], axis=1)).T / pose.unit
    low = _ease((own[:, 1] - 0.3) / 0.5) * (1 - _ease((own[:, 1] - 1.1) / 0.35))
    across = 1 - _ease((np.abs(own[:, 0]) - 0.5) / 0.5)
    if body is not None:
        soft = cv2.GaussianBlur(body, (0, 0), max(1.0, 0.05 * pose.unit))
        h, w = body.shape
        x = np.clip(at[:, 0].astype(int), 0, w - 1)
        y = np.clip(at[:, 1].astype(int), 0, h - 1)
        across = np.maximum(0, 2 * soft[y, x] - 1) * (1 - _ease((np.abs(own[:, 0]) - 0.8) / 0.35))
    rise = pose.flat(np.array([0.0, -BREATH_RISE, 0.0]))
    return (low * across)[:, None] * rise


def _fade_outside(outline: F64, first: tuple[int, int], shape: tuple[int, int], reach: float) -> F64:
    """1 inside the hull of `outline` (n, 2; canvas pixels), easing to 0 at `reach` pixels outside it. On the quarter
    grid from sample `first` (column, row) on."""
    hull = cv2.convexHull((outline / STEP - first).astype(np.float32))
    inside = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(inside, np.rint(hull * 16).astype(np.int32), 1, shift=4)
    away = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) * STEP
    return 1 - _ease(away.astype(np.float64) / reach)


def _ease(share: F64) -> F64:
    x = np.clip(share, 0, 1)
    eased: F64 = x * x * (3 - 2 * x)
    return eased
