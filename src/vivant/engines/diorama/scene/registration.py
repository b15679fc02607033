"""Registers two pictures of one place: which view of the first the last one is, found from features, and what has moved
beyond that, found as dense flow. Knows no time.

Features are SIFT (Lowe 2004) on locally equalised luma, matched both ways; the view is a similarity where that explains
nearly as many of them, else a homography, both by MAGSAC++ (Barath et al. 2020). What is left is DIS flow (Kroeger et
al. 2016) between pictures of equal local contrast, so that another light is no motion.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_array, check_number
from vivant.engines.diorama.scene.complete import pull_push
from vivant.media import F32, F64, U8

STEP: Final = 4  # pixels from one sample of the quarter grid to the next

_LONG_SIDE: Final = 576  # pixels of the copies in which features are found: SIFT doubles them first
_CANVAS: Final = 864  # pixels of the canvas for which what is left over is told
_FEATURES: Final = 1600
_RATIO: Final = 0.8  # of the distances of the best and the second best match (Lowe 2004)
_REPROJECTION: Final = 2.0  # pixels of these copies, and of the canvas where flow corrects the view
_LEAST_INLIERS: Final = 20  # pictures of different places had 4 or 5, of one place 200 and more
_LEAST_INLIER_SHARE: Final = 0.22
_LEAST_CELLS: Final = 4  # of 16 parts of what both show, in which inliers must lie
_SIMILARITY_KEEPS: Final = 0.85  # of the inliers of a homography
_MOST_SCALE: Final = 6.0
_LEAST_RETURNING: Final = 0.55  # share of pixels to which the flow there and back must return
_LEAST_LIKENESS: Final = 0.55  # least correlation of detail along a flow that no features confirm
_SETTLED: Final = 0.1  # pixels: a view that would be corrected by less stays
_FAR: Final = 1e3  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """How two pictures of one place, both (height, width) of one canvas, fit together.

    Both are described in *the space of the closer one*, the canvas pixels of the picture that shows the place larger.
    There a point q is seen in the first picture at `to_first`(q) and in the last at `to_last`(q), one of which is the
    identity, but for what has moved by itself: what is at q in the first picture is at q + there(q) in the last, and
    the reverse.

    view: float64 (3, 3), homography from canvas pixels of the first picture to those of the last. to_first, to_last:
    the same from the space of the closer one. there, back: float32 (2, rows, columns), pixels, x before y, on the
    quarter grid. sure_there, sure_back: float32 (rows, columns), 0..1, how far each flow can be trusted. both: float32
    (rows, columns), 0..1, what both pictures show. Raises ValueError for other arrays.
    """

    view: F64
    to_first: F64
    to_last: F64
    there: F32
    back: F32
    sure_there: F32
    sure_back: F32
    both: F32
    leftover: float  # the 75th percentile of the length of the flow, pixels of a canvas of 864

    def __post_init__(self) -> None:
        for name in ("view", "to_first", "to_last"):
            check_array(f"Registration.{name}", getattr(self, name), np.float64, (3, 3))
        rows, columns = self.both.shape
        for name in ("there", "back"):
            check_array(f"Registration.{name}", getattr(self, name), np.float32, (2, rows, columns))
        for name in ("sure_there", "sure_back", "both"):
            check_array(f"Registration.{name}", getattr(self, name), np.float32, (rows, columns), 0, 1)
        check_number("Registration.leftover", self.leftover, 0)


def register(first: U8, last: U8) -> Registration | None:
    """How the last picture fits the first, both luma, uint8 (h, w) of one size; None where they show different
    places."""
    view = _find_view(first, last)
    if view is None:
        return _register_flow(first, last)
    flow = _find_flow(first, last, view)
    for _ in range(2):  # the flow that is left corrects the view: features alone are a pixel off in places
        better = None if flow is None else _refine(view, flow, first.shape)
        if better is None or _moves(view, better, first.shape) < _SETTLED:
            break
        view, flow = better, _find_flow(first, last, better)
    return None if flow is None else _registration(view, flow, first.shape)


def _moves(one: F64, other: F64, shape: tuple[int, ...]) -> float:
    """How far apart two views show a corner of the first picture at most, pixels."""
    corners = _corners((shape[1], shape[0]))
    return float(np.abs(apply(one, corners) - apply(other, corners)).max())


@dataclass(frozen=True, slots=True, eq=False)
class _Flow:
    """float32 (h', w', 2) and (h', w') in a smaller copy of the space of the closer picture."""

    there: F32
    back: F32
    sure_there: F32
    sure_back: F32
    both: F32


def _find_view(first: U8, last: U8) -> F64 | None:
    """float64 (3, 3) from pixels of the first to pixels of the last, or None."""
    h, w = first.shape
    scale = min(1.0, _LONG_SIDE / max(h, w))
    size = (round(w * scale), round(h * scale))
    here, there = _match(*(_shrink(picture, size) for picture in (first, last)))
    if len(here) < _LEAST_INLIERS:
        return None
    found, kept = _homography(here, there)
    if found is None:
        return None
    similar, kept_similar = _similarity(here, there)
    if similar is not None and kept_similar.sum() >= _SIMILARITY_KEEPS * kept.sum():
        found, kept = similar, kept_similar
    inliers = int(kept.sum())
    if (
        inliers < _LEAST_INLIERS
        or inliers < _LEAST_INLIER_SHARE * len(here)
        or not _is_plausible(found, size)
        or _count_cells(here[kept], found, size) < _LEAST_CELLS
    ):
        return None
    across = np.diag([size[0] / w, size[1] / h, 1.0])
    return _normal(np.linalg.inv(across) @ found @ across)


def _shrink(picture: U8, size: tuple[int, int]) -> U8:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _match(first: U8, last: U8) -> tuple[F32, F32]:
    """Positions, float32 (n, 2), of the same features in both pictures."""
    with ThreadPoolExecutor(2, thread_name_prefix="vivant-look") as threads:
        (here, one), (there, other) = threads.map(_find_features, (first, last))
    if min(len(here), len(there)) < _LEAST_INLIERS:
        return np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)
    likeness = one @ other.T
    forth, back = _best(likeness), _best(np.ascontiguousarray(likeness.T))
    mutual = [(i, j) for i, j in forth.items() if back.get(j) == i]
    pairs = np.array(mutual, int).reshape(-1, 2)
    return here[pairs[:, 0]], there[pairs[:, 1]]


def _find_features(picture: U8) -> tuple[F32, F32]:
    """Positions, float32 (n, 2), of the features of a picture and their descriptors, float32 (n, 128) of length 1."""
    nothing: Any = None
    even = cv2.createCLAHE(3.0, (8, 8)).apply(picture)
    keys, found = cv2.SIFT.create(_FEATURES, contrastThreshold=0.02).detectAndCompute(even, nothing)
    if not keys:  # then there are no descriptors either
        return np.empty((0, 2), np.float32), np.empty((0, 128), np.float32)
    root = np.sqrt(found / np.maximum(found.sum(1, keepdims=True), 1e-6))  # RootSIFT
    return np.array([key.pt for key in keys], np.float32), np.asarray(root, np.float32)


def _best(likeness: F32) -> dict[int, int]:
    """Row -> column of its best match, where that is clearly better than the second best."""
    rows = np.arange(len(likeness))
    top = likeness.argmax(axis=1)
    best = likeness[rows, top]
    others = likeness.copy()
    others[rows, top] = -1
    distance, next_distance = (np.sqrt(np.maximum(2 - 2 * values, 0)) for values in (best, others.max(axis=1)))
    clear = distance < _RATIO * next_distance
    return {int(i): int(top[i]) for i in rows[clear]}


def _homography(here: F32, there: F32) -> tuple[F64 | None, NDArray[np.bool_]]:
    found: Any
    found, kept = cv2.findHomography(here, there, cv2.USAC_MAGSAC, _REPROJECTION, maxIters=4000, confidence=0.999)
    if found is None:
        return None, np.zeros(len(here), bool)
    return np.asarray(found, np.float64), kept[:, 0] > 0


def _similarity(here: F32, there: F32) -> tuple[F64 | None, NDArray[np.bool_]]:
    found: Any
    found, kept = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=_REPROJECTION, maxIters=4000, confidence=0.999
    )
    if found is None:
        return None, np.zeros(len(here), bool)
    return np.vstack([found, [0.0, 0.0, 1.0]]), kept[:, 0] > 0


def _is_plausible(view: F64, size: tuple[int, int]) -> bool:
    """Whether a camera can have done it: the picture stays a convex shape, not turned over, and not far smaller or
    larger."""
    corners = _corners(size)
    mapped = apply(view, corners)
    if not np.isfinite(mapped).all() or ((np.c_[corners, np.ones(4)] @ view[2]) * view[2, 2] <= 0.05).any():
        return False
    sides = np.roll(mapped, -1, 0) - mapped
    turns = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    area = float(cv2.contourArea(mapped.astype(np.float32))) / (size[0] * size[1])
    return bool((turns > 0).all()) and _MOST_SCALE**-2 < area < _MOST_SCALE**2


def _count_cells(points: F32, view: F64, size: tuple[int, int]) -> int:
    """In how many of 16 parts of what both pictures show there are points, float32 (n, 2) in the first."""
    outline = apply(_normal(np.linalg.inv(view)), _corners(size))
    low = np.maximum(outline.min(0), 0)
    high = np.minimum(outline.max(0), size)
    place = np.floor(4 * (points - low) / np.maximum(high - low, 1)).clip(0, 3).astype(int)
    return len(set(map(tuple, place.tolist())))


def _normal(view: Any) -> F64:
    """The same homography with 1 as its last entry."""
    return np.asarray(view / view[2, 2], np.float64)


def _corners(size: tuple[int, int]) -> F64:
    w, h = size
    return np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64)


def apply(view: F64, points: NDArray[Any]) -> F64:
    """Points (…, 2) as a homography, float64 (3, 3), maps them -> float64 of the same shape."""
    x, y = points[..., 0], points[..., 1]
    out = [view[k, 0] * x + view[k, 1] * y + view[k, 2] for k in range(3)]
    mapped: F64 = np.stack([out[0] / out[2], out[1] / out[2]], axis=-1)
    return mapped


def scale_at(view: F64, x: float, y: float) -> float:
    """By how much a homography, float64 (3, 3), enlarges about a point: the square root of its Jacobian there."""
    near = apply(view, np.array([[x, y], [x + 1, y], [x, y + 1]], np.float64))
    a, b = near[1] - near[0], near[2] - near[0]
    return float(np.sqrt(abs(a[0] * b[1] - a[1] * b[0])))


def _spaces(view: F64, shape: tuple[int, ...]) -> tuple[F64, F64]:
    """to_first and to_last of `Registration`: the space is that of the picture that shows the place larger."""
    h, w = shape
    if scale_at(view, w / 2, h / 2) > 1:
        return _normal(np.linalg.inv(view)), np.eye(3)
    return np.eye(3), view


def _find_flow(first: U8, last: U8, view: F64) -> _Flow | None:
    """The flow that the view leaves, at half size, in the space of the closer picture. None where what both show is too
    little."""
    h, w = first.shape
    to_first, to_last = _spaces(view, (h, w))
    size = (max(w // 2, 16), max(h // 2, 16))
    half = np.array([[w / size[0], 0, 0.5 * w / size[0] - 0.5], [0, h / size[1], 0.5 * h / size[1] - 0.5], [0, 0, 1]])
    drawn, inside = [], np.ones((size[1], size[0]), np.float32)
    for picture, to_picture in ((first, to_first), (last, to_last)):
        matrix = to_picture @ half
        shrunk = scale_at(matrix, size[0] / 2, size[1] / 2)
        soft = cv2.GaussianBlur(picture, (0, 0), 0.45 * shrunk) if shrunk > 1.2 else picture
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        drawn.append(cv2.warpPerspective(soft, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101))
        inside *= cv2.warpPerspective(
            np.ones((h, w), np.float32), matrix, size, flags=flags, borderMode=cv2.BORDER_CONSTANT
        )
    both = (cv2.erode((inside > 0.99).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0).astype(np.float32)
    if float(both.mean()) < 0.06:
        return None
    a, b = (_equalise(np.asarray(p, np.uint8)) for p in drawn)
    there, back = _flows(a, b)
    return _Flow(there, back, _check_round_trip(there, back) * both, _check_round_trip(back, there) * both, both)


def _equalise(picture: U8) -> U8:
    """The picture at the same local contrast everywhere, without its own light."""
    values = picture.astype(np.float32)
    detail = values - filters.blur(values, 12.0)
    spread = np.sqrt(filters.blur(detail**2, 12.0))
    out: U8 = np.clip(128 + 44 * detail / (spread + 5), 0, 255).astype(np.uint8)
    return out


def _flows(a: U8, b: U8) -> tuple[F32, F32]:
    """Both ways, at the same time."""
    with ThreadPoolExecutor(1, thread_name_prefix="vivant-look") as helper:
        back = helper.submit(_dis, b, a)
        return _dis(a, b), back.result()


def _dis(a: U8, b: U8) -> F32:
    solver = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    nothing: Any = None
    return np.asarray(solver.calc(a, b, nothing), np.float32)


def _refine(view: F64, flow: _Flow, shape: tuple[int, ...]) -> F64 | None:
    """The view corrected by the trusted part of the flow that it leaves, or None where that says nothing clear."""
    h, w = shape
    rows, columns = flow.both.shape
    y, x = np.mgrid[4:rows:8, 4:columns:8]
    trusted = flow.sure_there[y, x] > 0.9
    if trusted.sum() < 60:
        return None
    points = np.stack([x[trusted], y[trusted]], 1).astype(np.float64)
    moved = points + flow.there[y[trusted], x[trusted]]
    scale = np.array([w / columns, h / rows])
    here, there = ((p + 0.5) * scale - 0.5 for p in (points, moved))
    to_first, to_last = _spaces(view, (h, w))
    a, b = apply(to_first, here).astype(np.float32), apply(to_last, there).astype(np.float32)
    found, kept = _homography(a, b)
    if found is None:
        return None
    similar, kept_similar = _similarity(a, b)
    if similar is not None and kept_similar.sum() >= 0.93 * kept.sum():
        found, kept = similar, kept_similar
    if kept.mean() < 0.4 or not _is_plausible(found, (w, h)):
        return None
    return _normal(found)


def _registration(view: F64, flow: _Flow, shape: tuple[int, ...]) -> Registration:
    h, w = shape
    to_first, to_last = _spaces(view, (h, w))
    scale = (w / flow.both.shape[1], h / flow.both.shape[0])
    fields = []
    for values, sure in ((flow.there, flow.sure_there), (flow.back, flow.sure_back)):
        # Where nothing can be trusted, things go along with their surroundings.
        known = np.clip(1.5 * sure - 0.25, 0, 1).astype(np.float32)
        fields.append(_on_grid(pull_push(values, known), scale, shape))
    sures = [_on_grid(sure[..., None], (1.0, 1.0), shape)[0] for sure in (flow.sure_there, flow.sure_back)]
    both = np.clip(_on_grid(flow.both[..., None], (1.0, 1.0), shape)[0], 0, 1)
    length = np.hypot(*np.moveaxis(flow.there, -1, 0))[flow.sure_there > 0.7]
    leftover = float(np.percentile(length, 75)) if len(length) else 0.0
    return Registration(
        view=view, to_first=to_first, to_last=to_last, there=fields[0], back=fields[1],
        sure_there=np.clip(sures[0], 0, 1), sure_back=np.clip(sures[1], 0, 1), both=both,
        leftover=leftover * scale[0] * _CANVAS / max(h, w),
    )  # fmt: skip


def _register_flow(first: U8, last: U8) -> Registration | None:
    """Pictures with too few features, such as soft portraits: of one place if the flow alone says so."""
    h, w = first.shape
    size = (max(w // 2, 16), max(h // 2, 16))
    a, b = (_shrink(p, size) for p in (first, last))
    there, back = _flows(a, b)
    both = np.ones((size[1], size[0]), np.float32)
    flow = _Flow(there, back, _check_round_trip(there, back), _check_round_trip(back, there), both)
    if min(float(flow.sure_there.mean()), float(flow.sure_back.mean())) < _LEAST_RETURNING:
        return None
    if _correlate_detail(a, b, there) < _LEAST_LIKENESS:
        return None
    return _registration(np.eye(3), flow, (h, w))


def _check_round_trip(there: F32, back: F32) -> F32:
    """float32 (h, w), 0..1: whether the flow there and back returns to each pixel (Sundaram et al. 2010, with wider
    bounds)."""
    h, w = there.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    home: Any = cv2.remap(back, x + there[..., 0], y + there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
                          borderValue=(_FAR, _FAR, 0, 0))  # fmt: skip
    allowed = 0.02 * (_squared(there) + _squared(home)) + 1.5
    return filters.blur(_squared(there + home) < allowed, 2.0)


def _squared(flow: F32) -> F32:
    """The squared length of each vector, float32 (h, w)."""
    across, down = flow[..., 0], flow[..., 1]
    return np.asarray(across * across + down * down, np.float32)


def _correlate_detail(a: U8, b: U8, there: F32) -> float:
    """Correlation of the detail of the first picture with that of the last one warped back along the flow."""
    h, w = a.shape
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    drawn: Any = cv2.remap(b, x + there[..., 0], y + there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    one, other = (filters.blur(p, 1.0) - filters.blur(p, 12.0) for p in (a, drawn))
    return float((one * other).sum() / max(float(np.sqrt((one**2).sum() * (other**2).sum())), 1e-6))


def _on_grid(values: F32, scale: tuple[float, float], shape: tuple[int, ...]) -> F32:
    """float32 (h', w', k) of a smaller picture -> (k, rows, columns) on the quarter grid, channels times scale."""
    h, w = shape
    soft = cv2.GaussianBlur(values, (0, 0), 1.5).reshape(values.shape)
    rows, columns = -(-h // STEP), -(-w // STEP)
    x = (np.arange(columns) * STEP + 0.5) * (values.shape[1] / w) - 0.5
    y = (np.arange(rows) * STEP + 0.5) * (values.shape[0] / h) - 0.5
    map_x, map_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    out = [
        cv2.remap(np.ascontiguousarray(soft[..., k]), map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        * np.float32(scale[k])
        for k in range(values.shape[2])
    ]
    return np.stack(out).astype(np.float32)
