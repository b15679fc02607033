"""Fades and edges: gains over time that let a sound begin and end without a click. Knows no sound."""

from __future__ import annotations

import numpy as np

from vivant.media import F32


def fade_in(n: int) -> F32:
    """Half a cosine from 0 to 1: float32 (n,)."""
    return np.asarray(0.5 - 0.5 * np.cos(np.linspace(0, np.pi, n)), np.float32)


def fade_out(n: int) -> F32:
    """Half a cosine from 1 to 0: float32 (n,)."""
    return np.asarray(0.5 + 0.5 * np.cos(np.linspace(0, np.pi, n)), np.float32)


def straight_edges(n: int, edge: float) -> F32:
    """1, with a straight rise over the first `edge` samples and a straight fall over the last: float32 (n,)."""
    return np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / edge, 0, 1).astype(np.float32)


def straight_end(n: int, edge: float) -> np.ndarray:
    """1, with a straight fall over the last `edge` samples: float64 (n,)."""
    return np.clip((n - np.arange(n)) / edge, 0, 1)
