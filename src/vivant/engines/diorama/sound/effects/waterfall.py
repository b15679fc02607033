"""A waterfall: steady broadband noise, with the splashes of single lumps of water over it."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound.effects import grains, noise
from vivant.engines.diorama.timing.timeline import Bed, Timeline
from vivant.media import F32

_CASCADE: Final = ((40, -26), (120, -14), (400, -2), (1000, 0), (2500, -2), (6000, -7), (12000, -15), (20000, -30))
_CATARACT: Final = ((40, -2), (120, 0), (400, -1), (1000, -5), (2500, -10), (6000, -17), (12000, -26), (20000, -42))


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n). Strength: 0 a garden cascade .. 1 a cataract with strong bass."""
    n, strength = timeline.samples, bed.strength
    chance = rng(timeline.seed, "waterfall")
    colour = noise.blend(_CASCADE, _CATARACT, strength)
    boil = np.exp(0.10 * noise.make_turbulence(n, chance, 1.5, 5))
    sound = noise.make_stereo(n, chance, colour, 0.85) * boil * np.float32(0.10)

    heavy = np.exp(0.5 * noise.make_turbulence(n, chance, 4.0, 3)).astype(np.float32)
    at = grains.draw_poisson_times(chance, heavy * np.float32(900 + 1500 * strength), n)
    bank = grains.make_ticks(chance, 64, (350, 5200), (0.5, 5.0), tone=0.15)
    loud = np.minimum(0.085 * np.exp(0.8 * chance.standard_normal(len(at))), 0.30)
    left, right = grains.draw_sides(chance, len(at))
    which = chance.integers(0, len(bank), len(at))
    grains.add_grains(sound, bank, at, which, loud * left, loud * right)

    at = grains.draw_poisson_times(chance, heavy * np.float32(260 * (1.2 - strength)), n)
    radius = np.clip(0.0017 * np.exp(0.5 * chance.standard_normal(len(at))), 0.0005, 0.008)
    pitch, decay, rise = grains.draw_bubble_modes(chance, radius)
    left, right = grains.draw_sides(chance, len(at))
    loud = 0.06 * np.exp(0.6 * chance.standard_normal(len(at)))
    grains.add_damped_sines(sound, at, pitch, decay, rise, loud * left, loud * right)
    return np.asarray(sound, np.float32)
