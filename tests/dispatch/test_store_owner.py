"""The store carries its record's id: another record is refused, and nothing of a task it does not know is deleted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from support.live_service import (
    build,
    running_service,
    submit_task,
    wait_for_status,
    wait_until,
)
from support.records import ARTIFACT, at, claim_task, insert_task, open_record
from vivant.dispatch.store_owner import MARKER, StoreOwner, adopt, find_unknown_clips, read_owner
from vivant.errors import Misconfigured, StorageFailed
from vivant.record import tasks
from vivant.record.database import Record
from vivant.record.ids import new_id
from vivant.storage.artifacts import Artifacts, picture_path
from vivant.timings import Timings


@pytest.fixture(params=["folder", "memory"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    return Artifacts("memory:///" if request.param == "memory" else f"file://{tmp_path / 'files'}")


def other_record(tmp_path: Path) -> Record:
    folder = tmp_path / "other"
    folder.mkdir(exist_ok=True)
    return open_record(folder)


def test_an_empty_store_becomes_the_records_and_no_other_may_use_it(artifacts: Artifacts, tmp_path: Path) -> None:
    record, other = open_record(tmp_path), other_record(tmp_path)
    for _ in range(2):
        StoreOwner(artifacts, record).check()
        assert read_owner(artifacts) == record.id
        with pytest.raises(Misconfigured, match=f"{record.id}.*{other.id}.*vivant files adopt"):
            StoreOwner(artifacts, other).check()
    adopt(artifacts, other.id)
    StoreOwner(artifacts, other).check()
    with pytest.raises(Misconfigured):
        StoreOwner(artifacts, record).check()
    record.close()
    other.close()


def test_a_store_of_an_older_version_becomes_that_of_the_record_that_knows_its_tasks(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    record, other = open_record(tmp_path), other_record(tmp_path)
    with record.transaction() as connection:
        known = insert_task(connection)
    for task_id in (known.id, new_id()):
        artifacts.put(picture_path(task_id, "first"), b"x")
    with pytest.raises(Misconfigured, match="knows none"):
        StoreOwner(artifacts, other).check()
    assert read_owner(artifacts) is None
    StoreOwner(artifacts, record).check()
    assert read_owner(artifacts) == record.id
    record.close()
    other.close()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"record": 5}', b'{"record": ""}', b"[" * 3000, b"x" * 5000])
def test_a_damaged_marker_is_named_and_can_be_written_anew(
    artifacts: Artifacts, tmp_path: Path, content: bytes
) -> None:
    record = open_record(tmp_path)
    artifacts.put(MARKER, content)
    with pytest.raises(Misconfigured, match=f"{MARKER}.*damaged.*adopt"):
        StoreOwner(artifacts, record).check()
    adopt(artifacts, record.id)
    StoreOwner(artifacts, record).check()
    record.close()


def test_a_store_whose_marker_vanishes_is_not_taken_over_again(tmp_path: Path) -> None:
    """As when the disk is unmounted, and its empty mount point is in its place."""
    record = open_record(tmp_path)
    artifacts = Artifacts(f"file://{tmp_path / 'files'}")
    owner = StoreOwner(artifacts, record)
    owner.check()
    (tmp_path / "files").rename(tmp_path / "disk")
    (tmp_path / "files").mkdir()
    with pytest.raises(StorageFailed, match="mounted"):
        owner.check()
    assert list((tmp_path / "files").iterdir()) == []
    (tmp_path / "files").rmdir()
    (tmp_path / "disk").rename(tmp_path / "files")
    owner.check()
    record.close()


async def test_an_empty_store_is_not_taken_over_while_the_record_knows_clips_in_it(tmp_path: Path) -> None:
    """A service that is started before the disk of its files is mounted waits for it."""
    async with running_service(tmp_path) as service:
        await wait_for_status(service, await submit_task(service), "succeeded")
    files, disk = tmp_path / "files", tmp_path / "disk"
    files.rename(disk)
    files.mkdir()
    async with running_service(tmp_path) as service:
        assert service.health()["status"] == "degraded" and "mounted" in service.health()["error"]
        with pytest.raises(StorageFailed):
            await submit_task(service)
        assert list(files.iterdir()) == []
        files.rmdir()
        disk.rename(files)
        await wait_until(lambda: service.health()["status"] == "ok")
        await wait_for_status(service, await submit_task(service), "succeeded")


@pytest.mark.parametrize("ended", [False, True])
def test_a_store_whose_files_are_gone_for_good_can_be_adopted(tmp_path: Path, ended: bool) -> None:
    """A live task has pictures there: under a mistyped URL each would fail without them."""
    record, artifacts = open_record(tmp_path), Artifacts(f"file://{tmp_path / 'files'}")
    with record.transaction() as connection:
        insert_task(connection)
        if ended:
            tasks.settle_success(connection, claim_task(connection), ARTIFACT, run_seconds=1.0, now=at(2))
    with pytest.raises(StorageFailed, match=r"knows 1 tasks with files.*vivant files adopt"):
        StoreOwner(artifacts, record).check()
    adopt(artifacts, record.id)
    StoreOwner(artifacts, record).check()
    record.close()


def test_an_empty_store_becomes_that_of_a_record_whose_tasks_have_no_files_left(tmp_path: Path) -> None:
    record, artifacts = open_record(tmp_path), Artifacts(f"file://{tmp_path / 'files'}")
    with record.transaction() as connection:
        swept, cancelled = insert_task(connection), insert_task(connection)
        tasks.cancel(connection, cancelled.id, now=at(1))
        assert tasks.settle_success(connection, claim_task(connection), ARTIFACT, run_seconds=1, now=at(2))
        tasks.mark_files_deleted(connection, [swept.id])
    StoreOwner(artifacts, record).check()
    assert read_owner(artifacts) == record.id
    record.close()


async def test_a_service_with_another_record_does_not_start_and_deletes_nothing(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        done = await wait_for_status(service, await submit_task(service), "succeeded")
    assert done.artifact is not None
    clip = tmp_path / "files" / done.artifact.path
    wrong = build(tmp_path, database_url=f"sqlite:///{tmp_path / 'vivnat.db'}", timings=Timings(orphan_after=0.001))
    with pytest.raises(Misconfigured, match="another record"):
        await wrong.start()
    await wrong.stop(drain=False)
    shared = build(tmp_path / "b", storage_url=f"file://{tmp_path / 'files'}")
    with pytest.raises(Misconfigured, match="another record"):
        await shared.start()
    await shared.stop(drain=False)
    assert clip.exists()


async def test_an_older_backup_of_the_record_costs_no_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with running_service(tmp_path) as service:
        pass
    shutil.copy(tmp_path / "vivant.db", tmp_path / "backup.db")
    async with running_service(tmp_path) as service:
        done = await wait_for_status(service, await submit_task(service), "succeeded")
    assert done.artifact is not None
    clip = tmp_path / "files" / done.artifact.path
    for name in ("vivant.db", "vivant.db-wal", "vivant.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "backup.db").rename(tmp_path / "vivant.db")
    orphan = new_id()
    Artifacts(f"file://{tmp_path / 'files'}").put(picture_path(orphan, "first"), b"x")
    timings = Timings(orphan_after=0.001, sweep_every=0.1)
    async with running_service(tmp_path, timings=timings):
        await wait_until(lambda: not (tmp_path / "files" / "tasks" / orphan).exists())
        assert clip.exists()
    assert capsys.readouterr().out.count("a clip is kept although") == 1
    record = open_record(tmp_path)
    assert find_unknown_clips(Artifacts(f"file://{tmp_path / 'files'}"), record) == [done.id]
    record.close()


def test_the_marker_says_what_it_is(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    StoreOwner(Artifacts(f"file://{tmp_path / 'files'}"), record).check()
    written = json.loads((tmp_path / "files" / MARKER).read_text())
    assert written["record"] == record.id and "Do not delete" in written["note"]
    record.close()
