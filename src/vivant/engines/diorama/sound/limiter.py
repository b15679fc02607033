"""No wave higher than the ceiling, not even between two samples. Knows peaks, not what they are of."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.sound import levels
from vivant.media import F32, SAMPLE_RATE

_AHEAD: Final = 240  # samples (5 ms) in which the limiter closes before a peak
_RELEASE: Final = 0.05  # s


def limit(sound: F32, ceiling: float) -> F32:
    """A look-ahead limiter: float32 (2, n) whose true peak is at most `ceiling` dBTP; both sides move together.

    The gain that every oversampled peak needs is held for the look-ahead and then averaged over it: a mean of values
    none of which is too high is not too high either. What remains between the samples is taken off by a last gain.
    """
    top = levels.to_gain(ceiling)
    needed = np.minimum(1.0, top / np.maximum(levels.peaks(sound, 0.5 * top), 1e-9)).astype(np.float32)
    if needed.min() >= 1:
        return sound
    width = 2 * _AHEAD + 1
    released = _release(needed, np.float32(1 - np.exp(-1 / (_RELEASE * SAMPLE_RATE))))
    held = ndimage.minimum_filter1d(released, width, mode="nearest")
    smooth = ndimage.uniform_filter1d(held.astype(np.float64), width, mode="nearest").astype(np.float32)
    result = sound * np.minimum(smooth, 1)
    over = levels.true_peak(result) - ceiling
    return np.asarray(result * np.float32(levels.to_gain(-over)) if over > 0 else result, np.float32)


def soft_clip(sound: F32, ceiling: float) -> F32:
    """Peaks bent under the ceiling sample by sample: float32 (2, n). Straight up to 4 dB under it, a tanh above.

    For clicks, which are over before an ear could tell, and which a limiter would pay for with a dip around them.
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
    """Down at once, up slowly."""
    out = np.empty_like(needed)
    gain = np.float32(1.0)
    for i in range(len(needed)):
        gain = min(needed[i], gain + share * (np.float32(1.0) - gain))
        out[i] = gain
    return out
