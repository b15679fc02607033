"""Draws water that runs, and other currents, into a frame: both phases of the flow are read from the picture and take
its place inside the mask. Knows grids and planes, not what flows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.motion.fields import STEP, Flow, Rect, sample_quarter
from vivant.engines.diorama.motion.frame import warp
from vivant.engines.diorama.motion.frame.crossfade import Phases, crossfade
from vivant.engines.diorama.motion.frame.warp import Grid, Texels
from vivant.media import F32, U8, Planes

SEEN: Final = 1e-3  # of the mask

Place = Callable[[F32, F32], tuple[F32, F32]]  # where another picture shows what is at these places, pixels


def draw_stream(
    flow: Flow, soft: F32, texels: Texels, look: Grid, displaced: Grid, frame: Planes, *, place: Place | None = None
) -> None:
    """Blend the two phases of a stream into `frame`, uint8 planes of the whole output, in place.

    look: where the output looks in the picture of the flow. texels, soft: of the picture that is read, see `soft_luma`.
    displaced: where that is read, with what else moves it there, as waves do on a sea that drifts. place: from the
    picture of the flow to the one that is read, where those are two."""
    mask = warp.look_up(flow.mask[None], look.x, look.y)[0]
    rect = _bounds(mask > SEEN, (frame.y.shape[1], frame.y.shape[0]))
    if rect is None:
        return
    part = look.part(rect)
    ax, ay, bx, by, weight = warp.look_up(np.stack([flow.ax, flow.ay, flow.bx, flow.by, flow.weight]), part.x, part.y)
    x, y = (np.ascontiguousarray(axis) for axis in (displaced.part(rect).x, displaced.part(rect).y))
    mean = warp.look_up(soft[None], part.x, part.y)[0] if place is None else warp.look_up(soft[None], x, y)[0]
    # Two phases far apart are uncorrelated and their blend loses contrast; near each other they lose none.
    apart = 1 - np.exp(-((ax - bx) ** 2 + (ay - by) ** 2) / 18.0)
    kept = np.sqrt(np.maximum(1 - 2 * weight * (1 - weight) * apart, 0.5))
    if place is not None:
        home_x, home_y = place(part.x, part.y)
        (ax, ay), (bx, by) = (place(part.x + dx, part.y + dy) for dx, dy in ((ax, ay), (bx, by)))
        ax, ay, bx, by = ax - home_x, ay - home_y, bx - home_x, by - home_y
    here = np.ascontiguousarray(Grid(look.rect, mask, mask).part(rect).x)
    phases = Phases(x + ax, y + ay, x + bx, y + by, weight, here, mean, (1 / kept).astype(np.float32))
    crossfade(texels, rect, phases, frame)


def soft_luma(y: U8) -> F32:
    """The local mean of luma, float32 on the quarter grid, about which the contrast of a stream is measured."""
    return sample_quarter(np.asarray(cv2.GaussianBlur(y, (0, 0), 6.0), np.float32))


def _bounds(there: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], size: tuple[int, int]) -> Rect | None:
    """The rect of an output of that width and height around true samples of its grid; None where there are none."""
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return None
    # Sample (1, 1) is the first inside the output.
    top, left = max(int(rows[0]) - 2, 0) * STEP, max(int(columns[0]) - 2, 0) * STEP
    bottom, right = min((int(rows[-1]) + 2) * STEP, size[1]), min((int(columns[-1]) + 2) * STEP, size[0])
    return None if bottom <= top or right <= left else Rect(left, top, right - left, bottom - top)
