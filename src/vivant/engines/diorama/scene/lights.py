"""What shines in a picture, or could: the sun or the moon, windows of houses, neon signs. Knows no prompt and no
time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_array, check_number, check_tuple, check_type
from vivant.engines.diorama.scene.depth import measure_straightness
from vivant.engines.diorama.scene.open_sky import detect_lines
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import TRUSTED
from vivant.media import F32, U8, Planes

I32 = NDArray[np.int32]

BURNT: Final = 226.0  # luma, 16..235, of a sun, moon or lamp
_SKIES: Final = (70.0, 130.0, 190.0)  # luma of a sky by night, at dusk and by day
_PEAKS: Final = (105.0, 190.0, 208.0)  # that of the moon or the sun in it, at least
_WARMTH: Final = 0.45  # luma that a level of yellow counts for
_EVENING: Final = 3.0  # levels of yellow of an evening sky
_WARMER: Final = 2.0  # levels by which a drawn sun is more yellow than most of the sky
_GLOW: Final = 2.0  # levels of yellow of the sky about the sun; about a cloud in the sun it is grey or blue
_WHITE: Final = BURNT + 2  # luma, 16..235, of the sun through a lens: it is always burnt out
_DISC: Final = (0.70, 1.35)  # share of its box that a disc fills at least, and length over width at most
_OUTSHINES: Final = 25.0  # levels by which a disc that is not burnt out, as in haze, is brighter than what surrounds it
_ABOVE_THE_SKY: Final = 14.0  # levels, that it is brighter than most of the sky
_AROUND: Final = 150.0  # luma around a lamp: by day white things are as bright, and so is what surrounds them
_BUILT: Final = 0.6  # straight edges from which on there are houses
_LARGEST: Final = 0.03  # share of the canvas that one may fill
_SMALLEST: Final = 1.2e-4
_PANE: Final = 5.0  # levels by which a window is darker than its wall
_PANES: Final = (3.0, 90.0)  # px² of one, at a short side of 496
_NEIGHBOURS: Final = 3  # other panes in line with it that a window has at least
_CROWD: Final = 7  # and near it at all
_NEON: Final = 38.0  # distance of chroma from grey
_NEON_LUMA: Final = 84.0
_DIM: Final = 0.5  # mean luma 0..1 of a picture in which lit signs stand out


@dataclass(frozen=True, slots=True, eq=False)
class Lamp:
    """A compact bright spot. x, y, radius: canvas pixels; luma of what surrounds it."""

    x: float
    y: float
    radius: float
    around: float
    in_sky: bool

    def __post_init__(self) -> None:
        for name in ("x", "y", "radius", "around"):
            check_number(f"Lamp.{name}", getattr(self, name), 0)
        check_type("Lamp.in_sky", self.in_sky, bool)


@dataclass(frozen=True, slots=True, eq=False)
class ShiningThings:
    """sun: or by night the moon. lamps: the largest first. windows: int32 (h, w), 0 or the number of a window, 1..;
    signs: int32 (h, w), the same of neon signs. Raises ValueError for others."""

    sun: Lamp | None
    lamps: tuple[Lamp, ...]
    windows: I32
    signs: I32

    def __post_init__(self) -> None:
        check_tuple("ShiningThings.lamps", self.lamps, Lamp)
        check_array("ShiningThings.windows", self.windows, np.int32, (None, None), 0)
        check_array("ShiningThings.signs", self.signs, np.int32, self.windows.shape, 0)


def find_shining(scene: Scene) -> ShiningThings:
    """All that shines in the picture."""
    luma = scene.source.planes.y
    sky = scene.sky.mask * np.float32(scene.sky.trust > 0.2)
    faces = cover_faces(scene)
    nothing = np.zeros(luma.shape, np.int32)
    built = scene.facts.drawn < 0.5 and measure_straightness(detect_lines(scene.rgb), scene.depth.shape) > _BUILT
    return ShiningThings(
        sun=find_sun(scene.source.planes, sky, drawn=scene.facts.drawn > 0.5),
        lamps=() if scene.facts.drawn > 0.5 else find_lamps(luma, sky, faces),
        windows=_find_windows(scene, sky, faces) if built else nothing,
        signs=_find_signs(scene, sky, _cover_people(scene, faces)) if built else nothing,
    )


def find_sun(planes: Planes, sky: F32, *, drawn: bool = False) -> Lamp | None:
    """The one place of the sky that is burnt out in a warm glow, or a bright round disc, as the moon is by night; None
    under an even or clouded sky: clouds are as bright, but neither round nor yellow at their rims. planes: of the
    picture, (h, w); sky: float32 (h, w), 0..1; drawn: in a drawing the sun is yellow."""
    h, w = planes.u.shape  # half the size is enough for it
    luma = filters.resize(planes.y, w, h)
    where = _fill_sky(filters.resize(sky, w, h))
    if float(where.mean()) < 0.02:
        return None
    warmth = 128 - filters.blur(planes.u, 0.012 * h)
    soft = filters.blur(luma, 0.012 * h)
    # In a sky that is warm all over the sun is white.
    evening = float(np.median(warmth[where])) > _EVENING and not drawn
    score = np.where(where, soft + np.float32(0.0 if evening else _WARMTH) * warmth, -1e6)
    y, x = np.unravel_index(int(score.argmax()), score.shape)
    peak, usual = float(soft[y, x]), float(np.median(luma[where]))
    warmer = float(warmth[y, x] - np.median(warmth[where]))
    _, labels, stats, middles = cv2.connectedComponentsWithStats((score > score[y, x] - 7).astype(np.uint8))
    left, top, across, down, area = (float(value) for value in stats[labels[y, x]])
    share = area / (h * w)
    # By day it is white; by night the moon may be orange, and dim.
    least = float(np.interp(usual, _SKIES, _PEAKS))
    if peak < least or peak - usual + 0.5 * warmer < _ABOVE_THE_SKY or share > 0.045:
        return None
    cut = left <= 1 or top <= 1 or left + across >= w - 1
    if usual < _SKIES[1]:
        if area < 0.7 * across * down or max(across, down) > 1.6 * min(across, down) or cut:
            return None
    elif drawn:
        if warmer < _WARMER:
            return None
    else:
        far = _measure_distance(middles[labels[y, x]], (h, w)) / max(float(np.sqrt(area / np.pi)), 0.03 * h)
        rim, around = where & (far > 1) & (far < 1.4), where & (far > 1.2) & (far < 2.7)
        if not rim.any() or not around.any():
            return None
        fullest, longest = _DISC
        disc = area > fullest * across * down and max(across, down) < longest * min(across, down) and not cut
        outshines = disc and peak - float(soft[around].mean()) > _OUTSHINES
        if not outshines and not (peak > _WHITE and float(warmth[rim].mean()) > _GLOW):
            return None
    column, row = middles[labels[y, x]]
    return Lamp(2 * float(column) + 0.5, 2 * float(row) + 0.5, 2 * float(np.sqrt(area / np.pi)), usual, True)


def _measure_distance(middle: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """From a place, (x, y): float64 of this shape, (h, w), in pixels."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray(np.hypot(columns - middle[0], rows - middle[1]), np.float64)


