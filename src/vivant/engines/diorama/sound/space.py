"""Where a sound is: left or right, near or far, and the room around it. Knows geometry and air, not what sounds."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy import fft, signal

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import levels
from vivant.media import F32, SAMPLE_RATE

_EAR_DELAY: Final = 0.00027  # s at the far side: under half of a head's, so that a mono sum stays whole
_NEAR: Final = 1.5  # m at depth 0
_REACH: Final = 200.0  # how many times farther depth 1 is: 300 m
SPEED: Final = 343.0  # m/s, of sound at 20 °C


def metres(depth: float) -> float:
    """Distance of a depth 0..1: 1.5 m near, 21 m in the middle, 300 m far."""
    return float(_NEAR * _REACH**depth)


def absorb_treble(sound: F32, depth: float) -> F32:
    """What air and ground take from the treble over that distance. Any shape, along the last axis."""
    cutoff = 19_000 / (1 + metres(depth) / 55) ** 1.0
    if cutoff > 17_000:
        return sound
    return np.asarray(
        signal.sosfilt(signal.butter(1, cutoff, fs=SAMPLE_RATE, output="sos").astype(np.float32), sound).astype(
            np.float32
        ),
        np.float32,
    )


def distance_gain(depth: float) -> float:
    """Gain of a source at that depth against one at depth 0.5: ±10 dB, a third of the true law, so that far stays
    audible and near stays bearable."""
    return levels.to_gain((0.5 - depth) * 20)


def wet_gain(depth: float, size: float) -> float:
    """Gain of the room's answer against the sound itself: with distance the sound falls and the room's stays.

    At arm's length in a living room (depth 0.2, size 0.22) some 15 dB under it.
    """
    return (0.05 + 0.6 * size) * (0.6 + 1.6 * depth)


def pan(mono: F32, x: float, *, delayed: bool = True) -> F32:
    """Mono (n,) -> (2, n), at x -1 left .. 1 right: equal power, the far ear up to 0.27 ms later.

    The near ear is never late, so a transient stays where it is. Turn the delay off for pure tones over 1.5 kHz: an
    ear cannot hear it there, and a mono sum would cancel.
    """
    x = float(np.clip(x, -1, 1)) * 0.9  # nothing sits in one ear only
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
    """Mono (n,) -> (2, n) from that direction and distance: level, air, pan. The room comes in the mix."""
    return pan(absorb_treble(mono, depth), x, delayed=delayed) * np.float32(distance_gain(depth))


def impulse_response(size: float, seed: int) -> F32:
    """The room's answer to a click, without the click itself: float32 (2, n), energy 1 per side.

    size 0: open air, where only ground and a wall or two answer; 1: a large hall. Six to fourteen early reflections,
    then diffuse noise whose treble dies first.
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
    grow = np.clip((time - first) / (0.02 + 0.03 * size), 0, 1) ** 2  # diffuseness builds up after the first walls
    diffuse *= grow.astype(np.float32)
    early = np.zeros((2, n), np.float32)
    for _ in range(6 + int(8 * size)):
        arrival = first * (1 + chance.exponential(1.4))
        sample = int(arrival * SAMPLE_RATE)
        if sample + 40 < n:
            side = chance.uniform(-1, 1)
            strength = (first / arrival) * chance.choice([-1, 1])
            dull = np.exp(-np.arange(24) / chance.uniform(1.5, 5))  # a wall eats treble
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
    """The room's answer (see `response`) to a stereo sound (2, n): (2, n), the tail beyond n is cut."""
    n = sound.shape[1]
    size = fft.next_fast_len(n + response.shape[1], real=True)
    wet: F32 = fft.irfft(fft.rfft(sound, size) * fft.rfft(response, size), size)[:, :n]
    return wet.astype(np.float32)
