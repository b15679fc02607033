"""Rain on a pane of glass before the camera: drops that hang, and drops that run down in fits and leave tracks of small
ones. Each is a lens: it shows the scene behind it upside down and much smaller. The wet pane is misted, but for the
tracks.

Where every drop is follows from the frame alone. Sizes and speeds are for a canvas whose short side is 720 pixels, set
by eye.
"""

from __future__ import annotations

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.easing import smoothstep, smoothstep_scalar
from vivant.engines.diorama.kernels import Records, fast_kernel, inline_kernel, record_type
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.lens import GOLDEN
from vivant.engines.diorama.random_streams import rng
from vivant.media import U8, Planes
from vivant.request import FPS

# Middle, half width and half height, pixels; how much of it is there, 0..1.
DROP: Final = record_type("x", "y", "rx", "ry", "share")
SMALL: Final = 4  # pixels of the frame in one of what drops show: they reduce it so much that finer detail is lost
VIEW: Final = 6.0  # radii of the scene that are seen between the middle of a drop and its rim
BEADS: Final = 26  # small drops that a runner leaves behind at most
APART: Final = 20.0  # px between them
DRIES: Final = 2.4  # s in which they shrink by a factor of e
STICKS: Final = 0.85  # share of its speed by which a runner slows down and hurries on
MIST: Final = 0.8  # share of the scene that is seen through it only softly
MISTS: Final = 1.5  # s until it is there
OVER: Final = 0.12  # heights above the picture at which a runner comes in again


