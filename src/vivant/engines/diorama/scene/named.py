"""Finds in a scene the thing that a prompt names, by a second look: what stands out is proposed (parts of the subject,
blobs unlike what is around them, of the colour that is named, or bright ones), each proposal is cut out anew on a
crop of its own, and the best one wins by where such a thing can be, by colour and by place. Knows no prompt and no
motion.

No model tells a boat from a cat. What tells them apart is where they are: a boat floats, a balloon has sky about it, a
car stands on the ground, a lamp is brighter than what is around it. Trust falls where that is doubtful, where two
proposals are about as good, and where the net does not see what the proposal shows: waves, shadows and roofs have an
outline, too, but nothing that stands out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.scene.matte import align_to_edges, measure_edges
from vivant.engines.diorama.scene.scene import Face, Region, Scene
from vivant.engines.diorama.scene.specks import find_flying
from vivant.engines.diorama.storyboard import Colour, Thing, ThingFact, ThingKind, Where
from vivant.media import F32, U8

Mask = NDArray[np.bool_]
Look = Callable[[U8], F32]  # what stands out in a crop, see matte.Matting.look

SIDE: Final = 320  # long side of the copy on which proposals are made
LOOKS: Final = 2  # crops that are looked at again, at most; the net takes most of the time there is for a thing
_RANKED: Final = 6  # proposals of which these are chosen
_SURE: Final = 0.5  # with so good a find no other crop is looked at
_UNSEEN: Final = 0.45  # of the trust that is left where the net sees nothing: a wave has an outline, too
_GRAB: Final = 160  # side of the copy of a crop on which GrabCut runs
_AROUND: Final = 0.55  # of a proposal's size, that its crop has more on each side
_LESS_SURE: Final = 0.85  # than the subject of the picture, which is what prompts mostly name
_SMALLEST: Final = 0.0004  # of the canvas: with less there is nothing to see
_LARGEST: Final = 0.6
_WET: Final = 0.2  # trust from which water tells where a boat can go
_RESTLESS: Final = 18.0  # Lab: before a background with more detail than this nothing thin can be told
_ALIKE: Final = 0.6  # two proposals of this overlap are one

# How large such things usually are, shares of the canvas: none smaller, usual from, usual to, none larger.
_SIZES: Final[dict[ThingKind, tuple[float, float, float, float]]] = {
    "candle": (0.0004, 0.001, 0.12, 0.4), "lamp": (0.0001, 0.0004, 0.06, 0.25), "window": (0.0002, 0.001, 0.1, 0.4),
    "sun": (0.0003, 0.001, 0.05, 0.15), "cup": (0.002, 0.008, 0.56, 0.7), "fire": (0.0004, 0.002, 0.3, 0.6),
    "bird": (0.0004, 0.002, 0.3, 0.6), "kite": (0.0004, 0.002, 0.15, 0.4), "flag": (0.0008, 0.004, 0.3, 0.6),
}  # fmt: skip
_ANY_SIZE: Final = (0.0008, 0.004, 0.45, 0.65)

# Hue in degrees of Lab (0 pink-red, 40 red, 60 orange, 90 yellow, 140 green, 260 blue, 320 purple), half width.
_HUES: Final[dict[Colour, tuple[float, float]]] = {
    "red": (35, 25), "orange": (62, 16), "yellow": (88, 20), "green": (140, 40), "blue": (262, 40), "purple": (315, 22),
    "pink": (0, 28), "brown": (62, 28),
}  # fmt: skip
# What goes somewhere is not taken where the border cuts it off: a pier is no boat.
_TRAVELS: Final[frozenset[ThingKind]] = frozenset(
    {"boat", "car", "train", "plane", "balloon", "kite", "bird", "fish", "rocket"}
)
_BRIGHT: Final[frozenset[ThingKind]] = frozenset({"candle", "lamp", "window", "fire", "sun"})


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """The small copy on which proposals are made. Arrays are (h, w) of the small size."""

    lab: F32  # (h, w, 3)
    sky: F32
    water: F32
    horizon: float  # row, share of the height

    @property
    def shape(self) -> tuple[int, int]:
        return self.sky.shape

    @property
    def light(self) -> F32:
        return self.lab[..., 0]


def find_thing(scene: Scene, thing: Thing, look: Look) -> Region:
    """Where the thing is: its mask, float32 (h, w), 0..1, whole with its thin parts, and how sure that is. Nothing
    found: an empty mask of trust 0."""
    h, w = scene.depth.shape
    if thing.kind == "bird":
        flying = find_flying(scene)
        if flying.trust > 0 and (thing.several or flying.trust > 0.5):
            return flying
    picture = _shrink(scene)

    def see(crop: U8, inside: U8) -> F32 | None:
        return _see(crop, inside, look)

    found: list[tuple[float, F32]] = []
    unseen: list[tuple[float, F32]] = []
    looks = 0
    for promise, blob in _propose(scene, picture, thing):
        if looks == LOOKS or (found and (found[0][0] >= _SURE or promise < 0.7 * found[0][0])):
            break  # another can hardly win any more
        rough = _cut(scene, blob, thing.kind, _grab)
        if rough is not None and rough.trust <= 0:
            continue  # it has no outline, or runs out of its crop
        cut = rough if rough is not None and rough.known else _cut(scene, blob, thing.kind, see)
        looks += cut is not rough
        if cut is None:
            if rough is not None:
                unseen.append((_UNSEEN * rough.trust * _fit(scene, picture, thing, rough.mask), rough.mask))
        elif thing.kind != "candle" or not _is_part_of_animal(scene, cut.mask):
            found.append((cut.trust * _fit(scene, picture, thing, cut.mask), cut.mask))
            found.sort(key=lambda one: -one[0])
    if unseen and (not found or found[0][0] < _LESS_SURE * _UNSEEN):
        found = sorted((*found, unseen[0]), key=lambda one: -one[0])
    if not found or found[0][0] < 0.05:
        return Region(np.zeros((h, w), np.float32), 0.0)
    worth, mask = found[0]
    rivals = [other for other, place in found[1:] if _overlap(mask > 0.5, place > 0.5) < _ALIKE]
    # Two that are as good: it may be either, unless the words say which one.
    clear = 1.0 if thing.place or thing.colour or not rivals else float(np.clip(1.3 - 0.6 * rivals[0] / worth, 0, 1))
    return Region(_drop_crumbs(mask), float(np.clip(worth * clear, 0, 1)))


def _is_part_of_animal(scene: Scene, mask: F32) -> bool:
    """Whether what was found, float32 (h, w), 0..1, lies on an animal: its bright eyes look like small flames."""
    if scene.body is None:
        return False
    return float((mask * scene.matte.mask).sum()) > 0.5 * float(mask.sum())


def describe_thing(scene: Scene, thing: Thing, region: Region) -> ThingFact:
    """What the script and the timing may know of a thing that was looked for in a scene."""
    solid = region.mask > 0.5
    if not solid.any():
        return ThingFact(thing=thing, trust=0.0)
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    h, w = solid.shape
    left, right = 1.0, 1.0
    if thing.kind == "boat" and scene.water.trust >= _WET:
        left, right = _measure_water(scene.water.mask, int(rows[-1]), int(columns[0]), int(columns[-1]))
    return ThingFact(
        thing=thing, trust=region.trust, left=float(columns[0]) / w, top=float(rows[0]) / h,
        right=float(columns[-1] + 1) / w, bottom=float(rows[-1] + 1) / h, reach_left=left, reach_right=right,
    )  # fmt: skip


def _measure_water(water: F32, foot: int, first: int, last: int) -> tuple[float, float]:
    """How far water goes on to the left and to the right of a hull, in widths. water: float32 (h, w), 0..1; foot: the
    hull's lowest row; first, last: its columns."""
    h, w = water.shape
    band = water[max(0, foot - h // 60) : min(h, foot + h // 40)].mean(axis=0)
    dry = np.flatnonzero(filters.blur(band[None], 0.008 * w)[0] < 0.35)
    before, after = dry[dry < first], dry[dry > last]
    left = first - (int(before[-1]) if len(before) else -w)
    right = (int(after[0]) if len(after) else 2 * w) - last
    return min(1.0, left / w), min(1.0, right / w)


def _drop_crumbs(mask: F32) -> F32:
    """The mask without small parts that are far from its largest."""
    solid = (mask > 0.3).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    if count <= 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    main = int(areas.argmax())
    reach = 2 * round(0.03 * float(np.sqrt(areas[main]))) + 3
    near = cv2.dilate((labels == main).astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    kept = [k for k in range(1, count) if areas[k] >= 0.1 * areas[main] or near[labels == k].any()]
    hold = cv2.dilate(np.isin(labels, kept).astype(np.uint8), np.ones((7, 7), np.uint8))
    return np.asarray(mask * hold, np.float32)


def _shrink(scene: Scene) -> _Picture:
    h, w = scene.depth.shape
    scale = SIDE / max(h, w)
    size = (max(16, round(w * scale)), max(16, round(h * scale)))
    small = cv2.resize(scene.rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
    sky, water = (
        filters.resize(region.mask, *size) * np.float32(min(1.0, region.trust / 0.3))
        for region in (scene.sky, scene.water)
    )
    return _Picture(lab, sky, water, scene.horizon / h)


# --- proposals


def _propose(scene: Scene, picture: _Picture, thing: Thing) -> list[tuple[float, Mask]]:
    """Where the thing may be, the likeliest first, on the small copy; each with how likely, 0..1."""
    size = picture.shape[::-1]
    maps: list[Mask] = []
    if scene.matte.trust > 0 or scene.matte.mask.any():
        maps.append(filters.resize(scene.matte.mask, *size) > 0.5)
    if thing.colour:
        maps.append(_coloured(picture, thing.colour) > 0.5)
    if thing.kind in _BRIGHT:
        maps.append(_bright(picture, thing.kind))
        maps.append(filters.resize(scene.fire.mask, *size) > 0.5)
    maps += _unlike(picture)
    found: list[tuple[float, Mask]] = []
    for blobs in maps:
        for blob in _parts(blobs):
            share = float(blob.mean())
            if _SMALLEST / 4 <= share <= _LARGEST and not any(_overlap(blob, other) > _ALIKE for _, other in found):
                mask = np.asarray(cv2.resize(blob.astype(np.float32), scene.depth.shape[::-1]), np.float32)
                found.append((_fit(scene, picture, thing, mask), blob))
    ranked = [one for one in sorted(found, key=lambda one: -one[0]) if one[0] > 0.02][:_RANKED]
    return _largest_first(ranked)


def _largest_first(ranked: list[tuple[float, Mask]]) -> list[tuple[float, Mask]]:
    """The proposals, each behind those that hold it and promise nearly as much: the tip of a rocket behind the rocket,
    for the net sees in a crop only what is whole there."""
    order: list[int] = []
    for k, (promise, blob) in enumerate(ranked):
        box = _box(blob)
        around = [j for j, (other, wider) in enumerate(ranked) if other > 0.6 * promise and _holds(_box(wider), box)]
        around.sort(key=lambda j: -int(np.prod(_box(ranked[j][1])[2:])))
        order += [j for j in (*around, k) if j not in order]
    return [ranked[k] for k in order]


def _box(blob: Mask) -> tuple[int, int, int, int]:
    """Left, top, width, height."""
    left, top, width, height = cv2.boundingRect(blob.astype(np.uint8))
    return left, top, width, height


def _holds(outer: tuple[int, int, int, int], inner: tuple[int, int, int, int]) -> bool:
    """Whether a box is much larger than another and holds it, but for a fifth of its sides."""
    larger = outer[2] * outer[3] > 1.5 * inner[2] * inner[3]
    slack = 0.2 * inner[2], 0.2 * inner[3]
    begins = all(outer[k] <= inner[k] + slack[k] for k in (0, 1))
    return larger and begins and all(outer[k] + outer[k + 2] >= inner[k] + inner[k + 2] - slack[k] for k in (0, 1))


def _parts(blobs: Mask) -> list[Mask]:
    """The connected parts of a map, the largest first."""
    joined = cv2.morphologyEx(blobs.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    order = sorted(range(1, count), key=lambda k: -int(stats[k, cv2.CC_STAT_AREA]))
    return [labels == k for k in order[:12]]


def _unlike(picture: _Picture) -> list[Mask]:
    """What differs from all that is around it, at two sizes."""
    found = []
    for reach in (7.0, 20.0):
        around = np.dstack([filters.blur(picture.lab[..., k], reach) for k in range(3)])
        near = np.dstack([filters.blur(picture.lab[..., k], 0.8) for k in range(3)])
        apart = np.sqrt((((near - around) * np.array([0.7, 1, 1], np.float32)) ** 2).sum(-1))
        level = max(10.0, float(np.percentile(apart, 93)))
        found.append(apart > level)
    return found


def _coloured(picture: _Picture, colour: Colour) -> F32:
    """0..1: how much a pixel has that colour."""
    light, a, b = (picture.lab[..., k] for k in range(3))
    chroma = np.hypot(a, b)
    if colour in ("black", "white", "grey"):
        dull = 1 - smoothstep((chroma - 10) / 12)
        likely = {
            "black": 1 - smoothstep((light - 18) / 18),
            "white": smoothstep((light - 62) / 18),
            "grey": smoothstep((light - 25) / 10) * (1 - smoothstep((light - 68) / 10)),
        }[colour]
        return np.asarray(dull * likely, np.float32)
    hue, width = _HUES[colour]
    away = np.abs((np.degrees(np.arctan2(b, a)) - hue + 180) % 360 - 180)
    likely = (1 - smoothstep((away - 0.75 * width) / (0.5 * width))) * smoothstep((chroma - 14) / 14)
    if colour == "brown":
        likely = likely * (1 - smoothstep((light - 48) / 15))
    elif colour == "orange":
        likely = likely * smoothstep((light - 40) / 15)
    return np.asarray(likely, np.float32)


def _bright(picture: _Picture, kind: ThingKind) -> Mask:
    """Brighter than what is around it, and for flames also warm."""
    light, a, b = (picture.lab[..., k] for k in range(3))
    over = filters.blur(light, 0.7) - filters.blur(light, 14.0)
    level = max(12.0, float(np.percentile(over, 96)))
    bright = (over > level) & (light > 55)
    if kind in ("candle", "fire"):
        bright &= (b > 8) & (a > -8)
    return np.asarray(bright)


# --- cutting out


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A proposal cut out. mask: float32 (h, w), 0..1; trust 0..1: how well; known: it is the subject, which was cut
    out before."""

    mask: F32
    trust: float
    known: bool = False


def _cut(scene: Scene, blob: Mask, kind: ThingKind, separate: Callable[[U8, U8], F32 | None]) -> _Cut | None:
    """A proposal cut out on a crop of its own, None where `separate`, which gets the crop and the proposal in it, finds
    nothing there."""
    h, w = scene.depth.shape
    full = cv2.resize(blob.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST)
    left, top, width, height = cv2.boundingRect(full)
    more = max(round(_AROUND * max(width, height)), round(0.025 * max(h, w)))
    x0, y0 = max(0, left - more), max(0, top - more)
    x1, y1 = min(w, left + width + more), min(h, top + height + more)
    crop = np.ascontiguousarray(scene.rgb[y0:y1, x0:x1])
    inside, water = np.ascontiguousarray(full[y0:y1, x0:x1], np.uint8), scene.water.mask[y0:y1, x0:x1]
    # The subject was cut out already, at the size at which it is sharpest.
    if scene.matte.trust > 0.6 and _overlap(full > 0, scene.matte.mask > 0.5) > 0.75:
        mask = scene.matte.mask.copy()
        mask[y0:y1, x0:x1] = _thin_parts(mask[y0:y1, x0:x1], crop, water, kind)
        return _Cut(mask, scene.matte.trust, known=True)
    kept = separate(crop, inside)
    if kept is None:
        return None
    fine = _thin_parts(align_to_edges(kept, crop), crop, water, kind)
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
    return _Cut(mask, _LESS_SURE * trust) if _SMALLEST / 4 <= share <= _LARGEST else None


def _see(crop: U8, inside: U8, look: Look) -> F32 | None:
    """The net's answer about a crop where it holds the proposal `inside`; None where the net sees something else."""
    raw = look(crop)
    seed = cv2.resize(inside, raw.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    kept = _holding(raw, seed)
    return None if kept is None or _overlap(kept > 0.5, seed) < 0.25 else kept


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


def _grab(crop: U8, inside: U8) -> F32 | None:
    """The same by GrabCut (Rother, Kolmogorov and Blake, 2004), from the proposal as its seed."""
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


def _thin_parts(mask: F32, crop: U8, water: F32, kind: ThingKind) -> F32:
    """The mask with the masts, ropes and baskets that hang on it: small, unlike the background around them, above or
    below the body and near it. A thing that moves without them is torn. Waves at a hull are no part of it. All (h, w)
    of the crop; water: 0..1."""
    solid = mask > 0.5
    area = float(solid.sum())
    if area < 30:
        return mask
    h, w = mask.shape
    size = float(np.sqrt(area))
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    known = (cv2.dilate(solid.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0).astype(np.float32)
    lab = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2LAB), np.float32)
    window = max(9, round(0.3 * size) | 1)
    background = np.dstack([_mean_around(lab[..., k], known, window) for k in range(3)])
    apart = np.sqrt(((lab - background) ** 2).sum(-1))
    low = np.arange(h)[:, None] > 0.5 * (rows[0] + rows[-1])
    if kind == "balloon":  # its basket, straight below
        middle, reach = 0.5 * (columns[0] + columns[-1]), 0.14 * (columns[-1] - columns[0])
        allowed = low & (np.abs(np.arange(w)[None] - middle) < reach) & (np.arange(h)[:, None] < rows[-1] + 0.4 * size)
        level, gap, most = 22.0, 0.16, 0.1
    else:
        ring = (cv2.dilate(solid.astype(np.uint8), np.ones((window, window), np.uint8)) > 0) & (known > 0)
        restless = float(np.percentile(apart[ring], 80)) if ring.any() else 255.0
        if restless > _RESTLESS:
            return mask
        inside = (np.arange(w) >= columns[0] - 0.04 * size) & (np.arange(w) <= columns[-1] + 0.04 * size)
        allowed = inside[None] & ~(low & (water > 0.5))
        level, gap, most = max(24.0, 1.6 * restless), 0.05, 0.05
    unlike = ((apart > level) & ~solid & allowed).astype(np.uint8)
    bridge = np.ones((max(3, round(gap * size)) | 1, max(3, round(0.05 * size)) | 1), np.uint8)
    joined = cv2.morphologyEx(np.maximum(unlike, solid.astype(np.uint8)), cv2.MORPH_CLOSE, bridge)
    _, labels = cv2.connectedComponents(joined, connectivity=8)
    body = np.setdiff1d(np.unique(labels[solid]), 0)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(unlike * np.isin(labels, body), connectivity=8)
    added = np.zeros((h, w), np.float32)
    for k in range(1, count):
        left, top, width, height, pixels = (int(v) for v in stats[k])
        touches = left == 0 or top == 0 or left + width == w or top + height == h
        upright = kind == "balloon" or height > 1.4 * width  # a mast, not the ridge of a hill behind
        if 4 <= pixels < most * area and upright and not touches:
            added[parts == k] = 1
    if float(added.sum()) > 2 * most * area:
        return mask
    if kind == "balloon" and added.any():  # the basket alone, and the lines that it hangs on
        largest = 1 + int(
            np.argmax(stats[1:, cv2.CC_STAT_AREA] * np.isin(range(1, count), np.unique(parts[added > 0])))
        )
        left, top, width, height, _ = (int(v) for v in stats[largest])
        added = (parts == largest).astype(np.float32)
        added[rows[-1] - 2 : top + 1, left : left + width] = 1
    return np.asarray(np.maximum(mask, np.clip(1.6 * filters.blur(added, 0.7), 0, 1)), np.float32)


def _mean_around(plane: F32, known: F32, window: int) -> F32:
    """The mean of the known pixels about each pixel, float32 (h, w)."""
    sigma = 0.5 * window
    weight = filters.blur(known, sigma)
    return np.asarray(filters.blur(plane * known, sigma) / np.maximum(weight, 1e-3), np.float32)


# --- how well a cut-out fits the words


def _fit(scene: Scene, picture: _Picture, thing: Thing, mask: F32) -> float:
    """0..1: whether such a thing can look like that and be there."""
    small = filters.resize(mask, *picture.shape[::-1])
    solid = small > 0.5
    share = float(small.mean())
    if not solid.any():
        solid = small >= 0.5 * float(small.max())
    if not solid.any() or share <= 0:
        return 0.0
    low, usual, most, high = _SIZES.get(thing.kind, _ANY_SIZE)
    sized = float(np.clip((share - low) / (usual - low), 0, 1) * np.clip((high - share) / (high - most), 0, 1))
    if thing.kind in _TRAVELS:
        sized *= _is_whole(small)
    return (
        sized * _stands(scene, picture, thing.kind, solid, mask, several=thing.several) * _named(picture, thing, solid)
    )


def _is_whole(small: F32) -> float:
    """0..1: less than 1 for what touches the left, right or upper border with much of its side."""
    height, width = (max(int(np.count_nonzero((small > 0.5).any(axis=axis))), 1) for axis in (1, 0))
    sides = (small[:, 0], height), (small[:, -1], height), (small[0], width)
    return float(np.clip(1 - max(np.count_nonzero(side > 0.5) / length for side, length in sides), 0.2, 1))


def _named(picture: _Picture, thing: Thing, solid: Mask) -> float:
    """0..1: by the words for its colour and its place."""
    worth = 1.0
    if thing.colour:
        worth *= float(np.clip(_coloured(picture, thing.colour)[solid].mean() / 0.3, 0.02, 1))
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


def _stands(scene: Scene, picture: _Picture, kind: ThingKind, solid: Mask, mask: F32, *, several: bool) -> float:
    """0..1: by what is around it and how bright it is. mask: float32 (h, w) of the scene."""
    rows, columns = np.nonzero(solid)
    h, w = solid.shape
    height, width = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    foot, head = float(rows.max() + 1) / h, float(rows.min()) / h
    wide = cv2.dilate(solid.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    ring = wide & ~solid
    below = ring & (np.arange(h)[:, None] > rows.max() - 0.25 * height)
    sky = _share(picture.sky, ring)
    wet = _share(picture.water, below)
    faces = any(_is_of(face, mask) for face in scene.faces)
    if faces and kind not in ("person", "other"):
        return 0.0
    match kind:
        case "boat":
            return 0.12 + 0.88 * float(np.clip(wet / 0.35, 0, 1))
        case "fish":
            return 0.4 + 0.6 * float(np.clip(_share(picture.water, ring) / 0.4, 0, 1))
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
                    float(np.clip((_share(picture.sky, below) - 0.15) / 0.35, 0, 1)), _alike(picture, above_it, below)
                )
                on_the_ground = 0.1
            shaped = _round(kind, width, height, solid)
            if kind in ("balloon", "kite"):  # a tower, too, has sky about its head
                shaped *= float(np.clip((picture.horizon + 0.27 - foot) / 0.12, 0.4, 1)) * _is_hung(solid)
            elif kind == "plane":
                shaped *= float(np.clip(2.2 - 1.2 * height / max(width, 1), 0.3, 1))
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
        case "plant":
            green = filters.resize(scene.plants.mask, w, h)
            return 0.3 + 0.7 * _share(green, solid)
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


def _alike(picture: _Picture, one: Mask, other: Mask) -> float:
    """0..1: two places of the same colour and as calm."""
    if not one.any() or not other.any():
        return 0.0
    means = [picture.lab[where].mean(axis=0) for where in (one, other)]
    calm = max(float(picture.light[where].std()) for where in (one, other))
    apart = float(np.linalg.norm(means[0] - means[1]))
    return float(np.clip(1.5 - apart / 16, 0, 1) * np.clip(2 - calm / 9, 0, 1))


def _is_subject(scene: Scene, mask: F32) -> bool:
    return scene.matte.trust > 0.6 and _overlap(mask > 0.5, scene.matte.mask > 0.5) > 0.6


def _share(region: F32, where: Mask) -> float:
    return float(region[where].mean()) if where.any() else 0.0


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


def _glow(picture: _Picture, solid: Mask) -> float:
    """0..1: brighter than what is around it."""
    wide = cv2.dilate(solid.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    ring = wide & ~solid
    if not ring.any():
        return 0.0
    brightest = float(np.percentile(picture.light[solid], 80))
    over = brightest - float(np.median(picture.light[ring]))
    return float(np.clip((over - 8) / 25, 0, 1)) * float(np.clip((brightest - 45) / 25, 0, 1))


def _overlap(a: Mask, b: Mask) -> float:
    """Of two masks of one size: what they share of what either has, 0..1."""
    either = int((a | b).sum())
    return int((a & b).sum()) / either if either else 0.0
