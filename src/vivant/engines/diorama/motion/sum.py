"""The running total of one frame: every motion adds its displacement and multiplies its light into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.engines.diorama.motion.fields import Field
from vivant.media import F32


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """Arrays on the quarter grid: dx, dy in canvas pixels, gain about 1. Filled in place by the motions of a frame."""

    dx: F32
    dy: F32
    gain: F32

    @classmethod
    def nothing(cls, width: int, height: int) -> Sum:
        shape = (-(-height // 4), -(-width // 4))
        return cls(np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.ones(shape, np.float32))

    def field(self) -> Field:
        return Field(self.dx, self.dy, self.gain)
