"""How one bird of a flock flies: its own pace, a wandering height, and wings that beat in bursts: from far off a
silhouette that grows flat and high again."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

_BEAT: Final = 0.36  # of its height
_PACES: Final = (2.4, 4.0)  # beats per second, of small and of large birds the other way round


class Flight:
    """One bird, made once per clip; `at` is pure."""

    def __init__(self, seed: int, index: int, area: float, frames: int, short: int) -> None:
        """area: of its silhouette, pixels; short: the short side of the canvas, pixels. A larger bird is nearer, so it
        passes faster."""
        chance = rng(seed, f"flight.{index}")
        t = np.arange(frames) / FPS
        set_off = smootherstep(t / 0.8)
        span = np.sqrt(max(area, 4.0)) / short
        self._pace = float(np.clip(0.75 + 9.0 * span, 0.8, 1.7) * chance.uniform(0.88, 1.12))
        pace = chance.uniform(*_PACES)
        burst = np.clip(1.6 * np.sin(2 * np.pi * chance.uniform(0.25, 0.5) * t + chance.uniform(0, 6.28)) + 0.9, 0, 1)
        phase = 2 * np.pi * (pace * t + chance.uniform(0, 1))
        beat = np.sin(phase) - np.sin(phase[0])
        self._flap: F32 = np.clip(1 + _BEAT * set_off * burst * beat, 0.45, 1.5).astype(np.float32)
        slow = chance.uniform(0.15, 0.35)
        wander = np.sin(2 * np.pi * slow * t + (start := chance.uniform(0, 6.28))) - np.sin(start)
        self._up: F32 = (0.012 * short * set_off * wander - 0.06 * set_off * span * short * beat * burst).astype(
            np.float32
        )
        self._tilt: F32 = (np.radians(5) * set_off * wander).astype(np.float32)

    def at(self, n: int) -> tuple[float, float, float, float]:
        """(pace, against that of the flock; pixels lower; height of its silhouette, a factor; tilt, radians)."""
        return self._pace, float(self._up[n]), float(self._flap[n]), float(self._tilt[n])
