"""Cuts a proposal out on a crop of its own: by GrabCut, or by what the net says stands out there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.scene.habitat import LARGEST, SMALLEST
from vivant.engines.diorama.scene.matte import align_to_edges, measure_edges
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.scene.small_copy import Mask, overlap
from vivant.engines.diorama.scene.thin_parts import add_thin_parts
from vivant.engines.diorama.storyboard import ThingKind
from vivant.media import F32, U8

Look = Callable[[U8], F32]  # what stands out in a crop, see matte.Matting.look
_GRAB: Final = 160  # side of the copy of a crop on which GrabCut runs
_AROUND: Final = 0.55  # of a proposal's size, that its crop has more on each side
LESS_SURE: Final = 0.85  # than the subject of the picture, which is what prompts mostly name


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A proposal cut out. mask: float32 (h, w), 0..1; trust 0..1: how well; known: it is the subject, which was cut
    out before."""

    mask: F32
    trust: float
    known: bool = False


def cut_proposal(scene: Scene, blob: Mask, kind: ThingKind, separate: Callable[[U8, U8], F32 | None]) -> Cut | None:
    """A proposal, bool (h, w) of the small copy, cut out on a crop of its own; None where `separate`, which gets the
    crop, uint8 (h, w, 3), and the proposal in it, uint8 (h, w), finds nothing there."""
    h, w = scene.depth.shape
    full = cv2.resize(blob.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST)
    left, top, width, height = cv2.boundingRect(full)
    more = max(round(_AROUND * max(width, height)), round(0.025 * max(h, w)))
    x0, y0 = max(0, left - more), max(0, top - more)
    x1, y1 = min(w, left + width + more), min(h, top + height + more)
    crop = np.ascontiguousarray(scene.rgb[y0:y1, x0:x1])
    inside, water = np.ascontiguousarray(full[y0:y1, x0:x1], np.uint8), scene.water.mask[y0:y1, x0:x1]
    # The subject was cut out already, at the size at which it is sharpest.
    if scene.matte.trust > 0.6 and overlap(full > 0, scene.matte.mask > 0.5) > 0.75:
        mask = scene.matte.mask.copy()
        mask[y0:y1, x0:x1] = add_thin_parts(mask[y0:y1, x0:x1], crop, water, kind)
        return Cut(mask, scene.matte.trust, known=True)
    kept = separate(crop, inside)
    if kept is None:
        return None
    fine = add_thin_parts(align_to_edges(kept, crop), crop, water, kind)
    sure = float(((kept > 0.1) & (kept < 0.9)).mean()) / max(float((kept > 0.5).mean()), 1e-6)
    trust = float(np.clip((1.0 - sure) / 0.55, 0, 1)) * measure_edges(kept, crop)
    # What runs into the rim of its crop was not taken whole, unless that is the rim of the picture.
    sides = ((0, y0 > 0), (-1, y1 < h))
    columns = ((0, x0 > 0), (-1, x1 < w))
    cut_off = [float((kept[i] > 0.5).mean()) for i, inner in sides if inner]
    cut_off += [float((kept[:, i] > 0.5).mean()) for i, inner in columns if inner]
    trust *= float(np.clip(1 - 5 * max(cut_off, default=0.0), 0, 1))
    mask = np.zeros((h, w), np.float32)
    mask[y0:y1, x0:x1] = fine
    share = float((mask > 0.5).mean())
    return Cut(mask, LESS_SURE * trust) if SMALLEST / 4 <= share <= LARGEST else None


def see_crop(crop: U8, inside: U8, look: Look) -> F32 | None:
    """The net's answer, float32 (h, w), 0..1, about a crop, uint8 (h, w, 3), where it holds the proposal `inside`,
    uint8 (h, w); None where the net sees something else."""
    raw = look(crop)
    seed = cv2.resize(inside, raw.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    kept = _holding(raw, seed)
    return None if kept is None or overlap(kept > 0.5, seed) < 0.25 else kept


def _holding(raw: F32, seed: Mask) -> F32 | None:
    """The net's answer without the parts that have nothing of the seed; None where that leaves nothing."""
    solid = (raw > 0.4).astype(np.uint8)
    _, labels = cv2.connectedComponents(solid, connectivity=8)
    wanted = np.setdiff1d(np.unique(labels[seed & (raw > 0.4)]), 0)
    if not len(wanted):
        return None
    kept = np.isin(labels, wanted).astype(np.uint8)
    dropped = cv2.dilate(((labels > 0) & (kept == 0)).astype(np.uint8), np.ones((5, 5), np.uint8))
    near = cv2.dilate(kept, np.ones((21, 21), np.uint8))  # what it half sees farther away says nothing of this one
    return np.asarray(raw * (1 - dropped) * near, np.float32)


def grab(crop: U8, inside: U8) -> F32 | None:
    """float32 (h, w), 0..1: the same by GrabCut (Rother, Kolmogorov and Blake, 2004), from the proposal as its seed."""
    size = (_GRAB, _GRAB)
    small: Any = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    seed = cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST)
    near = cv2.dilate(seed, np.ones((21, 21), np.uint8))
    marks = np.where(near > 0, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    marks[seed > 0] = cv2.GC_PR_FGD
    core = cv2.erode(seed, np.ones((3, 3), np.uint8))
    marks[core > 0] = cv2.GC_FGD
    if int((marks == cv2.GC_PR_FGD).sum()) < 30 or not (marks == cv2.GC_BGD).any():
        return None
    cv2.setRNGSeed(1)
    models: tuple[Any, Any] = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    whole = (0, 0, size[0], size[1])  # not read where the mask starts it
    cv2.grabCut(small[..., ::-1].copy(), marks, whole, models[0], models[1], 3, cv2.GC_INIT_WITH_MASK)
    solid = ((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.uint8)
    _, labels = cv2.connectedComponents(solid, connectivity=8)
    wanted = np.setdiff1d(np.unique(labels[(core > 0) & (solid > 0)]), 0)
    if not len(wanted):
        return None
    return filters.blur(np.isin(labels, wanted).astype(np.float32), 1.0)
