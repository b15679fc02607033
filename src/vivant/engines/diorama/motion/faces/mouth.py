"""Draws a mouth that opens: lips that part, and what is seen between them.

Chin, cheeks and the corners of the mouth are moved by head.py; this module moves the lips, where the picture tears. It
knows the curves of one frame, no phonemes and no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.easing import smoothstep, smoothstep_scalar
from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.faces.canvas_patch import CanvasPatch, at_chroma
from vivant.engines.diorama.motion.faces.face_pose import CORNERS, FacePose
from vivant.engines.diorama.motion.faces.local_frame import TABLE, Index, LocalFrame, LocalWarp, Reach, X
from vivant.engines.diorama.motion.faces.tones import make_grain, measure_tones
from vivant.engines.diorama.motion.fields import Rect
from vivant.engines.diorama.scene.faces import CHIN
from vivant.engines.diorama.scene.scene import Source
from vivant.media import F32, F64

UPPER_INNER: Final = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER: Final = (95, 88, 178, 87, 14, 317, 402, 318, 324)
UPPER_OUTER, LOWER_OUTER, NOSE_BASE = 0, 17, 2

DROP: Final = 0.095  # how far jaw and lower lip go down at full opening, in face heights: 12 mm of 125
LIFT: Final = 0.1  # how far the upper lip rises, as a share of that
BARE: Final = 0.014  # how far it rises for f and v, which show the teeth; face heights
OPEN: Final = 0.05  # gap over width of the mouth from which the photo shows it open
GATHER: Final = 0.55  # share of the photo's gap by which an open mouth closes when it begins to speak
BITE: Final = 0.026  # how far the upper teeth reach below the seam of closed lips, face heights (2-3 mm of 125)
TEETH: Final = 2.9  # front teeth in half a mouth: 8.5 mm of 25 each


@dataclass(frozen=True, slots=True)
class LipShape:
    """The mouth curves of one face at one frame, each 0..1."""

    jaw: float = 0.0
    wide: float = 0.0
    round: float = 0.0
    close: float = 0.0
    teeth: float = 0.0


class _Look(NamedTuple):
    """What the inside of a mouth looks like in one frame; luma above black."""

    height: np.float32  # of the face, pixels
    skin: np.float32
    lip: np.float32
    dark: np.float32  # of the darkest holes in the face
    tilt: np.float32  # light from the right over light from the left, -0.3..0.3
    stretch: np.float32  # the width of the mouth over that at rest
    widest: np.float32  # the largest distance between the lips, pixels
    is_open: np.float32  # 1 if the photo shows it open, else 0
    strange: np.float32  # 0 as in the photo .. 1 far from it


class Mouth:
    """One mouth. `draw` changes nothing here and may be called from any thread."""

    def __init__(self, source: Source, pose: FacePose, *, chance: np.random.Generator) -> None:
        self._source = source
        h, w = source.planes.y.shape
        points = pose.landmarks[:, :2]
        left, right = points[CORNERS[0]], points[CORNERS[1]]
        fall = pose.flat(np.array([0.0, 1.0, 0.25]))  # a jaw swings down and a little back
        frame = LocalFrame.between(left, right, fall)
        self._height = height = float(np.hypot(*fall))  # of the face, pixels, along that direction
        width = float(np.hypot(*(right - left)))

        self._upper, self._lower = _edges(frame, points)
        gap = (self._lower - self._upper)[TABLE // 3 : 2 * TABLE // 3].mean()
        self.is_open = bool(gap > OPEN * width)
        if not self.is_open:
            self._upper = self._lower = _seam(source, frame, (self._upper + self._lower) / 2, 0.025 * height)
        middle = float(np.clip(frame.own(points[[13, 14, 0, 17]])[:, 0].mean(), -0.5, 0.5))
        self._s = (X - middle) / (1 - middle * X)  # x with the lips' middle at 0: a turned mouth is not symmetric
        arc = 1 - X * X
        self._bow = (self._lower * arc).sum() / (arc * arc).sum() * arc - self._lower

        nose, upper, lower, chin = frame.own(points[[NOSE_BASE, UPPER_OUTER, LOWER_OUTER, CHIN]])[:, 1]
        lip_up = max(0.8 * float(self._upper[TABLE // 2] - upper), 0.01 * height)
        lip_low = max(0.8 * float(lower - self._lower[TABLE // 2]), 0.01 * height)
        self._reach = (
            Reach(lip_up, max(0.9 * float(self._upper.min() - nose), lip_up + 0.04 * height)),
            Reach(lip_low, max(0.85 * float(chin - self._lower.max()), lip_low + 0.12 * height)),
        )
        top, bottom = self._upper.min() - self._reach[0].end, self._lower.max() + self._reach[1].end
        corners = frame.canvas(np.array([-1.0, 1.0, -1.0, 1.0]), np.array([top, top, bottom, bottom]))
        self.rect = Rect.around(corners, (w, h))
        self._warp = LocalWarp(frame, self.rect)
        self._tones = measure_tones(source, pose)
        self._grain = make_grain(self._tones, 2 * self.rect.height, 2 * self.rect.width, chance)
        self._still = source.y2[self.rect.luma2_in(Rect(0, 0, w, h))]  # the rect as it is in the picture

    def rests(self, shape: LipShape) -> bool:
        """Whether the lips are as in the picture. (Width alone is moved by head.py.)"""
        top, bottom = self._opening(shape)
        return bool(np.abs(top - self._upper).max() < 0.01 and np.abs(bottom - self._lower).max() < 0.01)

    def draw(self, patch: CanvasPatch, shape: LipShape) -> None:
        """Redraw the mouth in `patch`, whose rect covers `self.rect`."""
        now = self._opening(shape)
        self._warp.redraw(patch, self._source, (self._upper, self._lower), now, self._reach)
        self._fill(patch, *now, shape)

    def _opening(self, shape: LipShape) -> tuple[F64, F64]:
        """The inner edges of the lips now: two tables of t, top <= bottom."""
        s, height, free = self._s, self._height, 1 - shape.close
        bell = np.maximum(0, 1 - s * s) ** (1.15 + 0.9 * shape.round)
        part = shape.jaw * (1.5 - 0.5 * shape.jaw)  # lips part ahead of the jaw
        fall = DROP * height * part * (1 - 0.9 * shape.teeth) * (1 + 0.15 * shape.round) * free
        rise = LIFT * fall + BARE * height * shape.teeth * free
        flat = min(1.0, fall / (0.04 * height))  # a lowered lip loses the curve of the seam
        top, bottom = self._upper - rise * bell, self._lower + fall * bell + flat * self._bow
        if self.is_open:  # an open mouth closes somewhat to speak, and fully for p, b, m
            effort = max(shape.jaw, shape.wide, shape.round) / 0.2
            gathered = max(shape.close, GATHER * float(smoothstep(np.asarray(effort))))
            rest = self._lower - self._upper
            top, bottom = top + 0.3 * rest * gathered, bottom - 0.7 * rest * gathered
        meet = (top + bottom) / 2
        return np.minimum(top, meet), np.maximum(bottom, meet)

    def _fill(self, patch: CanvasPatch, top: F64, bottom: F64, shape: LipShape) -> None:
        """Paint what shows between the lips, as soft as the photo is."""
        tones = self._tones
        window = self._warp.window(top, bottom, 2 + 3 * tones.blur)
        if window is None:
            return
        column, t = np.ascontiguousarray(self._warp.column[window]), np.ascontiguousarray(self._warp.t[window])
        top32, bottom32 = top.astype(np.float32), bottom.astype(np.float32)
        # As long as an open mouth has not moved it shows the photo; the painting fades in as it moves.
        moved = max(float(np.abs(top - self._upper).max()), float(np.abs(bottom - self._lower).max()))
        strange = min(1.0, moved / (0.01 * self._height)) if self.is_open else 1.0
        luma, cover, tooth = (np.zeros_like(t) for _ in range(3))
        _paint(
            column, t, self._s.astype(np.float32), (self._upper + self._bow).astype(np.float32), top32, bottom32,
            _Look(*(np.float32(number) for number in (
                self._height, tones.skin, tones.lip, tones.dark, tones.tilt,
                1 + 0.12 * shape.wide - 0.2 * shape.round, (bottom - top).max(), self.is_open, strange,
            ))),
            luma, cover, tooth,
        )  # fmt: skip
        for part in (luma, cover):
            cv2.GaussianBlur(part, (0, 0), 2 * tones.blur, dst=part, borderType=cv2.BORDER_REPLICATE)
        target = patch.y2[self.rect.luma2_in(patch.rect)][window]
        blend = target * (1 - cover) + luma + cover * (16 + self._grain[window])
        if self.is_open:
            known, shade = np.zeros_like(luma), np.zeros_like(luma)
            _photo_share(
                column, t, top32, bottom32, self._upper.astype(np.float32), self._lower.astype(np.float32),
                np.float32(self._height), np.float32(strange), known, shade,
            )  # fmt: skip
            blend += known * (16 + (self._still[window] - np.float32(16)) * shade - blend)
        target[...] = np.clip(np.rint(blend), 0, 255).astype(np.uint8)
        self._colour(patch, window, at_chroma(luma), at_chroma(cover), at_chroma(tooth))
        if self.is_open:
            self._colour_photo(patch, window, at_chroma(known))

    def _colour(self, patch: CanvasPatch, window: tuple[slice, slice], luma: F32, cover: F32, tooth: F32) -> None:
        """Paint chroma: less where it is darker, nearly the skin's for teeth. luma, cover, tooth: float32 on the
        window's chroma samples, all multiplied by cover."""
        tones = self._tones
        for plane, lip, skin in zip((patch.u, patch.v), tones.lip_chroma, tones.skin_chroma, strict=True):
            flesh = np.float32(1.25 * lip) * np.minimum(0.35 * cover + np.float32(0.65 / tones.lip) * luma, cover)
            bone = np.float32(0.85 * skin) * np.minimum(luma / np.float32(tones.skin), cover)
            part = np.where(cover > 1e-3, tooth / np.maximum(cover, np.float32(1e-3)), 0)
            target = plane[self.rect.chroma_in(patch.rect)][_halve(window)]
            blend = 128 + (target - np.float32(128)) * (1 - cover) + flesh + part * (bone - flesh)
            target[...] = np.clip(np.rint(blend), 16, 240).astype(np.uint8)

    def _colour_photo(self, patch: CanvasPatch, window: tuple[slice, slice], known: F32) -> None:
        planes = self._source.planes
        whole = Rect(0, 0, planes.y.shape[1], planes.y.shape[0])
        for plane, still in ((patch.u, planes.u), (patch.v, planes.v)):
            target = plane[self.rect.chroma_in(patch.rect)][_halve(window)]
            photo = still[self.rect.chroma_in(whole)][_halve(window)].astype(np.float32)
            target[...] = np.rint(target + known * (photo - target)).astype(np.uint8)


