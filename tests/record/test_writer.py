from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from support.records import open_record
from vivant.errors import Busy
from vivant.record.database import Record
from vivant.record.writer import GROUP


def put(name: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(text("INSERT INTO secrets (name, value) VALUES (:name, x'00')"), {"name": name})
        return name

    return work


def names(path: Path) -> set[str]:
    """What another process reads: the committed rows."""
    with sqlite3.connect(path) as other:
        return {name for (name,) in other.execute("SELECT name FROM secrets")}


@pytest.fixture
def writing(tmp_path: Path) -> Any:
    record = open_record(tmp_path)
    record.start_writer(lambda: None)
    yield record
    record.close()


def hold_writer(record: Record) -> tuple[threading.Event, Future[None]]:
    """Keep the writer inside a transaction, so that what is submitted now forms the next group."""
    entered, release = threading.Event(), threading.Event()

    def wait(_: Connection) -> None:
        entered.set()
        release.wait(10)

    assert record._writer is not None
    held = record._writer.submit(wait)
    assert entered.wait(10)
    return release, held


async def test_an_awaited_write_is_committed(writing: Record) -> None:
    assert await writing.write(put("a")) == "a"
    assert names(writing.path) == {"a"}


def test_waiting_closures_share_one_transaction(writing: Record) -> None:
    commits: list[object] = []
    event.listen(writing._engine, "commit", commits.append)
    release, held = hold_writer(writing)
    assert writing._writer is not None
    pieces = [writing._writer.submit(put(f"n{n}")) for n in range(20)]
    release.set()
    assert [piece.result(10) for piece in pieces] == [f"n{n}" for n in range(20)]
    held.result(10)
    assert len(commits) == 2  # the one that was held, and all the others
    assert len(names(writing.path)) == 20


def test_a_group_has_a_largest_size(writing: Record) -> None:
    commits: list[object] = []
    event.listen(writing._engine, "commit", commits.append)
    release, _ = hold_writer(writing)
    assert writing._writer is not None
    pieces = [writing._writer.submit(put(f"n{n}")) for n in range(GROUP + 1)]
    release.set()
    for piece in pieces:
        piece.result(10)
    assert len(commits) == 3


def test_a_closure_that_fails_does_not_affect_its_group(writing: Record) -> None:
    release, _ = hold_writer(writing)

    def half_done(connection: Connection) -> None:
        put("half")(connection)
        raise LookupError("changed my mind")

    assert writing._writer is not None
    before, bad, after = (writing._writer.submit(work) for work in (put("before"), half_done, put("after")))
    release.set()
    assert (before.result(10), after.result(10)) == ("before", "after")
    with pytest.raises(LookupError, match="changed my mind"):
        bad.result(10)
    assert names(writing.path) == {"before", "after"}


async def test_no_future_succeeds_when_the_commit_fails(writing: Record) -> None:
    release, _ = hold_writer(writing)

    def break_the_commit(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")  # SQLite then checks when it commits
        connection.execute(
            text(
                "INSERT INTO usage (task_id, key_id, tier, engine, tokens, run_seconds, settled_at)"
                " VALUES ('no such task', '', '', '', 0, 0, 0)"
            )
        )

    assert writing._writer is not None
    pieces = [writing._writer.submit(work) for work in (put("a"), break_the_commit, put("b"))]
    release.set()
    for piece in pieces:
        assert isinstance(piece.exception(10), Busy)
    assert names(writing.path) == set()
    assert await _written(writing, "later") == "later"


async def _written(record: Record, name: str) -> str:
    return await record.write(put(name))


async def test_a_full_disk_is_busy_and_the_writer_recovers(writing: Record) -> None:
    async def story() -> None:
        await writing.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 60"))
        with pytest.raises(Busy, match="full"):
            await writing.write(fill)
        await writing.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000"))
        await writing.write(put("afterwards"))

    def fill(connection: Connection) -> None:
        connection.execute(text("INSERT INTO secrets (name, value) VALUES ('big', zeroblob(4000000))"))

    await story()
    assert names(writing.path) == {"afterwards"}


def test_a_full_disk_in_one_closure_refuses_the_whole_group_when_sqlite_rolled_it_back(writing: Record) -> None:
    release, _ = hold_writer(writing)

    def rolled_back(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")  # what SQLite does by itself on some I/O errors
        raise OSError("gone")

    assert writing._writer is not None
    first, second, third = (writing._writer.submit(work) for work in (put("one"), rolled_back, put("three")))
    release.set()
    for piece in (first, second, third):
        assert isinstance(piece.exception(10), Busy)
    assert names(writing.path) == set()
    assert writing._writer.submit(put("next")).result(10) == "next"


def test_a_write_cancelled_before_it_began_is_not_done(writing: Record) -> None:
    release, _ = hold_writer(writing)
    assert writing._writer is not None
    unwanted, wanted = writing._writer.submit(put("unwanted")), writing._writer.submit(put("wanted"))
    assert unwanted.cancel()
    release.set()
    wanted.result(10)
    assert names(writing.path) == {"wanted"}


async def test_a_write_waits_for_the_lock_of_another_process(writing: Record) -> None:
    other = sqlite3.connect(writing.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
    assert await _written(writing, "patient") == "patient"
    other.close()


async def test_what_another_process_writes_is_noticed_within_250_ms_and_our_own_writes_are_not(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    noticed = threading.Event()
    record.start_writer(noticed.set)
    await _written(record, "first")
    assert noticed.is_set()  # what was committed before the connection was opened was not seen
    noticed.clear()
    await _written(record, "ours")
    assert not noticed.wait(0.4)
    with sqlite3.connect(record.path) as other:
        other.execute("INSERT INTO secrets VALUES ('theirs', x'00')")
        other.commit()
        assert noticed.wait(0.25)
    other.close()
    record.close()


async def test_closing_runs_what_waits_and_refuses_later_writes(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    record.start_writer(lambda: None)
    assert record._writer is not None
    pieces = [record._writer.submit(put(f"n{n}")) for n in range(50)]
    record.close()
    assert all(piece.result(0) for piece in pieces)

    async def late(ask: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        with pytest.raises(Busy):
            await ask()

    await late(lambda: record.write(put("late")))
    await late(lambda: record.read(lambda c: None))
    assert len(names(record.path)) == 50


async def test_the_record_is_opened_for_durability(writing: Record) -> None:
    def pragmas(connection: Connection) -> list[Any]:
        return [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert await writing.write(pragmas) == ["wal", 2, 1]  # 2 is FULL


async def test_readers_cannot_write(writing: Record) -> None:
    with pytest.raises(Busy, match="readonly"):
        await writing.read(put("x"))
