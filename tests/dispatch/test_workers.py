"""One service, one worker, and engines that misbehave."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from support.live_service import (
    a_picture,
    query_rows,
    running_service,
    submit_task,
    wait_for_status,
    wait_until,
    wait_until_ready,
)
from vivant.dispatch.local import LocalFleet
from vivant.errors import IllegalTransition
from vivant.record.ids import new_id
from vivant.service import Service
from vivant.storage.artifacts import picture_path
from vivant.task import Status
from vivant.timings import Timings


def worker_pid(service: Service) -> int:
    fleet = service._fleet
    assert isinstance(fleet, LocalFleet)
    (worker,) = fleet._workers.values()
    return worker._process.pid


async def test_a_task_becomes_a_clip_with_the_facts_of_its_file(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="testcard") as service:
        task = await submit_task(service)
        done = await wait_for_status(service, task, "succeeded")
        artifact = done.artifact
        assert artifact is not None
        data = (tmp_path / "files" / artifact.path).read_bytes()
        assert artifact.path == f"tasks/{task.id}/1/clip.mp4"
        assert (artifact.size, artifact.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert (artifact.width, artifact.height, artifact.frames) == (640, 640, 97)
        assert done.storyboard is not None and done.storyboard["engine"] == "testcard"
        assert done.progress == 1.0
        assert query_rows(tmp_path, "SELECT task_id FROM usage") == [(task.id,)]


async def test_an_idle_service_starts_a_task_at_once(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="endless") as service:
        await wait_until_ready(service)
        waits = []
        for _ in range(5):
            task = await submit_task(service)
            started = await wait_for_status(service, task, "running")
            assert started.started_at is not None
            waits.append((started.started_at - task.created_at).total_seconds())
            await service.cancel(task.id, key_id="")
            await wait_until(lambda: service.health()["workers"]["running"] == 0)
        assert min(waits) < 0.05  # the promise is for an idle machine; this one may be busy


async def test_progress_is_seen_while_a_task_runs(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="slow") as service:
        task = await submit_task(service)
        seen: list[float] = []
        while len(set(seen)) < 4:
            found = await wait_for_status(service, task, "queued", "running")
            seen.append(found.progress)
            await asyncio.sleep(0.1)
        assert seen == sorted(seen)
        assert found.storyboard is not None


async def test_the_last_of_many_reports_is_seen_however_soon_it_follows_the_one_before(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="chatty") as service:
        task = await submit_task(service)
        deadline = time.monotonic() + 20
        while (await wait_for_status(service, task, "queued", "running")).progress != 0.5:
            assert time.monotonic() < deadline, "the last report was lost"
            await asyncio.sleep(0.1)


async def test_a_task_that_is_cancelled_while_it_is_planned_frees_its_worker_alive(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="pondering") as service:
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        pid = worker_pid(service)
        await service.cancel(task.id, key_id="")
        await wait_until(lambda: service.health()["workers"]["running"] == 0, within=3)
        assert worker_pid(service) == pid


async def test_planning_that_takes_too_long_fails_the_task_and_keeps_the_worker(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="pondering", timings=Timings(plan_within=3.0)) as service:
        await wait_until_ready(service)
        pid = worker_pid(service)
        failed = await wait_for_status(service, await submit_task(service), "failed")
        assert (failed.attempt, failed.error_code) == (1, "ENGINE_FAILED")
        assert "not planned within 3 s" in failed.error_message
        assert worker_pid(service) == pid


async def test_an_engine_that_hangs_while_it_plans_is_replaced_after_the_time_for_planning(tmp_path: Path) -> None:
    timings = Timings(worker_heartbeat_every=0.3, plan_within=1.0)
    async with running_service(tmp_path, engine="brooding", timings=timings) as service:
        failed = await wait_for_status(service, await submit_task(service), "failed")
        assert failed.error_code == "WORKER_LOST"
        assert "has not touched its watch" in failed.error_message


async def test_an_engine_that_checks_its_watch_is_cancelled_without_losing_its_worker(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="endless") as service:
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        pid = worker_pid(service)
        assert (await service.cancel(task.id, key_id="")).status is Status.CANCELLED
        await wait_until(lambda: service.health()["workers"]["running"] == 0, within=3)
        assert worker_pid(service) == pid
        with pytest.raises(IllegalTransition):
            await service.cancel(task.id, key_id="")
        assert not list((tmp_path / "files").rglob("*.mp4"))


async def test_an_engine_that_ignores_its_watch_is_killed_and_the_next_task_starts_in_3_seconds(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="deaf") as service:
        task = await submit_task(service, seed=1)
        await wait_for_status(service, task, "running")
        await asyncio.sleep(0.3)  # rendering has begun
        pid = worker_pid(service)
        cancelled = time.monotonic()
        await service.cancel(task.id, key_id="")
        other = await submit_task(service, seed=2)
        await wait_until(lambda: not group_lives(pid), within=3)
        await wait_for_status(service, other, "running", within=3 - (time.monotonic() - cancelled) + STARTING)
        await wait_for_status(service, other, "succeeded")
        assert (await service.get_task(task.id, key_id="")).status is Status.CANCELLED
        assert query_rows(tmp_path, "SELECT deaths FROM tasks WHERE id = ?", task.id) == [(0,)]


STARTING = 3.0  # seconds that a new process may need on a busy machine beyond the three that are promised


def group_lives(pid: int) -> bool:
    """Whether any process of the session that this process led still runs."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return any(_state(entry) not in ("Z", "") for entry in Path("/proc").glob("[0-9]*") if _group(entry) == pid)


