"""Waves: distant surf and undertow are a bed; the crash, the hiss and the draw-back of each wave are an event.

Up to a certain strength the water is a lake, which laps instead: slaps and gurgles, made of bubbles.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import fades, space
from vivant.engines.diorama.sound.effects import follow, grains, noise
from vivant.engines.diorama.timing.timeline import Bed, Event, Timeline
from vivant.media import F32, SAMPLE_RATE

# Up to this strength it is a lake. Calm water in the picture that the prompt does not describe has 0.35.
LAPPING: Final = 0.36
_HZ: Final = (25.0, 70.0, 180.0, 450.0, 1100.0, 2600.0, 6000.0, 14000.0)
_SURF: Final = ((30, -12), (80, -3), (200, 0), (500, -3), (1200, -9), (3000, -18), (8000, -32), (16000, -50))
# dB at _HZ of the parts of a breaking wave.
_SWELL: Final = np.array([0, 0, -6, -16, -28, -40, -52, -64], np.float32)
_SPILL: Final = np.array([-12, -6, -2, 0, -2, -5, -11, -22], np.float32)
_CRASH: Final = np.array([-3, 0, 0, -1, -3, -7, -13, -24], np.float32)
_HISS: Final = np.array([-50, -40, -27, -15, -6, 0, -1, -9], np.float32)
_BACK: Final = np.array([-34, -26, -15, -7, -1, 0, -6, -17], np.float32)
_BEFORE: Final = 1.9  # s of swell before the crest breaks
_AFTER: Final = 6.0  # s until the draw-back ends


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n): distant surf, and the undertow between the waves that break; a lake laps instead."""
    n, chance = timeline.samples, rng(timeline.seed, "waves")
    if bed.strength <= LAPPING:
        return _lapping(n, bed.strength, chance)
    slow = noise.make_drift(n, chance, 0.13) + 0.5 * noise.make_drift(n, chance, 0.31)
    surf = noise.make_stereo(n, chance, _SURF, 0.7) * np.exp(0.35 * slow) * (0.025 + 0.035 * bed.strength)
    fronts = [follow.event_sample(event) for event in follow.events(timeline, "wave")]
    return surf + _undertow(n, fronts, chance) * bed.strength


def make_wave(event: Event, timeline: Timeline) -> tuple[F32, int]:
    """One wave that breaks, or laps in a lake: (float32 (2, m), the sample at which its crest strikes)."""
    chance = rng(timeline.seed, f"wave/{event.id}")
    if is_lake(timeline):
        return space.place(_lap(event.strength, chance), event.x, event.depth), 0
    sound, crest = _break(event.strength, chance, event.x)
    return space.absorb_treble(sound, event.depth) * np.float32(space.distance_gain(event.depth)), crest


def is_lake(timeline: Timeline) -> bool:
    """Whether the water of the clip laps rather than breaks: its bed of waves is weak."""
    return any(bed.kind == "waves" and bed.strength <= LAPPING for bed in timeline.beds)


