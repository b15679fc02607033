"""The one eye of an animal that is seen from its side, or that looks past the viewer.

Dark spots lie in fur and feathers, too: an eye is round to all sides, large enough to be looked at, and has a highlight
in it or an iris of another colour around it. A nose is larger and darker than an eye, but not round: its nostrils and
the groove below it break its edge.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.scene.pupils import Pupil, measure_opening, sample_rings
from vivant.media import F32

LEAST: Final = 6.5  # pixels: radius of a pupil, below which a spot has no shape
CONTRAST: Final = 70.0  # L of Lab, 0..255: by which the ring about it is brighter at least
EDGE: Final = 0.45  # of its contrast: where its edge is
EVEN: Final = 0.3  # of the median: how much the radius differs on its way around where it is round
LIT: Final = (0.9, 40.0, 15.0)  # share of the way round, L of the highlight, difference of colours, at least
RINGED: Final = (0.8, 0.8, 40.0)  # share of the way round, aspect, difference of colours: an eye with an iris
STARK: Final = (0.95, 0.8, 28.0, 110.0)  # the same, and contrast: a lidless black eye in bright scales
FAR: Final = 90.0  # pixels to another eye, if there were one
MANY: Final = 2  # as good ones, from which on they are a pattern


def find_lone_eye(lab: F32, pupils: list[Pupil]) -> tuple[Pupil, float] | None:
    """The pupil that certainly is an eye's, and the radius of the eye; None: there is none, or there are many.
    lab: float32 (h, w, 3), Lab of 0..255."""
    soft = cv2.GaussianBlur(lab, (0, 0), 0.8).astype(np.float32)
    sure = [pupil for pupil in pupils if pupil.radius >= LEAST and pupil.contrast >= CONTRAST and _is_eye(soft, pupil)]
    if not 0 < len(sure) < MANY + 1:
        return None
    best = max(sure, key=lambda pupil: pupil.contrast * pupil.aspect)
    return best, measure_opening(lab, best, FAR)


def measure_shape(lab: F32, pupil: Pupil) -> tuple[float, float, float]:
    """Of a pupil: the share, 0..1, of the way around it on which its edge is round; by how much L of Lab its highlight
    is brighter than it; how much the colours (a and b) about it differ from its own. lab: float32 (h, w, 3), 0..255."""
    rings = sample_rings(lab, pupil, np.arange(0, 2.2, 0.05) * pupil.radius, 32)
    light = rings[..., 0]
    edge = float(light[:9].mean()) + EDGE * pupil.contrast
    outside = light[6:] > edge
    reach = np.where(outside.any(axis=0), outside.argmax(axis=0) + 6, 999) * 0.05
    usual = float(np.median(reach))
    round_ = float((np.abs(reach - usual) < EVEN * usual).mean())
    core = light[:13]
    highlight = float(np.percentile(core, 97) - np.median(core))
    colour = rings[22:30].mean(axis=(0, 1)) - rings[:12].mean(axis=(0, 1))
    return round_, highlight, float(np.hypot(colour[1], colour[2]))


def _is_eye(lab: F32, pupil: Pupil) -> bool:
    round_, highlight, chroma = measure_shape(lab, pupil)
    lit = round_ >= LIT[0] and highlight >= LIT[1] and chroma >= LIT[2]
    ringed = round_ >= RINGED[0] and pupil.aspect >= RINGED[1] and chroma >= RINGED[2]
    return lit or ringed or is_stark(lab, pupil)


def is_stark(lab: F32, pupil: Pupil) -> bool:
    """Whether a pupil is as black, round and clear as a fish's, which has no lids. lab: float32
    (h, w, 3), Lab of 0..255."""
    round_, highlight, chroma = measure_shape(lab, pupil)
    clear = round_ >= STARK[0] and pupil.aspect >= STARK[1] and chroma >= STARK[2] and pupil.contrast >= STARK[3]
    return clear and highlight < LIT[1]
