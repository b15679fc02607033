"""A crowd: many synthetic people talking at once, each with a throat, a pitch and turns to take. No word is said."""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
from scipy import fft

from vivant.engines.diorama.random import rng
from vivant.engines.diorama.sound import space
from vivant.engines.diorama.sound.effects import follow, noise
from vivant.engines.diorama.timeline import Bed, Timeline
from vivant.media import F32, SAMPLE_RATE

_RATE: Final = 24_000  # Hz: voices have nothing to say above 12 kHz
_TICK: Final = 96  # samples between two settings of a throat: 4 ms
# F1, F2, F3 in Hz of a man's vowels (Peterson & Barney 1952), frequent ones more often.
_VOWELS: Final = np.array(
    [
        [730, 1090, 2440], [570, 840, 2410], [660, 1720, 2410], [530, 1840, 2480], [270, 2290, 3010],
        [390, 1990, 2550], [300, 870, 2240], [440, 1020, 2240], [500, 1500, 2500], [500, 1500, 2500],
    ],
    np.float32,
)  # fmt: skip
_WIDTH: Final = (90.0, 110.0, 160.0, 250.0, 350.0, 450.0)  # Hz, bandwidths of the formants
_LIFT: Final = ((80, 0), (450, 0), (900, 6), (1800, 10), (3200, 11), (4500, 13), (8000, 13), (11500, 8))


def _loudness() -> F32:
    """How strongly each vowel's formants pass a voice that falls by 6 dB an octave: to speak them all as loudly."""
    hz = np.geomspace(120, 5000, 300)
    z = np.exp(-2j * np.pi * hz / _RATE)
    gain = np.ones((len(_VOWELS), len(hz)), np.complex128)
    for k in range(3):
        r = np.exp(-np.pi * _WIDTH[k] / _RATE)
        turn = 2 * r * np.cos(2 * np.pi * _VOWELS[:, k : k + 1] / _RATE)
        gain *= (1 - turn + r * r) / (1 - turn * z + r * r * z * z)
    # Even spacing on a log scale already weighs by 1/f: half of the fall.
    return np.asarray(np.sqrt(np.mean(np.abs(gain) ** 2 * (120 / hz), axis=1)) * 4, np.float32)


_LOUDNESS: Final = _loudness()


def bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n). Strength is how many talk, from a table of a café to a full square, and how excitedly."""
    n = follow.length(bed)
    short = n * _RATE // SAMPLE_RATE
    near, far = np.zeros((2, short), np.float32), np.zeros((2, short), np.float32)
    edge = np.clip(np.minimum(np.arange(short), np.arange(short)[::-1]) / (0.03 * _RATE), 0, 1).astype(np.float32)
    for number in range(6 + round(8 * bed.strength)):
        chance = rng(timeline.seed, f"crowd/{number}")
        voice = _talk(short, chance, 0.35 + 0.65 * bed.strength)
        most = 4 * float(np.sqrt(np.mean(voice**2))) + 1e-6
        voice = np.float32(most) * np.tanh(voice / np.float32(most))  # no single vowel stands out of the murmur
        near += _at(voice, chance.uniform(0.1, 0.9)) * np.float32(1 / chance.uniform(1.0, 3.0))
        # The same people stand for two or three more, farther off: at another moment of their talk.
        for _ in range(2 + (bed.strength > 0.5)):
            other = np.roll(voice * edge, int(chance.integers(short // 6, 5 * short // 6)))
            far += _at(other, chance.uniform(0, 1)) * np.float32(chance.uniform(0.3, 0.8))
    near, far = _voiced_up(near, n), _voiced_up(far, n)
    # Those far off are heard by way of walls and ground more than straight.
    around = space.reverberate(far, space.response(max(0.3, timeline.room), timeline.seed))
    distant = np.float32(0.35) * space.air(far, 0.8) + np.float32(0.55) * around
    return space.air(np.asarray(near + distant * (0.5 + bed.strength), np.float32), bed.depth)


def _at(mono: F32, share: float) -> F32:
    """Mono -> (2, n), equal power, share 0 left .. 1 right."""
    return np.stack([mono * np.float32(np.sqrt(1 - share)), mono * np.float32(np.sqrt(share))])


def _voiced_up(sides: F32, n: int) -> F32:
    """24 kHz -> 48 kHz, and the treble that a throat of six resonances lacks: with it the long-term spectrum is
    that of speech (Byrne et al. 1994), falling some 6 to 9 dB an octave above 500 Hz."""
    spectrum = fft.rfft(sides, axis=1)
    hz = fft.rfftfreq(sides.shape[1], 1 / _RATE).astype(np.float32)
    whole = np.zeros((2, n // 2 + 1), np.complex64)
    whole[:, : spectrum.shape[1]] = spectrum * noise.gains(_LIFT, hz) * np.float32(n / sides.shape[1])
    return np.asarray(fft.irfft(whole, n, axis=1), np.float32)


def _talk(n: int, chance: np.random.Generator, lively: float) -> F32:
    """One person's murmur, mono (n,) at 24 kHz: phrases of syllables at some 4.5 a second, with pauses to listen."""
    ticks = n // _TICK + 2
    pitch, voiced, hiss = np.zeros(ticks, np.float32), np.zeros(ticks, np.float32), np.zeros(ticks, np.float32)
    formants = np.tile(_VOWELS[8], (ticks, 1)).astype(np.float32)
    woman = chance.random() < 0.5
    base = chance.uniform(175, 235) if woman else chance.uniform(95, 140)
    throat = (1.16 if woman else 1.0) * chance.uniform(0.95, 1.06)
    pace = chance.uniform(3.9, 5.6)
    at = int(chance.uniform(-1.5, 0.6) * _RATE / _TICK)
    while at < ticks:
        syllables = int(chance.integers(4, 15))
        spoken, top = base * chance.uniform(0.92, 1.12), 1 + 0.15 + 0.3 * lively
        for k in range(syllables):
            stressed = chance.random() < 0.38
            lasting = max(
                int(_RATE / _TICK / pace * np.exp(0.25 * chance.standard_normal()) * (1.3 if stressed else 0.85)), 12
            )
            fall = top - (top - 0.82) * k / syllables
            rise = chance.uniform(1.08, 1.35) if stressed else chance.uniform(0.90, 1.03)
            if k == syllables - 1:
                lasting, rise = int(1.5 * lasting), chance.choice([0.75, 0.82, 1.35])
            _syllable(
                at,
                lasting,
                spoken * fall,
                rise,
                (1.0 if stressed else 0.62),
                throat,
                pitch,
                voiced,
                hiss,
                formants,
                chance,
            )
            at += lasting
        at += int(chance.uniform(0.25, 1.9 - 0.9 * lively) * _RATE / _TICK)
    smooth = np.array([1, 2, 3, 2, 1], np.float32) / 9
    voiced, hiss = (np.asarray(np.convolve(curve, smooth, "same"), np.float32) for curve in (voiced, hiss))
    for i in range(3):
        formants[:, i] = np.convolve(np.pad(formants[:, i], 6, mode="edge"), np.ones(13, np.float32) / 13, "valid")
    pitch[pitch == 0] = base
    pitch = np.convolve(np.pad(pitch, 8, mode="edge"), np.hanning(19)[1:-1] / np.hanning(19).sum(), "valid")
    breath = chance.standard_normal(n, np.float32)
    wander = (1 + 0.012 * np.repeat(chance.standard_normal(ticks // 3 + 2), 3)[:ticks]).astype(np.float32)
    return np.asarray(
        _throat(n, (pitch * wander).astype(np.float32), voiced, hiss, formants, breath),
        np.float32,
    )


def _syllable(
    at: int, lasting: int, hz: float, rise: float, loud: float, throat: float,
    pitch: F32, voiced: F32, hiss: F32, formants: F32, chance: np.random.Generator,
) -> None:  # fmt: skip
    """Write one syllable, a consonant and a vowel (and sometimes a coda), into the settings of a throat."""
    first, last = max(at, 0), min(at + lasting, len(pitch))
    if first >= last:
        return
    place = (np.arange(first, last) - at) / lasting
    chosen = chance.integers(len(_VOWELS))
    vowel = _VOWELS[chosen] * throat
    onset = chance.uniform(0.16, 0.34)
    kind = chance.choice(4, p=(0.32, 0.24, 0.28, 0.16))  # stop, fricative, nasal or glide, none
    opening = np.clip((place - onset * 0.6) / (onset * 0.4), 0, 1)
    closing = np.clip((1 - place) / 0.22, 0, 1) ** 0.7
    body = opening * closing
    if kind == 2:
        body = np.maximum(body, 0.32 * closing)
    elif kind == 3:
        body = np.minimum(np.clip(place / 0.12, 0, 1), closing)
    voiced[first:last] = loud * body / _LOUDNESS[chosen]
    pitch[first:last] = hz * (1 + (rise - 1) * np.sin(np.pi * np.minimum(place * 0.8, 1)))
    glide = vowel * np.where(np.arange(3) == 1, chance.uniform(0.8, 1.2), chance.uniform(0.9, 1.05))
    formants[first:last] = vowel + (glide - vowel) * place[:, None] ** 2
    locus = np.array([250, chance.uniform(900, 1900), 2500], np.float32) * throat
    formants[first:last] += (locus - formants[first:last]) * (1 - opening)[:, None] * 0.8
    if kind == 1:
        hiss[first:last] = 0.5 * loud * np.sin(np.pi * np.clip(place / (onset + 0.05), 0, 1)) * chance.uniform(0.4, 1)
    elif kind == 0:
        burst = np.exp(-0.5 * ((place - onset * 0.6) / 0.035) ** 2)
        hiss[first:last] = 0.7 * loud * burst * chance.uniform(0.3, 1)


@numba.njit(nogil=True, cache=True)
def _throat(n, pitch, voiced, hiss, formants, breath):  # type: ignore[no-untyped-def]
    """Glottal pulses (Rosenberg's, differentiated) and breath through six formants in cascade, set every _TICK."""
    out = np.zeros(n, np.float32)
    state = np.zeros((6, 2))
    coefficient = np.zeros((6, 3))
    phase, before, high, loud, rough = 0.0, 0.0, 0.0, 0.0, 0.0
    fixed = (3500.0, 4500.0, 5800.0)
    for i in range(n):
        tick = i // _TICK
        share = (i - tick * _TICK) / _TICK
        if i % _TICK == 0:
            for k in range(6):
                hz = formants[tick, k] if k < 3 else fixed[k - 3]
                r = np.exp(-np.pi * _WIDTH[k] / _RATE)
                coefficient[k, 1] = 2 * r * np.cos(2 * np.pi * hz / _RATE)
                coefficient[k, 2] = -r * r
                coefficient[k, 0] = 1 - coefficient[k, 1] - coefficient[k, 2]
        loud = voiced[tick] + share * (voiced[tick + 1] - voiced[tick])
        rough = hiss[tick] + share * (hiss[tick + 1] - hiss[tick])
        if loud < 1e-4 and rough < 1e-4 and abs(state[5, 0]) < 1e-7:
            continue
        phase += pitch[tick] / _RATE
        if phase >= 1:
            phase -= 1
        # Rosenberg's pulse: opens over 40 % of the period, closes over 16 %.
        if phase < 0.40:
            flow = 0.5 - 0.5 * np.cos(np.pi * phase / 0.40)
        elif phase < 0.56:
            flow = np.cos(0.5 * np.pi * (phase - 0.40) / 0.16)
        else:
            flow = 0.0
        source = loud * ((flow - before) * 6 + 0.02 * breath[i] * flow)
        before = flow
        value = source
        for k in range(6):
            value = coefficient[k, 0] * value + coefficient[k, 1] * state[k, 0] + coefficient[k, 2] * state[k, 1]
            state[k, 1] = state[k, 0]
            state[k, 0] = value
        edge = breath[i] - high
        high += 0.75 * edge
        out[i] = value + 0.07 * rough * edge
    return out