def _break(strength: float, chance: np.random.Generator, x: float) -> tuple[F32, int]:
    """A wave that breaks on a beach: (float32 (2, m), the sample at which its crest strikes)."""
    before, after = int(_BEFORE * SAMPLE_RATE), int((_AFTER - 1.5 + 1.5 * strength) * SAMPLE_RATE)
    n = before + after
    # Seconds since the crest broke.
    t = np.asarray((np.arange(noise.count_blocks(n)) * noise.BLOCK - before) / SAMPLE_RATE, np.float32)
    lumps = noise.read_at_blocks(noise.make_turbulence(n, chance, 3.0, 4), n)

    # White water spills along the crest, louder and louder, before it breaks.
    spill = np.exp(np.minimum(t, 0) / 0.42) * _rise(-t, -0.25, 0.3) * 0.20 * np.exp(0.2 * lumps)
    boom = _rise(t, 0.0, 0.02) * np.exp(-np.maximum(t, 0) / 0.22) * strength**1.5
    swell = np.where(t < 0, np.exp(np.minimum(t, 0) / 0.7), np.exp(-np.maximum(t, 0) / 0.9)) * 0.45
    # It breaks at once in one place, and within a third of a second along the whole beach.
    crash = (
        (0.45 * _rise(t, 0.0, 0.03) + 0.55 * _rise(t, 0.0, 0.34))
        * np.exp(-np.maximum(t - 0.2, 0) / (0.35 + 0.35 * strength))
        * np.exp(0.22 * lumps)
    )
    # The water runs up the sand: a hiss that swells after the crash, gets brighter and ends.
    sheet = _rise(t, 0.05, 0.9) * np.exp(-np.maximum(t - 0.5, 0) / (1.0 + 0.5 * strength)) * 0.38 * np.exp(0.12 * lumps)
    back = np.exp(-0.5 * ((t - 3.1 - 0.6 * strength) / 0.85) ** 2) * 0.15
    bright = np.clip(t / 2.5, 0, 1)[:, None] * np.array([0, 0, -3, -6, -6, -3, 1, 3], np.float32)

    def layer(shape: NDArray[np.floating[Any]], colour: F32) -> F32:
        """Spectra of a part: its amplitude in time, (blocks,), and its colour, dB at _HZ."""
        decibels = colour + 20 * np.log10(np.maximum(shape, 1e-5))[:, None]
        return noise.make_band_spectra(_HZ, np.asarray(decibels, np.float32))

    power = (
        layer(swell, _SWELL) ** 2
        + layer(spill, _SPILL) ** 2
        + layer(boom, _SWELL) ** 2
        + layer(crash, _CRASH) ** 2
        + layer(sheet, np.asarray(_HISS + bright, np.float32)) ** 2
        + layer(back, _BACK) ** 2
    )
    spectra = np.asarray(np.sqrt(power) * (0.25 + 0.75 * strength), np.float32)
    sides = noise.make_varying_stereo(n, chance, spectra, 0.7)
    _slap(sides, before, strength, chance)
    _foam(sides, before, strength, chance)

    # The crest breaks along the beach, so the sound widens from where it first broke.
    lean = np.float32(np.clip(x, -1, 1) * 0.35) * np.exp(
        -np.maximum(np.arange(n, dtype=np.float32) - before, 0) / SAMPLE_RATE
    )
    sides[0] *= 1 - lean
    sides[1] *= 1 + lean
    fade = np.minimum(np.arange(n) / (0.4 * SAMPLE_RATE), (n - 1 - np.arange(n)) / (0.8 * SAMPLE_RATE))
    return sides * np.clip(fade, 0, 1).astype(np.float32), before


def _slap(sides: F32, before: int, strength: float, chance: np.random.Generator) -> None:
    """Adds the slap of the crest onto the water in front of it, at sample `before`, where the wave breaks."""
    n = int(0.7 * SAMPLE_RATE)
    t = np.arange(n, dtype=np.float32) / SAMPLE_RATE
    blow = np.minimum(t / 0.018, 1) * np.exp(-t / (0.09 + 0.10 * strength)) * np.float32(0.10 + 0.18 * strength)
    hit = noise.make_stereo(n, chance, ((60, -6), (150, 0), (500, -2), (1500, -6), (5000, -14), (14000, -28)), 0.5)
    sides[:, before : before + n] += hit * blow


def _foam(sides: F32, before: int, strength: float, chance: np.random.Generator) -> None:
    """Adds bursting bubbles of foam, and pebbles that roll in the draw-back."""
    n = sides.shape[1]
    t = (np.arange(n, dtype=np.float32) - before) / SAMPLE_RATE
    rate = np.where(t > 0, 2600 * np.minimum(t / 0.8, 1) * np.exp(-np.maximum(t - 0.8, 0) / 1.3), 0) * (
        0.3 + 0.7 * strength
    )
    at = grains.draw_poisson_times(chance, rate.astype(np.float32), n)
    bank = grains.make_ticks(chance, 48, (2200, 9500), (0.15, 0.6), tone=0.6)
    loud = 0.10 * np.exp(0.7 * chance.standard_normal(len(at))) * (0.4 + 0.6 * strength)
    left, right = grains.draw_sides(chance, len(at))
    grains.add_grains(sides, bank, at, chance.integers(0, 48, len(at)), loud * left, loud * right)


