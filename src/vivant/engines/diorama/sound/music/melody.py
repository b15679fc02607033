"""Chooses the pitches of a melody over given chords and rhythms.

All pitches are chosen together, as the cheapest path: steps, the shape of the motif, chord tones on the beat, a step
back after a leap and a single highest point cost little. Time is in beats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.sound.music.harmony import Chord
from vivant.media import F32


@dataclass(frozen=True, slots=True)
class Slot:
    """A note without a pitch. beat, length: in beats from the start. strong: on the beat or long. scale: the pitch
    classes 0..11 it may have. motif_step: scale steps from the slot before, by the motif; None where it sets none."""

    beat: float
    length: float
    strong: bool
    chord: Chord
    scale: tuple[int, ...]
    motif_step: int | None
    last: bool = False  # the final note


_LEAPS: Final = {0: 1.1, 1: 0.0, 2: 0.0, 3: 0.35, 4: 0.4, 5: 0.8, 7: 1.1, 8: 2.0, 9: 2.0, 12: 2.2}  # by semitones
_FORBIDDEN: Final = 60.0


def choose_melody(
    slots: Sequence[Slot], *, low: int, high: int, summit: float, freedom: float, chance: np.random.Generator
) -> list[int]:
    """A MIDI key low..high for every slot. summit: 0..1, where in the melody its highest point should be. freedom:
    weight of chance against the rules; 1 is the usual."""
    keys = np.arange(low, high + 1)
    own = [_fit(slot, keys, _wish(i / max(len(slots) - 1, 1), low, high, summit)) for i, slot in enumerate(slots)]
    own = [o + freedom * chance.uniform(0, 0.9, len(keys)) for o in own]
    if len(slots) == 1:
        return [int(keys[int(own[0].argmin())])]
    steps = _distance(keys)
    # total[a, b]: the cheapest way to have come to key b from key a.
    total = own[0][:, None] + own[1][None, :] + _join(slots[0], slots[1], keys, steps)
    came = []
    recovery = _recovery(keys)
    for i in range(2, len(slots)):
        join = _join(slots[i - 1], slots[i], keys, steps)
        reached = total[:, :, None] + recovery  # a, b, c
        came.append(reached.argmin(axis=0))
        total = reached.min(axis=0) + join + own[i][None, :]
    a, b = np.unravel_index(int(total.argmin()), total.shape)
    path = [int(b), int(a)]
    for back in reversed(came):
        path.append(int(back[path[-1], path[-2]]))
    return [int(keys[i]) for i in reversed(path)]


def _wish(place: float, low: int, high: int, summit: float) -> float:
    """The preferred key at a place 0..1 of the melody: an arch that starts in the middle and ends low."""
    rise = place / summit if place < summit else (1 - place) / (1 - summit)
    base = 0.34 if place < summit else 0.22
    return low + (high - low) * (base + (0.86 - base) * float(np.sin(np.pi / 2 * np.clip(rise, 0, 1))))


def _fit(
    slot: Slot, keys: np.ndarray[tuple[int], np.dtype[np.int64]], wish: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    classes = keys % 12
    cost = np.where(np.isin(classes, slot.scale), 0.0, _FORBIDDEN)
    tone = np.isin(classes, slot.chord.triad)
    colour = np.isin(classes, slot.chord.tones[3:])
    if slot.strong:
        cost += np.where(tone, 0.0, np.where(colour, 0.5, 8.0))
    else:
        cost += np.where(tone | colour, 0.0, 0.25)
    if slot.length > 0.5:  # a semitone above a chord tone is harsh when held
        grating = np.isin((classes - 1) % 12, slot.chord.tones) & ~np.isin(classes, slot.chord.tones)
        cost += np.where(grating, 6.0, 0.0)
    if slot.last:
        root, third, fifth = slot.chord.triad
        cost += np.where(classes == root, 0.0, np.where(classes == third, 0.8, np.where(classes == fifth, 1.4, 9.0)))
    return np.asarray(cost + 0.007 * (keys - wish) ** 2)


def _distance(keys: np.ndarray[tuple[int], np.dtype[np.int64]]) -> F32:
    leap = np.abs(keys[None, :] - keys[:, None])
    table = np.full(int(leap.max()) + 1, 5.0, np.float32)
    for size, cost in _LEAPS.items():
        if size < len(table):
            table[size] = cost
    return np.asarray(table[leap], np.float32)


def _join(
    before: Slot, slot: Slot, keys: np.ndarray[tuple[int], np.dtype[np.int64]], leaps: F32
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The cost of going from key a (rows) to key b (columns)."""
    interval = keys[None, :] - keys[:, None]
    cost = leaps.astype(np.float64)
    if slot.motif_step is not None:
        made = np.sign(interval) * np.round(np.abs(interval) * 7 / 12)  # about as many scale steps
        cost = 0.5 * cost + 0.85 * np.abs(made - slot.motif_step)
    outside = ~np.isin(keys % 12, before.chord.tones)  # a tone outside the chord is left by step
    cost += np.where(outside[:, None] & (np.abs(interval) > 2), 4.0, 0.0)
    outside = ~np.isin(keys % 12, slot.chord.tones)
    cost += np.where(outside[None, :] & (np.abs(interval) > 2), 2.0, 0.0)  # and reached by step
    if slot.last:
        cost += np.where(np.abs(interval) > 2, 2.0, np.where(interval == 0, 1.0, 0.0))
    return cost


def _recovery(
    keys: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """The cost of three keys in a row: low where a leap is followed by a step back, high for repetition."""
    a, b, c = keys[:, None, None], keys[None, :, None], keys[None, None, :]
    first, second = b - a, c - b
    leapt = np.abs(first) >= 5
    onward = np.sign(first) == np.sign(second)
    cost = np.where(leapt & onward & (np.abs(second) > 2), 3.0, 0.0) + np.where(leapt & (np.abs(second) > 4), 1.5, 0.0)
    cost = cost + np.where((first == 0) & (second == 0), 2.5, 0.0) + np.where((a == c) & (first != 0), 0.5, 0.0)
    return np.asarray(cost)
