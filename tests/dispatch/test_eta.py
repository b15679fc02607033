from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from support.clocks import AdjustableClock
from support.records import ARTIFACT, a_task, at, claim_task, insert_task, open_record
from vivant.clock import SYSTEM_CLOCK
from vivant.dispatch.eta import DEFAULT_PACE, Eta, count_tokens_ahead, estimate_remaining, estimate_run
from vivant.record import tasks, usage
from vivant.record.database import Connection, Record
from vivant.record.lanes import Counts
from vivant.request import Tier

T = TypeVar("T")
TOKENS = a_task().request.canvas.tokens


def test_tasks_of_the_same_size_tell_more_than_all_others() -> None:
    task = a_task()
    assert estimate_run(task, {TOKENS: 0.5, 0: 9.0}) == TOKENS * 0.5
    assert estimate_run(task, {1: 9.0, 0: 0.25}) == TOKENS * 0.25
    assert estimate_run(task, {}) == TOKENS * DEFAULT_PACE


@pytest.mark.parametrize(
    ("progress", "elapsed", "left"),
    [(0.0, 0.0, 20.0), (0.0, 5.0, 15.0), (0.05, 60.0, 15.0), (0.5, 10.0, 10.0), (0.5, 30.0, 20.0), (1.0, 20.0, 0.0)],
)
def test_a_running_task_is_judged_by_history_and_by_its_own_pace(progress: float, elapsed: float, left: float) -> None:
    assert estimate_remaining(20.0, progress, elapsed=elapsed) == pytest.approx(left)


def test_lanes_share_the_work_and_flex_waits_for_default() -> None:
    small, large = TOKENS, 10 * TOKENS
    counts = {
        ("default", "ann"): Counts(queued=5, queued_tokens=5 * small, running=1, running_tokens=large),
        ("default", "bob"): Counts(queued=100, queued_tokens=100 * large),
        ("flex", "ann"): Counts(queued=3, queued_tokens=3 * small),
        ("flex", "cid"): Counts(queued=1, queued_tokens=large),
    }
    half_done = large / 2

    def tokens_ahead(in_lane: int, workers: int = 1, **task: Any) -> float:
        return count_tokens_ahead(a_task(**task), counts, in_lane=in_lane, workers=workers)

    assert tokens_ahead(2 * small, key_id="ann") == 2 * small + 3 * small + half_done
    assert tokens_ahead(0, key_id="new") == small + small + half_done  # ann's next and as much of bob's
    assert tokens_ahead(0, key_id="new", workers=2) == small + small  # one of the two is free
    of_default = 5 * small + 100 * large
    assert tokens_ahead(2 * small, key_id="ann", tier=Tier.FLEX) == 2 * small + 3 * small + of_default + half_done


async def test_a_queue_of_large_tasks_takes_longer_than_one_of_small_tasks(tmp_path: Path) -> None:
    async def estimate(**ahead: Any) -> float:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        record = open_record(folder)
        with record.transaction() as connection:
            for _ in range(5):
                insert_task(connection, **ahead)
            asked = insert_task(connection)
        eta = Eta(record, count_ready=lambda engine: 1, clock=SYSTEM_CLOCK, cached_for=60)
        seconds = await eta.estimate(asked)
        record.close()
        return seconds

    small, large = await estimate(), await estimate(resolution="1080p", seconds=12, ratio="16:9")
    assert small == pytest.approx(6 * TOKENS * DEFAULT_PACE)
    assert large > 5 * small


async def test_without_a_ready_worker_the_estimate_grows(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    with record.transaction() as connection:
        asked = insert_task(connection)
    clock, ready = AdjustableClock(), [4]
    eta = Eta(record, count_ready=lambda engine: ready[0], clock=clock, cached_for=60)
    with_workers = await eta.estimate(asked)
    ready[0] = 0
    at_first = await eta.estimate(asked)
    clock.advance(600)
    later = await eta.estimate(asked)
    record.close()
    assert at_first >= with_workers + 30
    assert later >= with_workers + 600


def test_pace_is_measured_over_the_latest_tasks_of_the_engine(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    with record.transaction() as connection:
        for settled, took in [(n, 1000.0) for n in range(3)] + [(100 + n, 10.0) for n in range(usage.RECENT)]:
            insert_task(connection)
            claim = claim_task(connection, seconds=settled - took)
            tasks.settle_success(connection, claim, ARTIFACT, run_seconds=took, now=at(settled))
        assert usage.seconds_per_token(connection, "testcard") == pytest.approx({0: 10 / TOKENS, TOKENS: 10 / TOKENS})
        assert usage.seconds_per_token(connection, "another") == {}
    record.close()


async def test_an_estimate_is_made_although_another_one_reads_history_anew_meanwhile(tmp_path: Path) -> None:
    record, clock = open_record(tmp_path), AdjustableClock()
    with record.transaction() as connection:
        asked = insert_task(connection)
    others: list[asyncio.Task[float]] = []

    class Interrupted(Record):
        """The record; when its third read has returned, another estimate begins before the first goes on."""

        def __init__(self) -> None:
            self.reads = 0

        async def read(self, work: Callable[[Connection], T]) -> T:
            found = await record.read(work)
            self.reads += 1
            if self.reads == 3:
                clock.advance(10)
                others.append(asyncio.create_task(eta.estimate(asked)))
                await asyncio.sleep(0)
            return found

    eta = Eta(Interrupted(), count_ready=lambda engine: 1, clock=clock, cached_for=1)
    assert await eta.estimate(asked) == await others[0] > 0
    record.close()
