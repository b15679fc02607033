"""A short piece of music composed for one clip: mood, style, tempo and seed in, notes and sound out.

The length of the music, which is the clip's unless it has a time of its own, decides the form: whole beats up to a
last chord that begins at least 1.2 s before the end and fades away. Harmony, melody, accompaniment and instruments are
files of their own; here they become one piece, with its form, its dynamics, small random deviations in time and
loudness, and pauses of the melody while somebody speaks. Where the picture cuts, a beat falls, the first of a bar if
one is near: the tempo gives way a little on both sides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import fades, space
from vivant.engines.diorama.sound.music import accompaniment, harmony, melody
from vivant.engines.diorama.sound.music.accompaniment import CHORD_PATTERNS, ChordSpan, ScoreNote
from vivant.engines.diorama.sound.music.ensemble import ENERGY, LIVELY, Instrument, instruments_for
from vivant.engines.diorama.sound.music.melody import Slot
from vivant.engines.diorama.sound.music.soundfont import Note, load_soundfont
from vivant.engines.diorama.storyboard import Mood, Music
from vivant.engines.diorama.timing.timeline import Timeline
from vivant.media import F32, SAMPLE_RATE, SAMPLES_PER_FRAME
from vivant.request import FPS

FIRST: Final = 0.04  # s before the first note, so that its attack is not cut
RING: Final = (1.35, 2.3)  # s, least and most, from the last chord to the end of the clip
_BEST_RING: Final = 1.7  # s
_CHORD: Final = 2.0  # s, the preferred length of a chord
_FADE: Final = 0.35  # s at the very end
_SHORTEST: Final = Fraction(3)  # s of a piece
_LEAST, _MOST = 0.91, 1.1  # length of a beat against its mean, so that one falls on a cut
_OFF_BAR: Final = 0.06  # what a cut on another beat than the first of a bar costs, beside off-tempo (a log ratio)
_UNPINNED: Final = 0.3  # what a cut on no beat costs
_ACCENT: Final = 0.1  # by which what falls on a cut is louder
_MAKE_ROOM: Final = 0.15  # s before and after speech in which the melody is silent, too

_TONICS: Final = (0, 2, 3, 5, 7, 9, 10)  # C D E♭ F G A B♭
# Share of pieces in 3/4.
_WALTZ: Final[dict[Mood, float]] = {"romantic": 0.4, "calm": 0.25, "sad": 0.25, "playful": 0.2}
# Size of the room, 0..1.
_HALL: Final[dict[Mood, float]] = {
    "calm": 0.5, "happy": 0.3, "sad": 0.55, "tense": 0.6, "epic": 0.75, "mysterious": 0.75, "romantic": 0.5,
    "playful": 0.25,
}  # fmt: skip

# Rhythms of one bar: (beat, length). A motif is one of them with steps of pitch.
Cell = tuple[tuple[float, float], ...]
_SLOW: Final[tuple[Cell, ...]] = (
    ((0, 2), (2, 1), (3, 1)), ((0, 1.5), (1.5, 0.5), (2, 2)), ((0, 1), (1, 1), (2, 2)), ((0.5, 0.5), (1, 1), (2, 1.5)),
    ((0, 3), (3, 1)), ((0, 1), (1, 0.5), (1.5, 0.5), (2, 2)),
)  # fmt: skip
_LYRIC: Final[tuple[Cell, ...]] = (
    ((0, 1.5), (1.5, 0.5), (2, 1), (3, 1)), ((0, 1), (1, 0.5), (1.5, 0.5), (2, 1.5), (3.5, 0.5)),
    ((0, 2), (2, 0.5), (2.5, 0.5), (3, 1)), ((0.5, 0.5), (1, 0.5), (1.5, 0.5), (2, 2)), ((0, 1.5), (1.5, 0.5), (2, 2)),
)  # fmt: skip
_LIVELY: Final[tuple[Cell, ...]] = (
    ((0, 0.5), (0.5, 0.5), (1, 1), (2, 0.5), (2.5, 0.5), (3, 1)), ((0, 1), (1, 0.5), (1.5, 0.5), (2, 1), (3, 0.5)),
    ((0, 0.75), (0.75, 0.25), (1, 0.5), (1.5, 0.5), (2, 1), (3, 0.5)), ((0, 0.5), (0.5, 1), (1.5, 0.5), (2, 1), (3, 1)),
    ((0.5, 0.5), (1, 0.5), (1.5, 0.5), (2, 0.5), (2.5, 0.5), (3, 1)),
)  # fmt: skip
_BROAD: Final[tuple[Cell, ...]] = (
    ((0, 1.5), (1.5, 0.5), (2, 2)), ((0, 2), (2, 1), (3, 1)), ((0, 1), (1, 1), (2, 1.5), (3.5, 0.5)),
    ((0, 3), (3, 0.5), (3.5, 0.5)), ((0, 1.5), (1.5, 0.5), (2, 1.5), (3.5, 0.5)),
)  # fmt: skip
_SPARSE: Final[tuple[Cell, ...]] = (
    ((0, 1.5), (1.5, 0.5), (2, 1)), ((0, 0.5), (0.5, 2.5)), ((1, 0.5), (1.5, 0.5), (2, 1.5)), ((0, 3),),
)  # fmt: skip
_IN_THREE: Final[tuple[Cell, ...]] = (
    ((0, 2), (2, 1)), ((0, 1), (1, 1), (2, 1)), ((0, 1.5), (1.5, 0.5), (2, 1)), ((0, 2), (2, 0.5), (2.5, 0.5)),
)  # fmt: skip
_CELLS: Final[dict[Mood, tuple[Cell, ...]]] = {
    "calm": _SLOW, "happy": _LIVELY, "sad": _SLOW, "tense": _SPARSE, "epic": _BROAD, "mysterious": _SLOW,
    "romantic": _LYRIC, "playful": _LIVELY,
}  # fmt: skip
_HOMEWARD: Final[dict[int, tuple[Cell, ...]]] = {
    4: (((0, 1), (1, 1), (2, 1.5), (3.5, 0.5)), ((0, 1.5), (1.5, 0.5), (2, 1), (3, 1)), ((0, 1), (1, 1), (2, 2))),
    3: (((0, 1.5), (1.5, 0.5), (2, 1)), ((0, 2), (2, 1)), ((0, 1), (1, 1), (2, 1))),
}
# The rhythm of each bar, by the number of bars: A and B and C are motifs, H leads to the last chord.
_FORMS: Final = {1: "H", 2: "AH", 3: "AAH", 4: "ABAH", 5: "ABACH", 6: "ABACAH", 7: "AABACAH", 8: "ABACABAH"}


@dataclass(frozen=True, slots=True)
class Score:
    """A finished piece. notes: as played, in seconds from the start of the clip. beats: time in seconds of every beat
    up to the last chord. seconds: of the clip. tempo: beats per minute, as played. spans: the chords; the last one
    rings to the end. hall: size of the room, 0..1."""

    notes: tuple[Note, ...]
    beats: tuple[Fraction, ...]
    seconds: Fraction
    tempo: float
    spans: tuple[ChordSpan, ...]
    hall: float

    @property
    def landing(self) -> Fraction:
        """The time of the last chord, in seconds."""
        return self.beats[-1]


def make_music(timeline: Timeline) -> F32:
    """The music of a clip: float32 (2, samples), at a level that the mix sets later. It is composed for its time, so
    that it begins with it and its last chord ends with it; of less than 3 s it is the beginning, faded out.

    Raises ValueError for a timeline without music.
    """
    if timeline.music is None:
        raise ValueError("This timeline has no music.")
    music = timeline.music
    start = min(music.start or 0, timeline.frames)
    end = timeline.frames if music.end is None else min(music.end, timeline.frames)
    before = start * SAMPLES_PER_FRAME
    speech = [((line.start - before) / SAMPLE_RATE, (line.end - before) / SAMPLE_RATE) for line in timeline.lines]
    cuts = [Fraction(cut - start, FPS) for cut in timeline.cuts if start < cut < end]
    seconds = max(Fraction(end - start, FPS), _SHORTEST)
    piece = render(compose(music, seconds, timeline.seed, speech=speech, cuts=cuts))
    n = (end - start) * SAMPLES_PER_FRAME
    if piece.shape[1] > n:
        fade = min(round(_FADE * SAMPLE_RATE), n)
        piece = piece[:, :n].copy()
        piece[:, n - fade :] *= fades.fade_out(fade)
    return np.pad(piece, ((0, 0), (before, timeline.samples - before - piece.shape[1])))


def compose(
    music: Music,
    seconds: Fraction,
    seed: int,
    *,
    speech: Sequence[tuple[float, float]] = (),
    cuts: Sequence[Fraction] = (),
) -> Score:
    """A piece of this length, at least 3 s. speech: (start, end) in seconds, during which there is less music. cuts: in
    seconds, in order; a beat falls on each that the tempo can reach.

    The same arguments give the same piece; another seed gives another key, harmony and melody.
    """
    chance = rng(seed, "score")
    instruments = instruments_for(music.style, music.mood)
    form = _form(music, float(seconds), [float(cut) for cut in cuts], chance)
    plan = harmony.PLANS[music.mood][int(chance.integers(len(harmony.PLANS[music.mood])))]
    tonic = int(chance.choice(_TONICS))
    spans = _spans(form, plan, tonic)
    line = _melody_line(form, plan, spans, tonic, instruments, music.mood, chance)
    performer = _Performer(form, music.mood, float(seconds), speech, chance)
    notes: list[Note] = []
    for instrument in instruments:
        if instrument.role == "melody":
            notes += performer.perform(instrument, _melody_notes(instrument, line, form))
        elif instrument.role in ("chords", "bass"):
            notes += performer.perform(instrument, _chord_notes(instrument, spans, music.mood))
        else:
            notes += performer.perform(instrument, _drum_notes(instrument, form, music.mood))
    notes.sort(key=lambda n: (n.start, n.key, n.program))
    return Score(tuple(notes), form.beats(), seconds, 60 / form.beat, tuple(spans), _HALL[music.mood])


def render(score: Score) -> F32:
    """The score as sound, with the reverberation of its room and a fade at the end: float32 (2, n), peak 0.5."""
    dry = load_soundfont().play(score.notes, float(score.seconds))
    wet = space.reverberate(dry, space.make_impulse_response(score.hall, seed=0))
    sound = dry + np.float32(0.16 + 0.22 * score.hall) * wet
    fade = round(_FADE * SAMPLE_RATE)
    sound[:, -fade:] *= fades.fade_out(fade)
    return np.asarray(sound * np.float32(0.5 / max(float(np.abs(sound).max()), 1e-6)), np.float32)


@dataclass(frozen=True, slots=True)
class _Form:
    """count: beats before the last chord, which is on beat `count`, the first of a bar. landing: its time in seconds.
    slowing: ritardando over the last bar: by how much a beat is longer at its end, 0..1. pins: (beat, seconds), in
    order: beats that fall on a cut."""

    count: int
    meter: int
    landing: float
    slowing: float
    pins: tuple[tuple[int, float], ...] = ()

    @property
    def beat(self) -> float:
        """The mean length of a beat in seconds."""
        return (self.landing - FIRST) / self.count

    def at(self, beat: float) -> float:
        """The time of a beat in seconds; after the last chord beats have their mean length."""
        if beat >= self.count:
            return self.landing + (beat - self.count) * self.beat
        if not self.pins or beat <= 0:
            return self._unpinned(beat)
        at, on = zip((0, FIRST), *self.pins, (self.count, self.landing), strict=True)
        return float(np.interp(self._unpinned(beat), [self._unpinned(pin) for pin in at], on))

    def _unpinned(self, beat: float) -> float:
        turn = max(0.0, 1 - self.meter / self.count)

        def course(u: float) -> float:
            return u + self.slowing * max(0.0, u - turn) ** 2 / (2 * (1 - turn))

        return FIRST + (self.landing - FIRST) * course(beat / self.count) / course(1.0)

    def pin(self, cuts: Sequence[float]) -> tuple[_Form, float]:
        """The same form with a beat on each cut (in seconds, in order) that the tempo can reach, and what it costs in
        tempo and metre, 0 for a form that fits as it is."""
        pins: list[tuple[int, float]] = []
        cost = 0.0
        for cut in cuts:
            beats = range(pins[-1][0] + 1 if pins else 1, self.count)
            found = [(off, beat) for beat in beats if (off := self._give_way(pins, beat, cut)) is not None]
            cost += min(found)[0] if found else _UNPINNED
            if found:
                pins.append((min(found)[1], cut))
        return replace(self, pins=tuple(pins)), cost

    def _give_way(self, pins: Sequence[tuple[int, float]], beat: int, cut: float) -> float | None:
        """What it costs to have this beat on this cut after those pins; None where the tempo would change too much."""
        last, on = pins[-1] if pins else (0, FIRST)
        before = (cut - on) / (self._unpinned(beat) - self._unpinned(last))
        after = (self.landing - cut) / (self.landing - self._unpinned(beat))
        if not all(_LEAST <= length <= _MOST for length in (before, after)):
            return None
        return max(abs(math.log(before)), abs(math.log(after))) + _OFF_BAR * ((self.count - beat) % self.meter != 0)

    def beats(self) -> tuple[Fraction, ...]:
        """The time of every beat up to the last chord, in seconds, on a whole sample."""
        return tuple(Fraction(round(self.at(n) * SAMPLE_RATE), SAMPLE_RATE) for n in range(self.count + 1))

    def bars(self) -> Iterator[float]:
        """The first beat of each bar; negative for an upbeat."""
        first = self.count % self.meter
        return iter(float(b) for b in range(first - self.meter if first else 0, self.count, self.meter))


def _form(music: Music, seconds: float, cuts: Sequence[float], chance: np.random.Generator) -> _Form:
    """The number of beats and the time of the last chord that come nearest to the tempo and to the cuts."""
    three = chance.random() < _WALTZ.get(music.mood, 0.0) and music.style not in ("electronic", "jazz", "rock")
    earliest, latest = max(seconds - RING[1], 0.4 * seconds), seconds - RING[0]

    def best(meter: int) -> tuple[float, _Form]:
        found = []
        for landing in np.linspace(earliest, latest, 20):
            ideal = (landing - FIRST) * music.tempo / 60
            for count in {max(2, n) for n in (math.floor(ideal), math.ceil(ideal), round(ideal / meter) * meter)}:
                if count % (2 if meter == 4 else 3) == 0:
                    off = abs(math.log(count / ideal))
                    upbeat = 0.05 * (count % meter != 0)
                    cost = off + upbeat + 0.12 * abs(seconds - landing - _BEST_RING)
                    form = _Form(count, meter, float(landing), 0.25 * (1 - ENERGY[music.mood]) ** 2)
                    form, given_way = form.pin(cuts)
                    found.append((cost + given_way, form))
        return min(found, key=lambda f: f[0], default=(math.inf, _Form(2, 2, latest, 0.0)))

    in_four, in_three = best(4), best(3)
    return in_three[1] if three and in_three[0] < in_four[0] + 0.08 else in_four[1]


def _spans(form: _Form, plan: harmony.Plan, tonic: int) -> list[ChordSpan]:
    """The chords: about 2 s each, twice as fast in the last bar, then the tonic."""
    lengths = _lengths(form)
    chords = harmony.make_progression(plan, len(lengths), tonic)
    voiced = harmony.choose_voicings(chords, low=50, high=74, voices=4, centre=62)
    spans, beat = [], 0.0
    for i, (chord, keys) in enumerate(zip(chords, voiced, strict=True)):
        length = lengths[i] if i < len(lengths) else 2.0 * form.meter
        following = chords[i + 1] if i + 1 < len(chords) else None
        spans.append(ChordSpan(chord, keys, beat, length, form.meter, following))
        beat += length
    return spans


def _lengths(form: _Form) -> list[float]:
    if form.meter == 3:
        lengths = [3.0] * (form.count // 3)
        return lengths if len(lengths) > 1 else [2.0, 1.0]
    each = min((4, 2), key=lambda h: abs(math.log(h * form.beat / _CHORD)))
    if form.count < 3 * each:
        each = 2
    if form.count == 2:
        return [1.0, 1.0]
    first = form.count % each
    lengths = [float(first)] * (first > 0) + [float(each)] * (form.count // each)
    if each == 4 or len(lengths) == 2:
        lengths[-1:] = [each / 2, each / 2]
    return lengths


def _melody_line(
    form: _Form,
    plan: harmony.Plan,
    spans: Sequence[ChordSpan],
    tonic: int,
    instruments: Sequence[Instrument],
    mood: Mood,
    chance: np.random.Generator,
) -> list[tuple[Slot, int]]:
    """The melody as (slot, MIDI key), the final note last."""
    leader = next((p for p in instruments if p.role == "melody"), None)
    if leader is None:
        return []
    slots = _slots(form, plan, spans, tonic, mood, chance)
    keys = melody.choose_melody(
        slots, low=leader.low, high=leader.high, summit=float(chance.uniform(0.5, 0.72)), freedom=1.0, chance=chance
    )
    return list(zip(slots, keys, strict=True))


def _slots(
    form: _Form, plan: harmony.Plan, spans: Sequence[ChordSpan], tonic: int, mood: Mood, chance: np.random.Generator
) -> list[Slot]:
    cells = _IN_THREE if form.meter == 3 else _CELLS[mood]
    order = chance.permutation(len(cells))
    homeward = _HOMEWARD[3 if form.meter == 3 else 4]
    chosen = {
        "A": cells[int(order[0])],
        "B": cells[int(order[1])],
        "C": cells[int(order[2])],
        "H": homeward[int(chance.integers(len(homeward)))],
    }
    shapes = {name: _shape(len(cell), chance) for name, cell in chosen.items()}
    bars = list(form.bars())
    letters = _FORMS.get(len(bars)) or "".join("ABAC"[i % 4] for i in range(len(bars) - 1)) + "H"
    slots = []
    for bar, letter in zip(bars, letters, strict=True):
        for i, (beat, length) in enumerate(chosen[letter]):
            at = bar + beat
            if at < -1e-6:
                continue
            over = next(s for s in reversed(spans) if s.beat <= at + 1e-6)
            on_beat = beat % (1 if form.meter == 3 else 2) == 0
            slots.append(
                Slot(
                    beat=at,
                    length=min(length, over.beat + over.length - at),  # no note is held into the next chord
                    strong=abs(at - over.beat) < 1e-6 or length >= 1 or (on_beat and length >= 0.5),
                    chord=over.chord,
                    scale=harmony.find_scale(plan, over.chord, tonic),
                    motif_step=shapes[letter][i] if i and letter != "H" else None,
                )
            )
    home = spans[-1].chord
    return [
        *slots,
        Slot(form.count, 2.0 * form.meter, True, home, harmony.find_scale(plan, home, tonic), None, last=True),
    ]


def _shape(notes: int, chance: np.random.Generator) -> list[int]:
    """Scale steps between the notes of a motif, one per note; the first is never used."""
    steps = [0]
    direction = int(chance.choice([-1, 1]))
    for i in range(1, notes):
        if i > 1 and chance.random() < 0.4:
            direction = -direction
        size = int(chance.choice([1, 2, 3] if i == 1 else [1, 1, 1, 2, 0]))
        steps.append(direction * size)
    return steps


def _melody_notes(instrument: Instrument, line: Sequence[tuple[Slot, int]], form: _Form) -> Iterator[ScoreNote]:
    """The melody for one instrument: all of it, or for one that doubles it in another octave only the strong notes."""
    for slot, key in line:
        if instrument.octave and not slot.strong:
            continue
        length = slot.length * (0.97 if slot.length >= 1 or form.beat > 0.65 else 0.88)
        yield ScoreNote(slot.beat, length, key, 1.0 if slot.strong else 0.9)


def _chord_notes(instrument: Instrument, spans: Sequence[ChordSpan], mood: Mood) -> Iterator[ScoreNote]:
    pattern = CHORD_PATTERNS[instrument.pattern_in(mood)]
    for span in spans[:-1]:
        yield from pattern(span)
    yield from _final_chord(instrument, spans[-1])


def _final_chord(instrument: Instrument, span: ChordSpan) -> list[ScoreNote]:
    if instrument.role == "bass":
        return [ScoreNote(span.beat, span.length, accompaniment.bass_key(span.chord))]
    spread = 0.03 if instrument.rings else 0.0
    return [ScoreNote(span.beat, span.length, k, 0.95, delay=spread * i) for i, k in enumerate(span.keys)]


def _drum_notes(instrument: Instrument, form: _Form, mood: Mood) -> Iterator[ScoreNote]:
    """The bars of a drum, and its strokes on the last chord."""
    energy = ENERGY[mood]
    last = list(form.bars())[-1]
    for bar in form.bars():
        if instrument.role == "deep":
            deep = accompaniment.DEEP_DRUM_PATTERNS[instrument.pattern]
            for beat, (weight,) in accompaniment.drum_hits(deep, bar, form.meter):
                yield ScoreNote(beat, 1.0, instrument.key, weight)
            if bar == last and energy > 0.9 and form.count >= 4:  # a roll into the last chord
                for i in range(8):
                    yield ScoreNote(form.count - 1 + i / 8, 0.2, instrument.key, 0.45 + 0.06 * i)
        else:
            pattern = accompaniment.DRUM_PATTERNS[instrument.pattern_in(mood)]
            for beat, (key, weight) in accompaniment.drum_hits(pattern, bar, form.meter):
                yield ScoreNote(beat, 0.4, int(key), weight)
    if instrument.role == "deep":
        yield ScoreNote(form.count, 2.0, instrument.key, 1.0)
    elif energy >= LIVELY:
        yield ScoreNote(form.count, 2.0, accompaniment.KICK, 0.9)
        if instrument.pattern not in ("trifles", "soft"):
            yield ScoreNote(form.count, 4.0, accompaniment.CRASH, 0.6)


class _Performer:
    """Turns written notes into played ones: tempo, dynamics, small random deviations, less music during speech."""

    def __init__(
        self,
        form: _Form,
        mood: Mood,
        seconds: float,
        speech: Sequence[tuple[float, float]],
        chance: np.random.Generator,
    ) -> None:
        self._form, self._energy, self._seconds, self._chance = form, ENERGY[mood], seconds, chance
        self._speech = [(a - _MAKE_ROOM, b + _MAKE_ROOM) for a, b in speech]

    def perform(self, instrument: Instrument, score_notes: Iterator[ScoreNote]) -> list[Note]:
        """The notes as that instrument plays them; some are left out during speech."""
        notes = (self._note(instrument, score_note) for score_note in score_notes)
        return [n for n in notes if n is not None and n.start < self._seconds - 0.05]

    def _note(self, instrument: Instrument, score_note: ScoreNote) -> Note | None:
        form = self._form
        exact = form.at(score_note.beat) + score_note.delay
        home = score_note.beat >= form.count - 1e-6
        loose = 0.003 if instrument.role in ("drums", "deep") else 0.004 if home else 0.008
        start = max(0.01, exact + float(np.clip(self._chance.normal(0, loose), -2 * loose, 2 * loose)))
        end = form.at(score_note.beat + score_note.length) + score_note.delay
        velocity = instrument.velocity * score_note.weight * self._dynamics(score_note.beat) + float(
            self._chance.normal(0, 2.2)
        )
        if self._overlaps_speech(start, min(end, start + 1.0)):
            if instrument.role == "melody" and not home:
                return None
            if instrument.role in ("drums", "deep") and score_note.weight < 0.6:
                return None
            if instrument.pattern in ("sixteenths", "flowing") and score_note.beat % 0.5 > 0.1:
                return None
            velocity *= 0.8
        note = Note(
            start=start,
            length=max(0.08, end - start),
            key=int(score_note.key) + 12 * instrument.octave,
            velocity=int(np.clip(round(velocity), 12, 120)),
            program=instrument.program,
            bank=instrument.bank,
            pan=instrument.pan,
            gain=instrument.gain,
            swell=0.0 if instrument.rings else score_note.swell,
        )
        return self._let_ring(note, instrument) if home else note

    def _let_ring(self, note: Note, instrument: Instrument) -> Note:
        """A note of the last chord: struck and plucked instruments ring to the end, all others fade and stop before."""
        left = self._seconds - note.start
        if instrument.rings:
            return replace(note, length=left)
        return replace(note, length=0.72 * left, swell=-12.0)

    def _dynamics(self, beat: float) -> float:
        """Factor of velocity: rises over three quarters of the piece, then falls; the last chord follows the mood."""
        place = beat / self._form.count
        if place >= 1 - 1e-6:
            return 0.86 + 0.2 * self._energy
        cut = any(abs(beat - pin) < 1e-6 for pin, _ in self._form.pins)
        wave = 0.84 + 0.18 * math.sin(math.pi * min(place / 1.5, 1.0))
        return wave + 0.03 * (beat % self._form.meter == 0) + _ACCENT * cut

    def _overlaps_speech(self, start: float, end: float) -> bool:
        return any(start < b and end > a for a, b in self._speech)
