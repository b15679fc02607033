"""Phonemes become mouth curves: how far the jaw drops, how wide or round the lips are, when they close.

Each phoneme pulls the mouth towards its shape, strongest at its middle (dominance blending after Cohen and Massaro,
1993); closed lips are set exactly. This module knows times and loudness; it knows nothing of pictures or pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.timing.curves import FaceCurves
from vivant.engines.diorama.timing.timeline import Phone, PlacedLine
from vivant.media import F64, SAMPLE_RATE, SAMPLES_PER_FRAME
from vivant.request import FPS

MOUTH: Final = ("jaw", "wide", "round", "close", "teeth")  # the curves made here

SPREAD: Final = 0.42  # σ of the Gaussian of a phoneme's pull, in lengths of the phoneme
SHORTEST: Final = 0.05  # s; a shorter phoneme still pulls for this long
ANTICIPATE: Final = 0.04  # s by which the lips move before the sound
ROUND_EARLY: Final = 0.03  # s more for rounding, which is anticipated furthest (coarticulation of /u/, /w/)
PAUSE: Final = 0.12  # s without a phoneme from which the mouth goes to rest
REST: Final = 0.3  # s over which rest pulls before the first and after the last phoneme

PEAK: Final = 0.6  # the jaw's 97th percentile over a line; the mouth's full range is for shouting
GAIN: Final = (0.7, 2.2)  # bounds of the gain that brings it there
JAW_SPEED: Final = 0.2  # per frame: a syllable's opening in three to four frames, as jaws do at 3-5 Hz
LIP_SPEED: Final = 0.25  # per frame, for width and rounding
CLOSE_SPEED: Final = 0.5  # per frame: lips close within two frames
VARIETY: Final = 0.08  # relative σ of a phoneme's size, so that equal phonemes differ a little

FLOOR_DB: Final = -34.0  # under the line's loud parts: the mouth is shut
LOUD_DB: Final = -8.0
_TONE: Final = {"shout": 1.3, "excited": 1.12, "angry": 1.12, "whisper": 0.8, "gentle": 0.9, "sad": 0.88}


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of the mouth for a phoneme, each 0..1. weight: how strongly it pulls against its neighbours."""

    jaw: float
    wide: float = 0.0
    round: float = 0.0
    weight: float = 1.0


