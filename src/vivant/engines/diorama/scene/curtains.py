"""Where curtains hang in a picture: tall parts of one colour in upright folds, beside a window that is brighter. Knows
no prompt and no motion."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.scene.matte import align_to_edges
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.media import F32

Mask = NDArray[np.bool_]

SIDE: Final = 320  # long side of the copy on which they are looked for
_LONG: Final = 9.0  # samples of it along a fold, over which it looks alike
_FOLD: Final = (1.2, 3.0)  # deviation of L across folds: a plain wall, surely folds
_UPRIGHT: Final = (0.5, 0.8)  # share of all detail that is upright: leaves, folds
_TALLEST_FROM: Final = 0.28  # of the height of the picture: no curtain is shorter
_WIDEST: Final = 0.5  # of its width
_BRIGHTER: Final = (4.0, 16.0)  # L of what is beside it, against its own: no window, surely one


def find_curtains(scene: Scene) -> Region:
    """All curtains, float32 (h, w), 0..1; an empty mask of trust 0 where there are none."""
    h, w = scene.depth.shape
    scale = SIDE / max(h, w)
    size = max(16, round(w * scale)), max(16, round(h * scale))
    small: Any = cv2.resize(scene.rgb, size, interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    subject = filters.resize(scene.matte.mask * scene.matte.trust * bool(scene.faces), *size) > 0.4
    folds, upright = _measure_folds(lab[..., 0])
    likely = (folds > 0.4) & (upright > 0.4) & ~subject
    joined = cv2.morphologyEx(likely.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 5), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((15, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = np.zeros(joined.shape, np.uint8)
    trust = 0.0
    for k in range(1, count):
        _, _, width, height, area = (int(v) for v in stats[k])
        if height < _TALLEST_FROM * size[1] or width > _WIDEST * size[0] or area < 0.5 * width * height:
            continue
        part = labels == k
        worth = _score(lab, part, upright)
        if worth > 0.25:
            found[part] = 1
            trust = max(trust, worth)
    if not found.any():
        return Region(np.zeros((h, w), np.float32), 0.0)
    whole = _grow(small, found)
    mask = align_to_edges(filters.resize(whole, w, h), scene.rgb)
    open_air = min(1.0, 1.6 * scene.sky.share * scene.sky.trust)  # the sky through a window is small
    return Region(np.clip(mask, 0, 1).astype(np.float32), trust * (1 - 0.6 * open_air))


def _measure_folds(light: F32) -> tuple[F32, F32]:
    """(how much L swings across upright lines, what share of all detail is upright), float32 (h, w), 0..1."""
    along = filters.blur(light, 0.8, _LONG)
    swing = along - filters.blur(along, 5.0, 0.001)
    deviation = np.sqrt(filters.blur(swing**2, 6.0, 8.0))
    across, down = cv2.Sobel(light, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(light, cv2.CV_32F, 0, 1, ksize=3)
    coherent = np.abs(filters.blur(across, 0.7, _LONG))
    share = filters.blur(coherent, 4.0, 6.0) / (filters.blur(np.hypot(across, down), 4.0, 6.0) + 0.8)
    low, high = _FOLD
    least, most = _UPRIGHT
    return (
        np.clip((deviation - low) / (high - low), 0, 1).astype(np.float32),
        np.clip((share - least) / (most - least), 0, 1).astype(np.float32),
    )


def _score(lab: F32, part: Mask, upright: F32) -> float:
    """0..1: one colour, many folds, and something brighter beside it."""
    spread = float(lab[part][:, 1:].std(axis=0).max())
    even = float(np.clip((14 - spread) / 6, 0, 1))
    row = filters.blur(lab[..., 0], 0.8, _LONG)
    rows = np.flatnonzero(part.any(axis=1))
    middle = rows[len(rows) // 4 : -max(1, len(rows) // 4)]
    turns = np.median([_count_turns(row[y][part[y]]) for y in middle]) if len(middle) else 0.0
    folded = float(np.clip((turns - 2) / 4, 0, 1))
    wide = cv2.dilate(part.astype(np.uint8), np.ones((3, 25), np.uint8)) > 0
    ring = wide & ~part
    over = float(np.percentile(lab[..., 0][ring], 85)) - float(np.median(lab[..., 0][part])) if ring.any() else 0.0
    low, high = _BRIGHTER
    window = float(np.clip((over - low) / (high - low), 0, 1))
    return even * folded * window * float(np.clip(upright[part].mean() / 0.6, 0, 1))


def _count_turns(values: NDArray[np.float32]) -> int:
    """How often a line of L turns from rising to falling or back, by more than one step of noise."""
    if len(values) < 5:
        return 0
    steps = np.diff(values)
    signs = np.sign(steps[np.abs(steps) > 0.25])
    return int((signs[1:] != signs[:-1]).sum())


def _grow(small: Any, found: NDArray[np.uint8]) -> F32:
    """What was found, out to the outlines of the cloth, by GrabCut on the small copy."""
    near = cv2.dilate(found, np.ones((21, 17), np.uint8))
    marks = np.where(near > 0, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    marks[found > 0] = cv2.GC_PR_FGD
    marks[cv2.erode(found, np.ones((7, 7), np.uint8)) > 0] = cv2.GC_FGD
    if not (marks == cv2.GC_FGD).any() or not (marks == cv2.GC_BGD).any():
        return found.astype(np.float32)
    cv2.setRNGSeed(1)
    models: tuple[Any, Any] = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    cv2.grabCut(small[..., ::-1].copy(), marks, (0, 0, 1, 1), models[0], models[1], 2, cv2.GC_INIT_WITH_MASK)
    solid = ((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.uint8)
    solid = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    return filters.blur(solid, 0.8)
