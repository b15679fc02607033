"""Draws what glows or veils in the picture's own space (flames, their light, steam) into a frame, where the camera sees
it: by tables from its amount to what is done with the light of each pixel. Knows grids and planes, not what burns.

Light is added in linear light, for which the square of R', G' and B' stands (a display's gamma is 2.2 to 2.4); what
gets brighter than the display can show is bent over toward white, as film does it.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama.kernels import fast_kernel, inline_kernel
from vivant.engines.diorama.motion.fields import STEP, Rect, Sheet
from vivant.engines.diorama.motion.frame.warp import Grid, enlarge
from vivant.media import F32, U8, Planes

KNEE: Final = np.float32(0.7)  # linear light from which highlights are bent over
_LEAST: Final = np.float32(1e-4)  # amount up to which nothing is drawn
_BLOCK: Final = 64  # columns that are looked at together
# All arithmetic is float32, see capsules.py.
ZERO, ONE, QUARTER = np.float32(0), np.float32(1), np.float32(0.25)
_ROOM = ONE - KNEE
# BT.709, limited range.
_BLACK, _LUMA, _CHROMA = np.float32(16), np.float32(219), np.float32(224)
_KR, _KG, _KB = np.float32(0.2126), np.float32(0.7152), np.float32(0.0722)
_R_CR, _G_CB, _G_CR, _B_CB = (np.float32(v) for v in (1.5748, -0.187324, -0.468124, 1.8556))


def draw(sheet: Sheet, grid: Grid, frame: Planes, noise: F32, share: float = 1.0) -> None:
    """Into `frame`, planes of the whole output, in place. grid: where the output looks in the picture; noise: float32
    (h, w), 0..1, the dither; share: how much of the sheet there is, 0..1."""
    there = sheet.amount > _LEAST
    down, across = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(down):
        return
    x, y = (
        (grid.x - np.float32(sheet.left)) / np.float32(sheet.step),
        (grid.y - np.float32(sheet.top)) / np.float32(sheet.step),
    )
    inside = (x > across[0] - 2) & (x < across[-1] + 2) & (y > down[0] - 2) & (y < down[-1] + 2)
    rect = _bounds(inside, frame.y.shape)
    if rect is None or share <= 0:
        return
    part = Grid(grid.rect, x.astype(np.float32), y.astype(np.float32)).part(rect)
    amount: Any = cv2.remap(
        sheet.amount, enlarge(part.x, rect), enlarge(part.y, rect), cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT
    )
    if share < 1:
        amount = amount * np.float32(share)
    _draw(frame.y[rect.luma], frame.u[rect.chroma], frame.v[rect.chroma], amount, sheet.table, noise[rect.luma])


def _bounds(inside: np.ndarray[Any, np.dtype[np.bool_]], shape: tuple[int, ...]) -> Rect | None:
    """The rect of the output around the true samples of its grid, whose sample (1, 1) is the first in the picture."""
    down, across = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(down):
        return None
    top, left = max(int(down[0]) - 2, 0) * STEP, max(int(across[0]) - 2, 0) * STEP
    bottom, right = min((int(down[-1]) + 2) * STEP, shape[0]), min((int(across[-1]) + 2) * STEP, shape[1])
    return Rect(left, top, right - left, bottom - top) if bottom > top and right > left else None


@inline_kernel
def _shown(light: Any) -> Any:
    """Linear light, 0 upward, as R', G' or B', 0..1."""
    over = max(light - KNEE, ZERO) / _ROOM
    return np.sqrt(min(light, KNEE) + _ROOM * over / (ONE + over))


@inline_kernel
def _change(value: Any, factor: Any, added: Any) -> Any:
    """By how much R', G' or B', 0..1, is changed. Nothing where the factor is 1 and nothing is added, to the bit."""
    light = value * value
    return _shown(light * factor + added) - _shown(light)


