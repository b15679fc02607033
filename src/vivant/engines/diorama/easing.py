"""Easing curves: how a share of the way is travelled in a share of the time. Pure numbers, 0..1 to 0..1."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import inline_kernel
from vivant.media import F64

Real = TypeVar("Real", np.float32, np.float64)


def smoothstep(x: NDArray[Real]) -> NDArray[Real]:
    """0 up to 0, 1 from 1 on, between them with no speed at either end: the cubic 3t² - 2t³. Any shape, float32 or
    float64, which the result keeps."""
    t = np.clip(x, 0, 1)
    return t * t * (3 - 2 * t)


@inline_kernel
def smoothstep_scalar(x: Any) -> Any:
    """`smoothstep` of one number, for kernels. Its constants are float32, so that float32 stays float32."""
    t = min(max(x, np.float32(0)), np.float32(1))
    return t * t * (np.float32(3) - np.float32(2) * t)


def smootherstep(x: NDArray[Any]) -> F64:
    """Like `smoothstep`, but also without acceleration at its ends: the quintic 6t⁵ - 15t⁴ + 10t³ (Perlin, 2002). Any
    shape; float64."""
    t = np.clip(np.asarray(x, np.float64), 0, 1)
    return t * t * t * (t * (t * 6 - 15) + 10)


def glide(x: F64, *, ramp: float = 0.2, into: float | None = None) -> F64:
    """Constant speed, except in the first and last `ramp` (a share of the time), where the speed itself is eased; in
    the first `into` instead if that is given. float64, any shape.

    The speed is smootherstep(x / ramp) going in, its mirror going out; this is its integral, in closed form.
    """
    x = np.clip(x, 0.0, 1.0)

    def travel(t: F64) -> F64:  # integral of smootherstep from 0 to t, t in 0..1; 1/2 at t = 1
        return t**4 * (t * (t - 3) + 2.5)

    first = ramp if into is None else into
    begun = np.clip(x / first, 0, 1)
    left = np.clip((1 - x) / ramp, 0, 1)
    steady = np.clip(x, first, 1 - ramp) - first
    travelled = first * travel(begun) + steady + ramp * (0.5 - travel(left))
    return travelled / (1 - 0.5 * (first + ramp))
