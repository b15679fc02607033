"""Plants in the wind: gusts travel across the picture; plants lean and swing back, and their roots stay in place.

Each of a few frequencies has a phase that varies from place to place (after Chuang et al., 2005, and Li et al., 2023):
with one phase all would wave like a flag, with random ones the picture would wobble.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.kernels import fast_kernel, sine
from vivant.engines.diorama.motion.ambient import falloff
from vivant.engines.diorama.motion.ambient.air import Air, initial_share
from vivant.engines.diorama.motion.fields import STEP, FieldSum
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

CROSSING: Final = 1.6  # seconds that a gust needs from one side of the picture to the other
LEAN: Final = 9.0  # px at 720p where the wind is 1, at strength 0.5, well above the root
# (Hz, px at 720p, size of what swings together in px at 720p): crown, boughs, twigs, leaves.
SWINGS: Final = ((0.43, 3.4, 240.0), (0.83, 2.2, 130.0), (1.57, 1.1, 60.0), (2.9, 0.55, 26.0))
GLINT: Final = 0.035  # share by which turning leaves get brighter and darker


class _Plants(NamedTuple):
    """How each sample sways, float32 on a window of the quarter grid, (rows, columns)."""

    lean: F32  # canvas pixels at wind 1
    size: F32  # (swings, rows, columns): canvas pixels of each of SWINGS
    phase: F32  # (swings, rows, columns): turns
    glint: F32  # share of brightness


class Sway:
    """Adds the displacement of plants. weight: float32 on the quarter grid, 0..1. firm: the same, 1 where a body moves
    as a whole (a blossom on its stem), with only the slow, wide swings. strength: 0..1. glint: 0..1, of GLINT."""

    def __init__(self, air: Air, weight: F32, firm: F32, strength: float, glint: float) -> None:
        chance = rng(air.seed, "sway")
        self._air = air
        width = weight.shape[1]
        top, bottom, left, right = falloff.find_bounds(weight)
        self._window = box = slice(top, bottom), slice(left, right)
        lever = self._levers(weight)
        reach = air.scale * (0.5 + 2.0 * strength)
        lean = (LEAN * reach * lever * weight)[box].astype(np.float32)
        sizes, phases, rates = [], [], []
        for hertz, px, size in SWINGS:
            noise = filters.blur(chance.normal(size=weight.shape), size * air.scale / STEP / 2.5)
            spread = 0.55 * noise / (noise.std() + 1e-9)  # turns
            calm = 1 - firm * min(1.0, max(0.0, (hertz - 0.3) / 1.0))
            sizes.append((px * reach * lever * weight * calm)[box].astype(np.float32))
            phases.append((spread * (1 - firm) + chance.random())[box].astype(np.float32))
            rates.append(hertz * float(chance.uniform(0.9, 1.1)))
        self._rates = rates
        across = np.arange(width, dtype=np.float32) / max(1, width - 1)
        self._late = (CROSSING * FPS * (across if air.side > 0 else 1 - across))[left:right].astype(np.float32)
        glints = (glint * GLINT * (0.4 + strength) * weight * (1 - firm))[box].astype(np.float32)
        self._plants = _Plants(lean, np.stack(sizes), np.stack(phases), glints)
        self._still = self._blown(0)

    @staticmethod
    def _levers(weight: F32) -> F32:
        """float32 on the quarter grid, 0.12..1: the height above the lowest part of the same plant, relative to its
        size."""
        _, labels = cv2.connectedComponents((weight > 0.05).astype(np.uint8))
        lever = np.zeros_like(weight)
        for label in range(1, int(labels.max()) + 1):
            here = labels == label
            rows = np.flatnonzero(here.any(axis=1))
            up = (rows[-1] - np.arange(weight.shape[0])) / max(6, rows[-1] - rows[0])
            lever[here] = np.broadcast_to(np.clip(0.12 + np.maximum(up, 0) ** 1.2, 0.12, 1)[:, None], weight.shape)[
                here
            ]
        return filters.blur(lever, 2.0)

    def add(self, n: int, out: FieldSum) -> None:
        amplitude = np.float32(self._air.amplitude[n])
        if n == 0 or amplitude == 0:
            return
        initial = np.float32(initial_share(n))
        dx, dy, gain = (now - initial * then for now, then in zip(self._blown(n), self._still, strict=True))
        out.dx[self._window] += amplitude * dx
        out.dy[self._window] += amplitude * dy
        out.gain[self._window] *= 1 + amplitude * gain

    def _blown(self, n: int) -> tuple[F32, F32, F32]:
        wind = np.abs(self._air.wind)
        at = np.clip(n - self._late, 0, len(wind) - 1)
        arriving = np.interp(at, np.arange(len(wind)), wind).astype(np.float32)
        turns = np.array([(rate * n / FPS) % 1.0 for rate in self._rates], np.float32)
        dx, dy, gain = (np.zeros_like(self._plants.lean) for _ in range(3))
        _swing(dx, dy, gain, self._plants, turns, arriving, np.float32(self._air.side))
        return dx, dy, gain


@fast_kernel
def _swing(dx: F32, dy: F32, gain: F32, plants: _Plants, turns: F32, wind: F32, side: Any) -> None:
    """Fill in displacement (canvas pixels) and gain - 1. turns: (swings,) phase of each now; wind: (columns,) 0..1.

    The renderer reads the picture at x + dx, so what leans to the right has a negative dx."""
    lean, size, phase, glint = plants
    last = turns.shape[0] - 1
    for row in range(dx.shape[0]):
        for column in range(dx.shape[1]):
            dx[row, column] = lean[row, column] * wind[column]
        for k in range(turns.shape[0]):
            turn = turns[k]
            for column in range(dx.shape[1]):
                s = sine(turn + phase[k, row, column])
                dx[row, column] += size[k, row, column] * (np.float32(0.45) + wind[column]) * s
        for column in range(dx.shape[1]):
            moved = dx[row, column]
            flutter = sine(turns[last] + phase[last, row, column])
            dx[row, column] = -side * moved
            # The top of a stem that leans is lower.
            dy[row, column] = -np.float32(0.22) * abs(moved) - np.float32(0.12) * moved
            gain[row, column] = glint[row, column] * flutter * (np.float32(0.3) + wind[column])
