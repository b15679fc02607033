"""Which record a file store belongs to. The store carries the id of its record in a small file, and nothing is written
to it, claimed or deleted while that is another one: a typing error in the database's URL, two services on one store or
a disk that is not mounted must not cost anybody a clip.
"""

from __future__ import annotations

import json
from typing import Final

import structlog

from vivant.errors import Misconfigured, NotFound, StorageFailed
from vivant.record import tasks
from vivant.record.database import Record
from vivant.record.ids import time_of_id
from vivant.storage.artifacts import Artifacts

MARKER: Final = "vivant-record.json"
MARKER_BYTES: Final = 4096  # no marker is longer
BATCH: Final = 500  # tasks per query
CHECK_SETTINGS: Final = "Check VIVANT_DATABASE_URL, VIVANT_STORAGE_URL and --data."
ADOPT: Final = "`vivant files adopt`"

log = structlog.get_logger()


class StoreOwner:
    """Checks one store for one record. All methods block."""

    def __init__(self, artifacts: Artifacts, record: Record) -> None:
        self._artifacts = artifacts
        self._record = record
        self._seen = False  # our marker

    def check(self) -> None:
        """Raise StorageFailed unless the store can be written, and Misconfigured when it belongs to another record."""
        self.check_is_ours()
        self._artifacts.check()

    def check_is_ours(self) -> None:
        """Raise StorageFailed or Misconfigured unless the store belongs to our record.

        A store without a marker becomes ours if it holds files of our tasks (it was made by a version that wrote no
        marker) or is empty; but not if our record knows tasks with files in it, or after its marker was there: then
        another folder has its place, such as the empty one under a disk that is not mounted.
        """
        owner = read_owner(self._artifacts)
        if owner is None and self._seen:
            raise StorageFailed("The file store is empty or another one: its marker is gone. Is its disk mounted?")
        if owner is None:
            self._check_files_are_ours()
            owner = self._mark()
        if owner != self._record.id:
            raise Misconfigured(
                f"The file store belongs to another record ({owner}; this one is {self._record.id}). "
                f"{CHECK_SETTINGS} If the files are meant to be this record's: {ADOPT}."
            )
        self._seen = True

    def _check_files_are_ours(self) -> None:
        stored = _list_tasks(self._artifacts)
        if stored and len(_find_unknown(self._record, stored)) == len(stored):
            raise Misconfigured(
                f"The file store holds files of {len(stored)} tasks, and this record ({self._record.id}) knows none. "
                f"{CHECK_SETTINGS} If they are meant to be one: {ADOPT}."
            )
        if stored:
            return
        with self._record.transaction() as connection:
            with_files = tasks.count_with_files(connection)
        if with_files:
            raise StorageFailed(
                f"The file store is empty, and the record knows {with_files} tasks with files in it. Is its disk "
                f"mounted? {CHECK_SETTINGS} If the files are gone for good: {ADOPT}."
            )

    def _mark(self) -> str | None:
        """Write our marker unless another service was quicker; who owns the store then."""
        if self._artifacts.create(MARKER, encode_marker(self._record.id)):
            log.info("the file store belongs to this record now", record=self._record.id)
        return read_owner(self._artifacts)


def read_owner(artifacts: Artifacts) -> str | None:
    """The id of the record that a store belongs to; None for a store without a marker. Raises StorageFailed."""
    try:
        if artifacts.size(MARKER) > MARKER_BYTES:
            raise ValueError
        owner = json.loads(artifacts.get(MARKER))["record"]
        if not isinstance(owner, str) or not owner:
            raise ValueError
    except NotFound:
        return None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Misconfigured(f"The file {MARKER} in the file store is damaged. Write it anew with {ADOPT}.") from None
    return owner


def adopt(artifacts: Artifacts, record_id: str) -> None:
    """Make the store belong to this record, whatever it says. Raises StorageFailed."""
    artifacts.put(MARKER, encode_marker(record_id))


def find_unknown_clips(artifacts: Artifacts, record: Record) -> list[str]:
    """Ids of tasks that have a clip in the store and no row in the record. Raises StorageFailed."""
    unknown = _find_unknown(record, _list_tasks(artifacts))
    return [task_id for task_id in unknown if artifacts.has_clip(task_id)]


def _list_tasks(artifacts: Artifacts) -> list[str]:
    """Ids of the tasks that have files, oldest first."""
    return [name for name in artifacts.task_ids() if time_of_id(name)]


def _find_unknown(record: Record, ids: list[str]) -> list[str]:
    """Those of these ids that no task has, in the same order."""
    unknown: set[str] = set()
    for start in range(0, len(ids), BATCH):
        with record.transaction() as connection:
            unknown |= tasks.find_unknown(connection, ids[start : start + BATCH])
    return [task_id for task_id in ids if task_id in unknown]


def encode_marker(record_id: str) -> bytes:
    note = "This file store belongs to the Vivant record with this id. Do not delete or copy this file."
    return json.dumps({"record": record_id, "note": note}, indent=1).encode()
