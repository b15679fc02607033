"""How much each point of the picture moves with a person's head, shoulders and hair: weights on the quarter grid.

They follow from the face and from the subject's outline. Outside the outline they fade out, so that what is behind is
drawn along a little way and softly, and not torn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.faces.face_pose import FacePose
from vivant.engines.diorama.motion.fields import STEP, average_quarter
from vivant.media import F32, F64

OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
CHIN: Final = 152
NOSE: Final = 1

# In face heights (brow to chin), unless said otherwise.
FADE: Final = 0.4  # beyond the outline of a person
SKULL: Final = (0.66, 1.0, 1.18)  # middle above the chin, half height; half width in halves of that between the ears
RELIEF: Final = 0.62  # of the face before its outline
NOSE_OUT: Final = 0.10  # of the nose before the face
NECK: Final = 0.6  # below the chin, over which the head's motion fades into the shoulders
REACH: Final = 1.9  # about the middle of the skull, within which hair belongs to it
CHEST: Final = (
    0.15,
    0.5,
    1.0,
    1.6,
)  # below the chin: where breath begins, over what, until where it is felt, and over what
HIPS: Final = 2.4  # below the chin, about which one leans where the lower border cuts the body
BORDER: Final = 0.45  # inside the picture's border, over which nothing comes in from outside
LONG_HAIR: Final = 0.45  # from the face, at which hair follows last


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """Of one person; all float32 (rows, columns) on the window `where` of the quarter grid, if not said otherwise."""

    where: tuple[slice, slice]
    head: F32  # 0..1: how much a point moves with the head
    yaw: F32  # face heights that a point goes sideways for each radian of yaw
    pitch: F32  # the same downward for pitch
    away: F64  # (rows, columns, 2): canvas pixels from the pivot of the neck
    late: F32  # 0..1: how much it hangs behind the head, as hair does
    breath: F32  # 0..1: how much it rises with the breath
    aside: F32  # -1..1: how far from the middle of the chest, where the breath widens it
    lean: F32  # 0 at the hips .. 1 at the head
    sideways: F32  # 0..1: how much motion to the side is allowed there, by the border of the picture
    upward: F32  # the same for up and down


def make_figure(pose: FacePose, canvas: tuple[int, int], body: F32 | None, others: list[FacePose]) -> Figure:
    """canvas: (width, height). body: float32 (h, w), 0..1, all subjects; None where it is not trusted. others: the
    poses of the other faces of the picture."""
    width, height = canvas
    columns, rows = -(-width // STEP), -(-height // STEP)
    y, x = np.mgrid[0:rows, 0:columns] * float(STEP)
    at = np.stack([x, y], axis=-1)
    unit = pose.unit
    right = pose.axes[0, :2] / max(float(np.hypot(*pose.axes[0, :2])), 1e-6)
    down = np.array([-right[1], right[0]])
    chin = pose.landmarks[CHIN, :2]
    own = (at - chin) @ np.stack([right, down], axis=1) / unit  # right and down of the chin, as the head is tilted
    drop = (y - chin[1]) / unit  # below the chin, as the picture stands

    ball, near = _skull(pose, own, right, chin)
    person = _person(pose, own, body)
    person = person * _apart_from(others, pose, at)
    head = person * (1 - smoothstep(own[..., 1] / NECK)) * (1 - smoothstep((near - REACH) / 0.5))
    nose = (pose.landmarks[NOSE, :2] - chin) @ np.stack([right, down], axis=1) / unit
    bump = np.exp(-(((own - nose) ** 2).sum(-1)) / (2 * 0.12**2))
    depth = RELIEF * ball + NOSE_OUT * bump

    start, rise, until, end = CHEST
    breath = smoothstep((drop - start) / rise) * (1 - smoothstep((drop - until) / end))
    aside = np.clip((x - chin[0]) / (1.6 * unit), -1, 1)
    foot = _foot(body, pose, height)
    lean = np.clip((foot - y) / max(foot - chin[1], unit), 0, 1) ** 1.3
    ramp = BORDER * unit
    sideways, upward = (_ramp(np.minimum(v, most - 1 - v) / ramp) for v, most in ((x, width), (y, height)))
    outline = (pose.landmarks[list(OVAL), :2] - chin) @ np.stack([right, down], axis=1) / unit
    late = _beyond(outline, own) * (own[..., 1] < 1.2)

    used = np.flatnonzero((person > 0).any(1)), np.flatnonzero((person > 0).any(0))
    if len(used[0]) and len(used[1]):
        where = slice(int(used[0][0]), int(used[0][-1]) + 1), slice(int(used[1][0]), int(used[1][-1]) + 1)
    else:
        where = slice(0, 2), slice(0, 2)

    def part(values: F64) -> F32:
        return np.ascontiguousarray(values[where], np.float32)

    pivot = chin + 0.3 * unit * down
    return Figure(
        where=where,
        head=part(head),
        yaw=part(head * (depth + 0.14)),
        pitch=part(head * (depth + 0.10)),
        away=np.ascontiguousarray((at - pivot)[where]),
        late=part(late),
        breath=part(person * np.maximum(breath, 0.35 * (1 - smoothstep(own[..., 1] / NECK)))),
        aside=part(person * breath * aside),
        lean=part(person * lean),
        sideways=part(sideways),
        upward=part(upward),
    )


def _skull(pose: FacePose, own: F64, right: F64, chin: F64) -> tuple[F64, F64]:
    """(relief 0..1 of a ball over the head, distance from its middle in face heights)."""
    ears: F64 = (pose.landmarks[[234, 454], :2] - chin) @ right / pose.unit
    middle_x, half = float(ears.mean()), max(float(np.ptp(ears)) / 2, 0.25)
    above, tall, wide = SKULL
    x, y = own[..., 0] - middle_x, own[..., 1] + above
    radius = (x / (wide * half)) ** 2 + (y / tall) ** 2
    ball: F64 = np.maximum(0, 1 - radius) ** 1.1
    return ball, np.hypot(x, y)


def _person(pose: FacePose, own: F64, body: F32 | None) -> F64:
    """0..1: 1 on head and shoulders, fading out beyond."""
    if body is None:
        # Head and hair as a ball, shoulders as a cone.
        head: F64 = 1 - smoothstep((np.hypot(own[..., 0] / 0.8, (own[..., 1] + 0.7) / 1.0) - 1) / FADE)
        down = own[..., 1]
        shoulders = smoothstep((down + 0.1) / 0.4) * (1 - smoothstep((down - 1.05) / 0.35))
        shoulders = shoulders * (1 - smoothstep((np.abs(own[..., 0]) - 0.4) / 0.5))
        both: F64 = np.maximum(head, shoulders)
        return both
    outside = (average_quarter(body) < 0.5).astype(np.uint8)
    if outside.all():
        return np.zeros(own.shape[:2])
    # The precise mask of distanceTransform differs in its last bits from call to call; that of 5 does not.
    away: F64 = cv2.distanceTransform(outside, cv2.DIST_L2, 5).astype(np.float64) * (STEP / pose.unit)
    faded: F64 = 1 - smoothstep(away / FADE)
    return faded


def _ramp(share: F64) -> F64:
    """From 0 at 0 to 1 at 1, hardly steeper than a straight line: so a head near a border is stretched least."""
    ramp: F64 = 0.5 * (smoothstep(share) + np.clip(share, 0, 1))
    return ramp


def _apart_from(others: list[FacePose], pose: FacePose, at: F64) -> F64:
    """1 where this person is the nearest, 0 where another one is clearly nearer."""
    share = np.ones(at.shape[:2])

    def distance(of: FacePose) -> F64:
        away = np.abs(at - of.landmarks[list(OVAL), :2].mean(0)) / of.unit
        apart: F64 = np.hypot(away[..., 0], 0.35 * away[..., 1])
        return apart

    if others:
        own = distance(pose)
        for other in others:
            share = share * smoothstep((distance(other) - own) / 0.6 + 0.3)
    return share


def _foot(body: F32 | None, pose: FacePose, height: int) -> float:
    """The row about which the person leans."""
    hips = float(pose.landmarks[CHIN, 1]) + HIPS * pose.unit
    if body is None:
        return hips
    rows = np.flatnonzero((body > 0.5).any(axis=1))
    lowest = float(rows[-1]) if len(rows) else hips
    return max(lowest, hips) if lowest < height - 3 else max(float(height), hips)


def _beyond(outline: F64, own: F64) -> F64:
    """0 in the face .. 1 from LONG_HAIR beyond its oval. outline: (n, 2), own: (rows, columns, 2), face heights."""
    hull = cv2.convexHull(outline.astype(np.float32))[:, 0].astype(np.float64)
    middle, away = hull.mean(0), np.full(own.shape[:2], -np.inf)
    for a, b in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        normal = np.array([b[1] - a[1], a[0] - b[0]]) / max(float(np.hypot(*(b - a))), 1e-9)
        if (middle - a) @ normal > 0:
            normal = -normal
        away = np.maximum(away, (own[..., 0] - a[0]) * normal[0] + (own[..., 1] - a[1]) * normal[1])
    return np.clip(away / LONG_HAIR, 0, 1) ** 1.5