def _fill_sky(sky: F32) -> NDArray[np.bool_]:
    """The sky, float32 (h, w), 0..1, with the holes that sun and moon leave in it."""
    h, w = sky.shape
    small = (filters.resize(sky, 96, 64) > 0.5).astype(np.uint8)
    edges = np.pad(small, 6, mode="edge")
    closed = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))[6:-6, 6:-6]
    return (filters.resize(closed, w, h) > 0.5) | (sky > 0.5)


def measure_sunshine(scene: Scene) -> float:
    """How surely the sun shines on open ground, 0..1: it is bright, and brighter in some places than in others."""
    ground = (scene.sky.mask < 0.1) & (scene.water.mask < 0.5) & (scene.matte.mask < 0.5)
    luma = filters.resize(scene.source.planes.y, 160, 90)
    inside = filters.resize(ground.astype(np.float32), 160, 90) > 0.9
    if float(inside.mean()) < 0.15:
        return 0.0
    dark, bright = np.percentile(luma[inside], (20, 85))
    return float(np.clip((bright - 105) / 35, 0, 1) * np.clip((bright - dark - 35) / 25, 0, 1))


def cover_faces(scene: Scene) -> F32:
    """Faces with what surrounds them: float32 (h, w), 0..1."""
    h, w = scene.depth.shape
    cover = np.zeros((h, w), np.float32)
    for face in scene.faces:
        x, y = face.landmarks[:, :2].mean(0)
        cv2.ellipse(cover, (int(x), int(y)), (int(0.75 * face.size), int(face.size)), 0, 0, 360, 1.0, -1)
    largest = max((face.size for face in scene.faces), default=0.0)
    return filters.blur_widely(cover, 0.2 * largest) if largest > 0 else cover


def _cover_people(scene: Scene, faces: F32) -> F32:
    """Faces and, where that is somebody, the subject: a bright coat is no sign. float32 (h, w), 0..1."""
    if not scene.faces or scene.matte.trust < TRUSTED:
        return faces
    return np.maximum(faces, scene.matte.mask)


