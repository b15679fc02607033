"""Rain: noise for the countless far drops, ticks for those a few metres off, and single drops close by."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound.effects import follow, grains, noise
from vivant.engines.diorama.timing.timeline import Bed, Timeline
from vivant.media import F32

# Spectra of the far drops. Their treble is low (air absorbs it, and the ticks bring their own): with more of it rain
# sounds like white noise. Fine drops are brighter than heavy ones.
_DRIZZLE: Final = ((80, -36), (400, -14), (1500, -3), (4500, 0), (9000, -5), (13500, -6), (17000, -14), (22000, -28))
_DOWNPOUR: Final = ((80, -16), (400, 0), (1500, -3), (4500, -11), (9000, -17), (13500, -22), (17000, -28), (22000, -38))


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n). Strength: 0 the last drops of a shower .. 1 a downpour; gusts of wind make it denser."""
    n, strength = timeline.samples, bed.strength
    chance = rng(timeline.seed, "rain")
    swell = follow.at_sample_rate(timeline.wind - timeline.wind.mean()) + 0.10 * noise.make_turbulence(n, chance, 0.35)
    density = np.clip(1 + 0.7 * swell, 0.3, 2).astype(np.float32)

    colour = noise.blend(_DRIZZLE, _DOWNPOUR, strength**0.8)
    sound = np.asarray(
        noise.make_stereo(n, chance, colour, 0.75) * (0.010 + 0.062 * strength**1.3) * density, np.float32
    )
    _middle(sound, density, strength, chance)
    _fine(sound, density, strength, chance)
    _near(sound, density, strength, chance)
    return sound


def _middle(sound: F32, density: F32, strength: float, chance: np.random.Generator) -> None:
    """Adds drops a few metres off: ticks too short to have a pitch, together rougher than noise."""
    n = sound.shape[1]
    at = grains.draw_poisson_times(chance, density * np.float32(220 * 16**strength), n)
    low = 2600 * 0.3**strength  # heavier drops, deeper ticks
    bank = grains.make_ticks(chance, 64, (low, 11500 - 4500 * strength), (0.2, 0.7 + 1.4 * strength), tone=0.35)
    distance = 1 + 7 * np.sqrt(chance.uniform(size=len(at)))  # m; equally many drops per square metre
    loud = np.minimum(0.34 / distance * np.exp(0.7 * chance.standard_normal(len(at))), 0.36)
    left, right = grains.draw_sides(chance, len(at))
    which = chance.integers(0, len(bank), len(at))
    grains.add_grains(sound, bank, at, which, loud * left, loud * right)


def _fine(sound: F32, density: F32, strength: float, chance: np.random.Generator) -> None:
    """Adds drizzle on water: drops of about a millimetre always trap a bubble of 0.22 mm, which rings near 14 kHz
    (Pumphrey, Crum & Bjørnø 1989); larger drops do not."""
    n = sound.shape[1]
    at = grains.draw_poisson_times(chance, density * np.float32(700 * (1 - strength) ** 2), n)
    radius = 0.00022 * np.exp(0.12 * chance.standard_normal(len(at)))
    pitch, decay, rise = grains.draw_bubble_modes(chance, radius)
    loud = 0.022 * np.exp(0.5 * chance.standard_normal(len(at)))
    left, right = grains.draw_sides(chance, len(at))
    grains.add_damped_sines(sound, at, pitch, decay, rise, loud * left, loud * right)


def _near(sound: F32, density: F32, strength: float, chance: np.random.Generator) -> None:
    """Adds single drops close by: the tick of the impact, then what it falls on: a leaf, a puddle or something hard."""
    n = sound.shape[1]
    at = grains.draw_poisson_times(chance, density * np.float32(9 + 55 * strength), n)
    count = len(at)
    loud = 0.20 * np.exp(0.6 * chance.standard_normal(count)) * (0.7 + 0.5 * strength)
    loud = np.minimum(loud, 0.42)
    left, right = (loud * gain for gain in grains.draw_sides(chance, count, margin=0.1))

    bank = grains.make_ticks(chance, 48, (2200, 11000), (0.25, 1.5), tone=0.3)
    grains.add_grains(sound, bank, at, chance.integers(0, len(bank), count), 1.4 * left, 1.4 * right)

    surface = chance.choice(3, count, p=(0.40, 0.32, 0.28))
    leaf, puddle = surface == 0, surface == 1
    hz = np.exp(chance.uniform(np.log(420), np.log(1700), leaf.sum()))
    grains.add_damped_sines(
        sound,
        at[leaf],
        hz,
        hz * chance.uniform(0.25, 0.6, leaf.sum()),
        -0.1 * hz / hz,
        0.26 * left[leaf],
        0.26 * right[leaf],
    )

    radius = np.exp(chance.uniform(np.log(0.00055), np.log(0.0019), puddle.sum()))
    pitch, decay, rise = grains.draw_bubble_modes(chance, radius)
    # The bubble forms under the surface 10 to 30 ms after the impact (Pumphrey & Elmore 1990).
    closed = at[puddle] + chance.uniform(480, 1500, puddle.sum())
    grains.add_damped_sines(sound, closed, pitch, decay, rise, 0.55 * left[puddle], 0.55 * right[puddle])
