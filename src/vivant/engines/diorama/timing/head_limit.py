"""How far a head may be turned in all: as far as a picture that was taken from one side holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from vivant.media import F64

LIMIT: Final = 16.0  # degrees, |yaw| + |pitch| + |roll|
TURNS: Final = ("yaw", "pitch", "roll")


def hold_within(head: Mapping[str, F64], limit: float | F64 = LIMIT) -> dict[str, F64]:
    """head with its yaw, pitch and roll, degrees, float64 (frames,), such that together they stay within `limit`: less
    and less of them the nearer to it, so that nothing stops there."""
    total = sum((np.abs(head[name]) for name in TURNS), np.zeros(len(head["yaw"])))
    scale = (1 + (total / limit) ** 6) ** (-1 / 6)
    return {**head, **{name: head[name] * scale for name in TURNS}}
