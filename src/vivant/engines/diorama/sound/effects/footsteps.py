"""Footsteps: a heel that strikes, a sole that rolls, a toe that pushes off, on hard floor, wood, gravel or snow."""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
from scipy import signal

from vivant.engines.diorama.random import rng
from vivant.engines.diorama.sound import space
from vivant.engines.diorama.sound.effects import follow, grains, noise
from vivant.engines.diorama.timeline import Bed, Event, Timeline
from vivant.media import F32, SAMPLE_RATE

Surface = Literal["hard", "wood", "gravel", "snow"]
_LASTING: Final = 0.55  # s


def bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n). With step events only the rustle of clothes between them; without, somebody walks by."""
    n, chance = follow.length(bed), rng(timeline.seed, "footsteps")
    sound = np.zeros((2, n), np.float32)
    steps = follow.events(timeline, "step")
    times = [follow.sample(event) - bed.start * 2000 for event in steps] or _walk(n, chance)
    cloth = noise.wide(n, chance, ((200, -30), (900, -10), (2500, 0), (6000, -4), (12000, -18)), 0.3)
    swing = np.zeros(n, np.float32)
    for at in times:
        centre = (np.arange(n, dtype=np.float32) - at - 0.26 * SAMPLE_RATE) / (0.09 * SAMPLE_RATE)
        swing += np.exp(-0.5 * centre**2)
    sound += cloth * swing * np.float32(0.004)
    if not steps:
        surface = surface_of(timeline)
        for number, at in enumerate(times):
            own = rng(timeline.seed, f"footsteps/{number}")
            foot = space.place(
                _foot(surface, bed.strength, number % 2, own), bed.x + (-0.08, 0.08)[number % 2], bed.depth
            )
            kept = min(foot.shape[1], n - at)
            sound[:, at : at + kept] += foot[:, :kept]
    return sound


def step(event: Event, timeline: Timeline) -> tuple[F32, int]:
    """One step whose heel strikes exactly at the event: (samples (2, m), 0). event.detail names the surface."""
    chance = rng(timeline.seed, f"step/{event.id}")
    surface = event.detail if event.detail in get_args(Surface) else surface_of(timeline)
    number = sum(other.time < event.time for other in follow.events(timeline, "step"))
    return space.place(_foot(surface, event.strength, number % 2, chance), event.x, event.depth), 0


def surface_of(timeline: Timeline) -> Surface:
    """What one walks on when nobody says: boards in a room, pavement in a town, else a gravel path."""
    if timeline.room >= 0.35:
        return "wood"
    if {"traffic", "crowd"} & {bed.kind for bed in timeline.beds}:
        return "hard"
    return "gravel"


def _walk(n: int, chance: np.random.Generator) -> list[int]:
    """Heel strikes of a person who walks: some 110 steps a minute, each 2 % early or late, legs not quite equal."""
    every = chance.uniform(0.50, 0.58) * SAMPLE_RATE
    limp = chance.uniform(-0.012, 0.012)
    at, times = chance.uniform(0.15, 0.5) * SAMPLE_RATE, []
    while at < n - 0.1 * SAMPLE_RATE:
        times.append(int(at))
        at += every * (1 + 0.018 * chance.standard_normal() + (limp if len(times) % 2 else -limp))
    return times


def _foot(surface: str, strength: float, side: int, chance: np.random.Generator) -> F32:
    """Mono (n,): the heel's contact is sample 0."""
    n = int(_LASTING * SAMPLE_RATE)
    weight = (0.5 + 0.8 * strength) * np.exp(0.12 * chance.standard_normal())
    roll = chance.uniform(0.13, 0.17)  # s from heel to ball of the foot
    make, gain = _SURFACES[surface]
    sound = make(n, roll, side, chance)
    # A floor gives way: the hardest instant of the blow is rounded, which also leaves more of the step to be heard.
    most = 0.45 * float(np.abs(sound).max())
    # Soles are softer than the impulses that stand for them here: nothing over some 8 kHz, nor under 35 Hz.
    rounded = signal.sosfilt(
        signal.butter(1, (35, 8000), "bandpass", fs=SAMPLE_RATE, output="sos"), np.tanh(sound / most)
    )
    return np.asarray(most * rounded * (weight * gain), np.float32)


def _modes(sides: F32, at: float, hz: list[float], fall: list[float], loud: float, chance: np.random.Generator) -> None:
    """A struck body: damped sines, all from one instant. fall: seconds to 1/e."""
    pitch = np.array(hz) * np.exp(0.04 * chance.standard_normal(len(hz)))
    amplitude = loud * np.exp(0.3 * chance.standard_normal(len(hz))) / np.sqrt(np.arange(1, len(hz) + 1))
    grains.ring(sides, np.full(len(hz), at), pitch, 1 / np.array(fall), np.zeros(len(hz)), amplitude, amplitude)


def _knock(sides: F32, at: float, hz: tuple[float, float], ms: float, loud: float, chance: np.random.Generator) -> None:
    bank = grains.ticks(chance, 1, hz, (ms * 0.9, ms * 1.1), tone=0.2)
    grains.scatter(sides, bank, np.array([at]), np.zeros(1), np.array([loud]), np.array([loud]))


