"""The lexicon: everything in it means something the engine knows, and is found where it stands."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from vivant.engines.diorama.script.cloth_words import load_cloth_words
from vivant.engines.diorama.script.grammar import read
from vivant.engines.diorama.script.music import TEMPO
from vivant.engines.diorama.script.tokens import fold, tokenise
from vivant.engines.diorama.script.travel_words import load_travel_words
from vivant.engines.diorama.script.words import Entry, Node, _entry, forms_of, load_lexicon
from vivant.engines.diorama.storyboard import CLOTHS, DIRECTIONS, TEMPOS, CueKind, Mood, MotionKind, MoveKind, Tone


def entries() -> list[Entry]:
    found: dict[int, Entry] = {}
    stack: list[Node] = [load_lexicon().root]
    while stack:
        node = stack.pop()
        stack += node.next.values()
        found |= {id(entry): entry for entry in node.entries}
    return list(found.values())


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.source.replace(" ", "-"))
def test_an_entry_means_only_what_the_storyboard_knows(entry: Entry) -> None:
    moves = [(kind, to) for kind, to in entry.camera if kind != "any" and kind != "move" and kind != "return"]
    assert all(to in ("", *DIRECTIONS[kind]) for kind, to in moves)
    assert all(0 < level <= 1 for level in (*entry.motion.values(), *entry.sound.values()))


@pytest.mark.parametrize(
    ("meaning", "told"),
    [
        ({"mood": "grumpy"}, "grumpy"), ({"camera": "slide left"}, "slide"), ({"motion": {"hail": 0.5}}, "hail"),
        ({"camera": "pan sideways"}, "sideways"), ({"role": "verb"}, "verb"), ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_an_entry_that_means_what_nobody_knows_is_refused_with_its_place(meaning: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=f"^music.toml, word 3: .*{told}"):
        _entry("music.toml, word 3", {"en": ["hum"], **meaning}, {})


def test_every_mood_has_a_tempo() -> None:
    assert TEMPO.keys() == set(get_args(Mood))
    assert all(tempo in TEMPOS for tempo in TEMPO.values())


def test_every_motion_cue_mood_and_tone_has_words() -> None:
    known = entries()
    # Birds are things that go somewhere: their words stand in travel.toml; those of cloth are in cloth.toml. Drifting
    # light is never asked for.
    elsewhere = {"birds", "drifting_light", *CLOTHS.values()}
    assert {kind for entry in known for kind in entry.motion} == set(get_args(MotionKind)) - elsewhere
    assert set(load_cloth_words().things.values()) == set(CLOTHS)
    assert load_travel_words().things["birds"] == "bird"
    assert {kind for entry in known for kind in entry.sound} == set(get_args(CueKind))
    assert {entry.mood for entry in known if entry.mood} == set(get_args(Mood))
    assert {entry.tone for entry in known if entry.tone} == set(get_args(Tone)) - {"neutral"}
    assert {kind for entry in known for kind, _ in entry.camera} >= set(get_args(MoveKind))


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.source.replace(" ", "-"))
def test_an_entry_does_something(entry: Entry) -> None:
    blank = Entry(source="")
    meaning = {name for name in Entry.__slots__ if name not in ("source", "needs", "unless")}
    assert any(getattr(entry, name) != getattr(blank, name) for name in meaning), f"{entry.source} means nothing"


def test_a_misspelt_key_is_named_with_its_place() -> None:
    with pytest.raises(ValueError, match=r"camera.toml, word 3: camra is not known"):
        _entry("camera.toml, word 3", {"en": ["pan"], "camra": "pan"}, {})


def test_an_entry_needs_words() -> None:
    with pytest.raises(ValueError, match="needs words"):
        _entry("camera.toml, word 3", {"camera": "pan"}, {})


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("pan", {"pan", "pans", "panned", "panning"}),
        ("tilt", {"tilt", "tilts", "tilted", "tilting"}),
        ("move", {"move", "moves", "moved", "moving"}),
        ("dolly", {"dolly", "dollies", "dollied", "dollying"}),
        ("push", {"push", "pushes", "pushed", "pushing"}),
        ("sway", {"sway", "sways", "swayed", "swaying"}),
        ("follow", {"follow", "follows", "followed", "following"}),
        ("tie", {"tie", "ties", "tied", "tying"}),
        ("whisper", {"whisper", "whispers", "whispered", "whispering"}),
        ("zoom", {"zoom", "zooms", "zoomed", "zooming"}),
    ],
)
def test_the_forms_of_a_verb(word: str, forms: set[str]) -> None:
    assert forms_of(word) == forms


def test_the_longest_phrase_wins() -> None:
    tokens = tokenise(fold("a raincoat, a rain coat and heavy rain"))
    found = [" ".join(t.text for t in tokens[f.first : f.last]) for f in load_lexicon().find(tokens)]
    assert "rain coat" in found
    assert "heavy rain" in found
    assert "rain" not in found


def test_an_adverb_may_stand_inside_an_english_phrase() -> None:
    hits = [hit for hit in read("The camera very slowly pushes gently in").hits if hit.entry.camera]
    assert [hit.entry.camera for hit in hits] == [(("dolly", "in"),)]
    assert hits[0].speed == "slow"


def test_traditional_characters_are_read_as_simplified_ones() -> None:
    assert fold("鏡頭緩緩拉遠，雲霧繚繞") == fold("镜头缓缓拉远，云雾缭绕")


def test_full_width_letters_and_capitals_are_read_as_plain_ones() -> None:
    assert fold("ＺＯＯＭ　ＩＮ！").split() == ["zoom", "in!"]


def test_folding_keeps_every_place() -> None:
    text = "İstanbul ß ﬁ ǅ 鏡頭 “Hi” \U0001f327"
    assert len(fold(text)) == len(text)
