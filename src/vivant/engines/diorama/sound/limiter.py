"""Keeps peaks under a ceiling, between the samples too: a look-ahead limiter, and a soft clipper for clicks."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.sound import levels
from vivant.media import F32, SAMPLE_RATE

_AHEAD: Final = 240  # samples (5 ms) over which the gain falls before a peak
_RELEASE: Final = 0.05  # s


def limit(sound: F32, ceiling: float) -> F32:
    """A look-ahead limiter: float32 (2, n) -> float32 (2, n) whose true peak is at most `ceiling` dBTP.

    Both channels get the same gain, so that the stereo image stays. The gain that every oversampled peak needs is held
    for the look-ahead and then averaged over it: a mean of gains that are all low enough is low enough. A last constant
    gain takes off what the interpolation between samples still lets through.
    """
    top = levels.to_gain(ceiling)
    needed = np.minimum(1.0, top / np.maximum(levels.find_peaks(sound, 0.5 * top), 1e-9)).astype(np.float32)
    if needed.min() >= 1:
        return sound
    width = 2 * _AHEAD + 1
    released = _release(needed, np.float32(1 - np.exp(-1 / (_RELEASE * SAMPLE_RATE))))
    held = ndimage.minimum_filter1d(released, width, mode="nearest")
    smooth = ndimage.uniform_filter1d(held.astype(np.float64), width, mode="nearest").astype(np.float32)
    result = sound * np.minimum(smooth, 1)
    over = levels.measure_true_peak(result) - ceiling
    return np.asarray(result * np.float32(levels.to_gain(-over)) if over > 0 else result, np.float32)


def soft_clip(sound: F32, ceiling: float) -> F32:
    """Soft clipping, sample by sample: float32 (2, n) -> float32 (2, n), under `ceiling` dBFS.

    Linear up to 4 dB under the ceiling, a tanh above. For clicks: they are too short for the distortion to be heard,
    and a limiter would audibly lower all that sounds around them.
    """
    top = levels.to_gain(ceiling)
    straight = 0.63 * top
    height = np.abs(sound)
    if height.max() <= straight:
        return sound
    bent = straight + (top - straight) * np.tanh(np.maximum(height - straight, 0) / (top - straight))
    return np.asarray(np.where(height > straight, np.copysign(bent, sound), sound), np.float32)


@kernel
def _release(needed: F32, share: np.float32) -> F32:
    """The gain falls at once and rises by `share` of the difference per sample."""
    out = np.empty_like(needed)
    gain = np.float32(1.0)
    for i in range(len(needed)):
        gain = min(needed[i], gain + share * (np.float32(1.0) - gain))
        out[i] = gain
    return out
