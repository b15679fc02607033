"""How far away things look: by the guessed depth, and in a hazy picture by its haze (the dark channel prior: He, Sun
and Tang, CVPR 2009), whose borders are those of the picture. Fog hides by it.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.scene.matte import refine
from vivant.media import F32, U8

WINDOW: Final = 0.02  # of the long side: where the darkest colour is looked for
KEPT: Final = 0.93  # share of the haze that is taken for haze
HAZY: Final = (0.25, 0.6)  # haze of the haziest ground from which on the haze tells how far it is, and wholly


def measure_distance(rgb: U8, depth: F32, sky: F32) -> F32:
    """float32 (h, w), 0 near .. 1 far. RGB uint8 (h, w, 3); depth: 0 far .. 1 near, float32 (h, w); sky: 0..1."""
    h, w = depth.shape
    scale = 320 / max(h, w)
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    light = np.maximum(np.percentile(small.reshape(-1, 3), 96, axis=0), 60)
    darkest = np.min(small / light, axis=2).astype(np.float32)
    window = 2 * round(0.5 * WINDOW * 320) + 1
    haze = np.clip(KEPT * cv2.erode(darkest, np.ones((window, window), np.uint8)), 0, 1)
    ground = filters.resize(sky, *size) < 0.3
    by_depth = 1 - depth
    if not ground.any():
        return by_depth.astype(np.float32)
    most = float(np.percentile(haze[ground], 92))
    fine = refine(np.clip(haze / max(most, 0.1), 0, 1).astype(np.float32), rgb, radius=0.02, eps=2e-3)
    share = 0.75 * float(smoothstep(np.array((most - HAZY[0]) / (HAZY[1] - HAZY[0]))))
    far = (1 - share) * by_depth + share * fine
    return np.asarray(np.clip(np.maximum(far, 0.9 * sky), 0, 1), np.float32)
