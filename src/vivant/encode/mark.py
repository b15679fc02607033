"""The visible mark of `watermark: true`: "AI generated" in the bottom right corner of every frame."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vivant.media import Planes

TEXT: Final = "AI generated"
HEIGHT_SHARE: Final = 0.05  # of the shorter side: the minimum of GB 45438-2025 for a visible label
OPACITY: Final = 0.78
WHITE: Final = 235.0  # luma
NEUTRAL: Final = 128.0  # chroma


class VisibleMark:
    """The mark for one canvas size, drawn once and then blended into each frame. width, height: pixels, even."""

    def __init__(self, width: int, height: int) -> None:
        size = max(12, round(min(width, height) * HEIGHT_SHARE))
        font = ImageFont.load_default(size)  # Pillow's embedded font: the same letters on every machine
        left, top, right, bottom = font.getbbox(TEXT)
        margin = round(size * 0.7)
        box_w, box_h = _round_up_to_even(right - left + 2 * margin), _round_up_to_even(bottom - top + 2 * margin)
        ink = Image.new("L", (box_w, box_h), 0)
        ImageDraw.Draw(ink).text((box_w - (right - left) - margin - left, margin - top), TEXT, fill=255, font=font)
        letters = np.asarray(ink, np.float32) / 255
        # A soft dark halo keeps the white letters readable on a bright picture.
        halo = np.clip(cv2.GaussianBlur(letters, (0, 0), size / 7) * 1.6, 0, 1) * 0.45
        self._x, self._y = width - box_w, height - box_h
        self._letters = letters * OPACITY
        self._shade = (1 - halo) * (1 - self._letters)
        self._tint = cv2.resize(self._shade, (box_w // 2, box_h // 2), interpolation=cv2.INTER_AREA)

    def draw(self, frame: Planes) -> Planes:
        """A copy of the frame with the mark in its bottom right corner."""
        y, u, v = frame.y.copy(), frame.u.copy(), frame.v.copy()
        corner = y[self._y :, self._x :]
        corner[:] = np.rint((corner - 16.0) * self._shade + 16 + self._letters * (WHITE - 16))
        for plane in (u, v):
            tinted = plane[self._y // 2 :, self._x // 2 :]
            tinted[:] = np.rint((tinted - NEUTRAL) * self._tint + NEUTRAL)
        return Planes(y, u, v)


def _round_up_to_even(value: float) -> int:
    whole = math.ceil(value)
    return whole + whole % 2
