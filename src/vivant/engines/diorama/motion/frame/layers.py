"""The subject cut out and the background completed behind it, so that the camera can look past the subject; and how the
two are composited again. Knows nothing of the camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import STEP, Rect, quarter_shape, sample_quarter
from vivant.engines.diorama.motion.frame.compositing import I16, Where, lay
from vivant.engines.diorama.motion.frame.warp import Grid, Texels, enlarge, look_up, to_texels
from vivant.engines.diorama.scene.complete import complete, pull_push
from vivant.engines.diorama.scene.scene import Scene, Source
from vivant.engines.diorama.scene.surroundings import Surroundings
from vivant.media import F32, U8

# The matte's soft rim, moved a little inward: a thin line of background around a cut-out is easily seen.
_RIM: Final = (0.1, 0.9)
# RGB distance of the subject's colour and the ground's, 0..255, between which colours correct a matte not at all
# and wholly; the share of the subject in a colour under which it is ground, and from which the matte is believed.
_APART: Final = (30.0, 70.0)
_OWN: Final = (0.1, 0.6)
RESIDUAL_ENDS: Final = 7.0  # pixels of shift from which the residual, see `composite_over`, is left out
_CELL: Final = 3 * STEP  # pixels about a corner that a cell of the grid may read, also where it is drawn smaller
SLACK: Final = 4.0  # levels of it that always stay: small errors of the matte


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """The subject, premultiplied by alpha: the picture less the background's share, so that compositing it over the
    background at its own place gives exactly the picture.

    y: int16 (2h, 2w); u, v: int16 (h/2, w/2), chroma less 128 times alpha; alpha2: uint8 (2h, 2w); alpha_half: uint8
    (h/2, w/2). They may go on beyond the canvas, see `picture`.
    """

    y: I16
    u: I16
    v: I16
    alpha2: U8
    alpha_half: U8
    picture: Texels  # the picture itself, which is read where the subject is opaque; planes of the same size
    # float32 (2, h/4, w/4), 0..1, on the quarter grid of the canvas: where alpha or residual are not 0, and where, and
    # as far around as a cell of the grid reads, alpha is 1.
    covers: F32

    @property
    def extent(self) -> F32:
        """The first of `covers`."""
        return np.asarray(self.covers[0], np.float32)


class Covers(NamedTuple):
    """What a cut-out covers, on a grid, see `Cutout.covers`."""

    extent: F32
    solid: F32

    def part(self, rect: Rect, whole: Rect) -> Covers:
        """The same for a rect inside a grid of the whole output."""
        part = Grid(whole, self.extent, self.solid).part(rect)
        return Covers(part.x, part.y)


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """What `cut_out` makes of a scene. Nearness is float32 on the quarter grid, 0..1."""

    background: Source
    ground: F32  # nearness of the background
    subject: Cutout
    body: F32  # nearness of the subject


def cut_out(scene: Scene, nearness: F32, *, subject_nearness: float, reach: float) -> Layers:
    """Separate the subject of a scene whose matte is trusted. nearness: float32 on the quarter grid, 0..1, of the whole
    scene; subject_nearness: that of the subject; reach: how far behind the subject's outline the camera can look, in
    pixels."""
    raw = scene.matte.mask
    alpha, hole, grow = _outline(raw)
    alpha = take_ground_out(alpha, hole, scene.rgb, grow)
    background = complete(scene.source, scene.rgb, hole, reach=reach + 2 * grow)
    known: Any = cv2.resize(1 - hole, nearness.shape[::-1], interpolation=cv2.INTER_AREA)
    far = cv2.dilate((known < 0.999).astype(np.uint8), np.ones((7, 7), np.uint8))
    filled = pull_push(nearness, (1 - far).astype(np.float32))
    ground: Any = cv2.GaussianBlur(filled, (0, 0), 0.012 * max(nearness.shape), borderType=cv2.BORDER_REPLICATE)
    body = _measured_body(raw, nearness) if scene.depth_measured else _round_body(raw, subject_nearness)
    subject = make_cutout(scene.source, background, alpha, hole, to_texels(scene.source))
    return Layers(background, ground, subject, body)


def continue_cutout(scene: Scene, whole: Surroundings, background: Surroundings) -> Cutout:
    """The subject cut out where it goes on beyond the canvas, as far as its outline at the border reaches. whole,
    background: the picture and what is behind the subject, with equal margins around the canvas."""
    margins = whole.margins
    sides = (margins.top, margins.bottom, margins.left, margins.right)
    alpha, hole, grow = _outline(scene.matte.mask)
    alpha = take_ground_out(alpha, hole, scene.rgb, grow)
    wide, open_ = (
        np.asarray(cv2.copyMakeBorder(mask, *sides, cv2.BORDER_REPLICATE), np.float32) for mask in (alpha, hole)
    )
    made = make_cutout(whole.source, background.source, wide, open_, to_texels(whole.source, margins))
    return replace(made, covers=_find_covers(alpha, hole))


def _outline(raw: F32) -> tuple[F32, F32, int]:
    """From a matte, float32 (h, w): the subject's alpha; the hole that it leaves, as which everything is replaced that
    may contain some of it, with a soft rim; and by how many pixels the hole is larger."""
    low, high = _RIM
    alpha = np.clip((raw - low) / (high - low), 0, 1).astype(np.float32)
    grow = max(2, round(0.0035 * raw.shape[1]))
    trace = cv2.dilate(
        (raw > 0.1).astype(np.float32), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1,) * 2)
    )
    hole = np.clip(cv2.GaussianBlur(trace, (0, 0), 0.5 * grow) * 1.6 - 0.3, 0, 1).astype(np.float32)
    return alpha, hole, grow


def take_ground_out(alpha: F32, hole: F32, rgb: U8, grow: int) -> F32:
    """The alpha of a subject, float32 (h, w), 0..1, less in its rim where that has the colour of the ground beside it:
    threads of grass between hairs would go along with them. rgb: uint8 (h, w, 3); hole: 1 where the subject may be,
    float32 (h, w); grow: width of the rim, pixels."""
    h, w = alpha.shape
    body = cv2.erode((alpha > 0.98).astype(np.uint8), np.ones((2 * grow + 1, 2 * grow + 1), np.uint8), borderValue=1)
    rim = (alpha > 0.02) & (body == 0)
    if not rim.any() or not body.any() or float(hole.min()) > 0:
        return alpha
    size = (max(w // 4, 1), max(h // 4, 1))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)

    def spread(known: Any) -> F32:
        shares: Any = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        sure = (shares > 0.99).astype(np.float32)
        return pull_push(small, sure if sure.any() else shares)

    own, ground = spread(body), spread(hole <= 0)
    out = alpha.copy()
    rows, columns = np.nonzero(rim)
    at = np.minimum(rows // 4, size[1] - 1), np.minimum(columns // 4, size[0] - 1)
    way, away = own[at] - ground[at], rgb[rows, columns] - ground[at]
    far = np.sqrt((way * way).sum(axis=1))
    share = (way * away).sum(axis=1) / np.maximum(far * far, 1)
    told = smoothstep((far - _APART[0]) / (_APART[1] - _APART[0]))
    out[rows, columns] *= 1 - told * (1 - smoothstep((share - _OWN[0]) / (_OWN[1] - _OWN[0])))
    return out


def _measured_body(raw: F32, nearness: F32) -> F32:
    """The measured nearness inside the subject, continued beyond its outline."""
    inside: Any = cv2.resize(raw, nearness.shape[::-1], interpolation=cv2.INTER_AREA)
    known = cv2.erode((inside > 0.95).astype(np.uint8), np.ones((3, 3), np.uint8))
    known = known if known.any() else (inside > 0.5).astype(np.uint8)
    filled = pull_push(nearness, known.astype(np.float32))
    smooth: Any = cv2.GaussianBlur(filled, (0, 0), 0.012 * max(nearness.shape), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float32)


def _round_body(raw: F32, subject_nearness: float) -> F32:
    """Nearness of the subject, continued beyond its outline: nearly a plane, bulging a little toward the viewer."""
    rows, columns = quarter_shape(*raw.shape)
    small = filters.resize(raw, columns, rows)
    bulge = cv2.GaussianBlur(small, (0, 0), 0.05 * max(small.shape), borderType=cv2.BORDER_REPLICATE)
    return (subject_nearness * (1 + 0.14 * (bulge - 0.6))).astype(np.float32)


def make_cutout(source: Source, background: Source, alpha: F32, hole: F32, picture: Texels) -> Cutout:
    """What a picture has before a background, which differs from it in the hole. alpha, hole: float32 (h, w), 0..1;
    picture: what is read of the source."""
    h, w = alpha.shape
    double_size, half_size = (2 * w, 2 * h), (w // 2, h // 2)
    alpha2 = _to_bytes(cv2.resize(alpha, double_size, interpolation=cv2.INTER_LINEAR))
    alpha_half = _to_bytes(cv2.resize(alpha, half_size, interpolation=cv2.INTER_AREA))
    y = left_over(source.y2, background.y2, alpha2, 0)
    u = left_over(source.planes.u, background.planes.u, alpha_half, 128)
    v = left_over(source.planes.v, background.planes.v, alpha_half, 128)
    return Cutout(y, u, v, alpha2, alpha_half, picture, _find_covers(alpha, hole))


def _to_bytes(alpha: Any) -> U8:
    """float32 0..1 -> uint8 0..255, rounded, in one pass."""
    return np.asarray(cv2.convertScaleAbs(alpha, alpha=255), np.uint8)


def _find_covers(alpha: F32, hole: F32) -> F32:
    """`Cutout.covers` of an alpha and a hole, float32 (h, w), 0..1."""
    rows, columns = quarter_shape(*alpha.shape)
    extent = filters.resize(np.maximum(hole, alpha), columns, rows)
    inside = cv2.erode((alpha > 0.999).astype(np.uint8), np.ones((2 * _CELL + 1,) * 2, np.uint8))
    return np.stack([extent, sample_quarter(np.asarray(inside, np.float32))])


def left_over(picture: U8, background: U8, alpha: U8, zero: int) -> I16:
    """picture - (1 - alpha) · background, about `zero`, in 1/16 steps: int16 (h, w). All uint8 (h, w)."""
    # Contiguous, so that the loop is compiled once.
    picture, background, alpha = (np.ascontiguousarray(plane) for plane in (picture, background, alpha))
    return _left_over(picture, background, alpha, zero)


@kernel
def _left_over(picture: U8, background: U8, alpha: U8, zero: int) -> I16:
    h, w = picture.shape
    out = np.empty((h, w), np.int16)
    shares = np.empty(256, np.float32)
    for k in range(256):
        shares[k] = np.float32(1) - np.float32(k) / np.float32(255)
    middle = np.float32(zero)
    for i in range(h):
        for j in range(w):
            share = shares[alpha[i, j]]
            left = (np.float32(picture[i, j]) - middle) - share * (np.float32(background[i, j]) - middle)
            out[i, j] = np.int16(np.rint(np.float32(16) * left))
    return out


def composite_over(
    cutout: Cutout, grid: Grid, frame: tuple[U8, U8, U8], *, shift: F32, covers: Covers | None = None
) -> None:
    """Composite the subject over `frame` (planes of the whole output, in place) where `grid` looks. covers: what it
    covers there, if that is known.

    shift: how far the subject has moved against its background, in pixels, float32 like the grid. At the outline the
    cutout also holds the residual between the true background and the completed one: at its own place that makes the
    picture exact, elsewhere it would be a stain. So it is reduced as the subject moves.
    """
    slack = np.asarray(16 * (SLACK + 255 * np.maximum(0, 1 - shift / RESIDUAL_ENDS)), np.float32)
    rect, picture = grid.rect, cutout.picture
    extent, solid = covers or look_up(cutout.covers, grid.x, grid.y)
    x, y = picture.place(grid.x, grid.y)
    where = Where(x, y, *(np.ascontiguousarray(values) for values in (extent, solid, slack)))
    luma = (rect.top, rect.left, rect.height, rect.width)
    chroma = (rect.top // 2, rect.left // 2, rect.height // 2, rect.width // 2)
    lay(frame[0], luma, picture.y2, cutout.y, cutout.alpha2, 0, where, STEP, 2.0, 0.0)
    for out, plane, left in ((frame[1], picture.u, cutout.u), (frame[2], picture.v, cutout.v)):
        lay(out, chroma, plane, left, cutout.alpha_half, 128, where, STEP // 2, 0.5, -0.25)


def hide(cutout: Cutout, grid: Grid, share: U8) -> None:
    """Take what the subject hides out of `share`, uint8 (h, w) of the whole output, in place. grid: where it is."""
    rect = grid.rect
    x, y = cutout.picture.place(grid.x, grid.y)
    alpha = _sample(cutout.alpha2, _round(enlarge(2 * x, rect), enlarge(2 * y, rect)))
    part = share[rect.luma]
    part[:] = (part.astype(np.uint16) * (255 - alpha.astype(np.uint16)) + 127) // 255


def _round(map_x: F32, map_y: F32) -> tuple[Any, Any]:
    """Maps as `cv2.remap` rounds them, to 1/32 pixel: once for all planes that are read with them."""
    whole, part = cv2.convertMaps(map_x, map_y, cv2.CV_16SC2)
    return whole, part


def _sample(plane: Any, at: tuple[Any, Any]) -> Any:
    return cv2.remap(plane, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
