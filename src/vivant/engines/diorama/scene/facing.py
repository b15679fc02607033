"""Which way a thing faces, from its outline: the bonnet of a car is lower than its cabin, a fin stands at the end of a
plane, a bow leans out farther than a stern, the bulk of a fish is at its head."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.scene.small_copy import Mask
from vivant.engines.diorama.storyboard import Drift, ThingKind

# Least unlikeness of the two ends, shares of the width: a smaller one may be chance.
_CABIN: Final = 0.035
_FIN: Final = 0.06
_BOW: Final = 0.08
_BULK: Final = 0.04


def find_facing(kind: ThingKind, solid: Mask) -> Drift:
    """The side to which a thing of that outline, bool (h, w), faces; "" where its ends are too much alike or its kind
    shows no front in an outline."""
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if len(rows) < 12 or len(columns) < 12:
        return ""
    own = solid[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if columns[0] == 0 or columns[-1] == solid.shape[1] - 1:
        return ""  # half an outline
    match kind:
        case "car":  # positive: the front is on the left
            ahead, least = _cabin(own), _CABIN
        case "plane":
            ahead, least = _fin(own), _FIN
        case "boat":
            ahead, least = _bow(own), _BOW
        case "fish":
            ahead, least = -_bulk(own), _BULK
        case _:
            return ""
    return "" if abs(ahead) < least else "left" if ahead > 0 else "right"


def _middle_of(own: Mask) -> float:
    """How far right of the middle of its box the pixels of a part are, in its widths."""
    columns = np.nonzero(own)[1]
    return float(columns.mean() + 0.5) / own.shape[1] - 0.5 if len(columns) else 0.0


def _cabin(own: Mask) -> float:
    return _middle_of(own[: max(1, round(0.4 * len(own)))])


def _bulk(own: Mask) -> float:
    return _middle_of(own)


def _fin(own: Mask) -> float:
    """By how much the right end stands higher than the left one."""
    tops = np.where(own.any(axis=0), own.argmax(axis=0), len(own))
    end = max(2, round(0.25 * own.shape[1]))
    return (int(tops[:end].min()) - int(tops[-end:].min())) / int(own.shape[1])


def _bow(own: Mask) -> float:
    """By how much the hull leans out farther to the left than to the right, between its widest row and its foot."""
    hull = own[round(0.6 * len(own)) :]
    widths = hull.sum(axis=1)
    widest = int(widths.argmax())
    low = min(len(hull) - 1, max(widest + 1, int(np.flatnonzero(widths)[-1]) - max(1, len(hull) // 10)))
    above, below = np.flatnonzero(hull[widest]), np.flatnonzero(hull[low])
    if not len(below):
        return 0.0
    return (int(below[0] - above[0]) - int(above[-1] - below[-1])) / int(own.shape[1])
