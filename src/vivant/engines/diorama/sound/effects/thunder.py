"""Thunder: a crooked channel kilometres long cracks all at once; its pieces are heard one after another.

After Ribner & Roy, "Acoustics of thunder" (JASA 72, 1982): the first crack is the foot of the channel, whose pieces are
all about equally far; claps are stretches at right angles to the line of sight; the rumble is the rest.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import fft, signal

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import fades, space
from vivant.engines.diorama.sound.effects import noise
from vivant.engines.diorama.timing.timeline import Event, Timeline
from vivant.media import F32, SAMPLE_RATE

_PIECE: Final = 3.0  # m
_PIECES: Final = 1900
_LASTING: Final = 9.0  # s


def make_clap(event: Event, timeline: Timeline) -> tuple[F32, int]:
    """One thunder, whose first wave arrives exactly at the event: (samples (2, m), 0)."""
    chance = rng(timeline.seed, f"thunder/{event.id}")
    far = _distance_of(event, timeline)
    n = int(_LASTING * SAMPLE_RATE)
    late, loud, across = _arrivals(far, chance)
    sound = np.zeros((2, n), np.float32)
    # Three parts by distance: the air absorbs more treble of the farther ones.
    for nearest, farthest in ((0, 400), (400, 1500), (1500, 1e9)):
        ring = far + late * space.SPEED
        chosen = (ring >= nearest) & (ring < farthest) & (late * SAMPLE_RATE < n - 1)
        if chosen.any():
            sound += _wave(n, late[chosen], loud[chosen], across[chosen], float(np.median(ring[chosen])), chance)
    sound += _sky(sound, chance)
    # Small loudspeakers play no 60 Hz: over 300 Hz is raised, so that crack and rumble differ there too.
    sound = sound + 1.5 * signal.sosfilt(signal.butter(1, 300, "highpass", fs=SAMPLE_RATE, output="sos"), sound, axis=1)
    sound = signal.sosfilt(signal.butter(1, 22, "highpass", fs=SAMPLE_RATE, output="sos"), sound, axis=1)
    fade = fades.straight_end(n, 2.0 * SAMPLE_RATE)
    sound *= fade / np.abs(sound).max() * (0.45 + 0.5 * event.strength) * (0.35 + 0.65 * (120 / far) ** 0.3)
    lean = np.clip(event.x, -1, 1) * 0.4
    return (sound * np.array([[1 - lean], [1 + lean]])).astype(np.float32), 0


def _distance_of(event: Event, timeline: Timeline) -> float:
    """Metres to the foot of the channel: by the time since its flash where there is one, else by its depth, 120 m at
    depth 0 and 4 km at depth 1."""
    flash = next((other for other in timeline.events if other.kind == "strike" and other.id == event.cause), None)
    if flash is None:
        return float(120 * (4000 / 120) ** event.depth)
    return max(60.0, float(event.time - flash.time) * space.SPEED)


def _arrivals(far: float, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each piece of the channel: seconds after the first, amplitude, and direction -1..1. float64 (_PIECES,) each.

    far: metres to the foot of the channel.
    """
    # A random walk (mean turn 16°) from the ground up to the cloud base, then horizontally inside the cloud.
    lean = np.cumsum(0.16 * chance.standard_normal((_PIECES, 2)), axis=0)
    lean = lean * 0.75 + 0.45 * chance.standard_normal((_PIECES, 2))
    lean -= np.linspace(0, 1, _PIECES)[:, None] * lean[-1] * 0.5
    bent = np.clip((np.arange(_PIECES) * _PIECE - 1500) / 900, 0, 1)
    course = chance.uniform(0, 2 * np.pi)
    step = np.stack(
        [
            lean[:, 0] * 0.6 + 1.3 * bent * np.cos(course),
            lean[:, 1] * 0.6 + 1.3 * bent * np.sin(course),
            1 - 0.85 * bent,
        ],
        1,
    )
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    place = np.cumsum(step * _PIECE, axis=0) + np.array([0, far, 0])
    range_ = np.linalg.norm(place, axis=1)
    facing = np.abs(np.sum(step * place, axis=1)) / range_  # 1: along the line of sight, where it radiates nothing
    # The return stroke rises from the ground and loses current on its way: the foot is loudest.
    current = 0.3 + 3.5 * np.exp(-place[:, 2] / 90)
    loud = current * (1 - facing**2) ** 2 / range_ * np.exp(0.5 * chance.standard_normal(_PIECES))
    late = (range_ - range_.min()) / space.SPEED
    return late, loud, place[:, 0] / range_


def _wave(
    n: int, late: np.ndarray, loud: np.ndarray, across: np.ndarray, ring: float, chance: np.random.Generator
) -> F32:
    """The sound of some pieces: an N-wave at each of their times, lengthened and low-passed by `ring` metres of air.

    late (s), loud, across (-1..1): (k,) each. float32 (2, n).
    """
    sides = np.zeros((2, n + SAMPLE_RATE // 10), np.float32)
    at = (late * SAMPLE_RATE).astype(np.int64)
    angle = (np.clip(across * 1.5, -0.9, 0.9) + 1) * np.pi / 4
    np.add.at(sides[0], at, (loud * np.cos(angle)).astype(np.float32))
    np.add.at(sides[1], at, (loud * np.sin(angle)).astype(np.float32))
    # An N-wave lengthens as it travels. One kernel, the mean of waves of several lengths, serves all pieces.
    longest = (0.0025 + 0.0035 * np.log1p(ring / 150)) * SAMPLE_RATE
    kernel = np.zeros(int(2 * longest))
    for lasting in np.geomspace(0.25, 1.0, 9) * longest * np.exp(0.1 * chance.standard_normal(9)):
        shock = np.linspace(1, -1, int(lasting))
        shock[-(len(shock) // 4) :] *= np.linspace(1, 0, len(shock) // 4)  # its end is smoothed
        kernel[: min(len(shock), len(kernel))] += shock[: len(kernel)] / 9
    # Absorption and scattering in turbulent air: 14 kHz near, 3 kHz at 1 km, 700 Hz at 4 km.
    cutoff = float(np.clip(3.0e6 / ring, 350, 14_000))
    kernel = signal.sosfilt(signal.butter(1, cutoff, fs=SAMPLE_RATE, output="sos"), kernel)
    size = fft.next_fast_len(sides.shape[1] + len(kernel), real=True)
    heard = fft.irfft(fft.rfft(sides, size) * fft.rfft(kernel.astype(np.float32), size), size)
    return np.asarray(heard[:, :n], np.float32)


def _sky(sound: F32, chance: np.random.Generator) -> F32:
    """The echo of hills and clouds, float32 (2, n): dark diffuse reverberation of some seconds with random swells."""
    m = int(4.5 * SAMPLE_RATE)
    t = np.arange(m) / SAMPLE_RATE
    answer = np.stack(
        [
            noise.make_mono(m, chance, ((20, -6), (50, 0), (140, -1), (400, -9), (1500, -26), (6000, -54)))
            for _ in range(2)
        ]
    )
    shape = np.clip(t / 0.25, 0, 1) * np.exp(-t / 1.25) * np.exp(0.6 * noise.make_turbulence(m, chance, 2.0, 3))
    answer *= (shape / np.sqrt(np.sum(shape**2)) * 0.75).astype(np.float32)
    return space.reverberate(sound, answer)
