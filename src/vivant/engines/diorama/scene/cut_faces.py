"""Counts the faces of a picture that its crop to the canvas cuts, so that a note can say so, and why no lips move."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.media import U8, crop_box, fit
from vivant.request import Canvas

_LONGEST: Final = 1024  # pixels of the longer side of the whole picture, which are enough for faces worth a note
_ALL: Final = 0.98  # share of the picture from which a crop cuts nothing that matters
_WHOLE: Final = 0.85  # share of a face's landmarks inside the canvas from which it is not cut off
_SMALLEST: Final = 0.08  # height of a face, as a share of the canvas's shorter side, from which it is counted


def count_cut_faces(picture: U8, canvas: Canvas, finder: FaceFinder) -> int:
    """How many faces of RGB uint8 (h, w, 3) are cut or left out by its centre crop to the canvas.

    One of which enough is left may be found in the crop all the same, and then it speaks.
    """
    h, w = picture.shape[:2]
    left, top, right, bottom = crop_box(w, h, canvas.width, canvas.height)
    if (right - left) * (bottom - top) > _ALL * w * h:
        return 0
    shrink = min(1.0, _LONGEST / max(w, h))
    scale = canvas.width / (right - left)
    size = np.array([canvas.width, canvas.height])
    cut = 0
    for face in finder.find(fit(picture, max(1, round(w * shrink)), max(1, round(h * shrink)))):
        points = (face.landmarks[:, :2] / shrink - [left, top]) * scale
        height = face.size / shrink * scale
        inside = float(((points >= 0) & (points < size)).all(axis=1).mean())
        cut += bool(inside < _WHOLE and height >= _SMALLEST * size.min())
    return cut
