"""How far away things look: by the guessed depth, and in a hazy picture by its haze (the dark channel prior: He, Sun
and Tang, CVPR 2009), whose borders are those of the picture. Fog hides by it. Foam is as white as haze and lies near:
on water the guess alone counts, and haze that does not grow with the guessed distance is none.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.scene.guided_filter import refine
from vivant.media import F32, U8

WINDOW: Final = 0.02  # of the long side: where the darkest colour is looked for
KEPT: Final = 0.93  # share of the haze that is taken for haze
HAZY: Final = (0.3, 0.7)  # haze of the haziest ground from which on the haze tells how far it is, and wholly
GROWS: Final = (0.0, 0.3)  # correlation of haze with the guessed distance, from which on it is haze, and surely
FOOT: Final = 0.04  # heights below what stands on the ground where the ground's distance is read
FAR_OFF: Final = (0.48, 0.6)  # distance of its foot from which on a part stands far off, and wholly


def measure_distance(rgb: U8, depth: F32, sky: F32, water: F32 | None = None) -> F32:
    """float32 (h, w), 0 near .. 1 far. RGB uint8 (h, w, 3); depth: 0 far .. 1 near, float32 (h, w); sky, water: 0..1,
    float32 (h, w)."""
    h, w = depth.shape
    scale = 320 / max(h, w)
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    light = np.maximum(np.percentile(small.reshape(-1, 3), 96, axis=0), 60)
    darkest = np.min(small / light, axis=2).astype(np.float32)
    window = 2 * round(0.5 * WINDOW * 320) + 1
    haze = np.clip(KEPT * cv2.erode(darkest, np.ones((window, window), np.uint8)), 0, 1)
    wet = np.zeros_like(depth) if water is None else water
    ground = (filters.resize(sky, *size) < 0.3) & (filters.resize(wet, *size) < 0.3)
    by_depth = 1 - depth
    if not ground.any():
        return by_depth.astype(np.float32)
    most = float(np.percentile(haze[ground], 92))
    fine = refine(np.clip(haze / max(most, 0.1), 0, 1).astype(np.float32), rgb, radius=0.02, eps=2e-3)
    share = 0.75 * float(smoothstep(np.array((most - HAZY[0]) / (HAZY[1] - HAZY[0]))))
    guessed = filters.resize(by_depth, *size)[ground]
    if float(guessed.std()) > 0.02 and float(haze[ground].std()) > 0.02:  # else nothing speaks against it
        grows = float(np.corrcoef(guessed, haze[ground])[0, 1])
        share *= float(smoothstep(np.array((grows - GROWS[0]) / (GROWS[1] - GROWS[0]))))
    tells = np.float32(share) * (1 - wet)
    far = (1 - tells) * by_depth + tells * fine
    return np.asarray(np.clip(np.maximum(far, 0.9 * sky), 0, 1), np.float32)


def measure_standing(mask: F32, depth: F32) -> F32:
    """How far off the parts of a mask stand, each as one upright thing: float32 (h, w), 0 where they are near, up to 1.
    mask: float32 (h, w), 0..1; depth: as that of `measure_distance`.

    A cliff is as far as the ground at its foot, however large it is; what stands on the picture's lower rim is near."""
    h, w = mask.shape
    size = (max(2, w // 4), max(2, h // 4))
    count, labels = cv2.connectedComponents((filters.resize(mask, *size) > 0.5).astype(np.uint8), connectivity=8)
    away = 1 - filters.resize(depth, *size)
    far = np.zeros(count, np.float32)
    for part in range(1, count):
        here = labels == part
        columns = np.flatnonzero(here.any(axis=0))
        feet = size[1] - 1 - np.argmax(here[::-1], axis=0)[columns]
        # Feet, not the belly between them.
        row = int(np.percentile(feet, 90)) + round(FOOT * size[1])
        if row < size[1]:
            stands = float(np.median(away[row, columns]))
            # It rises from there, and what it rises to is farther still.
            far[part] = 0.5 * (1 + stands) * smoothstep(np.array((stands - FAR_OFF[0]) / (FAR_OFF[1] - FAR_OFF[0])))
    # Beyond its outline a part goes on, or a rim of it would be near.
    grown = cv2.dilate(far[labels], np.ones((7, 7), np.uint8))
    return filters.resize(grown, w, h)
