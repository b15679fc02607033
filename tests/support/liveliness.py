"""Does the scene move, or only the camera? What is left of a clip's motion when that of its camera is taken out.

Between two frames a camera that turns, zooms or passes something flat moves the picture by a homography. It is fitted
to corners that were followed from one frame to the other (RANSAC: Fischler and Bolles, 1981), the later frame is warped
back by it, and dense optical flow (DIS: Kroeger et al., 2016) measures what still differs. A subject that fills the
picture, or a sky that drifts as a whole, wins that vote and is then taken for the camera: for a camera that is known to
stand still, say `fixed`. Parallax of a camera that passes things near and far is no homography and is left over.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from support.film import luma
from vivant.media import F32, F64, U8

SIDE: Final = 640  # px of the long side at which all is measured: about the size at which clips are watched on a phone
GAP: Final = (
    3  # frames between the two that are compared, so that half a pixel per frame is well above the noise of flow
)
PAIRS: Final = 8  # compared per quarter
MOST: Final = (
    0.05  # share of a region's textured pixels, those that move most, that stands for it: what the eye is drawn to
)
TEXTURED: Final = (
    12  # mean gradient (Sobel, |dx| + |dy|, luma of 0..255) from which motion of a pixel can be seen and measured
)
NOISE: Final = 3  # change of luma (0..255, slightly blurred) up to which a difference is the encoder's
CHANGED: Final = 6  # change of luma from which a pixel visibly changes
FEWEST: Final = 100  # textured pixels, below which a region's flow counts as none

Box = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the frame
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of a clip; medians over its pairs of frames. Flows are in px per frame at 640 px on the long side."""

    flow: float  # mean of the 5 % of the region's textured pixels that move most, without the camera
    elsewhere: float  # the same outside the region; 0 where the region is the whole frame
    changed: float  # share of the region, 0..1, whose luma changes visibly: light, rain, and flow without texture
    camera: float  # mean over the frame's pixels of how far the camera moves them


@dataclass(frozen=True, slots=True, eq=False)
class Liveliness:
    """How a clip's scene moves. heat: float32 (h, w), px per frame, the mean over the clip, without the camera."""

    quarters: tuple[Quarter, Quarter, Quarter, Quarter]
    equal_frames: int  # longest run of frames each of which looks like the one before
    heat: F32
    in_place: float = 1.0  # share of all that moves, by its heat, that lies in the region; 1 where nothing moves at all

    @property
    def flow(self) -> float:
        """px per frame of the quarter that moves least."""
        return min(quarter.flow for quarter in self.quarters)

    @property
    def camera(self) -> float:
        """px per frame, the mean over the clip."""
        return sum(quarter.camera for quarter in self.quarters) / 4


def read(path: Path) -> U8:
    """A film as it is measured: luma in full range, uint8 (n, h, w), long side 640."""
    return np.stack(list(shown(path)))


def shown(path: Path) -> Iterator[U8]:
    """The same, frame by frame."""
    return (_shrink(frame) for frame in luma(path))


