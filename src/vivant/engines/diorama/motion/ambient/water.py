"""Lakes and the sea: waves travel over the water plane below the waterline and distort the reflections in it.

Dispersive waves in world coordinates (deep water: ω² = g·k), seen in perspective (docs/decisions/0031). Falling water
is in falls.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import fast_kernel, sine
from vivant.engines.diorama.motion.ambient import falloff
from vivant.engines.diorama.motion.ambient.air import Air, initial_share
from vivant.engines.diorama.motion.ambient.lens import FOCAL
from vivant.engines.diorama.motion.fields import STEP, FieldSum
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

WAVES: Final = 32
GRAVITY: Final = 14.0  # camera heights per second squared: the camera is held low over the water
SHORTEST, LONGEST = 0.14, 11.0  # wavelengths in camera heights
SPREAD: Final = 0.85  # radians about the view axis; less makes crests as wide as the picture
# Projected wavelengths, px: waves below GONE are left out (the grid is 4 px), those from WHOLE to LONG (at 720p) are
# whole, longer ones fade: reflections are distorted by slope, and long waves have little.
GONE, WHOLE, LONG = 8.0, 13.0, 70.0
STEEP: Final = 0.43  # largest change of displacement per pixel (rms): at 1 reflections would fold over
SURGE: Final = 9.0  # px by which open sea moves in and out at the near edge, at 720p, strength 0.5
LIFT: Final = 13.0  # px of vertical displacement at the near edge, at 720p, strength 0.5
# Luma levels by which a facet that leans toward the viewer, and so mirrors a higher part of the sky, is brighter: an
# equal sum on bright and on dark water, a larger share of the dark; DARKEST and BRIGHTEST bound the share.
SHINE: Final = 19.0
DARKEST, BRIGHTEST = 0.12, 0.4
DIMMEST: Final = 0.55  # gain: no trough is darker, however rough the water
GLINT: Final = 0.35  # crests are narrow and bright, troughs wide and a little darker


def force(strength: float) -> float:
    """How much more than usual water moves at a strength, 0..1: half at 0.2 ("barely"), three times at 0.95."""
    return math.exp(2.5 * (strength - 0.48))


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """The waves of one water: float64 (WAVES,) each, lengths in camera heights. kz points toward the viewer."""

    kx: NDArray[np.float64]
    kz: NDArray[np.float64]
    omega: NDArray[np.float64]  # radians per second
    phase: NDArray[np.float64]
    share: NDArray[np.float64]  # of the height, about 1


def make_spectrum(seed: int, side: float, sea: float) -> Spectrum:
    """Wavelengths are log-uniform, directions about the view axis and a little with the wind (`side` -1 or 1). sea: 0 a
    lake .. 1 surf. All waves come toward the viewer: if they ran away, the camera would seem to back away."""
    chance = rng(seed, "water")
    length = SHORTEST * (LONGEST / SHORTEST) ** ((np.arange(WAVES) + chance.random(WAVES)) / WAVES)
    angle = chance.normal(0, SPREAD / 2, WAVES).clip(-SPREAD, SPREAD) + 0.3 * side * chance.random(WAVES)
    k = 2 * math.pi / length
    return Spectrum(
        kx=k * np.sin(angle),
        kz=k * np.cos(angle),
        omega=np.sqrt(GRAVITY * k) * (0.78 + 0.22 * sea),
        phase=chance.uniform(0, 2 * math.pi, WAVES),
        share=chance.uniform(0.75, 1.25, WAVES),
    )


class Water:
    """Waves on one water plane; adds displacement and brightness. weight: float32 on the quarter grid, 0..1."""

    def __init__(
        self,
        air: Air,
        weight: F32,
        horizon: float,
        waterline: float,
        strength: float,
        luma: F32,
        sea: float,
        shine: float = 1.0,
    ) -> None:
        """horizon, waterline: rows, pixels. strength: 0..1. luma: float32 on the quarter grid, 16..235; bright water
        sparkles. sea: 0 a lake .. 1 surf. shine: 0..1, none in a drawing of flat colours."""
        self._air = air
        self._top, self._bottom, self._left, self._right = falloff.find_bounds(weight)
        weight = weight[self._window]
        focal = FOCAL * min(air.width, air.height)
        rows = float(STEP) * np.arange(self._top, self._bottom)
        below = np.maximum(rows - find_vanishing_row(horizon, waterline, air.height), 2.0)
        near = np.clip(below / (air.height - min(waterline, air.height - 8)), 0, 1.2)
        self._near = near.astype(np.float32)
        self._z = (focal / below).astype(np.float32)  # camera heights away, per row
        columns = float(STEP) * np.arange(self._left, self._right) - air.width / 2
        self._columns = columns.astype(np.float32)
        self._per_column = (1 / below).astype(np.float32)  # camera heights per pixel, per row

        self._spectrum = make_spectrum(air.seed, air.side, sea)
        self._tilt = (self._spectrum.kx / np.hypot(self._spectrum.kx, self._spectrum.kz)).astype(np.float32)

        power = force(strength)
        projected = 2 * math.pi * focal / (self._spectrum.kz[:, None] * self._z**2)  # px, (WAVES, rows)
        seen = np.clip((projected - GONE) / (WHOLE - GONE), 0, 1)
        seen *= np.minimum(1, LONG * power**0.7 * air.scale * (1 + sea) / projected) ** 0.9
        height = np.clip(projected, GONE, None) ** 0.8 * seen * self._spectrum.share[:, None]
        # The sum has the same height everywhere, however many waves are seen there; it falls to 0 where there are none.
        height /= np.sqrt(0.5 * (height**2).sum(0)) + 0.25 * WHOLE**0.8
        lift = air.scale * LIFT * power * near**0.6
        steep = lift * np.sqrt(0.5 * ((height * 2 * math.pi / projected) ** 2).sum(0))
        lift = lift / np.sqrt(1 + (steep / (STEEP * (1 - 0.5 * sea))) ** 2)
        # The slope is that of the shorter waves.
        slope = height / np.clip(projected, GONE, None) ** 0.4
        slope /= np.sqrt(0.5 * (slope**2).sum(0)) + 0.25
        self._height, self._slope = height.astype(np.float32), slope.astype(np.float32)
        self._lift = (lift[:, None] * weight).astype(np.float32)
        surge = sea * air.scale * SURGE * power * near
        self._surge = (surge[:, None] * weight).astype(np.float32)
        glint = np.clip((luma[self._window] - 150) / 80, 0, 1) * (0.6 + 0.4 * sea)
        share = shine * (1 - 0.4 * sea) * np.clip(SHINE / np.maximum(luma[self._window] - 16, 1), DARKEST, BRIGHTEST)
        self._shine = (share * power**0.5 * weight * (1 + 1.2 * glint)).astype(np.float32)
        self._still = self._waves(0)

    def add(self, n: int, out: FieldSum) -> None:
        amplitude = float(self._air.swing[n])
        if n == 0 or amplitude == 0:
            return
        initial = np.float32(initial_share(n))
        dy, dx, shine = (now - initial * then for now, then in zip(self._waves(n), self._still, strict=True))
        out.dy[self._window] += amplitude * dy
        out.dx[self._window] += amplitude * dx
        out.gain[self._window] *= np.clip(1 + amplitude * shine, DIMMEST, 1 / DIMMEST)

    @property
    def _window(self) -> tuple[slice, slice]:
        return slice(self._top, self._bottom), slice(self._left, self._right)

    def _waves(self, n: int) -> tuple[F32, F32, F32]:
        time = n / FPS
        waves = self._spectrum
        phase = (waves.phase + waves.omega * time) % (2 * math.pi)
        dy, dx, shine = (np.zeros_like(self._lift) for _ in range(3))
        turn = 1 / (2 * math.pi)
        across = ((turn * waves.kx)[:, None] * self._per_column).astype(np.float32)  # turns per pixel, (WAVES, rows)
        start = ((turn * waves.kz)[:, None] * self._z + (turn * phase)[:, None]) % 1.0
        ways = _Ways(across, start.astype(np.float32), self._height, self._slope, self._tilt)
        _add_waves(dy, dx, shine, self._columns, ways)
        rough = 1 + (0.55 + 0.3 * abs(float(self._air.wind[n]))) * _roughness(
            self._columns, self._per_column, self._z, time
        )
        higher = 0.5 + 0.5 * rough  # seen as light and shade first; more displacement would smear
        in_out, aside = _surge(self._columns / np.float32(self._air.width), self._near, time)
        return (
            dy * self._lift * higher + in_out * self._surge,
            dx * self._lift * higher + aside * self._surge,
            (shine + GLINT * (shine * shine - 0.5)) * self._shine * rough,
        )


def _roughness(columns: F32, per_column: F32, z: F32, time: float) -> F32:
    """Patches of rougher and smoother water that wander, float32 (rows, columns), -1..1. columns: float32 (columns,),
    pixels from the middle; per_column, z: float32 (rows,), camera heights per pixel and away; time: seconds.

    Two patterns have their size on the water, the third in the picture, or far crests would be as wide as it."""
    x = columns[None, :] * per_column[:, None]
    far = np.log2(z)[:, None]
    across = columns[None, :] / (2 * abs(float(columns[0])) + 8)
    patches = np.sin(0.31 * x + 2.1 * far + 0.5 * time)
    patches += np.sin(0.83 * x - 1.3 * far - 0.8 * time)
    patches += 1.6 * np.sin(27 * across + 5.3 * far + 0.37 * time) * np.sin(10 * across - 3.1 * far - 0.45 * time)
    return (patches / 3.6).astype(np.float32)


def _surge(across: F32, near: F32, time: float) -> tuple[F32, F32]:
    """Swell longer than the picture, which moves all foam in and out and aside, each place a little later: two float32
    (rows, columns), -1..1. across: float32 (columns,), picture widths; near: float32 (rows,), 0 far .. 1 near."""
    x, z = across[None, :], near[:, None]
    first = 2 * math.pi * (time / 4.7 + 0.35 * x + 0.9 * z)
    second = 2 * math.pi * (time / 3.1 - 0.55 * x + 1.3 * z)
    in_out = 0.65 * np.sin(first) + 0.35 * np.sin(second)
    return in_out.astype(np.float32), (0.6 * np.cos(first) - 0.25 * np.sin(second)).astype(np.float32)


def find_vanishing_row(horizon: float, waterline: float, height: int) -> float:
    """The row, pixels, where the water plane vanishes: the horizon if it is near the waterline, else a little above
    that."""
    return waterline - min(max(waterline - horizon, 0.01 * height), 0.06 * height)


class _Ways(NamedTuple):
    """The waves as the rows of the window see them, all float32 (WAVES, rows) but `tilt` (WAVES,)."""

    across: F32  # turns per pixel
    start: F32  # turns
    height: F32
    slope: F32
    tilt: F32  # share of the height that is sideways


@fast_kernel
def _add_waves(dy: F32, dx: F32, shine: F32, columns: F32, ways: _Ways) -> None:
    """Add up the waves in dy (height), dx (height, along the wave's direction) and shine (slope toward the viewer), all
    float32 (rows, columns). columns: float32 (columns,), pixels."""
    across, start, height, slope, tilt = ways
    for row in range(dy.shape[0]):
        for w in range(across.shape[0]):
            high, light = height[w, row], slope[w, row]
            if high < np.float32(0.01):
                continue
            turns, begin, lean = across[w, row], start[w, row], high * tilt[w]
            for column in range(dy.shape[1]):
                at = turns * columns[column] + begin
                s = sine(at)
                dy[row, column] += high * s
                dx[row, column] += lean * s
                shine[row, column] += light * sine(at + np.float32(0.25))
