"""What a head does where nothing else moves it: it circles a little, as heads of people do who listen or think.

Turns, tilts, nods, looks and leaning are curves of their own, each with moments of rest, and at times one takes back
what another does. Where that happens a head stood still for half a second and more. Knows nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.timing.head_limit import LIMIT, hold_within
from vivant.media import F64
from vivant.request import FPS

SEEN: Final = 0.75  # px per frame at 640 px on the long side
SIDE: Final = 640
# The two points of a head of which one moves whenever the head does: face heights by which each goes to the right for a
# radian of yaw and of roll, down for a radian of pitch, and aside for all of a lean.
NOSE: Final[Mapping[str, float]] = {"yaw": 0.8, "pitch": 0.76, "roll": 0.8, "lean": 0.07}
CROWN: Final[Mapping[str, float]] = {"yaw": 0.3, "pitch": 0.3, "roll": 1.6, "lean": 0.07}
LEAST, MOST = 2.5, 12.0  # degrees of yaw per second
RATE: Final = 0.52  # Hz
SMOOTH: Final = 0.22  # s, over which a speed is measured and the circling comes and goes
MOMENT: Final = 0.12  # s; rest that lasts no longer is not seen
BEGINS: Final = 0.4  # s after the first frame
BEGINNINGS: Final = 16  # of a circle that are tried, each way round
PASSES: Final = 3  # after the first one little rest is left


def fill_lulls(
    head: Mapping[str, F64], seed: int, index: int, height: float, *, where: F64 | None = None
) -> dict[str, F64]:
    """The yaw, pitch and roll of face `index`, degrees, and its lean, -1..1, all float64 (frames,), with small circles
    of yaw and roll where they rest together; the turns are within LIMIT then. height: of the face, as a share of the
    picture's. where: float64 (frames,), 0..1, how much they may circle; None for everywhere. 0 stays 0 at frame 0."""
    frames = len(head["yaw"])
    chance = rng(seed, f"lulls/{index}")
    share = smoothstep(np.arange(frames) / FPS / BEGINS) * (1.0 if where is None else where)
    filled = hold_within(head)
    for _ in range(PASSES):
        filled = _circle(filled, float(chance.uniform(0, 2 * np.pi)), max(height, 0.01), share)
    return filled


def find_inside(told: F64) -> F64:
    """float64 (frames,), 0..1: 1 within the times in which `told`, float64 (frames,), is not 0, eased to 0 at their
    ends."""
    return np.clip(2 * _smooth(np.asarray(told != 0, np.float64)) - 1, 0, 1)


def _circle(head: Mapping[str, F64], start: float, height: float, share: F64) -> dict[str, F64]:
    """head with circles where it rests, as far as `share`, float64 (frames,), allows. One that begins anywhere may take
    back what is left of another motion, so of those that begin at `start` (rad) and evenly around from there the one is
    taken that leaves the least rest."""
    time = np.arange(len(head["yaw"])) / FPS
    per_radian = NOSE["yaw"] * height * SIDE  # px
    fastest = float(np.clip(np.rad2deg(SEEN * FPS / per_radian), LEAST, MOST))
    wanted = np.deg2rad(fastest) * per_radian / FPS
    lull = _smooth(np.clip(1.3 - _smooth(measure_head_speed(head, height)) / wanted, 0, 1)) * share
    yaw = fastest / (2 * np.pi * RATE) * lull
    roll = NOSE["yaw"] / CROWN["roll"] * yaw
    base = hold_within(head, LIMIT - np.hypot(yaw, roll))  # the most that both together add
    best, most = base, -np.inf
    for way in (-1, 1):
        for begin in np.arange(BEGINNINGS) * (2 * np.pi / BEGINNINGS) + start:
            turn = way * 2 * np.pi * RATE * time + begin
            # Yaw and roll a quarter of a turn apart: together they are never at rest.
            tried = {**base, "yaw": base["yaw"] + yaw * np.cos(turn), "roll": base["roll"] + roll * np.sin(turn)}
            slowest = float(_smooth(measure_head_speed(tried, height), MOMENT).min())
            if slowest > most:
                best, most = tried, slowest
    return best


def measure_head_speed(head: Mapping[str, F64], height: float) -> F64:
    """float64 (frames,): pixels per frame, where the long side has SIDE, by which the point of a head that moves most
    goes on. head: its yaw, pitch and roll, degrees, and lean, -1..1, each float64 (frames,). height: see above."""
    unit = height * SIDE
    yaw, pitch, roll = (np.gradient(np.deg2rad(head[name])) for name in ("yaw", "pitch", "roll"))
    lean = np.gradient(head["lean"])
    speeds = [
        unit * np.hypot(by["yaw"] * yaw + by["roll"] * roll + by["lean"] * lean, by["pitch"] * pitch)
        for by in (NOSE, CROWN)
    ]
    fastest: F64 = np.maximum(*speeds)
    return fastest


def _smooth(values: F64, over: float = SMOOTH) -> F64:
    reach = round(3 * over * FPS)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (over * FPS)) ** 2)
    smooth: F64 = np.convolve(np.pad(values, reach, mode="edge"), bell / bell.sum(), mode="valid")
    return smooth
