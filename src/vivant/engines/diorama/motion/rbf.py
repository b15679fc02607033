"""Smooth interpolation of scattered vectors: radial basis functions with an affine part. Knows no faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def spread(centres: F64, values: F64, at: F64, *, soft: float, stiff: float = 1e-3) -> F64:
    """Values (n, k) given at centres (n, 2), carried smoothly to `at` (m, 2) -> (m, k).

    φ(r) = √(r² + soft²) plus an affine part (Hardy's multiquadrics, 1971). `soft` has the unit of the centres; `stiff`
    trades exactness at the centres for calm between them, and keeps coincident centres harmless.
    """
    n = len(centres)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _phi(centres, centres, soft) - stiff * np.eye(n)
    system[:n, n] = 1
    system[:n, n + 1 :] = centres
    system[n:, :n] = system[:n, n:].T
    right = np.zeros((n + 3, values.shape[1]))
    right[:n] = values
    weights = np.linalg.solve(system, right)
    carried: F64 = _phi(at, centres, soft) @ weights[:n] + weights[n] + at @ weights[n + 1 :]
    return carried


def _phi(a: F64, b: F64, soft: float) -> F64:
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * (a @ b.T)
    phi: F64 = np.sqrt(np.maximum(squared, 0) + soft * soft)
    return phi
