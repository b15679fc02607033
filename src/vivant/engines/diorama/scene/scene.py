"""What the engine knows of one picture once it has looked: planes to sample, masks, depth, faces. No time in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.storyboard import PictureFacts
from vivant.media import F32, U8, Planes


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What warps sample. y2: uint8 (2h, 2w), luma at twice the size, phase-aligned: y2[2i, 2j] == planes.y[i, j], the
    samples between are Lanczos. A luma position (x, y) in canvas pixels is (2x, 2y) in y2."""

    planes: Planes
    y2: U8


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face. landmarks: float32 (478, 3), canvas pixels, mediapipe numbering; z in pixels too, smaller is nearer."""

    landmarks: NDArray[np.float32]
    score: float
    size: float  # height from brow to chin in pixels


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A soft mask with how far it can be trusted. mask: float32 (h, w) in 0..1; trust 0..1."""

    mask: F32
    trust: float


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All arrays have the canvas's size. depth: float32 (h, w), 0 far .. 1 near, smooth where not trusted."""

    rgb: U8
    source: Source
    depth: F32
    matte: Region  # the subject
    sky: Region
    water: Region
    plants: Region
    fire: Region
    horizon: float  # row, pixels
    waterline: float  # row where the water surface ends upward, pixels
    facts: PictureFacts
    faces: tuple[Face, ...] = field(default_factory=tuple)
