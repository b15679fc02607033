"""What analysing one picture gives: planes to sample, masks, depth, faces. Nothing here changes in time.

Whatever is built with arrays of a wrong type or size raises ValueError.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.engines.diorama.checks import check_array, check_number, check_tuple, check_type, check_whole
from vivant.engines.diorama.scene.body import Body
from vivant.engines.diorama.storyboard import PictureFacts
from vivant.media import F32, U8, Planes


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What warps sample. y2: uint8 (2h, 2w), luma at twice the size, phase-aligned: y2[2i, 2j] == planes.y[i, j], the
    samples between are Lanczos. A luma position (x, y) in canvas pixels is (2x, 2y) in y2."""

    planes: Planes
    y2: U8

    def __post_init__(self) -> None:
        check_type("Source.planes", self.planes, Planes)
        h, w = self.planes.y.shape
        check_array("Source.y2", self.y2, np.uint8, (2 * h, 2 * w))


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face. landmarks: float32 (478, 3), canvas pixels, mediapipe numbering; z in pixels too, smaller is nearer."""

    landmarks: F32
    score: float  # 0..1: how sure the detectors are
    size: float  # height from the brows to the chin, pixels

    def __post_init__(self) -> None:
        check_array("Face.landmarks", self.landmarks, np.float32, (478, 3))
        check_number("Face.score", self.score, 0, 1)
        check_number("Face.size", self.size, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A soft mask and how sure it is. mask: float32 (h, w) in 0..1; trust 0..1."""

    mask: F32
    trust: float

    def __post_init__(self) -> None:
        check_array("Region.mask", self.mask, np.float32, (None, None), 0, 1)
        check_number("Region.trust", self.trust, 0, 1)

    @property
    def share(self) -> float:
        """Of the canvas, 0..1."""
        return float(self.mask.mean())


@dataclass(frozen=True, slots=True)
class Margins:
    """Whole pixels beyond the four sides of the canvas. Raises ValueError for negative ones."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def __post_init__(self) -> None:
        for name in ("left", "top", "right", "bottom"):
            check_whole(f"Margins.{name}", getattr(self, name), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """What the crop to the canvas cut away, at the scale of the canvas. rgb: uint8 (top + h + bottom, left + w + right,
    3), of which the middle is the canvas."""

    rgb: U8
    margins: Margins

    def __post_init__(self) -> None:
        check_type("Outside.margins", self.margins, Margins)
        check_array("Outside.rgb", self.rgb, np.uint8, (None, None, 3))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One picture at the size of the canvas, (h, w): all its arrays have that size."""

    rgb: U8  # (h, w, 3)
    source: Source
    depth: F32  # (h, w), 0 far .. 1 near; smooth
    matte: Region  # the subject
    sky: Region
    water: Region
    plants: Region
    fire: Region
    horizon: float  # row, pixels
    waterline: float  # the row from which on the surface of water is seen, pixels; the height where there is none
    facts: PictureFacts
    faces: tuple[Face, ...] = ()  # those of facts.faces, in the same order
    depth_measured: bool = False  # by the operator's model; else the depth is a guess, and bodies are thought round
    body: Body | None = None  # the parts of the subject, should it be a living thing; that of facts.body
    others: tuple[Body, ...] = ()  # more of its kind that the same matte shows apart from it
    hair: Region | None = None  # of people; None where nobody looked for it
    outside: Outside | None = None  # None: the whole picture is on the canvas

    def __post_init__(self) -> None:
        check_type("Scene.source", self.source, Source)
        check_type("Scene.facts", self.facts, PictureFacts)
        h, w = self.source.planes.y.shape
        check_array("Scene.rgb", self.rgb, np.uint8, (h, w, 3))
        check_array("Scene.depth", self.depth, np.float32, (h, w), 0, 1)
        for name in ("matte", "sky", "water", "plants", "fire"):
            region: Region = getattr(self, name)
            check_type(f"Scene.{name}", region, Region)
            check_array(f"Scene.{name}.mask", region.mask, np.float32, (h, w))
        check_type("Scene.depth_measured", self.depth_measured, bool)
        if self.hair is not None:
            check_type("Scene.hair", self.hair, Region)
            check_array("Scene.hair.mask", self.hair.mask, np.float32, (h, w))
        check_number("Scene.horizon", self.horizon, 0, h)
        check_number("Scene.waterline", self.waterline, 0, h)
        if self.outside is not None:
            check_type("Scene.outside", self.outside, Outside)
            beyond = self.outside.margins
            shape = (h + beyond.top + beyond.bottom, w + beyond.left + beyond.right, 3)
            check_array("Outside.rgb", self.outside.rgb, np.uint8, shape)
        check_tuple("Scene.faces", self.faces, Face)
        if self.body is not None:
            check_type("Scene.body", self.body, Body)
        check_tuple("Scene.others", self.others, Body)
        check_whole("Scene.faces", len(self.faces), len(self.facts.faces), len(self.facts.faces))
