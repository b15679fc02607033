"""A Patch that is still being drawn: copies of the source's planes, into which the features of a face paint."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.engines.diorama.motion.fields import Patch, Rect
from vivant.engines.diorama.scene.scene import Source
from vivant.media import F32, U8


class CanvasPatch:
    """Copies of the source's planes inside `rect`: y2 uint8 (2·height, 2·width), u and v uint8 (height/2, width/2)."""

    def __init__(self, source: Source, rect: Rect) -> None:
        whole = Rect(0, 0, source.planes.y.shape[1], source.planes.y.shape[0])
        self.rect = rect
        self.y2: U8 = source.y2[rect.luma2_in(whole)].copy()
        self.u: U8 = source.planes.u[rect.chroma_in(whole)].copy()
        self.v: U8 = source.planes.v[rect.chroma_in(whole)].copy()

    def finish(self) -> Patch:
        return Patch(self.rect, self.y2, self.u, self.v)


def at_chroma(doubled: F32) -> F32:
    """float32 (2h, 2w) on the double-size luma's samples -> float32 (h/2, w/2) on the chroma samples (left sited): the
    mean of 4 x 4."""
    shifted = np.empty_like(doubled)
    shifted[:, 2:] = doubled[:, :-2]
    shifted[:, :2] = doubled[:, :1]
    h, w = doubled.shape
    mean: F32 = cv2.resize(shifted, (w // 4, h // 4), interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    return mean
