"""The lens of weather and particles: how large something at a depth appears, and how far out of focus. Arrays are
float64 (n,), one number for each particle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.motion.ambient.air import Air

FOCAL: Final = 1.2  # focal length in canvas short sides: a normal lens


@dataclass(frozen=True, slots=True)
class Lens:
    """focal: pixels. focus: metres, where it is sharp. open: pixels of blur radius per dioptre off focus."""

    focal: float
    focus: float
    open: float

    @classmethod
    def of(cls, air: Air, focus: float, open_at_720p: float) -> Lens:
        return cls(FOCAL * min(air.width, air.height), focus, open_at_720p * air.scale)

    def pixels(self, z: NDArray[Any]) -> NDArray[np.float64]:
        """Pixels per metre at depth z, metres; float64 of the same shape."""
        return np.asarray(self.focal / z, np.float64)

    def blur(self, z: NDArray[Any]) -> NDArray[np.float64]:
        """Radius of the circle of confusion at depth z, pixels; float64 of the same shape."""
        return np.asarray(self.open * np.abs(1 / z - 1 / self.focus), np.float64)


# What leaves below comes in again above, farther aside by this share of the width: the golden ratio repeats latest.
GOLDEN: Final = 0.6180339887


def wrap_around(
    place: NDArray[Any], travel: NDArray[Any], room: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions that wrap around, all (n,): started at share `place` (0..1) of `room` pixels and moved by `travel`
    pixels -> (position, 0..room; how often it has wrapped)."""
    went = place + travel / room
    again = np.floor(went)
    return (went - again) * room, again
