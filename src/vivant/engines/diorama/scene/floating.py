"""Whether the subject of a picture is a boat or a bird on its water, so that it may rock without being asked to. Costs
next to nothing where it does not stand on water: only then is it worth the word of the detector, and then a second
look."""

from __future__ import annotations

from typing import Final, Literal

import cv2
import numpy as np

from vivant.engines.diorama.scene.kinds import Detect, judge
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.scene.small_copy import share_of, shrink

_WATER: Final = 0.25  # trust of the water
_SUBJECT: Final = 0.5  # and of the subject
_WET: Final = 0.4  # of what is about its foot
_BOAT: Final = 0.6  # of the trust, that the detector leaves a boat: with less nothing rocks without being asked to
_BIRD: Final = 0.5  # score of the detector, from which it is a bird
_DRAWN: Final = 0.5  # from here on the picture is a drawing
_LARGEST: Final = 0.3  # of the canvas: what is larger is seen from too near to rock as a whole


def tell_floating(scene: Scene, detect: Detect) -> Literal["boat", "bird", ""]:
    """What the subject that stands on water may be; "" where it is neither. Of a drawing the detector knows little,
    which leaves a boat possible. detect: which objects a picture shows. A rock in the surf stands on water, too, and a
    second look would take as long as looking at the whole picture did."""
    if not subject_floats(scene):
        return ""
    drawn, seen = scene.facts.drawn, detect(scene.rgb)
    if judge(scene.rgb, scene.matte.mask, "boat", seen, detect, drawn=drawn).worth >= _BOAT:
        return "boat"
    if drawn >= _DRAWN:
        return ""
    bird = judge(scene.rgb, scene.matte.mask, "bird", seen, detect, drawn=drawn)
    return "bird" if bird.worth >= 1 and bird.agrees >= _BIRD else ""


def subject_floats(scene: Scene) -> bool:
    """Whether the subject stands on water, and is no person."""
    if scene.faces or scene.water.trust < _WATER or scene.matte.trust <= _SUBJECT or scene.matte.share > _LARGEST:
        return False
    picture = shrink(scene)
    size = picture.shape[::-1]
    solid = cv2.resize(scene.matte.mask, size, interpolation=cv2.INTER_AREA) > 0.5
    rows = np.flatnonzero(solid.any(axis=1))
    if not len(rows):
        return False
    ring = (cv2.dilate(solid.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0) & ~solid
    foot = ring & (np.arange(len(solid))[:, None] > rows[-1] - 0.25 * len(rows))
    return share_of(picture.water, foot) > _WET
