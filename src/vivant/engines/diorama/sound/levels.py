"""Perceived loudness and true peak, as ITU-R BS.1770-4 defines them. Sound is float32 (2, n) at 48 kHz."""

from __future__ import annotations

from typing import Final, overload

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from vivant.engines.diorama.kernels import kernel
from vivant.media import F32, SAMPLE_RATE

# BS.1770-4, tables 1 and 2: the K-weighting at 48 kHz: a shelf for the effect of the head, then a high-pass.
_K_WEIGHTING: Final = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
_BLOCK: Final = SAMPLE_RATE * 4 // 10  # gating block: 400 ms
_STEP: Final = _BLOCK // 4  # overlap 75 %
_ABSOLUTE: Final = -70.0  # LUFS
_RELATIVE: Final = -10.0  # LU under the loudness of what passed the absolute gate
OVERSAMPLING: Final = 4
_REACH: Final = 16  # samples on either side from which a point between two samples is interpolated; the standard: 6
# Row p - 1: interpolation weights of the point p/4 of the way from a sample to the next, a Kaiser-windowed sinc.
_PHASES: Final = np.stack(
    [
        np.sinc(k) * np.i0(7.0 * np.sqrt(np.maximum(0, 1 - (k / (_REACH + 1)) ** 2))) / np.i0(7.0)
        for k in (np.arange(1 - _REACH, _REACH + 1) - p / OVERSAMPLING for p in range(1, OVERSAMPLING))
    ]
).astype(np.float32)


def _block_powers(samples: F32) -> NDArray[np.float64]:
    """Mean square of the K-weighted sum of channels in each gating block; a clip under 400 ms is one short block."""
    weighted = signal.sosfilt(_K_WEIGHTING, samples.astype(np.float64), axis=1)
    energy = np.concatenate([[0.0], np.cumsum(np.sum(weighted**2, axis=0))])
    n = samples.shape[1]
    if n < _BLOCK:
        return np.array([energy[-1] / max(n, 1)])
    starts = np.arange(0, n - _BLOCK + 1, _STEP)
    return np.asarray((energy[starts + _BLOCK] - energy[starts]) / _BLOCK)


def _lufs(power: float) -> float:
    return -0.691 + 10 * float(np.log10(power)) if power > 0 else -np.inf


@overload
def to_gain(decibels: float) -> float: ...
@overload
def to_gain(decibels: NDArray[np.float64]) -> NDArray[np.float64]: ...
def to_gain(decibels: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
    """The factor of amplitude of so many decibels, a number or float64 of any shape."""
    return 10 ** (decibels / 20)


def measure_loudness(samples: F32) -> float:
    """Gated loudness of float32 (2, n), in LUFS; -inf where no block is louder than -70 LUFS."""
    powers = _block_powers(samples)
    loud = powers[powers > 10 ** ((_ABSOLUTE + 0.691) / 10)]
    if not len(loud):
        return -np.inf
    gate = _lufs(float(np.mean(loud))) + _RELATIVE
    return _lufs(float(np.mean(loud[loud > 10 ** ((gate + 0.691) / 10)])))


def measure_momentary_loudness(samples: F32) -> NDArray[np.float64]:
    """Loudness of each block of 400 ms, 100 ms apart, without a gate: float64 (blocks,), LUFS."""
    powers = _block_powers(samples)
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10 * np.log10(powers))


def find_peaks(samples: F32, floor: float = 0.0) -> F32:
    """The highest |value| of either channel of float32 (2, n) from each sample to the next, oversampled 4 times:
    float32 (n,).

    Between two samples that are both under `floor` nothing is interpolated and the sample's own |value| is given. To
    find what is over a limit, half of the limit is a safe floor.
    """
    return _peaks(np.ascontiguousarray(samples, np.float32), _PHASES, np.float32(floor))


@kernel
def _peaks(samples: F32, phases: F32, floor: np.float32) -> F32:
    channels, n = samples.shape
    reach = phases.shape[1] // 2
    out = np.zeros(n, np.float32)
    for c in range(channels):
        padded = np.zeros(n + 2 * reach, np.float32)
        padded[reach : reach + n] = samples[c]
        for i in range(n):
            here, after = abs(padded[reach + i]), abs(padded[reach + i + 1])
            highest = here
            if max(here, after) >= floor:
                for p in range(phases.shape[0]):
                    value = np.float32(0.0)
                    for k in range(2 * reach):
                        value += phases[p, k] * padded[i + 1 + k]
                    highest = max(highest, abs(value))
            out[i] = max(out[i], highest)
    return out


def measure_true_peak(samples: F32) -> float:
    """The highest point of float32 (2, n), between the samples too (4 times oversampled), in dBTP; -inf for silence."""
    floor = 0.5 * float(np.abs(samples).max(initial=0))  # the highest point has a sample of half its height beside it
    highest = float(find_peaks(samples, floor).max(initial=0))
    return 20 * float(np.log10(highest)) if highest > 0 else -np.inf
