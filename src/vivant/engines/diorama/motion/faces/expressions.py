"""Where each point of a face goes when it smiles, frowns, opens its eyes wide: displacements of its landmarks.

Own coordinates throughout (see FacePose); what becomes of the pixels between landmarks is up to head.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.faces.face_pose import CORNERS, FacePose
from vivant.engines.diorama.motion.faces.mouth import DROP
from vivant.media import F64

EARS: Final = (234, 454)
BROWS: Final = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285)
NOSE: Final = 1
LIDS: Final = ((159, 145, 33, 133), (386, 374, 362, 263))  # upper, lower, left and right of each eye

# In face heights (brow to chin), unless said otherwise.
WIDER, ROUNDER = 0.13, 0.17  # shares of the mouth's width
CORNER_DROP: Final = 0.3  # share of the jaw's motion that the corners of the mouth follow
BROW_RISE: Final = 0.028


@dataclass(frozen=True, slots=True, eq=False)
class _Anatomy:
    """Points of a face that its motion is measured from."""

    half: float  # of the mouth's width
    ears: F64  # (3,), their middle
    brow: float  # how low the brows are
    nose: float  # and the tip of the nose
    eyes: tuple[F64, ...]  # of each: float64 (4,): x of its middle, y of its upper and lower lid, half its width


def displace(pose: FacePose, landmarks: Sequence[int], names: Sequence[str]) -> F64:
    """float64 (names, landmarks, 3): where these landmarks go in each expression at 1, own coordinates."""
    own = pose.own(pose.landmarks[list(landmarks)])
    corners = pose.own(pose.landmarks[list(CORNERS)])
    eyes = []
    for lids in LIDS:
        upper, lower, left, right = pose.own(pose.landmarks[list(lids)])
        eyes.append(np.array([(left[0] + right[0]) / 2, upper[1], lower[1], abs(right[0] - left[0]) / 2]))
    face = _Anatomy(
        half=float(corners[1, 0] - corners[0, 0]) / 2,
        ears=pose.own(pose.landmarks[list(EARS)]).mean(0),
        brow=float(own[np.isin(landmarks, BROWS), 1].mean()),
        nose=float(pose.own(pose.landmarks[[NOSE]])[0, 1]),
        eyes=tuple(eyes),
    )
    return np.stack([_EXPRESSIONS[name](own, face) for name in names])


# What follows gives displacements (n, 3) in own coordinates (right, down, back of the mouth's middle, face heights) for
# points `own` (n, 3). `half` is half of the mouth's width.


def _jaw(own: F64, half: float, ears: F64) -> F64:
    """The jaw swings about its joints in front of the ears; the lower the skin, the more it follows. Lips are moved by
    mouth.py, so here they follow only at their corners."""
    joint = np.array([0.0, max(float(ears[1]), -0.3), float(ears[2])])
    arm = own - joint
    angle = DROP / max(float(joint[2]) + 0.08, 0.2)  # lips are 0.08 in front of their corners
    swing = np.stack([np.zeros(len(own)), -angle * arm[:, 2], angle * arm[:, 1]], axis=1)
    x, down = np.abs(own[:, 0]), own[:, 1]
    bell = np.maximum(0, 1 - np.minimum(x / half, 1) ** 2) ** 1.15
    lip = CORNER_DROP * (1 - bell) * smoothstep((down + 0.16) / 0.16)
    chin = (1 - bell * np.clip(1 - (down - 0.05) / 0.22, 0, 1) ** 2) * smoothstep(down / 0.12)
    middle = np.where(down > 0, np.maximum(lip, chin), lip)
    beside = smoothstep((down + 0.15) / 0.35)
    follows = middle + (beside - middle) * smoothstep((x - 0.7 * half) / (0.9 * half))
    moved: F64 = swing * follows[:, None]
    return moved


def _stretch(own: F64, half: float, amount: float) -> F64:
    """The lips and what is near them become wider by `amount`, and thinner; narrower and thicker if it is negative."""
    x, down = own[:, 0], own[:, 1]
    beyond = np.maximum(0, np.abs(x) - half) / half
    near = np.exp(-2 * beyond**2 - (down / 0.2) ** 2)
    thinner = -0.5 * amount * down * np.exp(-((down / 0.09) ** 2)) * near
    return np.stack([amount * np.clip(x, -half, half) * near, thinner, np.zeros(len(own))], axis=1)


def _smile(own: F64, half: float) -> F64:
    """Corners out and up, cheeks up."""
    x, down = np.abs(own[:, 0]), own[:, 1]
    corner = np.exp(-(((x - half) / (0.75 * half)) ** 2) - (down / 0.12) ** 2)
    cheek = np.exp(-(((x - 1.45 * half) / 0.14) ** 2) - ((down + 0.22) / 0.13) ** 2)
    return np.stack([0.034 * np.sign(own[:, 0]) * corner, -0.042 * corner - 0.03 * cheek, 0 * x], axis=1)


def _frown(own: F64, half: float) -> F64:
    """Corners down."""
    corner = np.exp(-(((np.abs(own[:, 0]) - half) / (0.7 * half)) ** 2) - (own[:, 1] / 0.12) ** 2)
    return np.stack([0 * corner, 0.02 * corner, 0 * corner], axis=1)


def _raise_brows(own: F64, level: float) -> F64:
    """Brows and forehead up; lids and eyes stay."""
    down = own[:, 1] - level
    rise = np.exp(-((down / 0.11) ** 2)) * (1 - smoothstep((down - 0.06) / 0.08)) * (np.abs(own[:, 0]) < 0.55)
    return np.stack([0 * rise, -BROW_RISE * rise, 0 * rise], axis=1)


def _smirk(own: F64, half: float) -> F64:
    """The corner at the picture's right up and out, its cheek up; the other one hardly."""
    side = 0.5 + 0.5 * np.tanh(own[:, 0] / (0.35 * half))
    return 1.25 * _smile(own, half) * (0.08 + 0.92 * side)[:, None]