# Kokoro's symbols, English and Chinese. Openness and rounding follow the IPA vowel chart; weights of consonants how
# visible they are (velars and /h/ take the shape of their neighbours).
SHAPES: Final[dict[str, Shape]] = {
    # open vowels
    "a": Shape(0.95, 0.20), "ɑ": Shape(0.92, 0.08), "æ": Shape(0.85, 0.42), "ʌ": Shape(0.66, 0.10),
    "ɐ": Shape(0.62, 0.10), "ɒ": Shape(0.80, 0.0, 0.38), "ɔ": Shape(0.70, 0.0, 0.55),
    # middle vowels
    "ɛ": Shape(0.60, 0.40), "e": Shape(0.46, 0.48), "o": Shape(0.50, 0.0, 0.68), "ɤ": Shape(0.46, 0.18),
    "ɜ": Shape(0.44, 0.0, 0.28), "ɚ": Shape(0.42, 0.0, 0.24), "ə": Shape(0.36, 0.10, 0.0, 0.7),
    "ᵊ": Shape(0.22, 0.10, 0.0, 0.4), "ø": Shape(0.42, 0.0, 0.70), "œ": Shape(0.52, 0.0, 0.55),
    # close vowels
    "ɪ": Shape(0.34, 0.42), "i": Shape(0.24, 0.72), "ᵻ": Shape(0.26, 0.40, 0.0, 0.7), "ɨ": Shape(0.22, 0.40),
    "ɯ": Shape(0.24, 0.40), "ʊ": Shape(0.32, 0.0, 0.62), "u": Shape(0.24, 0.0, 0.92), "y": Shape(0.20, 0.0, 0.85),
    # glides and liquids
    "w": Shape(0.16, 0.0, 0.95), "ɥ": Shape(0.16, 0.0, 0.85), "j": Shape(0.22, 0.55, 0.0, 0.8),
    "ɰ": Shape(0.25, 0.30, 0.0, 0.6), "ɹ": Shape(0.26, 0.0, 0.42, 0.9), "ɻ": Shape(0.24, 0.0, 0.30, 0.9),
    "r": Shape(0.26, 0.0, 0.25, 0.7), "ɽ": Shape(0.26, 0.0, 0.2, 0.6),
    "ɾ": Shape(0.28, 0.15, 0.0, 0.5), "T": Shape(0.28, 0.15, 0.0, 0.5),
    "l": Shape(0.36, 0.18, 0.0, 0.8), "ʎ": Shape(0.28, 0.35, 0.0, 0.7),
    # tongue behind the teeth
    "t": Shape(0.18, 0.25, 0.0, 0.8), "d": Shape(0.20, 0.22, 0.0, 0.8), "n": Shape(0.22, 0.20, 0.0, 0.7),
    "ʈ": Shape(0.20, 0.15, 0.0, 0.8), "ɖ": Shape(0.20, 0.15, 0.0, 0.8), "ɳ": Shape(0.22, 0.15, 0.0, 0.7),
    "θ": Shape(0.24, 0.25), "ð": Shape(0.24, 0.22, 0.0, 0.8), "ɲ": Shape(0.22, 0.35, 0.0, 0.7),
    # teeth together
    "s": Shape(0.10, 0.42), "z": Shape(0.12, 0.38), "ʦ": Shape(0.10, 0.38), "ʣ": Shape(0.12, 0.36),
    "ʃ": Shape(0.14, 0.0, 0.52), "ʒ": Shape(0.16, 0.0, 0.50), "ʧ": Shape(0.14, 0.0, 0.50), "ʤ": Shape(0.16, 0.0, 0.48),
    "ɕ": Shape(0.12, 0.50), "ʑ": Shape(0.14, 0.46), "ʨ": Shape(0.12, 0.48), "ʥ": Shape(0.14, 0.46),
    "ʂ": Shape(0.16, 0.08, 0.25), "ꭧ": Shape(0.15, 0.08, 0.25), "ç": Shape(0.18, 0.45, 0.0, 0.8),
    # far back: the lips are free
    "k": Shape(0.30, 0.12, 0.0, 0.4), "ɡ": Shape(0.30, 0.10, 0.0, 0.4), "ŋ": Shape(0.28, 0.10, 0.0, 0.45),
    "x": Shape(0.32, 0.10, 0.0, 0.35), "h": Shape(0.34, 0.08, 0.0, 0.2), "q": Shape(0.30, 0.10, 0.0, 0.4),
    "ɣ": Shape(0.30, 0.10, 0.0, 0.4), "χ": Shape(0.32, 0.10, 0.0, 0.4), "ʁ": Shape(0.32, 0.05, 0.1, 0.4),
    "ɴ": Shape(0.26, 0.08, 0.0, 0.4), "ʔ": Shape(0.20, 0.05, 0.0, 0.2), "c": Shape(0.22, 0.30, 0.0, 0.6),
    "ɟ": Shape(0.22, 0.30, 0.0, 0.6), "ʝ": Shape(0.22, 0.35, 0.0, 0.6),
    # lips: only the jaw; closing is set by CLOSED and TUCKED
    "p": Shape(0.14, 0.05, 0.0, 0.8), "b": Shape(0.15, 0.05, 0.0, 0.8), "m": Shape(0.16, 0.05, 0.0, 0.8),
    "f": Shape(0.15, 0.15, 0.0, 1.0), "v": Shape(0.16, 0.12, 0.0, 1.0), "ɸ": Shape(0.14, 0.0, 0.4, 0.9),
    "β": Shape(0.14, 0.0, 0.3, 0.9), "ʋ": Shape(0.18, 0.08, 0.0, 0.9),
}  # fmt: skip

# Kokoro writes diphthongs as capitals: two shapes, one after the other.
GLIDING: Final = {"A": "eɪ", "I": "aɪ", "O": "oʊ", "W": "aʊ", "Y": "ɔɪ", "Q": "əʊ"}
# Lips closed from and to these shares of the phoneme: a stop bursts before its end, a nasal hums through.
CLOSED: Final = {"p": (0.1, 0.7), "b": (0.1, 0.75), "m": (0.1, 0.85)}
TUCKED: Final = {"f": (0.15, 0.85), "v": (0.15, 0.85), "ʋ": (0.3, 0.7)}  # lower lip at the upper teeth


