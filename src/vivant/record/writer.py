"""The one thread that writes to SQLite. Whatever waits is written together in one transaction with one sync to disk
(group commit), each piece under a savepoint of its own, and nobody hears of success before COMMIT has returned.
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

GROUP: Final = 128  # pieces per transaction at most, so that the first of them need not wait long

log = structlog.get_logger()


class Writer:
    """Runs closures in write transactions, in the order they were given.

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
        """The future holds what `work` returned, once that is durable. Busy: the record could not be written."""
        future: Future[T] = Future()
        if self._closed:
            future.set_exception(Busy("The record is closed: the service is going down."))
        else:
            self._waiting.put((work, future))
        return future

    def close(self) -> None:
        """Write what waits, then end."""
        self._closed = True
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection: Connection | None = None
        seen = 0  # the data version that our callers know of
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
        """What waits, at most GROUP pieces (perhaps none, after `check_every` seconds); and whether this is the end."""
        group: list[Work] = []
        try:
            piece = self._waiting.get(timeout=self._check_every)
            while piece is not None:
                group.append(piece)
                if len(group) == GROUP:
                    return group, False
                piece = self._waiting.get_nowait()
        except queue.Empty:
            return group, False
        return group, True


class _TransactionLost(Exception):
    """SQLite gave up the whole transaction (disk full, I/O error), not only the statement that failed."""


def _write(connection: Connection, group: list[Work]) -> None:
    """One transaction for the whole group. When it fails as a whole this raises, and nothing of it holds."""
    done: list[tuple[Future[Any], Any]] = []
    with connection.begin():
        for work, future in group:
            if not future.set_running_or_notify_cancel():
                continue
            savepoint = connection.begin_nested()
            try:
                result = work(connection)
                savepoint.commit()
            except Exception as error:  # it belongs to whoever gave us the closure
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
    log.error("the record cannot be written", reason=reason, pieces=len(group))
    for _, future in group:
        if not future.done() and (future.running() or future.set_running_or_notify_cancel()):
            future.set_exception(cannot_write(reason))


def _as_busy(error: Exception) -> Exception:
    """A disk that is full, a lock that is held, a file that vanished: reasons to try again later, not bugs."""
    return cannot_write(str(error.orig)) if isinstance(error, OperationalError) else error


def _reason(error: Exception) -> str:
    """What the database said, without the statement and its values: those belong to callers, not into a log."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


def cannot_write(reason: str) -> Busy:
    return Busy(f"The record cannot be written now: {reason}.")


def _in_transaction(connection: Connection) -> bool:
    return bool(connection.connection.driver_connection.in_transaction)  # type: ignore[union-attr]


def _data_version(connection: Connection) -> int:
    """A number that changes exactly when another connection commits (SQLite's PRAGMA data_version)."""
    version: int = connection.connection.driver_connection.execute("PRAGMA data_version").fetchone()[0]  # type: ignore[union-attr]
    return version
