"""Opens the record and runs closures that read or write it. Knows connections and transactions, not what is stored.

SQLite: WAL, FULL durability (an acknowledged task survives a power cut), foreign keys. One thread writes (writer.py);
readers have connections of their own and never wait for it. Other processes may write too, in short transactions.
Every call has a deadline.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError

from vivant.blocking import BlockingCalls
from vivant.errors import Busy, Misconfigured, OutcomeUnknown
from vivant.record import installation, migrate, reserve
from vivant.record.writer import CLOSED, Writer, as_busy, cannot_write
from vivant.timings import DEFAULT_TIMINGS, Timings

__all__ = ["Connection", "Record", "check_record", "sqlite_path"]

T = TypeVar("T")

READERS: Final = 4


class Record:
    """One open record. `id`: see installation.py; `path`: the file, symbolic links resolved.

    A closure given to `read` or `write` gets a connection inside a transaction and returns plain values. When `write`
    returns, the change is durable. `transaction` does the same for programs without an event loop (the command line).
    """

    def __init__(self, url: str, timings: Timings = DEFAULT_TIMINGS, *, reserve_space: bool = False) -> None:
        """Open the record at `url`; create or migrate it when needed. Raises Misconfigured when that is impossible.

        reserve_space: keep space for opening it on a full disk (reserve.py), as a service does.
        """
        self.path = sqlite_path(url)
        self._reserve_space = reserve_space
        self._timings = timings
        self._engine = _engine(self.path, timings.wait_for_lock, begin="BEGIN IMMEDIATE")
        self._reading = _engine(self.path, timings.wait_for_lock, begin="BEGIN", query_only=True)
        try:
            try:
                self.id = self._open()
            except (OSError, DatabaseError):
                if not (reserve_space and reserve.release(self.path)):
                    raise
                self.id = self._open()
        except (OSError, DatabaseError) as error:
            self._dispose()
            reason = error.orig if isinstance(error, DatabaseError) else error
            raise Misconfigured(f"The record {self.path} cannot be opened: {reason}.") from error
        except BaseException:
            self._dispose()
            raise
        if reserve_space:
            reserve.fill(self.path)
        self._reads = BlockingCalls("The record", threads=READERS, within=timings.read_within, late=Busy)
        self._writer: Writer | None = None
        self._closed = False

    def start_writer(self, on_foreign_write: Callable[[], object]) -> None:
        """Start the writing thread, which calls `on_foreign_write` when another process has written, or may have."""
        self._writer = Writer(
            self._connect,
            check_connection=self._check_file,
            on_foreign_write=on_foreign_write,
            check_every=self._timings.foreign_write_check_every,
            hangs_after=self._timings.write_within,
        )

    @property
    def sees_foreign_writes(self) -> bool:
        """Whether `on_foreign_write` can be relied on now: what is kept in memory is then as in the record."""
        return self._writer is not None and self._writer.sees_foreign_writes

    async def write(self, work: Callable[[Connection], T], *, patient: bool = False) -> T:
        """Run `work` in a write transaction; returns after COMMIT.

        Raises Busy when it was not done and will not be: the record cannot be written, or not within
        `Timings.write_within`. Raises OutcomeUnknown when it had begun by then and may still be done; a `patient`
        caller waits for the outcome instead.
        """
        assert self._writer is not None, "start_writer comes first"
        future = self._writer.submit(work)
        within = self._timings.write_within
        try:
            async with asyncio.timeout(None if patient else within) as deadline:
                return await asyncio.shield(asyncio.wrap_future(future))
        except TimeoutError:
            if not deadline.expired():
                raise  # of `work` itself
            if future.cancel():
                raise cannot_write(f"it did not get its turn within {within:g} s") from None
            if future.done():
                return future.result()
            raise OutcomeUnknown(
                f"The record did not answer within {within:g} s. Whether the change was made is not known."
            ) from None
        except asyncio.CancelledError:
            future.cancel()
            raise

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one snapshot of the record. Raises Busy when it cannot be read within `Timings.read_within`."""

        def run() -> T:
            try:
                with self._reading.connect() as connection:
                    return work(connection)
            except DBAPIError as error:
                raise as_busy(error, "read") from error
            except sqlite3.Error as error:  # of the driver's own, when a connection is prepared or given back
                raise Busy(f"The record cannot be read now: {error}.") from error

        if self._closed:
            raise Busy(CLOSED)
        return await self._reads.run(run)

    async def check(self) -> None:
        """Raise Busy unless the record can be written and read now; writes for real."""
        await self.write(installation.write_check)
        await self.read(installation.read_id)

    async def restore_reserve(self) -> None:
        """Make the reserve again if it was used and there is room now."""
        if self._reserve_space and not self._closed:
            await self._reads.run(reserve.fill, self.path)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A short write transaction in the calling thread; waits for other writers, then raises Busy."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise as_busy(error, "written") from error

    def close(self) -> None:
        """Run the closures that wait, then close; `read` and `write` raise Busy from now on. Returns at the latest
        after twice `Timings.record_close_within`, whatever hangs.
        """
        self._closed = True
        if self._writer is not None:
            self._writer.close(within=self._timings.record_close_within)
        self._reads.close()
        closing = threading.Thread(target=self._dispose, name="record-close", daemon=True)  # SQLite writes once more
        closing.start()
        closing.join(self._timings.record_close_within)

    def _open(self) -> str:
        """Create or migrate the record; returns its id."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.touch(mode=0o600)  # connections open it only if it is there: see _engine
        if self.path.stat().st_nlink > 1:
            raise Misconfigured(
                f"The record {self.path} has a second name (a hard link), and SQLite keeps a log for each: remove one."
            )
        self._file = _identify(self.path)
        migrate.upgrade(self._engine)
        with self._reading.connect() as connection:
            return installation.read_id(connection)

    def _dispose(self) -> None:
        self._reading.dispose()
        self._engine.dispose()

    def _connect(self) -> Connection:
        """A connection for the writer, to the file that has our path now. Raises when that is another record."""
        self._dispose()  # connections to a file that was replaced
        self._file = _identify(self.path)
        connection = self._engine.connect()
        try:
            driver: Any = connection.connection.driver_connection  # sqlite3's, which SQLAlchemy does not type
            (found,) = driver.execute("SELECT id FROM installation").fetchone() or ("",)
            self._check_file()
            if found != self.id:
                raise Busy(f"{self.path} is another record now ({found or 'without an id'})")
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_file(self) -> None:
        """Raise Busy when our path does not lead to the file that is open: what is written to that would be lost."""
        if _identify(self.path) != self._file:
            raise Busy(f"{self.path} was replaced")


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
    """The file behind an SQLite URL, symbolic links resolved: SQLite keeps its log beside the name it is given, and our
    lock lies there too, so that one file must have one name. Raises Misconfigured for any other URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Misconfigured(f"VIVANT_DATABASE_URL is not a database URL: {url!r}.") from None
    file = parsed.drivername == "sqlite" and parsed.database and not parsed.host and not parsed.query
    if not file or parsed.database == ":memory:":
        raise Misconfigured("VIVANT_DATABASE_URL must name an SQLite file, like sqlite:////srv/vivant/vivant.db.")
    try:
        return Path(str(parsed.database)).resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        raise Misconfigured(f"VIVANT_DATABASE_URL names a file that cannot be found: {error}.") from None


def _identify(path: Path) -> tuple[int, int]:
    """Which file has this path: device and inode. Raises OSError without one."""
    found = path.stat()
    return found.st_dev, found.st_ino


def _engine(path: Path, wait_for_lock: float, *, begin: str, query_only: bool = False) -> Engine:
    address = f"{path.as_uri()}?mode=rw"  # never create: an empty file in place of a lost record would hide the loss

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=True, timeout=wait_for_lock, check_same_thread=False, isolation_level=None
        )  # isolation_level: sqlite3 starts no transaction by itself; send_begin does
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone leaves data in the drive's cache
            connection.execute("PRAGMA foreign_keys = ON")
            if query_only:
                connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine(f"sqlite:///{path}", creator=connect, pool_size=READERS)

    @event.listens_for(engine, "begin")
    def send_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
