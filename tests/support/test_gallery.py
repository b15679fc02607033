"""The gallery asks for every motion and camera move, and its page needs nothing but its folder."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from support.gallery import read_rows, write_tables
from support.gallery_cases import KINDS, Case, load_cases
from support.gallery_ranks import Rank, load_ranks
from support.gallery_table import Row, compare, judge
from support.liveliness import Liveliness, Quarter
from support.paths import PHOTOS
from support.prompt_score import facts_with
from vivant.engines.diorama.script.cloth import name_cloths
from vivant.engines.diorama.script.script import read_prompt, write
from vivant.engines.diorama.storyboard import FaceFact, MotionKind, MoveKind, Storyboard, ThingFact

CASES = load_cases()


def board_of(case: Case) -> Storyboard:
    """What is read out of the prompt for a picture that has all there is."""
    facts = facts_with((FaceFact(x=0.5, y=0.4, height=0.3),), subject=0.4)
    cloths = tuple(ThingFact(thing=thing, trust=0.9) for thing in name_cloths(read_prompt(case.prompt)))
    facts = replace(facts, things=(*facts.things, *cloths))
    canvas = case.brief.resolve(720, 360, has_last_frame=bool(case.last)).canvas
    fixed = case.camera_fixed
    return write(case.prompt, facts, canvas=canvas, seed=8, audio=True, camera_fixed=fixed, morph=bool(case.last))


def row_of(case: Case, *, flow: float, first_db: float = 45.0) -> Row:
    quarter = Quarter(flow=flow, elsewhere=0.1, changed=0.2, camera=1.0)
    found = Liveliness(quarters=(quarter,) * 4, equal_frames=2, heat=np.zeros((4, 4), np.float32))
    return judge(case, found, first_db, None, ("Camera: still",))


def test_the_cases_ask_for_every_motion_and_every_camera_move_there_is() -> None:
    boards = [board_of(case) for case in CASES]
    asked_for = {motion.kind for board in boards for motion in board.motions if motion.origin == "prompt"}
    # No words ask for drifting light, and birds are drawn only after a second look at the picture.
    assert asked_for == set(get_args(MotionKind)) - {"drifting_light", "birds"}
    asked = {move.kind for board in boards for shot in board.shots for move in shot.moves if move.origin == "prompt"}
    assert asked == set(get_args(MoveKind))
    assert {line.language for board in boards for line in board.lines} == {"en", "zh"}
    assert any(board.morph for board in boards)


def test_the_cases_use_every_photo_and_name_regions_inside_the_frame() -> None:
    assert {case.picture for case in CASES} == {path.stem for path in PHOTOS.glob("*.jpg")}
    for case in CASES:
        for left, top, right, bottom in (case.where, case.last_part):
            assert 0 <= left < right <= 1, case.name
            assert 0 <= top < bottom <= 1, case.name
        assert case.at_least or case.changed or case.camera, f"{case.name} need not move at all"


def test_there_are_enough_cases_of_every_kind_on_enough_photos() -> None:
    assert len(CASES) >= 60
    assert len({case.picture for case in CASES}) >= 25
    assert {case.kind for case in CASES} == set(KINDS)


def test_who_ranks_a_clip_ranks_one_that_there_is() -> None:
    assert set(load_ranks()) <= {case.name for case in CASES}
    with pytest.raises(ValueError, match="from 1 to 5; it is 6"):
        Rank(now=6)


def test_a_kind_that_there_is_not_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.toml"
    path.write_text('[[case]]\nname="a"\nkind="wnd"\npicture="reeds"\nprompt="x"\nmust_move="y"', encoding="utf-8")
    with pytest.raises(ValueError, match="There is no kind 'wnd'"):
        load_cases(path)


def test_a_last_picture_in_another_light_is_the_same_view_darker() -> None:
    case = Case(
        name="a", picture="reeds", last="reeds", last_light=(0.5, 0.5, 0.25), prompt="x", must_move="y", kind="light"
    )
    pictures = case.pictures()
    assert pictures.last is not None
    lost = pictures.first.astype(np.float32) - pictures.last
    assert np.allclose(lost.mean((0, 1)) / pictures.first.mean((0, 1)), (0.5, 0.5, 0.75), atol=0.02)


def test_two_runs_stand_side_by_side_the_most_gained_first() -> None:
    cases = [Case(name=name, kind="plants", picture="reeds", prompt="x", must_move="reeds") for name in "abc"]
    before = [row_of(cases[0], flow=0.5), row_of(cases[1], flow=0.2)]
    now = [row_of(cases[0], flow=0.4), row_of(cases[1], flow=0.6), row_of(cases[2], flow=0.6)]
    lines = compare(before, now, {"b": Rank(before=2, now=4)}).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| b", "| a"]
    assert lines[2].endswith("| 0.20 0.20 0.20 0.20 | 0.60 0.60 0.60 0.60 | 1 | 0 | 2 → 4 |")
    assert lines[-1] == "Of 2 cases 1 moved as they need to, now 1 do."


def test_what_moves_too_little_or_is_not_the_picture_is_told_and_comes_first(tmp_path: Path) -> None:
    first, second, third = (Case(name=name, picture="reeds", prompt="x", must_move="reeds") for name in "abc")
    rows = [row_of(first, flow=0.6), row_of(second, flow=0.3), row_of(third, flow=0.6, first_db=31.0)]
    assert [row.faults for row in rows] == [
        (),
        ("the region moves 0.30 px per frame in the weakest quarter; 0.5 are needed",),
        ("frame 0 is 31.0 dB from the picture",),
    ]
    assert rows[1].share == pytest.approx(0.6)
    write_tables(rows, tmp_path)
    names = re.findall(r"^\| ([abc]) \|", (tmp_path / "table.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert names == ["b", "c", "a"]


def test_a_later_run_keeps_the_rows_of_cases_that_are_still_the_same(tmp_path: Path) -> None:
    case, other = (Case(name=name, picture="reeds", prompt="x", must_move="reeds") for name in "ab")
    rows = [row_of(case, flow=0.6), row_of(other, flow=0.6)]
    write_tables(rows, tmp_path)
    stricter = Case(name="b", picture="reeds", prompt="x", must_move="reeds", at_least=1.5)
    assert read_rows(tmp_path, [case, stricter]) == {"a": rows[0]}


def test_the_page_plays_each_clip_beside_its_map_and_sheet_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    case = Case(name="reeds", picture="reeds", prompt='<script>alert("x")</script>', must_move="reeds & water")
    write_tables([row_of(case, flow=0.6)], tmp_path)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<(\w+) src="([^"]+)"', text) == [
        ("video", "reeds.mp4"),
        ("img", "reeds.map.jpg"),
        ("img", "reeds.sheet.jpg"),
    ]
    assert "://" not in text
    assert "<script" not in text
    assert "reeds &amp; water" in text