@dataclass(frozen=True, slots=True)
class Pull:
    """A shape at a time; seconds on the clip's clock."""

    time: float
    length: float
    shape: Shape


def add_speech(faces: Sequence[FaceCurves], lines: Sequence[PlacedLine], *, seed: int) -> tuple[FaceCurves, ...]:
    """The faces with the mouths of those who speak in sight moving with their lines; the others are as given.

    Frame n is sampled at its centre, (n + ½)/24 s. The lips are apart by jaw·(1 - close). In the frame at the middle of
    a p, b or m `close` is 1; at rest, in pauses and at both ends of the clip all are 0. No curve moves faster than its
    speed limit, so nothing pops for one frame.
    """
    return tuple(_add_lines(face, index, lines, seed) for index, face in enumerate(faces))


def _add_lines(face: FaceCurves, index: int, lines: Sequence[PlacedLine], seed: int) -> FaceCurves:
    own = [line for line in lines if line.line.face_index == index]
    if not own:
        return face
    chance = rng(seed, f"visemes/{index}")
    mouth = {name: getattr(face, name).astype(np.float64) for name in MOUTH}  # what it does while it does not speak
    for line in own:
        if line.spoken.phones:
            for name, curve in _line(line, face.frames, chance).items():
                mouth[name] = np.maximum(mouth[name], curve)
    return replace(face, **{name: curve.astype(np.float32) for name, curve in _limit_speeds(mouth).items()})


def _line(line: PlacedLine, frames: int, chance: np.random.Generator) -> dict[str, F64]:
    """The curves of one line, not yet limited in speed."""
    start = line.start / SAMPLE_RATE
    pulls = [*_pulls(line.spoken.phones, chance), *_rests(line.spoken.phones)]
    time = (np.arange(frames) + 0.5) / FPS - start
    jaw, wide, _ = _blend(pulls, time + ANTICIPATE)
    _, _, rounded = _blend(pulls, time + ANTICIPATE + ROUND_EARLY)
    heard = _loudness(line, frames)
    jaw = jaw * (0.35 + 0.65 * heard) * (heard > 0)
    # The gain is computed on the curve as the speed limit will leave it.
    spoken = slice(int(start * FPS), int((start + line.spoken.phones[-1].end) * FPS) + 1)
    peak = PEAK * _TONE.get(line.line.tone, 1.0)
    for _ in range(2):
        reach = float(np.percentile(_limit_speed(jaw, JAW_SPEED)[spoken], 97)) if len(jaw[spoken]) else 0.0
        jaw = jaw * float(np.clip(peak / max(reach, 1e-6), *GAIN)) if reach > 0 else jaw
    awake = np.minimum(1.0, heard * 2)
    return {
        "jaw": np.clip(jaw, 0, 1),
        "wide": wide * awake,
        "round": rounded * awake,
        "close": _held(line, CLOSED, frames),
        "teeth": _held(line, TUCKED, frames),
    }


def _pulls(phones: Sequence[Phone], chance: np.random.Generator) -> Iterator[Pull]:
    for phone in phones:
        length = phone.end - phone.start
        size = 1 + VARIETY * float(np.clip(chance.standard_normal(), -2, 2))
        parts = GLIDING.get(phone.symbol, phone.symbol)
        for i, symbol in enumerate(parts):
            if symbol in SHAPES:
                base = SHAPES[symbol]
                time = phone.start + (i + 0.5) / len(parts) * length
                shape = Shape(base.jaw * size, base.wide, base.round, base.weight)
                yield Pull(time, max(SHORTEST, length / len(parts)), shape)


def _rests(phones: Sequence[Phone]) -> Iterator[Pull]:
    """The mouth at rest before, after and in every pause."""
    sounding = [phone for phone in phones if phone.symbol in SHAPES or phone.symbol in GLIDING]
    if not sounding:
        return
    rest = Shape(0.0, 0.0, 0.0, 1.0)
    yield Pull(sounding[0].start - REST / 2, REST, rest)
    yield Pull(sounding[-1].end + REST / 2, REST, rest)
    for before, after in pairwise(sounding):
        silence = after.start - before.end
        if silence > PAUSE:
            yield Pull((before.end + after.start) / 2, silence, rest)


