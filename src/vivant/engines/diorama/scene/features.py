"""A small copy of the picture and what is measured on it, from which regions are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.media import F32, U8

SMALL: Final = 256  # long side of the copy that is looked at


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A small copy of the picture and what is measured on it. Arrays are float32 (h, w) of the small size."""

    rgb: F32  # (h, w, 3), 0..1
    lab: F32  # (h, w, 3): L 0..100, a and b about 0
    busy: F32  # local standard deviation of L
    upright: F32  # share of local gradient energy that is vertical edges (0..1); streaks of water have little
    subject: F32  # 0..1
    drawn: float  # 0..1: how surely it is a drawing

    @property
    def shape(self) -> tuple[int, int]:
        return self.busy.shape


def extract_features(rgb: U8, matte: F32, *, drawn: float) -> Features:
    """The small copy of RGB uint8 (h, w, 3). matte: float32 (h, w), 0..1; drawn: see drawing.py."""
    h, w = rgb.shape[:2]
    scale = SMALL / max(h, w)
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    light = lab[..., 0]
    mean = cv2.GaussianBlur(light, (0, 0), 2)
    busy = np.sqrt(np.maximum(cv2.GaussianBlur(light * light, (0, 0), 2) - mean * mean, 0))
    gx, gy = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    ex, ey = cv2.GaussianBlur(gx * gx, (0, 0), 4), cv2.GaussianBlur(gy * gy, (0, 0), 4)
    upright = ex / (ex + ey + 1e-3)
    subject = cv2.resize(matte, size, interpolation=cv2.INTER_AREA)
    return Features(
        rgb=np.asarray(small, np.float32),
        lab=np.asarray(lab, np.float32),
        busy=np.asarray(busy, np.float32),
        upright=np.asarray(upright, np.float32),
        subject=np.asarray(subject, np.float32),
        drawn=drawn,
    )


def measure_separation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Distance of the means of two sets of colours, (n, 3) each, in their pooled standard deviations."""
    spread = np.sqrt(0.5 * (one.var(0) + other.var(0)) + 9.0)
    return float(np.linalg.norm((one.mean(0) - other.mean(0)) / spread))
