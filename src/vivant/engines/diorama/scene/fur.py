"""How much of a subject bears fine texture, as fur and feathers do all over: paint, glass and skin have bare places."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.media import F32

# Share of the subject with texture, from which it may be fur. Of nine photographed animals the furry and feathered ones
# have 0.98 to 1.00; a car 0.71, a gamepad 0.61, a fish 0.77. Rocks and flowers have as much as fur: it proves nothing
# alone.
FURRY: Final = 0.95
FINE: Final = 1.5  # pixels: deviation of the blur whose difference from the picture is its fine texture
NEAR: Final = 13  # pixels: side of the square over which it is averaged
LEAST: Final = 1.0  # mean difference, L of Lab of 0..255, from which a place is textured
RIM: Final = 9  # pixels: side of the square by which the outline, whose contrast is no texture, is left out


def measure_fur(light: F32, inside: NDArray[np.bool_]) -> float:
    """Share of the subject that bears fine texture, 0..1. light: float32 (h, w), L of Lab, 0..255, of the subject at a
    few hundred pixels; inside: bool (h, w), the subject."""
    core = cv2.erode(inside.astype(np.uint8), np.ones((RIM, RIM), np.uint8)) > 0
    if not core.any():
        return 0.0
    fine = np.abs(light - cv2.GaussianBlur(light, (0, 0), FINE))
    return float((cv2.blur(fine, (NEAR, NEAR))[core] > LEAST).mean())
