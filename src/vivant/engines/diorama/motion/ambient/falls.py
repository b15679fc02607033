"""Falling water: where the picture shows it, which way its streaks run, and how fast it comes down."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.motion.ambient import falloff
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.stream import Current
from vivant.engines.diorama.motion.fields import STEP, FieldSum, average_quarter, quarter_shape
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, U8

SPEED: Final = 210.0  # px per second at 720p, strength 0.5
PERIOD: Final = 0.8  # seconds
STREAKS: Final = 0.13  # share of light by which drops that fall together differ from those about them
HOLE: Final = 0.2  # heights that a hole of the water in a fall may be wide
ASLANT: Final = 0.2  # downward part of the direction from which streaks beside a fall run into it: 11 degrees
BESIDE: Final = 0.3  # heights from a fall in which such streams are looked for
APPEAR: Final = 0.6  # seconds until the streaks of light have their full strength


def measure_streaks(luma: U8, scale: float) -> tuple[F32, F32, F32]:
    """The direction of the picture's streaks: (x, y, sureness), float32 on the quarter grid, y downward positive. luma:
    uint8 (h, w).

    By the structure tensor; sureness 0..1 is its coherence, and low where there is no texture."""
    height, width = luma.shape
    half = filters.blur(filters.resize(luma, width // 2, height // 2), 1.2)
    gx, gy = cv2.Sobel(half, cv2.CV_32F, 1, 0, scale=0.25), cv2.Sobel(half, cv2.CV_32F, 0, 1, scale=0.25)
    xx, yy, xy = (
        filters.blur(filters.resize(p, *quarter_shape(height, width)[::-1]), max(1.0, 4.0 * scale))
        for p in (gx * gx, gy * gy, gx * gy)
    )
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)  # of the gradient; the streak is across it
    x, y = -np.sin(angle), np.cos(angle)
    flip = np.where(y < 0, -1.0, 1.0)
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (xx + yy + 1.5)
    return (x * flip).astype(np.float32), (y * flip).astype(np.float32), coherence.astype(np.float32)


def find_falling(luma: U8, water: F32, scale: float) -> F32:
    """Where water falls: float32 (h, w), 0..1. luma: uint8 (h, w). water: float32 (h, w), 0..1, all water."""
    height, width = luma.shape
    # Upright streaks look least like water, so that what was found of it may have holes in the midst of a fall.
    hole = 2 * round(HOLE * height / (2 * STEP)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (hole, hole))
    closed = cv2.morphologyEx(average_quarter(water), cv2.MORPH_CLOSE, disc)
    water = np.maximum(water, filters.resize(closed, width, height))
    _, down, sure = measure_streaks(luma, scale)
    steep = np.clip((down - 0.72) / 0.18, 0, 1) * np.clip((sure - 0.22) / 0.25, 0, 1) * average_quarter(water)
    # Close the gaps between the streaks of a fall, then drop what is small.
    size = 2 * round(4 * scale) + 1
    body = (filters.blur(steep, 3.0 * scale) > 0.3).astype(np.uint8)
    body = np.asarray(cv2.morphologyEx(body, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(body)
    least = 0.004 * body.size
    kept = np.zeros(body.shape, np.float32)
    small = average_quarter(luma.astype(np.float32))
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < least:
            continue
        here = labels == label
        # A steep shore mirrored in a lake is upright as well, but it has no clear streaks and is not white.
        if sure[here].mean() > 0.5 and np.percentile(small[here], 90) > 105:
            kept[here] = 1
    beside = _find_beside(kept, down, sure * average_quarter(water), small, scale)
    # The edge above and the foam below move too; their streaks are too short to be measured.
    rim = 2 * round(5 * scale) + 1
    grown = cv2.dilate(kept, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim)))
    return np.minimum(filters.resize(filters.blur(np.maximum(grown, beside), 1.5), width, height), water)


def _find_beside(falling: F32, down: F32, sure: F32, luma: F32, scale: float) -> F32:
    """The streams that run aslant into a fall, and beside it: bright streaks that join it and lead down, though not
    steeply. All float32 on the quarter grid; falling: 0 or 1; sure: 0..1, 0 outside the water."""
    aslant = (
        np.clip((down - ASLANT) / 0.15, 0, 1) * np.clip((sure - 0.3) / 0.25, 0, 1) * np.clip((luma - 55) / 30, 0, 1)
    )
    size = 2 * round(4 * scale) + 1
    body = ((filters.blur(aslant, 3.0 * scale) > 0.3) | (falling > 0)).astype(np.uint8)
    body = np.asarray(cv2.morphologyEx(body, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8)), np.uint8)
    reach = 2 * round(BESIDE * luma.shape[0]) + 1
    near = cv2.dilate(falling, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))) > 0
    _, labels = cv2.connectedComponents(np.where(near, body, 0).astype(np.uint8))
    joined = np.unique(labels[falling > 0])
    # Rocks beside them, which are dark, must not run along.
    dark = filters.blur(np.clip((80 - luma) / 30, 0, 1), 4.0 * scale)
    return np.asarray(np.isin(labels, joined[joined > 0]) * np.clip((0.3 - dark) / 0.15, 0, 1), np.float32)


def make_current(air: Air, luma: U8, mask: F32, strength: float) -> Current | None:
    """The current of a fall along its streaks, None if there is no fall. luma: uint8 (h, w). mask: float32 (h, w),
    0..1."""
    weight = falloff.weigh(mask, 10 * air.scale)
    if weight.max() < 0.5:
        return None
    x, y, sure = measure_streaks(luma, air.scale)
    # Where no streak is seen, water falls as its neighbours do, or straight down.
    # What falls steeply is not turned aside by what runs aslant beside it.
    trust = (sure * weight * y * y) ** 2 + 0.005
    sigma = 5.0 * air.scale
    down, aside = filters.blur(y * y * trust, sigma), filters.blur(x * y * trust, sigma)
    length = np.hypot(down, aside) + 1e-6
    # Water is faster further down: by half from top to bottom.
    fallen = np.cumsum(weight > 0, axis=0) / max(1.0, float((weight > 0).sum(axis=0).max()))
    speed = SPEED * air.scale * (0.45 + 1.1 * strength) * (0.8 + 0.45 * fallen) * weight
    return Current(
        (aside / length * speed).astype(np.float32),
        (np.maximum(down / length, 0.25) * speed).astype(np.float32),
        np.sqrt(weight),
        PERIOD,
        air.flowed,
    )


class FallingLight:
    """Streaks of light and shade that come down with the water: a fall of long exposure is too even for its motion to
    be seen. Two copies in turn, as of the water itself, with other streaks each time."""

    def __init__(self, air: Air, current: Current, luma: F32) -> None:
        """luma: float32 on the quarter grid, 16..235."""
        self._air, self._current = air, current
        top, bottom, left, right = falloff.find_bounds(current.mask)
        self._window = slice(top, bottom), slice(left, right)
        noise = rng(air.seed, "falls/light").normal(size=current.mask.shape)
        streaks = filters.blur(noise, 0.8, 7.0 * max(0.5, air.scale))
        self._streaks = (streaks / (float(streaks.std()) + 1e-9)).astype(np.float32)
        bright = np.clip((luma - 60) / 70, 0, 1)  # spray is seen, dark rock behind it is not lit
        self._share = (STREAKS * bright * current.mask)[self._window].astype(np.float32)
        self._vx, self._vy = current.vx[self._window], current.vy[self._window]

    def add(self, n: int, out: FieldSum) -> None:
        flowed = float(self._current.flowed[n])
        there = float(self._air.running[n] * smootherstep(np.array(flowed / APPEAR)))
        if n == 0 or there == 0:
            return
        rows, columns = np.mgrid[self._window]
        total, power = np.zeros_like(self._share), 0.0
        for copy in (0.0, 0.5):
            turns = flowed / PERIOD + copy
            age = (turns % 1 - 0.5) * PERIOD
            weight = 1 - abs(2 * (turns % 1) - 1)
            aside = 41 * int(turns) + 17 * copy  # other streaks in each turn
            x = (columns - self._vx * age / STEP + aside) % self._streaks.shape[1]
            total += weight * filters.sample(self._streaks, x, rows - self._vy * age / STEP)
            power += weight * weight
        light = np.clip(total / np.float32(power**0.5), -2, 2)
        out.gain[self._window] *= (1 + there * self._share * light).astype(np.float32)
