"""Whether a thing of some kind can be where a mask is: a boat floats, a balloon has sky about it, a car stands on the
ground, a lamp is brighter than what is around it. And whether it has the colour and the place that the words name."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.scene.flags import score_flag
from vivant.engines.diorama.scene.scene import Face, Scene
from vivant.engines.diorama.scene.small_copy import Mask, SmallCopy, overlap, score_colour, share_of
from vivant.engines.diorama.storyboard import Thing, ThingKind, Where
from vivant.media import F32

SMALLEST: Final = 0.0004  # of the canvas: with less there is nothing to see
LARGEST: Final = 0.6
# How large such things usually are, shares of the canvas: none smaller, usual from, usual to, none larger.
_SIZES: Final[dict[ThingKind, tuple[float, float, float, float]]] = {
    "candle": (0.0004, 0.001, 0.12, 0.4), "lamp": (0.0001, 0.0004, 0.06, 0.25), "window": (0.0002, 0.001, 0.1, 0.4),
    "sun": (0.0003, 0.001, 0.05, 0.15), "cup": (0.002, 0.008, 0.56, 0.7), "fire": (0.0004, 0.002, 0.3, 0.6),
    "bird": (0.0004, 0.002, 0.3, 0.6), "kite": (0.0004, 0.002, 0.15, 0.4), "flag": (0.0008, 0.004, 0.3, 0.6),
}  # fmt: skip
_ANY_SIZE: Final = (0.0008, 0.004, 0.45, 0.65)
# What goes somewhere is not taken where the border cuts it off: a pier is no boat.
TRAVELS: Final[frozenset[ThingKind]] = frozenset(
    {"boat", "car", "train", "plane", "balloon", "kite", "bird", "fish", "rocket"}
)


def score_fit(scene: Scene, picture: SmallCopy, thing: Thing, mask: F32, *, sure: float = 0.0) -> float:
    """0..1: whether such a thing can look like mask, float32 (h, w), 0..1, and be there. sure: 0..1, how sure it is
    from elsewhere that it is such a thing: its size and its place then count less, but never the words for its colour
    and its place."""
    small = filters.resize(mask, *picture.shape[::-1])
    solid = small > 0.5
    share = float(small.mean())
    if not solid.any():
        solid = small >= 0.5 * float(small.max())
    if not solid.any() or share <= 0:
        return 0.0
    low, usual, most, high = _SIZES.get(thing.kind, _ANY_SIZE)
    sized = float(np.clip((share - low) / (usual - low), 0, 1) * np.clip((high - share) / (high - most), 0, 1))
    if thing.kind in TRAVELS:
        sized *= _is_whole(small)
    stands = _stands(scene, picture, thing.kind, solid, mask, several=thing.several)
    return float((sized * stands) ** (1 - sure)) * _named(picture, thing, solid)


def _is_whole(small: F32) -> float:
    """0..1: less than 1 for what touches the left, right or upper border with much of its side."""
    height, width = (max(int(np.count_nonzero((small > 0.5).any(axis=axis))), 1) for axis in (1, 0))
    sides = (small[:, 0], height), (small[:, -1], height), (small[0], width)
    return float(np.clip(1 - max(np.count_nonzero(side > 0.5) / length for side, length in sides), 0.2, 1))


def _named(picture: SmallCopy, thing: Thing, solid: Mask) -> float:
    """0..1: by the words for its colour and its place."""
    worth = 1.0
    if thing.colour:
        worth *= float(np.clip(score_colour(picture, thing.colour)[solid].mean() / 0.3, 0.02, 1))
    if thing.place:
        worth *= _is_placed(solid, thing.place)
    return worth


def _is_placed(solid: Mask, place: Where) -> float:
    rows, columns = np.nonzero(solid)
    h, w = solid.shape
    x, y, foot = float(columns.mean()) / w, float(rows.mean()) / h, float(rows.max()) / h
    share = {
        "left": (0.62 - x) / 0.2, "right": (x - 0.38) / 0.2, "middle": 1.6 - abs(x - 0.5) / 0.2,
        "top": (0.62 - y) / 0.2, "bottom": (y - 0.38) / 0.2,
        "background": (0.85 - foot) / 0.2, "foreground": (foot - 0.55) / 0.2, "": 1.0,
    }[place]  # fmt: skip
    return float(np.clip(share, 0.02, 1))


def _stands(scene: Scene, picture: SmallCopy, kind: ThingKind, solid: Mask, mask: F32, *, several: bool) -> float:
    """0..1: by what is around it and how bright it is. mask: float32 (h, w) of the scene."""
    rows, columns = np.nonzero(solid)
    h, w = solid.shape
    height, width = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    foot, head = float(rows.max() + 1) / h, float(rows.min()) / h
    wide = cv2.dilate(solid.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    ring = wide & ~solid
    below = ring & (np.arange(h)[:, None] > rows.max() - 0.25 * height)
    sky = share_of(picture.sky, ring)
    wet = share_of(picture.water, below)
    faces = any(_is_of(face, mask) for face in scene.faces)
    if faces and kind not in ("person", "other"):
        return 0.0
    match kind:
        case "boat":
            return 0.12 + 0.88 * float(np.clip(wet / 0.35, 0, 1))
        case "fish":
            above = share_of(picture.water, ring & (np.arange(h)[:, None] < rows.min() + 0.5 * height))
            if wet > 0.3 and above < 0.5 * wet:
                return 0.15  # on the water, not in it: a boat
            return 0.4 + 0.6 * float(np.clip(share_of(picture.water, ring) / 0.4, 0, 1))
        case "car" | "train":
            low = float(np.clip((foot - picture.horizon + 0.02) / 0.06, 0, 1))
            shaped = _is_lying(width, height) * (_is_compact(solid) if kind == "car" else 1.0)
            return low * float(np.clip(1.6 - 1.6 * sky, 0.05, 1)) * (1 - 0.8 * wet) * shaped
        case "balloon" | "kite" | "bird" | "plane":
            above = float(np.clip((picture.horizon + 0.12 - head) / 0.1, 0, 1))
            free = float(np.clip(sky / 0.5, 0, 1))
            on_the_ground = 0.5 if kind in ("bird", "plane") else 0.1
            if not _is_subject(scene, mask):
                if several and kind == "bird":
                    return 0.0  # a flock would have been found as such
                # A peak has sky above it, too; what flies has it below, or what looks like what is above it.
                above_it = ring & (np.arange(h)[:, None] < rows.min() + 0.25 * height)
                free *= max(
                    float(np.clip((share_of(picture.sky, below) - 0.15) / 0.35, 0, 1)), _alike(picture, above_it, below)
                )
                on_the_ground = 0.1
            shaped = _round(kind, width, height, solid)
            if kind in ("balloon", "kite"):  # a tower, too, has sky about its head
                shaped *= float(np.clip((picture.horizon + 0.27 - foot) / 0.12, 0.4, 1)) * _is_hung(solid)
            elif kind == "plane":
                shaped *= float(np.clip(2.2 - 1.2 * height / max(width, 1), 0.3, 1))
            if kind == "bird" and not several:  # it swims
                on_the_ground = max(on_the_ground, float(np.clip(wet / 0.35, 0, 1)) if foot > picture.horizon else 0.0)
            return max(free, on_the_ground) * max(above, on_the_ground) * shaped
        case "rocket":
            return float(np.clip(sky / 0.3, 0.15, 1)) * float(np.clip(height / max(width, 1) - 0.6, 0.1, 1))
        case "sun":
            return float(np.clip(sky / 0.5, 0, 1)) * _glow(picture, solid) * _round("balloon", width, height, solid)
        case "lamp" | "window" | "candle" | "fire":
            return max(0.05, _glow(picture, solid))
        case "person" | "animal":
            on_land = float(np.clip(1.2 - 0.8 * sky - 0.6 * wet, 0.3, 1))
            return 1.0 if faces else on_land * (1.0 if kind == "animal" else 0.5)
        case "flag":
            return score_flag(picture.lab, solid)
        case "plant":
            green = filters.resize(scene.plants.mask, w, h)
            return 0.3 + 0.7 * share_of(green, solid)
        case "cup":
            return float(np.clip(1.3 - 1.3 * sky, 0.1, 1)) * (1 - 0.5 * wet) * _is_compact(solid)
        case _:
            return 0.9


def _is_hung(solid: Mask) -> float:
    """0.3..1: what hangs in the air ends in a basket or a string; what stands is as wide at its foot as above."""
    widths = solid.sum(axis=1)
    rows = np.flatnonzero(widths)
    lowest = rows[rows > rows[-1] - max(2, round(0.1 * len(rows)))]
    return float(np.clip((0.3 - widths[lowest].mean() / widths.max()) / 0.15, 0.3, 1))


def _alike(picture: SmallCopy, one: Mask, other: Mask) -> float:
    """0..1: two places of the same colour and as calm."""
    if not one.any() or not other.any():
        return 0.0
    means = [picture.lab[where].mean(axis=0) for where in (one, other)]
    calm = max(float(picture.light[where].std()) for where in (one, other))
    apart = float(np.linalg.norm(means[0] - means[1]))
    return float(np.clip(1.5 - apart / 16, 0, 1) * np.clip(2 - calm / 9, 0, 1))


def _is_subject(scene: Scene, mask: F32) -> bool:
    return scene.matte.trust > 0.6 and overlap(mask > 0.5, scene.matte.mask > 0.5) > 0.6


def _is_of(face: Face, mask: F32) -> bool:
    """The mask has its middle where the face or its body is."""
    moments = cv2.moments(mask)
    x, y = moments["m10"] / max(moments["m00"], 1e-6), moments["m01"] / max(moments["m00"], 1e-6)
    across, down = x - float(face.landmarks[:, 0].mean()), y - float(face.landmarks[:, 1].mean())
    return abs(across) < 1.6 * face.size and -face.size < down < 5 * face.size


def _is_lying(width: int, height: int) -> float:
    """0..1: cars and trains are wider than high, or seen from ahead about as wide."""
    return float(np.clip(1.7 - 0.7 * height / max(width, 1), 0.1, 1))


def _round(kind: ThingKind, width: int, height: int, solid: Mask) -> float:
    """0..1: balloons are compact; of other things that fly nothing is asked."""
    if kind != "balloon":
        return 1.0
    return float(np.clip(1.8 - 0.6 * max(width / height, height / width), 0.1, 1)) * _is_compact(solid)


def _is_compact(solid: Mask) -> float:
    """0..1: by how much of its convex hull a part fills."""
    outlines, _ = cv2.findContours(solid.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest: Any = max(outlines, key=len)
    hull = float(cv2.contourArea(cv2.convexHull(largest)))
    return float(np.clip((float(solid.sum()) / max(hull, 1.0) - 0.35) / 0.35, 0, 1)) if hull > 4 else 1.0


def _glow(picture: SmallCopy, solid: Mask) -> float:
    """0..1: brighter than what is around it."""
    wide = cv2.dilate(solid.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    ring = wide & ~solid
    if not ring.any():
        return 0.0
    brightest = float(np.percentile(picture.light[solid], 80))
    over = brightest - float(np.median(picture.light[ring]))
    return float(np.clip((over - 8) / 25, 0, 1)) * float(np.clip((brightest - 45) / 25, 0, 1))
