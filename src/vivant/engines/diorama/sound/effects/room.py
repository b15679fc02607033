"""Room tone: the faint noise of a quiet place. Without it, speech over digital silence sounds unnatural."""

from __future__ import annotations

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound.effects import noise
from vivant.engines.diorama.timing.timeline import Bed, Timeline
from vivant.media import F32

_AIR = ((25, -2), (60, 0), (150, -5), (500, -14), (1500, -22), (5000, -32), (14000, -44))


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n): faint, slowly changing noise of air."""
    n, chance = timeline.samples, rng(timeline.seed, "room tone")
    sound = noise.make_stereo(n, chance, _AIR, 0.8) * np.exp(0.08 * noise.make_drift(n, chance, 0.4)) * np.float32(0.01)
    return np.asarray(sound, np.float32)
