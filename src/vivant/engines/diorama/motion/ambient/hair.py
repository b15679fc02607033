"""People's hair in the wind: rooted on the head, free at its ends. It sways as plants do, with other roots."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient.places import Plants
from vivant.engines.diorama.motion.ambient.stems import Stems, measure_stems
from vivant.engines.diorama.motion.fields import STEP, average_quarter
from vivant.engines.diorama.scene.hair import OVAL
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.media import F32

SPEED: Final = 2.8  # px per frame at 640 px on the long side, see `sway.SPEED`: a head is not a field of grass
TOUGH: Final = 0.90  # see `Sway`: locks that close up over a face look like jelly
STRONGEST: Final = 0.75  # of a wind; a stronger one would fold locks over the face
# In face heights (brow to chin).
LENGTH: Final = 0.45  # beyond the face, from where on hair is free
LOOSE: Final = 0.8  # below the brows, over which what hangs down becomes as free again
RIM: Final = 0.3  # around hair, in which the background is drawn along
ROOTS: Final = 0.16  # the same in skin and cloth, which hold it


def make_strands(scene: Scene, hair: Region, scale: float) -> tuple[Plants, Stems]:
    """Hair as `Sway` reads plants. scene.faces must not be empty; scale: see Air."""
    largest = max(scene.faces, key=lambda face: face.size)
    inside = average_quarter(hair.mask)
    # (The precise mask of distanceTransform differs in its last bits from call to call; that of 5 does not.)
    beyond = cv2.distanceTransform((inside < 0.5).astype(np.uint8), cv2.DIST_L2, 5) * (STEP / max(largest.size, 1.0))
    body = average_quarter(scene.matte.mask) * (1 - inside) > 0.5
    weight = filters.blur(1 - smoothstep(beyond / np.where(body, ROOTS, RIM)), 1.5)
    weight[weight < 1e-3] = 0
    lever = np.zeros_like(inside)
    y = float(STEP) * np.arange(inside.shape[0])[:, None]
    for face in scene.faces:
        near = np.zeros(inside.shape, np.uint8)
        hull = cv2.convexHull(face.landmarks[list(OVAL), :2] / STEP)
        cv2.fillConvexPoly(near, np.rint(hull).astype(np.int32), 1)
        away = cv2.distanceTransform(1 - near, cv2.DIST_L2, 5) * (STEP / max(face.size, 1.0))
        brows = float(face.landmarks[[105, 334], 1].mean())
        hangs = np.clip((y - brows) / (LOOSE * face.size), 0, 1)
        lever = np.maximum(lever, np.clip(away / LENGTH, 0, 1) ** 1.4 * (0.75 + 0.5 * hangs))
    stems = measure_stems(scene.source.planes.y, inside, scale)
    smooth: F32 = filters.blur(lever, 2.0)
    return Plants(weight, np.zeros_like(weight), inside), replace(stems, lever=smooth)
