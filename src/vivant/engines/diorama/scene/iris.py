"""The one eye of an animal that lies on its side or on its back: a bright iris of a colour that its fur has not, set in
a dark rim, with a dark pupil in it, whichever way the head is turned.

The pairs of animal_eyes.py are beside each other, and its pupils are dark ellipses in brighter rings: a cat's pupil in
the sun is a slit, and its iris brighter than the fur about it. Noses, ears and paws have the colour and not the rim;
buttons, berries and petals have no pupil. Only asked where something else tells that there is an animal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.media import F32

AROUND: Final = 61  # pixels: side of the square whose median is the colour of the fur there
OTHER: Final = 22.0  # a and b of Lab, 0..255: by which an iris differs from it at least
LEVELS: Final = (0.75, 0.6, 0.45)  # of the strongest difference: where the edge of an iris may be
AREA: Final = (0.0008, 0.02)  # of the subject's: an iris
FULL: Final = 0.82  # share of its ellipse that an iris with its pupil fills
ASPECT: Final = 0.36  # an eye is as open at least
# Half axes, from..to, where something is darker than the iris by that L of Lab, on that share of the way round: of a
# cat's eye 1.00, of its nose 0.84, of the mouth of a dog 0.91, of a slice of fruit in a glass 0.97.
RIM: Final = (1.0, 1.55, 24.0, 0.95)
# Half axes within which something is darker than the iris by that L (the cat's 75, the fruit 36), and how far aside of
# its middle that is at most: nostrils and the shadow under a petal lie at an edge.
PUPIL: Final = (0.8, 45.0, 0.6)
DARK: Final = 70.0  # L of Lab of the pupil at most: the cat's 59, holes between feathers and spars 81 and 91
# a and b: mean distance of the colours of the iris, and of the fur about it up to 2.2 half axes, from their mean, at
# most. The cat's 5 and 6; feathers, a car's window, a glowing crack and a bow lie in two colours: 10 and more.
EVEN: Final = (10.0, 8.5)
BESIDE: Final = (1.6, 2.2)
REDDER: Final = 1.2  # a of Lab against b: skin is redder than any iris
ALONE: Final = 1  # as good ones at most: more are a pattern


@dataclass(frozen=True, slots=True)
class Iris:
    """An ellipse. tilt: of its long axis, clockwise from the right, degrees, -90..90."""

    x: float
    y: float
    long: float  # half axes, pixels
    short: float
    tilt: float
    chroma: float  # by which it differs from the fur about it


def find_iris(lab: F32, inside: NDArray[np.bool_]) -> Iris | None:
    """The iris that certainly is one; None where there is none, or where there are many. lab: float32 (h, w, 3), Lab of
    0..255, of the subject at a few hundred pixels; inside: bool (h, w), the subject."""
    if min(inside.shape) < 8:
        return None
    soft = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.8), np.float32)
    colours = np.clip(soft[..., 1:], 0, 255).astype(np.uint8)
    usual = np.dstack([cv2.medianBlur(np.ascontiguousarray(colours[..., k]), AROUND) for k in (0, 1)])
    differ = np.asarray(np.hypot(*np.moveaxis(soft[..., 1:] - usual.astype(np.float32), -1, 0)), np.float32)
    differ[~inside] = 0
    found: list[Iris] = []
    left = differ.copy()
    area = float(inside.sum())
    for _ in range(12):  # the strongest differences, one after the other
        at = int(left.argmax())
        peak = float(left.flat[at])
        if peak < OTHER:
            break
        y, x = divmod(at, left.shape[1])
        largest: NDArray[np.bool_] | None = None
        for level in LEVELS:
            _, labels = cv2.connectedComponents((differ > level * peak).astype(np.uint8), connectivity=8)
            part = labels == labels[y, x]
            largest = part
            iris = _fit(part, float(differ[part].mean()), area)
            if iris is not None and _is_eye(soft, iris):
                found.append(iris)
                break
        if largest is not None:
            left[cv2.dilate(largest.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0] = 0
    return max(found, key=lambda one: one.chroma) if 0 < len(found) <= ALONE else None


def _fit(part: NDArray[np.bool_], chroma: float, area: float) -> Iris | None:
    """The ellipse of a part with its holes; None where it is none, or not of the size of an eye."""
    outlines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(max(outlines, key=len))
    whole = np.zeros(part.shape, np.uint8)
    cv2.fillConvexPoly(whole, hull, 1)  # a slit of a pupil may reach the edge
    size = int(whole.sum())
    if not AREA[0] * area <= size <= AREA[1] * area:
        return None
    rows, columns = np.nonzero(whole)
    values, axes = np.linalg.eigh(np.cov(np.stack([columns, rows])))
    short, long = (2 * float(np.sqrt(max(value, 1e-6))) for value in values)
    if short < ASPECT * long or float(part.sum()) < 0.55 * size or size < FULL * np.pi * short * long:
        return None
    tilt = float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1])))
    tilt = (tilt + 90) % 180 - 90
    return Iris(float(columns.mean()), float(rows.mean()), long, short, tilt, chroma)


def _is_eye(lab: F32, iris: Iris) -> bool:
    """Whether it is set in a dark rim, has a dark pupil in its middle and is not as red as skin. lab: float32
    (h, w, 3), Lab of 0..255."""
    steps = np.arange(0, BESIDE[1], 0.05)
    rays = _sample(lab, iris, steps)
    light, core = rays[..., 0], steps <= PUPIL[0]
    rim = light[(steps >= RIM[0]) & (steps <= RIM[1])].min(axis=0)
    bright = float(np.percentile(light[core], 60))
    if float((rim < bright - RIM[2]).mean()) < RIM[3]:
        return False
    if float(np.percentile(light[core], 6)) > min(DARK, bright - PUPIL[1]):
        return False
    colours = rays[core][light[core] > bright - RIM[2]][:, 1:]
    if _spread(colours) > EVEN[0] or _spread(rays[steps > BESIDE[0]][..., 1:].reshape(-1, 2)) > EVEN[1]:
        return False
    # The ellipses as circles of radius 1; the outer ones have more of the area.
    dark = np.maximum(0, bright - RIM[2] - light[core]) * steps[core, None]
    around = _angles()
    across, down = steps[core, None] * np.cos(around), steps[core, None] * np.sin(around)
    aside = np.hypot((dark * across).sum(), (dark * down).sum()) / max(float(dark.sum()), 1e-6)
    red, yellow = colours.mean(axis=0) - 128
    return bool(aside <= PUPIL[2]) and red <= max(8.0, REDDER * yellow)


def _spread(colours: F32) -> float:
    """Mean distance of colours, float32 (n, 2), from their mean."""
    return float(np.hypot(*(colours - colours.mean(axis=0)).T).mean())


def _angles() -> NDArray[np.float64]:
    return np.arange(32) / 32 * 2 * np.pi


def _sample(lab: F32, iris: Iris, steps: NDArray[np.float64]) -> F32:
    """The picture on ellipses about an iris, float32 (len(steps), 32, 3); steps: in its half axes."""
    around = _angles()
    across, down = iris.long * np.cos(around), iris.short * np.sin(around)
    cos, sin = np.cos(np.radians(iris.tilt)), np.sin(np.radians(iris.tilt))
    x = (iris.x + steps[:, None] * (cos * across - sin * down)).astype(np.float32)
    y = (iris.y + steps[:, None] * (sin * across + cos * down)).astype(np.float32)
    return np.asarray(cv2.remap(lab, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
