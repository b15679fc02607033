"""Draws a subject on its way from where it stands in the first picture to where it stands in the last."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vivant.engines.diorama.motion.fields import STEP, Rect
from vivant.engines.diorama.motion.frame.warp import Grid, enlarge, enlarge_half
from vivant.engines.diorama.scene.relight import LightChange
from vivant.engines.diorama.scene.travellers import Sprite, Traveller
from vivant.media import F32, Planes


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of the way: its share of it, and of the last picture, both 0..1."""

    share: float
    faded: float


def draw_traveller(traveller: Traveller, change: LightChange, now: Moment, look: Grid, frame: Planes) -> None:
    """Draw it into `frame` (planes of the whole output), in place. look: where the output looks in the space of the
    closer picture; change: from the light of the first picture to that of the last."""
    one, other, s = traveller.first, traveller.last, now.share
    x, y = one.x + s * (other.x - one.x), one.y + s * (other.y - one.y)
    sizes = traveller.growth**-s, traveller.growth ** (1 - s)
    h, w = frame.y.shape
    rect = _find_bounds(look, x, y, max(_reach(one) / sizes[0], _reach(other) / sizes[1]), (w, h))
    if rect is None:
        return
    sprites = [
        (sprite, size, _light(change, sprite, away), part)
        for sprite, size, away, part in ((one, sizes[0], s, 1 - now.faded), (other, sizes[1], s - 1, now.faded))
        if part > 0
    ]
    part = look.part(rect)
    for full in (True, False):
        grow = enlarge if full else enlarge_half
        map_x, map_y = grow(np.ascontiguousarray(part.x), rect) - x, grow(np.ascontiguousarray(part.y), rect) - y
        drawn = sum(
            share * _read(sprite, map_x * np.float32(size), map_y * np.float32(size), light)
            for sprite, size, light, share in sprites
        )
        assert not isinstance(drawn, int)
        for plane, k, zero in ((frame.y, 0, 16),) if full else ((frame.u, 1, 128), (frame.v, 2, 128)):
            here = plane[rect.luma if full else rect.chroma]
            mixed = zero + drawn[..., k] + (1 - drawn[..., 3]) * (here.astype(np.float32) - zero)
            here[:] = np.rint(np.clip(mixed, 16, 235 if full else 240)).astype(np.uint8)


def _reach(sprite: Sprite) -> float:
    """From its middle to the farthest corner of its box, pixels."""
    h, w = sprite.colours.shape[:2]
    x, y = sprite.x - sprite.left, sprite.y - sprite.top
    return float(np.hypot(max(x, w - x), max(y, h - y)))


def _find_bounds(look: Grid, x: float, y: float, reach: float, size: tuple[int, int]) -> Rect | None:
    """The rect of the output, its corner on the grid, that holds all within `reach` of a point."""
    near = (np.abs(look.x - x) < reach + 2 * STEP) & (np.abs(look.y - y) < reach + 2 * STEP)
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    if not len(rows):
        return None
    top, left = max(0, int(rows[0]) - 2) * STEP, max(0, int(columns[0]) - 2) * STEP
    bottom, right = min(size[1], (int(rows[-1]) + 2) * STEP), min(size[0], (int(columns[-1]) + 2) * STEP)
    return None if bottom <= top or right <= left else Rect(left, top, right - left, bottom - top)


def _light(change: LightChange, sprite: Sprite, share: float) -> tuple[float, float, float]:
    """Gain of luma and what is added to u and v, by which a sprite has the light of a moment. share: how far that is
    toward the light of the last picture, against the sprite's own."""
    rows, columns = change.gain.shape
    i, j = min(rows - 1, max(0, round(sprite.y / STEP))), min(columns - 1, max(0, round(sprite.x / STEP)))
    gain = float(change.gain[i, j]) ** share
    added = share if share >= 0 else 1 + share - gain
    return gain, added * float(change.u[i, j]), added * float(change.v[i, j])


def _read(sprite: Sprite, x: F32, y: F32, light: tuple[float, float, float]) -> F32:
    """float32 (h, w, 4): the sprite's premultiplied colours at x, y from its middle, lit."""
    drawn = cv2.remap(
        sprite.colours, x + np.float32(sprite.x - sprite.left), y + np.float32(sprite.y - sprite.top),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    gain, u, v = light
    alpha = drawn[..., 3]
    return np.dstack(
        [gain * drawn[..., 0], gain * drawn[..., 1] + u * alpha, gain * drawn[..., 2] + v * alpha, alpha]
    ).astype(np.float32)
