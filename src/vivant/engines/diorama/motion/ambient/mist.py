"""Mist and fog: banks of three distances pass at speeds of their own, and each hides what is farther away than it is.

A picture may hold mist already. So what is drawn is the change of its density since the picture was taken: banks thin
as well as thicken, and the first frame is the picture. Koschmieder's law: a thing is seen as
air + (thing - air)·exp(-density).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smootherstep, smoothstep
from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.smoke import TILE, cloudy_noise
from vivant.engines.diorama.motion.fields import average_quarter, quarter_shape
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, U8, Planes
from vivant.request import FPS

# Of the bank farthest away, the middle one and the nearest: the distance (0..1) beyond which things stand in it, height
# of its tile of noise in picture heights, and speed, px per frame at 640 px on the long side.
BANKS: Final = ((0.62, 0.7, 1.1), (0.38, 1.0, 1.9), (0.12, 1.5, 3.0))
WIDTH: Final = 0.30  # of distance, over which a bank reaches its density
FLAT: Final = 2.2  # banks are this many times as long as they are high
DENSE: Final = (0.42, 0.68)  # of the noise, 0..1, between which a bank begins and is full
DEPTH: Final = 3.2  # optical depth of the three banks at strength 0.5
CLEARER: Final = 0.22  # optical depth of the mist in the picture that may go
GATHERS: Final = 2.1  # seconds in which the mist of the first frame is forgotten, and how much of it
FORGOTTEN: Final = 0.7
CURL: Final = 0.035  # picture heights by which the banks' outlines turn
TURNS: Final = 6.0  # seconds in which they do
CELL: Final = 8  # the banks are computed on every eighth pixel


class Mist:
    """One per clip."""

    def __init__(self, air: Air, distance: F32, where: F32, planes: Planes, strength: float) -> None:
        """distance: float32 (h, w), 0 near .. 1 far. where: float32 (h, w), 0..1, how much mist may lie in each place.
        planes: the picture. strength: 0..1."""
        self._air = air
        self._noise = cloudy_noise(rng(air.seed, "mist"))
        self._turning = cloudy_noise(rng(air.seed, "mist/turning"))
        far, lies = average_quarter(distance), average_quarter(where)
        most = DEPTH * (0.35 + 1.3 * strength) / len(BANKS)
        self._weights = np.stack([most * lies * smoothstep((far - near) / WIDTH) for near, _, _ in BANKS])
        rows, columns = -(-air.height // CELL) + 1, -(-air.width // CELL) + 1
        x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        self._x, self._y = CELL * x, CELL * y
        pace = max(air.width, air.height) / 640 * FPS * (0.7 + 0.6 * strength)
        self._paces = [air.side * pace * speed for _, _, speed in BANKS]
        n = np.arange(air.frames)
        self._kept = 1 - FORGOTTEN * smootherstep(n / (GATHERS * FPS))
        self._there = air.amplitude
        self._first = self._densities(0)
        self._light = _measure_light(air, planes)

    def draw(self, n: int, frame: Planes) -> None:
        if n == 0 or self._there[n] <= 0:
            return
        height, width = frame.y.shape
        kept = np.float32(self._kept[n])
        density = (self._weights * (self._densities(n) - kept * self._first)).sum(axis=0)
        density = np.where(density < 0, CLEARER * np.tanh(density / CLEARER), density) * self._there[n]
        hidden = (1 - np.exp(-density)).astype(np.float32)
        share = self._project(n, hidden)
        full = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
        half = cv2.resize(share, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR)
        for plane, light, part, top in zip(
            (frame.y, frame.u, frame.v), self._light, (full, half, half), (235, 240, 240), strict=True
        ):
            veil(plane, light, np.asarray(part, np.float32), top)

    def _densities(self, n: int) -> F32:
        """float32 (banks, rows, columns) on the quarter grid of the picture, 0..1."""
        time = n / FPS
        rows, columns = quarter_shape(self._air.height, self._air.width)
        found = []
        for k, ((_, size, _), pace) in enumerate(zip(BANKS, self._paces, strict=True)):
            step = TILE / (size * self._air.height)
            turn = CURL * TILE / size * 4
            aside = self._read(self._turning, 0.9 * step, 61.0 * k + TILE * time / (4 * TURNS), 17.0 * k)
            aside = turn * (aside - 0.5)
            x = step / FLAT * (self._x - np.float32(pace * time)) + np.float32(83.0 * k) + aside
            y = step * self._y + np.float32(59.0 * k) + 0.6 * aside
            noise = cv2.remap(
                self._noise, np.mod(x, TILE).astype(np.float32), np.mod(y, TILE).astype(np.float32),
                cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
            )  # fmt: skip
            bank = smoothstep((np.asarray(noise, np.float32) - DENSE[0]) / (DENSE[1] - DENSE[0]))
            found.append(filters.resize(bank, columns, rows))
        return np.stack(found)

    def _read(self, noise: F32, step: float, right: float, down: float) -> F32:
        x, y = (np.mod(step * at + by, TILE).astype(np.float32) for at, by in ((self._x, right), (self._y, down)))
        return np.asarray(cv2.remap(noise, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)

    def _project(self, n: int, values: F32) -> F32:
        """What is on the picture's quarter grid, as the camera sees it at frame n."""
        right, down, zoom = self._air.view[n]
        if (right, down, zoom) == (0, 0, 1):
            return values
        rows, columns = values.shape
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        middle_x, middle_y = 0.5 * (columns - 1), 0.5 * (rows - 1)
        return filters.sample(
            values, middle_x + (x - middle_x + right / 4) / zoom, middle_y + (y - middle_y + down / 4) / zoom
        )


def _measure_light(air: Air, planes: Planes) -> tuple[U8, U8, U8]:
    """The colour of the mist in each place, uint8 planes: mostly that of the air, a little that of what is about."""
    grey = min(212.0, 0.6 * air.bright + 0.3 * air.middle + 16)
    own = (grey, *air.tint)
    small = [
        filters.resize(p, max(air.width // 16, 1), max(air.height // 16, 1)) for p in (planes.y, planes.u, planes.v)
    ]
    about = [filters.blur(p, 0.06 * max(p.shape)) for p in small]
    # What is brighter than the mist lights it: before a bright sky no bank is a dark smear.
    local = np.where(about[0] > grey, 0.85, 0.38)
    out = []
    for plane, colour, near in zip((planes.y, planes.u, planes.v), own, about, strict=True):
        light = filters.resize(colour + local * (near - colour), plane.shape[1], plane.shape[0])
        out.append(np.rint(light).astype(np.uint8))
    return out[0], out[1], out[2]


@kernel
def veil(plane: U8, light: U8, share: F32, top: int) -> None:
    """plane += share · (light - plane), in place, 16..top, dithered so that no bands are seen. plane, light: uint8
    (h, w); share: float32 (h, w), negative where a veil is lifted."""
    height, width = plane.shape
    low, high = np.float32(16), np.float32(top)
    for row in range(height):
        # Interleaved gradient noise (Jimenez 2014): the same in every frame.
        phase = np.float32(0.00583715) * np.float32(row)
        for column in range(width):
            part = share[row, column]
            if part == np.float32(0):
                continue
            at = np.float32(0.06711056) * np.float32(column) + phase
            at = np.float32(52.9829189) * (at - np.floor(at))
            noise = at - np.floor(at)
            value = np.float32(plane[row, column])
            value += part * (np.float32(light[row, column]) - value)
            plane[row, column] = np.uint8(np.int32(min(max(value + noise, low), high)))
