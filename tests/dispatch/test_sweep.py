"""One folder that cannot be deleted, or has an odd name, stops the sweep of nothing else."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from support.records import NOON, open_record
from vivant.blocking import BlockingCalls
from vivant.dispatch.retention import Sweep, Swept
from vivant.errors import StorageFailed
from vivant.record import tables
from vivant.storage.artifacts import Artifacts, clip_path, picture_path

ODD_NAMES = (
    "ffffffff-ffff-7fff-8fff-ffffffffffff",  # a UUID of version 7 whose time is the year 10889
    "00000000-0000-7000-8000-000000000000",
    "readme",
    "\u202e\U0001f600",
)


class SimulatedStubbornStore(Artifacts):
    """A store in which the files of some tasks cannot be deleted, as with a file that is immutable."""

    stubborn: frozenset[str] = frozenset()

    def delete(self, prefix: str) -> None:
        if prefix.split("/")[1] in self.stubborn:
            raise StorageFailed("Files could not be deleted: Operation not permitted.", detail=prefix)
        super().delete(prefix)


def id_of(hours: float, number: int) -> str:
    """The id of a task made so many hours before noon."""
    milliseconds = int((NOON - timedelta(hours=hours)).timestamp() * 1000)
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number))


async def sweep_twice(artifacts: Artifacts, tmp_path: Path, ended: list[str]) -> tuple[Swept, Swept]:
    """Two sweeps at noon over a record in which these tasks ended 100 hours ago."""
    record = open_record(tmp_path)
    record.start_writer(lambda: None)
    calls = BlockingCalls("The sweep", threads=1, within=60, late=StorageFailed)
    with record.transaction() as connection:
        for task_id in ended:
            connection.execute(tables.tasks.insert().values(a_row(task_id)))
    sweep = Sweep(record, artifacts, calls, days=1, orphan_after=3600)
    first, second = await sweep.run(now=NOON), await sweep.run(now=NOON)
    calls.close()
    record.close()
    return first, second


def a_row(task_id: str) -> dict[str, object]:
    """A task that failed 100 hours before noon."""
    then = NOON - timedelta(hours=100)
    times = {"created_at": then, "started_at": then, "ended_at": then, "files_since": then, "expires_at": then}
    return {
        "id": task_id, "key_id": "", "tier": "default", "status": "failed", "request": {}, "tokens": 1, "engine": "x",
        "attempt": 1, "error_code": "X", "tags": {}, **times,
    }  # fmt: skip


async def test_files_that_cannot_be_deleted_are_counted_and_the_rest_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifacts = SimulatedStubbornStore(f"file://{tmp_path / 'files'}")
    ended = [id_of(100, number) for number in range(450)]  # more than two queries' worth
    orphans = [id_of(50, number) for number in range(5)]
    artifacts.stubborn = frozenset({ended[0], ended[220], orphans[2]})
    for task_id in (*ended[:3], ended[220], ended[-1], *orphans):
        artifacts.put(picture_path(task_id, "first"), b"x")
    first, second = await sweep_twice(artifacts, tmp_path, ended)
    assert artifacts.task_ids() == sorted(artifacts.stubborn)
    assert (first.deleted, first.failed) == (448 + 4, 3)
    assert (second.deleted, second.failed) == (0, 3)
    assert capsys.readouterr().out.count("files cannot be deleted") == 3  # once each


async def test_odd_names_stop_no_sweep(tmp_path: Path) -> None:
    artifacts = Artifacts(f"file://{tmp_path / 'files'}")
    orphan = id_of(50, 1)
    for name in (*ODD_NAMES, orphan):
        artifacts.put(f"tasks/{name}/in/first.png", b"x")
    first, _ = await sweep_twice(artifacts, tmp_path, [])
    assert orphan not in artifacts.task_ids()
    assert first.failed == 0
    assert {"readme", ODD_NAMES[0], ODD_NAMES[3]} <= set(artifacts.task_ids())


async def test_a_clip_of_an_unknown_task_is_kept_and_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifacts = Artifacts(f"file://{tmp_path / 'files'}")
    kept, orphan = id_of(2000, 1), id_of(2000, 2)
    artifacts.put(clip_path(kept, 2), b"x")
    artifacts.put(picture_path(kept, "first"), b"x")
    artifacts.put(f"tasks/{orphan}/1/clip.mp4.part", b"x")
    first, second = await sweep_twice(artifacts, tmp_path, [])
    assert artifacts.task_ids() == [kept]
    assert (first.unknown, second.unknown, first.deleted) == (1, 1, 1)
    assert capsys.readouterr().out.count("a clip is kept") == 1
