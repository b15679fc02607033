"""A stream: hundreds of bubbles a second, each with a pitch of its own, over the soft noise of the water."""

from __future__ import annotations

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import space
from vivant.engines.diorama.sound.effects import grains, noise
from vivant.engines.diorama.timing.timeline import Bed, Timeline
from vivant.media import F32


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n). Strength: 0 a trickle, whose bubbles are heard singly .. 1 a swollen brook."""
    n, strength = timeline.samples, bed.strength
    chance = rng(timeline.seed, "stream")
    rush = ((60, -34), (250, -14), (600, -2), (1300, 0), (4000, -7), (9000, -13), (16000, -22))
    sound = (
        noise.make_stereo(n, chance, rush, 0.8)
        * np.exp(0.12 * noise.make_turbulence(n, chance, 1.2))
        * (0.010 + 0.035 * strength)
    )
    # Drops that are thrown up and fall back.
    at = grains.draw_poisson_times(chance, 120 + 500 * strength, n)
    bank = grains.make_ticks(chance, 48, (1500, 9000), (0.2, 1.4), tone=0.4)
    loud = np.minimum(0.035 * np.exp(0.8 * chance.standard_normal(len(at))), 0.2)
    side = chance.uniform(0, 1, len(at))
    left, right = space.equal_power(side)
    grains.add_grains(sound, bank, at, chance.integers(0, 48, len(at)), loud * left, loud * right)
    # Three places among the stones, each with a changing rate and a size of bubbles of its own.
    for spot in range(3):
        lively = np.exp(0.6 * noise.make_turbulence(n, chance, 1.6, 4)).astype(np.float32)
        at = grains.draw_poisson_times(chance, lively * np.float32((25 + 150 * strength) / 1.2), n)
        size = (0.0008, 0.0013, 0.0021)[spot] * (1 + 0.4 * strength)
        radius = np.clip(size * np.exp(0.42 * chance.standard_normal(len(at))), 0.0004, 0.008)
        pitch, decay, rise = grains.draw_bubble_modes(chance, radius)
        loud = 0.055 * np.exp(0.8 * chance.standard_normal(len(at))) * (radius / 0.0015) ** 0.25
        loud = np.minimum(loud, 0.5)
        side = np.clip((0.25, 0.5, 0.75)[spot] + 0.17 * chance.standard_normal(len(at)), 0, 1)
        left, right = space.equal_power(side)
        grains.add_damped_sines(sound, at, pitch, decay, rise, loud * left, loud * right)
    return np.asarray(sound, np.float32)
