"""Dark ellipses in brighter rings, in which the pupils of animals are, and where the edge of the eye lies about one.

Knows neither pairs nor animals; the picture is the subject's part of it, in Lab.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import kernel
from vivant.media import F32, U8

SMALLEST: Final = 2.2  # pixels: half axis of a pupil
AREA: Final = (0.0003, 0.03)  # of the subject's: a pupil
FULL: Final = 0.7  # share of its ellipse that a pupil fills
DARK: Final = 78.0  # L of Lab, 0..255: mean of a pupil at most
CONTRAST: Final = 34.0  # by which the ring about it is brighter at least
OPEN: Final = (1.0, 3.4)  # pupil radii: how large an eye is
RIM: Final = 0.32  # radii of an eye: its dark rim is no wider


@dataclass(frozen=True, slots=True)
class Pupil:
    x: float
    y: float
    radius: float  # mean of the half axes
    aspect: float  # 0..1
    contrast: float


def find_pupils(light: U8, inside: NDArray[np.bool_]) -> list[Pupil]:
    """The clearest 40 at most. light: uint8 (h, w), L of Lab; inside: bool (h, w), the subject."""
    area = float(inside.sum())
    finder: Any = cv2.MSER.create(4, max(14, int(area * AREA[0])), max(15, int(area * AREA[1])), 0.4, 0.3)
    finder.setPass2Only(False)
    regions, _ = finder.detectRegions(light)
    found: list[Pupil] = []
    for points in regions:
        x, y, small, large = _fit_ellipse(points)
        if small < SMALLEST or small < 0.3 * large or len(points) <= FULL * np.pi * small * large:
            continue
        if not (0 <= y < inside.shape[0] and 0 <= x < inside.shape[1] and inside[int(y), int(x)]):
            continue
        core = float(light[points[:, 1], points[:, 0]].mean())
        if core > DARK:
            continue
        ring = _mean_ring(light, points, small)
        if ring - core < CONTRAST:
            continue
        pupil = Pupil(float(x), float(y), float((small + large) / 2), float(small / large), ring - core)
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


@kernel
def _fit_ellipse(points: NDArray[np.int32]) -> tuple[float, float, float, float]:
    """The middle (x, y) and the half axes, the smaller first, of the ellipse that has the moments of these pixels,
    int32 (n, 2): of a filled ellipse, twice the deviations are its half axes."""
    n = len(points)
    x, y = 0.0, 0.0
    for k in range(n):
        x += points[k, 0]
        y += points[k, 1]
    x, y = x / n, y / n
    across, both, down = 0.0, 0.0, 0.0
    for k in range(n):
        right, below = points[k, 0] - x, points[k, 1] - y
        across += right * right
        both += right * below
        down += below * below
    across, both, down = across / (n - 1), both / (n - 1), down / (n - 1)
    middle = (across + down) / 2
    apart = np.sqrt((across - down) ** 2 / 4 + both * both)
    return x, y, 2 * np.sqrt(max(middle - apart, 0.0)), 2 * np.sqrt(middle + apart)


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


def sample_rings(lab: F32, pupil: Pupil, steps: NDArray[np.float64], angles: int) -> F32:
    """The picture on rings about a pupil, float32 (len(steps), angles, 3); steps: their radii, pixels."""
    around = np.arange(angles) / angles * 2 * np.pi
    x = (pupil.x + steps[:, None] * np.cos(around)).astype(np.float32)
    y = (pupil.y + steps[:, None] * np.sin(around)).astype(np.float32)
    return np.asarray(cv2.remap(lab, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def measure_opening(lab: F32, pupil: Pupil, apart: float) -> float:
    """Radius of the eye about a pupil: the outermost of its clear edges. lab: float32 (h, w, 3), Lab of 0..255;
    apart: pixels to the other eye."""
    steps = np.arange(0.7, OPEN[1] + 0.6, 0.12) * pupil.radius
    steps = steps[steps < max(0.36 * apart, 1.2 * pupil.radius)]
    rings = sample_rings(lab, pupil, steps, 24).mean(axis=1)
    change = np.linalg.norm(np.diff(rings, axis=0), axis=1)
    if not len(change):
        return pupil.radius
    clear = np.flatnonzero(change > 0.5 * change.max())
    return float(max(OPEN[0] * pupil.radius, 0.5 * (steps[clear[-1]] + steps[clear[-1] + 1])))


def fit_opening(lab: F32, pupil: Pupil, radius: float) -> tuple[float, float, float, float]:
    """Middle and half axes of an eye of about this radius: where its edge lies to each side of the pupil, which is in
    its middle only if the animal looks straight ahead. lab: float32 (h, w, 3), Lab of 0..255."""
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
