"""Blends two frames that show the same thing, each brought to one light, in float, dithered once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.motion.frame import texels
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
    _blend_luma(frame.y, other.y, np.stack([weight, light.gain, other_light.gain]), noise)
    for plane, under, added, other_added in (
        (frame.u, other.u, light.u, other_light.u), (frame.v, other.v, light.v, other_light.v),
    ):  # fmt: skip
        _blend_chroma(plane, under, np.stack([weight, light.gain, other_light.gain, added, other_added]), noise)


@kernel
def _blend_luma(out: U8, other: U8, fields: F32, noise: F32) -> None:
    """fields: float32 (3, rows, columns) on the output's grid: weight, gain, gain of the other."""
    low, high, most = np.float32(16), np.float32(235), np.float32(0.999)
    columns = fields.shape[2]
    node, lines = np.empty(columns, np.float32), np.empty((3, STEP * columns), np.float32)
    for i in range(out.shape[0]):
        _enlarge_row(fields, i, STEP, node, lines)
        weight, gain, other_gain = lines[0, STEP // 2 :], lines[1, STEP // 2 :], lines[2, STEP // 2 :]
        line, under, rest = out[i], other[i], noise[i]
        for j in range(line.shape[0]):
            a = (np.float32(line[j]) - low) * gain[j]
            b = (np.float32(under[j]) - low) * other_gain[j]
            value = low + a + weight[j] * (b - a)
            line[j] = np.uint8(np.int32(min(max(value, low), high) + rest[j] * most))


@kernel
def _blend_chroma(out: U8, other: U8, fields: F32, noise: F32) -> None:
    """fields: float32 (5, rows, columns) on the output's grid: weight, gains and what is added, of both."""
    zero, low, high, most = np.float32(128), np.float32(16), np.float32(240), np.float32(0.999)
    columns = fields.shape[2]
    node, lines = np.empty(columns, np.float32), np.empty((5, STEP // 2 * columns), np.float32)
    mixed = np.empty(out.shape[1], np.float32)
    for i in range(out.shape[0]):
        _enlarge_row(fields, i, STEP // 2, node, lines)
        weight, gain, other_gain = lines[0, 1:], lines[1, 1:], lines[2, 1:]
        added, other_added = lines[3, 1:], lines[4, 1:]
        line, under, rest = out[i], other[i], noise[i]
        # Two loops: with more rows in one the compiler cannot prove that they lie apart, and uses no SIMD.
        for j in range(line.shape[0]):
            mixed[j] = (np.float32(under[j]) - zero) * other_gain[j] + other_added[j]
        for j in range(line.shape[0]):
            a = (np.float32(line[j]) - zero) * gain[j] + added[j]
            value = zero + a + weight[j] * (mixed[j] - a)
            line[j] = np.uint8(np.int32(min(max(value, low), high) + rest[j] * most))


@kernel
def _enlarge_row(fields: F32, i: int, step: int, node: F32, lines: F32) -> None:
    """lines, float32 (k, step · columns): fields, float32 (k, rows, columns), at row i of an output with `step` pixels
    to a sample; its first pixel is lines[:, step // 2]. node: room for a row."""
    row, part = texels.row_of(i, step)
    columns = fields.shape[2]
    for k in range(fields.shape[0]):
        texels.interpolate_row(fields[k], row, part, 0, columns - 1, 1.0, 0.0, node)
        texels.upsample(node, columns - 1, step, 0.0, lines[k])
