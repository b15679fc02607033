"""The fur of an animal in the wind: rooted in its body, free at its outline. It sways as plants do."""

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
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.media import F32

SPEED: Final = 3.4  # px per frame at 640 px on the long side, see `sway.SPEED`
TOUGH: Final = 0.95  # see `Sway`: a coat lies on a body, and must not look like water
_RIM: Final = 0.022  # of the width: so far outside its outline the background is drawn along
_DEEP: Final = 0.16  # of the width: from the outline inward, over which hair lies closer and closer
_LYING: Final = 0.4  # of the lean at the outline, deep inside


def make_coat(scene: Scene, fur: Region, scale: float) -> tuple[Plants, Stems]:
    """Fur as `Sway` reads plants. scale: see Air."""
    w = scene.depth.shape[1] / STEP
    inside = average_quarter(fur.mask)
    body = average_quarter(scene.matte.mask)
    beyond = cv2.distanceTransform((inside < 0.4).astype(np.uint8), cv2.DIST_L2, 5)
    # Where smooth skin begins, inside the animal, hair ends at once.
    reach = np.where(body > 0.6, 0.35 * _RIM * w, _RIM * w)
    weight = np.clip(1 - smoothstep(beyond / np.maximum(reach, 1.0)), 0, 1)
    weight = filters.blur(weight * np.maximum(inside, body < 0.6), 1.0)
    weight[weight < 1e-3] = 0
    solid = np.pad((body > 0.5).astype(np.uint8), 1, mode="edge")
    deep = cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1]
    lever: F32 = _LYING + (1 - _LYING) * np.exp(-filters.blur(deep, 1.0) / (_DEEP * w))
    stems = measure_stems(scene.source.planes.y, inside, scale)
    weight = weight.astype(np.float32)
    return Plants(weight, np.zeros_like(weight), inside), replace(stems, lever=lever.astype(np.float32))