def _blend(pulls: Sequence[Pull], time: F64) -> F64:
    """(3, len(time)): jaw, wide, round as the mean of all pulls, each weighted by a Gaussian about its middle."""
    total = np.full(len(time), 1e-4)  # far from every pull the mouth is at rest
    value = np.zeros((3, len(time)))
    for pull in pulls:
        weight = pull.shape.weight * np.exp(-0.5 * ((time - pull.time) / (SPREAD * pull.length)) ** 2)
        total += weight
        value += weight * np.array([[pull.shape.jaw], [pull.shape.wide], [pull.shape.round]])
    blended: F64 = value / total
    return blended


def _loudness(line: PlacedLine, frames: int) -> F64:
    """0..1 per frame from the line's own samples: 0 at FLOOR_DB under its loud parts, 1 from LOUD_DB on.

    The maximum over neighbouring frames bridges the silence inside a stop consonant.
    """
    padded = np.zeros(frames * SAMPLES_PER_FRAME)
    kept = line.spoken.samples[: max(0, len(padded) - line.start)]
    padded[line.start : line.start + len(kept)] = kept
    power = np.sqrt((padded.reshape(frames, -1) ** 2).mean(axis=1))
    loud = np.percentile(power[power > 0], 95) if (power > 0).any() else 1.0
    level = 20 * np.log10(np.maximum(power / max(float(loud), 1e-9), 1e-6))
    heard = np.clip((level - FLOOR_DB) / (LOUD_DB - FLOOR_DB), 0, 1)
    wide = np.pad(heard, 1, mode="edge")
    held = np.maximum(np.maximum(wide[:-2], wide[2:]), heard)
    wide = np.pad(held, 1, mode="edge")
    smooth: F64 = 0.25 * wide[:-2] + 0.5 * held + 0.25 * wide[2:]
    return smooth


def _held(line: PlacedLine, table: dict[str, tuple[float, float]], frames: int) -> F64:
    """float64 (frames,): 1 while a phoneme of the table is held, in any case in the frame at its middle; else 0."""
    held = np.zeros(frames)
    start = line.start / SAMPLE_RATE
    for phone in line.spoken.phones:
        if phone.symbol not in table:
            continue
        low, high = table[phone.symbol]
        length = phone.end - phone.start
        first = int(np.ceil((start + phone.start + low * length) * FPS - 0.5))
        last = int(np.floor((start + phone.start + high * length) * FPS - 0.5))
        middle = int((start + phone.start + length / 2) * FPS)
        held[max(0, min(first, middle)) : max(last, middle) + 1] = 1
    return held


def _limit_speeds(mouth: dict[str, F64]) -> dict[str, F64]:
    """The curves within their speed limits, at rest at both ends. Closures get longer flanks, all else is lowered."""
    limited = {}
    for name, curve in mouth.items():
        if name in ("close", "teeth"):
            limited[name] = -_limit_speed(-curve, CLOSE_SPEED)
        else:
            limited[name] = _limit_speed(curve, JAW_SPEED if name == "jaw" else LIP_SPEED)
    # The limit holds for the visible gap between the lips, to which parting lips and a dropping jaw add up.
    apart = 1 - limited["close"]
    limited["jaw"] = np.where(
        apart > 0, _limit_speed(limited["jaw"] * apart, JAW_SPEED) / np.maximum(apart, 1e-6), limited["jaw"]
    )
    for name, speed in (("jaw", JAW_SPEED), ("wide", LIP_SPEED), ("round", LIP_SPEED)):
        n = np.arange(len(limited[name]))
        limited[name] = np.minimum(limited[name], speed * np.minimum(n, n[::-1]))
    # The lip cannot be at the teeth while both lips are shut.
    limited["teeth"] = np.minimum(limited["teeth"], 1 - limited["close"])
    for name in ("close", "teeth"):
        n = np.arange(len(limited[name]))
        limited[name] = np.minimum(limited[name], CLOSE_SPEED * np.minimum(n, n[::-1]))
    return limited


def _limit_speed(curve: F64, speed: float) -> F64:
    """The largest curve under `curve` that changes by at most `speed` per frame."""
    slow = curve.copy()
    for n in range(1, len(slow)):
        slow[n] = min(slow[n], slow[n - 1] + speed)
    for n in range(len(slow) - 2, -1, -1):
        slow[n] = min(slow[n], slow[n + 1] + speed)
    return slow
