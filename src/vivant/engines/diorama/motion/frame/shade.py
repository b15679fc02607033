"""Lays the light of a frame over it: sky and ground each by their own tone, in float, dithered once. Windows that are
lit and stars come after. Knows grids and planes, not what the light is about."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import (
    CB,
    CB_BY_LUMA,
    COLOUR,
    CR,
    CR_BY_LUMA,
    GAIN,
    LIFT,
    STEP,
    Glow,
    Shade,
    Stars,
)
from vivant.engines.diorama.motion.frame import texels, warp
from vivant.engines.diorama.motion.frame.warp import Grid
from vivant.media import F32, U8, Planes

_IN_SKY: Final = 0.85  # share of the sky from which on a star is seen
_STRAIGHT: Final = np.clip(np.arange(256) - 16, 0, 219).astype(np.float32)  # luma above black as it is


def lay_shade(shade: Shade, sky_share: U8 | None, view: Grid, place: Grid, noise: F32, frame: Planes) -> None:
    """Into `frame`, planes of the whole output, in place. sky_share: uint8 (h, w), the sky's share of each of its
    pixels, in 1/255; view: where the output looks in the picture; place: where the light of what stands before the sky
    is read; noise: float32 (h, w), 0..1, the dither."""
    straight = shade.curve is None
    curve = _STRAIGHT if shade.curve is None else shade.curve
    if shade.sky is None or sky_share is None:
        _lay_one_tone(warp.look_up(shade.ground, place.x, place.y), curve, straight, noise, frame)
        return
    ground = warp.look_up(shade.ground, place.x, place.y)
    found = warp.look_up(np.concatenate([shade.sky, shade.sky_luma[None]]), view.x, view.y)
    sky, soft = found[:7], found[7]
    share = sky_share
    # Chroma first: it follows the luma that the picture has.
    for plane, by_luma, added in ((frame.u, CB_BY_LUMA, CB), (frame.v, CR_BY_LUMA, CR)):
        order = [COLOUR, by_luma, added]
        _shade_chroma(
            plane, frame.y, share, np.ascontiguousarray(ground[order]), np.ascontiguousarray(sky[order]), curve, noise,
        )  # fmt: skip
    order = [GAIN, LIFT]
    fields = np.ascontiguousarray(np.concatenate([ground[order], sky[order], soft[None]]))
    _shade_luma(frame.y, share, fields, curve, noise)


def _lay_one_tone(tone: F32, curve: F32, straight: bool, noise: F32, frame: Planes) -> None:
    """One tone, float32 (7, rows, columns) on the output's grid, over all; rows that keep their light stay as they
    are."""
    for plane, by_luma, added in ((frame.u, CB_BY_LUMA, CB), (frame.v, CR_BY_LUMA, CR)):
        _tone_chroma(plane, frame.y, np.ascontiguousarray(tone[[COLOUR, by_luma, added]]), curve, straight, noise)
    _tone_luma(frame.y, np.ascontiguousarray(tone[[GAIN, LIFT]]), curve, straight, noise)


def lay_glow(glow: Glow, share: U8, view: Grid, frame: Planes) -> None:
    """Windows into `frame`, in place. share: Glow.share as the output sees it, uint8 (h, w)."""
    luma, cb, cr = warp.look_up(np.stack([glow.luma, glow.cb, glow.cr]), view.x, view.y)
    _mix_luma(frame.y, share, np.ascontiguousarray(luma))
    _mix_chroma(frame.u, share, np.ascontiguousarray(cb))
    _mix_chroma(frame.v, share, np.ascontiguousarray(cr))


def draw_stars(stars: Stars, sky_share: U8, view: Grid, frame: Planes) -> None:
    """Into `frame`, in place, where the sky is free. sky_share: uint8 (h, w), as the output sees it."""
    x, y = find_in_output(view, stars.x, stars.y)
    _draw_points(frame.y, sky_share, x, y, stars.sigma, stars.luma)


def find_in_output(view: Grid, x: F32, y: F32) -> tuple[F32, F32]:
    """Where the output shows points of the picture, float32 (n,), by four steps toward where the grid reads them."""
    rows, columns = view.x.shape
    # The grid is smooth and nearly a zoom: start from its corners' linear map.
    left, right = float(view.x[rows // 2, 1]), float(view.x[rows // 2, -2])
    top, bottom = float(view.y[1, columns // 2]), float(view.y[-2, columns // 2])
    px = 1 + (x - left) / (right - left) * (columns - 3)
    py = 1 + (y - top) / (bottom - top) * (rows - 3)
    for _ in range(4):
        at = np.stack([view.x, view.y])
        found = warp.look_up(at, _as_row(STEP * px), _as_row(STEP * py))[:, 0]
        px = px + (x - found[0]) / (right - left) * (columns - 3)
        py = py + (y - found[1]) / (bottom - top) * (rows - 3)
    # Sample k of a grid belongs to output pixel 4k - 2.5.
    return (STEP * px - 2.5).astype(np.float32), (STEP * py - 2.5).astype(np.float32)


def _as_row(values: F32) -> F32:
    return np.ascontiguousarray(values[None], np.float32)


@kernel
def _shade_luma(y: U8, share: U8, fields: F32, curve: F32, noise: F32) -> None:
    low, high, zero, part_255 = np.float32(16), np.float32(219), np.float32(0), np.float32(1 / 255)
    columns, most = fields.shape[2], np.float32(0.999)
    node = np.empty(columns, np.float32)
    lines, before = np.empty((5, STEP * columns), np.float32), np.empty(y.shape[1], np.float32)
    for i in range(y.shape[0]):
        row, part = texels.row_of(i, STEP)
        for k in range(5):
            texels.interpolate_row(fields[k], row, part, 0, columns - 1, 1.0, 0.0, node)
            texels.upsample(node, columns - 1, STEP, 0.0, lines[k])
        gain, lift, sky_gain, sky_lift, soft = lines[0], lines[1], lines[2], lines[3], lines[4]
        out, mask, rest = y[i], share[i], noise[i]
        _read_curve(out, curve, before)
        for j in range(y.shape[1]):
            k = j + STEP // 2
            value = before[j]
            a = np.float32(mask[j]) * part_255
            # Of a pixel that shows both, the sky's share of its luma is known: what is left belongs to the ground.
            own = value - a * soft[k]
            kept = gain[k] + a * (sky_gain[k] - gain[k])
            lit = a * (sky_gain[k] * soft[k] + sky_lift[k]) + kept * own + (np.float32(1) - a) * lift[k]
            out[j] = np.uint8(low + min(max(lit, zero), high) + rest[j] * most)


@kernel
def _read_curve(luma: U8, curve: F32, out: F32) -> None:
    """out, float32 (n,) = the curve of luma, uint8 (n,). A loop of its own, so that those of its callers use SIMD."""
    for j in range(luma.shape[0]):
        out[j] = curve[luma[j]]


@kernel
def _tone_luma(y: U8, fields: F32, curve: F32, straight: bool, noise: F32) -> None:
    low, high, zero, most = np.float32(16), np.float32(219), np.float32(0), np.float32(0.999)
    columns = fields.shape[2]
    node_gain, node_lift = np.empty(columns, np.float32), np.empty(columns, np.float32)
    gain, lift = np.empty(STEP * columns, np.float32), np.empty(STEP * columns, np.float32)
    before = np.empty(y.shape[1], np.float32)
    for i in range(y.shape[0]):
        row, part = texels.row_of(i, STEP)
        texels.interpolate_row(fields[0], row, part, 0, columns - 1, 1.0, 0.0, node_gain)
        texels.interpolate_row(fields[1], row, part, 0, columns - 1, 1.0, 0.0, node_lift)
        if straight and _are_all(node_gain, np.float32(1)) and _are_all(node_lift, zero):
            continue
        texels.upsample(node_gain, columns - 1, STEP, 0.0, gain)
        texels.upsample(node_lift, columns - 1, STEP, 0.0, lift)
        out, rest = y[i], noise[i]
        factors, added = gain[STEP // 2 :], lift[STEP // 2 :]
        _read_curve(out, curve, before)
        for j in range(y.shape[1]):
            lit = before[j] * factors[j] + added[j]
            out[j] = np.uint8(low + min(max(lit, zero), high) + rest[j] * most)


@kernel
def _tone_chroma(plane: U8, y: U8, fields: F32, curve: F32, straight: bool, noise: F32) -> None:
    low, high, zero, none = np.float32(16), np.float32(240), np.float32(128), np.float32(0)
    columns, most, half = fields.shape[2], np.float32(0.999), np.float32(0.5)
    nodes, lines = np.empty((3, columns), np.float32), np.empty((3, 2 * columns), np.float32)
    height, width = y.shape
    for i in range(plane.shape[0]):
        row, part = texels.row_of(i, 2)
        for k in range(3):
            texels.interpolate_row(fields[k], row, part, 0, columns - 1, 1.0, 0.0, nodes[k])
        if straight and _are_all(nodes[0], np.float32(1)) and _are_all(nodes[1], none) and _are_all(nodes[2], none):
            continue
        for k in range(3):
            texels.upsample(nodes[k], columns - 1, 2, 0.0, lines[k])
        upper, lower = y[2 * i], y[min(2 * i + 1, height - 1)]
        out, rest = plane[i], noise[height - 1 - i]
        for j in range(plane.shape[1]):
            luma = half * (curve[upper[2 * j]] + curve[lower[2 * j]])
            value = lines[0, j + 1] * (np.float32(out[j]) - zero) + lines[1, j + 1] * luma + lines[2, j + 1]
            out[j] = np.uint8(min(max(zero + value, low), high) + rest[width - 1 - j] * most)


@kernel
def _are_all(values: F32, wanted: np.float32) -> bool:
    other = np.int32(0)
    for k in range(values.shape[0]):
        other |= np.int32(values[k] != wanted)
    return bool(other == 0)


@kernel
def _shade_chroma(plane: U8, y: U8, share: U8, ground: F32, sky: F32, curve: F32, noise: F32) -> None:
    low, high, zero, part_255 = np.float32(16), np.float32(240), np.float32(128), np.float32(1 / 255)
    columns, most, half = ground.shape[2], np.float32(0.999), np.float32(0.5)
    node = np.empty(columns, np.float32)
    lines = np.empty((6, 2 * columns), np.float32)
    height, width = y.shape
    for i in range(plane.shape[0]):
        row, part = texels.row_of(i, 2)
        for k in range(3):
            texels.interpolate_row(ground[k], row, part, 0, columns - 1, 1.0, 0.0, node)
            texels.upsample(node, columns - 1, 2, 0.0, lines[k])
            texels.interpolate_row(sky[k], row, part, 0, columns - 1, 1.0, 0.0, node)
            texels.upsample(node, columns - 1, 2, 0.0, lines[3 + k])
        upper, lower = 2 * i, min(2 * i + 1, height - 1)
        out, rest = plane[i], noise[height - 1 - i]
        for j in range(plane.shape[1]):
            k = j + 1
            luma = half * (curve[y[upper, 2 * j]] + curve[y[lower, 2 * j]])
            a = half * (np.float32(share[upper, 2 * j]) + np.float32(share[lower, 2 * j])) * part_255
            chroma = np.float32(out[j]) - zero
            before = lines[0, k] * chroma + lines[1, k] * luma + lines[2, k]
            behind = lines[3, k] * chroma + lines[4, k] * luma + lines[5, k]
            value = min(max(zero + before + a * (behind - before), low), high)
            out[j] = np.uint8(value + rest[width - 1 - j] * most)


@kernel
def _mix_luma(y: U8, share: U8, luma: F32) -> None:
    columns, part_255, half = luma.shape[1], np.float32(1 / 255), np.float32(0.5)
    node, line = np.empty(columns, np.float32), np.empty(STEP * columns, np.float32)
    for i in range(y.shape[0]):
        row, part = texels.row_of(i, STEP)
        texels.interpolate_row(luma, row, part, 0, columns - 1, 1.0, 0.0, node)
        texels.upsample(node, columns - 1, STEP, 0.0, line)
        for j in range(y.shape[1]):
            if share[i, j] != 0:
                a = np.float32(share[i, j]) * part_255
                value = np.float32(y[i, j]) + a * (line[j + STEP // 2] - np.float32(y[i, j]))
                y[i, j] = np.uint8(min(max(value, np.float32(16)), np.float32(235)) + half)


@kernel
def _mix_chroma(plane: U8, share: U8, chroma: F32) -> None:
    columns, part, half = chroma.shape[1], np.float32(0.25 / 255), np.float32(0.5)
    node, line = np.empty(columns, np.float32), np.empty(2 * columns, np.float32)
    for i in range(plane.shape[0]):
        row, below = texels.row_of(i, 2)
        texels.interpolate_row(chroma, row, below, 0, columns - 1, 1.0, 0.0, node)
        texels.upsample(node, columns - 1, 2, 0.0, line)
        for j in range(plane.shape[1]):
            total = (
                np.float32(share[2 * i, 2 * j]) + np.float32(share[2 * i, 2 * j + 1])
                + np.float32(share[2 * i + 1, 2 * j]) + np.float32(share[2 * i + 1, 2 * j + 1])
            )  # fmt: skip
            if total > 0:
                value = np.float32(plane[i, j]) + total * part * (line[j + 1] - np.float32(plane[i, j]))
                plane[i, j] = np.uint8(min(max(value, np.float32(16)), np.float32(240)) + half)


@kernel
def _draw_points(y: U8, share: U8, xs: F32, ys: F32, sigmas: F32, lumas: F32) -> None:
    height, width = y.shape
    for k in range(xs.shape[0]):
        x, yy, sigma = xs[k], ys[k], sigmas[k]
        reach = int(np.ceil(np.float32(3) * sigma))
        column, row = int(np.rint(x)), int(np.rint(yy))
        if column < reach or row < reach or column >= width - reach or row >= height - reach:
            continue
        if np.float32(share[row, column]) < np.float32(255 * _IN_SKY):
            continue
        for i in range(row - reach, row + reach + 1):
            for j in range(column - reach, column + reach + 1):
                far = (np.float32(j) - x) ** 2 + (np.float32(i) - yy) ** 2
                value = np.float32(y[i, j]) + lumas[k] * np.exp(-far / (np.float32(2) * sigma * sigma))
                y[i, j] = np.uint8(min(value, np.float32(235)) + np.float32(0.5))