@fast_kernel
def _draw(y: U8, u: U8, v: U8, amount: F32, table: F32, noise: F32) -> None:
    """Two rows at a time, and of these only the blocks in which there is something."""
    cb, cr, blue, red = (
        np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32),
        np.empty(_BLOCK, np.float32),
    )  # fmt: skip
    for i in range(u.shape[0]):
        for start in range(0, y.shape[1], _BLOCK):
            end = min(start + _BLOCK, y.shape[1])
            most = np.float32(0)
            for row in (2 * i, 2 * i + 1):
                for j in range(start, end):
                    most = max(most, amount[row, j])
            if most <= _LEAST:
                continue
            below, beside = u[i, start // 2 : end // 2], v[i, start // 2 : end // 2]
            for j in range(below.shape[0]):
                cb[2 * j] = cb[2 * j + 1] = (np.float32(below[j]) - np.float32(128)) / _CHROMA
                cr[2 * j] = cr[2 * j + 1] = (np.float32(beside[j]) - np.float32(128)) / _CHROMA
                blue[2 * j] = blue[2 * j + 1] = red[2 * j] = red[2 * j + 1] = ZERO
            for row in (2 * i, 2 * i + 1):
                _draw_row(
                    y[row, start:end], cb, cr, blue, red, amount[row, start:end], table, noise[row, start:end]
                )  # fmt: skip
            # Blue and red are dithered too: a glow is as smooth in colour as in light.
            for j in range(below.shape[0]):
                rest = np.float32(0.999) * noise[2 * i, start + 2 * j]
                value = np.float32(below[j]) + QUARTER * _CHROMA * (blue[2 * j] + blue[2 * j + 1])
                below[j] = np.uint8(np.int32(min(max(value, _BLACK), np.float32(240)) + rest))
                value = np.float32(beside[j]) + QUARTER * _CHROMA * (red[2 * j] + red[2 * j + 1])
                beside[j] = np.uint8(np.int32(min(max(value, _BLACK), np.float32(240)) + rest))


@fast_kernel
def _draw_row(line: U8, cb: F32, cr: F32, blue: F32, red: F32, amount: F32, table: F32, noise: F32) -> None:
    """One row of luma; what it changes of blue and red is added up there. Written without a branch, for SIMD."""
    last = table.shape[0] - 1
    flat = table.reshape(-1)
    top = np.float32(last)
    for j in range(line.shape[0]):
        at = min(max(amount[j], ZERO), ONE) * top
        first = min(np.int32(at), np.int32(last - 1))
        part = at - np.float32(first)
        k = np.uint32(6 * first)
        fr = flat[k] + part * (flat[k + np.uint32(6)] - flat[k])
        fg = flat[k + np.uint32(1)] + part * (flat[k + np.uint32(7)] - flat[k + np.uint32(1)])
        fb = flat[k + np.uint32(2)] + part * (flat[k + np.uint32(8)] - flat[k + np.uint32(2)])
        ar = flat[k + np.uint32(3)] + part * (flat[k + np.uint32(9)] - flat[k + np.uint32(3)])
        ag = flat[k + np.uint32(4)] + part * (flat[k + np.uint32(10)] - flat[k + np.uint32(4)])
        ab = flat[k + np.uint32(5)] + part * (flat[k + np.uint32(11)] - flat[k + np.uint32(5)])
        level = np.float32(line[j])
        luma = (level - _BLACK) / _LUMA
        dr = _change(min(max(luma + _R_CR * cr[j], ZERO), ONE), fr, ar)
        dg = _change(min(max(luma + _G_CB * cb[j] + _G_CR * cr[j], ZERO), ONE), fg, ag)
        db = _change(min(max(luma + _B_CB * cb[j], ZERO), ONE), fb, ab)
        dy = _KR * dr + _KG * dg + _KB * db
        blue[j] += (db - dy) / np.float32(1.8556)
        red[j] += (dr - dy) / np.float32(1.5748)
        value = min(max(level + _LUMA * dy, _BLACK), np.float32(235)) + np.float32(0.999) * noise[j]
        line[j] = np.uint8(np.int32(value))
