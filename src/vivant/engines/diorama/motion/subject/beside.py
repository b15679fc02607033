"""How far what is seen beside a subject goes along with it: whiskers, and fins that one sees through, are in no matte.

Only before a background so blurred that nobody sees it move with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import STEP, average_quarter
from vivant.engines.diorama.scene.body import Body
from vivant.engines.diorama.storyboard import Being
from vivant.media import F32, U8

REACH: Final = 0.75  # head radii: length of whiskers beyond the outline, in which the motion dies out
ABOUT: Final = 2.2  # head radii from its middle: farther there are no whiskers
FINS: Final = 0.6  # trunk radii: the same of fins
PATCH: Final = 15  # quarter samples: side of the squares on which the background is judged
# Median change of luma, 0..255, from one quarter sample to the next: a background with less is blurred, one with more
# is seen to move. Whiskers are too thin to change a median.
CALM: Final = (2.0, 4.5)


def find_beside(bodies: Sequence[Body], matte: F32, luma: U8, being: Being) -> F32 | None:
    """float32 on the quarter grid, 0..1; None where nothing goes along. matte: float32 (h, w), 0..1; luma: uint8 of
    the same shape."""
    heads = [body.head for body in bodies if body.head is not None]
    if being == "person" or not (heads or being == "fish"):
        return None
    inside = (average_quarter(matte) > 0.5).astype(np.uint8)
    away = np.asarray(STEP * cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5), np.float32)
    rows, columns = inside.shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32) * STEP
    if being == "fish":
        share = 1 - smoothstep(away / max(1.0, FINS * bodies[0].trunk.radius))
    else:
        share = np.zeros_like(away)
        for head in heads:
            radius = max(1.0, head.radius)
            near = np.hypot(x - head.x, y - head.y) / (ABOUT * radius)
            here = (1 - smoothstep(away / (REACH * radius))) * (1 - smoothstep((near - 0.5) / 0.5))
            share = np.maximum(share, here)
    calm = np.asarray(share * _find_calm(average_quarter(luma.astype(np.float32)), inside), np.float32)
    return calm if float(calm.max()) > 0 else None


def _find_calm(luma: F32, inside: NDArray[np.uint8]) -> F32:
    """0..1, smooth: 1 where the background is blurred. Inside the subject as at its nearest outline."""
    across, down = cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=0.25), cv2.Sobel(luma, cv2.CV_32F, 0, 1, scale=0.25)
    change = np.hypot(across, down)
    outside = cv2.erode(1 - inside, np.ones((3, 3), np.uint8))
    rows = range(0, luma.shape[0], PATCH)
    columns = range(0, luma.shape[1], PATCH)
    calm = np.zeros((len(rows), len(columns)), np.float32)  # first, how much the background changes
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            own = (slice(top, top + PATCH), slice(left, left + PATCH))
            seen = change[own][outside[own] > 0]
            usual = float(np.median(seen)) if seen.size >= PATCH else CALM[0]
            calm[i, j] = usual
    calm = np.asarray(1 - smoothstep((calm - CALM[0]) / (CALM[1] - CALM[0])), np.float32)
    wide = cv2.resize(cv2.erode(calm, np.ones((2, 2), np.uint8)), luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, np.float32)
