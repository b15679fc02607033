"""A part of a scene as a scene of its own, for a shot that is nearer: pixels are taken anew from the whole picture, so
that it is as sharp as the picture allows; masks, depth and faces are those that were found once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from PIL import Image

from vivant.engines.diorama.scene import colour
from vivant.engines.diorama.scene.faces import describe_face
from vivant.engines.diorama.scene.scene import Face, Region, Scene
from vivant.engines.diorama.scene.surroundings import cut_outside
from vivant.media import F32, U8, crop_box
from vivant.request import Canvas


def cut_part(
    scene: Scene, picture: U8, canvas: Canvas, *, left: float, top: float, size: float
) -> tuple[Scene, tuple[int, ...]]:
    """The part of the scene that begins at left, top and has `size` of its width and height (shares of the canvas); and
    which of the scene's faces, by index, have their middle in it, in the order of the part's faces.

    picture: RGB uint8 (h, w, 3), the one that the scene was made of.
    """
    box = crop_box(picture.shape[1], picture.shape[0], canvas.width, canvas.height)
    across, down = box[2] - box[0], box[3] - box[1]
    x, y = box[0] + left * across, box[1] + top * down
    part = (x, y, min(picture.shape[1], x + size * across), min(picture.shape[0], y + size * down))
    resized = Image.fromarray(picture).resize((canvas.width, canvas.height), Image.Resampling.LANCZOS, box=part)
    rgb: U8 = np.asarray(resized)
    w, h = canvas.width, canvas.height
    faces, kept = _faces(scene, w, h, left, top, size)
    grow = _Grow(w, h, left, top, size)
    regions = {name: grow.region(getattr(scene, name)) for name in ("matte", "sky", "water", "plants", "fire")}
    hair = None if scene.hair is None else grow.region(scene.hair)
    facts = replace(
        scene.facts,
        faces=tuple(describe_face(face, canvas) for face in faces),
        cut_faces=0,
        subject=regions["matte"].share,
        sky=regions["sky"].share,
        water=regions["water"].share,
        plants=regions["plants"].share,
        fire=regions["fire"].share,
        hair=0.0 if hair is None else hair.share,
        subject_x=float(np.clip((scene.facts.subject_x - left) / size, 0, 1)),
        subject_y=float(np.clip((scene.facts.subject_y - top) / size, 0, 1)),
    )
    return (
        Scene(
            rgb=rgb,
            source=colour.make_source(rgb),
            depth=grow.plane(scene.depth),
            horizon=float(np.clip((scene.horizon - top * h) / size, 0, h)),
            waterline=float(np.clip((scene.waterline - top * h) / size, 0, h)),
            facts=facts,
            faces=faces,
            depth_measured=scene.depth_measured,
            body=scene.body.seen_in(left * w, top * h, 1 / size) if scene.body else None,
            others=tuple(other.seen_in(left * w, top * h, 1 / size) for other in scene.others),
            hair=hair,
            outside=cut_outside(picture, part, rgb),
            **regions,
        ),
        kept,
    )


def cut_region(region: Region, *, left: float, top: float, size: float) -> Region:
    """The same part of a region of the scene."""
    h, w = region.mask.shape
    return _Grow(w, h, left, top, size).region(region)


class _Grow:
    """Enlarges the part of a plane to the size of the canvas."""

    def __init__(self, w: int, h: int, left: float, top: float, size: float) -> None:
        self._size = (w, h)
        # Middles of pixels: out (i + 1/2) is at (left·w + size·(i + 1/2)).
        self._map = np.array(
            [[size, 0, left * w + 0.5 * size - 0.5], [0, size, top * h + 0.5 * size - 0.5]], np.float64
        )

    def plane(self, values: F32) -> F32:
        grown: Any = cv2.warpAffine(
            values,
            self._map,
            self._size,
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        clipped: F32 = np.clip(grown, 0, 1).astype(np.float32)
        return clipped

    def region(self, region: Region) -> Region:
        return Region(self.plane(region.mask), region.trust)


def _faces(
    scene: Scene, w: int, h: int, left: float, top: float, size: float
) -> tuple[tuple[Face, ...], tuple[int, ...]]:
    faces, kept = [], []
    for index, (face, fact) in enumerate(zip(scene.faces, scene.facts.faces, strict=True)):
        if 0 <= (fact.x - left) / size <= 1 and 0 <= (fact.y - top) / size <= 1:
            landmarks = ((face.landmarks - np.array([left * w, top * h, 0])) / size).astype(np.float32)
            faces.append(Face(landmarks, face.score, face.size / size))
            kept.append(index)
    return tuple(faces), tuple(kept)
