"""Easing curves: how a share of the way is travelled in a share of the time. Pure numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.media import F64


def smooth(x: NDArray[Any]) -> NDArray[np.float64]:
    """0 below 0, 1 above 1, between them without a kink at either end (Perlin's quintic)."""
    t = np.clip(np.asarray(x, np.float64), 0, 1)
    return t * t * t * (t * (t * 6 - 15) + 10)


def smoother(u: F64) -> F64:
    """Quintic easing 0..1 -> 0..1 with zero speed and acceleration at both ends (Perlin 2002)."""
    u = np.clip(u, 0.0, 1.0)
    return u * u * u * (u * (6 * u - 15) + 10)


def glide(u: F64, *, ramp: float = 0.2) -> F64:
    """0..1 -> 0..1 at constant speed but for the first and last `ramp` of the way; the speed itself is eased.

    The speed is smoother(u / ramp) going in, its mirror going out; this is its integral, in closed form.
    """
    u = np.clip(u, 0.0, 1.0)

    def gone(v: F64) -> F64:  # integral of smoother from 0 to v, v in 0..1; 1/2 at v = 1
        return v**4 * (v * (v - 3) + 2.5)

    into = np.clip(u / ramp, 0, 1)
    out = np.clip((1 - u) / ramp, 0, 1)
    steady = np.clip(u, ramp, 1 - ramp) - ramp
    travelled = ramp * gone(into) + steady + ramp * (0.5 - gone(out))
    return travelled / (1 - ramp)
