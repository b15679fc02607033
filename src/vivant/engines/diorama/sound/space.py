"""Where a sound is: panning, distance, and the reverberation of the room.

A place is x, -1 left .. 1 right, and depth, 0 near .. 1 far.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy import fft, signal

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import levels
from vivant.media import F32, SAMPLE_RATE

_EAR_DELAY: Final = 0.00027  # s, of the far ear: under half of the natural delay, which spoils a mono sum
_NEAR: Final = 1.5  # m at depth 0
_REACH: Final = 200.0  # how many times farther depth 1 is: 300 m
SPEED: Final = 343.0  # m/s, of sound at 20 °C


def metres(depth: float) -> float:
    """The distance that a depth stands for: 1.5 m at 0, 21 m at 0.5, 300 m at 1."""
    return float(_NEAR * _REACH**depth)


def absorb_treble(sound: F32, depth: float) -> F32:
    """Low-pass, as air and ground absorb treble over that distance. float32 of any shape, time is the last axis."""
    cutoff = 19_000 / (1 + metres(depth) / 55)
    if cutoff > 17_000:
        return sound
    low_pass = signal.butter(1, cutoff, fs=SAMPLE_RATE, output="sos").astype(np.float32)
    return np.asarray(signal.sosfilt(low_pass, sound), np.float32)


def distance_gain(depth: float) -> float:
    """The gain of a source at that depth, 1 at depth 0.5: ±10 dB, a third of the physical law in dB, so that far sounds
    are still heard and near ones are not too loud."""
    return levels.to_gain((0.5 - depth) * 20)


def wet_gain(depth: float, size: float) -> float:
    """The gain of the reverberation relative to the direct sound, which grows with distance. size: of the room, 0..1.

    A near voice in a living room (depth 0.2, size 0.22) gets about -15 dB.
    """
    return (0.05 + 0.6 * size) * (0.6 + 1.6 * depth)


def pan(mono: F32, x: float, *, delayed: bool = True) -> F32:
    """float32 mono (n,) -> (2, n): equal-power panning, the far ear up to 0.27 ms later; the near ear is never late.

    `delayed=False` is for pure tones over 1.5 kHz: the delay is not heard there, and a mono sum would cancel.
    """
    x = float(np.clip(x, -1, 1)) * 0.9  # nothing is heard in one ear only
    angle = (x + 1) * np.pi / 4
    late = round(abs(x) * _EAR_DELAY * SAMPLE_RATE) if delayed else 0
    sides = np.zeros((2, len(mono)), np.float32)
    near = int(x > 0)
    sides[near] = mono
    sides[1 - near, late:] = mono[: len(mono) - late]
    sides[0] *= np.float32(np.cos(angle) * np.sqrt(2))
    sides[1] *= np.float32(np.sin(angle) * np.sqrt(2))
    return sides


def equal_power(share: Any) -> tuple[Any, Any]:
    """Gains of left and right at a share 0 left .. 1 right of the way, whose powers sum to 1. A number or an array."""
    return np.sqrt(1 - share), np.sqrt(share)


def place(mono: F32, x: float, depth: float, *, delayed: bool = True) -> F32:
    """float32 mono (n,) -> (2, n) from that direction and distance: gain, absorption, panning. No reverberation."""
    return pan(absorb_treble(mono, depth), x, delayed=delayed) * np.float32(distance_gain(depth))


def make_impulse_response(size: float, seed: int) -> F32:
    """The impulse response of a room without the direct sound: float32 (2, n), mean energy of the channels 1.

    size: 0 open air with a few reflections .. 1 a large hall. Six to fourteen early reflections, then diffuse noise
    whose treble decays first.
    """
    chance = rng(seed, "room")
    size = float(np.clip(size, 0, 1))
    tail = 0.18 + 1.9 * size**1.5  # s, RT60
    first = 0.004 + 0.022 * size  # s, until the first wall
    n = int((first + tail * 0.9 + 0.05) * SAMPLE_RATE)
    time = np.arange(n) / SAMPLE_RATE
    diffuse = np.zeros((2, n), np.float32)
    for cutoff, lasting in ((900.0, 1.1), (4_000.0, 0.8), (11_000.0, 0.45)):
        sos = signal.butter(2, cutoff, fs=SAMPLE_RATE, output="sos")
        noise = signal.sosfilt(sos, chance.standard_normal((2, n)), axis=1)
        noise /= np.sqrt(np.mean(noise**2))
        diffuse += (noise * np.exp(-6.9 * time / (tail * lasting))).astype(np.float32)
    grow = np.clip((time - first) / (0.02 + 0.03 * size), 0, 1) ** 2  # reflections become dense after the first
    diffuse *= grow.astype(np.float32)
    early = np.zeros((2, n), np.float32)
    for _ in range(6 + int(8 * size)):
        arrival = first * (1 + chance.exponential(1.4))
        sample = int(arrival * SAMPLE_RATE)
        if sample + 40 < n:
            side = chance.uniform(-1, 1)
            strength = (first / arrival) * chance.choice([-1, 1])
            dull = np.exp(-np.arange(24) / chance.uniform(1.5, 5))  # a wall absorbs treble
            early[0, sample : sample + 24] += (strength * np.sqrt((1 - side) / 2) * dull / dull.sum()).astype(
                np.float32
            )
            early[1, sample + 2 : sample + 26] += (strength * np.sqrt((1 + side) / 2) * dull / dull.sum()).astype(
                np.float32
            )
    early /= max(float(np.sqrt(np.sum(early**2) / 2)), 1e-9)
    diffuse /= max(float(np.sqrt(np.sum(diffuse**2) / 2)), 1e-9)
    share = 0.35 + 0.35 * size  # of the energy that is diffuse
    both = np.sqrt(1 - share) * early + np.sqrt(share) * diffuse
    both = signal.sosfilt(signal.butter(2, 120, "highpass", fs=SAMPLE_RATE, output="sos"), both, axis=1)
    return np.asarray(both / np.sqrt(np.sum(both**2) / 2), np.float32)


def reverberate(sound: F32, response: F32) -> F32:
    """The reverberation of a sound, float32 (2, n): its convolution with an impulse response, float32
    (2, m), cut after n samples."""
    n = sound.shape[1]
    size = fft.next_fast_len(n + response.shape[1], real=True)
    wet: F32 = fft.irfft(fft.rfft(sound, size) * fft.rfft(response, size), size)[:, :n]
    return wet.astype(np.float32)
