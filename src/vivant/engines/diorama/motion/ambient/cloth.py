"""Cloth in the wind: waves run from where it is held to its free edge and grow on the way, and light runs over their
slopes. The gusts are those of the clip's wind and travel across the picture as they do over plants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient.air import Air, initial_share
from vivant.engines.diorama.motion.ambient.falloff import find_bounds
from vivant.engines.diorama.motion.ambient.sway import CROSSING
from vivant.engines.diorama.motion.fields import STEP, Field, FieldSum, quarter_shape
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.scene.hang import Hang
from vivant.engines.diorama.storyboard import MotionKind
from vivant.engines.diorama.timing.wind import make_wind, mean_wind
from vivant.media import F32, F64
from vivant.request import FPS

# What is to be seen: pixels per frame at 640 px on the long side, in the fifth of the cloth that moves most, in the
# wind that a strength of 1 brings.
SPEED: Final = 2.9
STRETCH: Final = 0.55  # pixels by which neighbouring pixels may part or close up, for each pixel between them
_HASTE: Final = (0.75, 0.6)  # of all frequencies: in no wind, and what a strength of 1 adds
_LEAST: Final = 0.35  # of the waves, between gusts


@dataclass(frozen=True, slots=True)
class _Weave:
    """How a kind of cloth moves. waves: (cycles along it, cycles across it, Hz, share) of each; their frequencies have
    no common measure, so that nothing repeats. along: of its displacement along it, against that across it. swing: of
    its length, how far gusts swing it as a whole. shade: share of light by which slopes differ. farthest: lengths."""

    waves: tuple[tuple[float, float, float, float], ...]
    along: float
    swing: float
    shade: float
    farthest: float


_WEAVES: Final[dict[MotionKind, _Weave]] = {
    "flag": _Weave(
        ((0.95, 0.16, 1.15, 1.0), (1.75, -0.35, 1.93, 0.5), (3.1, 0.6, 3.21, 0.16)), 0.22, 0.05, 0.20, 0.15
    ),
    "sail": _Weave(((0.6, 0.35, 0.93, 1.0), (1.1, 0.7, 1.67, 0.5), (1.9, 1.2, 2.9, 0.15)), 0.3, 0.02, 0.12, 0.085),
    "curtain": _Weave(
        ((0.55, 0.7, 0.47, 1.0), (0.95, -1.1, 0.81, 0.6), (1.6, 2.2, 1.39, 0.22)), 0.12, 0.03, 0.10, 0.08
    ),
    "clothes": _Weave(
        ((1.1, 0.7, 0.86, 1.0), (1.9, -1.2, 1.49, 0.6), (3.3, 2.1, 2.41, 0.25)), 0.25, 0.025, 0.10, 0.1
    ),
}  # fmt: skip


def measure_reach(kind: MotionKind, length: float) -> float:
    """Pixels by which cloth of that length, pixels, moves at most."""
    return 1.6 * _WEAVES[kind].farthest * length + 2


class BlownCloth:
    """Adds the displacement and light of one cloth. weight: float32 on the quarter grid, 0..1, what moves, more
    than the cloth; inside: the same, the cloth itself, which alone is lit; strength: 0..1."""

    def __init__(self, air: Air, hang: Hang, weight: F32, inside: F32, kind: MotionKind, strength: float) -> None:
        self._air = air
        weave = self._weave = _WEAVES[kind]
        chance = rng(air.seed, f"cloth/{kind}")
        top, bottom, left, right = find_bounds(weight)
        self._window = box = slice(top, bottom), slice(left, right)
        self._u, self._v = (np.ascontiguousarray(values[box]) for values in (hang.u, hang.v))
        self._lever = np.ascontiguousarray((hang.lever * weight)[box], np.float32)
        self._light = np.clip(2 * inside[box] - 0.5, 0, 1).astype(np.float32) if kind == "clothes" else np.float32(1)
        self._inside = np.ascontiguousarray(inside[box], np.float32)
        self._along = hang.along_x, hang.along_y
        self._length = hang.length
        haste = _HASTE[0] + _HASTE[1] * strength
        # Wind that passes, at each column of the window: it comes to the windward side first.
        wind = make_wind(air.seed, air.frames, 1.0).astype(np.float64) / mean_wind(1.0)
        self._wind: F64 = wind
        columns = quarter_shape(air.height, air.width)[1]
        across = (np.arange(columns)[box[1]] / max(columns - 1, 1) - 0.5) * air.side
        self._since = (CROSSING * FPS * across / (0.6 + 0.8 * strength)).astype(np.float64)
        middle = float(self._since.mean())
        felt = np.interp(np.arange(air.frames) - middle, np.arange(air.frames), wind)
        # Waves run faster in a gust; and no two are of the same length, or cloth would look driven by a machine.
        pace = haste * (0.65 + 0.35 * np.clip(felt, 0.3, 1.8))
        self._clock = np.concatenate([[0.0], np.cumsum(pace[:-1])]) / FPS
        self._phases = np.array([self._wander(chance) for _ in weave.waves])
        self._bends = [self._bend(chance, hang.u.shape, box) for _ in weave.waves]
        self._swing = filters.blur(felt[None] - felt.mean(), 7.0)[0].astype(np.float64)
        self._shade = np.float32(weave.shade * (0.45 + 0.9 * strength))
        self._scale = np.float32(1.0)
        self._reach_speed(SPEED * strength**0.96 * max(air.width, air.height) / 640)
        self._still = self._blown(0)

    def _wander(self, chance: np.random.Generator) -> F64:
        """float64 (frames,): a phase that drifts, cycles."""
        noise = filters.blur(chance.standard_normal((1, self._air.frames + 2 * FPS)), 0.5 * FPS)[0]
        drift = noise[FPS : FPS + self._air.frames] / (noise.std() + 1e-6)
        return np.asarray(chance.random() + 0.12 * drift, np.float64)

    def _bend(self, chance: np.random.Generator, shape: tuple[int, ...], box: tuple[slice, slice]) -> F32:
        """Cycles by which crests are bent."""
        sigma = max(2.0, 0.3 * self._length / STEP)
        noise = filters.blur(chance.standard_normal(shape), sigma)
        return np.ascontiguousarray((0.16 * noise / (noise.std() + 1e-6))[box], np.float32)

    def _reach_speed(self, speed: float) -> None:
        """Scale the waves to `speed`, canvas pixels per frame, in the fifth that moves most, as far as nothing is torn
        or folded by that."""
        frames = self._air.frames
        counts = (self._lever > 0.15 * float(self._lever.max())) & (self._inside > 0.5)
        counts = counts if counts.any() else self._lever > 0
        fast, farthest, stretched = [], 1e-6, 1e-6
        for n in np.linspace(0, max(frames - 2, 0), 10).astype(int):
            (x, y, _), (nx, ny, _) = self._blown(int(n)), self._blown(min(int(n) + 1, frames - 1))
            fast.append(float(np.percentile(np.hypot(nx - x, ny - y)[counts], 80)))
            farthest = max(farthest, float(np.percentile(np.hypot(x, y)[counts], 98)))
            if min(x.shape) > 1:
                for part, axis in ((x, 1), (y, 0)):  # what is sheared is not folded
                    stretched = max(stretched, float(np.percentile(np.abs(np.gradient(part, STEP, axis=axis)), 99.5)))
        wanted = speed / max(float(np.mean(fast)), 1e-6)
        most = self._weave.farthest * self._length / farthest
        self._scale = np.float32(min(wanted, most, STRETCH / stretched))

    def add(self, n: int, out: FieldSum) -> None:
        """For cloth that is moved with the picture."""
        moved = self._moved(n)
        if moved is None:
            return
        dx, dy, gain = moved
        out.dx[self._window] -= dx
        out.dy[self._window] -= dy
        out.gain[self._window] *= 1 + gain

    def field(self, n: int) -> Field | None:
        """For cloth that is drawn by itself; None where it is as in the picture."""
        total = FieldSum.zero(self._air.width, self._air.height)
        if self._moved(n) is None:
            return None
        self.add(n, total)
        return total.field()

    def _moved(self, n: int) -> tuple[F32, F32, F32] | None:
        amplitude = np.float32(self._air.swing[n])
        if n == 0 or amplitude == 0:
            return None
        initial = np.float32(initial_share(n))
        dx, dy, gain = (
            amplitude * (now - initial * then) for now, then in zip(self._blown(n), self._still, strict=True)
        )
        return dx, dy, gain

    def _blown(self, n: int) -> tuple[F32, F32, F32]:
        """(x, y): where the cloth has moved to, in canvas pixels; and its gain - 1."""
        air, weave = self._air, self._weave
        felt = np.interp(n - self._since, np.arange(air.frames), self._wind).astype(np.float32)[None]
        level = _LEAST + (1 - _LEAST) * np.clip(felt, 0.2, 1.7)
        lift = np.zeros_like(self._u)
        slide = np.zeros_like(self._u)
        for (along, across, hertz, share), phase, bend in zip(
            weave.waves, self._phases[:, n], self._bends, strict=True
        ):
            turn = np.float32(2 * np.pi) * (
                np.float32(along) * self._u + np.float32(across) * self._v + bend
                - np.float32((hertz * self._clock[n] + phase) % 1.0)
            )  # fmt: skip
            lift += np.float32(share) * np.sin(turn)
            slide += np.float32(share) * np.cos(turn)
        swing = self._lever * np.float32(weave.swing * self._length * float(self._swing[n]))
        size = self._scale * self._lever * level
        out = size * lift + swing
        run = np.float32(weave.along) * size * slide
        (ax, ay) = self._along
        dx = np.float32(ax) * run - np.float32(ay) * out
        dy = np.float32(ay) * run + np.float32(ax) * out
        total = np.float32(sum(share for *_, share in weave.waves))
        gain = self._shade * (slide / total) * level * smoothstep(self._lever / 0.35).astype(np.float32)
        gain = gain * self._light
        return (
            np.asarray(dx, np.float32), np.asarray(dy, np.float32), np.asarray(np.clip(gain, -0.4, 0.35), np.float32)
        )  # fmt: skip
