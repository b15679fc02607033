"""Crickets: near ones chirp in pulses, far ones merge into a trill."""

from __future__ import annotations

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import space
from vivant.engines.diorama.sound.effects import noise
from vivant.engines.diorama.timing.timeline import Bed, Timeline
from vivant.media import F32, SAMPLE_RATE


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n). Strength: how many, 0 three .. 1 ten."""
    n = timeline.samples
    still = rng(timeline.seed, "crickets")  # the noise of the night air
    air = ((60, -14), (200, -4), (500, 0), (1000, -4), (2500, -12), (8000, -26))
    sound = np.asarray(
        noise.make_stereo(n, still, air, 0.8) * np.exp(0.15 * noise.make_drift(n, still, 0.3)) * np.float32(0.003),
        np.float32,
    )
    t = np.arange(n, dtype=np.float64) / SAMPLE_RATE
    for number in range(3 + round(7 * bed.strength)):
        chance = rng(timeline.seed, f"crickets/{number}")
        near = number < 2
        depth = bed.depth + (-0.12 if near else chance.uniform(0.0, 0.35))
        stridulation = _chirps(n, t, chance) if near or chance.random() < 0.55 else _trill(n, t, chance)
        sound += space.place(stridulation, chance.uniform(-0.95, 0.95), float(np.clip(depth, 0, 1)), delayed=False)
    return sound


def _chirps(n: int, t: np.ndarray, chance: np.random.Generator) -> F32:
    """Field cricket: three or four wing strokes 33 ms apart, 2 to 3 times a second, at about 4.6 kHz. float32 (n,)."""
    gate = np.zeros(n, np.float32)
    hz, strokes, stroke = chance.uniform(4200, 5100), int(chance.integers(3, 5)), chance.uniform(0.030, 0.037)
    every = chance.uniform(0.36, 0.52)
    pulse = int(0.62 * stroke * SAMPLE_RATE)
    shape = (np.sin(np.pi * np.linspace(0, 1, pulse) ** 0.7) ** 1.3).astype(np.float32)
    at = chance.uniform(0, every)
    while at < n / SAMPLE_RATE:
        for i in range(strokes):
            start = int((at + i * stroke * chance.uniform(0.98, 1.02)) * SAMPLE_RATE)
            if start + pulse < n:
                gate[start : start + pulse] += shape * np.float32((0.6, 0.85, 1.0, 0.95)[i])
        resting = chance.uniform(0.6, 1.8) if chance.random() < 0.07 else 0.0
        at += every * chance.uniform(0.96, 1.04) + resting
    # The frequency falls a little within each stroke, as in recordings of field crickets.
    phase = 2 * np.pi * (hz * t - 25 * np.cumsum(gate) / SAMPLE_RATE)
    return (gate * (np.sin(phase) + 0.06 * np.sin(2 * phase)) * 0.2).astype(np.float32)


def _trill(n: int, t: np.ndarray, chance: np.random.Generator) -> F32:
    """Tree cricket: a steady trill of 45 pulses a second at about 3 kHz, slowly louder and softer. float32 (n,)."""
    hz, rate = chance.uniform(2700, 3600), chance.uniform(38, 52)
    pulses = np.clip(np.sin(2 * np.pi * rate * t + chance.uniform(0, 6)) + 0.35, 0, None)
    slow = 0.75 + 0.25 * np.sin(2 * np.pi * chance.uniform(0.1, 0.3) * t + chance.uniform(0, 6))
    return (pulses * slow * np.sin(2 * np.pi * hz * t) * 0.06).astype(np.float32)
