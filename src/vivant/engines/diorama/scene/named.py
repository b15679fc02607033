"""Finds in a scene the thing that a prompt names, by a second look: what may be it is proposed (proposals.py), cut out
anew (proposal_cuts.py), and the best one wins by where such a thing can be, by colour and by place (habitat.py) and by
what a detector says that it is (kinds.py). Knows no prompt and no motion.

Trust falls where two proposals are about as good, where the detector takes it for something else, and where the net
does not see what the proposal shows: waves, shadows and roofs have an outline, too, but nothing that stands out.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.scene.facing import find_facing
from vivant.engines.diorama.scene.habitat import score_fit
from vivant.engines.diorama.scene.kinds import Detect, boxes_of_kind, judge
from vivant.engines.diorama.scene.proposal_cuts import LESS_SURE, Look, cut_proposal, grab, see_crop
from vivant.engines.diorama.scene.proposals import SAME, propose
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.scene.small_copy import Mask, overlap, shrink
from vivant.engines.diorama.scene.specks import find_flying
from vivant.engines.diorama.storyboard import Thing, ThingFact
from vivant.media import F32, U8

LOOKS: Final = 2  # crops that are looked at again, at most; the net takes most of the time there is for a thing
_SURE: Final = 0.5  # with so good a find no other crop is looked at
_UNSEEN: Final = 0.45  # of the trust that is left where the net sees nothing: a wave has an outline, too
_CUT: Final = 0.08  # of its height, with which a thing that touches a side goes on beyond it
_WET: Final = 0.2  # trust from which water tells where a boat can go


def find_thing(scene: Scene, thing: Thing, look: Look, detect: Detect) -> Region:
    """Where the thing is: its mask, float32 (h, w), 0..1, whole with its thin parts, and how sure that is. Nothing
    found: an empty mask of trust 0. look, detect: what stands out in a picture, and which objects it shows."""
    h, w = scene.depth.shape
    if thing.kind == "bird":
        flying = find_flying(scene)
        if flying.trust > 0 and (thing.several or flying.trust > 0.5):
            return flying
    picture = shrink(scene)
    seen = detect(scene.rgb)

    def see(crop: U8, inside: U8) -> F32 | None:
        return see_crop(crop, inside, look)

    def worth_of(trust: float, mask: F32) -> float:
        before = trust * score_fit(scene, picture, thing, mask, sure=1.0)
        if before < 0.05:
            return before
        verdict = judge(scene.rgb, mask, thing.kind, seen, detect, drawn=scene.facts.drawn)
        return verdict.worth * trust * score_fit(scene, picture, thing, mask, sure=verdict.agrees)

    found: list[tuple[float, F32]] = []
    unseen: list[tuple[float, F32]] = []
    looks = 0
    for promise, blob in propose(scene, picture, thing, boxes_of_kind(seen, thing.kind)):
        if looks == LOOKS or (found and (found[0][0] >= _SURE or promise < 0.7 * found[0][0])):
            break  # another can hardly win any more
        rough = cut_proposal(scene, blob, thing.kind, grab)
        if rough is not None and rough.trust <= 0:
            continue  # it has no outline, or runs out of its crop
        cut = rough if rough is not None and rough.known else cut_proposal(scene, blob, thing.kind, see)
        looks += cut is not rough
        if cut is None:
            if rough is not None:
                unseen.append((worth_of(_UNSEEN * rough.trust, rough.mask), rough.mask))
        elif thing.kind != "candle" or not _is_part_of_animal(scene, cut.mask):
            found.append((worth_of(cut.trust, cut.mask), cut.mask))
            found.sort(key=lambda one: -one[0])
    if unseen and (not found or found[0][0] < LESS_SURE * _UNSEEN):
        found = sorted((*found, unseen[0]), key=lambda one: -one[0])
    if not found or found[0][0] < 0.05:
        return Region(np.zeros((h, w), np.float32), 0.0)
    worth, mask = found[0]
    rivals = [other for other, place in found[1:] if overlap(mask > 0.5, place > 0.5) < SAME]
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
        facing=find_facing(thing.kind, solid), cut_left=_is_cut(solid[:, 0], rows),
        cut_right=_is_cut(solid[:, -1], rows),
    )  # fmt: skip


def _is_cut(side: Mask, rows: NDArray[np.intp]) -> bool:
    """Whether a thing of these rows goes on beyond a side of the picture, of which `side` is the last column."""
    return float(np.count_nonzero(side)) > _CUT * len(rows)


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
