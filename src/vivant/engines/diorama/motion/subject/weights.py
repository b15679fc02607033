"""How much of a part's motion each place of a subject follows: 1 on the part, 0 on what holds still, and between them
as heat would spread inside the outline, so that no seam is seen and a leg does not follow the head beside it.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.media import F32

COARSEST: Final = 12  # samples: side below which a grid is not halved again
ROUNDS: Final = 40  # of spreading on each grid
INSIDE: Final = 0.35  # share of a coarse sample that must be inside for it to conduct

Mask = NDArray[np.bool_]


def spread(inside: Mask, held: Mask, moved: Mask) -> F32:
    """float32, 0..1, of the shape of the masks (2-D): 1 where `moved`, 0 where `held`, harmonic inside between them, 0
    where nothing conducts. The moved wins where both are."""
    fixed = np.where(moved, 1.0, 0.0).astype(np.float32)
    known = held | moved
    return np.asarray(_solve(inside.astype(np.float32), known.astype(np.float32), fixed), np.float32)


def _solve(inside: F32, known: F32, fixed: F32) -> F32:
    """Coarse grids first: what takes a thousand rounds on a fine one takes few there."""
    rows, columns = inside.shape
    if min(rows, columns) >= 2 * COARSEST:
        size = ((columns + 1) // 2, (rows + 1) // 2)
        share = filters.resize(known, *size)
        below = _solve(
            (filters.resize(inside, *size) > INSIDE).astype(np.float32),
            (share > 0.5).astype(np.float32),
            np.where(share > 0.5, filters.resize(fixed * known, *size) / np.maximum(share, 1e-6), 0).astype(np.float32),
        )
        values = filters.resize(below, columns, rows)
    else:
        values = np.zeros_like(inside)
    conducts = np.asarray(cv2.blur(inside, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)
    free = inside * (1 - known)
    for _ in range(ROUNDS):
        mean = cv2.blur(values * inside, (3, 3), borderType=cv2.BORDER_REPLICATE) / np.maximum(conducts, 1e-6)
        values = np.asarray(free * mean + known * fixed, np.float32)
    return values
