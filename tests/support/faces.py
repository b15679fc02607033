"""Portraits as scenes: what all tests of faces share."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from support.paths import PHOTOS
from support.timelines import still
from vivant.engines.diorama.motion.faces.face import FaceMotion
from vivant.engines.diorama.motion.fields import Patch
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.faces import FaceFinder, describe_face
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import PictureFacts, Shot, Storyboard
from vivant.engines.diorama.timing.curves import FaceCurves
from vivant.media import U8, Planes, fit, to_picture
from vivant.request import Canvas


def photo(name: str, size: tuple[int, int] | None = None) -> U8:
    """RGB uint8 of tests/photos/<name>, fitted to (width, height) if given."""
    picture = np.asarray(Image.open(PHOTOS / name).convert("RGB"))
    return picture if size is None else fit(picture, *size)


def scene_of(picture: U8, finder: FaceFinder) -> Scene:
    """A scene with faces and nothing else."""
    height, width = picture.shape[:2]
    nothing = np.zeros((height, width), np.float32)
    none = Region(nothing, 0.0)
    faces = finder.find(picture)
    facts = PictureFacts(faces=tuple(describe_face(face, Canvas(width, height, 1)) for face in faces))
    return Scene(
        rgb=picture, source=make_source(picture), depth=nothing,
        matte=none, sky=none, water=none, plants=none, fire=none,
        horizon=height / 2, waterline=float(height), facts=facts, faces=faces,
    )  # fmt: skip


def motion(scene: Scene, *frames: dict[str, float], face: int = 0) -> FaceMotion:
    """Frame n of the clip has the curves of frames[n]."""
    height, width = scene.rgb.shape[:2]
    names = {name for frame in frames for name in frame}
    at_rest = FaceCurves.at_rest(len(frames))
    curves = {name: np.array([frame.get(name, 0.0) for frame in frames], np.float32) for name in names}
    faces = [at_rest] * len(scene.faces)
    faces[face] = replace(at_rest, **curves)
    board = Storyboard(
        width=width, height=height, frames=len(frames), seed=1, language="en", audio=True, camera_fixed=False,
        morph=False, shots=(Shot(start=0, end=len(frames), moves=()),),
    )  # fmt: skip
    return FaceMotion(scene, board, replace(still(len(frames)), faces=tuple(faces)))


def lay_patches(scene: Scene, patches: tuple[Patch, ...]) -> U8:
    """The double-size luma with the patches in it."""
    y2 = scene.source.y2.copy()
    for patch in patches:
        y2[
            2 * patch.rect.top : 2 * (patch.rect.top + patch.rect.height),
            2 * patch.rect.left : 2 * (patch.rect.left + patch.rect.width),
        ] = patch.y2
    return y2


def film(scene: Scene, faces: FaceMotion, n: int) -> U8:
    """Frame n as RGB, without a camera: patches in, then everything moved by the field."""
    planes = scene.source.planes
    y2, u, v = lay_patches(scene, faces.patches(n)), planes.u.copy(), planes.v.copy()
    for patch in faces.patches(n):
        half = (
            slice(patch.rect.top // 2, (patch.rect.top + patch.rect.height) // 2),
            slice(patch.rect.left // 2, (patch.rect.left + patch.rect.width) // 2),
        )
        u[half], v[half] = patch.u, patch.v
    field = faces.field(n)
    height, width = planes.y.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    if field is not None:
        x = x + cv2.resize(field.dx, (width, height))
        y = y + cv2.resize(field.dy, (width, height))
    moved = cv2.remap(y2, 2 * x, 2 * y, cv2.INTER_LINEAR)
    return to_picture(Planes(np.asarray(moved, np.uint8), u, v))
