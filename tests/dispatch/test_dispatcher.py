"""One or two dispatchers on one database, to which other processes write as well."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from support.live_service import (
    HOSTILE_WORKER,
    a_picture,
    query_rows,
    running_service,
    submit_task,
    wait_for_status,
    wait_until,
    wait_until_ready,
)
from support.records import a_task, check_invariants, open_record
from vivant.clock import SYSTEM_CLOCK, SteadyClock
from vivant.dispatch.dispatcher import Dispatcher
from vivant.dispatch.fleet import Pool
from vivant.dispatch.local import LocalFleet
from vivant.engine_choice import EngineChoice
from vivant.errors import Busy
from vivant.record import tasks
from vivant.record.database import Connection, Record
from vivant.service import Service
from vivant.storage.artifacts import Artifacts, clip_path, picture_path
from vivant.task import Status, Task
from vivant.timings import Timings

T = TypeVar("T")


def check_record(data: Path) -> None:
    record = open_record(data)
    with record.transaction() as connection:
        check_invariants(connection)
    record.close()


def command_line(data: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vivant", *words, "--data", str(data)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


async def test_a_task_expires_within_a_second_of_its_deadline_queued_or_running(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="deaf") as service:
        busy, waiting, unhurried = [await submit_task(service, seed=1) for _ in range(3)]
        await wait_for_status(service, busy, "running")
        soon = SYSTEM_CLOCK.now() + timedelta(seconds=1)
        with sqlite3.connect(tmp_path / "vivant.db") as other:
            stored = (soon - datetime.fromtimestamp(0, soon.tzinfo)) // timedelta(microseconds=1)
            other.execute("UPDATE tasks SET expires_at = ? WHERE id IN (?, ?)", (stored, busy.id, waiting.id))
            other.commit()
        other.close()
        for task in (busy, waiting):
            found = await wait_for_status(service, task, "expired")
            assert found.error_code == "EXPIRED" and found.ended_at is not None
            assert 0 <= (found.ended_at - soon).total_seconds() < 1
        started = await wait_for_status(service, unhurried, "running", within=10)
        assert started.started_at is not None
    check_record(tmp_path)


async def test_two_command_lines_write_while_the_service_runs(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="endless") as service:
        tasks_ = [await submit_task(service) for _ in range(4)]
        await wait_for_status(service, tasks_[0], "running")
        cancelled = [tasks_[0], tasks_[2]]
        lines = [command_line(tmp_path, "tasks", "cancel", task.id) for task in cancelled]
        said = [await asyncio.to_thread(line.communicate) for line in lines]
        assert [line.returncode for line in lines] == [0, 0], said
        ended = time.monotonic()
        running_now = await wait_for_status(service, tasks_[1], "running")
        assert time.monotonic() - ended < 3, running_now
        for task in cancelled:
            assert (await service.get_task(task.id, key_id="")).status is Status.CANCELLED
        assert query_rows(tmp_path, "SELECT count(*) FROM tasks WHERE status = 'running'") == [(1,)]
    check_record(tmp_path)


async def test_a_task_that_another_program_queued_is_noticed_within_250_ms(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="endless") as service:
        await wait_until_ready(service)
        delays = []
        for _ in range(3):
            other = open_record(tmp_path)
            with other.transaction() as connection:
                task = queue_one(connection, engine="endless")
            queued_at = SYSTEM_CLOCK.now()
            other.close()
            found = await wait_for_status(service, task, "running")
            assert found.started_at is not None
            delays.append((found.started_at - queued_at).total_seconds())
            await service.cancel(task.id, key_id="")
            await wait_until(lambda: service.health()["workers"]["running"] == 0)
        assert min(delays) < 0.25


async def test_draining_lets_running_jobs_finish_and_leaves_queued_ones(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="slow") as service:
        first, second = await submit_task(service), await submit_task(service)
        await wait_for_status(service, first, "running")
        stopping = asyncio.create_task(service.stop(drain=True))
        await asyncio.sleep(0)
        assert (await service.get_task(first.id, key_id="")).status is Status.RUNNING  # callers may still ask
        with pytest.raises(Busy):
            await submit_task(service)
        await stopping
    states = dict(query_rows(tmp_path, "SELECT id, status FROM tasks"))
    assert states == {first.id: "succeeded", second.id: "queued"}
    check_record(tmp_path)


async def test_a_second_stop_ends_at_once_and_queues_the_work_again(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="deaf") as service:
        task = await submit_task(service, seed=1)
        await wait_for_status(service, task, "running")
        draining = asyncio.create_task(service.stop(drain=True))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await service.stop(drain=False)
        await draining
        assert time.monotonic() - began < 3
    assert query_rows(tmp_path, "SELECT status, deaths, interruptions, attempt FROM tasks") == [("queued", 0, 0, 1)]
    assert query_rows(tmp_path, "SELECT * FROM dispatchers") == []
    check_record(tmp_path)


async def test_draining_has_an_end(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="deaf", timings=Timings(drain_within=0.5)) as service:
        task = await submit_task(service, seed=1)
        await wait_for_status(service, task, "running")
        await asyncio.wait_for(service.stop(drain=True), 5)
    assert query_rows(tmp_path, "SELECT status, deaths FROM tasks") == [("queued", 0)]


async def test_while_the_record_cannot_be_written_nothing_is_lost(tmp_path: Path) -> None:
    async with running_service(tmp_path, timings=Timings(wait_for_lock=0.2)) as service:
        await wait_until_ready(service)
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        other = sqlite3.connect(tmp_path / "vivant.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy, match="locked"):
            await submit_task(service)
        await wait_until(lambda: (tmp_path / "files" / clip_path(task.id, 1)).exists())
        await asyncio.sleep(1)
        assert (await service.get_task(task.id, key_id="")).status is Status.RUNNING
        other.execute("ROLLBACK")
        other.close()
        done = await wait_for_status(service, task, "succeeded")
        assert done.attempt == 1
    assert query_rows(tmp_path, "SELECT id, status FROM tasks") == [(task.id, "succeeded")]
    assert [path.name for path in (tmp_path / "files" / "tasks").iterdir()] == [task.id]
    check_record(tmp_path)


async def test_a_worker_that_waits_for_the_database_is_not_taken_for_silent(tmp_path: Path) -> None:
    timings = Timings(wait_for_lock=0.2, worker_silent_for=2.0)
    async with running_service(tmp_path, engine="careful", timings=timings) as service:
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        with contextlib.closing(sqlite3.connect(tmp_path / "vivant.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(5)  # the engine asks to remember after one second
            other.execute("ROLLBACK")
        done = await wait_for_status(service, task, "succeeded")
        assert done.attempt == 1
    assert query_rows(tmp_path, "SELECT deaths FROM tasks") == [(0,)]


async def test_a_dispatcher_whose_lease_lapsed_is_taken_over_and_cannot_settle(tmp_path: Path) -> None:
    """Two dispatchers on one record, as with several machines; the first one hangs, and goes on late."""
    record = open_record(tmp_path)
    record.start_writer(lambda: None)
    hanging, healthy = (a_dispatcher(tmp_path, record, name) for name in ("hanging", "healthy"))
    await hanging.start()
    task = await record.write(lambda c: queue_one(c, engine="slow"))
    hanging.notify_queued()
    await wait_until(lambda: hanging.running == 1)
    for loop in hanging._loops:  # as if its event loop were stuck: no heartbeat, no supervision
        loop.cancel()
    began = time.monotonic()
    await healthy.start()
    await wait_until(lambda: healthy.running == 1)
    assert time.monotonic() - began >= 0.6  # never before it has watched for that long itself
    await wait_until(lambda: hanging.running == 0)  # its run ended, and could not be settled
    await wait_until(lambda: healthy.running == 0)
    assert query_rows(tmp_path, "SELECT status, attempt, deaths FROM tasks") == [("succeeded", 2, 0)]
    assert query_rows(tmp_path, "SELECT task_id FROM usage") == [(task.id,)]
    clips = [path.relative_to(tmp_path / "files") for path in (tmp_path / "files").rglob("*.mp4")]
    assert clips == [Path(f"tasks/{task.id}/2/clip.mp4")]
    await hanging.stop()
    await healthy.stop()
    record.close()
    check_record(tmp_path)


def a_dispatcher(data: Path, record: Record, name: str) -> Dispatcher:
    storage = f"file://{data / 'files'}"
    fleet = LocalFleet([Pool("slow", 1)], storage=storage, scratch=data / name, command=HOSTILE_WORKER)
    timings = Timings(heartbeat_every=0.1, lease_lapses_after=0.6)
    choice = EngineChoice(("slow",), cards={}, models={})
    return Dispatcher(
        record, fleet, Artifacts(storage), alone=False, retention_days=7, clock=SYSTEM_CLOCK, timings=timings,
        choice=choice,
    )  # fmt: skip


def queue_one(connection: Connection, *, engine: str) -> Task:
    """A task with its picture, submitted now."""
    task = replace(a_task(key_id="", engine=engine), created_at=SYSTEM_CLOCK.now())
    folder = Path(connection.engine.url.database or "").parent
    Artifacts(f"file://{folder / 'files'}").put(picture_path(task.id, "first"), a_picture().png)
    tasks.insert_queued(connection, task)
    return task


async def test_a_dispatcher_that_lost_its_task_stops_the_worker_and_the_task_runs_again(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="slow") as service:
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        await service._record.write(lambda c: tasks.requeue_abandoned(c, now=SYSTEM_CLOCK.now()))
        done = await wait_for_status(service, task, "succeeded")
        assert done.attempt == 2
    assert query_rows(tmp_path, "SELECT deaths, interruptions FROM tasks") == [(0, 1)]
    check_record(tmp_path)


@pytest.mark.parametrize("nth", range(1, 13))
async def test_the_nth_write_fails_and_every_promise_holds(tmp_path: Path, nth: int) -> None:
    """Submit, run and settle two tasks, cancel one, while the n-th write and the n-th read of the record fail."""

    async with running_service(tmp_path) as service:
        await wait_until_ready(service)
        fail_once(service, nth)
        asked = []
        for _ in range(3):
            with contextlib.suppress(Busy):
                asked.append(await submit_task(service))
        with contextlib.suppress(Busy):
            await service.cancel(asked[-1].id, key_id="")
        await wait_until(lambda: query_rows(tmp_path, LIVE) == [(0,)])
        assert {task.id for task in asked} <= {i for (i,) in query_rows(tmp_path, "SELECT id FROM tasks")}
        assert {s for (s,) in query_rows(tmp_path, "SELECT status FROM tasks")} <= {"succeeded", "cancelled"}
    check_record(tmp_path)


LIVE = "SELECT count(*) FROM tasks WHERE status IN ('queued', 'running')"


def fail_once(service: Service, nth: int) -> None:
    """The n-th write and the n-th read from now on raise Busy instead."""
    record = service._record
    counts = {"write": 0, "read": 0}

    def failing(name: str) -> Callable[..., Coroutine[Any, Any, T]]:
        real = getattr(record, name)

        async def ask(work: Callable[[Connection], T], **how: bool) -> T:
            counts[name] += 1
            if counts[name] == nth:
                raise Busy(f"the {nth}th {name} fails")
            answer: T = await real(work, **how)
            return answer

        return ask

    for name in counts:
        setattr(record, name, failing(name))


async def test_a_clock_that_is_three_days_ahead_for_a_moment_expires_nothing(tmp_path: Path) -> None:
    ahead = [0.0]
    clock = SteadyClock(settles_after=0.2, follows_after=60, wall=lambda: time.time() + ahead[0])
    timings = Timings(supervise_every=0.05, sweep_every=0.1)
    async with running_service(tmp_path, engine="endless", clock=clock, timings=timings, retention_days=1) as service:
        done, live = await submit_task(service), await submit_task(service)
        await service.cancel(done.id, key_id="")
        await wait_until(clock.is_settled)
        ahead[0] = 3 * 86_400.0
        await asyncio.sleep(1.0)
        ahead[0] = 0.0
        await asyncio.sleep(0.5)
        assert clock.is_settled()
        assert not (await service.get_task(live.id, key_id="")).status.is_terminal
        assert (tmp_path / "files" / "tasks" / done.id).exists()


async def test_a_storyboard_whose_write_was_refused_is_written_later(tmp_path: Path) -> None:
    """Another program holds the record's lock while the task plans; the first report of it is refused."""
    timings = Timings(wait_for_lock=0.2, report_every=0.05, supervise_every=0.05, retry_after=0.05)
    async with running_service(tmp_path, engine="slow", timings=timings) as service:
        await wait_until_ready(service)
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        other = sqlite3.connect(tmp_path / "vivant.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(1.0)
        other.execute("ROLLBACK")
        other.close()
        done = await wait_for_status(service, task, "succeeded")
        assert done.storyboard is not None
    assert query_rows(tmp_path, "SELECT deaths, interruptions FROM tasks") == [(0, 0)]
