"""What goes on in a sky between two strokes of lightning: far flashes glow inside the clouds, each for part of a second
and behind its own piece of them. A storm that only strikes would stand still for seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.smoke import cloudy_noise
from vivant.engines.diorama.motion.fields import FieldSum
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.timing.timeline import Event
from vivant.media import F32, F64
from vivant.request import FPS

BRIGHTER: Final = 1.0  # share of its light that the cloud before a far flash gains at strength 1
EVERY: Final = 0.6  # seconds between two of them, which vary by a half
RISES: Final = 0.12  # seconds in which one is full: longer than a stroke, for it is seen through cloud
FADES: Final = (0.4, 0.8)  # seconds in which it is gone
FLICKERS: Final = (0.3, 7.0)  # share of its light that flickers, and how often in a second
REACH: Final = (0.10, 0.2)  # widths: how far its light reaches, standard deviation
OUTSHINES: Final = 7.0  # frames in which a near stroke is all that is seen; before and after them it fades
ROOM: Final = (185.0, 80.0)  # luma from which nothing can glow more, and by how much darker it can fully


class StormSky:
    """One per clip; adds brightness. Implements compose.Displacement."""

    def __init__(self, air: Air, sky: F32, luma: F32, strength: float, strikes: Sequence[Event]) -> None:
        """sky: float32 on the quarter grid, 0..1. luma: float32 on it, 16..235. strength: 0..1. strikes: near ones,
        which outshine what is far."""
        self._air = air
        rows, columns = sky.shape
        chance = rng(air.seed, "lightning/far")
        room = np.clip((ROOM[0] - luma) / ROOM[1], 0, 1)
        lit = BRIGHTER * (0.5 + 0.5 * strength) * sky * room
        # Edges of the pieces of cloud that one flash lights.
        side = max(rows, columns)
        noise: Any = cv2.resize(cloudy_noise(chance), (side, side), interpolation=cv2.INTER_CUBIC)
        billows = noise[:rows, :columns]
        self._share = (lit * (0.35 + 0.65 * smoothstep((billows - 0.3) / 0.3))).astype(np.float32)
        open_ = np.argwhere(sky > 0.5)
        self._flashes: list[tuple[F64, F32]] = []
        seconds, at = air.frames / FPS, chance.uniform(0.1, 0.3)
        outshone = np.ones(air.frames)
        for strike in strikes:
            after = np.arange(air.frames) - float(strike.time) * FPS
            outshone *= smoothstep((np.abs(after - OUTSHINES / 2) - OUTSHINES / 2) / OUTSHINES)
        x, y = np.arange(columns)[None, :], np.arange(rows)[:, None]
        while len(open_) and at < seconds:
            row, column = open_[int(chance.integers(len(open_)))]
            reach = columns * chance.uniform(*REACH)
            # Clouds are wider than high.
            near = np.exp(-0.5 * (((x - column) / reach) ** 2 + ((y - row) / (0.6 * reach)) ** 2))
            curve = chance.uniform(0.6, 1.0) * _curve(chance, air.frames, at) * outshone
            self._flashes.append((curve, (near * self._share).astype(np.float32)))
            at += EVERY * chance.uniform(0.5, 1.5)

    def add(self, n: int, out: FieldSum) -> None:
        amplitude = float(self._air.amplitude[n])
        for curve, glow in self._flashes:
            much = amplitude * float(curve[n])
            if n and much > 0:
                out.gain[:] *= 1 + np.float32(much) * glow


def _curve(chance: np.random.Generator, frames: int, at: float) -> F64:
    """How bright a far flash is that begins `at` seconds: float64 (frames,), 0..1."""
    since = np.arange(frames) / FPS - at
    gone = chance.uniform(*FADES)
    shape = smoothstep(since / RISES) * (1 - smoothstep((since - RISES) / gone))
    much, often = FLICKERS
    return np.asarray(shape * (1 - much * (0.5 - 0.5 * np.cos(2 * np.pi * often * np.maximum(0, since)))), np.float64)
