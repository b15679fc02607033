"""A piece of the source that is being redrawn for one frame: the box of a Patch, its planes still open to the brush."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.motion.fields import Patch
from vivant.engines.diorama.scene.scene import Source
from vivant.media import F32, U8


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in canvas pixels, all numbers even."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def around(cls, points: NDArray[np.float64], canvas: tuple[int, int]) -> Box:
        """The smallest even box that covers points (n, 2) and two pixels more, inside a canvas of (width, height)."""
        (left, top), (right, bottom) = points.min(0) - 2, points.max(0) + 2
        x0, y0 = (int(np.clip(np.floor(v / 2) * 2, 0, limit - 2)) for v, limit in zip((left, top), canvas, strict=True))
        x1, y1 = (int(np.clip(np.ceil(v / 2) * 2, 2, limit)) for v, limit in zip((right, bottom), canvas, strict=True))
        return cls(x0, y0, max(2, x1 - x0), max(2, y1 - y0))

    def near(self, other: Box, gap: int) -> bool:
        """Whether fewer than `gap` pixels lie between the two."""
        return (
            self.x < other.x + other.width + gap
            and other.x < self.x + self.width + gap
            and self.y < other.y + other.height + gap
            and other.y < self.y + self.height + gap
        )

    def union(self, other: Box) -> Box:
        x, y = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return Box(x, y, right - x, bottom - y)

    def doubled(self, inside: Box) -> tuple[slice, slice]:
        """Where this box lies in the double-size luma of a piece with the box `inside`."""
        x, y = 2 * (self.x - inside.x), 2 * (self.y - inside.y)
        return slice(y, y + 2 * self.height), slice(x, x + 2 * self.width)

    def halved(self, inside: Box) -> tuple[slice, slice]:
        """The same in its chroma."""
        x, y = (self.x - inside.x) // 2, (self.y - inside.y) // 2
        return slice(y, y + self.height // 2), slice(x, x + self.width // 2)


class Piece:
    """Copies of the source's planes inside `box`; parts of the face draw into them in turn."""

    def __init__(self, source: Source, box: Box) -> None:
        whole = Box(0, 0, source.planes.y.shape[1], source.planes.y.shape[0])
        self.box = box
        self.y2: U8 = source.y2[box.doubled(whole)].copy()
        self.u: U8 = source.planes.u[box.halved(whole)].copy()
        self.v: U8 = source.planes.v[box.halved(whole)].copy()

    def patch(self) -> Patch:
        return Patch(self.box.x, self.box.y, self.box.width, self.box.height, self.y2, self.u, self.v)


def at_chroma(doubled: F32) -> F32:
    """Double-size luma values (2h, 2w) -> what stands on the chroma samples (h/2, w/2), left sited: a 4 x 4 mean."""
    shifted = np.empty_like(doubled)
    shifted[:, 2:] = doubled[:, :-2]
    shifted[:, :2] = doubled[:, :1]
    h, w = doubled.shape
    mean: F32 = cv2.resize(shifted, (w // 4, h // 4), interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    return mean
