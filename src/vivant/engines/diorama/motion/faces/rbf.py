"""Smooth interpolation of scattered vectors: radial basis functions with an affine part. Knows no faces.

The system is solved here and not by LAPACK, whose sums depend on the number of its threads: equal arguments must give
equal bits.
"""

from __future__ import annotations

import math

import numpy as np

from vivant.engines.diorama.kernels import kernel
from vivant.media import F64


def interpolate(centres: F64, values: F64, at: F64, *, soft: float, stiff: float = 1e-3) -> F64:
    """Values, float64 (n, k), given at centres (n, 2), interpolated at `at` (m, 2) -> (m, k).

    φ(r) = √(r² + soft²) plus an affine part (Hardy's multiquadrics, 1971). soft: in the unit of the centres. stiff: how
    much smoothness counts against exactness at the centres; above 0, equal centres do no harm.
    """
    n = len(centres)
    x, y = centres[:, 0], centres[:, 1]
    system = np.zeros((n + 3, n + 3 + values.shape[1]))
    system[:n, :n] = np.sqrt((x[:, None] - x) ** 2 + (y[:, None] - y) ** 2 + soft * soft) - stiff * np.eye(n)
    system[:n, n] = system[n, :n] = 1
    system[:n, n + 1] = system[n + 1, :n] = x
    system[:n, n + 2] = system[n + 2, :n] = y
    system[:n, n + 3 :] = values
    _eliminate(system)
    out = np.empty((len(at), values.shape[1]))
    _evaluate(
        np.ascontiguousarray(centres), np.ascontiguousarray(system[:, n + 3 :]), np.ascontiguousarray(at), soft, out
    )
    return out


def warm_up() -> None:
    """Compile this module's kernels."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    interpolate(corners, corners, corners, soft=0.1)


@kernel
def _eliminate(system: F64) -> None:
    """Solve in place: system (n, n + k) holds the matrix and k right sides; afterwards these hold the solutions."""
    n, width = system.shape
    for i in range(n):
        best = i
        for r in range(i + 1, n):
            if abs(system[r, i]) > abs(system[best, i]):
                best = r
        if best != i:
            for c in range(width):
                system[i, c], system[best, c] = system[best, c], system[i, c]
        for r in range(i + 1, n):
            share = system[r, i] / system[i, i]
            for c in range(i, width):
                system[r, c] -= share * system[i, c]
    for i in range(n - 1, -1, -1):
        for c in range(n, width):
            system[i, c] /= system[i, i]
        for r in range(i):
            share = system[r, i]
            for c in range(n, width):
                system[r, c] -= share * system[i, c]


@kernel
def _evaluate(centres: F64, weights: F64, at: F64, soft: float, out: F64) -> None:
    n, count = len(centres), weights.shape[1]
    for i in range(len(at)):
        x, y = at[i, 0], at[i, 1]
        for k in range(count):
            out[i, k] = weights[n, k] + weights[n + 1, k] * x + weights[n + 2, k] * y
        for j in range(n):
            phi = math.sqrt((x - centres[j, 0]) ** 2 + (y - centres[j, 1]) ** 2 + soft * soft)
            for k in range(count):
                out[i, k] += weights[j, k] * phi
