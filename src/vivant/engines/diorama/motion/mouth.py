"""Draws a mouth that opens: lips that part at their seam, and what is seen between them.

Chin, cheeks and the corners of the mouth move with the face (head.py); this module moves what is cut: the lips. It
knows curves of one frame, no phonemes and no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.motion.piece import Box, Piece, at_chroma
from vivant.engines.diorama.motion.pose import CHIN, CORNERS, Pose
from vivant.engines.diorama.motion.strip import TABLE, Frame, Strip, X, curve_through, ramp, shift_away
from vivant.engines.diorama.motion.tones import grain_like, tones_of
from vivant.engines.diorama.scene.scene import Source

F64 = NDArray[np.float64]

UPPER_INNER: Final = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER: Final = (95, 88, 178, 87, 14, 317, 402, 318, 324)
UPPER_OUTER, LOWER_OUTER, NOSE_BASE = 0, 17, 2

DROP: Final = 0.085  # how far the lower lip falls at full opening, in face heights
LIFT: Final = 0.1  # how far the upper lip rises, of the same
OPEN: Final = 0.05  # rest gap over mouth width from which the photo shows an open mouth


@dataclass(frozen=True, slots=True)
class Speech:
    """The mouth curves of one face at one frame, each 0..1."""

    jaw: float = 0.0
    wide: float = 0.0
    round: float = 0.0
    close: float = 0.0
    teeth: float = 0.0

    @property
    def is_rest(self) -> bool:
        """Whether the lips are as in the picture (width alone moves with the face, not here)."""
        return self.jaw <= 0 and self.close <= 0 and self.teeth <= 0


class Mouth:
    """One mouth. `draw` only reads what was set up and may be called from any thread."""

    def __init__(self, source: Source, pose: Pose, *, chance: np.random.Generator) -> None:
        self._source = source
        h, w = source.planes.y.shape
        points = pose.landmarks[:, :2]
        left, right = points[CORNERS[0]], points[CORNERS[1]]
        fall = pose.flat(np.array([0.0, 1.0, 0.25]))  # down and, as jaws swing, a little back
        frame = Frame.between(left, right, fall)
        self._height = height = float(np.hypot(*fall))  # of the face, as its fall shows in the picture
        width = float(np.hypot(*(right - left)))

        self._upper, self._lower = _edges(frame, points)
        gap = (self._lower - self._upper)[TABLE // 3 : 2 * TABLE // 3].mean()
        self.is_open = bool(gap > OPEN * width)
        if not self.is_open:
            self._upper = self._lower = _seam(source, frame, (self._upper + self._lower) / 2, 0.025 * height)
        middle = float(np.clip(frame.own(points[[13, 14, 0, 17]])[:, 0].mean(), -0.5, 0.5))
        self._s = (X - middle) / (1 - middle * X)  # x with the lips' middle at 0: a turned mouth is not symmetric

        # How far lips are rigid, and how far their motion reaches.
        nose, upper, lower, chin = frame.own(points[[NOSE_BASE, UPPER_OUTER, LOWER_OUTER, CHIN]])[:, 1]
        centre = TABLE // 2
        self._lip_up = max(0.8 * float(self._upper[centre] - upper), 0.01 * height)
        self._lip_low = max(0.8 * float(lower - self._lower[centre]), 0.01 * height)
        self._reach_up = max(0.9 * float(self._upper.min() - nose), self._lip_up + 0.04 * height)
        self._reach_low = max(0.85 * float(chin - self._lower.max()), self._lip_low + 0.12 * height)

        ends = np.array([-1.02, 1.02, -1.02, 1.02])
        top, bottom = self._upper.min() - self._reach_up, self._lower.max() + self._reach_low
        corners = frame.canvas(ends, np.array([top, top, bottom, bottom]))
        self.box = Box.around(corners, (w, h))
        self._strip = Strip(frame, self.box, int(np.clip(round(pose.unit / 64), 1, 4)))
        self._tones = tones_of(source, pose)
        self._grain = grain_like(self._tones, 2 * self.box.height, 2 * self.box.width, chance)

    def draw(self, piece: Piece, speech: Speech) -> None:
        """Redraw the mouth in `piece`, whose box covers `self.box`."""
        top, bottom = self._opening(speech)
        self._part(piece, top, bottom)
        self._paint(piece, top, bottom, speech)

    def _opening(self, speech: Speech) -> tuple[F64, F64]:
        """Where the lips' inner edges are now: tables of t, top <= bottom."""
        s, height, free = self._s, self._height, 1 - speech.close
        bell = np.maximum(0, 1 - s * s) ** (1.15 + 0.9 * speech.round)
        fall = DROP * height * speech.jaw * (1 - 0.9 * speech.teeth) * (1 + 0.15 * speech.round) * free
        rise = LIFT * fall + 0.014 * height * speech.teeth * free
        rest = self._lower - self._upper
        top = self._upper - rise * bell + 0.35 * rest * speech.close
        bottom = self._lower + fall * bell - 0.65 * rest * speech.close
        meet = (top + bottom) / 2
        return np.minimum(top, meet), np.maximum(bottom, meet)

    def _part(self, piece: Piece, top: F64, bottom: F64) -> None:
        """Move the lips, each its own way on its side of the opening's middle."""
        strip = self._strip
        up = -shift_away(
            strip.on_grid(self._upper) - strip.grid_t, strip.on_grid(self._upper - top),
            rigid=self._lip_up, reach=self._reach_up,
        )  # fmt: skip
        low = shift_away(
            strip.grid_t - strip.on_grid(self._lower), strip.on_grid(bottom - self._lower),
            rigid=self._lip_low, reach=self._reach_low,
        )  # fmt: skip
        shift = strip.fine(low * strip.grid_inside)
        above = strip.t < ((top + bottom) / 2).astype(np.float32)[strip.column]
        np.copyto(shift, strip.fine(up * strip.grid_inside), where=above)
        strip.move(piece, self._source, shift)

    def _paint(self, piece: Piece, top: F64, bottom: F64, speech: Speech) -> None:
        """What shows between the lips: teeth in the upper lip's shadow, tongue, darkness."""
        strip, tones = self._strip, self._tones
        window = strip.window(top, bottom, 1.0)
        if window is None:
            return
        height, one = np.float32(self._height), np.float32(1)
        column, t, x = strip.column[window], strip.t[window], strip.x[window]
        up, low = top.astype(np.float32)[column], bottom.astype(np.float32)[column]
        s = self._s.astype(np.float32)[column]
        edge = np.minimum(t - up, low - t)
        soft = np.float32(0.5 + 0.9 * tones.blur)
        cover = ramp(edge / soft + np.float32(0.15)) * (np.abs(x) <= 1)
        gap = float((bottom - top).max())
        wide_open = np.float32(min(1.0, gap / (0.06 * self._height)))
        light = one + np.float32(tones.tilt) * x

        # Upper teeth are fixed to the skull: their edge stays where the lips met, whatever the jaw does.
        u = s / np.float32(1 + 0.12 * speech.wide - 0.2 * speech.round)
        bite = self._upper.astype(np.float32)[column] + height * np.float32(0.02) * (one - np.float32(0.9) * u * u)
        tooth = ramp((bite - t) / (height * np.float32(0.006) + soft) + np.float32(0.5))
        tooth *= ramp((np.float32(0.86) - np.abs(u)) / np.float32(0.3))
        arch = np.sqrt(np.maximum(0, one - (u * np.float32(0.95)) ** 2))
        shade = np.float32(0.35) + np.float32(0.65) * ramp((t - up) / (height * np.float32(0.028)))
        between = one - np.float32(0.05) * np.exp(
            -((((u * np.float32(4.2) + np.float32(0.5)) % 1 - np.float32(0.5)) / np.float32(0.09)) ** 2)
        )
        tooth_luma = (
            np.float32(0.8 * tones.skin) * (np.float32(0.5) + np.float32(0.5) * wide_open) * arch * shade * between
        )

        # The tongue is a soft mound behind the lower lip and rides on the jaw.
        mound = (
            low - height * np.float32(0.012) - np.float32(0.36 * gap) * np.maximum(0, one - (s / np.float32(0.78)) ** 2)
        )
        tongue = ramp((t - mound) / (height * np.float32(0.02))) * ramp(
            (np.float32(0.8) - np.abs(s)) / np.float32(0.35)
        )
        tongue_luma = np.float32(0.62 * tones.lip) * (
            np.float32(0.55) + np.float32(0.45) * ramp((t - mound) / (height * np.float32(0.05)))
        )

        luma = np.full_like(t, max(2.0, 0.14 * min(tones.lip, tones.skin)))
        luma += tongue * wide_open * (tongue_luma - luma)
        luma += tooth * (tooth_luma - luma)
        luma *= light * (np.float32(0.5) + np.float32(0.5) * ramp(edge / (height * np.float32(0.014) + soft)))
        target = piece.y2[self.box.doubled(piece.box)][window]
        blend = target + cover * (luma + 16 + self._grain[window] - target)
        target[...] = np.clip(np.rint(blend), 16, 235).astype(np.uint8)

        # Colour follows luma: what is dark has little of it, teeth have a third of the skin's.
        half = tuple(slice(part.start // 4, part.stop // 4) for part in window)
        share = at_chroma(np.clip(luma / np.float32(tones.lip), 0, 1))
        cover, tooth = at_chroma(cover), at_chroma(tooth)
        for plane, lip, skin in zip((piece.u, piece.v), tones.lip_chroma, tones.skin_chroma, strict=True):
            flesh = np.float32(1.15 * lip) * (np.float32(0.25) + np.float32(0.75) * share)
            colour = flesh + tooth * (np.float32(0.3 * skin) - flesh) + 128
            target = plane[self.box.halved(piece.box)][half]
            target[...] = np.clip(np.rint(target + cover * (colour - target)), 16, 240).astype(np.uint8)


def _edges(frame: Frame, points: F64) -> tuple[F64, F64]:
    """The inner edges of both lips, tables of t from corner to corner."""
    edges: list[F64] = []
    for names in (UPPER_INNER, LOWER_INNER):
        own = frame.own(points[list(names)])
        own = own[np.argsort(own[:, 0])]
        knots = np.maximum.accumulate(np.clip(own[:, 0], -0.98, 0.98) + np.arange(len(own)) * 1e-4)
        edges.append(curve_through(np.r_[-1.0, knots, 1.0], np.r_[0.0, own[:, 1], 0.0]))
    middle = (edges[0] + edges[1]) / 2
    return np.minimum(edges[0], middle), np.maximum(edges[1], middle)


def _seam(source: Source, frame: Frame, guess: F64, reach: float) -> F64:
    """The dark line between closed lips: the darkest smooth path within `reach` of where the landmarks put it."""
    offsets = np.linspace(-1, 1, 25)
    x, near = X[::8], guess[::8]
    t = near[:, None] + reach * offsets
    luma = cv2.GaussianBlur(frame.luma(source, np.broadcast_to(x[:, None], t.shape), t), (0, 0), 1.2)
    cost = luma / max(float(luma.std()), 1.0) + (0.35 + 20 * np.maximum(0, np.abs(x) - 0.8))[:, None] * offsets**2
    found = near + reach * offsets[_cheapest_path(cost.astype(np.float64), stiffness=0.15)]
    found = np.convolve(np.pad(found, 3, mode="edge"), np.full(7, 1 / 7), mode="valid")
    taper = np.clip((1 - np.abs(x)) / 0.12, 0, 1)
    seam: F64 = np.interp(X, x, near + (found - near) * taper)
    return seam


def _cheapest_path(cost: F64, *, stiffness: float) -> NDArray[np.intp]:
    """One k for each row n of cost (n, k), minimising the sum of cost and of stiffness · |change of k|."""
    n, k = cost.shape
    steps = stiffness * np.abs(np.arange(k)[:, None] - np.arange(k)[None, :])
    total, came = cost[0], np.zeros((n, k), np.intp)
    for i in range(1, n):
        options = total[None, :] + steps
        came[i] = options.argmin(axis=1)
        total = options.min(axis=1) + cost[i]
    path = np.zeros(n, np.intp)
    path[-1] = total.argmin()
    for i in range(n - 1, 0, -1):
        path[i - 1] = came[i, path[i]]
    return path
