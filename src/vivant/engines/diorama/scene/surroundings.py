"""What lies around the canvas, so that a camera can look beyond it: first what the crop cut away from the original
picture, then, where sky, water, ground, leaves or blur reach the border, texture completed from patches of the picture.
Knows no camera: how far it looks is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import cv2
import numpy as np
from PIL import Image

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_number
from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.scene.border import judge_borders
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.complete import complete
from vivant.engines.diorama.scene.scene import Margins, Outside, Scene, Source
from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED
from vivant.media import F32, F64, U8, Planes, to_picture

Side = Literal["left", "top", "right", "bottom"]

SIDES: Final[tuple[Side, ...]] = ("left", "top", "right", "bottom")
_MOST_CUT: Final = 0.4  # of the canvas's side, of what the crop cut away, that is kept
# Of the canvas's side, that may be completed: where edges cross the border at a slant, and where none do. Tuned by eye:
# beyond a tenth patches begin to repeat.
_COMPLETED: Final = (0.05, 0.12)
_OF_SUBJECT: Final = 0.045  # the same where a subject is cut by the border: cloth and fur hold a little
_STRIP: Final = 0.03  # of the side, along the border, in which the subject is looked for
_TOUCHES: Final = 0.02  # share of that strip from which the subject reaches the border
_FACE: Final = 0.25  # heights of a face, within which of the border nothing is completed
_SMALL: Final = 2  # pixels of the border that are left to the picture's edge: not worth completing
_SEAM: Final = 6.0  # pixels beside the seam that are compared with the picture's edge, and over which detail fades in
_LIGHT: Final = 0.06  # of the longer side, over which a difference at the seam is one of light
_GRAIN: Final = 1.6  # pixels: finer detail is grain
_MOST_GRAIN: Final = 7.0  # levels of luma: stronger detail is an outline, and not mirrored
_GLARE: Final = 0.06  # of the side: how far along the border light parts justify light ones beyond it
_BESIDE: Final = 0.03  # of the other side: how far in from the border they are looked for
_GLARING: Final = 5.0  # levels by which what is beyond may be lighter than they are
_ALIGNED: Final = 4  # pixels that all margins are a multiple of, so that chroma and the quarter grid stay in phase


@dataclass(frozen=True, slots=True)
class Room:
    """How far the view may go beyond each side of the canvas, pixels. Raises ValueError for negative numbers."""

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0

    def __post_init__(self) -> None:
        for name in SIDES:
            check_number(f"Room.{name}", getattr(self, name), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """A picture with what lies around it. source: of (top + h + bottom, left + w + right); its middle is the picture,
    to the bit."""

    source: Source
    margins: Margins


def cut_outside(picture: U8, box: tuple[float, float, float, float], rgb: U8) -> Outside | None:
    """What of the picture, uint8 (h, w, 3), lies around `box` (left, top, right, bottom, pixels), whose content `rgb`,
    uint8, shows at the size of the canvas. None where there is nothing."""
    height, width = rgb.shape[:2]
    left, top, right, bottom = box
    scale = (right - left) / width
    sides = (
        (left, width), (top, height), (picture.shape[1] - right, width), (picture.shape[0] - bottom, height)
    )  # fmt: skip
    margins = Margins(*(_align_down(min(beyond / scale, _MOST_CUT * side)) for beyond, side in sides))
    if margins == Margins():
        return None
    size = (width + margins.left + margins.right, height + margins.top + margins.bottom)
    around = (
        max(0.0, left - scale * margins.left), max(0.0, top - scale * margins.top),
        min(float(picture.shape[1]), right + scale * margins.right),
        min(float(picture.shape[0]), bottom + scale * margins.bottom),
    )  # fmt: skip
    whole = np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS, box=around))
    whole[margins.top : margins.top + height, margins.left : margins.left + width] = rgb
    return Outside(whole, margins)


def measure_room(scene: Scene) -> Room:
    """How far a camera may look beyond the canvas of a scene: over what the crop cut away, and a little over what can
    be completed beyond that. A face or a subject at the border is never continued."""
    height, width = scene.depth.shape
    cut = Margins() if scene.outside is None else scene.outside.margins
    judged = judge_borders(scene.rgb if scene.outside is None else scene.outside.rgb)
    least, most = _COMPLETED
    touched = find_touched(scene)
    room = {}
    for name in SIDES:
        side = width if name in ("left", "right") else height
        real = getattr(cut, name)
        can = least + (most - least) * getattr(judged, name)
        if real == 0 and _meets_face(scene, name):
            can = 0.0
        elif real == 0 and name in touched:
            can = min(can, _OF_SUBJECT)
        room[name] = real + can * side
    return Room(**room)


def find_touched(scene: Scene) -> frozenset[Side]:
    """The sides at which a trusted subject is cut by the border."""
    if scene.matte.trust <= SUBJECT_TRUSTED:
        return frozenset()
    strips = _strips(scene.matte.mask)
    return frozenset(name for name in SIDES if float((strips[name] > 0.5).mean()) > _TOUCHES)


def surround(scene: Scene, source: Source, needed: Margins) -> Surroundings:
    """`source`, the picture of the scene or the background completed behind its subject, with at least `needed` pixels
    around it. What the crop cut away is taken first; what lies beyond is completed."""
    height, width = source.planes.y.shape
    margins = Margins(*(-(-getattr(needed, name) // _ALIGNED) * _ALIGNED for name in SIDES))
    if margins == Margins():
        return Surroundings(source, margins)
    rgb = scene.rgb if source is scene.source else to_picture(source.planes)
    cut = Margins() if scene.outside is None else scene.outside.margins
    real = Margins(*(min(getattr(cut, name), getattr(margins, name)) for name in SIDES))
    if scene.outside is not None:
        top, left = cut.top - real.top, cut.left - real.left
        around = scene.outside.rgb[top : top + real.top + height + real.bottom]
        around = around[:, left : left + real.left + width + real.right].copy()
        around[real.top : real.top + height, real.left : real.left + width] = rgb
        rgb = around
    beyond = [getattr(margins, name) - getattr(real, name) for name in SIDES]
    left, top, right, bottom = beyond
    rgb = np.pad(rgb, ((top, bottom), (left, right), (0, 0)), mode="edge")
    rows, columns = rgb.shape[:2]
    hole = np.ones((rows, columns), np.float32)
    hole[top : rows - bottom, left : columns - right] = 0
    made = make_source(rgb)
    if max(beyond) > _SMALL:
        made = _even_seam(complete(made, rgb, hole, reach=float(max(beyond)), begin="border"), made, hole)
    return Surroundings(_lay_in(made, source, margins), margins)


def _even_seam(filled: Source, padded: Source, hole: F32) -> Source:
    """The completed border in the light of the picture beside it: patches come from elsewhere, where it may be darker.
    The correction is the difference at the seam, and fades out over the border. padded: the picture with its edge
    repeated outward."""
    rows, columns = np.flatnonzero(hole.min(axis=1) < 1), np.flatnonzero(hole.min(axis=0) < 1)
    box = int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])

    def even(plane: U8, edge: U8, scale: int) -> U8:
        top, bottom, left, right = (-(-side // scale) for side in box)
        h, w = plane.shape
        inner = top, min(bottom, h - 1), left, min(right, w - 1)
        out = plane.copy()
        change = _differ_at_seam(edge, plane, inner, _SEAM / scale)
        # What differs over a long stretch is light, and fades out over the border; what differs from row to row is
        # detail, and would be drawn out into streaks.
        light = _smooth_along(change, inner, _LIGHT * max(plane.shape))
        _fade_in(out, light, change - light, _SEAM / scale, *inner)
        return out

    lit = _dim_scraps(even(filled.planes.y, padded.planes.y, 1), box)
    y = _add_grain(np.minimum(lit, 235).astype(np.uint8), box)
    u, v = even(filled.planes.u, padded.planes.u, 2), even(filled.planes.v, padded.planes.v, 2)
    change = y.astype(np.int16) - filled.planes.y
    doubled: Any = cv2.resize(change, (2 * y.shape[1], 2 * y.shape[0]), interpolation=cv2.INTER_LINEAR)
    y2 = np.clip(filled.y2 + doubled, 16, 235).astype(np.uint8)
    y2[::2, ::2] = y
    return Source(Planes(y, u, v), y2)


def _dim_scraps(luma: U8, box: tuple[int, int, int, int]) -> U8:
    """A border without what is lighter than all of the picture beside it: a scrap of foam or sky that a patch brought
    along is the first thing one sees in still water. luma: uint8 (h, w); box: first and last row and column of the
    picture."""
    top, bottom, left, right = box
    h, w = luma.shape
    out = luma.astype(np.float32)
    for there, plane, begin, end in (  # views, in which the border lies below the picture
        (bottom < h - 1, out, bottom, h),
        (top > 0, out[::-1], h - 1 - top, h),
        (right < w - 1, out.T, right, w),
        (left > 0, out.T[::-1], w - 1 - left, w),
    ):
        if not there:
            continue
        over = end - 1 - begin
        first, last = (left, right) if plane.shape[1] == w else (top, bottom)
        beside = filters.blur(
            plane[max(0, begin - max(min(over, round(_BESIDE * plane.shape[0])), 8)) : begin + 1], 1.5
        )
        reach = max(1, round(_GLARE * plane.shape[1]))
        lightest = np.percentile(beside, 75, axis=0)[None].astype(np.float32)
        lightest[:, :first], lightest[:, last + 1 :] = lightest[0, first], lightest[0, last]
        most = filters.blur(np.asarray(cv2.dilate(lightest, np.ones((1, 2 * reach + 1), np.uint8))), 0.5 * reach)
        border = plane[begin + 1 : end]
        border -= np.maximum(filters.blur(np.ascontiguousarray(border), 1.5) - most - _GLARING, 0)
    out[top : bottom + 1, left : right + 1] = luma[top : bottom + 1, left : right + 1]
    return np.asarray(np.clip(np.rint(out), 16, 240), np.uint8)


def _differ_at_seam(edge: U8, plane: U8, box: tuple[int, int, int, int], sigma: float) -> F32:
    """edge - plane just outside `box` (first and last row and column), averaged along the seam: float32 (h, w), of
    which only what lies on the outline of the box is set. Both planes uint8 (h, w)."""
    h, w = plane.shape
    top, bottom, left, right = box
    out = np.zeros((h, w), np.float32)
    around = int(4 * sigma) + 2  # beyond that a Gaussian is nothing
    rows, columns = slice(0, h), slice(0, w)
    for there, part in (
        (top > 0, (slice(max(0, top - around), top + around), columns)),
        (bottom < h - 1, (slice(max(0, bottom - around), bottom + around), columns)),
        (left > 0, (rows, slice(max(0, left - around), left + around))),
        (right < w - 1, (rows, slice(max(0, right - around), right + around))),
    ):
        if not there:
            continue
        y, x = (np.arange(h)[part[0], None], np.arange(w)[None, part[1]])
        away = np.hypot(y - np.clip(y, top, bottom), x - np.clip(x, left, right))
        ring = ((away > 0) & (away <= sigma)).astype(np.float32)
        change = filters.blur((edge[part].astype(np.float32) - plane[part]) * ring, sigma)
        change /= np.maximum(filters.blur(ring, sigma), np.float32(1e-3))
        for at in (
            ((y == top) | (y == bottom)) & (x >= left) & (x <= right),
            ((x == left) | (x == right)) & ((y >= top) & (y <= bottom)),
        ):
            on = at & (np.abs(change) > np.abs(out[part]))
            out[part][on] = change[on]
    return out


def _smooth_along(change: F32, box: tuple[int, int, int, int], sigma: float) -> F32:
    """The values on the outline of a box, float32 (h, w), smoothed along each of its sides."""
    top, bottom, left, right = box
    out = np.zeros_like(change)
    for row in (top, bottom):
        out[row, left : right + 1] = filters.blur(change[row : row + 1, left : right + 1], sigma)[0]
    for column in (left, right):
        out[top : bottom + 1, column] = filters.blur(change[top : bottom + 1, column : column + 1], sigma)[:, 0]
    return out


@kernel
def _fade_in(plane: U8, light: F32, detail: F32, short: float, top: int, bottom: int, left: int, right: int) -> None:
    """Add to what lies outside a box, in place, the light and the detail of the nearest pixel on its outline, less the
    farther away it is: of the detail nothing is left after a few times `short` pixels. plane: uint8 (h, w); light,
    detail: float32 (h, w); the rest: first and last row and column of the box."""
    h, w = plane.shape
    farthest = np.hypot(float(max(top, h - 1 - bottom)), float(max(left, w - 1 - right)))
    reach = max(4.0, 0.5 * farthest)
    for i in range(h):
        row = min(max(i, top), bottom)
        for j in range(w):
            if row == i and left <= j <= right:
                continue
            column = min(max(j, left), right)
            away = np.hypot(float(i - row), float(j - column))
            more = light[row, column] * np.exp(-away / reach) + detail[row, column] * np.exp(-away / short)
            value = np.rint(plane[i, j] + more)
            plane[i, j] = np.uint8(min(max(value, 16.0), 240.0))


def _add_grain(luma: U8, box: tuple[int, int, int, int]) -> U8:
    """Matched patches tend to be smoother than what they continue. The border gets the fine grain of the picture beside
    it: its mirror image, of which nothing but grain is taken. box: first and last row and column of the picture."""
    top, bottom, left, right = box
    h, w = luma.shape
    out = luma.copy()
    around = int(20 * _GRAIN) + 2  # as far as the blurs reach
    above, below = top + max(top, around), h - 1 - bottom + max(h - 1 - bottom, around)
    before, after = left + max(left, around), w - 1 - right + max(w - 1 - right, around)
    for there, rows, columns in (
        (top > 0, slice(0, min(h, above)), slice(0, w)),
        (bottom < h - 1, slice(max(0, h - below), h), slice(0, w)),
        (left > 0, slice(0, h), slice(0, min(w, before))),
        (right < w - 1, slice(0, h), slice(max(0, w - after), w)),
    ):
        if there:
            part = luma[rows, columns]
            first, start = rows.start, columns.start
            inner = (
                max(top - first, 0), min(bottom - first, part.shape[0] - 1), max(left - start, 0),
                min(right - start, part.shape[1] - 1),
            )  # fmt: skip
            inside = (slice(None) if columns == slice(0, w) else slice(inner[0], inner[1] + 1)), slice(None)
            out[rows, columns][inside] = _grain_around(part, inner)[inside]  # corners belong to the top and the bottom
    return out


def _grain_around(luma: U8, box: tuple[int, int, int, int]) -> U8:
    top, bottom, left, right = box
    rows, columns = luma.shape
    inside = luma[top : bottom + 1, left : right + 1]
    sides = (top, rows - 1 - bottom, left, columns - 1 - right)
    fine = inside.astype(np.float32) - filters.blur(inside, _GRAIN)
    # An outline, and what lies beside it, is left out: clipped it would still be made out as what it is, mirrored.
    outline = cv2.dilate((np.abs(fine) > _MOST_GRAIN).astype(np.uint8), np.ones((7, 7), np.uint8))
    fine *= 1 - filters.blur(outline.astype(np.float32), _GRAIN)
    grain = np.asarray(cv2.copyMakeBorder(np.clip(fine, -_MOST_GRAIN, _MOST_GRAIN), *sides, cv2.BORDER_REFLECT_101))
    own = luma.astype(np.float32) - filters.blur(luma, _GRAIN)
    has, should = filters.blur(own * own, 4 * _GRAIN), filters.blur(grain * grain, 4 * _GRAIN)
    lacks = np.sqrt(np.clip(1 - has / np.maximum(should, 1e-3), 0, 1)).astype(np.float32)
    out: U8 = np.clip(np.rint(luma + lacks * grain), 16, 235).astype(np.uint8)
    out[top : bottom + 1, left : right + 1] = inside
    return out


def _lay_in(around: Source, source: Source, margins: Margins) -> Source:
    """`source` in the middle of `around`."""
    top, left = margins.top, margins.left

    def lay(out: U8, plane: U8, scale: float) -> U8:
        row, column = round(top * scale), round(left * scale)
        out[row : row + plane.shape[0], column : column + plane.shape[1]] = plane
        return out

    planes = Planes(
        lay(around.planes.y, source.planes.y, 1), lay(around.planes.u, source.planes.u, 0.5),
        lay(around.planes.v, source.planes.v, 0.5),
    )  # fmt: skip
    return Source(planes, lay(around.y2, source.y2, 2))


def _strips(mask: F32) -> dict[Side, F32]:
    rows, columns = (max(1, round(_STRIP * side)) for side in mask.shape)
    return {"left": mask[:, :columns], "right": mask[:, -columns:], "top": mask[:rows], "bottom": mask[-rows:]}


def _meets_face(scene: Scene, side: Side) -> bool:
    height, width = scene.depth.shape
    for face in scene.faces:
        near = _FACE * face.size
        points: F64 = face.landmarks[:, :2].astype(np.float64)
        left, top = points.min(0)
        right, bottom = points.max(0)
        if {"left": left, "top": top, "right": width - right, "bottom": height - bottom}[side] < near:
            return True
    return False


def _align_down(pixels: float) -> int:
    """Real pixels are used as far as they reach."""
    return int(pixels + 1e-6) // _ALIGNED * _ALIGNED
