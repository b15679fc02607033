from __future__ import annotations

from pathlib import Path

import pytest

from support.records import ARTIFACT, a_task, at, claim_task, insert_task, open_record
from vivant.dispatch.eta import DEFAULT_PACE, count_ahead, estimate_remaining, estimate_run
from vivant.record import tasks, usage
from vivant.request import Tier

TOKENS = a_task().request.canvas.tokens


def test_tasks_of_the_same_size_tell_more_than_all_others() -> None:
    task = a_task()
    assert estimate_run(task, {TOKENS: 0.5, 0: 9.0}) == TOKENS * 0.5
    assert estimate_run(task, {1: 9.0, 0: 0.25}) == TOKENS * 0.25
    assert estimate_run(task, {}) == TOKENS * DEFAULT_PACE


@pytest.mark.parametrize(
    ("progress", "elapsed", "left"),
    [(0.0, 0.0, 20.0), (0.0, 5.0, 15.0), (0.05, 60.0, 2.0), (0.5, 10.0, 10.0), (0.5, 30.0, 20.0), (1.0, 20.0, 0.0)],
)
def test_a_running_task_is_judged_by_history_and_by_its_own_pace(progress: float, elapsed: float, left: float) -> None:
    assert estimate_remaining(20.0, progress, elapsed=elapsed) == pytest.approx(left)


def test_lanes_take_turns_and_flex_waits_for_default() -> None:
    counts = {
        ("default", "ann"): (5, 1),
        ("default", "bob"): (100, 0),
        ("flex", "ann"): (3, 0),
        ("flex", "cid"): (1, 0),
    }
    assert count_ahead(a_task(key_id="ann"), counts, ahead_in_lane=2) == 2 + 3
    assert count_ahead(a_task(key_id="new"), counts, ahead_in_lane=0) == 2
    assert count_ahead(a_task(key_id="ann", tier=Tier.FLEX), counts, ahead_in_lane=2) == 2 + 1 + 105


def test_pace_is_measured_over_the_latest_tasks_of_the_engine(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    with record.transaction() as connection:
        for settled, took in [(n, 1000.0) for n in range(3)] + [(100 + n, 10.0) for n in range(usage.RECENT)]:
            insert_task(connection)
            claim = claim_task(connection, seconds=settled - took)
            tasks.settle_success(connection, claim, ARTIFACT, now=at(settled))
        assert usage.seconds_per_token(connection, "testcard") == pytest.approx({0: 10 / TOKENS, TOKENS: 10 / TOKENS})
        assert usage.seconds_per_token(connection, "another") == {}
    record.close()
