"""How plants stand in a picture: which way stems point, where their tips are, which are grass and which are crowns.
Knows nothing of wind or time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import STEP, average_quarter
from vivant.media import F32, U8

TALL: Final = 0.26  # heights of the picture: at this height above its foot the tallest plant leans most
_SHARP: Final = (0.5, 1.6)  # luma of fine detail: blurred below, sharp above


@dataclass(frozen=True, slots=True, eq=False)
class Stems:
    """float32 on the quarter grid. (along_x, along_y): unit vector along the stem. stem: 0 leaves in all
    directions .. 1 parallel stems. lever: 0 at the root .. about 1 at the tip. sharp: 0 out of focus .. 1."""

    along_x: F32
    along_y: F32
    stem: F32
    lever: F32
    sharp: F32


def measure_stems(luma: U8, plants: F32, scale: float, pressed: float = 0.0) -> Stems:
    """luma: uint8 (h, w). plants: float32 on the quarter grid, 0..1: where they are. scale: see Air. pressed, 0..1: how
    much a wind presses tips and gaps down together, so that a sheet of plants leans as one surface and may lean far."""
    along_x, along_y, stem = _find_directions(luma, scale)
    fine = luma.astype(np.float32)
    fine = np.abs(fine - filters.blur(fine, 1.7 * scale + 0.3))
    sharp = smoothstep((filters.blur(average_quarter(fine), 12 * scale / STEP) - _SHARP[0]) / (_SHARP[1] - _SHARP[0]))
    inside = (plants > 0.4).astype(np.float32)
    gaps = _rise_from_gaps(luma, inside, (along_x, along_y), stem, scale)
    gaps = gaps + np.float32(pressed) * (1 - gaps)
    # A stem bends in one curve: whatever changes along it in a few pixels would put a kink into it.
    lever = smear_along(filters.blur(_stand_above_foot(inside) * gaps, 1.5), (along_x, along_y), 5 * stem)
    return Stems(along_x, along_y, stem, lever, sharp.astype(np.float32))


def smear_along(values: F32, along: tuple[F32, F32], reach: F32 | float) -> F32:
    """The mean of `values`, float32 on the quarter grid, along a straight line of `reach` samples to both sides (a
    number or an array): equal along a blade, independent across it."""
    rows, columns = values.shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    total = values.copy()
    steps = 6
    for k in range(1, steps + 1):
        dx, dy = along[0] * reach * (k / steps), along[1] * reach * (k / steps)
        total += filters.sample(values, x + dx, y + dy) + filters.sample(values, x - dx, y - dy)
    return total / np.float32(2 * steps + 1)


def _find_directions(luma: U8, scale: float) -> tuple[F32, F32, F32]:
    """By the structure tensor (Bigün and Granlund, 1987): edges run along stems."""
    soft = filters.blur(luma, 2.2 * scale + 0.4)
    gx, gy = (np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1 - k, k), np.float32) for k in (0, 1))
    window = 11 * scale / STEP
    xx, yy, xy = (filters.blur(average_quarter(v), window) for v in (gx * gx, gy * gy, gx * gy))
    strength = np.hypot(xx - yy, 2 * xy)
    coherence = strength / (xx + yy + 8.0)
    parallel = filters.blur(smoothstep((coherence - 0.25) / 0.35), 1.5)
    # Twice the angle of the gradient, which has no sign, smoothed as a vector; where nothing points anywhere, plants
    # stand upright. The stem is perpendicular to the gradient.
    x, y = (filters.blur(v, 1.5) for v in (xx - yy, 2 * xy))
    length = np.hypot(x, y) + 1e-6
    # Level streaks are grass seen from far, not stems.
    stem = parallel * smoothstep((0.5 + 0.5 * x / length - 0.06) / 0.16)
    angle = 0.5 * np.arctan2(stem * y / length, stem * x / length + (1 - stem)) + np.pi / 2
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32), stem.astype(np.float32)


def _stand_above_foot(inside: F32) -> F32:
    """0..1: how far up its plant a sample is. The foot of a plant that the lower border cuts is not seen."""
    rows, columns = inside.shape
    solid = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, np.ones((5, 3), np.uint8)) > 0.5
    up, run = np.zeros((rows, columns), np.float32), np.zeros(columns, np.float32)
    cut = np.zeros((rows, columns), np.float32)
    open_below = np.ones(columns, bool)
    for row in range(rows - 1, -1, -1):
        run = np.where(solid[row], run + 1, 0)
        open_below &= solid[row]
        up[row], cut[row] = run, open_below
    height = up.copy()
    for row in range(1, rows):
        height[row] = np.where(solid[row] & solid[row - 1], height[row - 1], height[row])
    reach = np.clip(height, 24 / STEP, TALL * rows)
    lever: F32 = np.clip(up / reach, 0, 1) ** np.float32(1.2)
    lever = np.maximum(lever, cut * (0.55 + 0.45 * np.clip(up / (TALL * rows), 0, 1)))
    # Continued beyond the outline, with which its surroundings move.
    total, room = np.zeros_like(inside), np.zeros_like(inside)
    for sigma, share in ((2.5, 1.0), (8.0, 0.05)):
        total, room = total + share * filters.blur(lever * solid, sigma), room + share * filters.blur(solid, sigma)
    return np.asarray(total / np.maximum(room, 1e-4), np.float32)


def _rise_from_gaps(luma: U8, inside: F32, along: tuple[F32, F32], stem: F32, scale: float) -> F32:
    """0.5..1.1: in a sheet of plants the dark gaps are roots and the bright parts tips."""
    light = filters.blur(average_quarter(luma.astype(np.float32)), 5.5 * scale / STEP)
    wide = 55 * scale / STEP
    room = np.maximum(filters.blur(inside, wide), 0.02)
    mean = filters.blur(light * inside, wide) / room
    spread = np.sqrt(np.maximum(filters.blur((light - mean) ** 2 * inside, wide) / room, 9.0))
    relative = filters.blur(
        smear_along(np.clip((light - mean) / spread, -2, 2), along, 14 * stem * np.float32(scale)), 2 * scale
    )
    out: F32 = (0.5 + 0.6 * np.clip(0.5 + 0.5 * relative, 0, 1)).astype(np.float32)
    return out
