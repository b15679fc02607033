"""What a head does where nothing else moves it: it circles a little, as heads of people do who listen or think.

Turns, tilts, nods and looks are curves of their own, each with moments of rest. Where those fall together a head stood
still for half a second and more. Knows nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.random_streams import rng
from vivant.media import F64
from vivant.request import FPS

SEEN: Final = 0.75  # px per frame at 640 px on the long side
SIDE: Final = 640
ARM: Final = 0.8  # face heights by which a point of a head moves for each radian of yaw
# How far points move for a degree of it, against one of yaw: hair is far from the neck that a head tilts about.
WEIGHT: Final[Mapping[str, float]] = {"yaw": 1.0, "pitch": 0.8, "roll": 1.6}
LEAST, MOST = 2.5, 8.5  # degrees of yaw per second
RATE: Final = 0.52  # Hz
SMOOTH: Final = 0.22  # s, over which a speed is measured and the circling comes and goes
BEGINS: Final = 0.4  # s after the first frame


def fill_lulls(head: Mapping[str, F64], seed: int, index: int, height: float) -> dict[str, F64]:
    """The yaw, pitch and roll, degrees, float64 (frames,), of face `index`, with a small circle of yaw and roll where
    all three together rest. height: of the face, as a share of the picture's. 0 stays 0 at frame 0."""
    frames = len(head["yaw"])
    time = np.arange(frames) / FPS
    wanted = SEEN * FPS / (ARM * SIDE * max(height, 0.01)) * 180 / np.pi
    wanted = float(np.clip(wanted, LEAST, MOST))
    speeds = [weight * np.gradient(head[name]) * FPS for name, weight in WEIGHT.items()]
    speed = _smooth(np.sqrt(sum((one**2 for one in speeds), np.zeros(frames))))
    lull = _smooth(np.clip(1.3 - speed / wanted, 0, 1)) * smoothstep(time / BEGINS)
    chance = rng(seed, f"lulls/{index}")
    turn = 2 * np.pi * RATE * time * float(chance.choice([-1, 1])) + float(chance.uniform(0, 2 * np.pi))
    # Yaw and roll a quarter of a turn apart: together they are never at rest.
    size = wanted / (2 * np.pi * RATE)
    filled = dict(head)
    filled["yaw"] = head["yaw"] + size * lull * np.cos(turn)
    filled["roll"] = head["roll"] + size / WEIGHT["roll"] * lull * np.sin(turn)
    return filled


def _smooth(values: F64) -> F64:
    reach = round(3 * SMOOTH * FPS)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (SMOOTH * FPS)) ** 2)
    smooth: F64 = np.convolve(np.pad(values, reach, mode="edge"), bell / bell.sum(), mode="valid")
    return smooth
