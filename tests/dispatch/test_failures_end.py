"""Whatever fails, nothing stands still: every run ends, every row of a dead run is queued again, every stop returns."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.live_service import (
    build,
    query_rows,
    running_service,
    submit_task,
    wait_for_status,
    wait_until,
    wait_until_ready,
)
from support.records import check_invariants, open_record
from vivant.dispatch.local import LocalFleet
from vivant.errors import OutcomeUnknown
from vivant.record import tasks
from vivant.task import Status
from vivant.timings import Timings


def add_trigger(data: Path, trigger: str) -> None:
    """A trigger that makes a statement fail as a damaged page or a defect would: not with an operational error."""
    with closing(sqlite3.connect(data / "vivant.db", timeout=20)) as other, other:
        other.execute(f"CREATE TRIGGER broken {trigger} BEGIN SELECT raise(abort, 'trouble'); END")


def drop_trigger(data: Path) -> None:
    with closing(sqlite3.connect(data / "vivant.db", timeout=20)) as other, other:
        other.execute("DROP TRIGGER broken")


async def test_a_task_whose_end_could_not_be_written_runs_again(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        await wait_until_ready(service)
        add_trigger(tmp_path, "BEFORE UPDATE OF status ON tasks WHEN new.status <> 'running'")
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        await wait_until(lambda: service.health()["workers"]["running"] == 0)
        await asyncio.sleep(1)  # requeueing fails, too
        assert (await service.get_task(task.id, key_id="")).status is Status.RUNNING
        drop_trigger(tmp_path)
        done = await wait_for_status(service, task, "succeeded")
        assert done.attempt == 2
    assert query_rows(tmp_path, "SELECT deaths, interruptions FROM tasks") == [(0, 1)]
    record = open_record(tmp_path)
    with record.transaction() as connection:
        check_invariants(connection)
    record.close()


async def test_a_task_whose_success_can_never_be_written_fails_at_the_tenth_time(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        await wait_until_ready(service)
        add_trigger(tmp_path, "BEFORE UPDATE OF status ON tasks WHEN new.status = 'succeeded'")
        failed = await wait_for_status(service, await submit_task(service), "failed", within=180)  # ten whole runs
        assert failed.attempt == 10 and "lost track of it" in failed.error_message


async def test_a_claim_that_nobody_took_is_queued_again_and_a_run_without_a_row_is_stopped(tmp_path: Path) -> None:
    """Both directions: rows without a run, as after a claim whose answer was lost, and runs without a row."""
    async with running_service(tmp_path, engine="endless", workers=1) as service:
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        lost = await submit_task(service)
        boot_id = service._dispatcher.boot_id
        claim = await service._record.write(lambda c: tasks.claim(c, owner=boot_id, now=service.clock.now()))
        assert claim is not None and claim.task.id == lost.id
        await wait_for_status(service, lost, "queued")
        await service.cancel(task.id, key_id="")
        await wait_for_status(service, lost, "running")


async def test_a_success_whose_answer_was_lost_keeps_its_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit was done, but reported a failure: the dispatcher tries again, and finds its own success."""
    async with running_service(tmp_path) as service:
        task = await submit_task(service)
        write, lost = service._record.write, list[Any]()

        async def lose_one_answer(work: Any, *, patient: bool = False) -> Any:
            result = await write(work, patient=patient)
            if work.__name__ == "settle" and not lost:
                lost.append(result)
                raise OutcomeUnknown("the answer is lost")
            return result

        monkeypatch.setattr(service._record, "write", lose_one_answer)
        done = await wait_for_status(service, task, "succeeded")
        await wait_until(lambda: service.health()["workers"]["running"] == 0)
        assert lost == [True] and done.artifact is not None
        assert (tmp_path / "files" / done.artifact.path).stat().st_size == done.artifact.size
    assert query_rows(tmp_path, "SELECT count(*) FROM usage") == [(1,)]


async def test_files_of_earlier_attempts_that_cannot_be_deleted_delay_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    async with running_service(tmp_path) as service:
        monkeypatch.setattr(service._artifacts, "delete", lambda prefix: release.wait(60))
        add_trigger(tmp_path, "BEFORE UPDATE OF status ON tasks WHEN new.status = 'succeeded'")
        task = await submit_task(service)
        await wait_until(lambda: query_rows(tmp_path, "SELECT interruptions > 0 FROM tasks") == [(1,)])
        drop_trigger(tmp_path)
        try:
            assert (await wait_for_status(service, task, "succeeded", within=30)).attempt > 1
        finally:
            release.set()


