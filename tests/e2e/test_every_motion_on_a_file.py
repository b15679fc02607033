"""Whatever a storyboard can list as moving is listed for a prompt that asks for it, and is then seen in the finished
file: in its place, as much as it has to, in every quarter of the clip, while what has to keep still does.

Camera moves are measured the same way in engines/diorama/motion/frame/test_camera_moves_seen.py, faces in
engines/diorama/motion/faces/test_people_on_film.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

import pytest

from support.gallery import film_and_judge
from support.gallery_cases import Case, load_cases
from vivant.engines.diorama.engine import Diorama
from vivant.engines.diorama.storyboard import (
    BodyActionKind,
    LightKind,
    MotionKind,
    MotionLook,
    Storyboard,
    TravelKind,
)

CASES: Final = load_cases(Path(__file__).with_name("motions_on_file.toml"))
EVERYTHING: Final = (
    {f"motion.{kind}" for kind in get_args(MotionKind)}
    | {f"look.{look}" for look in get_args(MotionLook) if look}
    | {f"light.{kind}" for kind in get_args(LightKind) if kind != "moon"}  # no photo of the tests shows one
    | {f"travel.{kind}" for kind in get_args(TravelKind)}
    | {f"body.{kind}" for kind in get_args(BodyActionKind)}
)


@pytest.fixture(scope="module")
def engine() -> Diorama:
    engine = Diorama()
    engine.setup()
    return engine


def listed(board: Storyboard) -> set[str]:
    return (
        {f"motion.{motion.kind}" for motion in board.motions}
        | {f"look.{motion.look}" for motion in board.motions if motion.look}
        | {f"light.{light.kind}" for light in board.lights}
        | {f"travel.{travel.kind}" for travel in board.travels}
        | {f"body.{action.kind}" for action in board.body_actions}
    )


def test_there_is_a_clip_for_everything_that_a_storyboard_can_list_as_moving() -> None:
    assert {shown for case in CASES for shown in case.shows} == EVERYTHING


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_asked_for_is_listed_and_seen_in_the_finished_file(case: Case, engine: Diorama, tmp_path: Path) -> None:
    board, _, row = film_and_judge(case, engine, tmp_path / "clip.mp4", silent=True)
    assert set(case.shows) <= listed(board), row.understood
    assert row.faults == (), row.understood
