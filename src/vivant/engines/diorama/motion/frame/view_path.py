"""The camera's way from the view of a first picture to that of a last one. Knows geometry, not pixels, and no time but
the share of the way.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.interpolate import CubicSpline

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.scene.registration import apply
from vivant.media import F64

TIGHTEST: Final = 1.45  # by which the view may narrow on the way so that it shows nothing that neither picture has
_NODES: Final = 49  # shares of the way at which this is found
_EDGE: Final = 1.0  # pixels that the view keeps from the border of a picture


class ViewPath:
    """At share 0 the view of the first picture, at 1 that of the last; exact at both, and steady between.

    A view is a homography, float64 (3, 3), from output pixels to pixels of a picture. The way is the one-parameter
    group through the last view, exp(s · log V): of a zoom it is the steady zoom about its fixed point, of a turning
    camera the steady turn."""

    def __init__(self, view: F64, size: tuple[int, int]) -> None:
        """view: float64 (3, 3), from pixels of the first picture to those of the last; size: (width, height)."""
        self._view = view
        self._size = size
        w, h = size
        # The logarithm is taken in units of the width from the middle, where all its entries are of one order.
        unit = np.array([[w, 0, (w - 1) / 2], [0, w, (h - 1) / 2], [0, 0, 1]], np.float64)
        self._unit, self._inverse = unit, np.linalg.inv(unit)
        back = self._inverse @ np.linalg.inv(view) @ unit
        back = back / np.cbrt(np.linalg.det(back))
        self._log = _logarithm(back)
        shares = np.linspace(0, 1, _NODES)
        need = np.array([self._find_tightness(s) for s in shares])
        self.tightest = float(need.max())
        wide = cv2.dilate(need[None], np.ones((1, 7)))[0]
        soft = cv2.GaussianBlur(wide[None], (0, 0), 3.0, borderType=cv2.BORDER_REPLICATE)[0]
        near_end = np.minimum(shares, 1 - shares)
        self._tightness = CubicSpline(shares, 1 + (soft - 1) * smoothstep(near_end / 0.08))

    def first(self, share: float) -> F64:
        """Where output pixels look in the first picture, float64 (3, 3)."""
        if share <= 0:
            return np.eye(3)
        narrow = self._narrow(float(self._tightness(share)))
        return np.asarray(self._at(share) @ narrow, np.float64)

    def last(self, share: float) -> F64:
        """And in the last one."""
        return np.eye(3) if share >= 1 else np.asarray(self._view @ self.first(share), np.float64)

    @property
    def travel(self) -> float:
        """The farthest that a corner of the picture moves on the way, in widths."""
        w, h = self._size
        corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64)
        return float(np.hypot(*(apply(self._view, corners) - corners).T).max()) / w

    def _at(self, share: float) -> F64:
        moved = self._unit @ _exponential(share * self._log) @ self._inverse
        return np.asarray(moved / moved[2, 2], np.float64)

    def _narrow(self, factor: float) -> F64:
        x, y = (side / 2 - 0.5 for side in self._size)
        return np.array([[1 / factor, 0, x - x / factor], [0, 1 / factor, y - y / factor], [0, 0, 1]])

    def _find_tightness(self, share: float) -> float:
        """The least factor by which the view must narrow so that each of its points is in one of the pictures."""
        w, h = self._size
        x, y = np.meshgrid(np.linspace(0, w - 1, 25), np.linspace(0, h - 1, 17))
        points = np.stack([x.ravel(), y.ravel()], 1)
        here = self._at(share)
        for factor in np.arange(1.0, 2.0, 0.01):
            seen = apply(here @ self._narrow(float(factor)), points)
            if (self._is_inside(seen) | self._is_inside(apply(self._view, seen))).all():
                return float(factor)
        return 2.0

    def _is_inside(self, points: F64) -> NDArray[np.bool_]:
        w, h = self._size
        x, y = points[:, 0], points[:, 1]
        return (x >= -_EDGE) & (x <= w - 1 + _EDGE) & (y >= -_EDGE) & (y <= h - 1 + _EDGE)


def _logarithm(matrix: F64) -> F64:
    """The real logarithm of a matrix near the identity, float64 (3, 3). Raises ValueError where it has none."""
    found = linalg.logm(matrix)
    if np.iscomplexobj(found) and np.abs(found.imag).max() > 1e-6:
        raise ValueError("The view has no real logarithm: it is turned over or turned by half a circle.")
    return np.asarray(found.real, np.float64)


def _exponential(matrix: F64) -> F64:
    """exp of a matrix, float64 (3, 3): its series, of a power of two of its part, squared again. For one this small it
    takes a fiftieth of the time of scipy's."""
    halvings = max(0, int(np.ceil(np.log2(max(float(np.abs(matrix).sum(1).max()), 1e-12)))) + 3)
    small = matrix / 2**halvings
    total, term = np.eye(3), np.eye(3)
    for k in range(1, 10):  # of norm under 1/8: the tenth term is under 1e-15
        term = term @ small / k
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total
