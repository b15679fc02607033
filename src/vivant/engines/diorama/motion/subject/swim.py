"""How a body that swims moves: a wave runs from the head to the tail and grows on the way, fins ripple, and the whole
hovers. Seen from the side the tail swings toward the viewer and away, which shortens and lengthens it.

The pushes are those of `pose.py`: per unit of their curves, canvas pixels on the quarter grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.scene.body import Body
from vivant.media import F32

# Lengths of the body: how far its tail is moved along the body and across it by a stroke, growing from the head as the
# power, and how long the wave is (carangiform swimmers: about one body length, the tail a tenth of it to either side).
ALONG, ACROSS, GROWS, WAVE = 0.034, 0.02, 2.3, 0.95
FIN: Final = (0.012, 0.11)  # lengths: how far fins ripple, and the length of their ripple
SOLID: Final = 0.3  # trunk radii: what is thinner than twice that is a fin
HOVER: Final = (0.014, 0.010)  # lengths: drift and bob of the whole

Mask = NDArray[np.bool_]


def make_swim(x: F32, y: F32, inside: Mask, body: Body) -> Mapping[str, tuple[F32, F32]]:
    """x, y: float32, canvas pixels of a grid; inside: bool, the subject on it."""
    points = np.stack([x[inside], y[inside]], -1)
    if len(points) < 8:
        return {}
    middle = points.mean(0)
    _, axes = np.linalg.eigh(np.cov((points - middle).T))
    axis = axes[:, 1]  # the long one
    # The head is where the eye is, else where the body is fatter.
    head = np.array([body.eyes[0].x, body.eyes[0].y] if body.eyes else [body.trunk.x, body.trunk.y])
    if np.dot(head - middle, axis) > 0:
        axis = -axis
    along = (x - middle[0]) * axis[0] + (y - middle[1]) * axis[1]
    first, last = (float(k) for k in np.percentile(along[inside], (1, 99)))
    length = max(8.0, last - first)
    place = np.clip((along - first) / length, 0, 1.2)
    size = length * place**GROWS
    shift = 2 * np.pi * place / WAVE
    right, down = ALONG * axis[0], ALONG * axis[1]
    right_across, down_across = -ACROSS * axis[1], ACROSS * axis[0]

    def wave(phase: NDArray[np.float32]) -> tuple[F32, F32]:
        # Along the body the tail shortens on its way to both sides; a quarter of the wave apart both read as one turn.
        forth, aside = np.sin(phase), np.sin(phase + 0.5 * np.pi)
        return (
            (size * (right * forth + right_across * aside)).astype(np.float32),
            (size * (down * forth + down_across * aside)).astype(np.float32),
        )

    # sin(wt - s) = sin(wt) cos(s) - cos(wt) sin(s)
    sine, cosine = wave(0.5 * np.pi - shift), wave(-shift)
    ripple = _find_fins(inside, body) * np.sin(2 * np.pi * along / (FIN[1] * length)) * (FIN[0] * length)
    still, whole = np.zeros_like(x), np.ones_like(x)
    return {
        "swim": sine,
        "swim_late": cosine,
        "fins": ((-axis[1] * ripple).astype(np.float32), (axis[0] * ripple).astype(np.float32)),
        "drift": (HOVER[0] * length * whole, still),
        "bob": (still, HOVER[1] * length * whole),
    }


def _find_fins(inside: Mask, body: Body) -> F32:
    """0..1: what stands out of the body's outline and is thin."""
    size = 2 * max(1, round(SOLID * body.trunk.radius / STEP)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    padded = np.pad(inside.astype(np.uint8), size, mode="edge")
    solid = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc)[size:-size, size:-size]
    away = cv2.distanceTransform((solid == 0).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(filters.blur(smoothstep(away / size).astype(np.float32) * inside, 1.5), np.float32)
