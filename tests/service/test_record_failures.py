"""What callers see of a record that is locked, slow or closed: nothing is lost, and no revoked key stays valid."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from support.live_service import query_rows, running_service, submit_task, wait_for_status, wait_until_ready
from support.records import open_record
from vivant.clock import SYSTEM_CLOCK
from vivant.errors import Busy, OutcomeUnknown, UnknownKey
from vivant.record import keys
from vivant.timings import Timings

QUICK = Timings(wait_for_lock=0.2, write_within=0.6, retry_after=0.05, heartbeat_every=0.1)


async def test_a_key_revoked_while_the_record_was_locked_is_refused(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    with record.transaction() as connection:
        key, text = keys.create(connection, name="ci", now=SYSTEM_CLOCK.now())
    record.close()
    async with running_service(tmp_path, timings=QUICK) as service:
        assert await service.authenticate(f"Bearer {text}") == key.id
        other = sqlite3.connect(tmp_path / "vivant.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            await service._record.write(lambda c: None)
        other.execute("UPDATE keys SET revoked_at = 1")
        other.execute("COMMIT")
        other.close()
        await asyncio.sleep(0.5)
        with pytest.raises(UnknownKey):
            await service.authenticate(f"Bearer {text}")


async def test_a_task_whose_insert_is_not_answered_in_time_keeps_its_pictures(tmp_path: Path) -> None:
    async with running_service(tmp_path, timings=QUICK) as service:
        await wait_until_ready(service)
        writer = service._record._writer
        assert writer is not None
        before, after = threading.Event(), threading.Event()
        writer.submit(lambda _: before.wait(10))
        submitting = asyncio.create_task(submit_task(service))
        await asyncio.sleep(0.3)  # its pictures are stored and its insert waits
        writer.submit(lambda _: after.wait(10))  # in the same transaction as the insert
        before.set()
        with pytest.raises(OutcomeUnknown, match="not known"):
            await submitting
        after.set()
        while not (rows := query_rows(tmp_path, "SELECT id FROM tasks")):
            await asyncio.sleep(0.05)
        [task] = await service.list_tasks(key_id="")
        assert rows == [(task.id,)]
        await wait_for_status(service, task, "succeeded")


async def test_a_task_whose_insert_did_not_begin_leaves_nothing(tmp_path: Path) -> None:
    async with running_service(tmp_path, timings=QUICK) as service:
        writer = service._record._writer
        assert writer is not None
        release = threading.Event()
        writer.submit(lambda _: release.wait(10))
        with pytest.raises(Busy) as refused:
            await submit_task(service)
        assert not isinstance(refused.value, OutcomeUnknown)
        release.set()
        await asyncio.sleep(0.3)
        assert query_rows(tmp_path, "SELECT * FROM tasks") == []
        assert list((tmp_path / "files").rglob("*.png")) == []
