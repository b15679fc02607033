"""docs/prompting.md cannot drift: its examples are run, and everything the storyboard knows is named in it."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from support.paths import ROOT
from vivant.engines.diorama.explain import explain
from vivant.engines.diorama.script.casting import VOICES_BY_GENDER
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.script.words import Entry, load_lexicon
from vivant.engines.diorama.storyboard import (
    CueKind,
    FaceFact,
    LightKind,
    Mood,
    MotionKind,
    MoveKind,
    PictureFacts,
    Tone,
)
from vivant.request import Canvas

PAGE = (ROOT / "docs" / "prompting.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```prompt\n(.*?)\n```\n\n```understood\n(.*?)\n```", PAGE, re.DOTALL)
# Its regions are there, and too doubtful to move unless they are named: the page is about words.
PORTRAIT = PictureFacts(
    faces=(FaceFact(x=0.5, y=0.4, height=0.3),),
    sky=0.2, sky_trust=0.3, water=0.2, water_trust=0.3, plants=0.2, plants_trust=0.3, fire=0.1, fire_trust=0.3,
)  # fmt: skip


@pytest.mark.parametrize(("prompt", "understood"), EXAMPLES, ids=[prompt[:20] for prompt, _ in EXAMPLES])
def test_an_example_of_the_page_is_understood_as_it_says(prompt: str, understood: str) -> None:
    board = write(
        prompt, PORTRAIT, canvas=Canvas.of("480p", "16:9", 5), seed=1, audio=True, camera_fixed=False, morph=False
    )
    lines = explain(board)
    for line in understood.splitlines():
        assert line in lines


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize(
    "kind",
    sorted(
        {
            *get_args(MoveKind),
            *get_args(MotionKind),
            *get_args(CueKind),
            *get_args(LightKind),
            *get_args(Mood),
            *get_args(Tone),
        }
    ),
)
def test_everything_the_engine_knows_is_on_the_page(kind: str) -> None:
    assert re.search(rf"\b{kind}\b", PAGE)


def test_every_action_of_a_face_is_on_the_page() -> None:
    actions = {entry.action for node in _nodes() for entry in node if entry.action}
    assert actions
    for action in actions - {"look_left", "look_right", "look_up", "look_down", "look_away", "look_camera"}:
        assert action.replace("_", " ").removesuffix("d") in PAGE


def test_every_voice_is_on_the_page() -> None:
    for voices in VOICES_BY_GENDER.values():
        for voice in voices:
            assert voice in PAGE


def _nodes() -> list[tuple[Entry, ...]]:
    stack, found = [load_lexicon().root], []
    while stack:
        node = stack.pop()
        stack += node.next.values()
        found.append(node.entries)
    return found


def test_the_words_of_the_tables_are_in_the_lexicon() -> None:
    from vivant.engines.diorama.script.cloth import find_cloths
    from vivant.engines.diorama.script.grammar import read
    from vivant.engines.diorama.script.tokens import is_han
    from vivant.engines.diorama.storyboard import CLOTHS

    rows = re.findall(r"^\| (\w+) \| ([a-zA-Z][^|]+) \| ([^|]*[\u4e00-\u9fff][^|]*) \|$", PAGE, re.MULTILINE)
    rows = [row for row in rows if row[2] != "中文"]
    assert len(rows) == 35
    for kind, english, chinese in rows:
        for phrase in (*english.split(","), *chinese.split(",")):
            if kind in CLOTHS.values():
                wind = "，大风。" if is_han(phrase.strip()[0]) else " in strong wind."
                assert kind in {cloth.kind for cloth in find_cloths(read(phrase.strip() + wind))}, phrase
                continue
            hits = read(phrase.strip()).hits
            meant = [kind in hit.entry.motion or any(move == kind for move, _ in hit.entry.camera) for hit in hits]
            moves = [hit for hit in hits if hit.entry.camera]
            assert any(meant) or (moves and kind in ("pan", "zoom", "dolly", "tilt")), f"{phrase} is not {kind}"
