"""Changing light: luma is multiplied in float and dithered before it becomes 8 bits again; chroma is scaled to
match.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.motion.frame import texels
from vivant.media import F32, U8, Planes

FLICKER: Final = 0.035  # how much a flame at full flicker brightens the whole picture


def compute_gain(light: float, flicker: float) -> float:
    """One gain for the whole frame from the timeline's "light" (about 1) and "flicker" (-1..1) curves."""
    return light * (1.0 + FLICKER * flicker)


@kernel
def make_dither(height: int, width: int) -> F32:
    """float32 (h, w) in 0..1: interleaved gradient noise (Jimenez 2014). The same in every frame, so
    that it costs the encoder nothing."""
    out = np.empty((height, width), np.float32)
    for i in range(height):
        for j in range(width):
            ramp = 0.06711056 * j + 0.00583715 * i
            turns = 52.9829189 * (ramp - np.floor(ramp))
            out[i, j] = np.float32(turns - np.floor(turns))
    return out


def relight(planes: Planes, gain: F32 | None, whole: float, noise: F32) -> None:
    """Multiply luma about black (16) by `gain` (float32 on the whole output's grid, see `warp.Grid`, or None for 1) and
    `whole`, in place; chroma about 128 by `whole`, so that colours keep their saturation."""
    if gain is None:
        _relight_evenly(planes.y, np.float32(whole), noise)
    else:
        _relight(planes.y, gain, whole, noise)
    if whole != 1.0:
        table = np.clip(np.rint(128 + (np.arange(256) - 128) * whole), 16, 240).astype(np.uint8)
        cv2.LUT(planes.u, table, dst=planes.u)
        cv2.LUT(planes.v, table, dst=planes.v)


def scale_luma(luma: U8, gain: float) -> None:
    """Multiply luma, uint8 (h, w), above black by gain, in place, without dither: for pictures that fade in or out."""
    if gain != 1.0:
        table = np.clip(np.rint(16 + (np.arange(256) - 16) * gain), 16, 235).astype(np.uint8)
        cv2.LUT(luma, table, dst=luma)


@kernel
def _relight(y: U8, gain: F32, whole: float, noise: F32) -> None:
    low, high, one = np.float32(16), np.float32(235), np.float32(1)
    columns = gain.shape[1]
    nodes, samples = np.empty(columns, np.float32), np.empty(STEP * columns, np.float32)
    for i in range(y.shape[0]):
        row, part = texels.row_of(i, STEP)
        texels.interpolate_row(gain, row, part, 0, columns - 1, whole, 0.0, nodes)
        if _is_one(nodes):
            continue
        texels.upsample(nodes, columns - 1, STEP, 0.0, samples)
        line, factors, rest = y[i], samples[STEP // 2 :], noise[i]
        for j in range(y.shape[1]):
            # A factor of exactly 1 leaves the byte alone, without dither.
            value = low + (np.float32(line[j]) - low) * factors[j]
            value = min(max(value, low), high) + rest[j]
            line[j] = np.uint8(np.int32(np.float32(line[j]) if factors[j] == one else value))


@kernel
def _is_one(values: F32) -> bool:
    other = np.int32(0)
    for k in range(values.shape[0]):
        other |= np.int32(values[k] != np.float32(1))
    return bool(other == 0)


@kernel
def _relight_evenly(y: U8, whole: np.float32, noise: F32) -> None:
    if whole == np.float32(1):
        return
    low, high = np.float32(16), np.float32(235)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            value = low + (np.float32(y[i, j]) - low) * whole
            y[i, j] = np.uint8(min(max(value, low), high) + noise[i, j] * np.float32(0.999))
