"""The lens before which small things float: how large something at a depth appears, and how much out of focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.motion.ambient.air import Air

FOCAL: Final = 1.2  # in canvas short sides: a normal lens


@dataclass(frozen=True, slots=True)
class Lens:
    """focal: pixels. focus: metres, where it is sharp. open: px of blur radius per dioptre off focus."""

    focal: float
    focus: float
    open: float

    @classmethod
    def of(cls, air: Air, focus: float, open_at_720p: float) -> Lens:
        return cls(FOCAL * min(air.width, air.height), focus, open_at_720p * air.scale)

    def pixels(self, z: NDArray[Any]) -> NDArray[np.float64]:
        """Pixels per metre at depth z (metres)."""
        return np.asarray(self.focal / z, np.float64)

    def blur(self, z: NDArray[Any]) -> NDArray[np.float64]:
        """Radius of the circle of confusion at depth z, pixels."""
        return np.asarray(self.open * np.abs(1 / z - 1 / self.focus), np.float64)


GOLDEN: Final = 0.6180339887  # of a room's width: where what falls again and again comes in next


def around(
    place: NDArray[Any], travel: NDArray[Any], room: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where something is that started at share `place` (0..1) of `room`, went `travel` and came in again at the other
    end: (position within room, how often it came in again)."""
    went = place + travel / room
    again = np.floor(went)
    return (went - again) * room, again