def _knit(own: F64, level: float) -> F64:
    """Brows down and together, most at their inner ends."""
    x, down = np.abs(own[:, 0]), own[:, 1] - level
    brow = np.exp(-((down / 0.1) ** 2)) * (1 - smoothstep((down - 0.06) / 0.08)) * (1 - smoothstep((x - 0.1) / 0.28))
    return np.stack([-0.014 * np.tanh(own[:, 0] / 0.05) * brow, 0.024 * brow, 0 * x], axis=1)


def _raise_inner_brows(own: F64, level: float) -> F64:
    """Inner ends of the brows up and a little together, outer ends a little down."""
    x, down = np.abs(own[:, 0]), own[:, 1] - level
    near = np.exp(-((down / 0.11) ** 2)) * (1 - smoothstep((down - 0.06) / 0.08))
    inner, outer = 1 - smoothstep((x - 0.06) / 0.2), smoothstep((x - 0.2) / 0.12) * (1 - smoothstep((x - 0.4) / 0.15))
    return np.stack(
        [-0.006 * np.tanh(own[:, 0] / 0.05) * near * inner, near * (0.009 * outer - 0.026 * inner), 0 * x], axis=1
    )


def _move_lids(own: F64, eyes: tuple[F64, ...], upper: float, lower: float) -> F64:
    """Upper lids by `upper` and lower lids by `lower`, + down, with the skin beside them."""
    moved = np.zeros(len(own))
    for x, top, bottom, half in eyes:
        across = np.exp(-(((own[:, 0] - x) / (0.8 * half)) ** 4))
        height = max(float(bottom - top), 0.02)
        above, below = (own[:, 1] - top) / (0.9 * height), (own[:, 1] - bottom) / (0.9 * height)
        lids = upper * np.exp(-(np.where(above < 0, above / 1.6, above) ** 2))
        moved += across * (lids + lower * np.exp(-(np.where(below > 0, below / 1.6, below) ** 2)))
    return np.stack([0 * moved, moved, 0 * moved], axis=1)


def _widen(own: F64, eyes: tuple[F64, ...]) -> F64:
    return _move_lids(own, eyes, -0.013, 0.004)


def _squint(own: F64, eyes: tuple[F64, ...]) -> F64:
    """Lids together, the lower one more; cheeks up."""
    return _move_lids(own, eyes, 0.009, -0.011)


def _sneer(own: F64, face: _Anatomy) -> F64:
    """Upper lip and wings of the nose up, the bridge wrinkled, cheeks up beside it."""
    x, down = np.abs(own[:, 0]), own[:, 1]
    lip = np.exp(-((x / (0.8 * face.half)) ** 4) - ((down + 0.06) / 0.07) ** 2) * (1 - smoothstep((down + 0.02) / 0.05))
    wings = np.exp(-(((x - 0.1) / 0.07) ** 2) - ((down - face.nose - 0.03) / 0.08) ** 2)
    bridge = np.exp(-((x / 0.09) ** 2) - ((down - face.nose + 0.2) / 0.09) ** 2)
    rise = -0.03 * lip - 0.032 * wings + 0.02 * bridge
    return np.stack([0 * x, rise, 0 * x], axis=1)


def _pout(own: F64, half: float) -> F64:
    """Lower lip up and fuller, chin up."""
    x, down = np.abs(own[:, 0]), own[:, 1]
    bell = np.exp(-((x / (0.75 * half)) ** 2))
    chin = bell * np.exp(-(((down - 0.17) / 0.09) ** 2))
    lip = bell * np.exp(-(((down - 0.05) / 0.045) ** 2))
    corner = np.exp(-(((x - half) / (0.5 * half)) ** 2) - (down / 0.1) ** 2)
    return np.stack([0 * x, 0.022 * lip - 0.024 * chin + 0.006 * corner, 0 * x], axis=1)


def _chew(own: F64, face: _Anatomy) -> F64:
    """The jaw to the picture's right."""
    down = own[:, 1]
    follows = smoothstep((down + 0.08) / 0.3) * (1 - smoothstep((np.abs(own[:, 0]) - 0.28) / 0.2))
    return np.stack([0.022 * follows, 0 * down, 0 * down], axis=1)


_EXPRESSIONS: Final[dict[str, Callable[[F64, _Anatomy], F64]]] = {
    "jaw": lambda own, face: _jaw(own, face.half, face.ears),
    "wide": lambda own, face: _stretch(own, face.half, WIDER),
    "round": lambda own, face: _stretch(own, face.half, -ROUNDER),
    "smile": lambda own, face: _smile(own, face.half),
    "frown": lambda own, face: _frown(own, face.half),
    "brow": lambda own, face: _raise_brows(own, face.brow),
    "smirk": lambda own, face: _smirk(own, face.half),
    "knit": lambda own, face: _knit(own, face.brow),
    "inner": lambda own, face: _raise_inner_brows(own, face.brow),
    "widen": lambda own, face: _widen(own, face.eyes),
    "squint": lambda own, face: _squint(own, face.eyes),
    "sneer": _sneer,
    "pout": lambda own, face: _pout(own, face.half),
    "chew": _chew,
}
NAMES: Final = tuple(_EXPRESSIONS)
EVERY_FACE: Final = NAMES[:6]  # those of speech and of idle life
