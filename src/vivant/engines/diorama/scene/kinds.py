"""What the word of the detector counts for when a thing that is named was cut out: where it agrees, doubts about the
place count less, and where it takes the cut-out for something else, or for nothing, trust falls. Of what it does not
know (balloons, rockets, fish) it can only say that it is something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np

from vivant.engines.diorama.scene.detection import NAMES, Box, Detection, share_of_boxes
from vivant.engines.diorama.storyboard import ThingKind
from vivant.media import F32, U8

Detect = Callable[[U8], Sequence[Detection]]  # see detection.ObjectDetector.detect

# What the detector calls such things.
CALLED: Final[Mapping[ThingKind, frozenset[str]]] = {
    "boat": frozenset({"boat"}),
    "car": frozenset({"car", "truck", "bus", "motorcycle"}),
    "train": frozenset({"train", "bus"}),
    "plane": frozenset({"airplane"}),
    "bird": frozenset({"bird"}),
    "cup": frozenset({"cup", "wine glass", "bowl", "vase", "bottle"}),
}
# What is surely none of the things that travel without legs.
_LIVING: Final = frozenset({"person", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"})
_VEHICLES: Final = frozenset({"car", "truck", "bus", "motorcycle", "bicycle", "train", "boat", "airplane"})
# What is nobody, however upright it stands; not what people carry, wear or sit on.
_LIFELESS: Final = _VEHICLES | {
    "bottle", "wine glass", "cup", "bowl", "vase", "potted plant", "clock", "traffic light", "fire hydrant",
    "stop sign", "parking meter", "tv", "refrigerator", "banana", "apple", "orange", "broccoli", "carrot", "cake",
    "toilet",
}  # fmt: skip
# Score that counts as sure. Water under a boat says as much again.
_SURE: Final[Mapping[ThingKind, float]] = {"cup": 0.28, "boat": 0.28}
_USUALLY_SURE: Final = 0.45
_SURELY_ELSE: Final = 0.5
_RIVAL: Final = 0.35  # score from which something else speaks against it
_ALIKE: Final = 0.35  # a box that shares so much with that of the cut-out is of it
_UNKNOWN: Final = 0.45  # of the trust that is left where the detector sees nothing of the kind
_ANOTHER: Final = 0.3  # and where it sees something else there
_DRAWN: Final = 0.5  # from here on the picture is a drawing, of which it knows little
_AROUND: Final = 0.6  # of a cut-out's size, that the crop for another look has more on each side


class Verdict(NamedTuple):
    """agrees: 0..1, score with which the detector takes it for such a thing; worth: factor for its trust."""

    agrees: float
    worth: float


def boxes_of_kind(seen: Sequence[Detection], kind: ThingKind) -> list[Detection]:
    """What the detector takes for such things, the surest first; it is sure enough to look there."""
    return [one for one in seen if one.name in CALLED.get(kind, ()) and one.score >= 0.3]


def judge(rgb: U8, mask: F32, kind: ThingKind, seen: Sequence[Detection], detect: Detect, *, drawn: float) -> Verdict:
    """What the detector thinks of a cut-out. rgb: uint8 (h, w, 3); mask: float32 (h, w), 0..1; seen: what it says of
    the whole picture; small things it is shown again on a crop of their own. drawn: 0..1, how sure it is a drawing."""
    box = _box_of(mask)
    if box is None:
        return Verdict(0.0, 1.0)
    names = CALLED.get(kind)
    if names is None:
        # A bird is no fish; a kite, an umbrella and a plane are what it calls balloons and rockets.
        return Verdict(0.0, _ANOTHER if _strongest(seen, box, _LIVING | _VEHICLES | {"bird"}) >= _SURELY_ELSE else 1.0)
    sure = _SURE.get(kind, _USUALLY_SURE)
    agrees = _strongest(seen, box, names)
    against = _speaks_against(seen, box, names)
    living = _strongest(seen, box, _LIVING - names)
    if agrees < sure and (drawn < _DRAWN or kind != "boat"):
        crop, inside = _crop(rgb, box)
        again = detect(crop)
        agrees = max(agrees, _strongest(again, inside, names))
        against = max(against, _speaks_against(again, inside, names))
        living = max(living, _strongest(again, inside, _LIVING - names))
    if kind == "bird" and living > agrees:
        return Verdict(agrees, _ANOTHER)  # a dog's head is a bird to it, too, and more of a dog
    if agrees >= sure:
        return Verdict(agrees, 1.0)
    if drawn >= _DRAWN and kind == "boat":
        return Verdict(agrees, 1.0)  # water carries it, which is proof enough
    if against >= max(_RIVAL, agrees + 0.1):
        return Verdict(agrees, _ANOTHER)
    return Verdict(agrees, _UNKNOWN + (0.9 - _UNKNOWN) * float(np.clip((agrees - 0.2) / (sure - 0.2), 0, 1)))


def is_lifeless(mask: F32, seen: Sequence[Detection]) -> bool:
    """Whether the detector takes a cut-out, float32 (h, w), for a thing and for nobody. seen: what it says of the whole
    picture. What people carry and wear does not count."""
    box = _box_of(mask)
    if box is None:
        return False
    thing, living = (_strongest(seen, box, names) for names in (_LIFELESS, _LIVING))
    return thing >= _RIVAL and thing > living + 0.1


def _strongest(seen: Sequence[Detection], box: Box, names: frozenset[str]) -> float:
    """The best score of a detection of one of these names that is of the box."""
    return max((one.score for one in seen if one.name in names and share_of_boxes(one.box, box) >= _ALIKE), default=0.0)


def _speaks_against(seen: Sequence[Detection], box: Box, names: frozenset[str]) -> float:
    """The best score of something else: of other things, which it takes for one another, only a high one counts."""
    anything = _strongest(seen, box, frozenset(NAMES) - names)
    return max(_strongest(seen, box, (_LIVING | _VEHICLES) - names), anything if anything >= _SURELY_ELSE else 0.0)


def _box_of(mask: F32) -> Box | None:
    solid = (mask > 0.5).astype(np.uint8)
    if not solid.any():
        return None
    left, top, width, height = cv2.boundingRect(solid)
    return float(left), float(top), float(left + width), float(top + height)


def _crop(rgb: U8, box: Box) -> tuple[U8, Box]:
    """The part of a picture about a box, and where the box is in it."""
    h, w = rgb.shape[:2]
    more = _AROUND * max(box[2] - box[0], box[3] - box[1])
    x0, y0 = max(0, round(box[0] - more)), max(0, round(box[1] - more))
    x1, y1 = min(w, round(box[2] + more)), min(h, round(box[3] + more))
    return np.ascontiguousarray(rgb[y0:y1, x0:x1]), (box[0] - x0, box[1] - y0, box[2] - x0, box[3] - y0)
