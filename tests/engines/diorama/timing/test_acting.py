"""When lines and actions happen: at their times, else in their order in what is left."""

from __future__ import annotations

from itertools import pairwise

import pytest

from vivant.engines.diorama.storyboard import Action, Line, Move, Shot, Speaker, Storyboard
from vivant.engines.diorama.timing.acting import TAIL, place_acting

FRAMES = 145  # 6 s


def line(start: int | None = None, end: int | None = None, order: int = 0, who: str = "") -> Line:
    return Line(text="Hello.", language="en", speaker=Speaker(name=who), start=start, end=end, order=order)


def board(lines: tuple[Line, ...] = (), actions: tuple[Action, ...] = ()) -> Storyboard:
    return Storyboard(
        width=640, height=640, frames=FRAMES, seed=1, language="en", audio=True, camera_fixed=False, morph=False,
        shots=(Shot(start=0, end=FRAMES, moves=(Move(kind="static"),)),), lines=lines, actions=actions,
    )  # fmt: skip


def test_a_line_with_a_moment_begins_exactly_then() -> None:
    assert place_acting(board((line(start=72),)), [1.0]).lines == (3.0,)


def test_a_line_with_a_range_is_said_inside_it() -> None:
    (start,) = place_acting(board((line(start=48, end=96),)), [1.0]).lines
    assert 2.0 <= start <= 2.3


def test_an_action_with_a_moment_begins_exactly_then_and_one_with_a_range_ends_with_it() -> None:
    smile, sad = Action(kind="smile", start=72), Action(kind="sad", start=24, end=60)
    placed = place_acting(board(actions=(smile, sad)), []).actions
    assert placed[0].start == 72 and placed[0].end == FRAMES
    assert 24 <= placed[1].start < 32 and placed[1].end == 60


def test_untimed_things_take_turns_in_their_order() -> None:
    nod, smile = Action(kind="nod", order=0), Action(kind="smile", order=2)
    acting = place_acting(board((line(order=1),), (nod, smile)), [1.0])
    starts = [acting.actions[0].start / 24, acting.lines[0], acting.actions[1].start / 24]
    assert starts == sorted(starts)
    assert starts[1] - starts[0] > 0.8 and starts[2] - starts[1] >= 1.0


def test_what_has_the_same_place_in_the_order_happens_together() -> None:
    acting = place_acting(board((line(order=1),), (Action(kind="smile", order=1),)), [1.0])
    assert acting.actions[0].start == round(acting.lines[0] * 24)


@pytest.mark.parametrize("lengths", [[1.0, 1.0, 1.0], [2.0, 0.5, 2.5], [2.5, 2.5, 2.5]])
@pytest.mark.parametrize("starts", [(0, 24, 48), (96, 97, 98), (120, 24, None), (None, 48, None)])
def test_lines_never_overlap_and_end_inside_the_clip_if_they_can(
    lengths: list[float], starts: tuple[int | None, ...]
) -> None:
    acting = place_acting(board(tuple(line(start=start, order=i) for i, start in enumerate(starts))), lengths)
    spans = sorted((start, start + length) for start, length in zip(acting.lines, lengths, strict=True))
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert spans[0][0] > 0
    if sum(lengths) < 5:
        assert spans[-1][1] <= FRAMES / 24 - TAIL + 1e-6


def test_a_line_without_a_time_waits_for_one_that_has_one() -> None:
    acting = place_acting(board((line(start=12), line(order=1))), [1.5, 1.0])
    assert acting.lines[0] == 0.5 and acting.lines[1] > 2.0


def test_the_next_expression_of_a_face_ends_the_one_before_and_that_of_another_face_does_not() -> None:
    actions = (
        Action(kind="smile", order=0), Action(kind="sad", order=1), Action(kind="frown", face_index=1, order=2),
        Action(kind="look_left", order=3),
    )  # fmt: skip
    smile, sad, frown, look = place_acting(board(actions=actions), []).actions
    assert smile.end == sad.start
    assert sad.end == frown.end == look.end == FRAMES


def test_actions_leave_time_for_the_words_when_a_clip_is_short() -> None:
    acting = place_acting(board((line(order=3),), tuple(Action(kind="nod", order=n) for n in range(3))), [4.6])
    assert acting.lines[0] + 4.6 <= FRAMES / 24 - TAIL + 1e-6
    assert [placed.start for placed in acting.actions] == sorted(placed.start for placed in acting.actions)
