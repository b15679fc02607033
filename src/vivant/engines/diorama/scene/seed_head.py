"""Tells a flower that has gone to seed, as a dandelion has, by its shape: it has no petals' colour, but is a round head
on a thin stem. Knows nothing of motion."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.media import F32, U8

ROWS: Final = 180  # height of the copy that is judged
ROUND: Final = 0.78  # share of the smallest circle about it that a head fills at least: faces and bottles fill less
HEAD: Final = 0.7  # share of the whole that the head is at least
THIN: Final = 0.16  # half the width of the stem against the head's radius, at most
APART: Final = 6.0  # distance in Lab by which the stem stands out from both of its sides
LONG: Final = (1.1, 1.7)  # from and to how many radii below the head's middle its stem is looked for


def is_head_on_stem(mask: F32, rgb: U8) -> bool:
    """Whether a mask, float32 (h, w), 0..1, is a round head, and the picture, uint8 (h, w, 3), shows a thin stem that
    goes down from its middle, in the mask or not."""
    columns = max(8, round(mask.shape[1] * ROWS / mask.shape[0]))
    small = cv2.resize(mask, (columns, ROWS), interpolation=cv2.INTER_AREA)
    body = (small > 0.5).astype(np.uint8)
    area = int(body.sum())
    if area < 0.01 * body.size:
        return False
    size = max(3, round(0.5 * (area / np.pi) ** 0.5)) | 1
    head = cv2.morphologyEx(body, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    outlines, _ = cv2.findContours(head, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return False
    largest = max(outlines, key=cv2.contourArea)
    (x, y), radius = cv2.minEnclosingCircle(largest)
    if cv2.contourArea(largest) < max(ROUND * np.pi * radius**2, HEAD * area):
        return False
    small_rgb = np.asarray(cv2.resize(rgb, (columns, ROWS), interpolation=cv2.INTER_AREA), np.uint8)
    return _has_stem(small_rgb, x, y, radius)


def _has_stem(rgb: U8, x: float, y: float, radius: float) -> bool:
    """Whether a thin upright bar that differs from both of its sides goes down from a head at (x, y), pixels."""
    top, bottom = round(y + LONG[0] * radius), round(y + LONG[1] * radius)
    reach, half = round(0.45 * radius), max(1, round(THIN * radius))
    left, right = round(x) - reach, round(x) + reach + 1
    if bottom > rgb.shape[0] or left - 3 * half < 0 or right + 3 * half > rgb.shape[1]:
        return False
    lab = cv2.cvtColor(rgb[top:bottom].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    for middle in range(left, right):
        stem = np.median(lab[:, middle - half // 2 : middle + half // 2 + 1], axis=1)
        sides = [
            np.median(lab[:, middle + at : middle + at + half], axis=1) for at in (-3 * half, 2 * half)
        ]  # (rows, 3) each
        one, other = (np.linalg.norm(stem - side, axis=1) for side in sides)
        # At the step from one ground to another it lies between the two.
        beyond = np.linalg.norm(sides[0] - sides[1], axis=1) < 0.8 * (one + other)
        # From top to bottom, with hardly a gap: blades of grass cross each other.
        if float((beyond & (np.minimum(one, other) > APART)).mean()) > 0.85:
            return True
    return False
