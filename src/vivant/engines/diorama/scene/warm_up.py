"""Compiles the kernels that every look at a picture runs, or loads them from the cache, before the first job. Called by
the engine's setup."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.engines.diorama.scene import features, guided_filter, mirrors, pupils, quays, regions
from vivant.engines.diorama.scene.body import warm_up_body
from vivant.media import fit


def warm_up_looking() -> None:
    """Some milliseconds when the cache is filled."""
    warm_up_body()
    picture = np.full((64, 96, 3), 60, np.uint8)
    picture[:28] = (150, 180, 230)
    cv2.ellipse(picture, (48, 44), (7, 5), 0, 0, 360, (5, 5, 5), -1)
    rgb = fit(picture, 144, 96)
    seen = features.extract_features(rgb, np.zeros((96, 144), np.float32), drawn=0.0)
    regions.find_sky(seen, rgb, indoors=0.0)
    mirrors.measure_mirrors(seen)
    quays.find_quayside(seen)
    for one in (rgb, rgb.copy()):  # only the second can be written to, and each is a type of its own
        guided_filter.refine(seen.subject, one)
    pupils.find_pupils(np.ascontiguousarray(rgb[..., 0]), np.ones((96, 144), np.bool_))
