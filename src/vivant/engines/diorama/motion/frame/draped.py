"""Draws cloth that moves before what is behind it: it is cut out once, the picture is completed a little way behind its
outline, and each frame lays it over that, displaced and with light on its folds."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama.motion.fields import STEP, Drapery, Field, Rect
from vivant.engines.diorama.motion.frame import warp
from vivant.engines.diorama.motion.frame.layers import Cutout, composite_over, make_cutout
from vivant.engines.diorama.motion.frame.warp import Grid, enlarge
from vivant.engines.diorama.scene.scene import Scene
from vivant.media import U8, Planes

BLACK: Final = 16  # luma: what is black has no light to gain


class Draped:
    """Made once per clip."""

    def __init__(self, scene: Scene, drapery: Drapery) -> None:
        """scene: the picture with all cloth in it."""
        behind = drapery.behind.source
        self._cloths = drapery.cloths
        picture = warp.to_texels(scene.source)
        self._cutouts = tuple(
            make_cutout(scene.source, behind, cloth.body.alpha, cloth.body.hole, picture) for cloth in drapery.cloths
        )

    def draw(self, n: int, view: Grid, frame: Planes) -> None:
        """Draw all cloths into `frame` (planes of the whole output), in place. view: where the output looks in the
        picture."""
        for cloth, cutout in zip(self._cloths, self._cutouts, strict=True):
            _draw(cutout, cloth.field(n), view, frame)


def _draw(cutout: Cutout, moved: Field | None, view: Grid, frame: Planes) -> None:
    x, y = view.x, view.y
    if moved is not None:
        # Where it comes from is measured where it arrives, then once more at what that says.
        for _ in range(2):
            dx, dy = warp.look_up(np.stack([moved.dx, moved.dy]), x, y)
            x, y = view.x + dx, view.y + dy
    there = warp.look_up(cutout.extent[None], x, y)[0] > 1e-3
    rect = _bounds(there, (frame.y.shape[1], frame.y.shape[0]))
    if rect is None:
        return
    grid = Grid(view.rect, np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32))
    shift = np.hypot(grid.x - view.x, grid.y - view.y).astype(np.float32)
    here = grid.part(rect)
    luma = frame.y[rect.luma].copy() if moved is not None and moved.gain is not None else None
    composite_over(cutout, here, (frame.y, frame.u, frame.v), shift=Grid(view.rect, shift, shift).part(rect).x)
    if luma is not None and moved is not None and moved.gain is not None:
        gain = warp.look_up(moved.gain[None], here.x, here.y)[0]
        _light(frame.y[rect.luma], cutout, here, enlarge(np.ascontiguousarray(gain), rect))


def _light(luma: U8, cutout: Cutout, grid: Grid, gain: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    """Multiply the luma of a rect, uint8 (height, width), above black by `gain` where the cloth is, in place."""
    x, y = (enlarge(2 * axis, grid.rect) for axis in (grid.x, grid.y))
    alpha = cv2.remap(cutout.alpha2, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    share = 1 + (gain - 1) * (alpha.astype(np.float32) / 255)
    lit = (luma.astype(np.float32) - BLACK) * share + (BLACK + 0.5)
    luma[:] = np.clip(lit, 0, 255).astype(np.uint8)


def _bounds(there: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], size: tuple[int, int]) -> Rect | None:
    """The rect of the output around true samples of its grid; None where there are none."""
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return None
    top, left = max(0, int(rows[0]) - 2) * STEP, max(0, int(columns[0]) - 2) * STEP
    bottom, right = min(size[1], (int(rows[-1]) + 2) * STEP), min(size[0], (int(columns[-1]) + 2) * STEP)
    return None if bottom <= top or right <= left else Rect(left, top, right - left, bottom - top)
