"""Rough sea: its crests and foam run toward the viewer, faster the nearer they are. Waves that only distort the picture
(water.py) leave every crest of it in its place. The dark mirror image of what stands before the sky is no crest: it
stays where it is, and so does the wet sand that it cuts off from the sea.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.stream import Current
from vivant.engines.diorama.motion.ambient.water import force
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32

ROUGH: Final = 0.3  # roughness from which a sea has crests of its own; below it is a mirror, and mirrors do not slide
SPEED: Final = 45.0  # px per second at the near edge, at 720p, strength 0.5
PERIOD: Final = 1.2  # seconds: longer ones stretch crests, shorter ones soften them
ASIDE: Final = 0.2  # of the speed, with the wind
GRAIN: Final = 30.0  # quarter samples at 720p, see Current
FASTEST: Final = 75.0  # px per second at 720p: what travels farther in its period is combed into threads
BREAKING: Final = 0.7  # of the speed, by which water comes in faster that has twice the usual contrast
UNEVEN: Final = 0.25  # of the speed: not all of a crest arrives at once
DARK: Final = (0.68, 0.5)  # of the light of its row: from which on a thing, and its mirror image, is dark, and wholly
SHORT: Final = (1.0, 0.8, 0.6)  # times as high as the thing that its mirror image may be
AT_SEA: Final = 0.04  # heights below the waterline that what is sea reaches up to
LEAST: Final = 0.02  # of what is mirrored, share of the weights: less is a dark wave below a dark boat


def make_current(
    air: Air, weight: F32, waterline: float, strength: float, sea: float, luma: F32, standing: F32 | None = None
) -> Current | None:
    """The drift of level water, None where it is too calm. weight: float32 on the quarter grid, 0..1. waterline: row,
    pixels. strength: 0..1. sea: 0 a lake .. 1 surf. luma: float32 on the quarter grid. standing: 0..1 on it, where
    something hides the sky; what of that is mirrored stays."""
    share = min(1.0, max(0.0, (sea - ROUGH) / 0.25))
    if share == 0 or weight.max() < 0.5:
        return None
    if standing is not None:
        weight = _without_mirrored(weight, find_mirrored(luma, standing, waterline) * (weight > 0), waterline)
        if weight.max() < 0.5:
            return None
    rows = float(STEP) * np.arange(weight.shape[0])[:, None]
    near = np.clip((rows - waterline) / max(8.0, air.height - waterline), 0, 1)
    # Wide and low, as crests are: smaller eddies curl them like marbled paper.
    uneven = filters.blur(rng(air.seed, "swell").normal(size=weight.shape), 40.0 * air.scale, 10.0 * air.scale)
    uneven = np.clip(uneven / (float(uneven.std()) + 1e-9), -1.5, 1.5)
    speed = SPEED * air.scale * force(strength) * share * (0.62 + 0.38 * near) * weight
    # What breaks comes in faster than what heaves, also far out.
    busy = filters.blur(np.abs(luma - filters.blur(luma, 3.0)), 5.0)
    usual = float((busy * weight).sum() / weight.sum()) + 1e-3
    speed *= 1 + UNEVEN * uneven + BREAKING * np.clip(busy / usual - 1, 0, 1)
    fastest = FASTEST * air.scale
    speed = fastest * np.tanh(speed / fastest)
    return Current(
        (ASIDE * air.side * speed).astype(np.float32),
        speed.astype(np.float32),
        np.sqrt(weight),
        PERIOD,
        air.flowed,
        grain=GRAIN * air.scale,
    )


def find_mirrored(luma: F32, standing: F32, waterline: float) -> F32:
    """Dark mirror images of what stands before the sky: float32 on the quarter grid, 0..1. Dark is what is darker than
    most of its own row; sea and sky are so from side to side, a rock is not. Arguments as those of `make_current`."""
    rows, columns = luma.shape
    usual = np.percentile(luma, 75, axis=1, keepdims=True).astype(np.float32)
    share = (luma - 16) / np.maximum(usual - 16, 16)
    dark = filters.blur(np.clip((DARK[0] - share) / (DARK[0] - DARK[1]), 0, 1), 1.0)
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    line = waterline / STEP
    things = (dark * standing * (y < line)).astype(np.float32)
    # They stand on the shore or in the sea; clouds do not.
    _, labels = cv2.connectedComponents((things > 0.5).astype(np.uint8))
    foot = labels[max(0, round(line) - 4) : max(1, round(line))]
    things *= np.isin(labels, np.setdiff1d(np.unique(foot), 0))
    nearer = line + AT_SEA * rows  # the sea itself is far, and what breaks there runs
    found = np.zeros_like(luma)
    for short in SHORT:
        mirrored = (line - (y - line) / short).astype(np.float32)
        found = np.maximum(found, filters.sample(things, x, mirrored) * ((y > nearer) & (mirrored >= 0)))
    return np.asarray(np.clip(3 * filters.blur(found * dark, 1.5), 0, 1) * (y > nearer), np.float32)


def _without_mirrored(weight: F32, mirrored: F32, waterline: float) -> F32:
    """Weights without the mirror images, and without what these cut off from the sea. Float32, 0..1, each."""
    if float((mirrored > 0.5).sum()) < LEAST * float((weight > 0.5).sum()):
        return weight
    left = weight * (1 - mirrored)
    _, labels = cv2.connectedComponents((left > 0.3).astype(np.uint8), connectivity=4)
    far = round(waterline / STEP + AT_SEA * weight.shape[0])
    at_sea = np.isin(labels, np.setdiff1d(np.unique(labels[: far + 1]), 0))
    kept = cv2.erode(at_sea.astype(np.float32), np.ones((3, 3), np.uint8))
    return np.asarray(np.minimum(left, filters.blur(kept, 2.0)), np.float32)
