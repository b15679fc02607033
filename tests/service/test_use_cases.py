"""The service as the API uses it, over a real database, real workers and real files."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from support.clocks import AdjustableClock
from support.live_service import (
    a_brief,
    a_picture,
    build,
    query_rows,
    running_service,
    submit_task,
    wait_for_status,
    wait_until,
    wait_until_ready,
)
from support.records import open_record
from vivant.blocking import BlockingCalls
from vivant.clock import SYSTEM_CLOCK
from vivant.dispatch.retention import Sweep
from vivant.errors import Misconfigured, MissingKey, NotAuthorized, NotFound, StorageFailed, TaskNotFound, UnknownKey
from vivant.record import keys, tasks
from vivant.record.ids import new_id
from vivant.request import SEED_MAX, Tier
from vivant.service import Service
from vivant.storage.artifacts import clip_path, picture_path
from vivant.task import Status, Task
from vivant.timings import Timings


def make_key(data: Path, name: str = "ci") -> tuple[str, str]:
    """Make a key as `vivant keys create` does, beside the running service."""
    record = open_record(data)
    with record.transaction() as connection:
        key, text = keys.create(connection, name=name, now=SYSTEM_CLOCK.now())
    record.close()
    return key.id, text


async def fetch(service: Service, link: str) -> bytes:
    parts = urlsplit(link)
    query = parse_qs(parts.query)
    file = await service.open_file(parts.path, query["expires"][0], query["signature"][0])
    data = b"".join([piece async for piece in file.read()])
    assert len(data) == file.size
    return data


async def sweep(service: Service, *, days: float, now: datetime) -> int:
    """How many folders a sweep at this time deletes."""
    calls = BlockingCalls("The sweep", threads=1, within=60, late=StorageFailed)
    swept = await Sweep(service._record, service._artifacts, calls, days=days, orphan_after=3600).run(now=now)
    calls.close()
    return swept.deleted


async def run_one_task(service: Service) -> Task:
    return await wait_for_status(service, await submit_task(service), "succeeded")


async def test_what_is_submitted_is_resolved_and_kept(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="slow") as service:
        task = await service.submit(a_brief(seed=-1, tier=Tier.FLEX), a_picture(), a_picture(), key_id="")
        assert task.status is Status.QUEUED and task.engine == "slow"  # what really runs
        assert (task.request.ratio, task.request.has_last_frame) == ("1:1", True)
        assert 0 <= task.request.seed <= SEED_MAX
        found = await service.get_task(task.id, key_id="")
        assert (found.request, found.created_at) == (task.request, task.created_at)
        for which in ("first", "last"):
            stored = tmp_path / "files" / picture_path(task.id, which)
            assert stored.read_bytes() == a_picture().png


async def test_a_task_that_could_not_be_accepted_leaves_no_picture(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        files = tmp_path / "files"
        files.rename(tmp_path / "away")
        files.write_text("no folder here")
        with pytest.raises(StorageFailed, match="could not be stored"):
            await submit_task(service)
        assert query_rows(tmp_path, "SELECT * FROM tasks") == []


async def test_without_a_key_any_bearer_token_is_accepted(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        assert await service.is_open()
        assert [await service.authenticate(bearer) for bearer in (None, "", "anything", "Bearer x")] == [""] * 4


async def test_the_first_key_closes_open_mode_for_good(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        assert await service.authenticate(None) == ""
        key_id, text = await asyncio.to_thread(make_key, tmp_path)
        await asyncio.sleep(0.25)
        assert not await service.is_open()
        assert [await service.authenticate(b) for b in (text, f"Bearer {text}", f"bearer  {text} ")] == [key_id] * 3
        for bearer in (None, "", "  ", "Bearer", "Bearer "):
            with pytest.raises(MissingKey):
                await service.authenticate(bearer)
        for bearer in ("anything", f"Basic {text}", text[:-1], f"Bearer {text}x"):
            with pytest.raises(UnknownKey):
                await service.authenticate(bearer)
        record = open_record(tmp_path)
        with record.transaction() as connection:
            keys.revoke(connection, key_id, now=SYSTEM_CLOCK.now())
        record.close()
        await asyncio.sleep(0.25)
        assert not await service.is_open()
        with pytest.raises(UnknownKey):
            await service.authenticate(text)


async def test_callers_never_see_open_mode_while_keys_are_read_again(tmp_path: Path) -> None:
    key_id, text = make_key(tmp_path)
    async with running_service(tmp_path) as service:
        for _ in range(20):
            service._on_foreign_write()
            answers = await asyncio.gather(
                *(service.authenticate(b) for b in (text, None, "x")), return_exceptions=True
            )
            assert answers[0] == key_id
            assert isinstance(answers[1], MissingKey) and isinstance(answers[2], UnknownKey)


async def test_a_task_belongs_to_its_key_and_to_nobody_else(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="slow") as service:
        of_nobody = await submit_task(service)
        ann, bob = (make_key(tmp_path, name)[0] for name in ("ann", "bob"))
        task = await submit_task(service, key_id=ann)
        for other_key in (bob, ""):
            with pytest.raises(TaskNotFound):
                await service.get_task(task.id, key_id=other_key)
            with pytest.raises(TaskNotFound):
                await service.cancel(task.id, key_id=other_key)
        with pytest.raises(TaskNotFound):
            await service.get_task(
                of_nobody.id, key_id=ann
            )  # open mode has ended, and only the command line shows its tasks
        assert [t.id for t in await service.list_tasks(key_id=ann)] == [task.id]
        assert await service.list_tasks(key_id=bob) == []
        assert (await service.get_task(task.id, key_id=ann)).status in ("queued", "running")


async def test_a_link_fetches_the_clip_and_a_changed_link_is_refused(tmp_path: Path) -> None:
    async with running_service(tmp_path, link_seconds=3600) as service:
        done = await run_one_task(service)
        link, seconds = await service.make_link(done)
        assert done.artifact is not None
        assert seconds == 3600
        assert hashlib.sha256(await fetch(service, link)).hexdigest() == done.artifact.sha256
        parts = urlsplit(link)
        query = parse_qs(parts.query)
        expires, signature = query["expires"][0], query["signature"][0]
        file = await service.open_file(parts.path.removeprefix("/files/"), expires, signature)
        assert (file.etag, file.mime) == (done.artifact.sha256, "video/mp4")
        middle = b"".join([piece async for piece in file.read(100, 300)])
        assert middle == (await fetch(service, link))[100:300]
        for path, until_, signed in (
            (parts.path, str(int(expires) + 1), signature),
            (parts.path, expires, signature[:-1] + ("0" if signature[-1] != "0" else "1")),
            (parts.path, expires, ""),
            (parts.path, expires, "é" * 64),
            (parts.path, "", signature),
            (parts.path, "9" * 40, signature),
            (parts.path, "-1", signature),
            (parts.path.replace("/1/", "/2/"), expires, signature),
            ("/files/../vivant.db", expires, signature),
            (parts.path + "/", expires, signature),
        ):
            with pytest.raises(NotAuthorized):
                await service.open_file(path, until_, signed)


async def test_a_link_that_is_too_old_is_refused(tmp_path: Path) -> None:
    clock = AdjustableClock()
    async with running_service(tmp_path, clock=clock, link_seconds=60) as service:
        done = await run_one_task(service)
        parts = urlsplit((await service.make_link(done))[0])
        query = parse_qs(parts.query)
        clock.advance(62)
        with pytest.raises(NotAuthorized, match="expired"):
            await service.open_file(parts.path, query["expires"][0], query["signature"][0])


async def test_links_are_valid_after_a_restart_and_never_longer_than_the_file_is_kept(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        done = await run_one_task(service)
        link, _ = await service.make_link(done)
    async with running_service(tmp_path, retention_days=0.01) as service:
        assert await fetch(service, link)
        assert 800 < (await service.make_link(done))[1] <= 864


async def test_a_task_without_a_clip_has_no_link(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="refusing") as service:
        failed = await wait_for_status(service, await submit_task(service), "failed")
        with pytest.raises(NotFound):
            await service.make_link(failed)


async def test_files_of_ended_tasks_are_deleted_after_the_retention(tmp_path: Path) -> None:
    async with running_service(tmp_path, retention_days=7) as service:
        done = await run_one_task(service)
        link, _ = await service.make_link(done)
        soon, late = SYSTEM_CLOCK.now() + timedelta(days=6.9), SYSTEM_CLOCK.now() + timedelta(days=7.1)
        assert await sweep(service, days=7, now=soon) == 0
        assert await sweep(service, days=0, now=late) == 0  # 0 keeps them for ever
        assert await sweep(service, days=7, now=late) == 1
        assert await sweep(service, days=7, now=late) == 0
        assert not (tmp_path / "files" / "tasks" / done.id).exists()
        with pytest.raises(NotFound):
            await fetch(service, link)
        assert (await service.get_task(done.id, key_id="")).status is Status.SUCCEEDED  # the row stays


async def test_files_without_a_task_are_deleted_after_an_hour_and_other_files_stay(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="slow") as service:
        kept = await submit_task(service)
        orphan = tmp_path / "files" / clip_path(new_id(), 1)
        orphan.parent.mkdir(parents=True)
        Path(f"{orphan}#1").write_bytes(b"half of a clip, by a writer that was killed")
        other_file = tmp_path / "files" / "tasks" / "readme" / "note.txt"
        other_file.parent.mkdir()
        other_file.touch()
        assert await sweep(service, days=7, now=SYSTEM_CLOCK.now() + timedelta(minutes=59)) == 0
        assert await sweep(service, days=7, now=SYSTEM_CLOCK.now() + timedelta(minutes=61)) == 1
        assert not orphan.parent.parent.exists()
        assert other_file.exists()
        assert (tmp_path / "files" / picture_path(kept.id, "first")).exists()


async def test_a_second_service_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = build(tmp_path)
    with pytest.raises(Misconfigured, match=f"Another service .process {os.getpid()}. uses"):
        build(tmp_path)
    await first.stop(drain=False)
    await build(tmp_path).stop(drain=False)


async def test_two_folders_may_not_share_one_record(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    first = build(tmp_path / "a", database_url=url)
    with pytest.raises(Misconfigured, match="Another service"):
        build(tmp_path / "b", database_url=url)
    await first.stop(drain=False)


async def test_a_link_to_the_record_of_another_service_is_refused(tmp_path: Path) -> None:
    first = build(tmp_path / "a")
    link = tmp_path / "elsewhere" / "v.db"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "a" / "vivant.db")
    with pytest.raises(Misconfigured, match="Another service"):
        build(tmp_path / "b", database_url=f"sqlite:///{link}")
    await first.stop(drain=False)


async def test_what_a_killed_service_left_runs_again_at_once(tmp_path: Path) -> None:
    """No lease has to lapse first: the holder of the folder's lock knows that no other service runs."""

    async with running_service(tmp_path, engine="slow") as service:
        task = await submit_task(service)
        await wait_for_status(service, task, "running")
    leave_running(tmp_path, task)
    began = time.monotonic()
    async with running_service(tmp_path, engine="slow") as service:
        await wait_until(lambda: query_rows(tmp_path, "SELECT attempt FROM tasks WHERE status = 'running'") == [(2,)])
        assert time.monotonic() - began < 20
        await wait_for_status(service, task, "succeeded")
    assert query_rows(tmp_path, "SELECT deaths FROM tasks") == [(0,)]


