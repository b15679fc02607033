"""What tells a flag from other things that stand out: it is of one piece and of strong colours, in stripes or fields,
and hangs on a thin pole along one of its sides. Knows no prompt and no motion."""

from __future__ import annotations

from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.media import F32

Mask = NDArray[np.bool_]
Pin = Literal["left", "right", "top"]

# Lab, or shares of the size of the cloth.
_DULL, _STRONG = 9.0, 26.0  # chroma: of what is no flag, and of what surely may be one
_PLAIN, _VARIED = 6.0, 16.0  # deviation of its colours, likewise
_WITHOUT_POLE: Final = 0.42  # what is left of the trust in a flag of which no pole is seen
_BELOW: Final = 0.8  # heights of the cloth below it in which its pole is looked for
_BESIDE: Final = 0.14  # widths of the cloth to both sides of its edge, likewise
_LINE: Final = (1.6, 4.0)  # luminance of a pole against both sides, in deviations of what is around: none, surely one
_WIDEST: Final = 0.62  # of the picture; what is wider is a strip of land


def find_colourful(lab: F32, subject: F32) -> Mask:
    """Strong colours outside the subject, with what is white between two of them. lab: float32 (h, w, 3); subject: (h,
    w), 0..1."""
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    strong = ((chroma > 20) & (subject < 0.4)).astype(np.uint8)
    size = max(3, round(0.03 * max(chroma.shape)) | 1)
    kernel = np.ones((size, size), np.uint8)
    whole = cv2.morphologyEx(strong, cv2.MORPH_CLOSE, kernel) * (subject < 0.4)
    return np.asarray(cv2.morphologyEx(whole.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def score_flag(lab: F32, solid: Mask) -> float:
    """0..1: how much a part of a picture, bool (h, w), looks like a flag. lab: float32 (h, w, 3)."""
    cloth = find_cloth(solid)
    if not cloth.any():
        return 0.0
    columns = np.flatnonzero(cloth.any(axis=0))
    if np.ptp(columns) > _WIDEST * cloth.shape[1]:
        return 0.05
    inside = lab[cloth]
    chroma = float(np.percentile(np.hypot(inside[:, 1], inside[:, 2]), 70))
    varied = float(np.sqrt(inside.var(axis=0).sum()))
    colourful = _between(chroma, _DULL, _STRONG)
    patterned = _between(varied, _PLAIN, _VARIED)
    looks = max(colourful, 0.6 * patterned)
    pole = max(_score_pole(lab[..., 0], cloth, side) for side in (-1, 1))
    # Without a pole it must look like nothing else: in fields of different strong colours.
    held = pole + (1 - pole) * _WITHOUT_POLE * colourful * patterned
    return float(_score_piece(cloth) * looks * held)


def find_pin(lab: F32, solid: Mask) -> tuple[Pin, float]:
    """Along which side a cloth hangs, and how sure that is, 0..1. Where no pole is seen what is higher than wide hangs
    from above, and all else on the straighter of its sides. lab: float32 (h, w, 3); solid: bool (h, w), the cloth."""
    cloth = find_cloth(solid)
    cloth = cloth if cloth.any() else solid
    left, right = (_score_pole(lab[..., 0], cloth, side) for side in (-1, 1))
    if max(left, right) > 0.3:
        return ("left" if left >= right else "right"), max(left, right)
    rows, columns = np.flatnonzero(cloth.any(axis=1)), np.flatnonzero(cloth.any(axis=0))
    if len(rows) > 1.15 * len(columns):
        return "top", 0.5
    return ("left" if _roughness(cloth) <= _roughness(cloth[:, ::-1]) else "right"), 0.3


def find_cloth(solid: Mask) -> Mask:
    """The part, bool (h, w), without the pole that was cut out with it: what is thin is taken away."""
    area = int(solid.sum())
    size = max(3, round(0.22 * np.sqrt(max(area, 1))) | 1)
    padded = np.pad(solid.astype(np.uint8), size, mode="edge")
    opened: Any = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened[size:-size, size:-size], connectivity=8)
    if count < 2:
        return np.zeros_like(solid)
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def _score_piece(cloth: Mask) -> float:
    """0..1: by how much of its convex hull a cloth fills, which its waves dent but do not cut."""
    outlines, _ = cv2.findContours(cloth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = float(cv2.contourArea(cv2.convexHull(max(outlines, key=len)).astype(np.float32)))
    return _between(float(cloth.sum()) / max(hull, 1.0), 0.5, 0.78)


def _score_pole(light: F32, cloth: Mask, side: int) -> float:
    """0..1: how surely a thin upright line stands along the left (-1) or right (1) side of a cloth and goes on
    below."""
    rows, columns = np.flatnonzero(cloth.any(axis=1)), np.flatnonzero(cloth.any(axis=0))
    edge = int(columns[0] if side < 0 else columns[-1])
    reach = max(2, round(_BESIDE * len(columns)))
    top, bottom = int(rows[-1]) + 2, min(light.shape[0], int(rows[-1]) + 2 + max(4, round(_BELOW * len(rows))))
    if bottom - top < 4:
        return 0.0
    first, last = max(0, edge - 4 * reach), min(light.shape[1], edge + 4 * reach + 1)
    band = light[top:bottom, first:last]
    if band.shape[1] < 9:
        return 0.0
    # A pole is a column that differs from both its sides, alike in all rows.
    apart = band - filters.blur(band, 2.5, 0.001)
    line = np.abs(apart.mean(axis=0))
    inside = slice(max(0, edge - reach - first), edge + reach + 1 - first)
    others = np.delete(line, range(inside.start, min(inside.stop, len(line))))
    around = float(np.sqrt((others**2).mean())) if len(others) else 1.0
    return _between(float(line[inside].max()) / max(around, 0.8), *_LINE)


def _roughness(cloth: Mask) -> float:
    """Of its left side: the deviation of where it begins, pixels, from a straight line."""
    rows = np.flatnonzero(cloth.any(axis=1))
    rows = rows[len(rows) // 8 : max(len(rows) // 8 + 2, len(rows) - len(rows) // 8)]
    first = cloth[rows].argmax(axis=1).astype(np.float64)
    return float((first - np.polyval(np.polyfit(rows, first, 1), rows)).std()) if len(rows) > 2 else 0.0


def _between(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
