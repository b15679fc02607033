"""Checks that values make when they are built. Each refuses with a ValueError that says what is allowed."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any, get_args

import numpy as np


def check_choice(name: str, value: object, choices: Any) -> None:
    """`value` is one of the strings of a Literal type."""
    allowed = get_args(choices)
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}; it is {value!r}.")


def check_number(name: str, value: object, low: float = -inf, high: float = inf) -> None:
    """`value` is a finite int or float from `low` to `high`."""
    right = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and low <= value <= high
    if not right:
        raise ValueError(f"{name} must be a number{_range(low, high)}; it is {value!r}.")


def check_whole(name: str, value: object, low: float = -inf, high: float = inf) -> None:
    """`value` is an int (and no bool) from `low` to `high`."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number{_range(low, high)}; it is {value!r}.")


def check_type(name: str, value: object, kind: type) -> None:
    """`value` is of that class; True and False are no numbers."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} must be of type {kind.__name__}; it is {value!r}.")


def check_tuple(name: str, value: object, kind: type) -> None:
    """`value` is a tuple and everything in it is of that class; True and False are no numbers."""
    right = isinstance(value, tuple) and all(isinstance(item, kind) and type(item) is not bool for item in value)
    if not right:
        raise ValueError(f"{name} must be a tuple of {kind.__name__}; it is {value!r}.")


def check_array(
    name: str, value: object, dtype: type, shape: tuple[int | None, ...], low: float = -inf, high: float = inf
) -> None:
    """`value` is an array of that dtype and shape (None: any length), all of it finite and from `low` to `high`."""
    if not isinstance(value, np.ndarray) or value.dtype != dtype or not _fits(value.shape, shape):
        found = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else repr(value)
        wanted = ", ".join("n" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} must be a {np.dtype(dtype)} array of shape ({wanted}); it is {found}.")
    if not value.size:
        return
    least, most = value.min(), value.max()  # NaN if there is one
    if not (isfinite(least) and isfinite(most) and low <= least and most <= high):
        raise ValueError(f"{name} must be finite{_range(low, high)}; it goes from {least} to {most}.")


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(w in (None, s) for s, w in zip(shape, wanted, strict=True))


def _range(low: float, high: float) -> str:
    if low == -inf and high == inf:
        return ""
    if low == high:
        return f" equal to {low}"
    if high == inf:
        return f" of at least {low}"
    return f" from {low} to {high}"
