"""How a cloth hangs: along which side it is held, which way it runs from there, and how free each part of it is. All on
the quarter grid. Knows no motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_array, check_number
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.scene.flags import find_cloth, find_pin
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import MotionKind
from vivant.media import F32

STEP: Final = 4  # canvas pixels from one sample to the next
_SMALL: Final = 4  # the pole is looked for on a copy reduced by this
_SEAM: Final = 0.1  # of a cloth's length: as far from what holds it, it hardly moves
_LOOSE: Final = 0.1  # of the picture's height: clothes are loose so far inside their outline
_TIGHT: Final = 0.3  # of what moves at the hem, deep inside


@dataclass(frozen=True, slots=True, eq=False)
class Hang:
    """u, v: float32 (rows, columns), how far a sample is from what holds the cloth, and aside, in lengths of the cloth.
    lever: the same, 0..1, how free it is. length: canvas pixels. along_x, along_y: a unit vector, from what holds it to
    its free edge."""

    u: F32
    v: F32
    lever: F32
    length: float
    along_x: float
    along_y: float

    def __post_init__(self) -> None:
        check_array("Hang.u", self.u, np.float32, (None, None))
        check_array("Hang.v", self.v, np.float32, self.u.shape)
        check_array("Hang.lever", self.lever, np.float32, self.u.shape, 0, 1)
        check_number("Hang.length", self.length, 1)


def hang(scene: Scene, region: Region, kind: MotionKind) -> Hang | None:
    """How the cloth of a region hangs; None where it is a speck."""
    h, w = scene.depth.shape
    size = -(-w // STEP), -(-h // STEP)
    inside = filters.resize(region.mask, *size) > 0.5
    if inside.sum() < 12:
        return None
    match kind:
        case "flag":
            return _hang_flag(scene, region, inside)
        case "sail":
            return _hang_sail(inside)
        case "curtain":
            return _hang_curtains(inside)
        case _:
            return _hang_clothes(scene, inside)


def _grid(shape: tuple[int, ...]) -> tuple[F32, F32]:
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    return x, y


def _hang_flag(scene: Scene, region: Region, inside: NDArray[np.bool_]) -> Hang:
    h, w = scene.depth.shape
    small: Any = cv2.resize(scene.rgb, (w // _SMALL, h // _SMALL), interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    pin, _ = find_pin(lab, filters.resize(region.mask, w // _SMALL, h // _SMALL) > 0.5)
    cloth = find_cloth(inside)
    cloth = cloth if cloth.any() else inside
    x, y = _grid(cloth.shape)
    rows, columns = np.flatnonzero(cloth.any(axis=1)), np.flatnonzero(cloth.any(axis=0))
    if pin == "top":
        length = max(float(np.ptp(rows)), 2.0)
        u, v = (y - rows[0]) / length, (x - columns[0]) / length
        return Hang(u, v, _free(u), length * STEP, 0.0, 1.0)
    # A pole may lean: a line through where the rows begin.
    side = 1.0 if pin == "left" else -1.0
    ends = cloth[rows].argmax(axis=1) if side > 0 else cloth.shape[1] - 1 - cloth[rows, ::-1].argmax(axis=1)
    middle = slice(len(rows) // 6, max(len(rows) // 6 + 2, len(rows) - len(rows) // 6))
    slope, start = np.polyfit(rows[middle], ends[middle], 1) if len(rows) > 4 else (0.0, float(ends.mean()))
    slope = float(np.clip(slope, -0.5, 0.5))
    length = max(float(np.ptp(columns)), 2.0)
    u = ((x - (start + slope * y)) * side / length).astype(np.float32)
    v = ((y - rows[0]) / length).astype(np.float32)
    return Hang(u, v, _free(u), length * STEP, side, 0.0)


def _free(u: F32) -> F32:
    """Held at u = 0, free at 1; a little more than in proportion at first, or the cloth would look stiff."""
    seam = smoothstep(u / _SEAM)
    return np.asarray(np.clip(u, 0, 1.15) ** 0.8 / 1.15**0.8 * seam, np.float32)


def _hang_sail(inside: NDArray[np.bool_]) -> Hang:
    """A sail is held along its mast and at its corners: it bellies between them."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    x, y = _grid(inside.shape)
    length = max(float(np.ptp(rows)), float(np.ptp(columns)), 2.0)
    deep = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    most = max(float(deep.max()), 1.0)
    lever = np.clip(0.35 + 0.65 * filters.blur(deep, 1.0) / most, 0, 1).astype(np.float32)
    u = ((rows[-1] - y) / length).astype(np.float32)
    # Its foot is made fast.
    lever = lever * smoothstep(u / (3 * _SEAM)).astype(np.float32)
    return Hang(u, ((x - columns[0]) / length).astype(np.float32), lever, length * STEP, 0.0, -1.0)


def _hang_curtains(inside: NDArray[np.bool_]) -> Hang:
    """From their rails, each by itself."""
    x, y = _grid(inside.shape)
    count, _, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    tallest = max(int(stats[k, cv2.CC_STAT_HEIGHT]) for k in range(1, count))
    top = min(int(stats[k, cv2.CC_STAT_TOP]) for k in range(1, count))
    length = max(float(tallest), 2.0)
    u = ((y - top) / length).astype(np.float32)
    # What is beside a curtain belongs to the nearest one.
    lever = np.clip(u, 0, 1).astype(np.float32) ** 1.2 * smoothstep(u / _SEAM).astype(np.float32)
    return Hang(u, (x / length).astype(np.float32), lever, length * STEP, 0.0, 1.0)


def _hang_clothes(scene: Scene, inside: NDArray[np.bool_]) -> Hang:
    """From the shoulders: the more free the lower, and the nearer to where the subject's outline ends."""
    rows = np.flatnonzero(inside.any(axis=1))
    columns = np.flatnonzero(inside.any(axis=0))
    x, y = _grid(inside.shape)
    length = max(float(np.ptp(rows)), 2.0)
    u = ((y - rows[0]) / length).astype(np.float32)
    subject = filters.resize(scene.matte.mask, inside.shape[1], inside.shape[0]) > 0.5
    padded = np.pad((subject | inside).astype(np.uint8), 1, mode="edge")  # the border of the picture is no hem
    deep = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    loose = np.exp(-filters.blur(deep, 1.0) / (_LOOSE * inside.shape[0]))
    down = smoothstep(u / 0.35) * (0.45 + 0.55 * np.clip(u, 0, 1))
    lever = np.clip((_TIGHT + (1 - _TIGHT) * loose) * down, 0, 1).astype(np.float32)
    return Hang(u, ((x - columns.mean()) / length).astype(np.float32), lever, length * STEP, 0.0, 1.0)
