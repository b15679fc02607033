"""Deletes files that are no longer needed: those of tasks that ended long ago, and pictures without a task.

Nothing that this sweep meets stops it: a folder that cannot be deleted is counted, and the rest goes on. And it deletes
no clip of a task that the record does not know: nobody but an operator can say whether the record or the clip is the
mistake (a record restored from an older backup does not know the newest tasks).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from vivant.blocking import BlockingCalls
from vivant.errors import StorageFailed
from vivant.record import tasks
from vivant.record.database import Record
from vivant.record.ids import time_of_id
from vivant.storage.artifacts import Artifacts, task_prefix

BATCH: Final = 200  # tasks per query

log = structlog.get_logger()


@dataclass(slots=True)
class Swept:
    """deleted: folders; failed: folders that could not be deleted; unknown: tasks that have a clip and no row."""

    deleted: int = 0
    failed: int = 0
    unknown: int = 0


class Sweep:
    """Sweeps one store again and again. `days`: how long files of ended tasks are kept (0: for ever); `orphan_after`:
    age in seconds of pictures without a task. `calls` run what blocks: of a purpose of their own, so that a sweep that
    hangs takes no thread from callers.
    """

    def __init__(
        self, record: Record, artifacts: Artifacts, calls: BlockingCalls, *, days: float, orphan_after: float
    ) -> None:
        self._record = record
        self._artifacts = artifacts
        self._calls = calls
        self._days = days
        self._orphan_after = orphan_after
        self._logged: set[str] = set()  # tasks whose files were complained about

    async def run(self, *, now: datetime) -> Swept:
        """Sweep once. Raises Busy; StorageFailed when the store cannot be listed."""
        swept = Swept()
        await self._sweep_orphans(swept, before=now - timedelta(seconds=self._orphan_after))
        if self._days:
            await self._sweep_old(swept, before=now - timedelta(days=self._days))
        if swept.deleted or swept.failed:
            log.info("files swept", folders=swept.deleted, failed=swept.failed, unknown=swept.unknown)
        return swept

    async def _sweep_old(self, swept: Swept, *, before: datetime) -> None:
        kept = 0  # rows at the front whose files could not be deleted
        while True:
            query = partial(tasks.list_with_old_files, before=before, at_most=BATCH, skip=kept)
            old = await self._record.read(query)
            if not old:
                return
            deleted = [task_id for task_id in old if await self._delete(task_id, swept)]
            kept += len(old) - len(deleted)
            if deleted:
                await self._record.write(partial(tasks.mark_files_deleted, ids=deleted))

    async def _sweep_orphans(self, swept: Swept, *, before: datetime) -> None:
        found = await self._calls.run(self._artifacts.task_ids)
        ids = [task_id for task_id in found if (at := time_of_id(task_id)) and at < before]
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            for task_id in sorted(await self._record.read(partial(tasks.find_unknown, ids=batch))):
                if await self._is_clip_of_unknown_task(task_id, swept):
                    swept.unknown += 1
                else:
                    await self._delete(task_id, swept)

    async def _is_clip_of_unknown_task(self, task_id: str, swept: Swept) -> bool:
        try:
            has_clip = await self._calls.run(self._artifacts.has_clip, task_id)
        except StorageFailed as error:
            self._complain(task_id, "files of an unknown task cannot be looked at", error)
            return True
        if has_clip:
            self._complain(task_id, "a clip is kept although the record does not know its task", None)
        return has_clip

    async def _delete(self, task_id: str, swept: Swept) -> bool:
        """Delete the files of a task. False, and said once, when that is impossible."""
        try:
            await self._calls.run(self._artifacts.delete, task_prefix(task_id))
        except StorageFailed as error:
            swept.failed += 1
            self._complain(task_id, "files cannot be deleted", error)
            return False
        swept.deleted += 1
        return True

    def _complain(self, task_id: str, what: str, error: StorageFailed | None) -> None:
        """Log once for a task: the next sweep meets the same folder again."""
        if task_id not in self._logged:
            self._logged.add(task_id)
            reason, detail = (str(error), error.detail) if error else ("", "")
            log.warning(what, task=task_id, reason=reason, detail=detail)
