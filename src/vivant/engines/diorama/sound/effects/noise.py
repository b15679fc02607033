"""Noise of a given spectrum, steady or changing in time, and slow random curves. Sound is float32 at 48 kHz."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import fft
from scipy.interpolate import CubicSpline

from vivant.media import F32, SAMPLE_RATE

BLOCK: Final = 1024  # samples from one spectrum of `make_varying_mono` to the next: 21 ms
_WINDOW: Final = 2 * BLOCK
# Hz, of a spectrum of `make_varying_mono`.
BINS: Final = np.maximum(fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE), 1.0).astype(np.float32)

Colour = Sequence[tuple[float, float]]
"""Points (Hz, dB) of a magnitude response: linear between them over log frequency, constant beyond the ends."""


def gains(colour: Colour, hz: F32) -> F32:
    """The colour as linear gains: float32, of the shape of `hz` (float32, Hz)."""
    corners = np.array(colour, np.float64)
    decibels = np.interp(np.log(np.maximum(hz, 1.0)), np.log(corners[:, 0]), corners[:, 1])
    return np.power(10.0, decibels / 20).astype(np.float32)


def blend(quiet: Colour, loud: Colour, share: float) -> Colour:
    """The colour at `share` (0..1) of the way from `quiet` to `loud`; both have points at the same frequencies."""
    return [(hz, a + (b - a) * share) for (hz, a), (_, b) in zip(quiet, loud, strict=True)]


def make_mono(n: int, chance: np.random.Generator, colour: Colour) -> F32:
    """Steady noise of that colour: float32 (n,), RMS 1."""
    size = fft.next_fast_len(n, real=True)
    hz = np.maximum(fft.rfftfreq(size, 1 / SAMPLE_RATE), 1.0).astype(np.float32)
    shape = gains(colour, hz)
    shape[hz < 16] = 0  # inaudible, and no direct current
    spectrum = fft.rfft(chance.standard_normal(size, np.float32)) * shape
    sound: F32 = fft.irfft(spectrum, size)[:n]
    return sound / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-12)


def make_stereo(n: int, chance: np.random.Generator, colour: Colour, width: float = 0.6) -> F32:
    """Steady noise of that colour in stereo: float32 (2, n), RMS 1.

    width: 0 is mono, 1 two independent channels; their correlation is 1 - width.
    """
    if width <= 0:
        middle = make_mono(n, chance, colour)
        return np.stack([middle, middle])
    both = np.stack([make_mono(n, chance, colour), make_mono(n, chance, colour)])
    return set_width(both, width)


def set_width(pair: F32, width: float) -> F32:
    """Two independent signals of equal power, float32 (2, n) -> left and right with correlation 1 - width and the same
    power."""
    common, apart = np.float32(np.sqrt(1 - width / 2)), np.float32(np.sqrt(width / 2))
    return np.stack([common * pair[0] + apart * pair[1], common * pair[0] - apart * pair[1]])


def count_blocks(n: int) -> int:
    """The number of spectra that `make_varying_mono` needs for n samples."""
    return -(-n // BLOCK) + 1


def read_at_blocks(curve: F32, n: int) -> F32:
    """A curve over n samples, float32 of any length, read at the centres of the blocks: float32 (count_blocks(n),)."""
    places = np.arange(count_blocks(n)) * BLOCK / max(n, 1) * len(curve)
    return np.interp(places, np.arange(len(curve)) + 0.5, curve).astype(np.float32)


def make_varying_mono(n: int, chance: np.random.Generator, spectra: F32) -> F32:
    """Noise whose spectrum changes in time: float32 (n,). spectra: gains, float32 (count_blocks(n), len(BINS)).

    Overlap-add of independent Gaussian frames under a sine window: their powers add to one, so a constant spectrum of
    ones gives RMS 1.
    """
    count = count_blocks(n)
    if spectra.shape != (count, len(BINS)):
        raise ValueError(f"spectra must be ({count}, {len(BINS)}) for {n} samples, got {spectra.shape}.")
    # White Gaussian noise has a Gaussian spectrum: drawn as one, it saves a transform.
    real = chance.standard_normal(spectra.shape, np.float32)
    imaginary = chance.standard_normal(spectra.shape, np.float32)
    frames = fft.irfft((real + 1j * imaginary) * (spectra * np.float32(np.sqrt(_WINDOW / 2))), _WINDOW, axis=1)
    frames *= np.sin(np.pi * (np.arange(_WINDOW, dtype=np.float32) + 0.5) / _WINDOW)
    sound = np.zeros((count + 1) * BLOCK, np.float32)
    sound[: count * BLOCK] += frames[:, :BLOCK].ravel()
    sound[BLOCK:] += frames[:, BLOCK:].ravel()
    return sound[BLOCK : BLOCK + n]


def make_varying_stereo(n: int, chance: np.random.Generator, spectra: F32, width: float) -> F32:
    """`make_varying_mono` in stereo, float32 (2, n), of the width that `set_width` makes."""
    return set_width(np.stack([make_varying_mono(n, chance, spectra), make_varying_mono(n, chance, spectra)]), width)


def make_band_spectra(hz: Sequence[float], decibels: F32) -> F32:
    """Spectra for `make_varying_mono`: dB at some frequencies -> linear gains at all bins.

    hz: ascending. decibels: float32 (blocks, len(hz)), linear between over log frequency. float32 (blocks, len(BINS)).
    """
    corners = np.log(np.asarray(hz, np.float64))
    place = np.interp(np.log(BINS), corners, np.arange(len(corners)))
    low = np.minimum(place.astype(int), len(corners) - 2)
    share = (place - low).astype(np.float32)
    table = decibels[:, low] * (1 - share) + decibels[:, low + 1] * share
    result = np.exp(table.astype(np.float32) * np.float32(np.log(10) / 20))
    result[:, BINS < 20] = 0
    return np.asarray(result, np.float32)


def make_drift(n: int, chance: np.random.Generator, hz: float) -> F32:
    """A smooth random curve, up and down about `hz` times a second: float32 (n,), mean 0, variance about 1."""
    knots = int(np.ceil(n / SAMPLE_RATE * hz * 2)) + 6
    at = (np.arange(n, dtype=np.float64) / SAMPLE_RATE * hz * 2) + chance.uniform(1.5, 2.5)
    # A cubic spline through white noise at half-period spacing has a variance of about 0.83; 1.05 makes up for it.
    return np.asarray(CubicSpline(np.arange(knots), chance.standard_normal(knots))(at) * 1.05, np.float32)


def make_turbulence(n: int, chance: np.random.Generator, hz: float, octaves: int = 4) -> F32:
    """A rough random curve, like the speed of wind: octaves of `make_drift` with the spectrum of Kolmogorov's -5/3 law.

    float32 (n,), mean 0, variance about 1. hz: of the slowest octave. Made on a grid of 64 samples, since nothing in it
    is faster than 2^octaves · hz.
    """
    coarse = max(n // 64, 2) + 2
    total = np.zeros(coarse, np.float64)
    power = 0.0
    for octave in range(octaves):
        # Each octave band of a -5/3 spectrum has 2^(-2/3) of the variance of the one below.
        weight = 2.0 ** (-octave / 3)
        total += weight * make_drift(coarse, chance, hz * 2**octave * 64)
        power += weight**2
    fine = np.interp(np.arange(n), np.arange(coarse) * 64.0, total / np.sqrt(power))
    return np.asarray(fine, np.float32)
