"""Whatever fails, the writing thread goes on, nobody waits for ever, and no commit of another process is missed."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from support.records import open_record
from vivant.errors import Busy, Misconfigured, OutcomeUnknown
from vivant.record.database import Record
from vivant.timings import Timings

QUICK = Timings(wait_for_lock=0.2, write_within=0.5, read_within=0.5, record_close_within=0.5)


def put(name: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(text("INSERT INTO secrets (name, value) VALUES (:name, x'00')"), {"name": name})
        return name

    return work


def names(path: Path) -> set[str]:
    other = sqlite3.connect(path)
    try:
        return {name for (name,) in other.execute("SELECT name FROM secrets")}
    finally:
        other.close()


async def wait_until_written(record: Record, name: str, *, within: float = 10) -> None:
    """Try until a write succeeds, as callers do that were told Busy."""
    deadline = time.monotonic() + within
    while True:
        try:
            await record.write(put(name))
            return
        except Busy:
            assert time.monotonic() < deadline, "the record is never written again"
            await asyncio.sleep(0.05)


@pytest.fixture
def foreign_writes() -> list[float]:
    return []


@pytest.fixture
def record(tmp_path: Path, foreign_writes: list[float]) -> Iterator[Record]:
    record = Record(f"sqlite:///{tmp_path / 'vivant.db'}", QUICK)
    record.start_writer(lambda: foreign_writes.append(time.monotonic()))
    yield record
    record.close()


def _raise(error: BaseException) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        put("half")(connection)
        raise error

    return work


def _close_driver(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.close()


@pytest.mark.parametrize(
    "work",
    [
        _raise(MemoryError()),
        _raise(KeyboardInterrupt()),
        _raise(SystemExit(3)),
        _raise(GeneratorExit()),
        _raise(asyncio.CancelledError()),
        _raise(StopIteration()),
        _raise(sqlite3.ProgrammingError("as the driver raises it")),
        _raise(sqlite3.DatabaseError("as the driver raises it")),
        _close_driver,
    ],
    ids=["memory", "interrupt", "exit", "generator", "cancelled", "stop", "programming", "driver", "closed"],
)
async def test_whatever_a_closure_raises_reaches_its_submitter_and_ends_nothing(
    record: Record, work: Callable[[Connection], None]
) -> None:
    with pytest.raises(Exception):  # noqa: B017  each kind has its own; that it is an ordinary exception matters
        await asyncio.wait_for(record.write(work), 5)
    await wait_until_written(record, "afterwards")
    assert names(record.path) == {"afterwards"}


async def test_a_damaged_file_is_busy_until_it_is_mended(record: Record) -> None:
    await record.write(put("before"))
    other = sqlite3.connect(record.path)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    good = record.path.read_bytes()[:100]
    with record.path.open("r+b") as file:
        file.write(b"\xff" * 100)
    await asyncio.sleep(0.5)  # the writer looks for foreign writes and finds the damage
    with pytest.raises(Busy):
        await record.write(put("damaged"))
    with pytest.raises(Busy):
        await record.check()
    with record.path.open("r+b") as file:
        file.write(good)
    await wait_until_written(record, "mended")
    assert await record.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM secrets").scalar_one()) == 2
    await record.check()


async def test_a_file_that_is_moved_away_is_noticed_and_not_replaced_by_an_empty_one(record: Record) -> None:
    await record.write(put("before"))
    away = record.path.with_name("away.db")
    record.path.rename(away)
    with pytest.raises(Busy):
        await record.write(put("lost"))
    await asyncio.sleep(0.3)
    assert not record.path.exists()
    with pytest.raises(Busy):
        await record.check()
    away.rename(record.path)
    await wait_until_written(record, "after")
    assert names(record.path) == {"before", "after"}


async def test_another_record_under_the_same_name_is_not_written(record: Record, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    open_record(tmp_path / "elsewhere").close()
    await record.write(put("ours"))
    (tmp_path / "elsewhere" / "vivant.db").replace(record.path)
    for suffix in ("-wal", "-shm"):
        record.path.with_name(record.path.name + suffix).unlink()
    with pytest.raises(Busy):
        await record.write(put("x"))
    with pytest.raises(Busy, match="another record"):
        await record.write(put("x"))
    assert names(record.path) == set()


async def test_a_backup_of_the_same_record_is_taken_up(
    record: Record, tmp_path: Path, foreign_writes: list[float]
) -> None:
    await record.write(put("early"))
    other = sqlite3.connect(record.path)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(record.path, tmp_path / "backup.db")
    other.close()
    await record.write(put("late"))
    told = len(foreign_writes)
    (tmp_path / "backup.db").replace(record.path)
    for suffix in ("-wal", "-shm"):
        record.path.with_name(record.path.name + suffix).unlink()
    await wait_until_written(record, "after")
    assert names(record.path) == {"early", "after"}
    assert len(foreign_writes) > told
    assert await record.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM secrets").scalar_one()) == 2


async def test_what_was_committed_while_the_writer_reconnected_is_announced(
    record: Record, foreign_writes: list[float]
) -> None:
    await record.write(put("before"))
    other = sqlite3.connect(record.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy, match="locked"):
        await record.write(put("x"))
    other.execute("INSERT INTO secrets VALUES ('theirs', x'00')")
    committed = time.monotonic()
    other.execute("COMMIT")
    other.close()
    await asyncio.sleep(0.5)
    assert max(foreign_writes) >= committed


async def test_a_write_that_did_not_begin_in_time_never_happens(record: Record) -> None:
    release = threading.Event()
    assert record._writer is not None
    held = record._writer.submit(lambda _: release.wait(10))
    with pytest.raises(Busy) as refused:
        await record.write(put("late"))
    assert not isinstance(refused.value, OutcomeUnknown)
    await asyncio.sleep(0.3)
    with pytest.raises(Busy, match="has not returned"):  # and what comes after is refused at once
        await asyncio.wait_for(record.write(put("later")), 0.3)
    assert not record.sees_foreign_writes
    release.set()
    held.result(10)
    await wait_until_written(record, "after")
    assert names(record.path) == {"after"}


async def test_a_write_that_had_begun_when_it_was_given_up_has_an_unknown_outcome(record: Record) -> None:
    release = threading.Event()

    def slow(connection: Connection) -> None:
        put("slow")(connection)
        release.wait(10)

    with pytest.raises(OutcomeUnknown, match="not known"):
        await record.write(slow)
    release.set()
    await wait_until_written(record, "after")
    assert names(record.path) == {"slow", "after"}


async def test_a_patient_caller_waits_for_the_outcome(record: Record) -> None:
    def slow(connection: Connection) -> str:
        time.sleep(1.0)
        return put("slow")(connection)

    assert await record.write(slow, patient=True) == "slow"


async def test_a_read_that_hangs_is_given_up(record: Record) -> None:
    release = threading.Event()
    with pytest.raises(Busy, match=r"did not answer within 0\.5 s"):
        await record.read(lambda _: release.wait(10))
    release.set()
    assert await record.read(lambda _: 7) == 7


def test_closing_a_record_whose_writer_hangs_is_bounded(tmp_path: Path) -> None:
    record = Record(f"sqlite:///{tmp_path / 'vivant.db'}", QUICK)
    record.start_writer(lambda: None)
    release = threading.Event()
    assert record._writer is not None
    record._writer.submit(lambda _: release.wait(20))
    time.sleep(0.1)
    waiting = record._writer.submit(put("x"))
    began = time.monotonic()
    record.close()
    assert time.monotonic() - began < 5
    assert isinstance(waiting.exception(0), Busy)
    release.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_dead_writer_is_replaced_by_the_next_write(record: Record) -> None:
    """The thread is ended from within, by replacing what it calls in its loop."""
    assert record._writer is not None
    await record.write(put("before"))

    class Dead(BaseException):
        pass

    def die(*_: object) -> None:
        raise Dead

    writer: Any = record._writer
    take, fail = writer._take_group, writer._fail_group
    writer._take_group = writer._fail_group = die
    writer._thread.join(5)
    assert not writer.alive and not record.sees_foreign_writes
    writer._take_group, writer._fail_group = take, fail
    await wait_until_written(record, "after")
    assert names(record.path) == {"before", "after"}


async def test_a_listener_that_raises_ends_nothing(tmp_path: Path) -> None:
    def listener() -> None:
        raise RuntimeError("Event loop is closed")

    record = Record(f"sqlite:///{tmp_path / 'vivant.db'}")
    record.start_writer(listener)
    assert await record.write(put("a")) == "a"
    other = sqlite3.connect(record.path)
    other.execute("INSERT INTO secrets VALUES ('theirs', x'00')")
    other.commit()
    other.close()
    await asyncio.sleep(0.3)
    assert await record.write(put("b")) == "b"
    record.close()


def test_a_symbolic_link_leads_to_the_same_path(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(record.path)
    through = Record(f"sqlite:///{link}")
    assert (through.path, through.id) == (record.path, record.id)
    assert [path.name for path in link.parent.iterdir()] == ["link.db"]
    through.close()
    record.close()


def test_a_record_with_two_names_is_refused(tmp_path: Path) -> None:
    open_record(tmp_path).close()
    (tmp_path / "second.db").hardlink_to(tmp_path / "vivant.db")
    with pytest.raises(Misconfigured, match="hard link"):
        open_record(tmp_path)
