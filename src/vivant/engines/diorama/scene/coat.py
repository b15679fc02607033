"""Where an animal has long hair: in the parts of its matte that are full of fine detail, away from its eyes. Knows no
prompt and no motion."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.media import F32

_DETAIL: Final = 2.0  # levels of luma, from which a pixel differs from what is around it
_DENSE: Final = (0.3, 0.6)  # share of such pixels: a smooth coat, surely long hair
_OTHER: Final = (18.0, 28.0)  # chroma levels from the coat's colour: of the coat, surely not
_EYES: Final = 3.2  # widths of an eye about it, that stay
_MUZZLE: Final = 0.75  # head radii
_LEAST: Final = 0.12  # of the matte


def find_fur(scene: Scene) -> Region:
    """float32 (h, w), 0..1; trust 0 where there is no animal whose outline is trusted, or where its coat is smooth."""
    mask = scene.matte.mask
    nothing = Region(np.zeros_like(mask), 0.0)
    if scene.faces or scene.matte.trust < 0.4 or not (mask > 0.5).any():
        return nothing
    dense = smoothstep((measure_density(scene) - _DENSE[0]) / (_DENSE[1] - _DENSE[0]))
    coat = np.asarray(dense * mask * (1 - _find_face(scene)), np.float32)
    coat = np.asarray(coat * _of_its_colour(scene, coat), np.float32)
    share = float(coat.sum()) / max(float(mask.sum()), 1.0)
    trust = scene.matte.trust * float(np.clip((share - 0.3 * _LEAST) / (0.7 * _LEAST), 0, 1))
    trust *= 1.0 if scene.body is not None else 0.5
    return Region(np.clip(coat, 0, 1), trust) if trust > 0 else nothing


def measure_density(scene: Scene) -> F32:
    """float32 (h, w), 0..1: the share of pixels inside the subject that are unlike what is around them. What is counted
    is how many, not how much: a single outline is strong, too."""
    luma = scene.source.planes.y.astype(np.float32)
    scale = min(scene.depth.shape) / 480
    fine = (np.abs(luma - filters.blur(luma, 1.6 * max(1.0, scale))) > _DETAIL).astype(np.float32)
    inside = (scene.matte.mask > 0.6).astype(np.float32)
    inside = np.asarray(cv2.erode(inside, np.ones((2 * round(4 * scale) + 1,) * 2, np.uint8)), np.float32)
    around = filters.blur(inside, 9 * scale)
    found = filters.blur(fine * inside, 9 * scale) / np.maximum(around, 0.05)
    return np.asarray(np.clip(found, 0, 1), np.float32)


def _of_its_colour(scene: Scene, coat: F32) -> F32:
    """float32 (h, w), 0..1: less where the colour is not the coat's: tongues and collars. A coat of many colours has
    none of its own."""
    planes = scene.source.planes
    h, w = coat.shape
    hue = np.dstack([filters.resize(plane.astype(np.float32), w, h) for plane in (planes.u, planes.v)])
    inside = coat > 0.5
    if not inside.any():
        return np.ones_like(coat)
    middle = np.median(hue[inside], axis=0)
    apart = np.sqrt(((hue - middle) ** 2).sum(-1))
    if float(np.percentile(apart[inside], 75)) > 0.5 * _OTHER[0]:
        return np.ones_like(coat)
    other = smoothstep((filters.blur(apart, 2.0) - _OTHER[0]) / (_OTHER[1] - _OTHER[0]))
    return np.asarray(1 - filters.blur(np.asarray(other, np.float32), 0.006 * w), np.float32)


def _find_face(scene: Scene) -> F32:
    """float32 (h, w), 0..1: eyes and muzzle, which do not wave in the wind."""
    h, w = scene.depth.shape
    out = np.zeros((h, w), np.float32)
    body = scene.body
    if body is None:
        return out
    for eye in body.eyes:
        radius = _EYES * max(eye.across, eye.down)
        cv2.circle(out, (round(eye.x), round(eye.y)), max(1, round(radius)), 1.0, -1)
    if len(body.eyes) == 2:
        (a, b) = body.eyes
        apart = float(np.hypot(a.x - b.x, a.y - b.y))
        middle = (a.x + b.x) / 2, (a.y + b.y) / 2 + 0.6 * apart
        cv2.circle(out, (round(middle[0]), round(middle[1])), max(1, round(0.75 * apart)), 1.0, -1)
        blur = 0.25 * apart
    else:
        blur = 0.02 * max(h, w)
        if body.head is not None:
            cv2.circle(
                out, (round(body.head.x), round(body.head.y)), max(1, round(_MUZZLE * body.head.radius)), 1.0, -1
            )
            blur = 0.3 * body.head.radius
    return np.asarray(np.clip(filters.blur(out, max(blur, 1.0)) * 1.3, 0, 1), np.float32)
