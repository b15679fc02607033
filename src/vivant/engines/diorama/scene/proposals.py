"""Where a thing that is named may be: parts of the subject, what a detector takes for such a thing, what differs from
all that is around it, what has the colour that is named, or shines. The likeliest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.scene.detection import Detection, share_of_boxes
from vivant.engines.diorama.scene.flags import find_colourful
from vivant.engines.diorama.scene.habitat import LARGEST, SMALLEST, score_fit
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.scene.small_copy import Mask, SmallCopy, overlap, score_colour
from vivant.engines.diorama.storyboard import Thing, ThingKind

_SAME_BOX: Final = 0.6  # a proposal whose box shares so much with that of the detector is the same thing
_RANKED: Final = 6  # proposals of which these are chosen
SAME: Final = 0.6  # two proposals of this overlap are one
BRIGHT: Final[frozenset[ThingKind]] = frozenset({"candle", "lamp", "window", "fire", "sun"})


def propose(scene: Scene, picture: SmallCopy, thing: Thing, seen: Sequence[Detection] = ()) -> list[tuple[float, Mask]]:
    """Where the thing may be, the likeliest first, on the small copy; each with how likely, 0..1. seen: what a detector
    takes for such a thing."""
    size = picture.shape[::-1]
    maps: list[Mask] = []
    if scene.matte.trust > 0 or scene.matte.mask.any():
        maps.append(filters.resize(scene.matte.mask, *size) > 0.5)
    if thing.colour:
        maps.append(score_colour(picture, thing.colour) > 0.5)
    if thing.kind in BRIGHT:
        maps.append(_bright(picture, thing.kind))
        maps.append(filters.resize(scene.fire.mask, *size) > 0.5)
    if thing.kind == "flag":
        maps.append(find_colourful(picture.lab, filters.resize(scene.matte.mask * scene.matte.trust, *size)))
    maps += _unlike(picture)
    found: list[tuple[float, Mask]] = []
    for blobs in maps:
        for blob in _parts(blobs):
            share = float(blob.mean())
            if SMALLEST / 4 <= share <= LARGEST and not any(overlap(blob, other) > SAME for _, other in found):
                mask = np.asarray(cv2.resize(blob.astype(np.float32), scene.depth.shape[::-1]), np.float32)
                found.append((score_fit(scene, picture, thing, mask), blob))
    found = _promote(found, seen, picture.shape, picture.shape[1] / scene.depth.shape[1])
    ranked = [one for one in sorted(found, key=lambda one: -one[0]) if one[0] > 0.02][:_RANKED]
    return _largest_first(ranked)


def _promote(
    found: list[tuple[float, Mask]], seen: Sequence[Detection], shape: tuple[int, int], scale: float
) -> list[tuple[float, Mask]]:
    """The proposals with what the detector saw: the one that is it promises as much as the detector is sure; where
    there is none the middle of its box is one. shape, scale: of the small copy; its pixels per pixel of the scene."""
    for detection in seen:
        left, top, right, bottom = (scale * side for side in detection.box)
        shares = [
            share_of_boxes((x, y, x + width, y + height), (left, top, right, bottom))
            for x, y, width, height in (_box(blob) for _, blob in found)
        ]
        best = int(np.argmax(shares)) if shares else -1
        if best >= 0 and shares[best] >= _SAME_BOX:
            found[best] = (max(found[best][0], detection.score), found[best][1])
        else:
            blob = np.zeros(shape, np.uint8)
            middle = round(0.5 * (left + right)), round(0.5 * (top + bottom))
            axes = round(0.4 * (right - left)), round(0.4 * (bottom - top))
            cv2.ellipse(blob, middle, axes, 0, 0, 360, 1, cv2.FILLED)
            found.append((detection.score, blob > 0))
    return found


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


def _unlike(picture: SmallCopy) -> list[Mask]:
    """What differs from all that is around it, at two sizes."""
    found = []
    for reach in (7.0, 20.0):
        around = np.dstack([filters.blur(picture.lab[..., k], reach) for k in range(3)])
        near = np.dstack([filters.blur(picture.lab[..., k], 0.8) for k in range(3)])
        apart = np.sqrt((((near - around) * np.array([0.7, 1, 1], np.float32)) ** 2).sum(-1))
        level = max(10.0, float(np.percentile(apart, 93)))
        found.append(apart > level)
    return found


def _bright(picture: SmallCopy, kind: ThingKind) -> Mask:
    """Brighter than what is around it, and for flames also warm."""
    light, a, b = (picture.lab[..., k] for k in range(3))
    over = filters.blur(light, 0.7) - filters.blur(light, 14.0)
    level = max(12.0, float(np.percentile(over, 96)))
    bright = (over > level) & (light > 55)
    if kind in ("candle", "fire"):
        bright &= (b > 8) & (a > -8)
    return np.asarray(bright)
