"""Haze: in rain, snow and fog things get greyer and lose contrast with distance."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.media import F32, U8, Planes
from vivant.request import FPS

MOST: Final = 0.75  # the largest share that haze hides
FADE_IN: Final = 2.0  # seconds until it has full density


class Haze:
    """One luma blended over the frame, more where it is far; fades in.

    The depth is blurred so much that it need not follow the camera."""

    def __init__(self, air: Air, depth: F32, near: float, far: float, luma: float) -> None:
        """`near` and `far`: share of haze (0..1) before the nearest and the farthest of `depth` (float32 (h, w))."""
        height, width = depth.shape
        small = cv2.resize(depth, (max(8, width // 16), max(8, height // 16)), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), 4)
        share = np.clip(near + (far - near) * (1 - small) ** 1.5, 0, MOST)
        full = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR) * 255
        self._luma_share: U8 = np.rint(full).astype(np.uint8)
        self._chroma_share: U8 = np.ascontiguousarray(self._luma_share[::2, ::2])
        # Slower than the drops: air that turns grey within half a second looks wrong.
        gathers = smootherstep(np.arange(air.frames) / (FADE_IN * FPS)) * air.amplitude
        self._air = air
        self._there, self._luma = gathers.astype(np.float32), luma

    def draw(self, n: int, frame: Planes) -> None:
        opacity = round(256 * float(self._there[n]))
        if opacity > 0:
            blend_toward(frame.y, self._luma_share, opacity, round(self._air.dim(self._luma, n)))
            blend_toward(frame.u, self._chroma_share, opacity, round(self._air.tint[0]))
            blend_toward(frame.v, self._chroma_share, opacity, round(self._air.tint[1]))


@kernel
def blend_toward(plane: U8, share: U8, opacity: int, target: int) -> None:
    """plane += share/256 · opacity/256 · (target - plane), in place, in fixed point. plane, share:
    uint8 (h, w); opacity: 0..256; target: 0..255."""
    height, width = plane.shape
    level, aim, half = np.int32(opacity), np.int32(target), np.int32(1 << 15)
    for row in range(height):
        for column in range(width):
            value = np.int32(plane[row, column])
            step = (np.int32(share[row, column]) * level * (aim - value) + half) >> np.int32(16)
            plane[row, column] = np.uint8(value + step)
