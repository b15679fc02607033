"""Footsteps: the heel strikes, the sole rolls, the toe pushes off, on pavement or on gravel."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from scipy import signal

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import space
from vivant.engines.diorama.sound.effects import follow, grains, noise
from vivant.engines.diorama.timing.timeline import Event, Timeline
from vivant.media import F32, SAMPLE_RATE

Surface = Literal["hard", "gravel"]
_LASTING: Final = 0.55  # s, of one step


def make_step(event: Event, timeline: Timeline) -> tuple[F32, int]:
    """One step whose heel strikes exactly at the event: (samples (2, m), 0)."""
    chance = rng(timeline.seed, f"step/{event.id}")
    number = sum(other.time < event.time for other in follow.events(timeline, "step"))
    return space.place(_foot(_surface_of(timeline), event.strength, number % 2, chance), event.x, event.depth), 0


def _surface_of(timeline: Timeline) -> Surface:
    """What one walks on: pavement where there is traffic or a crowd, else a gravel path."""
    return "hard" if {"traffic", "crowd"} & {bed.kind for bed in timeline.beds} else "gravel"


def _foot(surface: Surface, strength: float, side: int, chance: np.random.Generator) -> F32:
    """One step, float32 (n,): the heel strikes at sample 0. side: 0 left, 1 right foot."""
    n = int(_LASTING * SAMPLE_RATE)
    weight = (0.5 + 0.8 * strength) * np.exp(0.12 * chance.standard_normal())
    roll = chance.uniform(0.13, 0.17)  # s from heel to ball of the foot
    make, gain = _SURFACES[surface]
    sound = make(n, roll, side, chance)
    # Soft clipping of the hardest instant: floors yield, and the rest of the step is heard better.
    most = 0.45 * float(np.abs(sound).max())
    # Band-pass from 35 Hz to 8 kHz: soles are softer than the impulses used here.
    rounded = signal.sosfilt(
        signal.butter(1, (35, 8000), "bandpass", fs=SAMPLE_RATE, output="sos"), np.tanh(sound / most)
    )
    return np.asarray(most * rounded * (weight * gain), np.float32)


def _modes(sides: F32, at: float, hz: list[float], fall: list[float], loud: float, chance: np.random.Generator) -> None:
    """Adds the modes of a struck body: damped sines that start together. fall: seconds to 1/e."""
    pitch = np.array(hz) * np.exp(0.04 * chance.standard_normal(len(hz)))
    amplitude = loud * np.exp(0.3 * chance.standard_normal(len(hz))) / np.sqrt(np.arange(1, len(hz) + 1))
    grains.add_damped_sines(
        sides, np.full(len(hz), at), pitch, 1 / np.array(fall), np.zeros(len(hz)), amplitude, amplitude
    )


def _knock(sides: F32, at: float, hz: tuple[float, float], ms: float, loud: float, chance: np.random.Generator) -> None:
    bank = grains.make_ticks(chance, 1, hz, (ms * 0.9, ms * 1.1), tone=0.2)
    grains.add_grains(sides, bank, np.array([at]), np.zeros(1), np.array([loud]), np.array([loud]))


def _hard(n: int, roll: float, side: int, chance: np.random.Generator) -> F32:
    """Leather on stone: a dry clack of 30 ms around 400 Hz, then grit and the softer toe. float32 (n,)."""
    sides = np.zeros((2, n), np.float32)
    pitch = (1.0, 1.05)[side]
    _knock(sides, 0, (1400 * pitch, 2400 * pitch), 1.8, 1.2, chance)
    hz = [215 * pitch, 290 * pitch, 405 * pitch, 560 * pitch, 830 * pitch, 1250]
    _modes(sides, 0, hz, [0.010, 0.010, 0.009, 0.007, 0.005, 0.003], 0.55, chance)
    _modes(sides, 0, [84], [0.020], 0.06, chance)
    toe = roll * SAMPLE_RATE
    _knock(sides, toe, (700, 1500), 3.5, 0.40, chance)
    _modes(sides, toe, [250, 380, 610], [0.009, 0.008, 0.005], 0.10, chance)
    _scuff(sides, 0.02, roll, 0.020, ((400, -18), (1500, -4), (4000, 0), (9000, -10)), chance)
    _grit(sides, roll, 90, 0.05, chance)
    return np.asarray(sides[0], np.float32)


def _gravel(n: int, roll: float, side: int, chance: np.random.Generator) -> F32:
    """Grinding stones: hundreds of impacts of 1 to 6 kHz, whose rate follows the force of the foot. float32 (n,)."""
    sides = np.zeros((2, n), np.float32)
    t = np.arange(n, dtype=np.float32) / SAMPLE_RATE
    toe = roll + 0.06
    late = 0.12 * np.exp(-0.5 * ((t - 0.36) / 0.05) ** 2)
    force = np.exp(-t / 0.035) + 0.55 * np.exp(-0.5 * ((t - toe) / 0.050) ** 2) + late
    at = np.concatenate([[0.0], grains.draw_poisson_times(chance, (1500 * force**1.1).astype(np.float32), n)])
    loud = 0.16 * np.exp(0.9 * chance.standard_normal(len(at))) * force[at.astype(int)] ** 0.4
    loud[0] = 0.55
    bank = grains.make_ticks(chance, 40, (1000, 5200), (0.3, 2.6), tone=0.45)
    grains.add_grains(sides, bank, at, chance.integers(0, 40, len(at)), loud, loud)
    stones = signal.sosfilt(signal.butter(2, 750, "highpass", fs=SAMPLE_RATE, output="sos"), sides[0])
    sides[0] = 0
    _modes(sides, 0, [95, 170, 310], [0.02, 0.015, 0.010], 0.05, chance)
    return np.asarray(stones + sides[0], np.float32)


def _grit(sides: F32, roll: float, count: float, loud: float, chance: np.random.Generator) -> None:
    """Adds a few grains of sand that are crushed between heel and toe."""
    at = chance.uniform(0.01, roll + 0.12, chance.poisson(0.2 * count)) * SAMPLE_RATE
    bank = grains.make_ticks(chance, 16, (1500, 6000), (0.2, 1.0), tone=0.4)
    strength = loud * np.exp(0.8 * chance.standard_normal(len(at)))
    grains.add_grains(sides, bank, at, chance.integers(0, 16, len(at)), strength, strength)


def _scuff(
    sides: F32, start: float, end: float, loud: float, colour: noise.Colour, chance: np.random.Generator
) -> None:
    """Adds the sole dragging a little between heel and toe. start, end: s."""
    first, n = int(start * SAMPLE_RATE), int((end - start) * SAMPLE_RATE)
    shape = np.sin(np.pi * np.linspace(0, 1, n)) ** 2 * np.exp(0.4 * noise.make_turbulence(n, chance, 18.0, 2))
    sides[:, first : first + n] += (noise.make_mono(n, chance, colour) * shape * loud).astype(np.float32)


_SURFACES: Final = {  # its function, and the gain that makes all equally loud
    "hard": (_hard, 0.6),
    "gravel": (_gravel, 1.7),
}
