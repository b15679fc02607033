"""Noise with a colour: the raw material of air, water and fire. Knows spectra and chance, nothing of what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import fft
from scipy.interpolate import CubicSpline

from vivant.media import F32, SAMPLE_RATE

BLOCK: Final = 1024  # samples from one spectrum of `flowing` to the next: 21 ms
_WINDOW: Final = 2 * BLOCK
BINS: Final = np.maximum(fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE), 1.0).astype(
    np.float32
)  # Hz, of a spectrum of `flowing`

Colour = Sequence[tuple[float, float]]
"""Corners (Hz, dB) of a magnitude response, straight in between on log frequency, flat beyond the ends."""


def gains(colour: Colour, hz: F32) -> F32:
    """The colour as linear gain at each of `hz`."""
    corners = np.array(colour, np.float64)
    decibels = np.interp(np.log(np.maximum(hz, 1.0)), np.log(corners[:, 0]), corners[:, 1])
    return np.power(10.0, decibels / 20).astype(np.float32)


def blend(quiet: Colour, loud: Colour, share: float) -> Colour:
    """The colour `share` (0..1) of the way from one to another; both have corners at the same frequencies."""
    return [(hz, a + (b - a) * share) for (hz, a), (_, b) in zip(quiet, loud, strict=True)]


def coloured(n: int, chance: np.random.Generator, colour: Colour) -> F32:
    """Stationary noise of that colour. float32 (n,), RMS 1."""
    size = fft.next_fast_len(n, real=True)
    hz = np.maximum(fft.rfftfreq(size, 1 / SAMPLE_RATE), 1.0).astype(np.float32)
    shape = gains(colour, hz)
    shape[hz < 16] = 0  # nothing to hear there, and no DC
    spectrum = fft.rfft(chance.standard_normal(size, np.float32)) * shape
    sound: F32 = fft.irfft(spectrum, size)[:n]
    return sound / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-12)


def stereo(n: int, chance: np.random.Generator, colour: Colour, width: float = 0.6) -> F32:
    """Stereo noise, float32 (2, n), RMS 1: width 0 is mono, 1 two independent sides (correlation = 1 - width)."""
    if width <= 0:
        middle = coloured(n, chance, colour)
        return np.stack([middle, middle])
    both = np.stack([coloured(n, chance, colour), coloured(n, chance, colour)])
    return set_width(both, width)


def set_width(pair: F32, width: float) -> F32:
    """Two independent signals of equal power -> left and right of correlation 1 - width; power kept."""
    common, apart = np.float32(np.sqrt(1 - width / 2)), np.float32(np.sqrt(width / 2))
    return np.stack([common * pair[0] + apart * pair[1], common * pair[0] - apart * pair[1]])


def block_count(n: int) -> int:
    """How many spectra `flowing` wants for n samples."""
    return -(-n // BLOCK) + 1


def at_blocks(curve: F32, n: int) -> F32:
    """A curve over the whole of n samples, however finely given, at the centres of the blocks. float32 (blocks(n),)."""
    places = np.arange(block_count(n)) * BLOCK / max(n, 1) * len(curve)
    return np.interp(places, np.arange(len(curve)) + 0.5, curve).astype(np.float32)


def time_varying(n: int, chance: np.random.Generator, spectra: F32) -> F32:
    """Noise whose spectrum changes as it goes. spectra: linear gains, (blocks(n), len(BINS)). float32 (n,).

    Overlap-add of independent Gaussian frames under a sine window: their powers add to one, so a constant spectrum of
    ones gives RMS 1.
    """
    count = block_count(n)
    if spectra.shape != (count, len(BINS)):
        raise ValueError(f"spectra must be ({count}, {len(BINS)}) for {n} samples, got {spectra.shape}.")
    # A Gaussian frame has a Gaussian spectrum: drawn there, it saves a transform.
    real = chance.standard_normal(spectra.shape, np.float32)
    imaginary = chance.standard_normal(spectra.shape, np.float32)
    frames = fft.irfft((real + 1j * imaginary) * (spectra * np.float32(np.sqrt(_WINDOW / 2))), _WINDOW, axis=1)
    frames *= np.sin(np.pi * (np.arange(_WINDOW, dtype=np.float32) + 0.5) / _WINDOW)
    sound = np.zeros((count + 1) * BLOCK, np.float32)
    sound[: count * BLOCK] += frames[:, :BLOCK].ravel()
    sound[BLOCK:] += frames[:, BLOCK:].ravel()
    return sound[BLOCK : BLOCK + n]


def stereo_time_varying(n: int, chance: np.random.Generator, spectra: F32, width: float) -> F32:
    """The same in stereo, of the width that `set_width` makes: float32 (2, n)."""
    return set_width(np.stack([time_varying(n, chance, spectra), time_varying(n, chance, spectra)]), width)


def band_spectra(hz: Sequence[float], decibels: F32) -> F32:
    """Spectra for `flowing` from a table: corners `hz` (ascending) and dB (blocks, len(hz)) -> gains (blocks, bins)."""
    corners = np.log(np.asarray(hz, np.float64))
    place = np.interp(np.log(BINS), corners, np.arange(len(corners)))
    low = np.minimum(place.astype(int), len(corners) - 2)
    share = (place - low).astype(np.float32)
    table = decibels[:, low] * (1 - share) + decibels[:, low + 1] * share
    result = np.exp(table.astype(np.float32) * np.float32(np.log(10) / 20))
    result[:, BINS < 20] = 0
    return np.asarray(result, np.float32)


def drift(n: int, chance: np.random.Generator, hz: float) -> F32:
    """A smooth random curve that wanders about `hz` times a second. float32 (n,), mean 0, variance about 1."""
    knots = int(np.ceil(n / SAMPLE_RATE * hz * 2)) + 6
    at = (np.arange(n, dtype=np.float64) / SAMPLE_RATE * hz * 2) + chance.uniform(1.5, 2.5)
    # A cubic through white knots at half-period spacing has variance ~0.83; the constant brings it back to one.
    return np.asarray(CubicSpline(np.arange(knots), chance.standard_normal(knots))(at) * 1.05, np.float32)


def turbulence(n: int, chance: np.random.Generator, hz: float, octaves: int = 4) -> F32:
    """A rough random curve: octaves of `drift` falling by 5/6 octave power as wind speed does (Kolmogorov's -5/3).

    float32 (n,), zero mean, variance about 1. Made on a coarse grid, as nothing in it is faster than 2^octaves · hz.
    """
    coarse = max(n // 64, 2) + 2
    total = np.zeros(coarse, np.float64)
    power = 0.0
    for octave in range(octaves):
        weight = 2.0 ** (-octave / 3)  # variance of an octave band of a -5/3 spectrum falls by 2^(-2/3)
        total += weight * drift(coarse, chance, hz * 2**octave * 64)
        power += weight**2
    fine = np.interp(np.arange(n), np.arange(coarse) * 64.0, total / np.sqrt(power))
    return np.asarray(fine, np.float32)
