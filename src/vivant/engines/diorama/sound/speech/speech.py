"""A line of the storyboard as sound, with the time of every phoneme.

Knows nothing of the picture, of the clip's clock or of where the speaker stands; the mix sets the final level.
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

from vivant.engines.diorama.checkpoints import Checkpoint, never_stop
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import levels
from vivant.engines.diorama.sound.speech import g2p, vocal, voices
from vivant.engines.diorama.sound.speech.kokoro import RATE, UNIT, Kokoro, Utterance
from vivant.engines.diorama.sound.speech.prosody import Prosody, prosody_of
from vivant.engines.diorama.storyboard import Line
from vivant.engines.diorama.timing.timeline import Phone, Spoken
from vivant.media import F32, SAMPLE_RATE

FASTEST: Final = 1.33  # times the usual pace; words are unclear beyond it
LEVEL: Final = -23.0  # dBFS, RMS of a neutral line without its pauses
MAX_BREATH: Final = 300  # symbols in one call of the model; over 400 it speaks too fast
_QUICKEST: Final = 36  # symbols a second, more than any voice speaks
_LEAD: Final = 0.03  # seconds kept before the first sound
_TAIL: Final = 0.12  # seconds kept after the last
# Seconds of pause after a breath, by the punctuation mark that ends it.
_PAUSES: Final = {".": 0.24, "!": 0.22, "?": 0.26, "…": 0.4, ";": 0.16, ":": 0.14, ",": 0.06, "—": 0.14}
# The lengths that the model gives are 50 ms late against its sound: measured at the ends of 500 sibilants, nine voices,
# speeds 0.8 to 1.25 (quartiles 42 and 58 ms, the same at every speed).
_LATE: Final = 2 * UNIT
_BEFORE: Final = 'ˈˌ “("”)'  # marks that belong to the symbol after them
_AFTER: Final = "ːʰʲ̃→↗↓↘"  # marks that belong to the symbol before them
_PUNCTUATION: Final = ";:,.!?—…"


class _Segment(NamedTuple):
    """A phoneme or a silence: samples start..end-1 at 24 kHz. accent: as `Phone.accent`."""

    symbol: str
    start: int
    end: int
    accent: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Breath:
    """What is said in one breath. samples: float32 (n,), 24 kHz. segments: in order, without gaps."""

    samples: F32
    segments: list[_Segment]


class Speech:
    """Speaks lines, at most `max_breath` symbols in one call of the model.

    Loads the model, which takes 0.6 s; raises Misconfigured if it is not installed completely.
    """

    def __init__(self, *, max_breath: int = MAX_BREATH) -> None:
        self._kokoro = Kokoro()
        self._max_breath = max_breath

    def say_all(
        self, lines: Sequence[Line], *, seconds: float, seed: int = 0, checkpoint: Checkpoint = never_stop
    ) -> list[Spoken]:
        """Every line, in order. If together they last longer than `seconds`, all are spoken up to a third faster."""
        spoken = self._say_for(lines, FASTEST * seconds, seed, 1.0, checkpoint)
        long = sum(len(one.samples) for one in spoken) / SAMPLE_RATE / max(seconds, 0.1)
        if long <= 1:
            return spoken
        return self._say_for(lines, seconds, seed, min(FASTEST, 1.02 * long), checkpoint)

    def _say_for(
        self, lines: Sequence[Line], seconds: float, seed: int, pace: float, checkpoint: Checkpoint
    ) -> list[Spoken]:
        """Every line at that pace; a line that would begin after so many seconds gets no samples."""
        spoken: list[Spoken] = []
        for line in lines:
            spoken.append(self.say(line, seed=seed, pace=pace, enough=seconds, checkpoint=checkpoint))
            seconds -= len(spoken[-1].samples) / SAMPLE_RATE
        return spoken

    def say(
        self,
        line: Line,
        *,
        seed: int = 0,
        pace: float = 1.0,
        enough: float = math.inf,
        checkpoint: Checkpoint = never_stop,
    ) -> Spoken:
        """The line in its voice and tone: mono, 48 kHz. The same line, seed and pace give the same samples.

        Text in which nothing is spoken gives no samples.

        pace: 1 is the usual speed. enough: seconds after which no further breath is spoken; 0 gives no samples.
        Raises KeyError for a voice that does not exist.
        """
        checkpoint()
        voice = voices.VOICES[line.voice]
        prosody = prosody_of(line)
        symbols = g2p.phonemize(line.text, line.language, british=voice.british)
        if not symbols or enough <= 0:
            return Spoken(samples=np.zeros(0, np.float32), phones=())
        # The pitch is raised by resampling, which shortens; so the model speaks slower by the same ratio.
        raised = Fraction(2 ** ((voice.semitones + prosody.semitones) / 12)).limit_denominator(60)
        speed = prosody.speed * pace / float(raised)
        second = RATE * float(raised)
        breaths: list[tuple[_Breath, str]] = []
        audible = symbols[: round(min(len(symbols), _QUICKEST * enough))]
        for part in split_into_breaths(audible, self._max_breath):
            checkpoint()
            if sum(len(breath.samples) for breath, _ in breaths) < enough * second:
                breaths.append((self._say_breath(line.voice, part, speed), part[-1]))
        breath = _join(breaths)
        samples = _apply_prosody(breath.samples, prosody, seed, line.text)
        samples = _resample(samples, SAMPLE_RATE / (RATE * raised))
        return Spoken(
            samples=_normalise(samples, LEVEL + prosody.level),
            phones=tuple(
                Phone(symbol=s.symbol, start=s.start / second, end=s.end / second, accent=s.accent)
                for s in breath.segments
            ),
        )

    def _say_breath(self, voice: str, symbols: str, speed: float) -> _Breath:
        utterance = self._kokoro(symbols, voices.make_style(voice, len(symbols)), speed)
        return _trim(utterance.samples, _time_phonemes(symbols, utterance))


def split_into_breaths(symbols: str, longest: int = MAX_BREATH) -> list[str]:
    """Symbols in parts of at most `longest`: cut at the ends of sentences, else at commas, else at spaces.

    Short sentences stay together.
    """
    parts: list[str] = []
    for sentence in re.findall(r".+?(?:[.!?…]+[”\")]*(?=\s|$)|$)", symbols):
        sentence = sentence.strip()
        if not sentence:
            continue
        if parts and len(parts[-1]) + 1 + len(sentence) <= longest:
            parts[-1] += " " + sentence
        else:
            parts += _split_sentence(sentence, longest)
    return parts


def _split_sentence(sentence: str, longest: int) -> list[str]:
    """A long sentence in parts of at most `longest` symbols."""
    if len(sentence) <= longest:
        return [sentence]
    window = sentence[:longest]
    cut = max((m.end() for m in re.finditer(r"[,;:—]\s", window)), default=0) or window.rfind(" ") + 1 or longest
    return [sentence[:cut].strip(), *_split_sentence(sentence[cut:].strip(), longest)]


def _loudness(samples: F32) -> F32:
    """RMS over the 10 ms around every sample, relative to the highest: float32 (n,), 0..1."""
    power = np.convolve(samples.astype(np.float64) ** 2, np.ones(RATE // 100) / (RATE // 100), "same")
    root = np.sqrt(np.maximum(power, 0))
    return np.asarray(root / (root.max() or 1.0), np.float32)


def _time_phonemes(symbols: str, utterance: Utterance) -> list[_Segment]:
    """Every phoneme and silence in order, without gaps, from the first sound to the last.

    The time of stress, length and tone marks and of spaces is added to the phoneme they belong to. A punctuation mark
    becomes the silence that is found there; where there is none, its time is added to the phoneme before it.
    """
    quiet = _loudness(utterance.samples) < 0.012
    heard = np.flatnonzero(~quiet)
    if not len(heard):
        return []
    ends = np.clip(np.cumsum(utterance.lengths) - _LATE, heard[0], heard[-1] + 1)
    segments: list[_Segment] = []
    start, pause, stressed = int(heard[0]), "", False
    for symbol, end in zip(symbols, ends[1:].tolist(), strict=False):
        if symbol in _PUNCTUATION:
            pause = pause or symbol
        elif symbol in _AFTER and segments and not pause:
            segments[-1] = segments[-1]._replace(end=end, accent=segments[-1].accent or symbol == "↘")
            start = end
        elif symbol in _BEFORE:
            stressed = stressed or symbol == "ˈ"
        else:  # a phoneme, which includes the marks and spaces before it
            if pause and segments:
                start = _insert_pause(segments, pause, end, quiet)
            segments.append(_Segment(symbol, start, end, stressed))
            start, pause, stressed = end, "", False
    if segments:
        segments[-1] = segments[-1]._replace(end=int(heard[-1]) + 1)
    return [m for m in segments if m.end > m.start]


def _insert_pause(segments: list[_Segment], pause: str, end: int, quiet: NDArray[np.bool_]) -> int:
    """Add to `segments` the silence before the phoneme that ends at `end`; returns where that phoneme starts."""
    before = segments[-1]
    least = before.start + min(before.end - before.start, RATE // 50)
    edges = np.flatnonzero(np.diff(np.r_[0, quiet[least : end - RATE // 50].astype(np.int8), 0]))
    silences = (edges.reshape(-1, 2) + least).tolist()
    first, last = max(silences, key=lambda s: s[1] - s[0], default=[0, 0])
    if last - first < RATE // 40:
        return before.end
    segments[-1] = before._replace(end=first)
    segments.append(_Segment(pause, first, last))
    return int(last)


def _trim(samples: F32, segments: list[_Segment]) -> _Breath:
    """Without the silence that the model puts around the sound, and with short fades at both ends."""
    if not segments:
        return _Breath(samples[:0], [])
    first = max(0, segments[0].start - round(_LEAD * RATE))
    last = min(len(samples), segments[-1].end + round(_TAIL * RATE))
    kept = samples[first:last].copy()
    rise, fall = round(0.01 * RATE), round(0.04 * RATE)
    kept[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    kept[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return _Breath(kept, _shift(segments, -first))


def _shift(segments: list[_Segment], by: int) -> list[_Segment]:
    return [m._replace(start=m.start + by, end=m.end + by) for m in segments]


def _join(breaths: list[tuple[_Breath, str]]) -> _Breath:
    """Breaths in a row, each followed by the pause of the punctuation mark that ends it."""
    samples: list[F32] = []
    segments: list[_Segment] = []
    at = 0
    for i, (breath, ending) in enumerate(breaths):
        segments += _shift(breath.segments, at)
        samples.append(breath.samples)
        at += len(breath.samples)
        if i + 1 < len(breaths):
            pause = round(_PAUSES.get(ending, 0.1) * RATE)
            samples.append(np.zeros(pause, np.float32))
            at += pause
    return _Breath(np.concatenate(samples), _fill_gaps(segments, [ending for _, ending in breaths]))


def _fill_gaps(segments: list[_Segment], endings: list[str]) -> list[_Segment]:
    """`segments` with the gaps between breaths as silences. endings: the last symbol of each breath."""
    out: list[_Segment] = []
    left = iter(endings)
    for segment in segments:
        if out and segment.start > out[-1].end:
            ending = next(left, "")
            out.append(_Segment(ending if ending in _PAUSES else ",", out[-1].end, segment.start))
        out.append(segment)
    return out


def _apply_prosody(samples: F32, prosody: Prosody, seed: int, text: str) -> F32:
    """The effects of tone and age: float32 (n,), 24 kHz, of the same length."""
    samples = vocal.remove_rumble(samples, RATE)
    samples = vocal.saturate(samples, prosody.effort)
    samples = vocal.add_breath(samples, RATE, prosody.breath, rng(seed, f"breath {text}"))
    samples = vocal.add_tremor(samples, RATE, prosody.tremor, rng(seed, f"tremor {text}"))
    return vocal.tilt_spectrum(samples, RATE, prosody.tilt)


def _resample(samples: F32, ratio: Fraction) -> F32:
    """Resampled by `ratio`, without delay: float32. Flat to 11 kHz, aliases under -80 dB."""
    up, down = ratio.numerator, ratio.denominator
    taps = 2 * 32 * max(up, down) + 1
    kernel = firwin(taps, 0.96 / max(up, down), window=("kaiser", 8.0))
    return np.asarray(resample_poly(samples.astype(np.float64), up, down, window=kernel), np.float32)


def _normalise(samples: F32, level: float) -> F32:
    """Scaled so that the spoken part has an RMS of `level` dBFS: frames of 20 ms within 26 dB of the loudest count."""
    frames = samples[: len(samples) // 960 * 960].reshape(-1, 960).astype(np.float64)
    if not len(frames):
        return samples
    power = (frames**2).mean(axis=1)
    spoken = power[power > power.max() * 10**-2.6].mean() if power.max() > 0 else 1.0
    return np.asarray(samples * (levels.to_gain(level) / np.sqrt(spoken)), np.float32)
