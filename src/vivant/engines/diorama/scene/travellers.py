"""Finds what stands elsewhere in the last picture than in the first, where both show one place: each picture has the
background that the other one's subject hides, so that the subject can be cut out as the difference. Knows no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_array, check_number
from vivant.engines.diorama.scene.registration import STEP, Registration
from vivant.engines.diorama.scene.relight import LightChange
from vivant.media import F32, F64, U8, Planes

Mask = NDArray[np.bool_]

_DIFFERENT: Final = 22.0  # levels in luma and chroma together
_LIKE: Final = 0.5  # correlation of detail from which two pictures show the same thing, in whatever light
_SMALLEST: Final = 0.0012  # of the canvas
_LARGEST: Final = 0.12
_MOST: Final = 0.3  # of the canvas that differs: with more the pictures differ all over, and nothing is cut out
_PLACES: Final = 8
_SAME_SUBJECT: Final = 0.5  # least correlation of a subject with itself elsewhere
_MOST_GROWN: Final = 3.0
_WEIGHTS: Final = np.array([1, 2, 2], np.float32)  # of differences in luma, u and v


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A subject as it is in one picture, in the space of the closer one. left, top: of its box, pixels; x, y: its
    middle. colours: float32 (h, w, 4), premultiplied: luma above black, u and v about 128, alpha 0..1. Raises
    ValueError for other arrays."""

    left: int
    top: int
    x: float
    y: float
    colours: F32

    def __post_init__(self) -> None:
        check_array("Sprite.colours", self.colours, np.float32, (None, None, 4))


@dataclass(frozen=True, slots=True, eq=False)
class Traveller:
    """A subject that stands elsewhere in the last picture. first, last: as it is in both; growth: by how much larger it
    is in the last. left, reached: float32 (rows, columns), 0..1 on the quarter grid of the space of the closer picture:
    where it is in the first, and in the last."""

    first: Sprite
    last: Sprite
    growth: float
    left: F32
    reached: F32

    def __post_init__(self) -> None:
        check_number("Traveller.growth", self.growth, 1 / _MOST_GROWN, _MOST_GROWN)
        for name in ("left", "reached"):
            check_array(f"Traveller.{name}", getattr(self, name), np.float32, (None, None), 0, 1)


def find_unlike(first: Planes, last: Planes, fit: Registration, change: LightChange) -> F32:
    """float32 of the quarter grid, 0..1: where the two pictures show different things."""
    # Of halved pictures, which takes a quarter of the time: most pairs differ nowhere, and are not looked at again.
    halved = _compare(first, last, fit, change, step=2).places
    h, w = first.y.shape
    places = [cv2.resize(place.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST) > 0 for place in halved]
    unlike: F32 = np.maximum.reduce([np.zeros_like(fit.both), *(_on_grid(place, fit.both.shape) for place in places)])
    return unlike


def find_travellers(first: Planes, last: Planes, fit: Registration, change: LightChange) -> tuple[Traveller, ...]:
    """The subjects that both pictures show in different places, few or none. change: that of the light where they do
    not differ, see `find_unlike`."""
    here, there, lit, level, places = _compare(first, last, fit, change)
    h, w = first.y.shape
    gain, u, v = (filters.resize(values, w, h) for values in (change.gain, change.u, change.v))
    back = (there - _added(u, v)) / gain[..., None]
    travellers = []
    while len(places) > 1:
        best = max(
            (_match(here, there, a, b), i, j) for i, a in enumerate(places) for j, b in enumerate(places) if i != j
        )
        likeness, i, j = best
        if likeness < _SAME_SUBJECT:
            break
        one, other = _cut(here, back, places[i], level), _cut(there, lit, places[j], level)
        sizes = [float(sprite.colours[..., 3].sum()) for sprite in (one, other)]
        growth = float(np.clip(np.sqrt(sizes[1] / max(sizes[0], 1.0)), 1 / _MOST_GROWN, _MOST_GROWN))
        travellers.append(
            Traveller(
                first=one,
                last=other,
                growth=growth,
                left=_on_grid(places[i], fit.both.shape),
                reached=_on_grid(places[j], fit.both.shape),
            )
        )
        places = [place for k, place in enumerate(places) if k not in (i, j)]
    return tuple(travellers)


class _Comparison(NamedTuple):
    """float32 (h, w, 3), in the space of the closer picture: the first picture, the last one, and the first in the
    light of the last; from which difference on they are not the same; and where single things differ."""

    here: F32
    there: F32
    lit: F32
    level: float
    places: list[Mask]


