"""The two eyes of an animal that looks toward the viewer: dark ellipses of like size beside each other, each in
brighter surroundings, whose neighbourhoods mirror each other.

Tried and left: OpenCV's frontal cat cascades miss a real cat's face and fire on flowers; single dark blobs with a
highlight are found on backs of heads and in fur. A pair that agrees is rare. Knows no animals.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.scene.body import AnimalEye
from vivant.media import F32, U8

SIDE: Final = 440  # long side of the copy of the subject on which eyes are looked for
ENLARGED: Final = 3.0  # times that it is enlarged at most
SMALLEST: Final = 2.2  # pixels of it: half axis of a pupil
AREA: Final = (0.0003, 0.03)  # of the subject's: a pupil
FULL: Final = 0.7  # share of its ellipse that a pupil fills
DARK: Final = 78.0  # L of Lab, 0..255: mean of a pupil at most
CONTRAST: Final = 34.0  # by which the ring about it is brighter at least
LIKE: Final = 1.75  # ratio of the sizes of two pupils
TILT: Final = 30.0  # degrees
APART: Final = (2.4, 9.0)  # radii of an eye between the two
NEAR: Final = 1.25  # radii of an eye: its neighbourhood
MIRRORED: Final = 0.12  # correlation of one's neighbourhood with the other's mirror image
OPEN: Final = (1.0, 3.4)  # pupil radii: how large an eye is
RIM: Final = 0.32  # radii of an eye: its dark rim is no wider
PATCH: Final = 0.24  # distances between the eyes: a dark circle as large is no eye but a patch of fur about it
LEAST: Final = 0.17  # score of a pair, below which fur, stone and petals have some
MANY: Final = 4  # pairs as good as the best, from which on they are a pattern (seeds, petals, windows)


@dataclass(frozen=True, slots=True)
class _Pupil:
    x: float
    y: float
    radius: float  # mean of the half axes
    aspect: float  # 0..1
    contrast: float


def find_eyes(rgb: U8, matte: F32) -> tuple[AnimalEye, ...]:
    """Both eyes of the subject, the left one in the picture first, in canvas pixels; none where they are not certain.
    rgb: uint8 (h, w, 3); matte: float32 (h, w), 0..1."""
    rows, columns = np.flatnonzero((matte > 0.5).any(axis=1)), np.flatnonzero((matte > 0.5).any(axis=0))
    if not len(rows):
        return ()
    top, left = int(rows[0]), int(columns[0])
    box = slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1)
    h, w = matte[box].shape
    scale = min(ENLARGED, SIDE / max(h, w))
    size = (max(2, round(w * scale)), max(2, round(h * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    lab = cv2.cvtColor(cv2.resize(rgb[box], size, interpolation=how), cv2.COLOR_RGB2LAB)
    inside = cv2.resize(matte[box], size, interpolation=cv2.INTER_AREA) > 0.5
    pupils = _find_pupils(np.ascontiguousarray(lab[..., 0]), inside)
    light = lab.astype(np.float32)
    pairs = sorted(
        ((score, one, other, sizes) for one, other in combinations(pupils, 2)
         if (found := _judge(light, one, other)) for score, sizes in (found,)),
        key=lambda pair: -pair[0],
    )  # fmt: skip
    if not pairs:
        return ()
    best = pairs[0]
    # Dark fur about the eyes is a pair, too; the eyes lie inside it.
    best = next((pair for pair in pairs if pair[0] > 0.4 * best[0] and _lies_inside(pair, best)), best)
    rivals = [pair for pair in pairs if pair[0] > 0.85 * best[0] and not _share_an_eye(pair, best)]
    if len(rivals) >= MANY:
        return ()
    light32 = lab.astype(np.float32)
    apart = float(np.hypot(best[1].x - best[2].x, best[1].y - best[2].y))
    shown = []
    for pupil, radius in zip(best[1:3], best[3], strict=True):
        # What is dark as a whole and large is a patch of dark fur, with the eye somewhere in it.
        blinks = radius <= PATCH * apart or radius >= 1.4 * pupil.radius
        x, y, across, down = _fit_opening(light32, pupil, radius)
        shown.append(
            AnimalEye(
                x=left + float((x + 0.5) / scale - 0.5), y=top + float((y + 0.5) / scale - 0.5),
                across=float(across / scale), down=float(down / scale), blinks=blinks,
            )
        )  # fmt: skip
    return tuple(sorted(shown, key=lambda eye: eye.x))


def _fit_opening(lab: F32, pupil: _Pupil, radius: float) -> tuple[float, float, float, float]:
    """Middle and half axes of an eye of about this radius: where its edge lies to each side of the pupil, which is in
    its middle only if the animal looks straight ahead."""
    steps = np.arange(0.55, 1.3, 0.04) * radius
    reach = []
    for side in (0.0, 0.5 * np.pi, np.pi, 1.5 * np.pi):
        angles = side + np.linspace(-0.5, 0.5, 9)
        x = (pupil.x + steps[:, None] * np.cos(angles)).astype(np.float32)
        y = (pupil.y + steps[:, None] * np.sin(angles)).astype(np.float32)
        rays = cv2.remap(lab, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).mean(axis=1)
        light = rays[:, 0]
        dark = float(light.min()) + 0.3 * float(light.max() - light.min())
        if light[0] > dark:  # a bright iris ends at its dark rim, or at dark fur
            at = int(np.flatnonzero(light <= dark)[0])
            beyond = np.flatnonzero(light[at:] > dark)
            at += int(beyond[0]) if len(beyond) and steps[beyond[0] + at] - steps[at] < RIM * radius else 0
        else:
            at = int(np.linalg.norm(np.diff(rays, axis=0), axis=1).argmax())
        reach.append(float(steps[at]))
    right, bottom, left, top = reach
    return pupil.x + (right - left) / 2, pupil.y + (bottom - top) / 2, (right + left) / 2, (bottom + top) / 2


def _find_pupils(light: U8, inside: NDArray[np.bool_]) -> list[_Pupil]:
    """Dark ellipses in brighter rings."""
    area = float(inside.sum())
    finder: Any = cv2.MSER.create(4, max(14, int(area * AREA[0])), max(15, int(area * AREA[1])), 0.4, 0.3)
    finder.setPass2Only(False)
    regions, _ = finder.detectRegions(light)
    found: list[_Pupil] = []
    for points in regions:
        # The ellipse that has the region's moments: of a filled ellipse, twice the deviations are its half axes.
        x, y = (float(k) for k in points.mean(0))
        small, large = (2 * float(np.sqrt(max(k, 0))) for k in np.linalg.eigvalsh(np.cov(points.T)))
        if small < SMALLEST or small < 0.3 * large or len(points) <= FULL * np.pi * small * large:
            continue
        if not (0 <= y < inside.shape[0] and 0 <= x < inside.shape[1] and inside[int(y), int(x)]):
            continue
        core = float(light[points[:, 1], points[:, 0]].mean())
        ring = _mean_ring(light, points, small)
        if core > DARK or ring - core < CONTRAST:
            continue
        pupil = _Pupil(float(x), float(y), float((small + large) / 2), float(small / large), ring - core)
        twin = next((
            k for k, old in enumerate(found)
            if np.hypot(old.x - x, old.y - y) < 0.5 * large and 0.6 < old.radius / pupil.radius < 1.6
        ), None)  # fmt: skip
        if twin is None:
            found.append(pupil)
        elif pupil.contrast > found[twin].contrast:
            found[twin] = pupil
    found.sort(key=lambda pupil: -pupil.contrast * pupil.radius**0.5)
    return found[:40]


def _mean_ring(light: U8, points: NDArray[np.int32], small: float) -> float:
    """Mean of what lies close about a region, given by its pixels (x, y); small: its smaller half axis."""
    reach = 2 + round(0.7 * small)
    (left, top), (right, bottom) = points.min(0) - reach, points.max(0) + reach + 1
    mask = np.zeros((bottom - top, right - left), np.uint8)
    mask[points[:, 1] - top, points[:, 0] - left] = 1
    around = cv2.dilate(mask, np.ones((2 * reach - 1,) * 2, np.uint8)) - cv2.dilate(mask, np.ones((3, 3), np.uint8))
    above, before = max(0, -top), max(0, -left)
    part = light[max(0, top) : bottom, max(0, left) : right]
    ring = part[around[above : above + part.shape[0], before : before + part.shape[1]] > 0]
    return float(ring.mean()) if ring.size else 0.0


def _judge(lab: F32, one: _Pupil, other: _Pupil) -> tuple[float, tuple[float, float]] | None:
    """How good a pair two pupils are, and how large the eyes are (radii); None: no pair."""
    across, down = abs(other.x - one.x), abs(other.y - one.y)
    if max(one.radius, other.radius) > LIKE * min(one.radius, other.radius):
        return None
    if np.degrees(np.arctan2(down, max(across, 1e-6))) > TILT or abs(one.aspect - other.aspect) > 0.4:
        return None
    apart = float(np.hypot(across, down))
    radii = _measure_opening(lab, one, apart), _measure_opening(lab, other, apart)
    mean = float(np.sqrt(radii[0] * radii[1]))
    radii = float(np.clip(radii[0], 0.8 * mean, 1.25 * mean)), float(np.clip(radii[1], 0.8 * mean, 1.25 * mean))
    if not APART[0] * mean < apart < APART[1] * mean:
        return None
    alike = _mirror(lab[..., 0], one, other, NEAR * mean)
    if alike < MIRRORED:
        return None
    score = (0.35 + alike) * min(one.contrast, other.contrast) / 60 * (mean / max(lab.shape)) ** 0.5
    return (score, (radii[0], radii[1])) if score >= LEAST else None


def _measure_opening(lab: F32, pupil: _Pupil, apart: float) -> float:
    """Radius of the eye about a pupil: the outermost of its clear edges."""
    steps = np.arange(0.7, OPEN[1] + 0.6, 0.12) * pupil.radius
    steps = steps[steps < max(0.36 * apart, 1.2 * pupil.radius)]
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    x = (pupil.x + steps[:, None] * np.cos(angles)).astype(np.float32)
    y = (pupil.y + steps[:, None] * np.sin(angles)).astype(np.float32)
    rings = cv2.remap(lab, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).mean(axis=1)
    change = np.linalg.norm(np.diff(rings, axis=0), axis=1)
    if not len(change):
        return pupil.radius
    clear = np.flatnonzero(change > 0.5 * change.max())
    return float(max(OPEN[0] * pupil.radius, 0.5 * (steps[clear[-1]] + steps[clear[-1] + 1])))


def _mirror(light: F32, one: _Pupil, other: _Pupil, reach: float) -> float:
    """Correlation of the neighbourhood of one pupil with the mirror image of the other's."""
    grid = np.linspace(-1, 1, 17, dtype=np.float32) * np.float32(reach)
    x, y = np.meshgrid(grid, grid)
    a, b = (
        cv2.remap(
            light, side * x + np.float32(p.x), y + np.float32(p.y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        for p, side in ((one, 1), (other, -1))
    )
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def _share_an_eye(pair: tuple[Any, ...], best: tuple[Any, ...]) -> bool:
    return any(np.hypot(p.x - q.x, p.y - q.y) < 2 * q.radius for p in pair[1:3] for q in best[1:3])


def _lies_inside(pair: tuple[Any, ...], best: tuple[Any, ...]) -> bool:
    inner, outer = sorted(pair[1:3], key=lambda p: p.x), sorted(best[1:3], key=lambda p: p.x)
    return all(
        np.hypot(p.x - q.x, p.y - q.y) < q.radius and p.radius < 0.75 * q.radius
        for p, q in zip(inner, outer, strict=True)
    )
