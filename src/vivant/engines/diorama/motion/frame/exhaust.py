"""The flame under a rocket that rises and the smoke that it leaves on its pad. Drawn into the frame with the rocket."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smootherstep, smoothstep
from vivant.engines.diorama.motion.fields import STEP, Rect, quarter_shape
from vivant.engines.diorama.motion.frame.warp import Grid, enlarge, enlarge_half, look_up
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, U8, Planes
from vivant.request import FPS

_LONG: Final = 0.6  # of the rocket's height: the flame
_PUFFS: Final = 56
_HOT: Final = (233.0, 104.0, 142.0)  # luma, Cb, Cr of the flame's core
_EDGE: Final = (200.0, 72.0, 172.0)  # and of its rim
_GLOW: Final = 46.0  # levels of luma by which the flame lights what is around it


class Exhaust:
    """Made once per clip; `draw` is pure."""

    def __init__(
        self, picture: U8, foot: tuple[float, float], size: tuple[float, float], *, frames: int, seed: int
    ) -> None:
        """picture: luma, uint8 (h, w). foot: where the rocket stands, x, y in pixels; size: its width and height,
        pixels. frames: of the clip."""
        chance = rng(seed, "exhaust")
        self._h, self._w = picture.shape
        self._foot, self._size = foot, size
        n = np.arange(frames)
        self._thrust: F32 = smootherstep((n / FPS - 0.05) / 0.5).astype(np.float32)
        self._flicker: F32 = filters.blur(chance.normal(0, 1, (1, frames)), 0.9, 0.1)[0]
        self._bright = 16 + 0.8 * (float(np.percentile(picture, 90)) - 16)
        rows, columns = quarter_shape(self._h, self._w)
        coarse = chance.normal(0, 1, (rows, columns)).astype(np.float32)
        grain = sum(filters.blur(coarse, s) / filters.blur(coarse, s).std() * a for s, a in ((1.5, 0.35), (4.0, 0.65)))
        self._grain: F32 = np.asarray(grain, np.float32)
        self._born = np.sort(0.1 + (frames / FPS) * chance.random(_PUFFS) ** 1.3)
        self._side = np.where(chance.random(_PUFFS) < 0.5, -1, 1) * chance.uniform(0.25, 1.0, _PUFFS)
        self._up = chance.uniform(0.0, 0.5, _PUFFS)
        self._wide = chance.uniform(0.7, 1.3, _PUFFS)

    def draw(self, n: int, lifted: float, view: Grid, frame: Planes) -> None:
        """lifted: how far the rocket has risen, pixels. view: where the output (all of it) looks in the picture."""
        thrust = float(self._thrust[n])
        if thrust <= 0.01:
            return
        self._smoke(n, lifted, view, frame)
        self._flame(n, lifted, thrust, view, frame)

    def _flame(self, n: int, lifted: float, thrust: float, view: Grid, frame: Planes) -> None:
        width, height = self._size
        long = _LONG * height * thrust * (1 + 0.1 * float(self._flicker[n]))
        x0, y0 = self._foot[0], self._foot[1] - lifted
        rect = _bounds(view, (x0 - 6 * width, y0 - 5 * width, x0 + 6 * width, y0 + 2 * long + width), frame)
        if rect is None or long < 2:
            return
        part = view.part(rect)
        for full in (True, False):
            grow = enlarge if full else enlarge_half
            across = (grow(np.ascontiguousarray(part.x), rect) - np.float32(x0)) / np.float32(0.5 * width)
            down = (grow(np.ascontiguousarray(part.y), rect) - np.float32(y0)) / np.float32(long)
            wave = 0.06 * np.sin(9 * down - 0.9 * n) + 0.04 * np.sin(17 * down - 1.7 * n)
            body = np.clip(0.62 + 0.5 * down - 0.75 * down * down, 0.08, 1)
            core = np.exp(-2.2 * ((across + wave * down) / body) ** 2)
            core = core * np.clip(1 - down, 0, 1) ** 0.8 * smoothstep((down * long + 0.12 * width) / (0.12 * width))
            alpha = np.clip(1.7 * core, 0, 1) * thrust
            hot = smoothstep((core - 0.25) / 0.5)
            above, beyond = np.maximum(-down * long / (1.7 * width), 0), np.maximum(down - 0.3, 0) / 0.55
            glow = thrust * np.exp(-((across / 4.2) ** 2) - above**2 - beyond**2)
            levels = ((frame.y, 0, _GLOW, 235),) if full else ((frame.u, 1, -12.0, 240), (frame.v, 2, 10.0, 240))
            for plane, k, lit, most in levels:
                here = plane[rect.luma if full else rect.chroma]
                colour = _EDGE[k] + hot * (_HOT[k] - _EDGE[k])
                shown = here.astype(np.float32) + lit * glow * (1 - alpha)
                here[:] = np.rint(np.clip(shown + alpha * (colour - shown), 16, most)).astype(np.uint8)

    def _smoke(self, n: int, lifted: float, view: Grid, frame: Planes) -> None:
        rows, columns = self._grain.shape
        width = self._size[0]
        age = n / FPS - self._born
        density = np.zeros((rows, columns), np.float32)
        y, x = (np.arange(count, dtype=np.float32) * STEP for count in (rows, columns))
        for k in np.flatnonzero(age > 0):
            a = float(age[k])
            away = 5.0 * width * self._side[k] * (1 - np.exp(-0.9 * a))
            radius = width * self._wide[k] * (0.45 + 0.9 * (1 - np.exp(-0.8 * a)))
            cx, cy = self._foot[0] + away, self._foot[1] - radius * 0.35 - width * self._up[k] * a * 0.5
            amount = 0.75 * float(smoothstep(np.array(a / 0.35)) * np.exp(-0.22 * a))
            density += (
                amount
                * np.exp(-0.5 * ((y - cy) / (0.7 * radius)) ** 2)[:, None]
                * np.exp(-0.5 * ((x - cx) / radius) ** 2)
            )
        shift = np.array([[1, 0, 0], [0, 1, -0.35 * n / STEP]], np.float32)  # the grain rises
        grain = cv2.warpAffine(self._grain, shift, (columns, rows), borderMode=cv2.BORDER_REFLECT)
        alpha = np.float32(0.88) * smoothstep((1 - np.exp(-0.75 * density)) * (0.8 + 0.42 * grain))
        near = np.exp(-(((x - self._foot[0]) / (3.2 * width)) ** 2))[None] * float(
            np.exp(-lifted / (2.5 * self._size[1]))
        )
        shade = (self._bright + 10 * grain + 52 * near * self._thrust[n] * (1 + 0.08 * self._flicker[n])).astype(
            np.float32
        )
        found = look_up(
            np.stack([alpha.astype(np.float32), shade, near.astype(np.float32) * np.ones_like(alpha)]), view.x, view.y
        )
        rect = view.rect
        share, luma = enlarge(found[0], rect), enlarge(found[1], rect)
        frame.y[:] = np.rint(np.clip(frame.y + share * (luma - frame.y), 16, 235)).astype(np.uint8)
        half, warm = enlarge_half(found[0], rect), enlarge_half(found[2], rect)
        for plane, tint in ((frame.u, -16.0), (frame.v, 11.0)):
            plane[:] = np.rint(np.clip(plane + half * (128 + tint * warm - plane), 16, 240)).astype(np.uint8)


def _bounds(view: Grid, box: tuple[float, float, float, float], frame: Planes) -> Rect | None:
    """The rect of the output, on its grid, that looks into a box of the picture (left, top, right, bottom)."""
    near = (view.x > box[0]) & (view.x < box[2]) & (view.y > box[1]) & (view.y < box[3])
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if not len(rows):
        return None
    h, w = frame.y.shape
    top, left = max(0, int(rows[0]) - 2) * STEP, max(0, int(columns[0]) - 2) * STEP
    bottom, right = min(h, (int(rows[-1]) + 2) * STEP), min(w, (int(columns[-1]) + 2) * STEP)
    return None if bottom <= top or right <= left else Rect(left, top, right - left, bottom - top)
