"""A crowd: many synthetic voices that talk at once, without words, some near, most far."""

from __future__ import annotations

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import fades, space
from vivant.engines.diorama.sound.effects import murmur
from vivant.engines.diorama.timing.timeline import Bed, Timeline
from vivant.media import F32, SAMPLE_RATE


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n). Strength: how many talk and how lively, 0 a café table .. 1 a full square."""
    n = timeline.samples
    short = n * murmur.RATE // SAMPLE_RATE
    near, far = np.zeros((2, short), np.float32), np.zeros((2, short), np.float32)
    edge = fades.straight_edges(short, 0.03 * murmur.RATE)
    for number in range(6 + round(8 * bed.strength)):
        chance = rng(timeline.seed, f"crowd/{number}")
        voice = murmur.talk(short, chance, 0.35 + 0.65 * bed.strength)
        most = 4 * float(np.sqrt(np.mean(voice**2))) + 1e-6
        voice = np.float32(most) * np.tanh(voice / np.float32(most))  # no single vowel stands out
        near += _at(voice, chance.uniform(0.1, 0.9)) * np.float32(1 / chance.uniform(1.0, 3.0))
        # Each voice serves again, shifted in time, for two or three people farther off.
        for _ in range(2 + (bed.strength > 0.5)):
            other = np.roll(voice * edge, int(chance.integers(short // 6, 5 * short // 6)))
            far += _at(other, chance.uniform(0, 1)) * np.float32(chance.uniform(0.3, 0.8))
    near, far = murmur.to_sample_rate(near, n), murmur.to_sample_rate(far, n)
    # Far voices are heard more by reflections than directly.
    around = space.reverberate(far, space.make_impulse_response(max(0.3, timeline.room), timeline.seed))
    distant = np.float32(0.35) * space.absorb_treble(far, 0.8) + np.float32(0.55) * around
    return space.absorb_treble(np.asarray(near + distant * (0.5 + bed.strength), np.float32), bed.depth)


def _at(mono: F32, share: float) -> F32:
    """float32 mono (n,) -> (2, n), equal power, at share 0 left .. 1 right."""
    left, right = space.equal_power(share)
    return np.stack([mono * np.float32(left), mono * np.float32(right)])
