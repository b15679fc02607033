"""Voice effects on finished speech: spectral tilt, saturation, breath, whisper, tremor. The length never changes.

All functions take and return mono float32 (n,); rate is in Hz.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.signal import butter, istft, lfilter, sosfilt, stft

from vivant.engines.diorama.sound import levels
from vivant.media import F32


def tilt_spectrum(samples: F32, rate: int, decibels: float) -> F32:
    """High shelf at 1.6 kHz: brighter as with effort, or duller. RBJ cookbook, shelf slope 0.7."""
    if not decibels:
        return samples
    gain, corner = 10 ** (decibels / 40), 2 * np.pi * 1600 / rate
    alpha = np.sin(corner) / 2 * np.sqrt((gain + 1 / gain) * (1 / 0.7 - 1) + 2)
    c, root = np.cos(corner), 2 * np.sqrt(gain) * alpha
    b = [gain * ((gain + 1) + (gain - 1) * c + root), -2 * gain * ((gain - 1) + (gain + 1) * c)]
    b.append(gain * ((gain + 1) + (gain - 1) * c - root))
    a = [(gain + 1) - (gain - 1) * c + root, 2 * ((gain - 1) - (gain + 1) * c), (gain + 1) - (gain - 1) * c - root]
    return np.asarray(lfilter(b, a, samples), np.float32)


def saturate(samples: F32, effort: float) -> F32:
    """Soft saturation, which adds the even and odd harmonics of a pressed voice. effort: 0..1."""
    if not effort:
        return samples
    peak = float(np.abs(samples).max()) or 1.0
    drive, lean = 1 + 3 * effort, 0.15 * effort
    bent = np.tanh(drive * samples / peak + lean) - np.tanh(lean)
    return np.asarray(bent / np.abs(bent).max() * peak, np.float32)


def add_breath(samples: F32, rate: int, breath: float, chance: np.random.Generator) -> F32:
    """A mix of the voice and its whisper. breath: 0 is only the voice, 1 only the whisper.

    A whisper has no vibration of the vocal folds: it is noise through the spectral envelope of the speech, less the
    lowest octaves (Jovičić 1998: vowels lose 20 dB under 500 Hz).
    """
    if not breath:
        return samples
    noise = _whisper(samples, rate, chance)
    return np.asarray(np.sqrt(1 - breath**2) * samples + breath * noise, np.float32)


def add_tremor(samples: F32, rate: int, tremor: float, chance: np.random.Generator) -> F32:
    """Unsteady loudness at 4 to 7 Hz, as in old voices. tremor: 0..1; at 1 about 4 dB from lowest to highest."""
    if not tremor:
        return samples
    seconds = np.arange(len(samples)) / rate
    wave = np.zeros(len(samples))
    for frequency in chance.uniform(4, 7, 3):
        wave += np.sin(2 * np.pi * (frequency * seconds + chance.uniform())) / 3
    return np.asarray(samples * levels.to_gain(tremor * 2.6 * wave), np.float32)


_FRAME: Final = 0.024  # seconds; long enough to resolve formants, short enough for stops


def _whisper(samples: F32, rate: int, chance: np.random.Generator) -> F32:
    """The whisper of some speech, of the same power."""
    size = round(_FRAME * rate)
    shape = {"fs": rate, "nperseg": size, "noverlap": size * 3 // 4, "nfft": 2 * size}
    frequency, _, speech = stft(samples, **shape)
    _, _, noise = stft(chance.standard_normal(len(samples)), **shape)
    envelope = _envelope(np.abs(speech), rate, 2 * size)
    flat = noise / _envelope(np.abs(noise), rate, 2 * size).mean()
    _, sound = istft(envelope * flat * _whisper_gain(frequency)[:, None], **shape)
    made = np.zeros(len(samples))
    made[: min(len(sound), len(samples))] = sound[: len(samples)]
    power = float(np.sqrt(np.mean(samples**2)) / (np.sqrt(np.mean(made**2)) + 1e-12))
    return np.asarray(made * power, np.float32)


def _envelope(magnitude: np.ndarray[tuple[int, int], np.dtype[np.float64]], rate: int, size: int) -> np.ndarray:
    """The spectral envelope by the cepstrum: quefrencies over 2 ms, which are the pitch, are left out.

    magnitude: (size // 2 + 1, frames); the same shape is returned.
    """
    cepstrum = np.fft.irfft(np.log(magnitude + 1e-7), axis=0)
    keep = round(0.002 * rate)
    window = np.zeros(size)
    window[:keep] = 0.5 + 0.5 * np.cos(np.pi * np.arange(keep) / keep)
    window[-keep + 1 :] = window[1:keep][::-1]
    return np.asarray(np.exp(np.fft.rfft(cepstrum * window[:, None], axis=0).real))


def _whisper_gain(
    frequency: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The gain of a whisper relative to voice at each frequency (Hz)."""
    low = 1 / (1 + (450 / np.maximum(frequency, 1)) ** 4)
    return np.asarray(np.sqrt(low) * (1 + np.minimum(frequency, 3000) / 4000))


def remove_rumble(samples: F32, rate: int) -> F32:
    """High-pass at 60 Hz, below any voice."""
    return np.asarray(sosfilt(butter(2, 60, "highpass", fs=rate, output="sos"), samples), np.float32)
