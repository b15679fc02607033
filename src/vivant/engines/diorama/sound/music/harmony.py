"""Harmony: roman numerals, chord progressions by mood, and voice leading. Pitches only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

import numpy as np

from vivant.engines.diorama.checks import check_tuple, check_type, check_whole
from vivant.engines.diorama.storyboard import Mood

MODES: Final = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
}

_DEGREES: Final = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}  # in semitones of the major scale
_COLOURS: Final = {
    "": (), "7": (10,), "M7": (11,), "9": (14,), "6": (9,), "sus": (), "ø": (10,), "°": (), "5": (),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chord:
    """name: roman numeral in the key. root, bass: pitch classes 0..11. tones: pitch classes, root first, third (or
    what stands for it), fifth, then colours. Raises ValueError for others."""

    name: str
    root: int
    bass: int
    tones: tuple[int, ...]

    def __post_init__(self) -> None:
        check_type("Chord.name", self.name, str)
        check_tuple("Chord.tones", self.tones, int)
        if len(self.tones) < 3 or self.tones[0] != self.root or self.bass not in self.tones:
            raise ValueError(f"Chord.tones must be the root, two more at least, and among them the bass; it is {self}.")
        for tone in self.tones:
            check_whole("Chord.tones", tone, 0, 11)

    @property
    def triad(self) -> tuple[int, ...]:
        """Root, third and fifth."""
        return self.tones[:3]


@dataclass(frozen=True, slots=True)
class Plan:
    """A chord progression of a mood: its opening, its cadence and the chord on which it ends, as roman numerals."""

    mode: str
    opening: tuple[str, ...]  # as many of these as fit
    cadence: tuple[str, str]
    home: str


def _plan(mode: str, opening: str, cadence: str, home: str) -> Plan:
    first, second = cadence.split()
    return Plan(mode, tuple(opening.split()), (first, second), home)


PLANS: Final[dict[Mood, tuple[Plan, ...]]] = {
    "calm": (
        _plan("major", "I9 IVM7 I9 vi7 IVM7 I/3 ii7", "IVM7 Vsus", "I9"),
        _plan("major", "I9 vi7 IVM7 I/3 ii7 vi7 iii7", "IVM7 iv", "I9"),
        _plan("lydian", "I9 II/3 I9 vi7 IVM7 I/3 ii7", "ii7 IVM7", "I9"),
    ),
    "happy": (
        _plan("major", "I V/3 vi IV I/3 IV I", "ii7 V7", "I"),
        _plan("major", "I IV I/3 IV vi ii7 I/3", "IV V7", "I"),
        _plan("major", "I iii vi IV I/3 vi7 IV", "ii7 V", "I"),
    ),
    "sad": (
        _plan("minor", "i bVIM7 bIII bVII i/3 iv i", "iiø V7", "i"),
        _plan("minor", "i v/3 bVIM7 bIII/5 iv i/3 bVI", "iv Vsus", "i9"),
        _plan("minor", "i9 iv7 bVII bIIIM7 bVIM7 iv i/3", "iiø V", "i"),
    ),
    "tense": (
        _plan("phrygian", "i bII/1 i bII i/3 iv bII", "bVI V", "i5"),
        _plan("minor", "i bVI i iv/5 i bII bVI", "iiø V", "i5"),
    ),
    "epic": (
        _plan("minor", "i bVI bIII bVII i bVI iv", "bVI bVII", "I"),
        _plan("minor", "i bVII/3 bVI bIII iv bVI i/3", "iv V", "i"),
        _plan("major", "I V/3 vi IV I/3 bVI bVII", "bVI bVII", "I"),
    ),
    "mysterious": (
        _plan("dorian", "i9 IV/3 i9 bVIM7 iv i9 IV", "bVIM7 v7", "i9"),
        _plan("minor", "i9 bVIM7 iv/3 i9 bIIM7 bVIM7 iv", "bIIM7 v7", "i9"),
        _plan("lydian", "IM7 II/3 vi7 II IM7 iii7 II", "iii7 II/3", "I9"),
    ),
    "romantic": (
        _plan("major", "I9 III7/3 vi7 IVM7 I/3 ii7 iii7", "iv V7", "I9"),
        _plan("major", "I9 iii7 IVM7 I/3 ii7 vi7 IVM7", "ii7 V7", "I9"),
        _plan("major", "I9 V/3 vi7 iii7 IVM7 I/3 iv", "ii7 Vsus", "I9"),
    ),
    "playful": (
        _plan("major", "I V7/5 I/3 IV I vi II7", "ii7 V7", "I"),
        _plan("major", "I vi ii7 V7 I/3 IV II7", "II7 V7", "I"),
        _plan("major", "I IV I/5 V7 vi II7 IV", "IV V7", "I"),
    ),
}


def spell_chord(name: str, tonic: int) -> Chord:
    """A roman numeral with its colour and bass ("bVIM7", "V7", "I/3": third in the bass) over a tonic 0..11.

    Capitals are major, small letters minor, ø half diminished, ° diminished, sus has the fourth for the third, 5 no
    third, 9 an added ninth. Raises ValueError for anything else.
    """
    match = re.fullmatch(r"([b#]?)([IV]+|[iv]+)(M7|7|9|6|sus|ø|°|5)?(?:/([135]))?", name)
    if match is None or match[2].upper() not in _DEGREES:
        raise ValueError(f"{name!r} is no roman numeral.")
    accidental, numeral, colour, bass = match[1], match[2], match[3] or "", match[4] or "1"
    root = tonic + _DEGREES[numeral.upper()] + {"b": -1, "#": 1, "": 0}[accidental]
    third = 5 if colour == "sus" else 4 if numeral.isupper() else 3
    fifth = 6 if colour in ("ø", "°") else 7
    third = 3 if colour in ("ø", "°") else third
    intervals = [0, 7, 7] if colour == "5" else [0, third, fifth]
    tones = tuple((root + i) % 12 for i in (*intervals, *_COLOURS[colour]))
    return Chord(name, root % 12, tones[{"1": 0, "3": 1, "5": 2}[bass]], tones)


def make_progression(plan: Plan, count: int, tonic: int) -> list[Chord]:
    """`count` chords (at least 1) that lead to the final chord, and that chord: count + 1 in all."""
    if count == 1:
        names = [plan.cadence[1]]
    elif count == 2:
        names = [plan.opening[0], plan.cadence[1]]
    else:
        loop = plan.opening
        names = [loop[i % len(loop)] for i in range(count - 2)] + list(plan.cadence)
    for i in range(len(names) - 1):  # the opening may end on the chord with which the cadence begins
        if spell_chord(names[i], tonic).tones == spell_chord(names[i + 1], tonic).tones:
            names[i] = plan.opening[0] if i else names[i]
    return [spell_chord(name, tonic) for name in (*names, plan.home)]


def find_scale(plan: Plan, over: Chord, tonic: int) -> tuple[int, ...]:
    """The seven pitch classes a melody may use over a chord: the mode's, those a semitone from a chord tone replaced by
    it (the leading tone over V in minor, the flat sixth over iv in major)."""
    notes = [(tonic + step) % 12 for step in MODES[plan.mode]]
    for tone in over.tones:
        if tone in notes:
            continue
        near = [i for i, note in enumerate(notes) if (note - tone) % 12 in (1, 11) and note not in over.tones]
        if near:
            notes[near[0]] = tone
    return tuple(sorted(set(notes)))


def choose_voicings(
    chords: Sequence[Chord], *, low: int, high: int, voices: int, centre: float
) -> list[tuple[int, ...]]:
    """Each chord as `voices` ascending MIDI keys within low..high, by the best path through all voicings (Viterbi):
    each voice moves little, no two voices move in parallel fifths or octaves, and thirds and added tones are there.

    Two octaves (low + 24 <= high) hold four voices of any chord. Raises ValueError if the range is too narrow.
    """
    shapes = [_shapes(c, low, high, voices) for c in chords]
    if not all(shapes):
        raise ValueError(f"{voices} voices have no room between {low} and {high}.")
    cost = [np.array([_shape_cost(c, s, centre) for s in options]) for c, options in zip(chords, shapes, strict=True)]
    came: list[np.ndarray[tuple[int], np.dtype[np.intp]]] = []
    total = cost[0]
    for before, here, own in zip(shapes, shapes[1:], cost[1:], strict=False):
        moves = np.array([[_move_cost(a, b) for a in before] for b in here])
        reached = moves + total[None, :]
        came.append(reached.argmin(axis=1))
        total = reached.min(axis=1) + own
    at = int(total.argmin())
    path = [at]
    for back in reversed(came):
        at = int(back[at])
        path.append(at)
    return [options[i] for options, i in zip(shapes, reversed(path), strict=True)]


def _shapes(over: Chord, low: int, high: int, voices: int) -> list[tuple[int, ...]]:
    wanted = dict.fromkeys(over.tones)  # in order, each once
    needed = [t for t in wanted if t != over.tones[2] or len(wanted) <= voices]  # the fifth may be missing
    needed = [*needed[:1], *needed[1:][-(voices - 1) :]] if len(needed) > voices else needed
    spare = voices - len(needed)
    found = set()
    for extra in product(over.triad, repeat=spare):
        classes = [*needed, *extra]
        places = [[k for k in range(low, high + 1) if k % 12 == c] for c in classes]
        for keys in product(*places):
            shape = tuple(sorted(keys))
            gaps = [b - a for a, b in pairwise(shape)]
            if all(2 <= g <= 12 for g in gaps) and shape[-1] - shape[0] <= 19:
                found.add(shape)
    return sorted(found)


def _shape_cost(over: Chord, shape: tuple[int, ...], centre: float) -> float:
    mud = sum(max(0, 5 - (b - a)) for a, b in pairwise(shape) if a < 52)  # close intervals in the bass
    third_doubled = sum(k % 12 == over.tones[1] for k in shape) > 1
    return 0.06 * abs(sum(shape) / len(shape) - centre) ** 2 + 1.5 * mud + 1.2 * third_doubled


def _move_cost(before: tuple[int, ...], after: tuple[int, ...]) -> float:
    moved = [b - a for a, b in zip(before, after, strict=True)]
    cost = sum(abs(m) + (0.5 * (abs(m) - 4) if abs(m) > 4 else 0) for m in moved)
    for i in range(len(moved)):
        for j in range(i):
            parallel = moved[i] == moved[j] != 0 and (before[i] - before[j]) % 12 in (0, 7)
            cost += 6 * parallel
    return float(cost)