def measure(frames: U8, *, fixed: bool = False, where: Box = (0, 0, 1, 1)) -> Liveliness:
    """frames: what `read` returns, at least 16. fixed: the camera stands still, so nothing is taken out. where: the
    region whose motion is asked for. Raises ValueError for fewer frames."""
    n, h, w = frames.shape
    if n < 4 * (GAP + 1):
        raise ValueError(f"Liveliness is measured on at least {4 * (GAP + 1)} frames, got {n}.")
    region = _mask(where, h, w)
    everywhere = bool(region.all())
    heat = np.zeros((h, w), np.float32)
    quarters = []
    for part in range(4):
        found = []
        for start in np.linspace(part * n // 4, (part + 1) * n // 4 - GAP - 1, PAIRS).astype(int):
            pair = _compare(frames[start], frames[start + GAP], fixed=fixed)
            heat += pair.flow / (4 * PAIRS)
            found.append(
                (
                    _fastest(pair, region),
                    0.0 if everywhere else _fastest(pair, ~region),
                    float((pair.change > CHANGED)[region & pair.inside].mean())
                    if (region & pair.inside).any()
                    else 0.0,
                    pair.camera,
                )
            )
        quarters.append(Quarter(*np.median(found, axis=0).tolist()))
    first, second, third, fourth = quarters
    in_place = float(heat[region].sum() / heat.sum()) if heat.any() else 1.0
    return Liveliness(
        quarters=(first, second, third, fourth), equal_frames=_count_equal(frames), heat=heat, in_place=in_place
    )


def fastest(heat: F32, where: Box) -> float:
    """px per frame: the mean of the share MOST of a region that moves most, with and without texture. heat: float32
    (h, w)."""
    values = np.sort(heat[_mask(where, *heat.shape)])
    return float(values[int(len(values) * (1 - MOST)) :].mean())


def draw_heat(frame: U8, heat: F32) -> U8:
    """RGB uint8 (h, w, 3): the frame, uint8 (h, w), in dark grey; red what moves at 0.5 px per frame, yellow at 1.5."""
    grey = np.repeat(frame[..., None].astype(np.float32), 3, axis=2) * 0.6
    red = np.clip(heat / 0.5, 0, 1)[..., None]
    yellow = np.clip(heat - 0.5, 0, 1)[..., None]
    hot = np.array([255, 40, 40], np.float32) + yellow * np.array([0, 190, 0], np.float32)
    return np.asarray(grey * (1 - red) + hot * red, np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Two frames GAP apart: what differs when the camera's motion is taken out."""

    flow: F32  # (h, w), px per frame; 0 outside `inside`
    change: F32  # (h, w), of luma, 0..255
    inside: Mask  # (h, w): shown by both frames
    textured: Mask  # (h, w)
    camera: float  # px per frame


def _compare(a: U8, b: U8, *, fixed: bool) -> _Pair:
    h, w = a.shape
    camera = np.eye(3) if fixed else _find_camera(a, b)
    inverse = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    back = np.asarray(cv2.warpPerspective(b, camera, (w, h), flags=inverse, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    shown = cv2.warpPerspective(np.full((h, w), 255, np.uint8), camera, (w, h), flags=inverse)
    shown = cv2.erode(shown, np.ones((13, 13), np.uint8), borderValue=0)  # by a border too: flow is guessed there
    inside: Mask = np.asarray(shown) == 255
    flow = np.linalg.norm(_find_flow(a, back), axis=2)
    soft, soft_back = (cv2.GaussianBlur(frame, (0, 0), 1.5).astype(np.float32) for frame in (a, back))
    change = np.abs(soft - soft_back)
    # Flow is smooth and spills over into what stands still. A pixel that moves by d changes by about d · slope, so
    # twice its change over its slope is the most that it can have moved.
    slope = _gradient(soft) / 8 + 0.5
    flow = np.where(inside & (change > NOISE), np.minimum(flow, 2 * change / slope), 0) / GAP
    textured = cv2.boxFilter(_gradient(a.astype(np.float32)), -1, (9, 9)) > TEXTURED
    return _Pair(flow.astype(np.float32), change, inside, np.asarray(textured), _mean_shift(camera, h, w) / GAP)


def _find_camera(a: U8, b: U8) -> F64:
    """The homography (3, 3) from a to b that most of the picture follows; the identity where that cannot be told.

    Corners are taken from each cell of a grid: the picture votes by area and not by how many corners a thing has.
    """
    h, w = a.shape
    corners = []
    for top in range(0, h, 80):
        for left in range(0, w, 80):
            cell = a[top : top + 80, left : left + 80]
            found: Any = cv2.goodFeaturesToTrack(cell, 8, 0.05, 8)  # or None, which the stubs do not know
            if found is not None:
                corners.append(found.reshape(-1, 2) + np.array([left, top]))
    if not corners:
        return np.eye(3)
    start = np.concatenate(corners).astype(np.float32)[:, None]
    followed: Any = cv2.calcOpticalFlowPyrLK(a, b, start, np.empty_like(start), winSize=(21, 21), maxLevel=4)
    end, found_again = followed[0], followed[1][:, 0] > 0
    if found_again.sum() < 12:
        return np.eye(3)
    fitted: Any = cv2.findHomography(start[found_again], end[found_again], cv2.RANSAC, 1.0)[0]
    return np.eye(3) if fitted is None else np.asarray(fitted, np.float64)


def _find_flow(a: U8, b: U8) -> F32:
    """float32 (h, w, 2), px."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(search.calc(a, b, np.zeros((*a.shape, 2), np.float32)), np.float32)


def _gradient(frame: F32) -> F32:
    """float32 (h, w): |dx| + |dy| by Sobel, eight times the change per pixel."""
    across, down = (np.abs(cv2.Sobel(frame, cv2.CV_32F, *order)) for order in ((1, 0), (0, 1)))
    return np.asarray(across + down, np.float32)


def _fastest(pair: _Pair, region: Mask) -> float:
    """px per frame: the mean of the share MOST of the region's textured pixels that moves most."""
    flows = np.sort(pair.flow[region & pair.inside & pair.textured])
    return float(flows[int(len(flows) * (1 - MOST)) :].mean()) if len(flows) >= FEWEST else 0.0


def _mean_shift(camera: F64, h: int, w: int) -> float:
    """px by which a homography moves the frame's pixels, the mean over a grid."""
    x, y = np.meshgrid(np.linspace(0, w - 1, 9), np.linspace(0, h - 1, 9))
    grid = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    return float(np.linalg.norm(cv2.perspectiveTransform(grid, camera) - grid, axis=-1).mean())


def _count_equal(frames: U8) -> int:
    """Blurred by a pixel, a frame that is coded anew differs from the one before by more than 1 of 255 in 0.02 % of its
    pixels; one that moved by 0.06 px in 0.3 %, and a moving patch of 60 px changes 0.5 %."""
    longest = run = 0
    for before, after in itertools.pairwise(cv2.GaussianBlur(frame, (0, 0), 1) for frame in frames):
        run = run + 1 if (cv2.absdiff(before, after) > 1).mean() < 0.001 else 0
        longest = max(longest, run)
    return longest


def _mask(box: Box, h: int, w: int) -> Mask:
    left, top, right, bottom = box
    mask = np.zeros((h, w), np.bool_)
    mask[round(top * h) : round(bottom * h), round(left * w) : round(right * w)] = True
    return mask


def _shrink(frame: U8) -> U8:
    """Limited range to full range, and the long side to SIDE."""
    scale = SIDE / max(frame.shape)
    full = cv2.convertScaleAbs(np.maximum(frame, 16), alpha=255 / 219, beta=-16 * 255 / 219)
    return np.asarray(cv2.resize(full, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
