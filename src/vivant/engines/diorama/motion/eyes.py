"""Draws eyelids that close: the skin above each eye slides down over it and takes the lashes along.

The way a lid has to go is the height of the eye in that column, so it ends at the corners by itself. Knows how far lids
are closed in one frame, and no time.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.motion.piece import Box, Piece
from vivant.engines.diorama.motion.pose import Pose
from vivant.engines.diorama.motion.strip import Frame, Strip, curve_through, ramp, shift_away
from vivant.engines.diorama.motion.tones import tones_of
from vivant.engines.diorama.scene.scene import Source

F64 = NDArray[np.float64]

# Corners (left and right in the picture), lids between them, and the brow's lower edge: left eye, then right eye.
EYES: Final = (
    ((33, 133), (246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155), (46, 53, 52, 65, 55)),
    ((362, 263), (398, 384, 385, 386, 387, 388, 466), (382, 381, 380, 374, 373, 390, 249), (276, 283, 282, 295, 285)),
)


class Eye:
    """One eye. `draw` only reads what was set up and may be called from any thread."""

    def __init__(self, source: Source, pose: Pose, which: int) -> None:
        self._source = source
        h, w = source.planes.y.shape
        points = pose.landmarks[:, :2]
        (left, right), upper, lower, brow = EYES[which]
        frame = Frame.between(points[left], points[right], pose.flat(np.array([0.0, 1.0, 0.0])))
        self._upper, self._lower = (_lid(frame, points[list(names)]) for names in (upper, lower))
        self._lower = np.maximum(self._upper, self._lower)
        self._height = float((self._lower - self._upper).max())
        above = float(self._upper.min() - frame.own(points[list(brow)])[:, 1].mean())
        unit = pose.unit
        self._lash = 0.012 * unit
        self._reach = max(0.85 * above, 1.6 * self._height, self._lash + 2)
        self._below = 0.06 * unit
        ends = np.array([-1.02, 1.02, -1.02, 1.02])
        top, bottom = self._upper.min() - self._reach, self._lower.max() + self._below
        corners = frame.canvas(ends, np.array([top, top, bottom, bottom]))
        self.box = Box.around(corners, (w, h))
        self._strip = Strip(frame, self.box, int(np.clip(round(unit / 96), 1, 4)))
        self._tones = tones_of(source, pose)

    def draw(self, piece: Piece, closed: float) -> None:
        """Redraw the eye in `piece`, whose box covers `self.box`, with its lids closed by 0..1."""
        strip = self._strip
        gap = self._lower - self._upper
        low = self._lower - 0.12 * gap * closed  # lower lids rise a little to meet the upper ones
        edge = self._upper + (low - self._upper) * closed
        up = -shift_away(
            strip.on_grid(self._upper) - strip.grid_t, strip.on_grid(self._upper - edge),
            rigid=self._lash, reach=self._reach,
        )  # fmt: skip
        under = shift_away(
            strip.grid_t - strip.on_grid(self._lower), strip.on_grid(low - self._lower),
            rigid=0.3 * self._below, reach=self._below,
        )  # fmt: skip
        column, t = strip.column, strip.t
        lid = edge.astype(np.float32)[column]
        lower = low.astype(np.float32)[column]
        shift = np.zeros_like(t)  # the eyeball stays
        np.copyto(shift, strip.fine(under * strip.grid_inside), where=t > lower)
        np.copyto(shift, strip.fine(up * strip.grid_inside), where=t < lid)
        strip.move(piece, self._source, shift)

        # A soft dark line at the lid's edge: lashes, and their shadow on the eye.
        soft = np.float32(0.6 + self._tones.blur)
        width = np.float32(self._lash) + soft
        taper = (gap / max(self._height, 1e-6)).astype(np.float32)[column]
        near = ramp(np.float32(1) - np.abs(t - lid) / width) * np.clip(taper * 1.5, 0, 1)
        dark = np.float32(1) - np.float32(0.35 * closed) * near
        target = piece.y2[self.box.doubled(piece.box)]
        inside = np.abs(strip.x) < 1
        shaded = np.where(inside, 16 + (target - np.float32(16)) * dark, target)
        target[...] = np.rint(shaded).astype(np.uint8)


def _lid(frame: Frame, points: F64) -> F64:
    own = frame.own(points)
    own = own[np.argsort(own[:, 0])]
    knots = np.maximum.accumulate(np.clip(own[:, 0], -0.97, 0.97) + np.arange(len(own)) * 1e-4)
    return curve_through(np.r_[-1.0, knots, 1.0], np.r_[0.0, own[:, 1], 0.0])
