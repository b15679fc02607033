"""Draws eyelids that close: the skin above an eye slides down over it, with the lashes.

In each column a lid moves by the height of the eye there, which is 0 at its corners. Knows how far lids are closed in
one frame, and no time.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.faces.canvas_patch import CanvasPatch, at_chroma
from vivant.engines.diorama.motion.faces.face_pose import FacePose
from vivant.engines.diorama.motion.faces.local_frame import TABLE, Index, LocalFrame, LocalWarp, Reach, X
from vivant.engines.diorama.motion.faces.tones import measure_tones
from vivant.engines.diorama.motion.fields import Rect
from vivant.engines.diorama.scene.scene import Source
from vivant.media import F32, F64, U8

# Corners (left and right in the picture), lids between them, and the brow's lower edge: left eye, then right eye.
EYES: Final = (
    ((33, 133), (246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155), (46, 53, 52, 65, 55)),
    ((362, 263), (398, 384, 385, 386, 387, 388, 466), (382, 381, 380, 374, 373, 390, 249), (276, 283, 282, 295, 285)),
)
LASH: Final = 0.02  # face heights: lashes and the lid's edge, which are not stretched
TURN: Final = 0.3  # how far an eye turns at most, in halves of its width
LOWER_SHARE: Final = 0.1  # how far lower lids rise to meet the upper ones, of the eye's height


class _Lids(NamedTuple):
    """Both lids of an eye in one frame."""

    edge: F32  # of the upper lid, table of t
    low: F32  # of the lower lid
    taper: F32  # 1 in the middle of the eye .. 0 at its corners, by column
    soft: np.float32  # width of a soft edge in this photo, pixels
    lash: np.float32  # thickness of the lashes, pixels
    closed: np.float32  # 0..1


class Eye:
    """One eye. `draw` changes nothing here and may be called from any thread."""

    def __init__(self, source: Source, pose: FacePose, which: int) -> None:
        """which: 0 for the eye at the picture's left, 1 for the one at its right."""
        self.which = which
        self._source = source
        h, w = source.planes.y.shape
        points = pose.landmarks[:, :2]
        (left, right), upper, lower, brow = EYES[which]
        frame = LocalFrame.between(points[left], points[right], pose.flat(np.array([0.0, 1.0, 0.0])))
        self._upper, self._lower = (frame.edge_through(points[list(names)], inset=0.03) for names in (upper, lower))
        self._lower = np.maximum(self._upper, self._lower)
        gap = self._lower - self._upper
        self._taper = gap / max(float(gap.max()), 1e-6)  # 1 in the middle of the eye, 0 at its corners
        to_brow = float(self._upper.min() - frame.own(points[list(brow)])[:, 1].mean())
        self._lash = LASH * pose.unit
        above = _skin_above(source, frame, self._upper, 0.8 * to_brow, self._lash)
        above = max(above, 1.15 * float(gap.max()), self._lash + 2)
        below = 0.06 * pose.unit
        self._reach = Reach(self._lash, above, smooth=0.5), Reach(0.3 * below, below)
        top, bottom = self._upper.min() - above, self._lower.max() + below
        corners = frame.canvas(np.array([-1.0, 1.0, -1.0, 1.0]), np.array([top, top, bottom, bottom]))
        self.rect = Rect.around(corners, (w, h))
        self._warp = LocalWarp(frame, self.rect)
        self._soft = 0.5 + 0.8 * measure_tones(source, pose).blur
        self._still = source.y2[self.rect.luma2_in(Rect(0, 0, w, h))]
        opening = self._opening(self._upper, self._lower)
        self._seen_colour = at_chroma(opening)
        # Where something of the eyeball is seen: outside it nothing turns.
        rows, columns = np.flatnonzero(opening.any(axis=1)), np.flatnonzero(opening.any(axis=0))
        self._ball = (
            (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
            if len(rows)
            else (slice(0), slice(0))
        )
        self._seen = np.ascontiguousarray(opening[self._ball])
        height, width = opening.shape
        self._rows, self._columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)

    def draw(self, patch: CanvasPatch, closed: float, *, gaze: float = 0.0) -> None:
        """Redraw the eye in `patch`, whose rect covers `self.rect`, with its lids closed by 0..1 and the eye turned by
        -1..1, + to the picture's right."""
        still = self._still
        if gaze:
            still = self._turn(patch, gaze)
        low = self._lower - LOWER_SHARE * (self._lower - self._upper) * closed
        edge = self._upper + (low - self._upper) * closed
        chroma = [plane[self.rect.chroma_in(patch.rect)].copy() for plane in (patch.u, patch.v)] if gaze else []
        self._warp.redraw(patch, self._source, (self._upper, self._lower), (edge, low), self._reach)
        if gaze:
            seen = at_chroma(self._opening(edge, low)) if closed else self._seen_colour
            for plane, turned in zip((patch.u, patch.v), chroma, strict=True):
                target = plane[self.rect.chroma_in(patch.rect)]
                target[...] = np.rint(target + seen * (turned.astype(np.float32) - target)).astype(np.uint8)
            if closed <= 0:
                target = patch.y2[self.rect.luma2_in(patch.rect)]
                target[...] = still
                return
        window = self._warp.window(self._upper, self._lower, 2 * (self._lash + self._soft))
        if window is None:
            return
        target = patch.y2[self.rect.luma2_in(patch.rect)][window]
        lids = np.ascontiguousarray(target)
        _composite_lids(
            lids, np.asarray(cv2.GaussianBlur(lids, (0, 0), 1.5 * self._soft), np.uint8),
            np.ascontiguousarray(still[window]), np.ascontiguousarray(self._warp.column[window]),
            np.ascontiguousarray(self._warp.t[window]),
            _Lids(
                edge.astype(np.float32), low.astype(np.float32), self._taper.astype(np.float32),
                np.float32(self._soft), np.float32(self._lash), np.float32(closed),
            ),
        )  # fmt: skip
        target[...] = lids

    def _opening(self, edge: F64, low: F64) -> F32:
        """float32 of the double-size rect: 1 between the lids (tables of t), softly 0 outside and at the corners."""
        column, t = self._warp.column, self._warp.t
        at = np.maximum(column, 0)
        near = np.minimum(t - edge.astype(np.float32)[at], low.astype(np.float32)[at] - t) - np.float32(0.3)
        opening: F32 = np.clip(near / np.float32(self._soft), 0, 1) * (column >= 0)
        return opening.astype(np.float32, copy=False)

    def _turn(self, patch: CanvasPatch, gaze: float) -> U8:
        """The double-size luma of the rect with the eyeball turned; its chroma is put into `patch`.

        The picture between the lids slides along them: fully in the middle, not at all at the corners, so that what
        is seen of the white there is stretched and nothing is uncovered."""
        x = X.astype(np.float32)
        source_x = x - np.float32(TURN * gaze) * np.maximum(0, 1 - x * x) ** np.float32(1.0)
        upper, gap = self._upper, np.maximum(self._lower - self._upper, 1e-3)
        there_upper = np.interp(source_x, X, upper).astype(np.float32)
        there_gap = np.interp(source_x, X, gap).astype(np.float32)
        frame = self._warp.frame

        def move(where: tuple[slice, slice]) -> tuple[F32, F32]:
            """Where these samples of the rect read it."""
            column, t = self._warp.column[where], self._warp.t[where]
            at = np.maximum(column, 0)
            share = (t - upper.astype(np.float32)[at]) / gap.astype(np.float32)[at]
            step_x, step_t = (source_x - x)[at], there_upper[at] + share * there_gap[at] - t
            rows, columns = self._rows[where[0]], self._columns[where[1]]
            return (
                columns + np.float32(2) * (step_x * np.float32(frame.along[0]) + step_t * np.float32(frame.down[0])),
                rows + np.float32(2) * (step_x * np.float32(frame.along[1]) + step_t * np.float32(frame.down[1])),
            )

        luma = self._still.copy()
        ball = luma[self._ball]
        if ball.size:
            turned = cv2.remap(
                self._still, *move(self._ball), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            ).astype(np.float32)  # fmt: skip
            still = ball.astype(np.float32)
            ball[:] = np.rint(still + self._seen * (turned - still)).astype(np.uint8)
        # A chroma sample (i, j) sits on luma (2i + ½, 2j), which is (4i + 1, 4j) of the double plane.
        move_x, move_y = move((slice(1, None, 4), slice(0, None, 4)))
        half_x, half_y = move_x * np.float32(0.25), (move_y - 1) * np.float32(0.25)
        for plane in (patch.u, patch.v):
            target = plane[self.rect.chroma_in(patch.rect)]
            target[...] = cv2.remap(target.copy(), half_x, half_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return luma


def _skin_above(source: Source, frame: LocalFrame, lid: F64, most: float, lash: float) -> float:
    """How far the skin above the lid reaches, up to `most` pixels: brows and the rims of glasses, which are darker, end
    it. lid: table of t, float64 (TABLE,), pixels. lash: thickness of the lashes, pixels."""
    columns = slice(TABLE // 4, 3 * TABLE // 4, 8)
    up = np.linspace(0, most, 33)
    t = lid[columns, None] - up
    luma = np.median(frame.luma(source, np.broadcast_to(X[columns, None], t.shape), t), axis=0) - 16
    skin = np.maximum.accumulate(np.where(up >= lash, luma, 0))
    dark = (luma < 0.6 * skin) & (up > lash)
    return float(up[dark.argmax()]) if dark.any() else most


def warm_up() -> None:
    """Compile this module's kernels."""
    pixel, table = np.zeros((1, 1), np.uint8), np.zeros(TABLE, np.float32)
    nothing = np.full((1, 1), -1, np.int16)
    _composite_lids(
        pixel, pixel.copy(), pixel.copy(), nothing, np.zeros((1, 1), np.float32),
        _Lids(table, table, table, np.float32(1), np.float32(1), np.float32(1)),
    )  # fmt: skip


@kernel
def _composite_lids(y2: U8, blurred: U8, still: U8, column: Index, t: F32, lids: _Lids) -> None:
    """Composite moved lids over the eye, in place. y2: uint8 (n, m), double-size luma with the skin moved; blurred: the
    same, blurred; still: the picture; column: int16, of the tables, -1 outside; t: float32."""
    edge, low, taper, soft, lash, closed = lids
    for i in range(t.shape[0]):
        for j in range(t.shape[1]):
            c = column[i, j]
            if c < 0:
                continue
            below, above = t[i, j] - edge[c], low[c] - t[i, j]
            value = float(y2[i, j])
            if below > -soft and above > -soft:
                x = min(max(below / soft + 0.5, 0.0), 1.0) * min(max(above / soft + 0.5, 0.0), 1.0)
                eye = 16 + (still[i, j] - 16.0) * (1 - 0.3 * closed * max(0.0, 1 - below / (3 * lash)))
                value += x * (eye - value)
            # The edge where the lids meet is as soft as the photo.
            value += max(0.0, 1 - abs(below) / (2 * soft)) * closed * (blurred[i, j] - value)
            # Lashes, and their shadow: a soft dark line along the lid that fades to the corners.
            near = max(0.0, 1 - abs(below) / (lash + soft))
            value = 16 + (value - 16) * (1 - 0.35 * closed * near * min(1.0, 1.5 * taper[c]))
            y2[i, j] = np.uint8(value + 0.5)
