"""Values of the engine that cannot be right cannot be built; the message says what is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from vivant.engines.diorama.storyboard import (
    Action,
    Cue,
    FaceFact,
    Line,
    Motion,
    Move,
    Music,
    PictureFacts,
    Shot,
    Speaker,
    Storyboard,
)

LINE = Line(text="Hello.", language="en", speaker=Speaker())
STILL = Shot(start=0, end=97, moves=(Move(kind="static"),))
BOARD = Storyboard(
    width=640, height=640, frames=97, seed=1, language="en", audio=True, camera_fixed=False, morph=False,
    shots=(STILL,), motions=(Motion(kind="rain"),), lines=(LINE,), actions=(Action(kind="smile"),),
    cues=(Cue(kind="rain"),), music=Music(mood="calm", tempo=72), notes=("A note.",),
)  # fmt: skip


def a(value: object) -> Any:
    """A value of a type that mypy would refuse."""
    return value


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: Move(kind=a("slide")), "Move.kind must be one of 'static', 'pan'"),
    (
        lambda: Move(kind="pan", direction="up"),
        "Move.direction of a pan must be one of '', 'left', 'right'",
    ),
    (lambda: Move(kind="static", direction="left"), "Move.direction of a static must be one of ''; it is 'left'"),
    (lambda: Move(kind="pan", speed=a("quick")), "Move.speed must be one of 'slow', 'normal', 'fast'"),
    (lambda: Move(kind="pan", strength=1.5), "Move.strength must be a number from 0 to 1; it is 1.5"),
    (lambda: Move(kind="pan", strength=float("nan")), "Move.strength must be a number from 0 to 1; it is nan"),
    (lambda: Move(kind="pan", strength=a(True)), "Move.strength must be a number from 0 to 1; it is True"),
    (lambda: Move(kind="pan", strength=a("1")), "Move.strength must be a number from 0 to 1; it is '1'"),
    (lambda: Move(kind="pan", origin=a("user")), "Move.origin must be one of 'prompt', 'picture', 'default'"),
    (lambda: Move(kind="pan", words=a(None)), "Move.words must be of type str"),
    (lambda: Shot(start=-1, end=97, moves=()), "Shot.start must be a whole number of at least 0; it is -1"),
    (lambda: Shot(start=5, end=5, moves=()), "Shot.end must be a whole number of at least 6; it is 5"),
    (lambda: Shot(start=0, end=a(9.5), moves=()), "Shot.end must be a whole number of at least 1; it is 9.5"),
    (lambda: Shot(start=0, end=9, moves=a([])), "Shot.moves must be a tuple of Move"),
    (lambda: Motion(kind=a("hail")), "Motion.kind must be one of 'rain'"),
    (lambda: Motion(kind="rain", strength=-0.1), "Motion.strength must be a number from 0 to 1; it is -0.1"),
    (
        lambda: Motion(kind="rain", direction=a("in")),
        "Motion.direction must be one of 'left', 'right', 'up'",
    ),
    (lambda: Speaker(gender=a("girl")), "Speaker.gender must be one of 'woman', 'man', ''"),
    (lambda: Speaker(age=a("")), "Speaker.age must be one of 'child', 'young', 'adult', 'old'"),
    (lambda: Speaker(off_screen=a(1)), "Speaker.off_screen must be of type bool; it is 1"),
    (lambda: replace(LINE, language=a("fr")), "Line.language must be one of 'en', 'zh'; it is 'fr'"),
    (lambda: replace(LINE, text=a(b"hi")), "Line.text must be of type str"),
    (lambda: replace(LINE, speaker=a("him")), "Line.speaker must be of type Speaker"),
    (lambda: replace(LINE, tone=a("loud")), "Line.tone must be one of 'neutral'"),
    (lambda: replace(LINE, face_index=-2), "Line.face_index must be a whole number of at least -1; it is -2"),
    (
        lambda: replace(LINE, speaker=Speaker(off_screen=True), face_index=0),
        "Line.face_index of a speaker off screen must be -1; it is 0",
    ),
    (lambda: Action(kind=a("fly")), "Action.kind must be one of 'smile'"),
    (lambda: Action(kind="smile", face_index=-1), "Action.face_index must be a whole number of at least 0; it is -1"),
    (lambda: Cue(kind=a("splash")), "Cue.kind must be one of 'rain'"),
    (lambda: Cue(kind="rain", strength=7), "Cue.strength must be a number from 0 to 1; it is 7"),
    (lambda: Music(mood=a("grumpy"), tempo=72), "Music.mood must be one of 'calm'"),
    (lambda: Music(mood="calm", tempo=300), "Music.tempo must be a whole number from 40 to 200; it is 300"),
    (lambda: Music(mood="calm", tempo=72, style=a("polka")), "Music.style must be one of 'piano'"),
    (lambda: replace(BOARD, width=641), "even"),
    (lambda: replace(BOARD, frames=0, shots=()), "frame"),
    (lambda: replace(BOARD, seed=-1), "Storyboard.seed must be a whole number from 0 to 4294967295; it is -1"),
    (lambda: replace(BOARD, language=a("de")), "Storyboard.language must be one of 'en', 'zh'"),
    (lambda: replace(BOARD, morph=a(0)), "Storyboard.morph must be of type bool; it is 0"),
    (lambda: replace(BOARD, shots=()), "Storyboard.shots must follow each other from 0 to 97"),
    (lambda: replace(BOARD, shots=(replace(STILL, end=96),)), "from 0 to 97 frames; they are 0..96"),
    (lambda: replace(BOARD, shots=(replace(STILL, start=1),)), "from 0 to 97 frames; they are 1..97"),
    (
        lambda: replace(BOARD, shots=(replace(STILL, end=50), replace(STILL, start=49))),
        "from 0 to 97 frames; they are 0..50, 49..97",
    ),
    (lambda: replace(BOARD, motions=a([Motion(kind="rain")])), "Storyboard.motions must be a tuple of Motion"),
    (lambda: replace(BOARD, lines=a(("Hello.",))), "Storyboard.lines must be a tuple of Line"),
    (lambda: replace(BOARD, notes=a((None,))), "Storyboard.notes must be a tuple of str"),
    (lambda: replace(BOARD, music=a("piano")), "Storyboard.music must be of type Music"),
    (
        lambda: replace(BOARD, camera_fixed=True, shots=(replace(STILL, moves=(Move(kind="pan"),)),)),
        "Storyboard.shots must have static moves only where camera_fixed is True",
    ),
    (lambda: replace(BOARD, audio=False), "Storyboard.cues must be empty and music None where audio is False"),
    (lambda: FaceFact(x=2, y=0, height=0.2), "FaceFact.x must be a number from -0.5 to 1.5; it is 2"),
    (lambda: FaceFact(x=0, y=0, height=-1), "FaceFact.height must be a number from 0 to 2; it is -1"),
    (lambda: PictureFacts(water=1.01), "PictureFacts.water must be a number from 0 to 1; it is 1.01"),
    (lambda: PictureFacts(sky_trust=a(None)), "PictureFacts.sky_trust must be a number from 0 to 1; it is None"),
    (lambda: PictureFacts(grey=a("yes")), "PictureFacts.grey must be of type bool"),
]


@pytest.mark.parametrize(("build", "told"), WRONG, ids=lambda value: "" if callable(value) else value)
def test_a_value_that_cannot_be_right_is_refused_with_what_is_allowed(build: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        build()


def test_a_storyboard_survives_json() -> None:
    assert Storyboard.from_data(json.loads(json.dumps(BOARD.to_data()))) == BOARD


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": "1"}, "A storyboard of ('diorama', '1') cannot be read"),
        ({"engine": "testcard"}, "A storyboard of ('testcard', '2') cannot be read"),
        ({"seed": "1"}, "This is no storyboard: Expected `int`, got `str` - at `$.seed`"),
        ({"motions": [{"kind": "hail"}]}, "at `$.motions[0].kind`"),
        ({"motions": [{"kind": "rain", "strength": 7}]}, "Motion.strength must be a number from 0 to 1; it is 7"),
        ({"shots": []}, "Storyboard.shots must follow each other"),
    ],
)
def test_a_stored_storyboard_with_a_wrong_value_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        Storyboard.from_data(BOARD.to_data() | change)
