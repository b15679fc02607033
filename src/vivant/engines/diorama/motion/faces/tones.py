"""Measures the colours, softness and grain of a face, so that what is painted matches the photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.faces.face_pose import FacePose
from vivant.engines.diorama.scene.scene import Source
from vivant.media import F32, U8, Planes

LIPS: Final = (72, 11, 302, 73, 303, 85, 16, 315, 180, 404)  # well inside the lips
SKIN: Final = (205, 425, 50, 280, 199, 200)  # cheeks and chin
LEFT: Final = (205, 50, 187)
LOWER_FACE: Final = (5, 205, 425, 57, 287, 18, 61, 291)  # nose, mouth and what lies between
RIGHT: Final = (425, 280, 411)


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """Luma above black, 0..219; chroma (u, v) about 0."""

    skin: float
    lip: float
    dark: float  # of the darkest holes in the face, e.g. nostrils
    tilt: float  # light from the right over light from the left, -0.3..0.3
    skin_chroma: tuple[float, float]
    lip_chroma: tuple[float, float]
    blur: float  # σ of the photo's own softness, canvas pixels
    grain: float  # σ of its grain, levels


def measure_tones(source: Source, pose: FacePose) -> Tones:
    """The tones of the face at `pose`: medians over small squares about landmarks."""
    planes = source.planes
    left, right = (max(_luma(planes, pose, side), 4.0) for side in (LEFT, RIGHT))
    blur, grain = _texture(planes.y, pose)
    return Tones(
        skin=max(_luma(planes, pose, SKIN), 8.0),
        lip=max(_luma(planes, pose, LIPS), 6.0),
        dark=_darkest(planes.y, pose),
        tilt=float(np.clip((right - left) / (right + left), -0.3, 0.3)),
        skin_chroma=_chroma(planes, pose, SKIN),
        lip_chroma=_chroma(planes, pose, LIPS),
        blur=blur,
        grain=grain,
    )


def make_grain(tones: Tones, rows: int, columns: int, chance: np.random.Generator) -> F32:
    """Noise, float32 (rows, columns) of the double-size luma, as strong as the photo's grain and about as coarse."""
    noise = chance.standard_normal((rows, columns)).astype(np.float32)
    noise = filters.blur(noise, 1.0 + 1.2 * min(tones.blur, 1.5))
    scaled: F32 = noise * np.float32(tones.grain / max(float(noise.std()), 1e-6))
    return scaled


def _luma(planes: Planes, pose: FacePose, names: tuple[int, ...]) -> float:
    h, w = planes.y.shape
    spots = np.clip(np.rint(pose.landmarks[list(names), :2]).astype(int), 2, [w - 3, h - 3])
    return float(np.median([planes.y[y - 2 : y + 3, x - 2 : x + 3].mean() for x, y in spots])) - 16


def _chroma(planes: Planes, pose: FacePose, names: tuple[int, ...]) -> tuple[float, float]:
    h, w = planes.u.shape
    spots = np.clip(np.rint(pose.landmarks[list(names), :2] / 2).astype(int), 1, [w - 2, h - 2])
    u, v = (
        float(np.median([plane[y - 1 : y + 2, x - 1 : x + 2].mean() for x, y in spots])) - 128
        for plane in (planes.u, planes.v)
    )
    return u, v


def _darkest(y: U8, pose: FacePose) -> float:
    """Luma above black of the darkest 1 % of the lower face: nostrils and the line between the lips."""
    hull = cv2.convexHull(np.rint(pose.landmarks[list(LOWER_FACE), :2]).astype(np.int32))
    inside = np.zeros(y.shape, np.uint8)
    cv2.fillConvexPoly(inside, hull, 1)
    seen = y[inside > 0] if inside.any() else y  # an eye may be in the picture without its mouth
    return max(1.0, float(np.percentile(seen, 1.0)) - 16)


def _texture(y: U8, pose: FacePose) -> tuple[float, float]:
    """Softness (σ, pixels) and grain (σ, levels) inside the face.

    Softness from the share of its strongest slopes that remains after a blur of σ = 1: for an edge of width σ0 it is
    σ0 / √(σ0² + 1).
    """
    h, w = y.shape
    left, top = np.clip(pose.landmarks[:, :2].min(0).astype(int), 0, [w - 8, h - 8])
    right, bottom = pose.landmarks[:, :2].max(0).astype(int) + 1
    face = y[top : max(bottom, top + 8), left : max(right, left + 8)].astype(np.float32)
    slopes = []
    for image in (face, cv2.GaussianBlur(face, (0, 0), 1.0)):
        dx, dy = cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1)
        slopes.append(float(np.percentile(np.hypot(dx, dy), 98)))
    kept = float(np.clip(slopes[1] / max(slopes[0], 1e-6), 0.3, 0.98))
    blur = float(np.clip(np.sqrt(kept**2 / (1 - kept**2)), 0.4, 3.5))
    detail = face - cv2.GaussianBlur(face, (0, 0), 1.2)
    grain = 1.4826 * float(np.median(np.abs(detail)))  # median deviation -> σ of a normal distribution
    return blur, float(np.clip(grain, 0.0, 6.0))
