"""The life of a task."""

from __future__ import annotations

import pytest

from vivant.errors import IllegalMove
from vivant.task import MOVES, Status, check_move


def test_every_status_is_reachable_from_queued_and_every_end_is_final() -> None:
    seen, pending = {Status.QUEUED}, [Status.QUEUED]
    while pending:
        for after in MOVES[pending.pop()] - seen:
            seen.add(after)
            pending.append(after)
    assert seen == set(Status)
    assert {s for s in Status if s.is_terminal} == {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.EXPIRED}


def test_only_a_running_task_succeeds() -> None:
    assert [s for s in Status if Status.SUCCEEDED in MOVES[s]] == [Status.RUNNING]


def test_an_illegal_move_says_from_where_and_to_what() -> None:
    with pytest.raises(IllegalMove, match=r"t1 is succeeded.*running"):
        check_move("t1", Status.SUCCEEDED, Status.RUNNING)
