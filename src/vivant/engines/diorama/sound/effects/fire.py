"""Fire: a low roar that follows the flicker of the flames, hissing jets of gas, and crackling, popping wood."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import space
from vivant.engines.diorama.sound.effects import follow, grains, noise
from vivant.engines.diorama.timing.timeline import Bed, Timeline
from vivant.media import F32, SAMPLE_RATE

_ROAR: Final = ((25, -12), (50, -3), (90, 0), (200, -4), (450, -14), (1000, -26), (3000, -40), (10000, -60))
_HISS: Final = ((300, -40), (1200, -18), (3500, -3), (6500, 0), (11000, -6), (18000, -20))


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n). The flicker curve (-1..1) drives the roar and the crackles; strength: 0 candle .. 1 bonfire."""
    n, strength = timeline.samples, bed.strength
    chance = rng(timeline.seed, "fire")
    flicker = follow.at_sample_rate(timeline.flicker)
    lick = np.exp(0.55 * flicker + 0.30 * noise.make_turbulence(n, chance, 3.0, 4))
    sound = noise.make_stereo(n, chance, _ROAR, 0.6) * lick * np.float32(0.004 + 0.018 * strength**1.2)

    jets = np.clip(noise.make_turbulence(n, chance, 0.8, 5) - 0.5, 0, 1.1) ** 2 + 0.05
    sound += noise.make_stereo(n, chance, _HISS, 0.9) * jets.astype(np.float32) * np.float32(0.003 + 0.003 * strength)

    _fizz(sound, lick, strength, chance)
    at = _bursts(chance, n, strength, flicker)
    _crackle(sound, at, chance)
    _pop(sound, grains.draw_poisson_times(chance, 0.5 + 1.3 * strength, n), chance)
    return sound


def _fizz(sound: F32, lick: F32, strength: float, chance: np.random.Generator) -> None:
    """Adds hundreds of cracks a second, too small to be heard singly, which make most of a fire's treble."""
    n = sound.shape[1]
    rate = np.float32(150 + 350 * strength) * np.clip(
        lick * np.exp(0.5 * noise.make_turbulence(n, chance, 5.0, 4)), 0.1, 5
    )
    at = grains.draw_poisson_times(chance, rate.astype(np.float32), n)
    bank = grains.make_ticks(chance, 64, (1800, 9500), (0.15, 1.2), tone=0.3)
    loud = np.minimum(0.036 * chance.uniform(size=len(at)) ** -0.5, 0.16)
    side = np.clip(0.5 + 0.2 * chance.standard_normal(len(at)), 0, 1)
    left, right = space.equal_power(side)
    grains.add_grains(sound, bank, at, chance.integers(0, 64, len(at)), loud * left, loud * right)


def _bursts(chance: np.random.Generator, n: int, strength: float, flicker: F32) -> np.ndarray:
    """The samples at which it crackles, ascending: a branching process, as the crack of one fibre sets off others
    within 0.2 s. float64 (k,)."""
    rate = np.float32(5 + 12 * strength) * np.exp(0.7 * flicker)
    parents = grains.draw_poisson_times(chance, rate.astype(np.float32), n)
    times = [parents]
    while len(parents):
        children = chance.poisson(0.62, len(parents))
        parents = np.repeat(parents, children) + chance.exponential(0.045 * SAMPLE_RATE, children.sum())
        times.append(parents)
    return np.sort(np.concatenate(times))


def _crackle(sound: F32, at: np.ndarray, chance: np.random.Generator) -> None:
    """Adds cracks: a click of under a millisecond, then a short damped sine. Their amplitudes follow a power law."""
    count = len(at)
    loud = np.minimum(0.045 * chance.uniform(size=count) ** (-1 / 1.4), 0.22)
    side = np.clip(0.5 + 0.16 * chance.standard_normal(count), 0, 1)
    left, right = (loud * gain for gain in space.equal_power(side))
    bank = grains.make_ticks(chance, 64, (1400, 11000), (0.08, 0.9), tone=0.25)
    grains.add_grains(sound, bank, at, chance.integers(0, len(bank), count), 1.5 * left, 1.5 * right)
    hz = np.exp(chance.uniform(np.log(900), np.log(5200), count))
    grains.add_damped_sines(sound, at, hz, hz * chance.uniform(0.25, 0.8, count), 0 * hz, 0.30 * left, 0.30 * right)


def _pop(sound: F32, at: np.ndarray, chance: np.random.Generator) -> None:
    """Adds bursts of steam pockets: a thud of about 300 Hz under a snap."""
    count = len(at)
    loud = np.minimum(0.11 * np.exp(0.4 * chance.standard_normal(count)), 0.25)
    side = np.clip(0.5 + 0.12 * chance.standard_normal(count), 0, 1)
    left, right = (loud * gain for gain in space.equal_power(side))
    hz = chance.uniform(150, 520, count)
    grains.add_damped_sines(
        sound, at, hz, hz * chance.uniform(0.3, 0.6, count), -0.4 * np.ones(count), 0.7 * left, 0.7 * right
    )
    bank = grains.make_ticks(chance, 24, (900, 4000), (0.4, 3.0), tone=0.2)
    grains.add_grains(sound, bank, at, chance.integers(0, len(bank), count), 1.6 * left, 1.6 * right)
