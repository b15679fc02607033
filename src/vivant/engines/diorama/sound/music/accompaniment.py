"""Patterns of accompaniment: how an instrument plays a chord (held, broken, picked, as a walking bass), and drums.

A pattern turns one chord of a piece into notes. Time is in beats, keys are MIDI; instruments are chosen elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vivant.engines.diorama.sound.music.harmony import Chord


@dataclass(frozen=True, slots=True)
class ScoreNote:
    """A note as written. beat, length: in beats, from the start of the piece. key: MIDI. weight: factor of the
    instrument's velocity. delay: seconds after the beat, for strings struck one after the other. swell: dB by which it
    grows over its length."""

    beat: float
    length: float
    key: int
    weight: float = 1.0
    delay: float = 0.0
    swell: float = 0.0


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """One chord of the piece. keys: its voicing, MIDI, ascending. beat, length: in beats. following: the next chord,
    None for the last."""

    chord: Chord
    keys: tuple[int, ...]
    beat: float
    length: float
    meter: int  # beats in a bar
    following: Chord | None

    def grid(self, step: float) -> Iterator[tuple[float, float]]:
        """(beat in the piece, beat since the start of the chord), every `step` beats."""
        n = round(self.length / step)
        for i in range(n):
            yield self.beat + i * step, i * step


Pattern = Callable[[ChordSpan], list[ScoreNote]]


def bass_key(chord: Chord, low: int = 36) -> int:
    """The MIDI key of the chord's bass note in the octave that starts at `low`."""
    return low + (chord.bass - low) % 12


def _held(s: ChordSpan) -> list[ScoreNote]:
    return [ScoreNote(s.beat, s.length, k, 1 - 0.04 * (i % 2), swell=1.5) for i, k in enumerate(s.keys)]


def _flowing(s: ChordSpan) -> list[ScoreNote]:
    """As a pianist's left hand: the bass rings, eighths rise through the chord and fall again."""
    low = bass_key(s.chord, 38)
    ladder = [low, *s.keys]
    order = [0, 2, 3, 4, 3, 2, 3, 2] if len(ladder) > 4 else [0, 1, 2, 3, 2, 1, 2, 1]
    score_notes = [ScoreNote(s.beat, s.length, low, 1.05)]
    for i, (beat, within) in enumerate(s.grid(0.5)):
        if i == 0:
            continue
        key = ladder[order[i % len(order)] % len(ladder)]
        score_notes.append(ScoreNote(beat, min(2.0, s.length - within), key, 0.84 if i % 2 else 0.92))
    return score_notes


def _harped(s: ChordSpan) -> list[ScoreNote]:
    """Up through two octaves in sixteenths and down in eighths; all notes ring to the end of the chord."""
    ladder = sorted({bass_key(s.chord, 43), *s.keys, *(k + 12 for k in s.keys[-3:])})
    step, end = 0.25, s.beat + s.length
    count = min(len(ladder), round(s.length / step))
    rising = [(s.beat + i * step, k, 0.78 + 0.04 * i) for i, k in enumerate(ladder[:count])]
    turn = s.beat + count * step
    falling = [(turn + i * 0.5, k, 0.72) for i, k in enumerate(ladder[count - 2 :: -2])]
    return [ScoreNote(b, end - b, k, w) for b, k, w in rising + falling if b < end - 0.2]


