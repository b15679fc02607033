"""The lid of an animal's eye: the fur above the eye is stretched down over it, so that rim and lashes ride along.

Painted fur looks like a ghost of the eye; what is stretched is fur of the very place, in its light.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama.motion.fields import Patch, Rect
from vivant.engines.diorama.scene.body import AnimalEye
from vivant.engines.diorama.scene.scene import Source
from vivant.media import U8

MEET: Final = 0.62  # of the opening from above: where the lids meet
RISEN: Final = 0.15  # the same where the lower lid rises
FAR: Final = 1.25  # openings of the eye: height of the skin above it that is stretched
NEAR: Final = 0.5  # the same below it
ALIKE: Final = 0.8  # the same on both sides where nobody knows which is above
# Where the skin above bears a dark brow, which would be drawn over the eye, the lower lid rises as birds' lids do:
# luma of the brow against the skin below, and the share of the skin above that is so dark, at least.
BROW: Final = (0.6, 0.18)
SHADE: Final = 0.2  # the stretched skin is darker by this share at its edge
LINE: Final = 0.045  # openings, at least a pixel: half width of the dark line where lids meet


# Of the eye's half axes, across and down: a parabola that covers the ellipse. Lids that followed the ellipse itself
# would end in upright edges at its corners.
ALMOND: Final = (1.22, 1.15)


class Lid:
    """One eye of a picture. Made once per clip."""

    def __init__(self, source: Source, eye: AnimalEye) -> None:
        h, w = source.planes.y.shape
        eye = replace(eye, across=ALMOND[0] * eye.across, down=ALMOND[1] * eye.down)
        self._eye, self._source = eye, source
        if eye.upright:
            rises = _bears_brow(source.planes.y, eye)
            self._meet = RISEN if rises else MEET
            self._above, self._below = (NEAR, FAR) if rises else (FAR, NEAR)
        else:  # both lids alike
            self._meet, self._above, self._below = 0.5, ALIKE, ALIKE
        tall = 2 * eye.down
        self._cos, self._sin = float(np.cos(np.radians(eye.tilt))), float(np.sin(np.radians(eye.tilt)))
        upper, lower = -eye.down - self._above * tall - 3, eye.down + self._below * tall + 3
        wide = eye.across + 3
        points = np.array([
            [eye.x + self._cos * across - self._sin * down, eye.y + self._sin * across + self._cos * down]
            for across in (-wide, wide) for down in (upper, lower)
        ])  # fmt: skip
        self.rect = Rect.around(points, (w, h))

    def draw(self, shut: float) -> Patch:
        """The eye shut by 0..1."""
        rect, source = self.rect, self._source
        whole = Rect(0, 0, source.planes.y.shape[1], source.planes.y.shape[0])
        y2 = source.y2[rect.luma2_in(whole)]
        u, v = (plane[rect.chroma_in(whole)] for plane in (source.planes.u, source.planes.v))
        # Positions of the samples in canvas pixels.
        luma = self._close(y2, rect.left, rect.top, 0.5, shut, shaded=True)
        return Patch(
            rect, luma, self._close(u, rect.left, rect.top + 0.5, 2.0, shut, shaded=False),
            self._close(v, rect.left, rect.top + 0.5, 2.0, shut, shaded=False),
        )  # fmt: skip

    def _close(self, plane: U8, left: float, top: float, step: float, shut: float, *, shaded: bool) -> U8:
        """plane: uint8 (rows, columns), whose sample (i, j) lies at (left + step j, top + step i)."""
        rows, columns = plane.shape
        eye = self._eye
        right = left + step * np.arange(columns, dtype=np.float32)[None] - np.float32(eye.x)
        down = top + step * np.arange(rows, dtype=np.float32)[:, None] - np.float32(eye.y)
        # Along the line from corner to corner, in its half, and across it, pixels.
        x = (self._cos * right + self._sin * down) / eye.across
        y = self._cos * down - self._sin * right
        half = eye.down * np.clip(1 - x**2, 0, 1)  # of the opening
        upper, lower = -half, half
        meet = upper + self._meet * (lower - upper)
        over, under = upper + np.float32(shut) * (meet - upper), lower - np.float32(shut) * (lower - meet)
        # From the far end of the skin to the edge of the lid one sees that skin alone, stretched.
        above, below = np.maximum(2 * half * self._above, 1e-3), np.maximum(2 * half * self._below, 1e-3)
        from_y = np.where(
            y < over, upper - above + (y - upper + above) * above / (over - upper + above),
            np.where(y > under, lower + below - (lower + below - y) * below / (lower + below - under), y),
        )  # fmt: skip
        inside = (half > 0) & (y > upper - above) & (y < lower + below)
        moves = np.where(inside, from_y - y, 0) / step
        map_y = (np.arange(rows)[:, None] + self._cos * moves).astype(np.float32)
        map_x = (np.arange(columns)[None] - self._sin * moves).astype(np.float32)
        moved: Any = cv2.remap(plane, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if not shaded:
            return np.asarray(moved, np.uint8)
        thick = max(1.0, 2 * LINE * eye.down)
        near = np.clip((y - upper) / np.maximum(over - upper, 1.0), 0, 1) * (y < over)
        edge = np.exp(-(((y - over) / thick) ** 2)) * np.clip(half / (0.25 * eye.down) - 0.3, 0, 1)
        dark = (1 - SHADE * near**3 * inside) * (1 - 0.5 * edge * min(1.0, 3 * shut))
        return np.asarray(np.clip(np.rint(16 + (moved.astype(np.float32) - 16) * dark), 0, 255), np.uint8)


def _bears_brow(luma: U8, eye: AnimalEye) -> bool:
    """Whether the skin above an eye has a dark marking that the skin below has not."""
    left, right = max(0, round(eye.x - 0.7 * eye.across)), round(eye.x + 0.7 * eye.across) + 1
    far, near = 2 * FAR * eye.down, 0.25 * eye.down  # the dark rim of the eye is no brow
    above = luma[max(0, round(eye.y - eye.down - far)) : max(0, round(eye.y - eye.down - near)), left:right]
    below = luma[round(eye.y + eye.down + near) : round(eye.y + eye.down + far), left:right]
    if not above.size or not below.size:
        return False
    return bool((above < BROW[0] * float(np.median(below))).mean() > BROW[1])
