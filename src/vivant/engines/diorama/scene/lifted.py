"""Lifts a thing off the picture: what is behind it is completed, what it leaves on the ground or mirrors in water goes
with it. Knows no motion; motion/frame/travelling.py draws it elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_array
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.scene.complete import complete, pull_push
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import ThingKind
from vivant.media import F32, to_picture

Mask = NDArray[np.bool_]

DRAWN: Final = 0.6  # from here on the colours of a picture are taken to be flat
_RIM: Final = (0.1, 0.9)  # the soft rim of a matte, moved a little inward, as in motion/frame/layers.py
_GROWN: Final = 0.0045  # of the width: how far around the thing the picture is completed
_ON_GROUND: Final[frozenset[ThingKind]] = frozenset({"car", "train", "rocket", "other"})
_SHADOW_REACH: Final = 0.35  # of a thing's height: how far about its foot a shadow is looked for
_SHADE: Final = (0.07, 0.16)  # darker by this share: no shadow, and surely one
_MIRRORED: Final = 0.55  # correlation from which what is below a hull is its reflection
_REFLECTION: Final = 0.85  # of the reflection that goes along; the rest is water


@dataclass(frozen=True, slots=True, eq=False)
class Lifted:
    """A thing, and what goes with it. alpha: float32 (h, w), 0..1, of the thing with its shadow and reflection; hole:
    float32 (h, w), 0..1, what is completed; body: float32 (h, w), 0..1, the thing alone."""

    kind: ThingKind
    alpha: F32
    hole: F32
    body: F32

    def __post_init__(self) -> None:
        check_array("Lifted.alpha", self.alpha, np.float32, (None, None), 0, 1)
        check_array("Lifted.hole", self.hole, np.float32, self.alpha.shape, 0, 1)
        check_array("Lifted.body", self.body, np.float32, self.alpha.shape, 0, 1)


def lift(scene: Scene, region: Region, kind: ThingKind) -> Lifted:
    """The thing of that region with its shadow and reflection."""
    w = scene.depth.shape[1]
    raw = region.mask
    low, high = _RIM
    body = np.clip((raw - low) / (high - low), 0, 1).astype(np.float32)
    alpha = body
    if kind in _ON_GROUND:
        alpha = np.maximum(alpha, _find_shadow(scene, raw))
    if kind in ("boat", "balloon", "bird", "plane"):
        alpha = np.maximum(alpha, _find_reflection(scene, raw, kind))
    grow = max(2, round((0.5 if kind == "bird" else 1.0) * _GROWN * w))
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1,) * 2)
    trace = cv2.dilate((np.maximum(raw, alpha) > 0.06).astype(np.float32), round_)
    hole = np.clip(filters.blur(trace, 0.5 * grow) * 1.6 - 0.3, 0, 1).astype(np.float32)
    return Lifted(kind, np.asarray(alpha, np.float32), hole, body)


def clear(scene: Scene, things: Sequence[Lifted], reach: float | None = None) -> Scene:
    """The scene without these things: the picture is completed behind them, and its regions go on there. reach: how far
    in from their outlines that is seen, pixels; None: all of it."""
    h, w = scene.depth.shape
    hole = np.maximum.reduce([thing.hole for thing in things])
    seen = float(max(h, w)) if reach is None else reach
    source = complete(
        scene.source, scene.rgb, hole, reach=seen, begin="level" if reach is None else "smooth",
        flat=scene.facts.drawn > DRAWN,
    )  # fmt: skip
    rgb = to_picture(source.planes)
    known = (1 - (hole > 0.01)).astype(np.float32)

    def go_on(region: Region) -> Region:
        return Region(np.clip(_fill(region.mask, known), 0, 1), region.trust)

    matte = scene.matte.mask * (1 - hole)
    share = float(matte.sum()) / max(float(scene.matte.mask.sum()), 1.0)
    subject = Region(matte.astype(np.float32), scene.matte.trust if share > 0.5 else 0.0)
    if subject.trust == 0:
        subject = Region(np.zeros((h, w), np.float32), 0.0)
    depth = _fill(scene.depth, known)
    facts = replace(scene.facts, subject=subject.share, subject_trust=subject.trust)
    return replace(
        scene,
        rgb=np.where(hole[..., None] > 0, rgb, scene.rgb),
        source=source,
        depth=np.clip(filters.blur(depth, 0.01 * w) * hole + depth * (1 - hole), 0, 1).astype(np.float32),
        matte=subject,
        body=scene.body if subject.trust > 0 else None,
        others=scene.others if subject.trust > 0 else (),
        sky=go_on(scene.sky),
        water=go_on(scene.water),
        plants=go_on(scene.plants),
        fire=go_on(scene.fire),
        facts=facts,
    )


def _fill(plane: F32, known: F32) -> F32:
    """A plane, float32 (h, w), with its unknown parts filled from around them; made on a quarter of the size."""
    h, w = plane.shape
    size = (max(w // 4, 2), max(h // 4, 2))
    weight = filters.resize(known, *size)
    mean = filters.resize(plane * known, *size) / np.maximum(weight, 1e-6)
    filled = filters.resize(
        pull_push(mean.astype(np.float32), np.where(weight > 0.5, weight, 0).astype(np.float32)), w, h
    )
    return np.asarray(plane * known + filled * (1 - known), np.float32)


def _find_shadow(scene: Scene, raw: F32) -> F32:
    """float32 (h, w), 0..1: how much darker the ground about the foot of the thing is than it would be without it."""
    solid = raw > 0.3
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    h, w = raw.shape
    none = np.zeros((h, w), np.float32)
    if not len(rows):
        return none
    height, width = len(rows), len(columns)
    reach = _SHADOW_REACH * height
    box = (
        slice(max(0, int(rows[-1] - reach)), min(h, int(rows[-1] + reach))),
        slice(max(0, int(columns[0] - 0.25 * width)), min(w, int(columns[-1] + 0.25 * width))),
    )
    zone = none.copy()
    zone[box] = 1
    luma = filters.blur(scene.source.planes.y, 1.5) - 16
    known = 1 - np.maximum(zone, cv2.dilate(solid.astype(np.float32), np.ones((9, 9), np.uint8)))
    lit = np.maximum(_fill(luma.astype(np.float32), known.astype(np.float32)), 6)
    near = filters.blur_widely(solid.astype(np.float32), 0.12 * height) > 0.04
    darker = np.clip(1 - filters.blur(luma, 1.0) / lit, 0, 0.85)
    low, high = _SHADE
    shade = darker * smoothstep((darker - low) / (high - low)) * zone * near * ~solid
    # One dark patch that touches the thing, not each stone about it.
    count, labels = cv2.connectedComponents((shade > 0.06).astype(np.uint8), connectivity=8)
    touching = np.unique(labels[cv2.dilate(solid.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0])
    kept = np.isin(labels, np.setdiff1d(touching, 0)) if count > 1 else np.zeros((h, w), np.bool_)
    fade = filters.blur_widely(zone, 0.05 * height)
    return np.asarray(np.clip(filters.blur(shade * kept, 1.5) * fade, 0, 1), np.float32)


def _find_reflection(scene: Scene, raw: F32, kind: ThingKind) -> F32:
    """float32 (h, w), 0..1: the mirror image of the thing in the water below it, if there is one."""
    solid = raw > 0.5
    rows = np.flatnonzero(solid.any(axis=1))
    h, w = raw.shape
    none = np.zeros((h, w), np.float32)
    if not len(rows) or scene.water.trust < 0.1:
        return none
    foot, height = int(rows[-1]) + 1, len(rows)
    luma = scene.source.planes.y.astype(np.float32)
    luma = luma - filters.blur_widely(luma, 0.5 * height)
    # A hull mirrors itself right below, or a little lower where its bow hides the line; what flies, in the far shore's.
    lines = range(foot, foot + max(2, height // 4), 2) if kind == "boat" else (round(scene.waterline),)
    best: tuple[float, F32] | None = None
    for line in lines:
        found = _mirror(scene, raw, luma, line)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return none if best is None else best[1]


def _mirror(scene: Scene, raw: F32, luma: F32, line: int) -> tuple[float, F32] | None:
    """How much what is below a row is the mirror image of the thing above it, -1..1, and that image's alpha; None where
    it is no reflection. luma: float32 (h, w), about 0."""
    h = len(raw)
    rows = np.flatnonzero((raw > 0.5).any(axis=1))
    top, foot = int(rows[0]), int(rows[-1]) + 1
    first, last = 2 * line - foot, min(h, 2 * line - top)  # of the mirror image
    if last - first < 0.2 * (foot - top):
        return None
    above = slice(2 * line - last, 2 * line - first)
    mirror, shown = np.zeros_like(raw), np.zeros_like(raw)
    mirror[first:last], shown[first:last] = raw[above][::-1], luma[above][::-1]
    where = mirror > 0.5
    if where.sum() < 40:
        return None
    # A reflection looks like a thing, so the water mask may have a hole there: what is beside it counts.
    beside = (cv2.dilate(where.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0) & ~where
    if float(scene.water.mask[beside].mean()) < 0.3:
        return None
    a, b = shown[where] - shown[where].mean(), luma[where] - luma[where].mean()
    alike = float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))
    if alike < _MIRRORED:
        return None
    fade = np.clip(1 - 0.5 * (np.arange(h)[:, None] - first) / max(last - first, 1), 0, 1)
    return alike, np.asarray(filters.blur(mirror, 1.5) * fade * _REFLECTION, np.float32)


def split(region: Region, most: int) -> tuple[Region, NDArray[np.int32]]:
    """The connected parts of a region, the largest, at most so many: all of them as one region, and int32 (h, w), the
    number of each, from 1, with a rim of two pixels; 0 elsewhere."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((region.mask > 0.35).astype(np.uint8), connectivity=8)
    order = sorted(range(1, count), key=lambda k: -int(stats[k, cv2.CC_STAT_AREA]))[:most]
    number = np.zeros(count, np.int32)
    number[order] = np.arange(1, len(order) + 1)
    grown = cv2.dilate(number[labels].astype(np.float32), np.ones((5, 5), np.uint8)).astype(np.int32)
    return Region(np.asarray(region.mask * (grown > 0), np.float32), region.trust), grown


def pick(thing: Lifted, labels: NDArray[np.int32], number: int) -> Lifted:
    """One part of a thing that was lifted as a whole. labels: int32 (h, w), see `split`."""
    grow = np.ones((9, 9), np.uint8)
    own = cv2.dilate((labels == number).astype(np.uint8), grow) * ((labels == number) | (labels == 0))
    alpha, hole, body = (np.asarray(plane * own, np.float32) for plane in (thing.alpha, thing.hole, thing.body))
    return Lifted(thing.kind, alpha, hole, body)
