"""The one thread that writes to SQLite. All closures that wait are run in one transaction with one sync to disk (group
commit), each under a savepoint of its own, and no future is resolved before COMMIT has returned.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from vivant.errors import Busy

T = TypeVar("T")
Work = tuple[Callable[[Connection], Any], "Future[Any]"]

GROUP: Final = 128  # closures per transaction at most, which bounds how long the first of them waits

log = structlog.get_logger()


class Writer:
    """Runs closures in write transactions, in the order in which they were submitted.

    `on_foreign_write` is called from the writer's thread after another process committed; when nothing is written here,
    that is noticed within `check_every` seconds.
    """

    def __init__(self, engine: Engine, *, on_foreign_write: Callable[[], object], check_every: float) -> None:
        self._engine = engine
        self._on_foreign_write = on_foreign_write
        self._check_every = check_every
        self._waiting: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="record-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """A future of what `work` returns, resolved once that is durable; Busy when the record cannot be written."""
        future: Future[T] = Future()
        if self._closed:
            future.set_exception(Busy("The record is closed: the service is going down."))
        else:
            self._waiting.put((work, future))
        return future

    def close(self) -> None:
        """Run the closures that wait, then end the thread."""
        self._closed = True
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection: Connection | None = None
        seen = 0  # the data version last reported to on_foreign_write
        closing = False
        while not closing:
            group, closing = self._next_group()
            try:
                if connection is None:
                    connection = self._engine.connect()
                    seen = _data_version(connection)
                if group:
                    _write(connection, group)
                version = _data_version(connection)
            except (DBAPIError, _TransactionLost) as error:
                _fail_group(group, error)
                if connection is not None:
                    connection.invalidate()
                    connection.close()
                    connection = None
                continue
            if version != seen:
                seen = version
                self._on_foreign_write()
        if connection is not None:
            connection.close()

    def _next_group(self) -> tuple[list[Work], bool]:
        """At most GROUP waiting closures (none after `check_every` seconds), and whether `close` was called."""
        group: list[Work] = []
        try:
            item = self._waiting.get(timeout=self._check_every)
            while item is not None:
                group.append(item)
                if len(group) == GROUP:
                    return group, False
                item = self._waiting.get_nowait()
        except queue.Empty:
            return group, False
        return group, True


class _TransactionLost(Exception):
    """SQLite rolled back the whole transaction (disk full, I/O error), not only the failed statement."""


def _write(connection: Connection, group: list[Work]) -> None:
    """Run the group in one transaction. Raises when the transaction as a whole fails; then nothing is written."""
    done: list[tuple[Future[Any], Any]] = []
    with connection.begin():
        for work, future in group:
            if not future.set_running_or_notify_cancel():
                continue
            savepoint = connection.begin_nested()
            try:
                result = work(connection)
                savepoint.commit()
            except Exception as error:  # the closure failed: its submitter gets the error
                if not _in_transaction(connection):
                    raise _TransactionLost(_reason(error)) from error
                savepoint.rollback()
                future.set_exception(_as_busy(error))
            else:
                done.append((future, result))
        if not _in_transaction(connection):
            raise _TransactionLost("the transaction ended early")
    for future, result in done:
        future.set_result(result)


def _fail_group(group: list[Work], error: Exception) -> None:
    reason = _reason(error)
    log.error("the record cannot be written", reason=reason, closures=len(group))
    for _, future in group:
        if not future.done() and (future.running() or future.set_running_or_notify_cancel()):
            future.set_exception(cannot_write(reason))


def _as_busy(error: Exception) -> Exception:
    """Busy for an operational error (disk full, locked, file gone), which may pass; any other error as it is."""
    return cannot_write(str(error.orig)) if isinstance(error, OperationalError) else error


def _reason(error: Exception) -> str:
    """The database's own message, without the statement and its values, which may be private and must not be logged."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


def cannot_write(reason: str) -> Busy:
    return Busy(f"The record cannot be written now: {reason}.")


def _in_transaction(connection: Connection) -> bool:
    driver: Any = connection.connection.driver_connection  # sqlite3's, which SQLAlchemy does not type
    return bool(driver.in_transaction)


def _data_version(connection: Connection) -> int:
    """SQLite's PRAGMA data_version: it changes exactly when another connection commits."""
    driver: Any = connection.connection.driver_connection  # sqlite3's, which SQLAlchemy does not type
    version: int = driver.execute("PRAGMA data_version").fetchone()[0]
    return version
