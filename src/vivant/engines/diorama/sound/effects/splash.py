"""A splash: the slap of the impact, the cavity's plunge, then a cloud of bubbles and falling drops."""

from __future__ import annotations

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import space
from vivant.engines.diorama.sound.effects import grains, noise
from vivant.engines.diorama.timing.timeline import Event, Timeline
from vivant.media import F32, SAMPLE_RATE


def splash(event: Event, timeline: Timeline) -> tuple[F32, int]:
    """One splash, whose slap is exactly at the event: (samples (2, m), 0). Strength: a pebble to a body."""
    chance = rng(timeline.seed, f"splash/{event.id}")
    n = int((0.9 + 1.2 * event.strength) * SAMPLE_RATE)
    sides = np.zeros((2, n), np.float32)
    t = np.arange(n, dtype=np.float32) / SAMPLE_RATE
    slap = noise.coloured(n, chance, ((80, -12), (300, -2), (900, 0), (3000, -4), (9000, -12), (18000, -26)))
    sides += slap * (np.exp(-t / (0.02 + 0.05 * event.strength)) + 0.15 * np.exp(-t / 0.25)) * np.float32(0.30)
    plunge = 0.012 + 0.03 * event.strength  # m, radius of the cavity that closes
    pitch, _, _ = grains.bubble_modes(chance, np.array([plunge]))
    close = np.array([(0.05 + 0.12 * event.strength) * SAMPLE_RATE])
    grains.add_damped_sines(sides, close, pitch, np.array([16.0]), np.array([2.5]), np.array([0.45]), np.array([0.45]))
    rate = (500 + 1500 * event.strength) * np.exp(-t / (0.16 + 0.3 * event.strength)) * np.minimum(t / 0.03, 1)
    at = grains.poisson_times(chance, rate.astype(np.float32), n)
    radius = np.clip(0.0018 * np.exp(0.6 * chance.standard_normal(len(at))), 0.0005, 0.012)
    hz, decay, rise = grains.bubble_modes(chance, radius)
    loud = 0.07 * np.exp(0.6 * chance.standard_normal(len(at))) * (radius / 0.0018) ** 0.5
    grains.add_damped_sines(sides, at, hz, decay, rise, loud, loud)
    fade = np.clip((n - np.arange(n)) / (0.15 * SAMPLE_RATE), 0, 1).astype(np.float32)
    return space.place(sides[0] * fade, event.x, event.depth) * np.float32(0.5 + event.strength), 0
