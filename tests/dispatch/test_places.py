"""Places for files: probed by a real write, one probe at a time, and watched until they work again."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from pathlib import Path

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
from support.silent_server import SilentServer, use_as_s3
from vivant.dispatch.places import Place
from vivant.errors import Busy, Misconfigured, ScratchFailed, StorageFailed
from vivant.storage.artifacts import Artifacts, picture_path
from vivant.timings import Timings


async def test_whoever_asks_while_a_probe_runs_gets_the_finding_of_that_one() -> None:
    probes = 0

    def probe() -> None:
        nonlocal probes
        probes += 1
        time.sleep(0.2)
        raise StorageFailed("The disk is full.")

    place = Place("file store", probe, failed=StorageFailed, within=5)
    found = await asyncio.gather(*(place.check() for _ in range(5)), return_exceptions=True)
    assert [str(error) for error in found] == ["The disk is full."] * 5
    assert probes == 1 and place.error == "The disk is full."
    place.close()


@pytest.mark.parametrize(
    "error", [StorageFailed("It failed."), ScratchFailed("It failed."), Misconfigured("Not ours.")]
)
async def test_a_place_that_fails_is_waited_for_until_a_probe_succeeds(error: Exception) -> None:
    broken = threading.Event()
    broken.set()

    def probe() -> None:
        if broken.is_set():
            raise error

    place = Place("file store", probe, failed=StorageFailed, within=5)
    watching = asyncio.create_task(place.watch(every=60, retry_after=0.02))
    await wait_until(lambda: place.error == str(error), within=10)
    waiting = asyncio.create_task(place.wait_until_works())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    broken.clear()
    await asyncio.wait_for(waiting, 10)
    place.fail("A job could not write.")  # so says a worker; the watch looks at once
    await wait_until(lambda: not place.error, within=10)
    watching.cancel()
    place.close()


async def test_a_probe_that_hangs_is_a_failure_and_further_ones_fail_at_once() -> None:
    released = threading.Event()
    place = Place("scratch folder", lambda: released.wait(30), failed=ScratchFailed, within=0.1)
    for _ in range(4):
        began = time.monotonic()
        with pytest.raises(ScratchFailed, match="scratch folder"):
            await place.check()
        assert time.monotonic() - began < 5
    released.set()
    await wait_until(lambda: place._calls.hung == 0, within=10)
    await place.check()
    assert place.error == ""
    place.close()


@pytest.mark.parametrize("error", [Busy("locked"), RuntimeError("a defect"), KeyError("x")], ids=repr)
async def test_a_place_that_cannot_be_checked_counts_as_broken(error: Exception) -> None:
    failing = [error]

    def probe() -> None:
        if failing:
            raise failing[0]

    place = Place("file store", probe, failed=StorageFailed, within=10)
    with pytest.raises(StorageFailed, match="could not be checked"):
        await place.check()
    assert place.error
    failing.clear()
    await place.check()
    assert place.error == ""
    place.close()


async def test_deleted_scratch_folders_cost_no_task_a_death(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="still") as service:
        await wait_until_ready(service)
        shutil.rmtree(tmp_path / "scratch")
        for task in [await submit_task(service) for _ in range(3)]:
            assert (await wait_for_status(service, task, "succeeded")).attempt == 1
    assert query_rows(tmp_path, "SELECT sum(deaths) FROM tasks") == [(0,)]


async def test_while_the_scratch_folder_fails_tasks_wait_and_then_go_on(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="still") as service:
        await wait_until_ready(service)
        scratch = tmp_path / "scratch"
        shutil.rmtree(scratch)
        scratch.write_text("no folder here")
        task = await submit_task(service)
        await wait_until(lambda: service.health()["status"] == "degraded")
        assert (await service.check())["scratch"] is False
        await asyncio.sleep(1.5)  # some tries would fail in this time
        assert query_rows(tmp_path, "SELECT attempt <= 1, deaths FROM tasks") == [(1, 0)]
        scratch.unlink()
        await wait_for_status(service, task, "succeeded")
        assert all((await service.check()).values())


async def test_a_worker_that_waits_for_a_hung_store_is_killed_and_its_task_counts_no_death(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service has a folder, its workers an object store that never answers: so only they hang."""
    timings = Timings(store_within=30, store_phase_within=1.0)
    with SilentServer() as server:
        url = use_as_s3(monkeypatch, server.port)
        service = build(tmp_path, timings=timings)
        fleet = service._fleet
        monkeypatch.setattr(fleet, "_storage", url)
        await service.start()
        try:
            task = await submit_task(service)
            await wait_until(lambda: query_rows(tmp_path, "SELECT interruptions >= 2 FROM tasks") == [(1,)])
            assert query_rows(tmp_path, "SELECT deaths FROM tasks") == [(0,)]
            monkeypatch.setattr(fleet, "_storage", service.settings.storage)
            await wait_for_status(service, task, "succeeded")
        finally:
            await service.stop(drain=False)


async def test_free_space_is_looked_at_when_a_task_is_submitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only at the next probe: many pictures fit into half a minute."""
    async with running_service(tmp_path) as service:
        assert all((await service.check()).values())
        monkeypatch.setattr(service._artifacts, "_min_free_bytes", 2**62)
        with pytest.raises(StorageFailed, match="MiB are needed"):
            await submit_task(service)
        assert not (tmp_path / "files" / "tasks").exists()
        await wait_until(lambda: service.health()["status"] == "degraded")  # so that nothing is claimed either


async def test_a_service_starts_while_its_store_hangs_and_refuses_submits_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timings = Timings(store_within=1.0, readiness_within=0.3)
    with SilentServer() as server:
        url = use_as_s3(monkeypatch, server.port)
        async with running_service(tmp_path, storage_url=url, timings=timings) as service:
            for _ in range(3):
                began = time.monotonic()
                with pytest.raises(StorageFailed, match="again later"):
                    await submit_task(service)
                assert time.monotonic() - began < 1
            assert await service.check() == {"database": True, "storage": False, "scratch": True}


def test_checks_of_one_store_do_not_disturb_each_other(tmp_path: Path) -> None:
    artifacts = Artifacts(f"file://{tmp_path / 'files'}")
    artifacts.put(picture_path("a", "first"), b"x")
    failures: list[Exception] = []

    def check() -> None:
        try:
            for _ in range(30):
                artifacts.check()
        except StorageFailed as error:
            failures.append(error)

    threads = [threading.Thread(target=check) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [path.name for path in (tmp_path / "files").iterdir()] == ["tasks"]
