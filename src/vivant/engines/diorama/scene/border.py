"""How well each border of a picture bears being looked beyond, where there is only the picture mirrored: sky, grass and
walls go on; the slanted edge of a bowl would come back as a V. Knows nothing of motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from vivant.media import U8

_SMALL: Final = 320  # long side of the copy that is looked at
_STRIP: Final = 4  # pixels of it along each border
_SEEN: Final = (2.5, 6.5)  # slanted edges, in Lab per pixel of that copy: not noticed, and plainly a V


@dataclass(frozen=True, slots=True)
class Borders:
    """Per side 0..1: 1 where the mirrored picture goes unnoticed."""

    left: float = 1.0
    right: float = 1.0
    top: float = 1.0
    bottom: float = 1.0


def borders(rgb: U8) -> Borders:
    """Judge the four borders of RGB uint8 (h, w, 3) by the strongest edges that cross them at a slant."""
    scale = _SMALL / max(rgb.shape)
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab: Any = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), 1.2)
    gx: Any = cv2.Sobel(lab, cv2.CV_32F, 1, 0) / 8
    gy: Any = cv2.Sobel(lab, cv2.CV_32F, 0, 1) / 8
    # The off-diagonal of the structure tensor: edges along or across the border have none.
    slanted = np.sqrt(np.abs(cv2.GaussianBlur(gx * gy, (0, 0), 2.0)).sum(-1))

    def bears(strip: Any) -> float:
        """From the strongest fiftieth of the border's length."""
        low, high = _SEEN
        return float(np.clip((high - np.percentile(strip, 98)) / (high - low), 0, 1))

    n = _STRIP
    return Borders(
        left=bears(slanted[:, 1:n].max(1)), right=bears(slanted[:, -n:-1].max(1)),
        top=bears(slanted[1:n].max(0)), bottom=bears(slanted[-n:-1].max(0)),
    )  # fmt: skip
