"""How well what lies under a row of a picture mirrors what stands above it, as water does: over the whole width, or in
upright strips. A mirror image may be shorter than what it mirrors, as it is seen from above."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import fast_kernel
from vivant.engines.diorama.scene.features import Features
from vivant.media import F32, F64

I32 = NDArray[np.int32]

# Samples: finer is ripples; coarser is the gradual darkening from sky to ground, which is no mirror image.
BLURRED: Final = (2.0, 12.0)


def measure_mirrors(seen: Features) -> F32:
    """float32 (h,): how well what lies under a row mirrors what stands above it; correlation from 0.72 to 0.95 counts
    as 0 to 1."""
    mirrored: F32 = np.clip((_correlate_rows(_take_detail(seen)) - 0.72) / 0.23, 0, 1).astype(np.float32)
    return mirrored


def measure_mirrors_in_strips(
    seen: Features, *, strips: int, rows: tuple[float, float], reach: float, squeezed: tuple[float, ...],
    plain: tuple[float, float],
) -> F32:  # fmt: skip
    """float32 (h, strips), correlations: the same in each of some upright strips, which overlap by half, so that each
    shows a part of an outline. rows: from where to where, heights; reach: the most that is compared, heights; squeezed:
    heights of what is mirrored against its mirror image; plain: deviations above and below under which there is nothing
    to compare."""
    h, w = seen.shape
    halves = np.linspace(0, w, 2 * strips + 1).astype(np.int32)
    edges = np.array([
        (halves[max(2 * strip - 1, 0)], halves[min(2 * strip + 3, 2 * strips)]) for strip in range(strips)
    ], np.int32)  # fmt: skip
    found = np.zeros((h, strips), np.float32)
    _correlate_strips(
        _take_detail(seen), found, edges, int(rows[0] * h), int(rows[1] * h), int(reach * h), np.array(squeezed),
        plain[0], plain[1],
    )  # fmt: skip
    return found


def _take_detail(seen: Features) -> F32:
    light: Any = cv2.GaussianBlur(seen.lab[..., 0], (0, 0), BLURRED[0])
    light -= cv2.GaussianBlur(light, (0, 0), BLURRED[1])
    return np.asarray(light, np.float32)


@fast_kernel
def _average(out: F32, light: F32, row: int, reach: int, k: int, n: int) -> None:
    """Fill in row k, float32 (w,), of the `reach` rows from `row` on compressed, or enlarged, to n by averaging."""
    begin, end = k * reach / n, (k + 1) * reach / n
    out[:] = 0
    for source in range(int(begin), min(reach, int(np.ceil(end - 1e-6)))):
        weight = np.float32((min(end, source + 1.0) - max(begin, float(source))) * n / reach)
        for j in range(len(out)):
            out[j] += weight * light[row + source, j]


@fast_kernel
def _correlate_rows(light: F32) -> F32:
    """float32 (h,): the highest correlation of what stands above a row, upside down, with what lies under it, that as
    it is and compressed to 0.85 and 0.7 of its height. light: float32 (h, w), of mean 0 or near it."""
    h, w = light.shape
    found = np.zeros(h, np.float32)
    below = np.empty(w, np.float32)
    for row in range(int(0.15 * h), int(0.9 * h)):
        reach = min(row, h - row, int(0.3 * h))
        if reach < 8:
            continue
        for squeeze in (0.7, 0.85, 1.0):
            n = int(reach * squeeze)
            one, other, one_square, other_square, product = 0.0, 0.0, 0.0, 0.0, 0.0
            for k in range(n):
                _average(below, light, row, reach, k, n)
                above = light[row - 1 - k]
                zero = np.float32(0)
                a, b, aa, bb, ab = zero, zero, zero, zero, zero
                for j in range(w):
                    a += above[j]
                    b += below[j]
                    aa += above[j] * above[j]
                    bb += below[j] * below[j]
                    ab += above[j] * below[j]
                one, other = one + float(a), other + float(b)
                one_square, other_square = one_square + float(aa), other_square + float(bb)
                product += float(ab)
            size = n * w
            spread = (one_square - one * one / size) * (other_square - other * other / size)
            alike = product - one * other / size
            found[row] = max(found[row], np.float32(alike / max(np.sqrt(max(spread, 0.0)), 1e-6)))
    return found


@fast_kernel
def _correlate_strips(
    light: F32, found: F32, edges: I32, first: int, last: int, most: int, squeezed: F64, plain: float,
    plain_below: float,
) -> None:  # fmt: skip
    """Fill in `found`, float32 (h, strips), of the rows from `first` to `last`. light: float32 (h, w); edges: int32
    (strips, 2), columns from..to; the rest as in `measure_mirrors_in_strips`, in pixels."""
    h, w = light.shape
    below, sums = np.empty(w, np.float32), np.empty((5, w), np.float32)
    for row in range(first, last):
        reach = min(h - row, most)
        for squeeze in squeezed:
            n = min(round(reach * squeeze), row)
            sums[:] = 0
            for k in range(n):
                _average(below, light, row, reach, k, n)
                above = light[row - 1 - k]
                for j in range(w):
                    a, b = above[j], below[j]
                    sums[0, j] += a
                    sums[1, j] += b
                    sums[2, j] += a * a
                    sums[3, j] += b * b
                    sums[4, j] += a * b
            for strip in range(len(edges)):
                left, right = edges[strip]
                size = float(max(right - left, 1) * n)
                one, other, one_square, other_square, product = 0.0, 0.0, 0.0, 0.0, 0.0
                for j in range(left, right):
                    one += sums[0, j]
                    other += sums[1, j]
                    one_square += sums[2, j]
                    other_square += sums[3, j]
                    product += sums[4, j]
                one, other = one / size, other / size
                spread, spread_below = one_square / size - one * one, other_square / size - other * other
                if spread > plain * plain and spread_below > plain_below * plain_below:
                    alike = (product / size - one * other) / np.sqrt(max(spread * spread_below, 1e-6))
                    found[row, strip] = max(found[row, strip], np.float32(alike))
