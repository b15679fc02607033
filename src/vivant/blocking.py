"""Calls that block, kept off the event loop: each purpose has threads of its own, and every call has a deadline.

A thread that hangs (a disk that stopped, a file store that accepts connections and never answers) cannot be ended. So a
call that misses its deadline is given up: its caller gets an error, its thread stays with it until the call returns,
and only calls of the same purpose have a thread less. While every thread is lost like that, further calls fail at once.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from vivant.errors import LimitReached, VivantError

T = TypeVar("T")


class BlockingCalls:
    """Runs blocking functions of one purpose in at most `threads` daemon threads, which never delay the end of the
    program. `within`: seconds for a call, its wait for a thread included. A call that takes longer raises `late`, an
    error made from a sentence that begins with `what` ("The file store did not answer within 10 s.").

    `each`: how many calls one owner (an API key) may have that wait, run or hang, for calls that hang because of what
    the owner sent; None: as many as there are threads.
    """

    def __init__(
        self, what: str, *, threads: int, within: float, late: Callable[[str], VivantError], each: int | None = None
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads: must be at least 1, got {threads!r}.")
        if each is not None and not 0 < each <= threads:
            raise ValueError(f"each: must be from 1 to the {threads} threads, got {each!r}.")
        if not within > 0:
            raise ValueError(f"within: must be more than 0 seconds, got {within!r}.")
        self._what = what
        self._threads = threads
        self._within = within
        self._late = late
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0  # threads
        self._unfinished = 0  # calls that wait or run
        self._hung = 0  # calls that were given up and still run
        self._each = each
        self._of: Counter[str] = Counter()  # unfinished calls by owner
        self._closed = False

    @property
    def hung(self) -> int:
        """How many calls were given up and have not returned yet; each keeps a thread."""
        return self._hung

    async def run(
        self, function: Callable[..., T], *args: Any, within: float | None = None, owner: str = "", **kwargs: Any
    ) -> T:
        """What `function` returns or raises. Raises `late` at the deadline; then the function may still do its work.

        `within` replaces the deadline of this call. When the caller is cancelled, a call that has begun goes on, too.
        Raises LimitReached when the owner has as many calls unfinished as it may.
        """
        seconds = self._within if within is None else within
        if self._closed:
            raise self._late(f"{self._what} is closed: the program is going down.")
        if self._hung >= self._threads:
            raise self._late(f"{self._what} does not answer: {self._hung} calls hang.")
        future: Future[T] = Future()
        self._count(future, owner)
        context = contextvars.copy_context()  # so that log lines carry the id of the request
        try:
            self._put((future, partial(context.run, function, *args, **kwargs)))
        except RuntimeError as error:  # the system has no room for a thread, and there is none yet
            future.cancel()
            raise self._late(f"{self._what} cannot be called now: {error}.") from error
        try:
            async with asyncio.timeout(seconds) as deadline:
                return await asyncio.shield(asyncio.wrap_future(future))
        except TimeoutError:
            if not deadline.expired():
                raise  # of the function itself
            self._give_up(future)
            raise self._late(f"{self._what} did not answer within {seconds:g} s.") from None
        except asyncio.CancelledError:
            self._give_up(future)
            raise

    def close(self) -> None:
        """Start no further call. Threads end when their call returns; nobody waits for them."""
        with self._lock:
            self._closed = True
            for _ in range(self._started):
                self._calls.put(None)

    def _count(self, future: Future[Any], owner: str) -> None:
        """Count the call as its owner's until it has ended, which may be long after it was given up."""
        if self._each is None:
            return
        with self._lock:
            if self._of[owner] >= self._each:
                raise LimitReached(
                    f"{self._what} works on {self._each} requests of this key; send this one again shortly."
                )
            self._of[owner] += 1

        def forget(_: Future[Any]) -> None:
            with self._lock:
                self._of[owner] -= 1
                if not self._of[owner]:
                    del self._of[owner]  # else every owner ever seen stays in memory

        future.add_done_callback(forget)

    def _put(self, call: tuple[Future[Any], Callable[[], Any]]) -> None:
        """Raises RuntimeError when no thread can be started and none is there to take the call."""
        with self._lock:
            if self._started < min(self._unfinished + 1, self._threads):
                try:
                    threading.Thread(target=self._work, name=self._what, daemon=True).start()
                    self._started += 1
                except RuntimeError:
                    if not self._started:
                        raise
            self._unfinished += 1
            self._calls.put(call)

    def _give_up(self, future: Future[Any]) -> None:
        if future.cancel() or future.done():
            return  # it has not begun, and never will; or it has just ended
        with self._lock:
            self._hung += 1
        future.add_done_callback(self._on_late_return)

    def _on_late_return(self, _: Future[Any]) -> None:
        with self._lock:
            self._hung -= 1

    def _work(self) -> None:
        while True:
            call = self._calls.get()
            if call is None:
                return
            _answer(*call)
            del call  # else the last call's data stays in memory while the thread waits
            with self._lock:
                self._unfinished -= 1


def _answer(future: Future[Any], function: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001  whatever it is, it belongs to the caller
        future.set_exception(for_future(error))
    else:
        future.set_result(result)


def for_future(error: BaseException) -> Exception:
    """The error as a future of a coroutine may hold it: not one that ends an event loop, a task or a generator."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration | StopAsyncIteration):
        return error
    stands_for = RuntimeError(f"A call raised {error!r}.")
    stands_for.__cause__ = error
    return stands_for
