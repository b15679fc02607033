"""Traffic: the hum of a town, and vehicles that pass, each with tyres, an engine and a Doppler shift."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import signal

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import fades, levels, space
from vivant.engines.diorama.sound.effects import noise
from vivant.engines.diorama.timing.timeline import Bed, Event, Timeline
from vivant.media import F32, SAMPLE_RATE

_HUM: Final = ((25, -4), (50, 0), (110, -2), (250, -8), (600, -13), (1000, -14), (2000, -24), (5000, -42), (12000, -60))
# Tyre noise peaks at about 1 kHz (Sandberg 2003); the low part is the broadband noise of the engine.
_TYRE: Final = (
    (30, -22), (70, -15), (150, -14), (350, -9), (700, -2), (1000, 0), (1600, -4), (3000, -12), (7000, -22),
    (16000, -36),
)  # fmt: skip
_TYRE_HEIGHT: Final = 0.25  # m, of the noise over the road
_EAR_HEIGHT: Final = 1.6  # m
_SIDE: Final = 2.6  # s before and after the closest point


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n): the hum of many distant cars, for some seeds with a horn. Cars that pass by are events."""
    n, chance = timeline.samples, rng(timeline.seed, "traffic")
    sound = (
        noise.make_stereo(n, chance, _HUM, 0.7)
        * np.exp(0.18 * noise.make_drift(n, chance, 0.25))
        * (0.04 + 0.05 * bed.strength)
    )
    if chance.random() < 0.25 + 0.35 * bed.strength:
        horn = space.place(_horn(chance), chance.uniform(-0.8, 0.8), min(0.75, bed.depth + 0.25))
        start = int(chance.uniform(0.2, 0.75) * n)
        kept = min(horn.shape[1], n - start)
        sound[:, start : start + kept] += horn[:, :kept]
    return np.asarray(sound, np.float32)


def make_pass_by(event: Event, timeline: Timeline) -> tuple[F32, int]:
    """A vehicle, closest exactly at the event: (samples (2, m), offset of the closest sample)."""
    chance = rng(timeline.seed, f"pass/{event.id}")
    return _pass(chance, event.depth, event.strength, event.x)


def _pass(chance: np.random.Generator, depth: float, strength: float, x: float) -> tuple[F32, int]:
    half = int(_SIDE * SAMPLE_RATE)
    n = 2 * half
    speed = chance.uniform(9, 17)  # m/s
    away = 2.5 + 25 * np.clip(depth, 0, 1) ** 1.5  # m from the lane
    heading = chance.choice([-1.0, 1.0])
    t = np.arange(n, dtype=np.float64) / SAMPLE_RATE - _SIDE
    along = speed * t
    range_ = np.sqrt(along**2 + away**2)
    towards = -speed * along / range_  # m/s, positive while it comes
    shift = 1 / (1 - towards / space.SPEED)

    spectra = _tyres(n, away, range_, shift)
    tyres = noise.make_varying_mono(n, chance, spectra)
    engine = _engine(chance, shift)
    near = (away / range_).astype(np.float32)
    loud = np.float32((0.35 + 0.65 * strength) * 6 / (3 + away))
    mono = (tyres * near * 0.26 + engine * near * 0.10) * loud
    angle = np.arctan2(heading * along, away) / (np.pi / 2) * 0.85 + 0.3 * x
    angle = (np.clip(angle, -0.95, 0.95) + 1) * np.pi / 4
    edge = fades.straight_edges(n, 0.7 * SAMPLE_RATE)
    mono = mono.astype(np.float32) * edge**2
    return np.stack([mono * np.cos(angle), mono * np.sin(angle)]).astype(np.float32) * np.float32(1.3), half


def _tyres(n: int, away: float, range_: np.ndarray, shift: np.ndarray) -> F32:
    """Spectra of the tyre noise while the car passes, for `noise.make_varying_mono`: float32 (blocks, bins).

    With the Doppler shift, absorption by air, and the comb filter of the reflection by the road (path difference
    2 · h1 · h2 / r), whose notches move audibly. away: m from the lane; range_: m, shift: ratio, float64 (n,) each.
    """
    at = np.clip(np.arange(noise.count_blocks(n)) * noise.BLOCK, 0, n - 1)
    r, s = range_[at][:, None], shift[at][:, None]
    hz = noise.BINS[None, :] / s
    spectra = noise.gains(_TYRE, hz.astype(np.float32))
    difference = 2 * _TYRE_HEIGHT * _EAR_HEIGHT / r
    comb = np.sqrt(1 + 0.5**2 + 2 * 0.5 * np.cos(2 * np.pi * noise.BINS[None, :] * difference / space.SPEED))
    air = levels.to_gain(-((noise.BINS[None, :] / 1000) ** 1.4) * r * 0.012)
    return np.asarray(spectra * comb * air, np.float32)


def _engine(chance: np.random.Generator, shift: np.ndarray) -> F32:
    """Four cylinders: a firing rate of 52 to 92 Hz with uneven harmonics: float32 (n,), RMS 1. shift: Doppler ratio."""
    n = len(shift)
    firing = chance.uniform(52, 92)
    wobble = 1 + 0.006 * noise.make_turbulence(n, chance, 5.0, 3)
    phase = 2 * np.pi * np.cumsum(firing * wobble * shift) / SAMPLE_RATE
    tone = np.zeros(n)
    for half in range(1, 17):  # half orders, because cylinders differ
        order = half / 2
        weight = (0.35 if half % 2 else 1.0) * chance.uniform(0.5, 1) / order**1.15
        tone += weight * np.sin(order * phase + chance.uniform(0, 6))
    return np.asarray(tone / np.sqrt(np.mean(tone**2)), np.float32)


def _horn(chance: np.random.Generator) -> F32:
    """A distant horn: two tones a major third apart (about 400 and 500 Hz), once or twice, briefly. float32 (n,)."""
    low = chance.uniform(380, 430)
    pushes = [chance.uniform(0.18, 0.3), chance.uniform(0.3, 0.7)][: chance.integers(1, 3)]
    parts = []
    for lasting in pushes:
        t = np.arange(int(lasting * SAMPLE_RATE)) / SAMPLE_RATE
        tone = np.zeros(len(t))
        for reed in (low, low * 1.26):
            for k in range(1, 14):
                tone += np.sin(2 * np.pi * reed * k * t + chance.uniform(0, 6)) / k**0.8 * (0.5 if k == 1 else 1)
        parts += [tone * np.clip(np.minimum(t / 0.012, (lasting - t) / 0.03), 0, 1), np.zeros(int(0.09 * SAMPLE_RATE))]
    horn = np.concatenate(parts)
    horn = signal.sosfilt(signal.butter(2, (350, 3200), "bandpass", fs=SAMPLE_RATE, output="sos"), horn)
    return np.asarray(horn / np.abs(horn).max() * 0.07, np.float32)
