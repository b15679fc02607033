"""Whether a detector's words and the texture of a subject tell that it is an animal, which then lives unasked.

The detector has ten names for animals and takes a kind that it does not know for several of them at once: an antelope
is a horse .49, a bird .42, a dog .39 and a cow .38 to it. Together they are sure. A single one is not: it sees a bear
on sea cliffs and birds in dandelions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import cv2
import numpy as np

from vivant.engines.diorama.scene.animal_eyes import cut_subject
from vivant.engines.diorama.scene.detection import Box, Detection, share_of_boxes
from vivant.engines.diorama.scene.fur import FURRY, measure_fur
from vivant.engines.diorama.scene.scene import Region
from vivant.engines.diorama.storyboard import Being
from vivant.media import U8

ANIMALS: Final = frozenset(
    {"bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"}
)  # fmt: skip
OF_IT: Final = 0.5  # a box that shares so much with that of the subject is of it
LEAST: Final = 0.45  # score of the best of its names
TOGETHER: Final = 0.65  # chance that not all of them are wrong
# The same where less of it bears the texture of fur: a short coat in a small picture is smooth, and so is a toy.
SMOOTH: Final = (0.85, 0.5)
AGAINST: Final = 0.7  # of the best name's score: what else is seen there has less
WHOLE: Final = 0.8  # trust of a matte without two eyes in it, from which its outline is the animal's
# Mean distance of its colours, a and b of Lab, from their mean, at least, where no two eyes are seen: a statue and a
# stone have one colour; of a grey animal more must be seen than that a detector calls it one.
COLOURS: Final = 4.0


def name_living(rgb: U8, matte: Region, seen: Sequence[Detection], *, eyes: int, drawn: float) -> Being | Literal[""]:
    """What the subject is; "" where that is not sure. rgb: uint8 (h, w, 3); seen: what the detector says of it; eyes:
    how many were found; drawn: 0..1, how sure the picture is a drawing, of which the detector knows little."""
    box = _box_of(matte)
    if box is None or drawn >= 0.5 or (matte.trust < WHOLE and eyes < 2):
        return ""
    scores: dict[str, float] = {}
    for one in seen:
        if share_of_boxes(one.box, box) >= OF_IT:
            scores[one.name] = max(one.score, scores.get(one.name, 0.0))
    alive = {name: score for name, score in scores.items() if name in ANIMALS}
    if not alive:
        return ""
    best = max(alive, key=lambda name: alive[name])
    against = max((score for name, score in scores.items() if name not in ANIMALS), default=0.0)
    together = 1 - float(np.prod([1 - score for score in alive.values()]))
    if alive[best] < LEAST or together < TOGETHER or against >= AGAINST * alive[best]:
        return ""
    cut = cut_subject(rgb, matte.mask)
    if cut is None:
        return ""
    if measure_fur(cut.lab[..., 0].astype(np.float32), cut.inside) < (FURRY if together < SMOOTH[0] else SMOOTH[1]):
        return ""
    if eyes < 2 and _spread(cut.lab, cut.inside) < COLOURS:
        return ""
    return "bird" if best == "bird" else "animal"


def _spread(lab: U8, inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """Mean distance of the colours of a subject from their mean, a and b of Lab."""
    colours = lab[..., 1:][inside].astype(np.float32)
    return float(np.hypot(*(colours - colours.mean(axis=0)).T).mean()) if len(colours) else 0.0


def _box_of(matte: Region) -> Box | None:
    solid = (matte.mask > 0.5).astype(np.uint8)
    if not solid.any():
        return None
    left, top, width, height = cv2.boundingRect(solid)
    return float(left), float(top), float(left + width), float(top + height)