def _hard(n: int, roll: float, side: int, chance: np.random.Generator) -> F32:
    """Leather on stone: a dry clack with a short body, then the sole's softer slap and a scuff between."""
    sides = np.zeros((2, n), np.float32)
    pitch = (1.0, 1.05)[side]
    _knock(sides, 0, (1500 * pitch, 2600 * pitch), 1.8, 2.2, chance)
    _modes(sides, 0, [190 * pitch, 420 * pitch, 1150 * pitch, 2100], [0.018, 0.012, 0.007, 0.004], 0.30, chance)
    _modes(sides, 0, [78], [0.025], 0.22, chance)
    toe = roll * SAMPLE_RATE
    _knock(sides, toe, (800, 1800), 3.5, 0.7, chance)
    _modes(sides, toe, [150, 360, 800], [0.016, 0.010, 0.005], 0.10, chance)
    _scuff(sides, 0.02, roll, 0.020, ((400, -18), (1500, -4), (4000, 0), (9000, -10)), chance)
    return np.asarray(sides[0], np.float32)


def _wood(n: int, roll: float, side: int, chance: np.random.Generator) -> F32:
    """Boards over a hollow: low modes that ring on, a knock above them, sometimes a creak as the weight moves."""
    sides = np.zeros((2, n), np.float32)
    pitch = (1.0, 0.93)[side] * chance.uniform(0.94, 1.06)
    _knock(sides, 0, (900, 1700), 2.2, 0.9, chance)
    _modes(
        sides, 0, [92 * pitch, 168 * pitch, 287 * pitch, 455 * pitch, 760], [0.07, 0.05, 0.03, 0.02, 0.01], 0.40, chance
    )
    toe = roll * SAMPLE_RATE
    _knock(sides, toe, (500, 1100), 3.5, 0.4, chance)
    _modes(sides, toe, [104 * pitch, 181 * pitch, 310 * pitch, 480], [0.06, 0.045, 0.028, 0.015], 0.16, chance)
    if chance.random() < 0.3:  # stick and slip of two boards: clicks at a rising rate that excite one mode
        start, hz = chance.uniform(0.06, 0.15), chance.uniform(600, 1100)
        rate = np.cumsum(1 / np.linspace(70, 150, 16)) + start
        grains.ring(
            sides, rate * SAMPLE_RATE, np.full(16, hz), np.full(16, 160.0), np.zeros(16), *[0.05 * np.hanning(16)] * 2
        )
    _scuff(sides, 0.02, roll, 0.010, ((300, -14), (1000, 0), (3000, -4), (8000, -16)), chance)
    return np.asarray(sides[0], np.float32)


def _gravel(n: int, roll: float, side: int, chance: np.random.Generator) -> F32:
    """Stones that grind: hundreds of small impacts whose rate follows the force under the foot."""
    sides = np.zeros((2, n), np.float32)
    t = np.arange(n, dtype=np.float32) / SAMPLE_RATE
    toe = roll + 0.06
    force = (
        np.exp(-t / 0.035)
        + 0.55 * np.exp(-0.5 * ((t - toe) / 0.050) ** 2)
        + 0.12 * np.exp(-0.5 * ((t - 0.36) / 0.05) ** 2)
    )
    at = np.concatenate([[0.0], grains.moments(chance, (2100 * force**1.1).astype(np.float32), n)])
    loud = 0.16 * np.exp(0.8 * chance.standard_normal(len(at))) * force[at.astype(int)] ** 0.4
    loud[0] = 0.55
    bank = grains.ticks(chance, 40, (1100, 6500), (0.25, 2.2), tone=0.45)
    grains.scatter(sides, bank, at, chance.integers(0, 40, len(at)), loud, loud)
    _modes(sides, 0, [64, 110, 190], [0.03, 0.02, 0.012], 0.30, chance)
    _modes(sides, toe * SAMPLE_RATE, [90, 160], [0.03, 0.02], 0.07, chance)
    return np.asarray(sides[0], np.float32)


def _snow(n: int, roll: float, side: int, chance: np.random.Generator) -> F32:
    """Dry snow: it gives way in hundreds of tiny breaks, some 90 a second in step, so that it creaks."""
    sides = np.zeros((2, n), np.float32)
    t = np.arange(n, dtype=np.float32) / SAMPLE_RATE
    press = np.clip(t / 0.02, 0.25, 1) * np.exp(-np.maximum(t - 0.05, 0) / 0.10) + 0.8 * np.exp(
        -0.5 * ((t - roll - 0.09) / 0.06) ** 2
    )
    rate = chance.uniform(75, 105) * (1 + 0.35 * press)
    slips = 0.5 + 0.5 * np.cos(2 * np.pi * np.cumsum(rate) / SAMPLE_RATE)
    at = np.concatenate([[0.0], grains.moments(chance, (3400 * press * slips**3).astype(np.float32), n)])
    loud = 0.10 * np.exp(0.5 * chance.standard_normal(len(at))) * press[at.astype(int)] ** 0.8
    loud[0] = 0.3
    bank = grains.ticks(chance, 40, (450, 2600), (0.5, 2.5), tone=0.55)
    grains.scatter(sides, bank, at, chance.integers(0, 40, len(at)), loud, loud)
    _modes(sides, 0, [55, 95], [0.04, 0.03], 0.22, chance)
    return np.asarray(sides[0], np.float32)


def _scuff(
    sides: F32, start: float, end: float, loud: float, colour: noise.Colour, chance: np.random.Generator
) -> None:
    """The sole dragged a little between heel and toe."""
    first, n = int(start * SAMPLE_RATE), int((end - start) * SAMPLE_RATE)
    shape = np.sin(np.pi * np.linspace(0, 1, n)) ** 2 * np.exp(0.4 * noise.turbulence(n, chance, 18.0, 2))
    sides[:, first : first + n] += (noise.coloured(n, chance, colour) * shape * loud).astype(np.float32)


_SURFACES: Final = {  # how a foot sounds on it, and the gain that makes them all as loud
    "hard": (_hard, 0.75),
    "wood": (_wood, 0.45),
    "gravel": (_gravel, 1.0),
    "snow": (_snow, 1.25),
}