def _compare(first: Planes, last: Planes, fit: Registration, change: LightChange, *, step: int = 1) -> _Comparison:
    """step: pixels of the pictures for each of the comparison, along a side."""
    h, w = (side // step for side in first.y.shape)
    here, there = _draw(first, fit.to_first, step), _draw(last, fit.to_last, step)
    gain, u, v = (filters.resize(values, w, h) for values in (change.gain, change.u, change.v))
    lit = here * gain[..., None] + _added(u, v)
    both = filters.resize(fit.both, w, h) > 0.99
    apart = filters.blur(np.sqrt(((lit - _along(there, fit, step)) ** 2 * _WEIGHTS).sum(-1)), 0.002 * w)
    level = max(_DIFFERENT, 5 * float(np.median(apart[both]))) if both.any() else 255.0
    unlike = (apart > level) & both & (_correlate(lit[..., 0], there[..., 0], 0.008 * w, 1 / step) < _LIKE)
    return _Comparison(here, there, lit, level, _find_places(unlike, (apart > level) & both))


def _draw(planes: Planes, to_picture: F64, step: int) -> F32:
    """float32 (h, w, 3): luma above black and chroma about 128 of a picture, in the space of the closer one, every
    `step` pixels."""
    h, w = (side // step for side in planes.y.shape)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    to_picture = to_picture @ np.array([[step, 0, (step - 1) / 2], [0, step, (step - 1) / 2], [0, 0, 1]])
    luma = planes.y if step == 1 else cv2.blur(planes.y, (3, 3))
    half = np.array([[0.5, 0, 0], [0, 0.5, -0.25], [0, 0, 1]])  # chroma is sited left
    drawn = [
        cv2.warpPerspective(plane, matrix @ to_picture, (w, h), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        for plane, matrix in ((luma, np.eye(3)), (planes.u, half), (planes.v, half))
    ]
    return np.dstack(drawn).astype(np.float32) - np.array([16, 128, 128], np.float32)


def _along(there: F32, fit: Registration, step: int) -> F32:
    """What the last picture shows, moved back along the flow where that can be trusted."""
    h, w = there.shape[:2]
    sure = np.clip(4 * fit.sure_there - 3, 0, 1)
    dx, dy = (filters.resize(d * sure / np.float32(step), w, h) for d in fit.there)
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return np.asarray(cv2.remap(there, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _added(u: F32, v: F32) -> F32:
    return np.dstack([np.zeros_like(u), u, v])


def _correlate(a: F32, b: F32, sigma: float, fine: float) -> F32:
    """float32 (h, w): the correlation of the detail of two pictures about each pixel; 1 where neither has any. fine:
    pixels, the standard deviation under which detail does not count."""
    one, other = (filters.blur(p, fine) - filters.blur_widely(p, 2 * sigma) for p in (a, b))
    power = np.sqrt(filters.blur_widely(one**2, sigma) * filters.blur_widely(other**2, sigma))
    likeness: F32 = (filters.blur_widely(one * other, sigma) + 1) / (power + 1)
    return likeness


def _find_places(unlike: Mask, different: Mask) -> list[Mask]:
    """Where single things differ, each bool (h, w)."""
    h, w = unlike.shape
    if unlike.mean() > _MOST:
        return []
    size = max(3, round(0.006 * w)) | 1
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    body: Any = cv2.morphologyEx(unlike.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    body = cv2.morphologyEx(body, cv2.MORPH_CLOSE, round_)
    # What differs beside a body belongs to it: a thin part, or one that by chance has the background's detail.
    near = cv2.dilate(body, np.ones((2 * size + 1, 2 * size + 1), np.uint8)) > 0
    body = cv2.morphologyEx(((body > 0) | (different & near)).astype(np.uint8), cv2.MORPH_CLOSE, round_)
    outlines, _ = cv2.findContours(body, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    places = []
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[: _PLACES + 1]:
        area = cv2.contourArea(outline) / (h * w)
        if area > _LARGEST:
            return []
        if area < _SMALLEST:
            continue
        place = np.zeros((h, w), np.uint8)
        cv2.drawContours(place, [outline], -1, 1, cv2.FILLED)
        places.append(place > 0)
    return places if len(places) <= _PLACES else []


def _match(here: F32, there: F32, a: Mask, b: Mask) -> float:
    """How much what is at `a` in the first picture is like what is at `b` in the last, -1..1."""
    growth = float(np.sqrt(b.sum() / a.sum()))
    if not 1 / _MOST_GROWN < growth < _MOST_GROWN:
        return -1.0
    side = 64
    pieces = []
    for picture, place in ((here, a), (there, b)):
        x, y, reach = _middle(place)
        scale = side / (2 * reach)
        matrix = np.array([[scale, 0, side / 2 - scale * x], [0, scale, side / 2 - scale * y]])
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        soft = cv2.GaussianBlur(picture, (0, 0), 0.45 / scale) if scale < 0.8 else picture
        piece = cv2.warpAffine(soft, matrix, (side, side), flags=flags)
        mask = cv2.warpAffine(place.astype(np.float32), matrix, (side, side), flags=cv2.INTER_LINEAR)
        pieces.append((np.asarray(piece, np.float32), np.asarray(mask, np.float32)))
    shared = np.minimum(pieces[0][1], pieces[1][1])
    if float(shared.sum()) < 0.6 * float(np.maximum(pieces[0][1], pieces[1][1]).sum()):
        return -1.0
    weight = shared[..., None] / shared.sum()
    one, other = (_soften(piece) for piece, _ in pieces)
    one, other = (p - (p * weight).sum((0, 1)) * np.array([1, 0, 0], np.float32) for p in (one, other))
    power = np.sqrt(float((one**2 * weight).sum()) * float((other**2 * weight).sum()))
    return float((one * other * weight).sum()) / max(float(power), 1e-6)


def _soften(piece: F32) -> F32:
    """float32 (h, w, 3), so that a shift by a pixel does not count."""
    return np.asarray(cv2.GaussianBlur(piece, (0, 0), 1.5), np.float32)


def _middle(place: Mask) -> tuple[float, float, float]:
    """Centre of mass of bool (h, w), and the side of a square of its area."""
    moments = cv2.moments(place.astype(np.uint8), True)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"], float(np.sqrt(moments["m00"]))


def _cut(picture: F32, background: F32, place: Mask, level: float) -> Sprite:
    """The subject at `place`, as what `picture` has and `background` has not: laid over the background where it was it
    gives exactly the picture."""
    h, w = place.shape
    edge = 6
    rows, columns = np.flatnonzero(place.any(1)), np.flatnonzero(place.any(0))
    top, left = max(0, rows[0] - edge), max(0, columns[0] - edge)
    bottom, right = min(h, rows[-1] + 1 + edge), min(w, columns[-1] + 1 + edge)
    box = slice(top, bottom), slice(left, right)
    own, under, body = picture[box], background[box], place[box].astype(np.uint8)
    apart = np.sqrt(((own - under) ** 2 * _WEIGHTS).sum(-1))
    solid: Any = cv2.morphologyEx(
        (apart > level).astype(np.uint8) & body, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    )
    outlines, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(body)
    cv2.drawContours(filled, [o for o in outlines if cv2.contourArea(o) > 30], -1, 1, cv2.FILLED)
    core: Any = cv2.erode(filled, np.ones((3, 3), np.uint8))
    rim: Any = cv2.dilate(body, np.ones((5, 5), np.uint8))
    alpha = np.clip((filters.blur(apart, 0.6) - 0.3 * level) / (1.2 * level), 0, 1)
    alpha = np.maximum(alpha * filters.blur(rim, 1.0), filters.blur(core, 1.0)).astype(np.float32)
    colours = own - (1 - alpha[..., None]) * under
    # No more than its alpha can have: what else the difference holds would be a stain elsewhere.
    most = alpha * 219
    colours[..., 0] = np.clip(colours[..., 0], 0, most)
    for k in (1, 2):
        colours[..., k] = np.clip(colours[..., k], -0.5 * most, 0.5 * most)
    moments = cv2.moments(alpha)
    x, y = left + moments["m10"] / max(moments["m00"], 1e-6), top + moments["m01"] / max(moments["m00"], 1e-6)
    return Sprite(int(left), int(top), float(x), float(y), np.dstack([colours, alpha]).astype(np.float32))


def _on_grid(place: Mask, shape: tuple[int, ...]) -> F32:
    """float32 of the quarter grid: 1 where the subject is and a little beyond, with a soft rim."""
    wide: U8 = np.asarray(cv2.dilate(place.astype(np.uint8), np.ones((17, 17), np.uint8)), np.uint8)
    soft = filters.blur(wide, 4.0)[::STEP, ::STEP]
    return np.clip(np.ascontiguousarray(soft[: shape[0], : shape[1]]), 0, 1)
