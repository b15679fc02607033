"""Mist and fog: banks of three distances pass at speeds of their own, and each hides what is farther away than it is.
The camera goes past each as fast as its distance says.

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
from vivant.engines.diorama.motion.fields import STEP, average_quarter, quarter_shape
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, U8, Planes
from vivant.request import FPS

# Of the bank farthest away, the middle one and the nearest: the distance (0..1) beyond which things stand in it, height
# of its tile of noise in picture heights, speed, px per frame at 640 px on the long side, share of the optical depth,
# nearness to the camera (the nearest thing at 1), and the noise, 0..1, at which it begins and is full. The far one is
# the densest: where it opens, all opens. The nearest is soft, or its edges would be puffs of smoke on the grass.
BANKS: Final = (
    (0.56, 0.7, 1.6, 0.5, 0.45, (0.40, 0.63)),
    (0.42, 1.0, 2.2, 0.3, 0.65, (0.39, 0.75)),
    (0.24, 1.5, 3.0, 0.2, 0.95, (0.34, 0.84)),
)
SUBJECT: Final = 0.55  # nearness of what the camera looks at, and
HIDDEN: Final = 0.45  # of what the banks hide: scenes are shown with little relief
WIDTH: Final = 0.26  # of distance, over which a bank reaches its density
FLAT: Final = 2.2  # banks are this many times as long as they are high
DEPTH: Final = 5.0  # optical depth of the three banks at strength 0.5
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
        most = DEPTH * (0.35 + 1.3 * strength)
        self._weights = [
            (most * share * lies * smoothstep((far - near) / WIDTH)).astype(np.float32)
            for near, _, _, share, *_ in BANKS
        ]
        rows, columns = -(-air.height // CELL) + 1, -(-air.width // CELL) + 1
        x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        self._x, self._y = CELL * x, CELL * y
        pace = max(air.width, air.height) / 640 * FPS * (0.7 + 0.6 * strength)
        self._paces = [air.side * pace * speed for _, _, speed, *_ in BANKS]
        n = np.arange(air.frames)
        self._kept = 1 - FORGOTTEN * smootherstep(n / (GATHERS * FPS))
        self._there = air.amplitude
        self._light = _measure_light(air, planes)

    def draw(self, n: int, frame: Planes) -> None:
        if n == 0 or self._there[n] <= 0:
            return
        height, width = frame.y.shape
        density = self._density(n)
        density = np.where(density < 0, CLEARER * np.tanh(density / CLEARER), density) * self._there[n]
        share = (1 - np.exp(-density)).astype(np.float32)
        full = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
        half = cv2.resize(share, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR)
        for plane, light, part, top in zip(
            (frame.y, frame.u, frame.v), self._light, (full, half, half), (235, 240, 240), strict=True
        ):
            veil(plane, light, np.asarray(part, np.float32), top)

    def _density(self, n: int) -> F32:
        """The change of optical depth since the picture was taken, as the camera sees it at frame n: float32 on the
        quarter grid."""
        kept = np.float32(self._kept[n])
        rows, columns = quarter_shape(self._air.height, self._air.width)
        total = np.zeros((rows, columns), np.float32)
        moves = self._look(n, HIDDEN) != _HOME
        if moves:
            y, x = np.mgrid[:rows, :columns].astype(np.float32)
            x, y = (at / STEP for at in self._aim(n, HIDDEN, STEP * x, STEP * y))
        for k, weight in enumerate(self._weights):
            change = self._bank(k, n, n) - kept * self._bank(k, 0, n)
            seen = filters.sample(weight, x, y) if moves else weight
            total += seen * filters.resize(change, columns, rows)
        return total

    def _bank(self, k: int, time: int, n: int) -> F32:
        """How dense a bank is at the time of one frame, seen by the camera of frame n: 0..1, on the coarse grid."""
        _, size, _, _, nearness, (begins, full) = BANKS[k]
        seconds = time / FPS
        at_x, at_y = self._aim(n, nearness, self._x, self._y)
        step = TILE / (size * self._air.height)
        turn = CURL * TILE / size * 4
        aside = self._read(self._turning, 0.9 * step * at_x + (61 * k + TILE * seconds / (4 * TURNS)),
                           0.9 * step * at_y + 17 * k)  # fmt: skip
        aside = turn * (aside - 0.5)
        x = step / FLAT * (at_x - self._paces[k] * seconds) + 83 * k + aside
        noise = self._read(self._noise, x, step * at_y + 59 * k + 0.6 * aside)
        return np.asarray(smoothstep((noise - begins) / (full - begins)), np.float32)

    def _read(self, noise: F32, x: F32, y: F32) -> F32:
        at_x, at_y = np.mod(x, TILE).astype(np.float32), np.mod(y, TILE).astype(np.float32)
        return np.asarray(cv2.remap(noise, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)

    def _look(self, n: int, nearness: float) -> tuple[float, float, float]:
        """(x, y, scale): where the camera of frame n looks at what is so near: scale · (pixels from the middle) + x, y;
        see `rig.aim`."""
        right, down, zoom = (float(value) for value in self._air.view[n])
        x, y, z, pivot = (float(value) for value in self._air.travel[n])
        turn, forward = nearness / SUBJECT - pivot, 1 - z * nearness
        return (
            right * forward + self._air.width * x * turn,
            down * forward + self._air.height * y * turn,
            forward / zoom,
        )

    def _aim(self, n: int, nearness: float, x: F32, y: F32) -> tuple[F32, F32]:
        """Points of the frame, pixels, as points of what is so near in the picture's own space."""
        right, down, scale = self._look(n, nearness)
        middle_x, middle_y = 0.5 * (self._air.width - 1), 0.5 * (self._air.height - 1)
        return (
            (middle_x + right + scale * (x - middle_x)).astype(np.float32),
            (middle_y + down + scale * (y - middle_y)).astype(np.float32),
        )


_HOME: Final = (0.0, 0.0, 1.0)


def _measure_light(air: Air, planes: Planes) -> tuple[U8, U8, U8]:
    """The colour of the mist in each place, uint8 planes: mostly that of the air, a little that of what is about."""
    grey = min(212.0, 0.9 * air.bright + 0.1 * air.middle + 6)
    own = (grey, *air.tint)
    small = [
        filters.resize(p, max(air.width // 16, 1), max(air.height // 16, 1)) for p in (planes.y, planes.u, planes.v)
    ]
    # What is brighter than the mist lights it: before a bright sky or the picture's own fog no bank is a dark smear,
    # not even where dark trees are beside.
    small[0] = np.maximum(small[0], grey + 0.25 * (small[0] - grey))
    about = [filters.blur(p, 0.06 * max(p.shape)) for p in small]
    local = np.where(about[0] > grey, 0.9, np.array([1.0, 0.25, 0.25])[:, None, None])
    out = []
    for plane, colour, near, share in zip((planes.y, planes.u, planes.v), own, about, local, strict=True):
        light = filters.resize(colour + share * (near - colour), plane.shape[1], plane.shape[0])
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
