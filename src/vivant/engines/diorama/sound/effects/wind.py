"""Wind: turbulence at the ear and in leaves, and edges that whistle. It follows the wind curve of the timeline."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import space
from vivant.engines.diorama.sound.effects import follow, noise
from vivant.engines.diorama.timing.timeline import Bed, Timeline
from vivant.media import F32, SAMPLE_RATE

_HZ: Final = (25.0, 60.0, 130.0, 280.0, 600.0, 1300.0, 2800.0, 6000.0, 13000.0)
# dB at _HZ. A faster wind is louder and has more treble.
_BREEZE: Final = np.array([-4, 0, -1, -5, -12, -23, -34, -46, -60], np.float32)
_STORM: Final = np.array([-3, 0, 0, -1, -4, -11, -20, -29, -40], np.float32)
_LEAVES: Final = np.array([-70, -60, -48, -36, -22, -10, -3, 0, -7], np.float32)


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n). The wind curve (0..1) gives the gusts, the strength the overall speed of the wind."""
    chance = rng(timeline.seed, "wind")
    return _blow(follow.at_sample_rate(timeline.wind), bed.strength, chance)


def _blow(gusts: F32, strength: float, chance: np.random.Generator) -> F32:
    """The sound of a wind: float32 (2, n). gusts: its speed, float32 (n,), 0..1. strength: 0..1."""
    n = len(gusts)
    eddies = 0.13 * noise.make_turbulence(n, chance, 1.1, 5)
    speed = np.clip((0.12 + gusts * (1 + eddies)) * (0.55 + 0.9 * strength), 0.02, 1.6).astype(np.float32)
    coarse = noise.read_at_blocks(speed, n)[:, None]

    loud = 28 * np.log10(np.maximum(coarse, 0.02))  # dB; physically 40 (pressure ~ U²), but then lulls are inaudible
    roar = noise.make_band_spectra(_HZ, _BREEZE + np.minimum(coarse, 1) * (_STORM - _BREEZE) + loud)
    sound = noise.make_varying_stereo(n, chance, roar, 0.8)

    # Leaves follow the wind with a delay (107 ms), and flutter.
    flutter = 5 * noise.read_at_blocks(noise.make_turbulence(n, chance, 2.5, 3), n)[:, None]
    late = np.concatenate([np.repeat(coarse[:1], 5, axis=0), coarse[:-5]])
    leaves = noise.make_band_spectra(_HZ, _LEAVES + 50 * np.log10(np.maximum(late, 0.02)) - 28 + flutter)
    sound += noise.make_varying_stereo(n, chance, leaves, 1.0)

    for edge in range(3):
        _whistle(sound, speed, edge, chance)
    return sound


def _whistle(sound: F32, speed: F32, edge: int, chance: np.random.Generator) -> None:
    """Adds the aeolian tone of one edge (Strouhal: f = 0.2 U / d): it rises with the wind and sounds only in a strong
    one. speed: float32 (n,)."""
    n = sound.shape[1]
    base = (300, 520, 860)[edge] * chance.uniform(0.85, 1.2)
    inertia = noise.make_turbulence(n, chance, 0.5, 2)
    pitch = base * (0.45 + 0.9 * speed) * (1 + 0.04 * inertia)
    awake = np.clip((speed - 0.30 - 0.10 * edge) / 0.5, 0, 1.3)
    loud = awake**2 * (0.060, 0.036, 0.020)[edge] * np.clip(1 + 0.5 * noise.make_turbulence(n, chance, 3.0, 3), 0, 2)
    tone = (
        _resonate(np.asarray(chance.standard_normal(n, np.float32)), pitch.astype(np.float32), np.float32(28.0)) * loud
    )
    side = chance.uniform(0.2, 0.8)
    left, right = space.equal_power(side)
    sound[0] += tone * np.float32(left)
    sound[1] += tone * np.float32(right)


@kernel
def _resonate(source: F32, hz: F32, quality: np.float32) -> F32:
    """A band-pass whose centre changes at every sample (state-variable filter: Zavalishin, The Art of VA Filter Design,
    4.1), scaled so that white noise keeps its power at any bandwidth. All float32 (n,) but the quality."""
    out = np.zeros_like(source)
    first, second = 0.0, 0.0
    damping = 1.0 / quality
    for i in range(len(source)):
        g = np.tan(np.pi * hz[i] / SAMPLE_RATE)
        high = (source[i] - (damping + g) * first - second) / (1 + g * (g + damping))
        band = g * high + first
        first = g * high + band
        low = g * band + second
        second = g * band + low
        out[i] = band * damping * np.sqrt(SAMPLE_RATE / (np.pi * hz[i] * damping))
    return out