def _group(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[2])
    except OSError:
        return -1


def _state(entry: Path) -> str:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


async def test_a_worker_that_keeps_crashing_fails_the_task_after_three_deaths(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="crashing") as service:
        task = await submit_task(service)
        failed = await wait_for_status(service, task, "failed")
        assert (failed.attempt, failed.error_code) == (3, "WORKER_LOST")
        assert "Lost 3 times" in failed.error_message and "SIGSEGV" in failed.error_message


async def test_a_worker_that_takes_too_much_memory_ends_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_service(tmp_path, engine="greedy") as service:
        failed = await wait_for_status(service, await submit_task(service), "failed")
        assert failed.error_code == "WORKER_LOST"
        assert "this worker took more than" in capsys.readouterr().out


async def test_what_an_engine_remembers_survives_the_crash_right_after_it(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="forgetful") as service:
        task = await submit_task(service)
        done = await wait_for_status(service, task, "succeeded")
        assert done.attempt == 3
        assert done.artifact is not None and done.artifact.path == f"tasks/{task.id}/3/clip.mp4"


async def test_a_process_that_sends_nothing_is_replaced(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="frozen", timings=Timings(worker_silent_for=4.0)) as service:
        task = await submit_task(service, seed=1)
        done = await wait_for_status(service, task, "succeeded")
        assert done.attempt == 2
        assert query_rows(tmp_path, "SELECT deaths FROM tasks") == [(1,)]


async def test_an_engine_that_hangs_in_a_living_process_is_replaced(tmp_path: Path) -> None:
    timings = Timings(worker_heartbeat_every=0.5, engine_silent_for=1.0)
    async with running_service(tmp_path, engine="deadlocked", timings=timings) as service:
        task = await submit_task(service)
        failed = await wait_for_status(service, task, "failed")
        assert "has not touched its watch" in failed.error_message


async def test_an_engine_that_fails_with_a_reason_fails_the_task_at_once(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="refusing") as service:
        failed = await wait_for_status(service, await submit_task(service), "failed")
        assert (failed.attempt, failed.error_code) == (1, "ENGINE_FAILED")
        assert failed.error_message == "The picture is too dark."


async def test_a_defect_fails_the_task_and_what_was_printed_is_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        async with running_service(tmp_path, engine="buggy") as service:
            task = await submit_task(service)
            pid = worker_pid(service)
            failed = await wait_for_status(service, task, "failed")
            assert "KeyError: 'shots'" in failed.error_message
            assert worker_pid(service) == pid
            log: list[str] = []

            def logged() -> bool:
                log.extend(capsys.readouterr().out.splitlines())
                printed = ("a line on standard output", "a line on standard error", "Traceback")
                return all(any(line in entry and task.id in entry for entry in log) for line in printed)

            # Output and events come over two pipes, which do not wait for each other.
            await wait_until(logged)

    await story()


async def test_a_worker_that_prints_without_end_does_its_task_and_fills_no_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_service(tmp_path, engine="talkative") as service:
        task = await submit_task(service)
        await wait_for_status(service, task, "succeeded")
        again = await submit_task(service, seed=2)
        await wait_for_status(service, again, "succeeded")
    log = capsys.readouterr().out
    assert "step 1 of a computation" in log
    assert "lines of it were dropped" in log
    assert len(log) < 5_000_000  # of some 80 MB


