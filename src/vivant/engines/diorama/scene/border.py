"""How visible mirroring would be at each border of a picture. Beyond its borders a picture is continued by its mirror
image: unnoticed in sky, grass or walls, but an edge that crosses the border at a slant becomes a V. Knows no motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama.checks import check_number
from vivant.media import U8

_SMALL: Final = 320  # long side of the copy that is looked at
_STRIP: Final = 4  # pixels of that copy along each border
_VISIBLE: Final = (2.5, 6.5)  # slanted edges, in Lab per pixel of that copy: unnoticed, and clearly visible


@dataclass(frozen=True, slots=True)
class Borders:
    """Per side 0..1: 1 where the mirrored picture goes unnoticed. Raises ValueError for others."""

    left: float = 1.0
    right: float = 1.0
    top: float = 1.0
    bottom: float = 1.0

    def __post_init__(self) -> None:
        for name in ("left", "right", "top", "bottom"):
            check_number(f"Borders.{name}", getattr(self, name), 0, 1)


def judge_borders(rgb: U8) -> Borders:
    """Judge the four borders of RGB uint8 (h, w, 3) by the strongest edges that cross them at a slant."""
    scale = _SMALL / max(rgb.shape)
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab: Any = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), 1.2)
    gx: Any = cv2.Sobel(lab, cv2.CV_32F, 1, 0) / 8
    gy: Any = cv2.Sobel(lab, cv2.CV_32F, 0, 1) / 8
    # The off-diagonal of the structure tensor: edges along or across the border have none.
    slanted = np.sqrt(np.abs(cv2.GaussianBlur(gx * gy, (0, 0), 2.0)).sum(-1))

    def tolerance(strip: Any) -> float:
        """0..1, by the strongest fiftieth of the border's length."""
        low, high = _VISIBLE
        return float(np.clip((high - np.percentile(strip, 98)) / (high - low), 0, 1))

    n = _STRIP
    return Borders(
        left=tolerance(slanted[:, 1:n].max(1)), right=tolerance(slanted[:, -n:-1].max(1)),
        top=tolerance(slanted[1:n].max(0)), bottom=tolerance(slanted[-n:-1].max(0)),
    )  # fmt: skip
