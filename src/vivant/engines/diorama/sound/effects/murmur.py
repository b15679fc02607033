"""A synthetic voice that talks without words: glottal pulses through moving formants, in syllables, phrases and pauses.

It is good enough among many, not alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import fft

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.sound.effects import noise
from vivant.media import F32

RATE: Final = 24_000  # Hz; voices have little energy above 12 kHz
_TICK: Final = 96  # samples (4 ms) between two values of the curves of a voice
_PER_SECOND: Final = RATE / _TICK  # ticks
# F1, F2, F3 in Hz of a man's vowels (Peterson & Barney 1952), the neutral one, which is the most frequent, twice.
_VOWELS: Final = np.array(
    [
        [730, 1090, 2440], [570, 840, 2410], [660, 1720, 2410], [530, 1840, 2480], [270, 2290, 3010],
        [390, 1990, 2550], [300, 870, 2240], [440, 1020, 2240], [500, 1500, 2500], [500, 1500, 2500],
    ],
    np.float32,
)  # fmt: skip
_WIDTH: Final = (90.0, 110.0, 160.0, 250.0, 350.0, 450.0)  # Hz, bandwidths of the formants
_HISSES: Final = (2900.0, 3400.0, 5600.0, 6800.0, 8200.0)  # Hz, where fricatives are strongest: sh, ch, s, s, f
# (Hz, dB) that brings the long-term spectrum of the six resonances to that of speech (Byrne et al. 1994).
_LIFT: Final = ((70, 8), (180, 6), (450, 0), (900, 5), (1800, 9), (3200, 10), (4500, 10), (8000, 8), (11500, 4))


@dataclass(frozen=True, slots=True, eq=False)
class _VoiceCurves:
    """The parameters of a voice at each tick, float32 (ticks,): pitch and hiss_hz in Hz, voiced and hiss as amplitudes
    0..1; formants: Hz, (ticks, 3)."""

    pitch: F32
    voiced: F32
    hiss: F32
    hiss_hz: F32
    formants: F32


def talk(n: int, chance: np.random.Generator, lively: float) -> F32:
    """float32 (n,) at 24 kHz: phrases of about 4.5 syllables a second, with pauses. lively: 0..1, shortens the pauses
    and widens the range of pitch."""
    ticks = n // _TICK + 2
    woman = chance.random() < 0.5
    base = chance.uniform(170, 225) if woman else chance.uniform(92, 135)
    throat = (1.16 if woman else 1.0) * chance.uniform(0.95, 1.06)
    pace = chance.uniform(3.9, 5.6)  # syllables a second
    voice = _VoiceCurves(
        pitch=np.full(ticks, base, np.float32),
        voiced=np.zeros(ticks, np.float32),
        hiss=np.zeros(ticks, np.float32),
        hiss_hz=np.full(ticks, 5000, np.float32),
        formants=np.tile(_VOWELS[8] * np.float32(throat), (ticks, 1)),
    )
    at = int(chance.uniform(-1.5, 0.6) * _PER_SECOND)
    while at < ticks:
        at = _phrase(voice, at, base, throat, pace, lively, chance)
        at += int(chance.uniform(0.25, 1.9 - 0.9 * lively) * _PER_SECOND)
    _smooth(voice)
    jitter = 1 + 0.010 * np.interp(
        np.arange(ticks),
        np.arange(0, ticks + 4, 4),
        chance.standard_normal(ticks // 4 + 2)[: len(np.arange(0, ticks + 4, 4))],
    )
    breath = chance.standard_normal(n, np.float32)
    pitch = np.asarray(voice.pitch * jitter, np.float32)
    return _throat(n, pitch, voice.voiced, voice.hiss, voice.hiss_hz, voice.formants, breath)


def to_sample_rate(sides: F32, n: int) -> F32:
    """Voices at 24 kHz, float32 (2, m) -> 48 kHz, float32 (2, n), with the long-term spectrum of speech."""
    spectrum = fft.rfft(sides, axis=1)
    hz = fft.rfftfreq(sides.shape[1], 1 / RATE).astype(np.float32)
    whole = np.zeros((2, n // 2 + 1), np.complex64)
    whole[:, : spectrum.shape[1]] = spectrum * noise.gains(_LIFT, hz) * np.float32(n / sides.shape[1])
    return np.asarray(fft.irfft(whole, n, axis=1), np.float32)


def _phrase(
    voice: _VoiceCurves, at: int, base: float, throat: float, pace: float, lively: float, chance: np.random.Generator
) -> int:
    """Writes 4 to 14 syllables from tick `at` on, with falling pitch and accents. Returns the tick of the end."""
    syllables, start = int(chance.integers(4, 15)), at
    accents: list[tuple[float, float]] = []
    for k in range(syllables):
        stressed, last = chance.random() < 0.38, k == syllables - 1
        seconds = np.exp(0.25 * chance.standard_normal()) * (1.3 if stressed else 0.85) * (1.5 if last else 1) / pace
        lasting = max(int(seconds * _PER_SECOND), 12)
        if stressed or last:
            height = chance.choice([-0.25, -0.18, 0.35]) if last else chance.uniform(0.12, 0.28 + 0.28 * lively)
            accents.append((at + chance.uniform(0.35, 0.8) * lasting, float(height)))
        _syllable(voice, at, lasting, 1.0 if stressed else 0.62, throat, chance)
        at += lasting
    first, end = max(start, 0), min(at, len(voice.pitch))
    if first < end:
        time = np.arange(first, end)
        melody = chance.uniform(0.08, 0.18) - 0.34 * (time - start) / (at - start)
        for moment, height in accents:
            melody = melody + height * np.exp(-0.5 * ((time - moment) / (0.075 * _PER_SECOND)) ** 2)
        voice.pitch[first:end] = base * chance.uniform(0.94, 1.1) * np.exp(melody)
    return at


def _syllable(
    voice: _VoiceCurves, at: int, lasting: int, loud: float, throat: float, chance: np.random.Generator
) -> None:
    """Writes a consonant and a vowel or diphthong, with formant transitions at both ends, over `lasting` ticks."""
    first, last = max(at, 0), min(at + lasting, len(voice.pitch))
    if first >= last:
        return
    place = (np.arange(first, last) - at) / lasting
    vowel = int(chance.integers(len(_VOWELS)))
    target = int(chance.integers(len(_VOWELS))) if chance.random() < 0.4 else vowel
    onset = chance.uniform(0.18, 0.38)
    kind = chance.choice(4, p=(0.30, 0.28, 0.28, 0.14))  # stop, fricative, nasal or glide, none
    opening = np.clip((place - onset * 0.6) / (onset * 0.6), 0, 1)
    closing = np.clip((1 - place) / 0.25, 0, 1) ** 0.7
    body = opening * closing
    if kind == 2:
        body = np.maximum(body, 0.32 * closing)
    elif kind == 3:
        body = np.minimum(np.clip(place / 0.12, 0, 1), closing)
    voice.voiced[first:last] = loud * body / _LOUDNESS[vowel]

    steady = _VOWELS[vowel] + (_VOWELS[target] - _VOWELS[vowel]) * np.clip((place[:, None] - 0.3) / 0.5, 0, 1)
    before, after = (np.array([280, chance.uniform(800, 2100), chance.uniform(2200, 2800)]) for _ in range(2))
    pull_on, pull_off = (1 - opening)[:, None], np.clip((place[:, None] - 0.7) / 0.3, 0, 1) ** 1.5
    shaped = steady + (before - steady) * 0.85 * pull_on
    voice.formants[first:last] = (shaped + (after - shaped) * 0.7 * pull_off) * throat

    voice.hiss_hz[first:last] = _HISSES[chance.integers(len(_HISSES))]
    if kind == 1:
        width = np.clip(place / (onset + 0.12), 0, 1)
        voice.hiss[first:last] = 0.6 * loud * np.sin(np.pi * width) * chance.uniform(0.4, 1)
    elif kind == 0:
        voice.hiss[first:last] = (
            0.8 * loud * np.exp(-0.5 * ((place - onset * 0.6) / 0.035) ** 2) * chance.uniform(0.3, 1)
        )


def _smooth(voice: _VoiceCurves) -> None:
    """Smooths each curve in place: lips and tongue cannot move at once."""
    for curve, width in ((voice.voiced, 5), (voice.hiss, 5), (voice.pitch, 9)):
        weights = np.hanning(width + 2)[1:-1]
        curve[:] = np.convolve(np.pad(curve, width // 2, mode="edge"), weights / weights.sum(), "valid")
    for k in range(3):
        voice.formants[:, k] = np.convolve(np.pad(voice.formants[:, k], 5, mode="edge"), np.ones(11) / 11, "valid")


def _loudness() -> F32:
    """The gain of each vowel's formants for a source that falls by 6 dB an octave, to make them equally loud: float32
    (vowels,)."""
    hz = np.geomspace(120, 5000, 300)
    z = np.exp(-2j * np.pi * hz / RATE)
    gain = np.ones((len(_VOWELS), len(hz)), np.complex128)
    for k in range(3):
        r = np.exp(-np.pi * _WIDTH[k] / RATE)
        turn = 2 * r * np.cos(2 * np.pi * _VOWELS[:, k : k + 1] / RATE)
        gain *= (1 - turn + r * r) / (1 - turn * z + r * r * z * z)
    # Frequencies evenly spaced on a log scale weigh by 1/f already, which is half of the fall.
    return np.asarray(np.sqrt(np.mean(np.abs(gain) ** 2 * (120 / hz), axis=1)) * 4, np.float32)


_LOUDNESS: Final = _loudness()


@kernel
def _throat(n: int, pitch: F32, voiced: F32, hiss: F32, hiss_hz: F32, formants: F32, breath: F32) -> F32:
    """Glottal pulses (Rosenberg's, differentiated) through six formants in cascade, and noise through one resonance for
    fricatives: float32 (n,). The curves are (ticks,), breath is white noise (n,)."""
    out = np.zeros(n, np.float32)
    state = np.zeros((7, 2))
    coefficient = np.zeros((7, 3))
    phase, before = 0.0, 0.0
    fixed = (3500.0, 4500.0, 5800.0)
    for i in range(n):
        tick = i // _TICK
        share = (i - tick * _TICK) / _TICK
        if i % _TICK == 0:
            for k in range(7):
                width = _WIDTH[k] if k < 6 else 0.35 * hiss_hz[tick]
                hz = hiss_hz[tick] if k == 6 else (formants[tick, k] if k < 3 else fixed[k - 3])
                r = np.exp(-np.pi * width / RATE)
                coefficient[k, 1] = 2 * r * np.cos(2 * np.pi * hz / RATE)
                coefficient[k, 2] = -r * r
                coefficient[k, 0] = 1 - coefficient[k, 1] - coefficient[k, 2] if k < 6 else 1 - r * r
        loud = voiced[tick] + share * (voiced[tick + 1] - voiced[tick])
        rough = hiss[tick] + share * (hiss[tick + 1] - hiss[tick])
        if loud < 1e-4 and rough < 1e-4 and abs(state[5, 0]) < 1e-7:
            continue
        phase += pitch[tick] / RATE
        if phase >= 1:
            phase -= 1
        # Rosenberg's pulse: opens over 40 % of the period, closes over 16 %.
        if phase < 0.40:
            flow = 0.5 - 0.5 * np.cos(np.pi * phase / 0.40)
        elif phase < 0.56:
            flow = np.cos(0.5 * np.pi * (phase - 0.40) / 0.16)
        else:
            flow = 0.0
        value = loud * ((flow - before) * 6 + 0.02 * breath[i] * flow)
        before = flow
        for k in range(6):
            value = coefficient[k, 0] * value + coefficient[k, 1] * state[k, 0] + coefficient[k, 2] * state[k, 1]
            state[k, 1] = state[k, 0]
            state[k, 0] = value
        air = coefficient[6, 0] * breath[i] + coefficient[6, 1] * state[6, 0] + coefficient[6, 2] * state[6, 1]
        edge = air - state[6, 1]
        state[6, 1] = state[6, 0]
        state[6, 0] = air
        out[i] = value + 0.09 * rough * edge
    return out