async def test_a_worker_that_cannot_be_set_up_says_why_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "weights"
    monkeypatch.setenv("VIVANT_TEST_WEIGHTS", str(weights))

    async with running_service(tmp_path / "data", engine="unready") as service:
        task = await submit_task(service)
        await wait_until(lambda: service.health()["status"] == "degraded")
        assert service.health()["error"] == "Misconfigured: The weights are missing."
        assert (await service.get_task(task.id, key_id="")).status is Status.QUEUED
        weights.touch()
        await wait_for_status(service, task, "succeeded")
        assert service.health()["status"] == "ok"


async def test_a_worker_that_dies_idle_is_replaced_and_no_task_counts_a_death(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        await wait_until_ready(service)
        pid = worker_pid(service)
        os.kill(pid, signal.SIGKILL)
        task = await submit_task(service)
        await wait_for_status(service, task, "succeeded")
        assert worker_pid(service) != pid
        assert query_rows(tmp_path, "SELECT deaths FROM tasks") == [(0,)]


async def test_signals_that_are_sent_to_everybody_do_not_end_a_worker(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(worker_pid(service), number)
        done = await wait_for_status(service, task, "succeeded")
        assert done.attempt == 1


async def test_a_full_disk_fails_the_task_with_the_reason_and_leaves_no_half_file(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="cramped") as service:
        failed = await wait_for_status(service, await submit_task(service), "failed")
        assert (failed.attempt, failed.error_code) == (10, "SCRATCH_FAILED")
        assert "File too large" in failed.error_message
        left = [p for p in tmp_path.rglob("*") if p.is_file() and ("clip" in p.name or "scratch" in str(p))]
        assert left == []


async def test_while_the_storage_fails_tasks_wait_and_then_go_on(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="testcard") as service:
        running_task, waiting = await submit_task(service), await submit_task(service)
        await wait_for_status(service, running_task, "running")
        files = tmp_path / "files"
        files.rename(tmp_path / "away")
        files.write_text("no folder here")
        await wait_until(lambda: query_rows(tmp_path, "SELECT max(interruptions) FROM tasks") == [(1,)])
        assert service.health()["status"] == "degraded"
        await asyncio.sleep(1.5)
        assert query_rows(tmp_path, "SELECT max(deaths), max(interruptions), max(attempt) FROM tasks") == [(0, 1, 1)]
        files.unlink()
        (tmp_path / "away").rename(files)
        for task in (running_task, waiting):
            await wait_for_status(service, task, "succeeded")


async def test_a_picture_that_is_gone_fails_the_task(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="endless") as service:
        first = await submit_task(service)
        await wait_for_status(service, first, "running")
        task = await submit_task(service)
        (tmp_path / "files" / picture_path(task.id, "first")).unlink()
        await service.cancel(first.id, key_id="")
        failed = await wait_for_status(service, task, "failed")
        assert failed.error_code == "NOT_FOUND"


async def test_a_store_that_is_gone_as_a_whole_fails_no_task(tmp_path: Path) -> None:
    """As when its disk is unmounted: every picture is missing then, and no task is to blame."""
    files, disk = tmp_path / "files", tmp_path / "disk"
    async with running_service(tmp_path, engine="endless") as service:
        first = await submit_task(service)
        await wait_for_status(service, first, "running")
        waiting = [await submit_task(service) for _ in range(3)]
        files.rename(disk)
        files.mkdir()
        await service.cancel(first.id, key_id="")
        await wait_until(lambda: service.health()["status"] == "degraded")
        await asyncio.sleep(1)
        assert query_rows(tmp_path, "SELECT count(*) FROM tasks WHERE status = 'failed'") == [(0,)]
        for folder in files.iterdir():
            shutil.rmtree(folder)
        files.rmdir()
        disk.rename(files)
        await wait_for_status(service, waiting[0], "running")


async def test_first_and_last_picture_reach_the_engine(tmp_path: Path) -> None:
    from support.live_service import a_brief

    async with running_service(tmp_path) as service:
        task = await service.submit(a_brief(), a_picture(), a_picture(), key_id="")
        done = await wait_for_status(service, task, "succeeded")
        assert done.storyboard is not None and done.storyboard["has_last"] is True


async def test_scratch_files_do_not_pile_up(tmp_path: Path) -> None:
    (tmp_path / "scratch" / new_id()).mkdir(parents=True)  # left by a service that was killed
    async with running_service(tmp_path, engine="endless") as service:
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
        assert len(list((tmp_path / "scratch").iterdir())) == 1
    assert not (tmp_path / "scratch").exists()
