"""Deletes files that are no longer needed: those of tasks that ended long ago, and those without a task."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from vivant.record import tasks
from vivant.record.database import Record
from vivant.record.ids import time_of_id
from vivant.storage.artifacts import Artifacts, task_prefix

BATCH: Final = 200  # tasks per query

log = structlog.get_logger()


async def sweep(record: Record, artifacts: Artifacts, *, days: float, orphan_after: float, now: datetime) -> int:
    """Delete the files of tasks that ended more than `days` ago (0: of none), and files that belong to no task and are
    older than `orphan_after` seconds. Returns the number of folders. Raises Busy, StorageFailed.
    """
    swept = await _sweep_orphans(record, artifacts, before=now - timedelta(seconds=orphan_after))
    if days:
        swept += await _sweep_old(record, artifacts, before=now - timedelta(days=days))
    if swept:
        log.info("files swept", folders=swept)
    return swept


async def _sweep_old(record: Record, artifacts: Artifacts, *, before: datetime) -> int:
    swept = 0
    while old := await record.read(lambda c: tasks.list_with_old_files(c, before=before, at_most=BATCH)):
        for task_id in old:
            await asyncio.to_thread(artifacts.delete, task_prefix(task_id))
        await record.write(lambda c: tasks.mark_files_deleted(c, old))
        swept += len(old)
    return swept


async def _sweep_orphans(record: Record, artifacts: Artifacts, *, before: datetime) -> int:
    swept = 0
    ids = [i for i in await asyncio.to_thread(artifacts.task_ids) if (at := time_of_id(i)) and at < before]
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        for task_id in await record.read(partial(tasks.find_unknown, ids=batch)):
            await asyncio.to_thread(artifacts.delete, task_prefix(task_id))
            swept += 1
    return swept
