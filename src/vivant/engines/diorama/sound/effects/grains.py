"""Granular synthesis: many short sounds (drops, bubbles, ticks) added to a signal at given samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import kernel
from vivant.media import F32, F64, SAMPLE_RATE

I64 = NDArray[np.int64]

_QUIET = 7.0  # nepers: a damped sine ends when it has fallen by 61 dB


def draw_poisson_times(chance: np.random.Generator, rate: F32 | float, n: int) -> np.ndarray:
    """The times of a Poisson process over n samples, in samples, ascending: (k,).

    rate: mean number per second, constant or, for a changing one, float32 (n,).
    """
    if isinstance(rate, int | float):
        return np.sort(chance.uniform(0, n, chance.poisson(rate * n / SAMPLE_RATE)))
    expected = np.concatenate([[0.0], np.cumsum(np.maximum(rate, 0), dtype=np.float64) / SAMPLE_RATE])
    draws = np.sort(chance.uniform(0, expected[-1], chance.poisson(expected[-1])))
    return np.asarray(np.interp(draws, expected, np.arange(n + 1)), np.float32)


def add_damped_sines(
    sound: F32, at: np.ndarray, hz: np.ndarray, decay: np.ndarray, rise: np.ndarray, left: np.ndarray, right: np.ndarray
) -> None:
    """Add exponentially decaying sines to `sound`, float32 (2, n), in place; those that start outside are left out.

    All others are (k,). at: sample of the start. hz: frequency at the start. decay: 1/s. rise: relative change of the
    frequency per second. left, right: amplitudes.
    """
    arrays = [
        np.ascontiguousarray(np.broadcast_to(a, np.shape(at)), np.float64) for a in (hz, decay, rise, left, right)
    ]
    _add_damped_sines(sound, np.ascontiguousarray(at, np.float64), *arrays)


@kernel
def _add_damped_sines(sound: F32, at: F64, hz: F64, decay: F64, rise: F64, left: F64, right: F64) -> None:
    n = sound.shape[1]
    for k in range(len(at)):
        start = int(at[k])
        if start < 0 or start >= n or hz[k] > 0.45 * SAMPLE_RATE:
            continue
        length = min(int(_QUIET / decay[k] * SAMPLE_RATE), n - start)
        step = 2 * np.pi * hz[k] / SAMPLE_RATE
        bend = step * rise[k] / SAMPLE_RATE
        fall = np.exp(-decay[k] / SAMPLE_RATE)
        # A phasor, turned at each sample by a step that is turned itself: two complex products instead of a sine.
        zr, zi = 1.0, 0.0
        wr, wi = fall * np.cos(step), fall * np.sin(step)
        br, bi = np.cos(bend), np.sin(bend)
        turn = step
        for i in range(start, start + length):
            sound[0, i] += left[k] * zi
            sound[1, i] += right[k] * zi
            zr, zi = zr * wr - zi * wi, zr * wi + zi * wr
            if turn < 2.8:  # radians per sample: the pitch stops rising before Nyquist
                wr, wi = wr * br - wi * bi, wr * bi + wi * br
                turn += bend


def add_grains(sound: F32, bank: F32, at: np.ndarray, which: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Add grains of a bank to `sound`, float32 (2, n), in place; those that start outside are left out.

    bank: float32 (grains, length). at: sample of the start, rounded down. which: row of the bank. left, right:
    amplitudes. All but the bank are (k,).
    """
    _add_grains(
        sound,
        np.ascontiguousarray(bank, np.float32),
        np.ascontiguousarray(at, np.int64),
        np.ascontiguousarray(which, np.int64),
        np.ascontiguousarray(np.broadcast_to(left, np.shape(at)), np.float32),
        np.ascontiguousarray(np.broadcast_to(right, np.shape(at)), np.float32),
    )


@kernel
def _add_grains(sound: F32, bank: F32, at: I64, which: I64, left: F32, right: F32) -> None:
    n = sound.shape[1]
    for k in range(len(at)):
        if at[k] < 0 or at[k] >= n:
            continue
        grain = bank[which[k]]
        for i in range(min(len(grain), n - at[k])):
            sound[0, at[k] + i] += left[k] * grain[i]
            sound[1, at[k] + i] += right[k] * grain[i]


def draw_sides(chance: np.random.Generator, count: int, margin: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Gains of left and right of `count` grains at random places between the ears, powers summing to 1: (count,) each.

    margin: radians, of the quarter turn from left to right, that stay free at either end.
    """
    angle = chance.uniform(margin, np.pi / 2 - margin, count)
    return np.cos(angle), np.sin(angle)


def make_ticks(
    chance: np.random.Generator, count: int, hz: tuple[float, float], ms: tuple[float, float], tone: float = 0.5
) -> F32:
    """A bank of short impacts, each a decaying mix of noise and a sine: float32 (count, length), energy 1 per row.

    hz, ms: ranges of the sine's frequency and of the time in which it falls to 1/e, drawn on a log scale. tone: 0 only
    noise .. 1 only the sine.
    """
    fall = np.exp(chance.uniform(np.log(ms[0]), np.log(ms[1]), (count, 1))) / 1000
    pitch = np.exp(chance.uniform(np.log(hz[0]), np.log(hz[1]), (count, 1)))
    time = np.arange(int(5 * fall.max() * SAMPLE_RATE)) / SAMPLE_RATE
    noise = chance.standard_normal((count, len(time)))
    # The noise is low-passed (one pole) an octave above the sine.
    keep = np.exp(-2 * np.pi * np.minimum(2 * pitch, 16_000) / SAMPLE_RATE)
    for i in range(1, noise.shape[1]):
        noise[:, i] = (1 - keep[:, 0]) * noise[:, i] + keep[:, 0] * noise[:, i - 1]
    noise /= np.sqrt(np.mean(noise**2, axis=1, keepdims=True))
    body = tone * np.sqrt(2) * np.sin(2 * np.pi * pitch * time) + (1 - tone) * noise
    bank = body * np.exp(-time / fall)
    bank /= np.sqrt(np.sum(bank**2, axis=1, keepdims=True))
    return np.asarray(bank, np.float32)


def draw_bubble_modes(chance: np.random.Generator, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequency (Hz), decay (1/s) and rise (1/s) of bubbles in water, for `add_damped_sines`: each of the shape
    of `radius` (m).

    Frequency: Minnaert, f = 3 / r. Decay and rise: van den Doel, "Physically based models for liquid sounds", ACM TAP 2
    (2005): d = 0.13 / r + 0.0072 r^(-3/2); the frequency rises by up to 0.1 · d as the bubble nears the surface.
    """
    decay = 0.13 / radius + 0.0072 * radius**-1.5
    return 3 / radius, decay, decay * 0.1 * chance.uniform(0, 1, radius.shape) ** 2
