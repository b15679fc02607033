"""Compiled loops: typed wrappers of numba, and the scalar functions that several loops share.

A compiled function is cached on disk and releases the GIL, so that threads paint frames at the same time. numba does
not notice a change in a function that a kernel of another file calls: after editing one here, delete `__pycache__`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")
Records = NDArray[np.void]  # a structured array: the parameters of many things of one kind, one record each


def record_type(*names: str) -> np.dtype[np.void]:
    """The dtype of a record of float32 numbers. Kernels read them by name: `records[i]["radius"]`."""
    return np.dtype([(name, np.float32) for name in names])


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at first call. Arithmetic is done in the order in which it stands."""
    return cast(Callable[P, R], numba.njit(nogil=True, cache=True)(function))


def fast_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """The same, but the compiler may reorder arithmetic to use SIMD, and assumes that there is no NaN and no infinity.
    The result is the same in every run on one machine."""
    return cast(Callable[P, R], numba.njit(nogil=True, cache=True, fastmath=True)(function))


def inline_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A fast kernel that is written into the loop of its caller, which can only then use SIMD."""
    return cast(Callable[P, R], numba.njit(nogil=True, cache=True, fastmath=True, inline="always")(function))


def compiled_signatures(function: Callable[..., Any]) -> list[Any]:
    """The argument types for which a kernel has been compiled so far."""
    return list(cast(Any, function).signatures)


# Scalars are Any where both float32 and float64 are meant: numba compiles the function for each.


@inline_kernel
def sine(turns: Any) -> Any:
    """sin(2π·turns) within 1.1e-3, float32: a parabola through the zeros and peaks, then the same again to round its
    shoulders (0.775 and 0.225 minimise the largest error). No branch and no table, so that loops use SIMD."""
    x = turns - np.floor(turns + np.float32(0.5))
    s = x * (np.float32(8) - np.float32(16) * abs(x))
    return s * (np.float32(0.775) + np.float32(0.225) * abs(s))
