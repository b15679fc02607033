"""A focus that changes from what is far to what is near, or back: what it is not on is blurred as a lens does it, in
discs, each side without taking colour from the other. Knows a mask of what is near, no time.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import average_quarter
from vivant.engines.diorama.motion.frame import warp
from vivant.engines.diorama.motion.frame.warp import Grid
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED
from vivant.media import F32, U8, Planes

_RADIUS: Final = 0.013  # widths, of the disc that a point becomes
_WORK: Final = 440  # width of the copy that is blurred: finer detail is lost in the blur
_SHARP: Final = 0.2  # of the blur, from which on the blurred copy alone is seen
_SPLIT: Final = (35, 80)  # percentiles of depth between which it goes from far to near where no subject is trusted


class Focus:
    """Made once per clip; `apply` is pure."""

    def __init__(self, scene: Scene) -> None:
        if scene.matte.trust > SUBJECT_TRUSTED:
            near = scene.matte.mask
        else:
            low, high = (float(np.percentile(scene.depth, share)) for share in _SPLIT)
            near = smoothstep((scene.depth - np.float32(low)) / np.float32(max(high - low, 0.05)))
        self._near = average_quarter(near.astype(np.float32))

    def apply(self, frame: Planes, grid: Grid, near_soft: float, far_soft: float) -> Planes:
        """`frame` with what is near and what is far out of focus by so much, 0..1. grid: where the output looks at what
        is near."""
        if max(near_soft, far_soft) <= 0:
            return frame
        height, width = frame.y.shape
        near = warp.enlarge(warp.look_up(self._near[None], grid.x, grid.y)[0], grid.rect)
        half = filters.resize(near, width // 2, height // 2)
        return Planes(
            _focus(frame.y, near, near_soft, far_soft),
            _focus(frame.u, half, near_soft, far_soft),
            _focus(frame.v, half, near_soft, far_soft),
        )


def _focus(plane: U8, near: F32, near_soft: float, far_soft: float) -> U8:
    h, w = plane.shape
    columns = min(_WORK, w)
    rows = max(2, round(h * columns / w))
    small, mask = filters.resize(plane, columns, rows), filters.resize(near, columns, rows)
    sharp = plane.astype(np.float32)
    far = sharp
    if far_soft > 0:
        share = _blur(1 - mask, far_soft)
        blurred = _blur((1 - mask) * small, far_soft) / np.maximum(share, 1e-3)
        far = _mix(sharp, filters.resize(np.where(share > 0.02, blurred, small), w, h), far_soft)
    if near_soft <= 0:
        return _rounded(near * sharp + (1 - near) * far)
    # What is near spreads over what is far; behind its rim the far goes on as it is beside it.
    spread = _blur(mask, near_soft)
    body = filters.resize(_blur(mask * small, near_soft), w, h)
    cover = filters.resize(spread, w, h)
    beside = _blur((1 - mask) * small, 0.5) / np.maximum(_blur(1 - mask, 0.5), 1e-3)
    behind = np.where(near > 0.02, (1 - near) * far + near * filters.resize(beside, w, h), far)
    soft = body + (1 - cover) * behind
    return _rounded(_mix(near * sharp + (1 - near) * far, soft, near_soft))


def _blur(values: F32, soft: float) -> F32:
    radius = max(0.5, soft * _RADIUS * values.shape[1])
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    out: Any = cv2.filter2D(values, cv2.CV_32F, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(out, np.float32)


def _mix(sharp: F32, soft: F32, amount: float) -> F32:
    """A blur too slight for the small copy is a part of it."""
    share = float(smoothstep(np.array(amount / _SHARP)))
    return np.asarray(sharp + np.float32(share) * (soft - sharp), np.float32)


def _rounded(values: F32) -> U8:
    return np.clip(np.rint(values), 16, 240).astype(np.uint8)