def leave_running(data: Path, task: Task) -> None:
    """Put the task in the state that kill -9 leaves: running, owned by a dispatcher that has ended."""
    record = open_record(data)
    with record.transaction() as connection:
        connection.exec_driver_sql("UPDATE tasks SET attempt = 0")
        claim = tasks.claim(connection, owner="a-dead-dispatcher", now=SYSTEM_CLOCK.now())
        assert claim is not None and claim.task.id == task.id
    record.close()


async def test_the_eta_falls_and_ends_at_zero(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="slow") as service:
        await wait_until_ready(service)
        first, second = await submit_task(service), await submit_task(service)
        begun = await wait_for_status(service, first, "running")
        assert await service.estimate_eta(second) > await service.estimate_eta(begun) > 0
        await wait_for_status(service, first, "succeeded")
        done = await wait_for_status(service, second, "succeeded")
        assert await service.estimate_eta(done) == 0


async def test_last_use_of_a_key_reaches_the_record(tmp_path: Path) -> None:
    _, text = make_key(tmp_path)
    async with running_service(tmp_path, timings=Timings(key_use_every=0.1)) as service:
        await service.authenticate(text)
        await wait_until(lambda: query_rows(tmp_path, "SELECT last_used_at IS NOT NULL FROM keys") == [(1,)])


async def test_a_stopped_service_says_that_it_is_stopped(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        await wait_until_ready(service)
        assert service.health() == {
            "status": "ok", "engines": {"still": {"workers": 1, "ready": 1, "error": ""}},
            "workers": {"all": 1, "ready": 1, "running": 0}, "error": "",
        }  # fmt: skip
        await service.stop(drain=True)
        await service.stop(drain=False)
        assert service.health()["status"] == "stopped"
