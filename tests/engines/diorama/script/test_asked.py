"""Nothing asked for vanishes: sentences for every kind that a storyboard lists (asked.toml) are listed as that kind
where a picture has all there is, and listed or told where it has nothing."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from vivant.engines.diorama.script.script import name_things, write
from vivant.engines.diorama.storyboard import (
    BodyActionKind,
    BodyFact,
    LightKind,
    MotionKind,
    MotionLook,
    PictureFacts,
    Storyboard,
    ThingFact,
    TravelKind,
)
from vivant.request import Canvas

ASKED: dict[str, dict[str, dict[str, list[str]]]] = tomllib.loads(
    (Path(__file__).parent / "asked.toml").read_text(encoding="utf-8")
)
KINDS = {"light": LightKind, "travel": TravelKind, "body": BodyActionKind, "motion": MotionKind, "look": MotionLook}
BODY = BodyFact(trust=0.9, being="animal", head=True, ears=True, eyes=True, tail=True, eye_seen=True)
ALL_THERE_IS = PictureFacts(
    body=BODY, sky=0.3, sky_trust=0.9, water=0.2, water_trust=0.9, plants=0.2, plants_trust=0.9, hair=0.1,
    hair_trust=0.9, fire=0.1, fire_trust=0.9, subject=0.3, subject_trust=0.9, brightness=0.3, sun=1.0, lamps=3,
    windows=200, signs=4,
)  # fmt: skip
NOTHING = PictureFacts(brightness=0.6)
INSTEAD = {("light", "night"): {("light", "dark")}}  # what there is of it where nothing stands under the sky
# Nobody asks for light that drifts; what a picture shows by day or night alone is judged where it can be.
UNASKED = {"motion": {"drifting_light"}, "look": {""}}


def sentences() -> Iterator[tuple[str, str, str]]:
    """The table, the kind and each sentence."""
    for table, kinds in ASKED.items():
        for kind, rows in kinds.items():
            for prompt in (*rows["en"], *rows["zh"]):
                yield table, kind, prompt


def board_of(prompt: str, facts: PictureFacts) -> Storyboard:
    canvas = Canvas.of("480p", "16:9", 5)
    return write(prompt, facts, canvas=canvas, seed=3, audio=False, camera_fixed=False, morph=False)


def board_in(facts: PictureFacts, prompt: str, trust: float) -> Storyboard:
    """Each thing that the prompt names is found in the picture with that trust."""
    things = tuple(ThingFact(thing=thing, trust=trust, facing="left") for thing in name_things(prompt))
    return board_of(prompt, replace(facts, things=things))


def full_board(table: str, kind: str, prompt: str) -> Storyboard:
    """In a picture that has all there is, and each thing that the prompt names. Birds are drawn far off where none is
    found."""
    return board_in(ALL_THERE_IS, prompt, 0.0 if (table, kind) == ("motion", "birds") else 0.9)


def asked_for(board: Storyboard) -> set[tuple[str, str]]:
    """What the words put into it, as tables and kinds."""
    listed: set[tuple[str, str]] = {("light", light.kind) for light in board.lights if light.origin == "prompt"}
    listed |= {("travel", travel.kind) for travel in board.travels if travel.origin == "prompt"}
    listed |= {("body", action.kind) for action in board.body_actions if action.origin == "prompt"}
    motions = [motion for motion in board.motions if motion.origin == "prompt"]
    return listed | {("motion", motion.kind) for motion in motions} | {("look", motion.look) for motion in motions}


def test_every_kind_there_is_has_sentences_in_both_languages() -> None:
    for table, kinds in KINDS.items():
        assert set(ASKED[table]) == set(get_args(kinds)) - UNASKED.get(table, set()), table
        assert all(len(rows["en"]) >= 4 and len(rows["zh"]) >= 4 for rows in ASKED[table].values())


@pytest.mark.parametrize("table", KINDS)
def test_what_a_sentence_asks_for_is_listed_where_the_picture_has_it(table: str) -> None:
    lost = {}
    for group, kind, prompt in sentences():
        if group == table and (table, kind) not in asked_for(board := full_board(table, kind, prompt)):
            lost[prompt] = (kind, asked_for(board), board.notes)
    assert not lost


@pytest.mark.parametrize("table", KINDS)
def test_what_a_sentence_asks_for_is_told_where_the_picture_lacks_it(table: str) -> None:
    silent = {}
    for group, kind, prompt in sentences():
        board = board_in(NOTHING, prompt, 0.0)
        listed = {(table, kind), *INSTEAD.get((table, kind), ())}
        if group == table and not (listed & asked_for(board)) and not board.notes:
            silent[prompt] = kind
    assert not silent