def _picked(s: ChordSpan) -> list[ScoreNote]:
    """Travis picking: the thumb plays two bass notes in turn, the fingers play off the beat."""
    thumb = (bass_key(s.chord, 40), *sorted(s.keys)[:1])
    fingers = s.keys[-3:]
    score_notes = []
    for i, (beat, within) in enumerate(s.grid(0.5)):
        rest = s.length - within
        if i % 2 == 0:
            score_notes.append(ScoreNote(beat, min(1.6, rest), thumb[i // 2 % 2], 1.0 if i == 0 else 0.86))
            if i % 4 == 0:
                score_notes.append(ScoreNote(beat, min(1.6, rest), fingers[-1], 0.8, delay=0.012))
        else:
            score_notes.append(ScoreNote(beat, min(1.4, rest), fingers[(1, 0, 2, 0)[i // 2 % 4] % len(fingers)], 0.78))
    return score_notes


def _strummed(s: ChordSpan) -> list[ScoreNote]:
    """Strummed down, down-up, up-down-up, the strings one after the other."""
    strings = (bass_key(s.chord, 40), *s.keys)
    score_notes = []
    for beat, within in s.grid(0.5):
        place = within % 4
        down, weight = {
            0: (True, 1.0),
            1: (True, 0.8),
            1.5: (False, 0.62),
            2.5: (False, 0.66),
            3: (True, 0.86),
            3.5: (False, 0.6),
        }.get(place, (True, 0.0))
        if not weight:
            continue
        struck = strings if down else tuple(reversed(strings[-3:]))
        length = min(0.95 if place != 1.5 else 1.0, s.length - within)
        score_notes += [
            ScoreNote(beat, length, k, weight * (1 - 0.03 * i), delay=0.011 * i) for i, k in enumerate(struck)
        ]
    return score_notes


def _ostinato(s: ChordSpan) -> list[ScoreNote]:
    """Eighths in the octave of the low strings: root, root, fifth, root, third, root, fifth, root."""
    third, fifth = (next(k for k in range(48, 72) if k % 12 == s.chord.tones[i] and k > 50) for i in (1, 2))
    root = 48 + (s.chord.root - 48) % 12
    cell = (
        root,
        root,
        fifth if fifth > root else fifth + 12,
        root,
        third if third > root else third + 12,
        root,
        fifth if fifth > root else fifth + 12,
        root,
    )
    return [ScoreNote(b, 0.42, cell[round(w * 2) % 8], 1.0 if w % 1 == 0 else 0.78) for b, w in s.grid(0.5)]


def _sixteenths(s: ChordSpan) -> list[ScoreNote]:
    """An arpeggio in sixteenths over the chord and its octave, as a sequencer plays it."""
    ladder = [*s.keys[-3:], s.keys[-3] + 12, s.keys[-2] + 12]
    order = (0, 1, 2, 3, 4, 3, 2, 1)
    return [
        ScoreNote(b, 0.22, ladder[order[i % 8]], 1.0 if i % 4 == 0 else 0.74 + 0.08 * (i % 2 == 0))
        for i, (b, _) in enumerate(s.grid(0.25))
    ]


def _offbeat(s: ChordSpan) -> list[ScoreNote]:
    """The chords of an oom-pah, after the beats; the bass is played by another instrument."""
    return [
        ScoreNote(beat, 0.28, k, 0.95 if within % 2 == 1 else 0.85)
        for beat, within in s.grid(1.0)
        if (within % s.meter) >= 1 and (s.meter == 3 or within % 2 == 1)
        for k in s.keys[-3:]
    ]


def _comping(s: ChordSpan) -> list[ScoreNote]:
    """Jazz: on one, then ahead of three and ahead of four."""
    hits = [(0.0, 0.9, 0.9), (1.667, 0.35, 0.8)] if s.length >= 2 else [(0.0, 0.6, 0.9)]
    if s.length >= 4:
        hits.append((2.667, 1.1, 0.85))
    return [ScoreNote(s.beat + b, min(n, s.length - b), k, w) for b, n, w in hits if b < s.length for k in s.keys]


def _powered(s: ChordSpan) -> list[ScoreNote]:
    """Rock: root and fifth in eighths, short except for the accents."""
    root = 40 + (s.chord.root - 40) % 12
    return [
        ScoreNote(b, 0.48 if w % 2 == 0 else 0.3, k, 1.0 if w % 2 == 0 else 0.8)
        for b, w in s.grid(0.5)
        for k in (root, root + 7)
    ]


def _stabbing(s: ChordSpan) -> list[ScoreNote]:
    """Brass: a short chord, and in long spans another before the next chord."""
    hits = [(0.0, 0.9, 1.0)] + ([(s.length - 0.5, 0.4, 0.8)] if s.length >= 4 else [])
    return [ScoreNote(s.beat + b, n, k, w) for b, n, w in hits for k in s.keys[-3:]]


def _low_held(s: ChordSpan) -> list[ScoreNote]:
    return [ScoreNote(s.beat, s.length, bass_key(s.chord), swell=1.0)]


def _low_rooted(s: ChordSpan) -> list[ScoreNote]:
    """The root, and in spans of two beats or more the fifth halfway."""
    root = bass_key(s.chord)
    fifth = next(k for k in range(root - 5, root + 8) if k % 12 == s.chord.tones[2])
    if s.length < 2:
        return [ScoreNote(s.beat, s.length, root)]
    half = s.length - 1 if s.meter == 3 else s.length / 2
    return [ScoreNote(s.beat, half * 0.92, root), ScoreNote(s.beat + half, (s.length - half) * 0.9, fifth, 0.88)]


def _low_pulsing(s: ChordSpan) -> list[ScoreNote]:
    root = bass_key(s.chord)
    return [ScoreNote(b, 0.44, root, 1.0 if w % 1 == 0 else 0.84) for b, w in s.grid(0.5)]


def _low_synced(s: ChordSpan) -> list[ScoreNote]:
    """Electronic: a syncopated bass on the root and the octave above."""
    root = bass_key(s.chord)
    cell = (
        (0.0, 0.7, root, 1.0),
        (0.75, 0.2, root, 0.8),
        (1.5, 0.45, root + 12, 0.8),
        (2.5, 0.4, root, 0.9),
        (3.25, 0.5, root + 12, 0.75),
    )
    return [ScoreNote(s.beat + b, n, k, w) for b, n, k, w in cell if b + n <= s.length]


def _low_walking(s: ChordSpan) -> list[ScoreNote]:
    """Jazz: a chord tone per beat, the last a semitone from the bass note of the next chord."""
    root = bass_key(s.chord)
    tones = [root, *(next(k for k in range(root + 1, root + 13) if k % 12 == t) for t in s.chord.tones[1:3])]
    walk = [tones[i % 3] for i in range(round(s.length))]
    if s.following is not None and len(walk) > 1:
        goal = bass_key(s.following)
        walk[-1] = goal - 1 if walk[-2] <= goal else goal + 1
    return [ScoreNote(s.beat + i, 0.92, k, 1.0 if i % 2 == 0 else 0.92) for i, k in enumerate(walk)]


def _low_oompah(s: ChordSpan) -> list[ScoreNote]:
    root = bass_key(s.chord)
    fifth = next(k for k in range(root - 5, root + 8) if k % 12 == s.chord.tones[2])
    every = 3 if s.meter == 3 else 2
    return [
        ScoreNote(s.beat + b, 0.5, root if i % 2 == 0 else fifth)
        for i, b in enumerate(range(0, round(s.length), every))
    ]


CHORD_PATTERNS: Final[dict[str, Pattern]] = {
    "held": _held,
    "flowing": _flowing,
    "harped": _harped,
    "picked": _picked,
    "strummed": _strummed,
    "ostinato": _ostinato,
    "sixteenths": _sixteenths,
    "offbeat": _offbeat,
    "comping": _comping,
    "powered": _powered,
    "stabbing": _stabbing,
    "low held": _low_held,
    "low rooted": _low_rooted,
    "low pulsing": _low_pulsing,
    "low synced": _low_synced,
    "low walking": _low_walking,
    "low oompah": _low_oompah,
}

# Keys of the General MIDI drum map.
KICK: Final = 36
CRASH: Final = 57
_STICK, _SNARE, _HAT, _RIDE = 37, 38, 42, 51
_SHAKER, _TRIANGLE, _WOOD_HIGH, _WOOD_LOW, _CLAP = 82, 81, 76, 77, 39

# One bar each: (beat, key, weight). In bars of three beats, what is past their end is left out.
DRUM_PATTERNS: Final[dict[str, tuple[tuple[float, int, float], ...]]] = {
    "soft": (
        (0, KICK, 0.8), (1, _STICK, 0.55), (2, KICK, 0.7), (3, _STICK, 0.6),
        *((i / 2, _SHAKER, 0.6 if i % 2 == 0 else 0.45) for i in range(8)),
    ),
    "pop": (
        (0, KICK, 1.0), (1, _SNARE, 0.7), (2, KICK, 0.9), (2.5, KICK, 0.7), (3, _SNARE, 0.75),
        *((i / 2, _HAT, 0.5 if i % 2 else 0.62) for i in range(8)),
    ),
    "electro": (
        (0, KICK, 1.0), (1, _CLAP, 0.7), (1.75, KICK, 0.75), (2.5, KICK, 0.85), (3, _CLAP, 0.75),
        *((i / 4, _HAT, 0.62 if i % 4 == 0 else 0.5 if i % 2 == 0 else 0.34) for i in range(16)),
    ),
    "brushes": (
        (0, _RIDE, 0.6), (1, _RIDE, 0.7), (1.667, _RIDE, 0.5), (2, _RIDE, 0.6), (3, _RIDE, 0.7), (3.667, _RIDE, 0.5),
        (1, _SNARE, 0.4), (3, _SNARE, 0.45), (0, KICK, 0.45),
    ),
    "martial": (
        (0, KICK, 0.9), (1, _SNARE, 0.5), (1.5, _SNARE, 0.42), (2, KICK, 0.75), (2.5, _SNARE, 0.42),
        (3, _SNARE, 0.55), (3.25, _SNARE, 0.35), (3.5, _SNARE, 0.45), (3.75, _SNARE, 0.5),
    ),
    "rock": (
        (0, KICK, 1.0), (1, _SNARE, 0.95), (2, KICK, 0.95), (2.5, KICK, 0.8), (3, _SNARE, 1.0),
        *((i / 2, _HAT, 0.7 if i % 2 == 0 else 0.55) for i in range(8)),
    ),
    "trifles": (
        (0, _TRIANGLE, 0.4), (1, _WOOD_LOW, 0.5), (2, _WOOD_HIGH, 0.5), (2.5, _WOOD_LOW, 0.4), (3, _WOOD_LOW, 0.5),
    ),
}  # fmt: skip

# The same for single deep drums, which are programs of their own: (beat, weight).
DEEP_DRUM_PATTERNS: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "march": ((0, 1.0), (1.5, 0.6), (2, 0.85), (3, 0.65), (3.5, 0.75)),
    "heartbeat": ((0, 1.0), (0.5, 0.62), (2, 0.9), (2.5, 0.56)),
    "downbeat": ((0, 1.0),),
}


def drum_hits(
    pattern: Sequence[tuple[float, ...]], bar: float, meter: int
) -> Iterator[tuple[float, tuple[float, ...]]]:
    """(beat in the piece, rest of the entry) of the bar that starts at beat `bar`; nothing before beat 0."""
    for beat, *rest in pattern:
        if beat < meter and bar + beat >= -1e-6:
            yield bar + beat, tuple(rest)
