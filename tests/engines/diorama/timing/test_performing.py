"""Actions of faces in time: each in its own, one after the other, within the limits of a face."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import numpy as np
import pytest

from support.spoken import SENTENCE, spoken_line
from vivant.engines.diorama.storyboard import Action, ActionKind, FaceFact, Shot, Storyboard
from vivant.engines.diorama.timing.acting import place_acting
from vivant.engines.diorama.timing.curves import FaceCurves
from vivant.engines.diorama.timing.faces import make_faces
from vivant.engines.diorama.timing.head_limit import LIMIT
from vivant.engines.diorama.timing.timeline import PlacedLine
from vivant.media import F32

FACES = (FaceFact(x=0.5, y=0.4, height=0.4),)
FRAMES = 121
MOUTH = ("jaw", "wide", "round", "close", "chew", "pout")


def faces(*actions: Action, seed: int = 2, lines: tuple[PlacedLine, ...] = (), settle: bool = False) -> FaceCurves:
    board = Storyboard(
        width=864, height=496, frames=FRAMES, seed=seed, language="en", audio=True, camera_fixed=False, morph=settle,
        shots=(Shot(start=0, end=FRAMES, moves=()),), actions=actions,
    )  # fmt: skip
    return make_faces(FRAMES, seed, FACES, lines, place_acting(board, ()).actions, settle=settle)[0]


def change(name: str, *actions: Action) -> F32:
    """What the actions change in a curve, frame by frame."""
    changed: F32 = getattr(faces(*actions), name) - getattr(faces(), name)
    return changed


@pytest.mark.parametrize("kind", get_args(ActionKind))
@pytest.mark.parametrize("settle", [False, True])
def test_every_action_starts_from_rest_stays_smooth_and_within_limits(kind: ActionKind, settle: bool) -> None:
    for action in (Action(kind=kind), Action(kind=kind, start=0, end=60), Action(kind=kind, start=110, end=FRAMES)):
        face = faces(action, settle=settle)
        for field in fields(face):
            curve = getattr(face, field.name)
            assert curve[0] == 0
            if settle:
                assert curve[-1] == 0
            if field.name not in ("lids", "wink"):
                assert np.abs(np.diff(curve)).max() < (2.1 if field.name in ("yaw", "pitch", "roll") else 0.6)
        assert np.sum([np.abs(getattr(face, name)) for name in ("yaw", "pitch", "roll")], axis=0).max() <= LIMIT + 1e-4


@pytest.mark.parametrize("kind", sorted(set(get_args(ActionKind)) - {"look_camera", "breathe", "sway"}))
def test_every_action_shows_inside_its_time_and_not_before_or_long_after(kind: ActionKind) -> None:
    told, untold = faces(Action(kind=kind, start=40, end=88)), faces()
    moved = np.zeros(FRAMES)
    for field in fields(told):
        moved = np.maximum(moved, np.abs(getattr(told, field.name) - getattr(untold, field.name)))
    if kind != "open_eyes":  # eyes that open have been shut before
        assert moved[:40].max() < 0.05
    assert moved[44:86].max() > 0.3
    assert moved[100:].max() < 0.05


def test_untimed_actions_come_one_after_the_other_in_their_order() -> None:
    told = faces(Action(kind="tilt_head", order=1), Action(kind="laugh", order=2))
    untold = faces()
    tilted = int(np.argmax(told.roll - untold.roll > 0.5))
    laughed = int(np.argmax(told.smile - untold.smile > 0.2))
    assert 0 < tilted < laughed - 10


def test_a_feeling_lasts_until_the_next_and_then_gives_way() -> None:
    smile, sad = Action(kind="smile", start=0, end=48), Action(kind="sad", start=48, end=FRAMES)
    look = Action(kind="look_left", start=96, end=FRAMES)
    told, untold = faces(smile, sad, look), faces()
    assert told.smile[30] > 0.6
    assert told.smile[75] < -0.4
    assert told.gaze[60] == untold.gaze[60]
    assert told.gaze[115] < -0.6
    assert told.yaw[118] < told.yaw[90] - 1


def test_of_two_looks_at_once_the_later_wins() -> None:
    both = change("gaze", Action(kind="look_left", start=10, order=1), Action(kind="look_right", start=40, order=2))
    assert both[30] < -0.5
    assert both[70] > 0.5


def test_a_mouth_that_speaks_belongs_to_its_words() -> None:
    line = spoken_line(SENTENCE, start=1.0)
    told, untold = (faces(*actions, lines=(line,)) for actions in ((Action(kind="sing"),), ()))
    middle = slice(round(line.start / 2000) + 6, round(line.end / 2000) - 6)
    for name in MOUTH:
        assert np.array_equal(getattr(told, name)[middle], getattr(untold, name)[middle])
    assert told.jaw[-30:].max() > 0.2


@pytest.mark.parametrize(
    ("kind", "name", "sign"),
    [
        ("smirk", "smirk", 1), ("frown", "knit", 1), ("sad", "inner", 1), ("fear", "widen", 1), ("fear", "inner", 1),
        ("disgust", "sneer", 1), ("squint", "widen", -1), ("raise_brow", "brow", 1), ("pout", "pout", 1),
        ("yawn", "jaw", 1), ("look_right", "gaze", 1), ("look_left", "gaze", -1), ("cry", "smile", -1),
        ("chew", "close", 1), ("talk", "jaw", 1),
    ],
)  # fmt: skip
def test_an_action_moves_the_curve_that_makes_it(kind: ActionKind, name: str, sign: int) -> None:
    assert (sign * change(name, Action(kind=kind, start=24, end=96))).max() > 0.2


def test_the_same_seed_acts_alike() -> None:
    for kind in ("talk", "sing", "move_eyes", "look_away"):
        one, same = faces(Action(kind=kind)), faces(Action(kind=kind))
        assert all(np.array_equal(getattr(one, field.name), getattr(same, field.name)) for field in fields(one))