def find_lamps(luma: U8, sky: F32, faces: F32) -> tuple[Lamp, ...]:
    """Compact spots that are burnt out, brighter than what surrounds them. luma: uint8 (h, w); sky, faces: float32
    (h, w), 0..1."""
    h, w = luma.shape
    if luma.max() <= BURNT - 30:
        return ()
    soft = filters.blur(luma, 0.003 * h + 0.5)
    top = float(np.percentile(soft[::4, ::4], 99.9))
    burnt = (soft > max(BURNT - 30, min(BURNT, top - 4))) & (faces < 0.3)
    count, _, stats, middles = cv2.connectedComponentsWithStats(burnt.astype(np.uint8))
    ring = filters.blur_widely(luma, 0.05 * h)
    found = []
    for k in range(1, count):
        area, across, down = (float(stats[k, c]) for c in (cv2.CC_STAT_AREA, cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT))
        compact = area > 0.42 * across * down and max(across, down) < 2.4 * min(across, down)
        if not compact or not _SMALLEST < area / (h * w) < _LARGEST:
            continue
        x, y = middles[k]
        around = float(ring[int(y), int(x)])
        if around > _AROUND:
            continue
        if sky[int(y), int(x)] < 0.5:
            found.append(Lamp(float(x), float(y), float(np.sqrt(area / np.pi)), around, False))
    return tuple(sorted(found, key=lambda lamp: -lamp.radius)[:24])


def _find_windows(scene: Scene, sky: F32, faces: F32) -> I32:
    """Panes: dark cells that stand in rows and columns. Leaves and waves do not; what is plant, water or subject with a
    face is left out all the same."""
    luma = scene.source.planes.y
    h, w = luma.shape
    scale = min(h, w) / 496
    taken = np.max([sky, scene.plants.mask * scene.plants.trust, scene.water.mask * scene.water.trust, faces], axis=0)
    darker = filters.blur(luma, 4 * scale) - filters.blur(luma, 0.7 * scale)
    cells = ((darker > _PANE) & (taken < 0.3)).astype(np.uint8)
    count, labels, stats, middles = cv2.connectedComponentsWithStats(cells, connectivity=4)
    area, across, down = (stats[:, c].astype(np.float64) for c in (4, 2, 3))
    low, high = _PANES
    good = (area >= low * scale**2) & (area <= high * scale**2) & (area > 0.45 * across * down)
    good &= (across < 5 * down) & (down < 4 * across)
    good[0] = False
    numbers = np.flatnonzero(good)
    numbers = numbers[np.argsort(-area[numbers], kind="stable")[:5000]]
    kept = _keep_aligned(middles[numbers], scale)
    table = np.zeros(count, np.int32)
    table[numbers[kept]] = np.arange(1, int(kept.sum()) + 1)
    return np.asarray(table[np.asarray(labels)], np.int32)


def _keep_aligned(middles: NDArray[np.float64], scale: float) -> NDArray[np.bool_]:
    """Which cells, float64 (n, 2), have others near them in their row or column."""
    kept = np.zeros(len(middles), np.bool_)
    for start in range(0, len(middles), 500):
        across = np.abs(middles[start : start + 500, None, 0] - middles[None, :, 0]) / scale
        down = np.abs(middles[start : start + 500, None, 1] - middles[None, :, 1]) / scale
        near = (across < 22) & (down < 22)
        in_line = near & ((across < 1.2) | (down < 1.2))
        kept[start : start + 500] = (in_line.sum(1) > _NEIGHBOURS) & (near.sum(1) > _CROWD)
    return kept


def _find_signs(scene: Scene, sky: F32, faces: F32) -> I32:
    """Bright spots of strong colour in a dim picture."""
    planes = scene.source.planes
    h, w = planes.y.shape
    if scene.facts.brightness > _DIM or scene.facts.drawn > 0.5:
        return np.zeros((h, w), np.int32)
    u, v = (filters.resize(plane, w, h) for plane in (planes.u, planes.v))
    colour = np.hypot(u - 128, v - 128)
    around = filters.blur_widely(planes.y, 0.04 * h)
    lit = (colour > _NEON) & (planes.y > np.maximum(_NEON_LUMA, around + 14)) & ~_fill_sky(sky) & (faces < 0.2)
    cells = cv2.morphologyEx(lit.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cells)
    area: Any = stats[:, cv2.CC_STAT_AREA] / (h * w)
    good = np.flatnonzero((area > 4e-5) & (area < 0.04))
    good = good[good > 0]
    table = np.zeros(count, np.int32)
    table[good] = np.arange(1, len(good) + 1)
    return np.asarray(table[np.asarray(labels)], np.int32)
