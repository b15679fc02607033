"""Blends two frames that show the same thing, each brought to one light, in float, dithered once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import Rect
from vivant.engines.diorama.motion.frame.warp import enlarge, enlarge_half
from vivant.media import F32, U8, Planes


class Light(NamedTuple):
    """How a frame is lit, all float32 on the grid of the whole output: gain of luma above black and of colour, and what
    is added to u and v."""

    gain: F32
    u: F32
    v: F32


def blend(frame: Planes, other: Planes, weight: F32, light: Light, other_light: Light, noise: F32) -> None:
    """Blend `other` into `frame` (planes of the whole output), in place. weight: of the other, float32 0..1 on the grid
    of the whole output; light, other_light: how each is lit first; noise: float32 (h, w), 0..1, the dither."""
    h, w = frame.y.shape
    rect = Rect(0, 0, w, h)
    _blend_luma(
        frame.y, other.y, enlarge(weight, rect), enlarge(light.gain, rect), enlarge(other_light.gain, rect), noise
    )
    half, gain, other_gain = (enlarge_half(values, rect) for values in (weight, light.gain, other_light.gain))
    for plane, under, added, other_added in (
        (frame.u, other.u, light.u, other_light.u), (frame.v, other.v, light.v, other_light.v),
    ):  # fmt: skip
        _blend_chroma(
            plane, under, half, gain, other_gain, enlarge_half(added, rect), enlarge_half(other_added, rect), noise
        )


@kernel
def _blend_luma(out: U8, other: U8, weight: F32, gain: F32, other_gain: F32, noise: F32) -> None:
    low, high, most = np.float32(16), np.float32(235), np.float32(0.999)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            a = (np.float32(out[i, j]) - low) * gain[i, j]
            b = (np.float32(other[i, j]) - low) * other_gain[i, j]
            value = low + a + weight[i, j] * (b - a)
            out[i, j] = np.uint8(min(max(value, low), high) + noise[i, j] * most)


@kernel
def _blend_chroma(
    out: U8, other: U8, weight: F32, gain: F32, other_gain: F32, added: F32, other_added: F32, noise: F32
) -> None:
    zero, low, high, most = np.float32(128), np.float32(16), np.float32(240), np.float32(0.999)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            a = (np.float32(out[i, j]) - zero) * gain[i, j] + added[i, j]
            b = (np.float32(other[i, j]) - zero) * other_gain[i, j] + other_added[i, j]
            value = zero + a + weight[i, j] * (b - a)
            out[i, j] = np.uint8(min(max(value, low), high) + noise[i, j] * most)
