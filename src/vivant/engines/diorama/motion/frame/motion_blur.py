"""The blur of a picture that is torn sideways while the shutter is open: a whip pan. Knows planes only."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.media import U8, Planes

_SEEN: Final = 2.0  # pixels of blur, under which none is seen


def blur_sideways(frame: Planes, length: float) -> Planes:
    """`frame` blurred over `length` pixels along its rows, as an open shutter does it (two boxes, so that no outline is
    seen twice). New planes, or the same where nothing would be seen."""
    if length < _SEEN:
        return frame
    return Planes(_blur(frame.y, length), _blur(frame.u, length / 2), _blur(frame.v, length / 2))


def _blur(plane: U8, length: float) -> U8:
    out = plane
    for _ in range(2):
        size = 2 * min(round(length / 4), plane.shape[1] // 2 - 1) + 1
        out = np.asarray(cv2.blur(out, (max(size, 1), 1), borderType=cv2.BORDER_REFLECT_101), np.uint8)
    return out