def _halve(window: tuple[slice, slice]) -> tuple[slice, slice]:
    """A window of the double-size luma, in its chroma."""
    rows, columns = window
    return slice(rows.start // 4, rows.stop // 4), slice(columns.start // 4, columns.stop // 4)


def _edges(frame: LocalFrame, points: F64) -> tuple[F64, F64]:
    """The inner edges of both lips: two tables of t. points: landmarks, float64 (478, 2), canvas pixels."""
    upper, lower = (frame.edge_through(points[list(names)], inset=0.02) for names in (UPPER_INNER, LOWER_INNER))
    middle = (upper + lower) / 2
    return np.minimum(upper, middle), np.maximum(lower, middle)


def _seam(source: Source, frame: LocalFrame, guess: F64, reach: float) -> F64:
    """The dark line between closed lips, a table of t: the darkest smooth path within `reach` pixels of `guess`, a
    table from the landmarks."""
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


def warm_up() -> None:
    """Compile this module's kernels."""
    one, table = np.zeros((1, 1), np.float32), np.zeros(TABLE, np.float32)
    nothing = np.full((1, 1), -1, np.int16)
    _paint(nothing, one, table, table, table, table, _Look(*(np.float32(1),) * 9), one.copy(), one.copy(), one.copy())
    _photo_share(nothing, one, table, table, table, table, np.float32(1), np.float32(1), one.copy(), one.copy())


@kernel
def _paint(
    column: Index, t: F32, middled: F32, bites: F32, top: F32, bottom: F32, look: _Look,
    out_luma: F32, out_cover: F32, out_tooth: F32,
) -> None:  # fmt: skip
    """Paint the opening, still sharp: luma above black and tooth (0..1), both times cover (0..1), and cover, float32 of
    the shape of column and t. Tables float32 (TABLE,): middled, x with the lips' middle at 0; bites, t of the upper
    teeth's edge; top and bottom, t of the lips."""
    height, skin, lip, darkest, tilt, stretch, widest, is_open, strange = look
    dark = min(0.8 * darkest, 0.2 * lip)
    lit = smoothstep_scalar(widest / (0.06 * height))  # the wider the mouth, the more light comes in
    for i in range(t.shape[0]):
        for j in range(t.shape[1]):
            c = column[i, j]
            if c < 0:
                continue
            below, above = t[i, j] - top[c], bottom[c] - t[i, j]
            if below + above <= 0.02 or min(below, above) <= -0.25:
                continue
            gap = below + above
            s = middled[c]
            u = s / stretch

            # Darkness, and the tongue: a soft mound behind the lower lip, which moves with the jaw.
            back = dark * (1.1 - 0.4 * abs(s))
            mound = 0.42 * gap * max(0.0, 1 - (s / 0.8) ** 2) + 0.006 * height
            flesh = lip * (0.32 + 0.3 * smoothstep_scalar((mound - above) / (0.6 * mound)))
            luma = back + smoothstep_scalar((mound - above) / (0.022 * height) + 0.35) * lit * (flesh - back)

            white = 0.0
            if is_open < 0.5:
                # Upper teeth do not move with the jaw: their edge stays where the lips met.
                cleft = abs((u * TEETH + 0.5) % 1 - 0.5)  # from the nearest gap between two teeth
                bite = bites[c] + height * (BITE * (1 - 0.85 * u * u) - 0.004 * (1 - 2 * cleft) ** 4) - t[i, j]
                white = smoothstep_scalar(bite / (0.007 * height) + 0.35) * smoothstep_scalar((0.9 - abs(u)) / 0.35)
                arch = max(0.0, 1 - 0.8 * u * u)
                shade = 0.5 + 0.5 * smoothstep_scalar(below / (0.03 * height))
                crown = 1 - 0.2 * max(0.0, 1 - cleft / 0.07)
                luma += white * (0.92 * skin * (0.4 + 0.6 * lit) * arch * shade * crown - luma)
            luma *= (1 + tilt * s) * (0.65 + 0.35 * smoothstep_scalar(below / (0.014 * height)))
            luma *= 0.7 + 0.3 * smoothstep_scalar(above / (0.008 * height))

            cover = min(1.0, (min(below, above) + 0.25) * 2) * strange
            out_luma[i, j] = luma * cover
            out_cover[i, j] = cover
            out_tooth[i, j] = white * cover


@kernel
def _photo_share(
    column: Index,
    t: F32,
    top: F32,
    bottom: F32,
    upper: F32,
    lower: F32,
    height: np.float32,
    strange: np.float32,
    out_known: F32,
    out_shade: F32,
) -> None:
    """Where a mouth that is open in the photo still shows the photo: known (0..1), and a factor for its luma where
    moved lips cast a shadow. Tables float32 (TABLE,): t of the lips now (top, bottom) and in the photo (upper,
    lower)."""
    edge = 0.008 * height
    for i in range(t.shape[0]):
        for j in range(t.shape[1]):
            c = column[i, j]
            if c < 0:
                continue
            at = t[i, j]
            seen = min(at - top[c], bottom[c] - at)
            if seen <= 0:
                continue
            # Landmarks are not exact: pixels right at the lips count as lips.
            known = smoothstep_scalar((min(at - upper[c], lower[c] - at) - edge) / edge)
            # A lip that has moved over the teeth has a soft edge there.
            out_known[i, j] = known * (1 - strange * (1 - min(1.0, seen + 0.5)))
            out_shade[i, j] = 1 - 0.4 * strange * (1 - smoothstep_scalar((at - top[c]) / (0.02 * height)))
