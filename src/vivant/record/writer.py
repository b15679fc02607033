"""The one thread that writes to SQLite. All closures that wait are run in one transaction with one sync to disk (group
commit), each under a savepoint of its own, and no future is resolved before COMMIT has returned.

Nothing ends the thread: whatever fails, in a closure, in SQLite or here, the closures of the group get an error and the
next group gets a new connection. If the thread should die or hang all the same, `submit` refuses at once, and starts
another thread in place of a dead one.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from vivant.blocking import for_future
from vivant.errors import Busy, OutcomeUnknown

T = TypeVar("T")
Work = tuple[Callable[[Connection], Any], "Future[Any]"]

GROUP: Final = 128  # closures per transaction at most, which bounds how long the first of them waits
CLOSED: Final = "The record is closed: the service is going down."

log = structlog.get_logger()


class Writer:
    """Runs closures in write transactions, in the order in which they were submitted.

    connect: opens a connection, or raises. check_connection: raises when a connection must not be used any more.
    on_foreign_write: called from the writer's thread after another process committed, and after every connect, since
    commits before it were not seen; when nothing is written here, that is noticed within `check_every` seconds.
    hangs_after: seconds after which a group that still runs counts as hung.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        check_connection: Callable[[], None],
        on_foreign_write: Callable[[], object],
        check_every: float,
        hangs_after: float,
    ) -> None:
        self._connect = connect
        self._check_connection = check_connection
        self._on_foreign_write = on_foreign_write
        self._check_every = check_every
        self._hangs_after = hangs_after
        self._waiting: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._group: list[Work] = []  # taken from the queue and not finished
        self._group_since: float | None = None  # when the thread began with the group; None while it waits for one
        self._committed = False  # whether the group's transaction was
        self._looked_at = 0.0  # when it was last known that no other process had written
        self._failing = ""  # why nothing can be written, as last logged
        self._closed = False
        self._lock = threading.Lock()  # for the start of threads
        self._thread = self._start_thread()

    @property
    def alive(self) -> bool:
        """Whether the thread runs and does not hang."""
        since = self._group_since
        return self._thread.is_alive() and (since is None or time.monotonic() - since < self._hangs_after)

    @property
    def sees_foreign_writes(self) -> bool:
        """Whether a commit of another process would have been noticed by now, give or take a second."""
        return self.alive and time.monotonic() - self._looked_at < self._check_every + 1

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """A future of what `work` returns, resolved once that is durable; Busy when the record cannot be written."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                future.set_exception(Busy(CLOSED))
                return future
            if not self._thread.is_alive():
                try:
                    self._thread = self._start_thread()
                except RuntimeError as error:  # the system has no room for another thread
                    future.set_exception(cannot_write(str(error)))
                    return future
            if not self.alive:
                future.set_exception(cannot_write(f"a write has not returned for {self._hangs_after:g} s"))
                return future
            self._waiting.put((work, future))
        return future

    def close(self, *, within: float) -> None:
        """Run the closures that wait, then end the thread. What has not begun after `within` seconds is refused."""
        with self._lock:
            self._closed = True
            self._waiting.put(None)
        self._thread.join(within)
        while not self._waiting.empty():
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:  # the thread took it
                break
            if item is not None and item[1].set_running_or_notify_cancel():
                item[1].set_exception(Busy(CLOSED))

    def _start_thread(self) -> threading.Thread:
        self._group_since = None
        thread = threading.Thread(target=self._run, name="record-writer", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        connection: Connection | None = None
        seen = 0  # the data version last reported to on_foreign_write
        closing = False
        self._fail_group("the writing thread died")  # what a thread before this one had begun
        while not closing:
            try:
                closing = self._take_group()
                self._group_since = time.monotonic()
                if connection is not None:
                    self._check_connection()
                else:
                    connection = self._connect()
                    seen = _data_version(connection)
                    self._announce()
                if self._group:
                    self._write(connection)
                version = _data_version(connection)
            except BaseException as error:  # noqa: BLE001  nothing may end this thread; the closures get the error
                reason = _reason(error)
                self._fail_group(reason)
                _drop(connection)
                connection = None
                self._report(reason)
                closing = closing or (self._closed and self._waiting.empty())
            else:
                self._report("")
                self._looked_at = time.monotonic()
                if version != seen:
                    seen = version
                    self._announce()
            self._group_since = None
        _drop(connection)

    def _take_group(self) -> bool:
        """Take at most GROUP waiting closures (none after `check_every` seconds). True: `close` was called."""
        try:
            item = self._waiting.get(timeout=self._check_every)
            while item is not None:
                self._group.append(item)
                if len(self._group) == GROUP:
                    return False
                item = self._waiting.get_nowait()
        except queue.Empty:
            return False
        return True

    def _write(self, connection: Connection) -> None:
        """Run the group in one transaction. Raises when the transaction as a whole fails; then nothing is written."""
        done: list[tuple[Future[Any], Any]] = []
        with connection.begin():
            for work, future in self._group:
                if not future.set_running_or_notify_cancel():
                    continue
                savepoint = connection.begin_nested()
                try:
                    result = work(connection)
                    savepoint.commit()
                except BaseException as error:
                    if not _in_transaction(connection):
                        raise _TransactionLost(_reason(error)) from error
                    savepoint.rollback()
                    future.set_exception(_for_submitter(error))
                else:
                    done.append((future, result))
            if not _in_transaction(connection):
                raise _TransactionLost("the transaction ended early")
        self._committed = True
        for future, result in done:
            future.set_result(result)
        self._group, self._committed = [], False

    def _fail_group(self, reason: str) -> None:
        error = OutcomeUnknown() if self._committed else cannot_write(reason)
        for _, future in self._group:
            try:
                if not future.done() and (future.running() or future.set_running_or_notify_cancel()):
                    future.set_exception(error)
            except InvalidStateError:  # its submitter cancelled it just now
                continue
        self._group, self._committed = [], False

    def _announce(self) -> None:
        try:
            self._on_foreign_write()
        except Exception:  # the listener's loop may be closed; what was written is written
            log.exception("nobody could be told that another process has written")

    def _report(self, reason: str) -> None:
        """Log when writing begins to fail, and when it works again; after every future was resolved."""
        if reason == self._failing:
            return
        self._failing = reason
        try:
            if reason:
                log.error("the record cannot be written", reason=reason)
            else:
                log.info("the record can be written again")
        except Exception:  # noqa: BLE001, S110  there is nobody left to tell
            pass


class _TransactionLost(Exception):
    """SQLite rolled back the whole transaction (disk full, I/O error), not only the failed statement."""


def as_busy(error: DBAPIError, doing: str) -> Exception:
    """Busy if the database failed (disk full, locked, damaged, gone), which may pass; a defect of ours as it is.

    doing: "written" or "read".
    """
    ours = isinstance(error, IntegrityError | DataError | ProgrammingError | NotSupportedError)
    if isinstance(error, DatabaseError) and not ours:
        return Busy(f"The record cannot be {doing} now: {error.orig}.")
    return error


def cannot_write(reason: str) -> Busy:
    return Busy(f"The record cannot be written now: {reason}.")


def _for_submitter(error: BaseException) -> Exception:
    return as_busy(error, "written") if isinstance(error, DBAPIError) else for_future(error)


def _reason(error: BaseException) -> str:
    """The database's own message, without the statement and its values, which may be private and must not be logged."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error) or type(error).__name__


def _drop(connection: Connection | None) -> None:
    """Close a connection that may be broken in any way."""
    if connection is None:
        return
    for end in (connection.invalidate, connection.close):
        try:
            end()
        except Exception:  # noqa: BLE001  it is not used again, whatever it says
            continue


def _in_transaction(connection: Connection) -> bool:
    driver: Any = connection.connection.driver_connection  # sqlite3's, which SQLAlchemy does not type
    return bool(driver.in_transaction)


def _data_version(connection: Connection) -> int:
    """SQLite's PRAGMA data_version: it changes exactly when another connection commits."""
    driver: Any = connection.connection.driver_connection  # sqlite3's, which SQLAlchemy does not type
    version: int = driver.execute("PRAGMA data_version").fetchone()[0]
    return version