class WindowDrops:
    """Implements compose.Overlay."""

    def __init__(self, air: Air, strength: float) -> None:
        """strength: 0..1, of the rain."""
        self._air = air
        chance = rng(air.seed, "window drops")
        scale, width, height = air.scale, air.width, air.height
        hanging = round(air.area * (260 + 420 * strength))
        self._hang_x, self._hang_y = chance.random(hanging) * width, chance.random(hanging) * height
        self._hang_radius = scale * (1.9 + 15.0 * chance.random(hanging) ** 4)
        self._hang_tall = self._hang_radius * chance.uniform(1.0, 1.35, hanging)
        self._lands = chance.uniform(0.0, 2.0, hanging)  # s
        count = round(air.area * (34 + 52 * strength))
        # Evenly over the width and over time, so that some run in every quarter of a clip.
        place = (np.arange(count) + chance.random(count)) / count
        self._column = chance.permutation(place)  # share of the width
        self._start = chance.random(count) * 0.95 * height  # px below the place where it comes in again
        self._speed = scale * chance.uniform(130, 400, count) * (0.75 + 0.5 * strength)  # px/s, on average
        self._radius = scale * (5.5 + 9.5 * chance.random(count) ** 1.6)
        self._lets_go = chance.permutation(place) * 2.4  # s
        self._turn = 2 * math.pi * chance.uniform(0.5, 1.1, count)  # of its fits, a second
        self._phase = chance.uniform(0, 2 * math.pi, count)
        self._sway = scale * np.array([6.0, 3.2, 1.4])[:, None] * chance.uniform(0.5, 1.5, (3, count))
        self._bend = 2 * math.pi / (scale * np.array([190, 83, 37])[:, None] * chance.uniform(0.8, 1.25, (3, count)))
        self._bent = chance.uniform(0, 2 * math.pi, (3, count))
        self._bead = scale * (1.8 + 4.6 * chance.random((BEADS, count)) ** 2)
        self._behind = scale * APART * (np.arange(BEADS)[:, None] + chance.uniform(0, 0.7, (BEADS, count)))

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._air.opacity[n])
        if opacity <= 0:
            return
        drops, paths = self._place(n)
        drops["share"] *= np.float32(opacity)
        seen = (_reduce(frame.y, SMALL), _reduce(frame.u, SMALL // 2), _reduce(frame.v, SMALL // 2))
        mist = MIST * opacity * float(smoothstep(np.array(n / FPS / MISTS)))
        share = self._misted(paths)
        for plane, small, step in zip((frame.y, frame.u, frame.v), seen, (SMALL, SMALL // 2, SMALL // 2), strict=True):
            soft = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.1 * self._air.scale + 0.35), np.uint8)
            lay_mist(plane, soft, share, np.float32(1 / step), np.float32(mist))
        refract(frame.y, frame.u, frame.v, *seen, drops)

    def _misted(self, paths: tuple[NDArray[np.float64], ...]) -> U8:
        """How much of the pane is misted, in 1/255: uint8, a pixel for SMALL x SMALL. paths: x, y and half width of the
        wet lines, (points, lines); NaN where there is none."""
        x, y, wide = paths
        rows, columns = -(-self._air.height // SMALL), -(-self._air.width // SMALL)
        clear = np.full((rows, columns), 255, np.uint8)
        for line in range(x.shape[1]):
            there = np.isfinite(x[:, line])
            if there.sum() < 2:
                continue
            points = np.stack([x[there, line], y[there, line]], axis=1) * (16 / SMALL)
            thick = max(1, round(1.6 * float(wide[0, line]) / SMALL))
            cv2.polylines(clear, [np.rint(points).astype(np.int32)], False, 0, thick, cv2.LINE_AA, 4)
        return np.asarray(cv2.GaussianBlur(clear, (0, 0), 0.8), np.uint8)

    def drops(self, n: int) -> Records:
        """DROP (count,), of frame n: first those that hang, then tracks, then what runs."""
        return self._place(n)[0]

    def _place(self, n: int) -> tuple[Records, tuple[NDArray[np.float64], ...]]:
        """The drops of frame n, and the wet lines that they leave, see `_misted`."""
        time, height, scale = n / FPS, self._air.height, self._air.scale
        lands = smoothstep((time - self._lands) / 0.12)
        hang = _fill(self._hang_x, self._hang_y, self._hang_radius, self._hang_tall, lands)
        went = np.maximum(time - self._lets_go, 0)
        turned = self._turn * went + self._phase
        path = self._start + self._speed * (went + STICKS * (np.sin(turned) - np.sin(self._phase)) / self._turn)
        room = (1 + 2 * OVER) * height
        again = np.floor(path / room)
        column = (self._column + again * GOLDEN) % 1.0 * self._air.width
        # A bead keeps its place on the path until the runner is too far ahead, and then has its next one.
        length = scale * APART * BEADS
        bead = np.floor((path - self._behind) / length) * length + self._behind
        ahead = path - bead
        on_path = (bead > self._start) & (bead > again * room)
        size = self._bead * np.exp(-ahead / (self._speed * DRIES))
        shows = (
            on_path * smoothstep(ahead / (2.0 * self._radius) - 0.3) * smoothstep((length - ahead) / (0.25 * length))
        )
        bead_y = bead - again * room - OVER * height
        tracks = _fill(column + self._aside(bead_y), bead_y, size, 1.3 * size, shows)
        y = path - again * room - OVER * height
        pace = np.where(went > 0, 1 + STICKS * np.cos(turned), 0)
        grown = smoothstep(time / np.maximum(0.7 * self._lets_go, 0.35))
        tall = self._radius * (1.1 + 0.4 * pace)
        runs = _fill(column + self._aside(y), y, self._radius * (1.0 - 0.08 * pace), tall, grown)
        back = np.linspace(0, 0.85 * length, 24)[:, None]
        line = path - back
        line[(line < self._start) | (line < again * room)] = np.nan
        line_y = line - again * room - OVER * height
        lines = (column + self._aside(line_y), line_y, self._radius[None])
        return np.concatenate([hang, tracks, runs]), lines

    def _aside(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far aside each path goes on row y, (count,) or (k, count): px."""
        parts = [a * np.sin(b * y + p) for a, b, p in zip(self._sway, self._bend, self._bent, strict=True)]
        return np.asarray(parts[0] + parts[1] + parts[2], np.float64)


def _fill(*values: NDArray[np.float64]) -> Records:
    """DROP (count,) of its five numbers, arrays of one shape."""
    drops = np.zeros(values[0].size, DROP)
    for name, value in zip(DROP.names or (), values, strict=True):
        drops[name] = value.ravel()
    return drops


def _reduce(plane: U8, step: int) -> U8:
    height, width = plane.shape
    size = (max(2, -(-width // step)), max(2, -(-height // step)))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


# All arithmetic is float32: a Python number in a kernel would make it float64, at half the speed.
ZERO, HALF, ONE = (np.float32(v) for v in (0, 0.5, 1))
_VIEW, _THIN, _SHARE = np.float32(VIEW), np.float32(0.01), np.float32(1 / 255)
_RIM = np.float32(0.38)  # share of its light that a drop loses at its rim, where it is steep
_GLINT = np.float32(70.0)  # levels of luma, of the light that its upper side mirrors


@fast_kernel
def lay_mist(plane: U8, soft: U8, share: U8, step: Any, most: Any) -> None:
    """plane += most · share/255 · (soft - plane), in place. plane: uint8 (h, w); soft, share: uint8, one shape, read
    between their pixels at `step` times its place."""
    height, width = plane.shape
    rows, columns = soft.shape
    for row in range(height):
        y = min((np.float32(row) + HALF) * step - HALF, np.float32(rows) - np.float32(1.001))
        y = max(y, ZERO)
        top = int(y)
        t = y - np.float32(top)
        for column in range(width):
            x = min((np.float32(column) + HALF) * step - HALF, np.float32(columns) - np.float32(1.001))
            x = max(x, ZERO)
            left = int(x)
            s = x - np.float32(left)
            a, b, c, d = (ONE - s) * (ONE - t), s * (ONE - t), (ONE - s) * t, s * t
            value = (
                a * soft[top, left] + b * soft[top, left + 1] + c * soft[top + 1, left] + d * soft[top + 1, left + 1]
            )
            much = (
                a * share[top, left]
                + b * share[top, left + 1]
                + c * share[top + 1, left]
                + d * share[top + 1, left + 1]
            )
            old = np.float32(plane[row, column])
            plane[row, column] = np.uint8(old + most * much * _SHARE * (value - old) + HALF)


@fast_kernel
def refract(y: U8, u: U8, v: U8, small_y: U8, small_u: U8, small_v: U8, drops: Records) -> None:
    """Draw `drops`, DROP (count,), into the planes of a frame, in place, in order. small_y, small_u, small_v: uint8,
    one shape, the frame reduced, which is what the drops show."""
    height, width = y.shape
    rows, columns = small_y.shape
    across, down = np.float32(columns) / np.float32(width), np.float32(rows) / np.float32(height)
    for i in range(drops.shape[0]):
        drop = drops[i]
        cx, cy, rx, ry, share = drop["x"], drop["y"], drop["rx"], drop["ry"], drop["share"]
        if share < _THIN or rx < HALF:
            continue
        soft = min(ONE, np.float32(1.2) / rx)  # a rim about a pixel wide, in radii
        for row in range(max(0, int(cy - ry)), min(height, int(cy + ry) + 2)):
            t = (np.float32(row) - cy) / ry
            for column in range(max(0, int(cx - rx)), min(width, int(cx + rx) + 2)):
                s = (np.float32(column) - cx) / rx
                far = s * s + t * t
                if far >= ONE:
                    continue
                cover = share * smoothstep_scalar((ONE - far) / (soft + soft))
                bend = _VIEW * (HALF + HALF * far)
                at_x, at_y = (cx - s * bend * rx) * across, (cy - t * bend * ry) * down
                light = _look_up(small_y, at_x, at_y)
                light = np.float32(16) + (light - np.float32(16)) * (ONE - _RIM * far * far)
                glint = ONE - ((s + np.float32(0.3)) ** 2 + (t + np.float32(0.42)) ** 2) * np.float32(14)
                if glint > ZERO:
                    light += _GLINT * glint * smoothstep_scalar((rx - ONE) * HALF)
                light = min(max(light, np.float32(16)), np.float32(235))
                old = np.float32(y[row, column])
                y[row, column] = np.uint8(old + cover * (light - old) + HALF)
                if row % 2 == 0 and column % 2 == 0:
                    for_u, for_v = np.float32(u[row >> 1, column >> 1]), np.float32(v[row >> 1, column >> 1])
                    u[row >> 1, column >> 1] = np.uint8(for_u + cover * (_look_up(small_u, at_x, at_y) - for_u) + HALF)
                    v[row >> 1, column >> 1] = np.uint8(for_v + cover * (_look_up(small_v, at_x, at_y) - for_v) + HALF)


@inline_kernel
def _look_up(plane: U8, x: Any, y: Any) -> Any:
    """Bilinear, the border repeated."""
    rows, columns = plane.shape
    x = min(max(x, ZERO), np.float32(columns - 1) - np.float32(0.001))
    y = min(max(y, ZERO), np.float32(rows - 1) - np.float32(0.001))
    left, top = int(x), int(y)
    s, t = x - np.float32(left), y - np.float32(top)
    over = np.float32(plane[top, left]) * (ONE - s) + np.float32(plane[top, left + 1]) * s
    under = np.float32(plane[top + 1, left]) * (ONE - s) + np.float32(plane[top + 1, left + 1]) * s
    return over * (ONE - t) + under * t
