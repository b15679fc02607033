"""Aligns a coarse mask to the edges of a picture: the colour guided filter of He, Sun and Tang (2013), solved at a
quarter of the size ("fast guided filter"). Knows nothing of what the mask is of."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.engines.diorama.kernels import fast_kernel, kernel
from vivant.media import F32, U8


def refine(coarse: F32, rgb: U8, *, radius: float = 0.012, eps: float = 4e-4) -> F32:
    """A coarse mask (any size, 0..1) aligned to the edges of RGB uint8 (h, w, 3): float32 (h, w).

    radius: share of the long side; eps: in squared units of 0..1 colour.
    """
    h, w = rgb.shape[:2]
    small = (max(w // 4, 1), max(h // 4, 1))
    guide = np.asarray(cv2.resize(rgb, small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255, np.float32)
    mask = np.asarray(cv2.resize(coarse, small, interpolation=cv2.INTER_LINEAR), np.float32)
    r = max(2, round(radius * max(small)))
    box = (2 * r + 1, 2 * r + 1)

    def mean(values: F32) -> F32:
        return np.asarray(cv2.blur(values, box, borderType=cv2.BORDER_REFLECT), np.float32)

    lines = mean(_fit_lines(mean(_multiply(guide, mask)), np.float32(eps)))
    return _apply_lines(np.ascontiguousarray(lines.transpose(2, 0, 1)), rgb)


@kernel
def _multiply(guide: F32, mask: F32) -> F32:
    """What the means of a guided filter are taken of, float32 (h, w, 13): the three channels of the guide, float32
    (h, w, 3), the mask, float32 (h, w), the mask times each channel, and the six products of two channels."""
    h, w = mask.shape
    out = np.empty((h, w, 13), np.float32)
    for i in range(h):
        for j in range(w):
            r, g, b, p = guide[i, j, 0], guide[i, j, 1], guide[i, j, 2], mask[i, j]
            one = out[i, j]
            one[0], one[1], one[2], one[3], one[4], one[5], one[6] = r, g, b, p, r * p, g * p, b * p
            one[7], one[8], one[9], one[10], one[11], one[12] = r * r, r * g, r * b, g * g, g * b, b * b
    return out


@kernel
def _fit_lines(means: F32, eps: np.float32) -> F32:
    """For each pixel the slope for each channel and the offset, float32 (h, w, 4), which make the mask out of the guide
    best, with slopes damped by eps. means: float32 (h, w, 13), of what `_multiply` gives."""
    h, w = means.shape[:2]
    out = np.empty((h, w, 4), np.float32)
    for i in range(h):
        for j in range(w):
            one = means[i, j]
            r, g, b, p = one[0], one[1], one[2], one[3]
            pr, pg, pb = one[4] - r * p, one[5] - g * p, one[6] - b * p
            rr, gg, bb = one[7] - r * r + eps, one[10] - g * g + eps, one[12] - b * b + eps
            rg, rb, gb = one[8] - r * g, one[9] - r * b, one[11] - g * b
            # The inverse of the symmetric 3x3 covariance by its cofactors.
            c00, c01, c02 = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
            c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
            det = rr * c00 + rg * c01 + rb * c02
            slope_r = (c00 * pr + c01 * pg + c02 * pb) / det
            slope_g = (c01 * pr + c11 * pg + c12 * pb) / det
            slope_b = (c02 * pr + c12 * pg + c22 * pb) / det
            out[i, j, 0], out[i, j, 1], out[i, j, 2] = slope_r, slope_g, slope_b
            out[i, j, 3] = p - (slope_r * r + slope_g * g + slope_b * b)
    return out


@fast_kernel
def _apply_lines(lines: F32, rgb: U8) -> F32:
    """A slope for each channel and an offset, float32 (4, h', w'), enlarged bilinearly to RGB uint8 (h, w, 3), 0..255
    as 0..1, and applied to it: float32 (h, w), 0..1."""
    rows, columns = lines.shape[1:]
    h, w = rgb.shape[:2]
    out = np.empty((h, w), np.float32)
    first, right = np.empty(w, np.int32), np.empty(w, np.float32)
    for j in range(w):
        x = min(max((j + 0.5) * columns / w - 0.5, 0.0), columns - 1.0)
        first[j] = min(int(x), max(columns - 2, 0))
        right[j] = x - first[j]
    beside = min(1, columns - 1)
    here = np.empty((4, columns), np.float32)
    for i in range(h):
        y = min(max((i + 0.5) * rows / h - 0.5, 0.0), rows - 1.0)
        top = min(int(y), max(rows - 2, 0))
        down, below = np.float32(y - top), min(top + 1, rows - 1)
        for k in range(4):
            for j in range(columns):
                here[k, j] = lines[k, top, j] + down * (lines[k, below, j] - lines[k, top, j])
        for j in range(w):
            at, share = first[j], right[j]
            value = here[3, at] + share * (here[3, at + beside] - here[3, at])
            for k in range(3):
                slope = here[k, at] + share * (here[k, at + beside] - here[k, at])
                value += slope * (np.float32(rgb[i, j, k]) * np.float32(1 / 255))
            out[i, j] = min(max(value, np.float32(0)), np.float32(1))
    return out
