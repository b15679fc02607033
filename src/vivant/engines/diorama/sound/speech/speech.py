"""A line of the storyboard as sound: text to symbols, symbols to a waveform, with the time of every phoneme.

Knows nothing of pictures, of the clip's clock or of where the speaker stands; the mixer does final levels.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, resample_poly

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import levels
from vivant.engines.diorama.sound.speech import g2p, prosody, vocal, voices
from vivant.engines.diorama.sound.speech.kokoro import RATE, UNIT, Kokoro, Utterance
from vivant.engines.diorama.sound.speech.prosody import Prosody
from vivant.engines.diorama.storyboard import Line
from vivant.engines.diorama.timing.timeline import Phone, Spoken
from vivant.media import F32, SAMPLE_RATE

FASTEST: Final = 1.33  # times the usual pace; beyond that words run into each other
LEVEL: Final = -23.0  # dBFS, RMS of what is spoken in a neutral line, pauses left out
_LONGEST: Final = 300  # symbols in one breath; over 400 the model hurries
_QUICKEST: Final = 36  # symbols a second, more than any voice says in its greatest haste
_LEAD: Final = 0.03  # seconds kept before the first sound
_TAIL: Final = 0.12  # seconds kept after the last, for the voice to die away
_PAUSES: Final = {".": 0.24, "!": 0.22, "?": 0.26, "…": 0.4, ";": 0.16, ":": 0.14, ",": 0.06, "—": 0.14}
# The sound is ahead of the lengths by two units: measured on 500 sibilants, nine voices, speeds 0.8 to 1.25 (ends of
# noise: -50 ms, quartiles -58 and -42, the same at every speed).
_LATE: Final = 2 * UNIT
_BEFORE: Final = 'ˈˌ “("”)'  # marks that belong to the symbol after them
_AFTER: Final = "ːʰʲ̃→↗↓↘"  # … before them
_PUNCTUATION: Final = ";:,.!?—…"


class _Segment(NamedTuple):
    """A phoneme or a silence: samples start..end-1 at 24 kHz."""

    symbol: str
    start: int
    end: int
    accent: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Breath:
    """One breath at 24 kHz. marks: in order, without gaps."""

    samples: F32
    marks: list[_Segment]


class Speech:
    """Loads the voice model, 0.6 s; once per seat. Raises Misconfigured if it is not installed whole."""

    def __init__(self) -> None:
        self._kokoro = Kokoro()

    def say_all(self, lines: Sequence[Line], *, seconds: float, seed: int = 0) -> list[Spoken]:
        """Every line, spoken up to a third faster when together they are longer than `seconds`, silences left out."""
        said = self._say_for(lines, FASTEST * seconds, seed, pace=1.0)
        long = sum(len(one.samples) for one in said) / SAMPLE_RATE / max(seconds, 0.1)
        if long <= 1:
            return said
        return self._say_for(lines, seconds, seed, pace=min(FASTEST, 1.02 * long))

    def _say_for(self, lines: Sequence[Line], seconds: float, seed: int, pace: float) -> list[Spoken]:
        """Every line; those that begin only after so many seconds cannot be heard and get no samples."""
        said: list[Spoken] = []
        for line in lines:
            said.append(self.say(line, seed=seed, pace=pace, enough=seconds))
            seconds -= len(said[-1].samples) / SAMPLE_RATE
        return said

    def say(self, line: Line, *, seed: int = 0, pace: float = 1.0, enough: float = math.inf) -> Spoken:
        """The line as its speaker says it in its tone. The same line, seed and pace give the same samples.

        Text without a word to speak gives no samples.
        enough: seconds after which no new breath is taken; with none there are no samples.
        Raises KeyError for a voice that does not exist.
        """
        voice = voices.VOICES[line.voice]
        how = prosody.of(line)
        symbols = g2p.phonemize(line.text, line.language, british=voice.british)
        if not symbols or enough <= 0:
            return Spoken(samples=np.zeros(0, np.float32), phones=())
        # Raising the pitch by playing faster shortens; the model speaks that much slower before.
        raised = Fraction(2 ** ((voice.semitones + how.semitones) / 12)).limit_denominator(60)
        speed = how.speed * pace / float(raised)
        second = RATE * float(raised)
        takes: list[tuple[_Breath, str]] = []
        for part in split_into_breaths(symbols[: round(min(len(symbols), _QUICKEST * enough))]):
            if sum(len(take.samples) for take, _ in takes) < enough * second:
                takes.append((self._say_breath(line.voice, part, speed), part[-1]))
        take = _join(takes)
        samples = _apply_prosody(take.samples, how, seed, line.text)
        samples = _resample(samples, SAMPLE_RATE / (RATE * raised))
        return Spoken(
            samples=_normalise(samples, LEVEL + how.level),
            phones=tuple(
                Phone(symbol=m.symbol, start=m.start / second, end=m.end / second, accent=m.accent) for m in take.marks
            ),
        )

    def _say_breath(self, voice: str, symbols: str, speed: float) -> _Breath:
        said = self._kokoro(symbols, voices.style(voice, len(symbols)), speed)
        return _trim(said.samples, _time_phonemes(symbols, said))


def split_into_breaths(symbols: str) -> list[str]:
    """Symbols cut into parts of at most 300, at the ends of sentences where there are any, else at commas, else at
    spaces; short sentences stay together."""
    parts: list[str] = []
    for sentence in re.findall(r".+?(?:[.!?…]+[”\")]*(?=\s|$)|$)", symbols):
        sentence = sentence.strip()
        if not sentence:
            continue
        if parts and len(parts[-1]) + 1 + len(sentence) <= _LONGEST:
            parts[-1] += " " + sentence
        else:
            parts += _split_sentence(sentence)
    return parts


def _split_sentence(sentence: str) -> list[str]:
    if len(sentence) <= _LONGEST:
        return [sentence]
    window = sentence[:_LONGEST]
    cut = max((m.end() for m in re.finditer(r"[,;:—]\s", window)), default=0) or window.rfind(" ") + 1 or _LONGEST
    return [sentence[:cut].strip(), *_split_sentence(sentence[cut:].strip())]


def _loudness(samples: F32) -> F32:
    """RMS over 10 ms around every sample, against the loudest such stretch: 0..1."""
    power = np.convolve(samples.astype(np.float64) ** 2, np.ones(RATE // 100) / (RATE // 100), "same")
    root = np.sqrt(np.maximum(power, 0))
    return np.asarray(root / (root.max() or 1.0), np.float32)


def _time_phonemes(symbols: str, said: Utterance) -> list[_Segment]:
    """Every phoneme and silence in order, without gaps, from the first sound to the last.

    Stress, length and tone marks and the spaces between words lend their time to the phoneme they go with. A mark of
    punctuation becomes the silence that is heard there; where none is heard it gives its time to what is before.
    """
    quiet = _loudness(said.samples) < 0.012
    heard = np.flatnonzero(~quiet)
    if not len(heard):
        return []
    ends = np.clip(np.cumsum(said.lengths) - _LATE, heard[0], heard[-1] + 1)
    marks: list[_Segment] = []
    start, pause, stressed = int(heard[0]), "", False
    for symbol, end in zip(symbols, ends[1:].tolist(), strict=False):
        if symbol in _PUNCTUATION:
            pause = pause or symbol
        elif symbol in _AFTER and marks and not pause:
            marks[-1] = marks[-1]._replace(end=end, accent=marks[-1].accent or symbol == "↘")
            start = end
        elif symbol in _BEFORE:
            stressed = stressed or symbol == "ˈ"
        else:  # a phoneme; it began with the marks and spaces before it
            if pause and marks:
                start = _insert_pause(marks, pause, end, quiet)
            marks.append(_Segment(symbol, start, end, stressed))
            start, pause, stressed = end, "", False
    if marks:
        marks[-1] = marks[-1]._replace(end=int(heard[-1]) + 1)
    return [m for m in marks if m.end > m.start]


def _insert_pause(marks: list[_Segment], pause: str, end: int, quiet: NDArray[np.bool_]) -> int:
    """Add to `marks` the silence before the phoneme that ends at `end`; returns where that phoneme starts."""
    before = marks[-1]
    least = before.start + min(before.end - before.start, RATE // 50)
    edges = np.flatnonzero(np.diff(np.r_[0, quiet[least : end - RATE // 50].astype(np.int8), 0]))
    silences = (edges.reshape(-1, 2) + least).tolist()
    first, last = max(silences, key=lambda s: s[1] - s[0], default=[0, 0])
    if last - first < RATE // 40:
        return before.end
    marks[-1] = before._replace(end=first)
    marks.append(_Segment(pause, first, last))
    return int(last)


def _trim(samples: F32, marks: list[_Segment]) -> _Breath:
    """Without the silence that the model puts around a line; its ends faded so that they do not click."""
    if not marks:
        return _Breath(samples[:0], [])
    first = max(0, marks[0].start - round(_LEAD * RATE))
    last = min(len(samples), marks[-1].end + round(_TAIL * RATE))
    kept = samples[first:last].copy()
    rise, fall = round(0.01 * RATE), round(0.04 * RATE)
    kept[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    kept[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return _Breath(kept, _shift(marks, -first))


def _shift(marks: list[_Segment], by: int) -> list[_Segment]:
    return [m._replace(start=m.start + by, end=m.end + by) for m in marks]


def _join(takes: list[tuple[_Breath, str]]) -> _Breath:
    """Takes in a row with the pause that the last mark of each asks for."""
    samples: list[F32] = []
    marks: list[_Segment] = []
    at = 0
    for i, (take, final) in enumerate(takes):
        marks += _shift(take.marks, at)
        samples.append(take.samples)
        at += len(take.samples)
        if i + 1 < len(takes):
            pause = round(_PAUSES.get(final, 0.1) * RATE)
            samples.append(np.zeros(pause, np.float32))
            at += pause
    return _Breath(np.concatenate(samples), _fill_gaps(marks, [final for _, final in takes]))


def _fill_gaps(marks: list[_Segment], finals: list[str]) -> list[_Segment]:
    """marks with the gaps between takes as silences."""
    out: list[_Segment] = []
    left = iter(finals)
    for mark in marks:
        if out and mark.start > out[-1].end:
            final = next(left, "")
            out.append(_Segment(final if final in _PAUSES else ",", out[-1].end, mark.start))
        out.append(mark)
    return out


def _apply_prosody(samples: F32, how: Prosody, seed: int, text: str) -> F32:
    """What tone and age do to the sound; no sample moves in time."""
    samples = vocal.remove_rumble(samples, RATE)
    samples = vocal.saturate(samples, how.effort)
    samples = vocal.add_breath(samples, RATE, how.breath, rng(seed, f"breath {text}"))
    samples = vocal.add_tremor(samples, RATE, how.tremor, rng(seed, f"tremor {text}"))
    return vocal.tilt_spectrum(samples, RATE, how.tilt)


def _resample(samples: F32, ratio: Fraction) -> F32:
    """samples at `ratio` times as many per second, flat to 11 kHz, images 80 dB down; no delay."""
    up, down = ratio.numerator, ratio.denominator
    taps = 2 * 32 * max(up, down) + 1
    kernel = firwin(taps, 0.96 / max(up, down), window=("kaiser", 8.0))
    return np.asarray(resample_poly(samples.astype(np.float64), up, down, window=kernel), np.float32)


def _normalise(samples: F32, level: float) -> F32:
    """samples whose spoken part has an RMS of `level` dBFS: 20 ms frames within 26 dB of the loudest count."""
    frames = samples[: len(samples) // 960 * 960].reshape(-1, 960).astype(np.float64)
    if not len(frames):
        return samples
    power = (frames**2).mean(axis=1)
    spoken = power[power > power.max() * 10**-2.6].mean() if power.max() > 0 else 1.0
    return np.asarray(samples * (levels.to_gain(level) / np.sqrt(spoken)), np.float32)
