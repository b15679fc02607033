"""Opens the record and runs closures that read or write it. Knows connections and transactions, not what is stored.

SQLite: WAL, FULL durability (an acknowledged task survives a power cut), foreign keys. One thread writes (writer.py);
readers have connections of their own and never wait for it. Other processes may write too, in short transactions.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from vivant.errors import Busy, Misconfigured
from vivant.record import migrate
from vivant.record.writer import Writer, cannot_write
from vivant.timings import DEFAULT_TIMINGS, Timings

__all__ = ["Connection", "Record", "check_record", "sqlite_path"]

T = TypeVar("T")

READERS: Final = 4


class Record:
    """One open record.

    A closure given to `read` or `write` gets a connection inside a transaction and returns plain values. When `write`
    returns, the change is durable. `transaction` does the same for programs without an event loop (the command line).
    """

    def __init__(self, url: str, timings: Timings = DEFAULT_TIMINGS) -> None:
        """Open the record at `url`; create or migrate it when needed. Raises Misconfigured when that is impossible."""
        self.path = sqlite_path(url)
        self._check_every = timings.foreign_write_check_every
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._engine = _engine(url, timings.wait_for_lock, begin="BEGIN IMMEDIATE")
            self._reading = _engine(url, timings.wait_for_lock, begin="BEGIN", query_only=True)
            migrate.upgrade(self._engine)
        except (OSError, DatabaseError) as error:
            reason = error.orig if isinstance(error, DatabaseError) else error
            raise Misconfigured(f"The record {self.path} cannot be opened: {reason}.") from error
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="record-reader")
        self._writer: Writer | None = None
        self._closed = False

    def start_writer(self, on_foreign_write: Callable[[], object]) -> None:
        """Start the writing thread, which calls `on_foreign_write` after another process has written."""
        self._writer = Writer(self._engine, on_foreign_write=on_foreign_write, check_every=self._check_every)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction; returns after COMMIT. Raises Busy when the record cannot be written."""
        assert self._writer is not None, "start_writer comes first"
        return await asyncio.wrap_future(self._writer.submit(work))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one snapshot of the record. Raises Busy when the record cannot be read."""

        def run() -> T:
            try:
                with self._reading.connect() as connection:
                    return work(connection)
            except OperationalError as error:
                raise Busy(f"The record cannot be read now: {error.orig}.") from error

        if self._closed:
            raise Busy("The record is closed: the service is going down.")
        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A short write transaction in the calling thread; waits for other writers, then raises Busy."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise cannot_write(str(error.orig)) from error

    def close(self) -> None:
        """Run the closures that wait, then close; `read` and `write` raise Busy from now on."""
        self._closed = True
        if self._writer is not None:
            self._writer.close()
        self._readers.shutdown()
        self._reading.dispose()
        self._engine.dispose()


def check_record(url: str) -> tuple[bool, str]:
    """Whether the record is intact, and what was found; creates a missing one. For `vivant doctor`."""
    try:
        record = Record(url)
    except Misconfigured as error:
        return False, str(error)
    try:
        with record.transaction() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check").scalar_one()
    except (Busy, DatabaseError) as error:
        return False, str(error)
    finally:
        record.close()
    return found == "ok", f"{record.path}, version {migrate.HEAD}" if found == "ok" else f"{record.path}: {found}"


def sqlite_path(url: str) -> Path:
    """The file behind an SQLite URL. Raises Misconfigured for any other."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Misconfigured(f"VIVANT_DATABASE_URL is not a database URL: {url!r}.") from None
    file = parsed.drivername == "sqlite" and parsed.database and not parsed.host and not parsed.query
    if not file or parsed.database == ":memory:":
        raise Misconfigured("VIVANT_DATABASE_URL must name an SQLite file, like sqlite:////srv/vivant/vivant.db.")
    return Path(str(parsed.database))


def _engine(url: str, wait_for_lock: float, *, begin: str, query_only: bool = False) -> Engine:
    engine = create_engine(url, connect_args={"timeout": wait_for_lock, "check_same_thread": False}, pool_size=READERS)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # sqlite3 starts no transaction by itself; send_begin does
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone leaves data in the drive's cache
        connection.execute("PRAGMA foreign_keys = ON")
        if query_only:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def send_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