def _rise(t: NDArray[np.floating[Any]], start: float, lasting: float) -> F32:
    """0 before `start`, 1 from `start + lasting`, half a cosine between: float32, of the shape of t. All in s."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip((t - start) / lasting, 0, 1)), np.float32)


def _undertow(n: int, fronts: list[int], chance: np.random.Generator) -> F32:
    """The low noise of water drawn back between waves: float32 (2, n). fronts: samples at which crests break."""
    t = np.arange(noise.count_blocks(n), dtype=np.float32) * noise.BLOCK
    pull = np.zeros_like(t)
    for at in fronts:
        since = (t - at) / SAMPLE_RATE
        pull += np.exp(-0.5 * ((since + 0.9) / 0.9) ** 2) + 0.6 * np.exp(-0.5 * ((since - 3.4) / 0.9) ** 2)
    spectra = noise.make_band_spectra(_HZ, _SWELL + 20 * np.log10(np.maximum(0.16 * pull, 1e-5))[:, None])
    return noise.make_varying_stereo(n, chance, spectra, 0.5)


def _lapping(n: int, strength: float, chance: np.random.Generator) -> F32:
    """Small waves against a shore: a gurgle of bubbles every second or so, over soft noise. float32 (2, n)."""
    sound = noise.make_stereo(n, chance, ((100, -20), (300, -8), (900, 0), (2500, -6), (8000, -22)), 0.8) * np.float32(
        0.012
    )
    sound *= np.exp(0.5 * noise.make_drift(n, chance, 0.5))
    at = chance.uniform(0, 0.5) * SAMPLE_RATE
    while at < n:
        _gurgle(sound, at, chance)
        at += chance.uniform(0.35, 1.5) * SAMPLE_RATE
    return sound * np.float32(0.5 + strength)


def _lap(strength: float, chance: np.random.Generator) -> F32:
    """One small wave that laps: float32 (n,), its slap at sample 0."""
    n = int(1.6 * SAMPLE_RATE)
    sides = np.zeros((2, n), np.float32)
    t = np.arange(n, dtype=np.float32) / SAMPLE_RATE
    slap = np.asarray(np.exp(-t / 0.03) + 0.5 * _rise(t, 0.02, 0.25) * np.exp(-t / 0.35), np.float32)
    sides[0] = noise.make_mono(n, chance, ((80, -22), (250, -6), (700, 0), (2000, -6), (7000, -16))) * slap * 0.05
    for delay in (0.004, 0.12, 0.38):
        _gurgle(sides, delay * SAMPLE_RATE, chance)
    fade = fades.straight_end(n, 0.3 * SAMPLE_RATE)
    return np.asarray(sides[0] * fade * (1.0 + 2 * strength), np.float32)


def _gurgle(sound: F32, at: float, chance: np.random.Generator) -> None:
    """Adds a burst of bubbles, large and small, that ends within a third of a second. at: sample."""
    count = chance.integers(12, 40)
    burst = at + np.abs(chance.normal(0, 0.11, count)) * SAMPLE_RATE
    radius = np.clip(0.0016 * np.exp(0.65 * chance.standard_normal(count)), 0.0005, 0.006)
    pitch, decay, rise = grains.draw_bubble_modes(chance, radius)
    loud = 0.11 * chance.uniform(0.2, 1) * np.exp(-(burst - at) / (0.12 * SAMPLE_RATE)) * (radius / 0.003) ** 0.3
    side = np.clip(chance.uniform(0.1, 0.9) + 0.1 * chance.standard_normal(count), 0, 1)
    left, right = space.equal_power(side)
    grains.add_damped_sines(sound, burst, pitch, decay, rise, loud * left, loud * right)
