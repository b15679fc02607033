"""How the light of two registered pictures differs: smooth fields, so that each can be shown in the light of the other
or in any between. Knows no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama.checks import check_array
from vivant.engines.diorama.scene.complete import pull_push
from vivant.engines.diorama.scene.registration import STEP, Registration, scale_at
from vivant.media import F32, F64, U8, Planes

_SMOOTH: Final = 0.046  # widths: the standard deviation of what is light; finer differences are of things
_MOST: Final = 4.0  # times as bright, or as dark
_DARK: Final = 6.0  # levels of luma above black that are added, so that black is not divided by


@dataclass(frozen=True, slots=True, eq=False)
class LightChange:
    """From the light of the first picture to that of the last, float32 (rows, columns) on the quarter grid of the space
    of the closer one: gain of luma above black, and what is added to u and v, which are multiplied by the gain as well.
    Raises ValueError for other arrays."""

    gain: F32
    u: F32
    v: F32

    def __post_init__(self) -> None:
        check_array("LightChange.gain", self.gain, np.float32, (None, None), 0)
        for name in ("u", "v"):
            check_array(f"LightChange.{name}", getattr(self, name), np.float32, self.gain.shape)


def compare_light(first: Planes, last: Planes, fit: Registration, unlike: F32 | None = None) -> LightChange:
    """The change of light between the two. unlike: float32 (rows, columns) on the quarter grid, 0..1, where they show
    different things, which says nothing of light."""
    known = fit.both if unlike is None else (fit.both * (1 - unlike)).astype(np.float32)
    sigma = _SMOOTH * first.y.shape[1] / STEP
    weight = cv2.GaussianBlur(known, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)

    def mean(plane: U8, to_picture: F64, zero: float, share: float) -> F32:
        values = draw_on_grid(plane, to_picture, known.shape, share) - np.float32(zero)
        soft = cv2.GaussianBlur(values * known, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        smooth: Any = soft / np.maximum(weight, 1e-4)
        return pull_push(np.asarray(smooth, np.float32), np.clip(8 * weight - 0.5, 0, 1).astype(np.float32))

    dark, bright = mean(first.y, fit.to_first, 16, 1.0), mean(last.y, fit.to_last, 16, 1.0)
    gain = np.clip((bright + _DARK) / (np.maximum(dark, 0) + _DARK), 1 / _MOST, _MOST).astype(np.float32)
    added = [
        mean(b, fit.to_last, 128, 0.5) - gain * mean(a, fit.to_first, 128, 0.5)
        for a, b in ((first.u, last.u), (first.v, last.v))
    ]
    return LightChange(gain, *(np.asarray(values, np.float32) for values in added))


def draw_on_grid(plane: U8, to_picture: F64, shape: tuple[int, ...], share: float) -> F32:
    """What a picture shows at the samples of the quarter grid of another space: float32 (rows, columns).

    plane: uint8; to_picture: float64 (3, 3), from canvas pixels of that space to those of the picture; shape: (rows,
    columns); share: samples of the plane for each canvas pixel, 1 or, for chroma, 0.5."""
    rows, columns = shape
    to_plane = np.diag([share, share, 1.0]) @ to_picture @ np.diag([float(STEP), float(STEP), 1.0])
    shrunk = scale_at(to_plane, columns / 2, rows / 2)
    soft = cv2.GaussianBlur(plane, (0, 0), 0.45 * shrunk) if shrunk > 1.2 else plane
    drawn: Any = cv2.warpPerspective(
        soft, to_plane, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(drawn, np.float32)
