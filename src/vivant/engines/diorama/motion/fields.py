"""How things that move by themselves tell the renderer what they do. All in source space, before the camera, so that
every pixel is resampled once.

Quarter resolution throughout: arrays of shape (ceil(h/4), ceil(w/4)), float32, sample (i, j) sits on canvas pixel
(4i, 4j). Displacements are in canvas pixels: the renderer samples the picture at (x + dx, y + dy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vivant.media import F32, U8, Planes


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Displacement and light at one frame. gain multiplies luma about black (1 leaves it); None where there is none."""

    dx: F32
    dy: F32
    gain: F32 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """The running total of one frame: every motion adds its displacement and multiplies its light into it.

    Arrays on the quarter grid: dx, dy in canvas pixels, gain about 1. Filled in place by the motions of a frame."""

    dx: F32
    dy: F32
    gain: F32

    @classmethod
    def nothing(cls, width: int, height: int) -> Sum:
        shape = (-(-height // 4), -(-width // 4))
        return cls(np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.ones(shape, np.float32))

    def field(self) -> Field:
        return Field(self.dx, self.dy, self.gain)


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Two phases of a stream for falls, rivers, smoke and clouds: the renderer samples both and blends by `weight`
    (of b, 0..1) inside `mask` (0..1), giving back the contrast that the blend loses. At frame 0 it must be identity."""

    ax: F32
    ay: F32
    bx: F32
    by: F32
    weight: F32
    mask: F32


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A piece of the source redrawn for one frame, e.g. a talking mouth. Its box is in canvas pixels, all even.

    y2: uint8 (2·height, 2·width) replaces that box of Source.y2; u, v: uint8 (height/2, width/2)."""

    x: int
    y: int
    width: int
    height: int
    y2: U8
    u: U8
    v: U8


class Ambient(Protocol):
    """Everything that moves by itself. Each method is a pure function of the frame number: callable from any thread,
    in any order. At frame 0 nothing has moved yet (frame 0 is the picture), without a dead start."""

    def field(self, n: int) -> Field | None: ...

    def flow(self, n: int) -> Flow | None: ...

    def overlay(self, n: int, frame: Planes) -> None:
        """Draw what is in front of the camera (rain, snow, sparks) into `frame`, in place. Nothing at frame 0."""