async def test_claims_in_a_row_are_never_taken_for_lost(tmp_path: Path) -> None:
    timings = Timings(supervise_every=0.002)
    async with running_service(tmp_path, workers=2, timings=timings) as service:
        sent = [await submit_task(service) for _ in range(12)]
        for task in sent:
            assert (await wait_for_status(service, task, "succeeded")).attempt == 1
    assert query_rows(tmp_path, "SELECT sum(deaths) FROM tasks") == [(0,)]


async def test_an_error_while_an_event_is_handled_ends_the_run(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="careful") as service:
        await wait_until_ready(service)
        add_trigger(tmp_path, "BEFORE UPDATE OF remembered ON tasks WHEN new.remembered IS NOT NULL")
        task = await submit_task(service)
        failed = await wait_for_status(service, task, "failed")
        assert failed.attempt == 3 and "could not handle one of its events" in failed.error_message
        began = time.monotonic()
        await service.stop(drain=False)
        assert time.monotonic() - began < 15


async def test_a_dead_worker_whose_streams_stay_open_is_given_up(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="abandoning", timings=Timings(kill_within=0.5)) as service:
        failed = await wait_for_status(service, await submit_task(service), "failed")
        assert failed.attempt == 3 and "SIGSEGV" in failed.error_message
        began = time.monotonic()
        await service.stop(drain=False)
        assert time.monotonic() - began < 15


async def test_a_defect_in_the_supervision_of_a_worker_starts_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_service(tmp_path) as service:
        await wait_until_ready(service)
        fleet = service._fleet
        assert isinstance(fleet, LocalFleet)
        (worker,) = fleet._workers.values()

        def broken() -> None:
            monkeypatch.undo()
            raise ZeroDivisionError

        monkeypatch.setattr(worker, "release", broken)
        monkeypatch.setattr(worker, "check_process", broken)
        await wait_until(lambda: fleet._workers[0] is not worker)
        await wait_for_status(service, await submit_task(service), "succeeded")
        assert worker.ended.is_set()


async def test_a_worker_that_sends_without_end_dies_of_nothing_and_starves_nobody(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="flooding") as service:
        await wait_until_ready(service)
        task = await submit_task(service)
        longest, began = 0.0, time.monotonic()
        while not (await service.get_task(task.id, key_id="")).status.is_terminal:
            longest, began = max(longest, time.monotonic() - began), time.monotonic()
            await asyncio.sleep(0.01)
        assert longest < 1.5, longest
        await wait_for_status(service, task, "succeeded")
    assert query_rows(tmp_path, "SELECT attempt, deaths FROM tasks") == [(1, 0)]


async def test_a_service_that_stood_still_takes_no_worker_for_silent(tmp_path: Path) -> None:
    """As after Ctrl-Z and fg: the event loop hears nothing for longer than a worker may be silent."""
    timings = Timings(worker_silent_for=3.0, worker_ready_for=3.0)
    async with running_service(tmp_path, engine="slow", timings=timings) as service:
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        time.sleep(5)
        done = await wait_for_status(service, task, "succeeded")
        assert done.attempt == 1


async def test_a_loop_that_fails_at_once_is_tried_again_after_growing_pauses(tmp_path: Path) -> None:
    service = build(tmp_path, timings=Timings(restart_after=(0.2, 0.4, 0.8)))
    tries: list[float] = []

    async def failing() -> None:
        tries.append(time.monotonic())
        raise KeyError("a defect")

    loop = asyncio.create_task(service._dispatcher._run_forever(failing))
    await asyncio.sleep(2)
    loop.cancel()
    assert 3 <= len(tries) <= 5
    assert tries[1] - tries[0] < tries[2] - tries[1]
    await service.stop(drain=False)


async def test_going_down_has_an_end_whatever_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated: no part of the service ever ends its own stop."""
    timings = Timings(step_within=0.2, kill_within=0.2)
    async with running_service(tmp_path, engine="endless", timings=timings) as service:
        await wait_for_status(service, await submit_task(service), "running")

        async def hang() -> None:
            await asyncio.Event().wait()

        fleet_stop, intake_stop, close = service._fleet.stop, service.intake.stop, service._record.close
        for part, name in ((service._fleet, "stop"), (service.intake, "stop")):
            monkeypatch.setattr(part, name, hang)
        monkeypatch.setattr(service._record, "close", lambda: time.sleep(3))
        began = time.monotonic()
        await service.stop(drain=False)
        assert time.monotonic() - began < 3
        assert service.health()["status"] == "stopped"
        await fleet_stop()
        await intake_stop()
        close()
