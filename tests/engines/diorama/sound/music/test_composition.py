"""Composed music follows the rules of harmony, fits its clip, is reduced under speech and ends on the tonic."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from itertools import combinations, pairwise
from typing import get_args

import numpy as np
import pytest

from support.timelines import timeline
from vivant.engines.diorama.sound.music import accompaniment, ensemble, harmony, score
from vivant.engines.diorama.sound.music.harmony import Chord
from vivant.engines.diorama.sound.music.score import Score
from vivant.engines.diorama.sound.music.soundfont import Note, load_soundfont
from vivant.engines.diorama.storyboard import Mood, Music, Style
from vivant.engines.diorama.timing.views import WHOLE, View

MOODS: tuple[Mood, ...] = get_args(Mood)
TEMPO = {
    "calm": 72,
    "happy": 112,
    "sad": 66,
    "tense": 96,
    "epic": 100,
    "mysterious": 80,
    "romantic": 76,
    "playful": 120,
}
PLANS = [(mood, plan) for mood in MOODS for plan in harmony.PLANS[mood]]


def piece(
    mood: Mood,
    seconds: int = 8,
    seed: int = 1,
    style: Style = "",
    speech: tuple[tuple[float, float], ...] = (),
    cuts: tuple[Fraction, ...] = (),
) -> Score:
    music = Music(mood=mood, tempo=TEMPO[mood], style=style)
    return score.compose(music, Fraction(24 * seconds + 1, 24), seed, speech=speech, cuts=cuts)


def chord_at(made: Score, time: float) -> Chord:
    beats = [float(b) for b in made.beats]
    at = bisect_right(beats, time + 0.03) - 1
    beat = at + (time + 0.03 - beats[at]) / (beats[at + 1] - beats[at]) if at + 1 < len(beats) else len(beats) - 1
    return next(s for s in reversed(made.spans) if s.beat <= beat + 1e-3).chord


def pitched(made: Score) -> list[Note]:
    return [n for n in made.notes if n.bank == 0 and n.program not in (47, 116)]


@pytest.mark.parametrize(
    ("name", "tones", "bass"),
    [
        ("I", (0, 4, 7), 0), ("vi7", (9, 0, 4, 7), 9), ("bVIM7", (8, 0, 3, 7), 8), ("V7", (7, 11, 2, 5), 7),
        ("IV/3", (5, 9, 0), 9), ("iiø", (2, 5, 8, 0), 2), ("Vsus", (7, 0, 2), 7), ("i9", (0, 3, 7, 2), 0),
        ("i5", (0, 7, 7), 0), ("III7/3", (4, 8, 11, 2), 8),
    ],
)  # fmt: skip
def test_a_roman_numeral_is_spelled(name: str, tones: tuple[int, ...], bass: int) -> None:
    spelled = harmony.spell_chord(name, 0)
    assert spelled.tones == tones and spelled.bass == bass
    moved = harmony.spell_chord(name, 5)
    assert moved.tones == tuple((t + 5) % 12 for t in tones)


@pytest.mark.parametrize("name", ["", "H", "VIII", "I/7", "iV", "M7"])
def test_what_is_no_numeral_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        harmony.spell_chord(name, 0)


@pytest.mark.parametrize(("mood", "plan"), PLANS)
def test_voices_move_little_and_never_in_parallel_fifths(mood: Mood, plan: harmony.Plan) -> None:
    for tonic, count in ((7, 1), (0, 2), (3, 3), (9, 6), (10, 9)):
        chords = harmony.make_progression(plan, count, tonic)
        assert len(chords) == count + 1 and chords[-1].root == tonic
        voiced = harmony.choose_voicings(chords, low=50, high=74, voices=4, centre=62)
        for over, keys in zip(chords, voiced, strict=True):
            assert {k % 12 for k in keys} <= set(over.tones)
            assert over.tones[1] in {k % 12 for k in keys}
            assert set(over.tones) <= set(harmony.find_scale(plan, over, tonic))
        moves = [[b - a for a, b in zip(x, y, strict=True)] for x, y in pairwise(voiced)]
        assert np.mean(np.abs(moves)) < 3
        for before, move in zip(voiced, moves, strict=False):
            for i, j in combinations(range(4), 2):
                assert not (move[i] == move[j] != 0 and (before[j] - before[i]) % 12 in (0, 7)), (plan, before, move)


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("seconds", [4, 5, 7, 10, 12])
def test_the_last_chord_lands_in_time_and_the_tempo_is_kept(mood: Mood, seconds: int) -> None:
    for seed in range(4):
        made = piece(mood, seconds, seed)
        assert made.seconds - made.landing >= Fraction(6, 5)
        assert abs(made.tempo / TEMPO[mood] - 1) < 0.15
        assert all(b > a for a, b in pairwise(made.beats)) and made.beats[0] >= 0
        assert all(0 < n.start < made.seconds for n in made.notes)
        assert made.spans[0].chord.name.startswith(("I", "i"))  # on the tonic or a neighbour
        assert made.spans[-1].chord.root == made.spans[-1].chord.bass


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("cut", [Fraction(2), Fraction(61, 24), Fraction(4), Fraction(29, 6), Fraction(5)])
def test_a_beat_falls_on_a_cut_and_the_tempo_gives_way_a_little(mood: Mood, cut: Fraction) -> None:
    for seed in range(4):
        made = piece(mood, 8, seed, cuts=(cut,))
        assert min(abs(beat - cut) for beat in made.beats) <= Fraction(1, 48_000)
        lengths = [float(b - a) for a, b in pairwise(made.beats[: -(4 if made.spans[0].meter == 4 else 3)])]
        assert max(lengths) < 1.22 * min(lengths)
        assert made.seconds - made.landing >= Fraction(6, 5) and abs(made.tempo / TEMPO[mood] - 1) < 0.2


def test_cuts_out_of_reach_change_nothing_else() -> None:
    many = tuple(Fraction(n, 8) for n in range(1, 64))
    made = piece("calm", 8, 1, cuts=many)
    assert all(b > a for a, b in pairwise(made.beats)) and abs(made.tempo / TEMPO["calm"] - 1) < 0.2
    assert piece("calm", 8, 1, cuts=(Fraction(193, 24),)).beats == piece("calm", 8, 1).beats


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("style", get_args(Style))
def test_no_two_notes_are_dissonant_for_long(mood: Mood, style: Style) -> None:
    for seed in range(2):
        made = piece(mood, 8, seed, style)
        walking = {32} if style == "jazz" else set()  # a walking bass approaches the next chord by a semitone
        notes = [n for n in pitched(made) if n.program not in walking]
        for a, b in combinations(notes, 2):
            together = min(a.start + a.length, b.start + b.length) - max(a.start, b.start)
            if together > 0.5 and abs(a.key - b.key) in (1, 11, 13):
                tones = chord_at(made, max(a.start, b.start)).tones
                assert {a.key % 12, b.key % 12} <= set(tones), (a, b)


@pytest.mark.parametrize("mood", MOODS)
def test_the_melody_keeps_to_chord_tones_and_its_range_and_ends_on_the_last_chord(mood: Mood) -> None:
    leader = ensemble.instruments_for("", mood)[0]
    for seed in range(6):
        made = piece(mood, 10, seed)
        line = [n for n in made.notes if (n.program, n.pan, n.gain) == (leader.program, leader.pan, leader.gain)]
        assert all(leader.low <= n.key <= leader.high for n in line)
        assert all(abs(b.key - a.key) <= 12 for a, b in pairwise(line))
        leaps = [abs(b.key - a.key) for a, b in pairwise(line)]
        assert sum(leap <= 4 for leap in leaps) >= 0.7 * len(leaps)
        long = [n for n in line if n.length > 1.2 * 60 / made.tempo]
        assert all(n.key % 12 in chord_at(made, n.start).tones for n in long)
        assert line[-1].key % 12 in made.spans[-1].chord.triad
        assert float(made.landing) == pytest.approx(line[-1].start, abs=0.05)


def test_a_motif_comes_back() -> None:
    """In a piece of four bars or more the rhythm of a bar is repeated."""
    for seed in range(5):
        made = piece("happy", 12, seed)
        leader = ensemble.instruments_for("", "happy")[0]
        line = [n for n in made.notes if (n.program, n.pan, n.gain) == (leader.program, leader.pan, leader.gain)]
        beats = [float(b) for b in made.beats]
        places = [round(float(np.interp(n.start, beats, range(len(beats)))) * 4) / 4 for n in line[:-1]]
        meter = made.spans[0].meter
        first = (len(beats) - 1) % meter
        bars = [tuple(p - b for p in places if b <= p < b + meter) for b in range(first, len(beats) - 1, meter)]
        assert len(set(bars)) < len(bars)


def test_the_melody_is_silent_and_the_rest_softer_under_speech() -> None:
    speech = ((2.0, 5.0),)
    alone, under = piece("calm", 8), piece("calm", 8, speech=speech)
    leader = ensemble.instruments_for("", "calm")[0]

    def line(made: Score) -> list[Note]:
        return [n for n in made.notes if (n.pan, n.gain) == (leader.pan, leader.gain)]

    assert not [n for n in line(under) if n.start < 5.0 and n.start + n.length > 2.0]
    assert [n for n in line(alone) if 2.0 < n.start < 5.0] and line(under)
    during = [
        np.mean([n.velocity for n in m.notes if 2.2 < n.start < 4.8 and n.gain != leader.gain]) for m in (alone, under)
    ]
    assert during[1] < 0.9 * during[0]
    assert under.landing == alone.landing


def test_the_same_seed_gives_the_same_piece_and_another_another() -> None:
    assert piece("romantic", seed=4).notes == piece("romantic", seed=4).notes
    keys = {tuple(n.key for n in piece("romantic", seed=s).notes) for s in range(6)}
    assert len(keys) == 6


def test_every_style_that_can_be_asked_for_has_an_ensemble_of_its_own() -> None:
    """What is named is heard: no style plays the instruments of another."""
    styles = set(get_args(Style)) - {""}
    assert styles <= ensemble.ENSEMBLES.keys()
    assert len({ensemble.ENSEMBLES[style] for style in styles}) == len(styles)


@pytest.mark.parametrize("style", sorted(ensemble.ENSEMBLES))
def test_every_ensemble_has_instruments_that_the_soundfont_has(style: str) -> None:
    for mood in MOODS:
        for instrument in ensemble.instruments_for(style, mood):
            assert instrument.program in load_soundfont().programs(instrument.bank)


def test_every_pattern_is_played_by_some_instrument_and_every_instrument_has_one() -> None:
    played: dict[str, set[str]] = {"melody": set(), "chords": set(), "bass": set(), "drums": set(), "deep": set()}
    for instrument in {i for instruments in ensemble.ENSEMBLES.values() for i in instruments}:
        played[instrument.role] |= {instrument.pattern_in(mood) for mood in MOODS}
    assert played["melody"] == {""}
    assert played["chords"] | played["bass"] == accompaniment.CHORD_PATTERNS.keys()
    assert played["drums"] == accompaniment.DRUM_PATTERNS.keys()
    assert played["deep"] == accompaniment.DEEP_DRUM_PATTERNS.keys()


@pytest.mark.parametrize("mood", ["calm", "epic"])
def test_a_rendered_piece_fills_its_clip_and_fades_away(mood: Mood) -> None:
    made = piece(mood, 5)
    sound = score.render(made)
    assert sound.shape == (2, 121 * 2000) and sound.dtype == np.float32
    assert 0.3 < np.abs(sound).max() <= 0.51
    landing = round(float(made.landing) * 48_000)

    def level(start: int) -> float:
        return float(np.sqrt(np.mean(sound[:, start : start + 9600] ** 2)))

    assert level(landing) > 0.4 * max(level(s) for s in range(0, landing, 9600))
    assert level(sound.shape[1] - 9600) < 0.12 * level(landing)
    assert np.abs(sound[:, -1]).max() < 1e-4
    assert np.array_equal(sound, score.render(made))


def test_a_timeline_gets_its_music() -> None:
    music = Music(mood="happy", tempo=112)
    sound = score.make_music(timeline(frames=97, seed=3, music=music))
    assert sound.shape == (2, 97 * 2000)
    with pytest.raises(ValueError):
        score.make_music(timeline(frames=97, seed=3))


def test_the_music_of_a_timeline_knows_its_cuts() -> None:
    music = Music(mood="happy", tempo=112)
    views = (WHOLE, View(left=0.2, top=0.2, size=0.5))
    cut = score.make_music(timeline(frames=193, seed=3, music=music, cuts=(100,), views=views))
    assert not np.array_equal(cut, score.make_music(timeline(frames=193, seed=3, music=music)))
