"""SIGINT and SIGTERM, received by a thread of their own: they are noticed while the event loop hangs, too.

The first asks for a stop in good order, which has an end; after the second the process ends within seconds, whatever
hangs. A process that waits for a hung disk ends by itself only if nobody waits for its threads. All threads that this
needs are started at the beginning: later the system may have no room for one.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import structlog

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
LAST_WORDS_WITHIN: Final = 0.5  # seconds for the log line of a forced end and for killing child processes
FORCED: Final = 1  # exit code of a forced end

log = structlog.get_logger(__name__)


class StopSignals:
    """`with` handles the two signals, if one comes also after it; the main thread enters, before others are started.

    `first_within`: seconds from the first signal until the process ends whatever happens; `second_within`: the same
    from the second.
    """

    def __init__(self, *, first_within: float, second_within: float) -> None:
        self._within = (first_within, second_within)
        self._count = 0
        self._closed = False
        self._changed = threading.Condition(threading.RLock())  # a handler may interrupt who holds it
        self._ends_at = math.inf  # by the monotonic clock
        self._said = threading.Event()  # the last words
        self._listener: tuple[asyncio.AbstractEventLoop, Callable[[int], object]] | None = None
        self._last_resort: Callable[[], object] = lambda: None
        self._threads = [
            threading.Thread(target=work, name="stop-signals", daemon=True)
            for work in (self._receive_all, self._say_last_words, self._force_end)
        ]

    def __enter__(self) -> Self:
        # Threads that are started from here on inherit the mask, so that the waiting thread alone gets the signals. The
        # handler is for signals that reach a library's thread which was there before.
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self._handlers = {number: signal.signal(number, lambda *_: self._receive()) for number in SIGNALS}
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener = None
        if self._count:
            return  # the process is about to end: a signal that comes late must not end it with another exit code
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        receiving = self._threads[0]
        assert receiving.ident is not None
        signal.pthread_kill(receiving.ident, signal.SIGTERM)  # wakes it, and nobody else
        for thread in self._threads:
            thread.join()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    @property
    def count(self) -> int:
        """How many signals have come."""
        return self._count

    def attach(
        self, loop: asyncio.AbstractEventLoop, on_signal: Callable[[int], object], last_resort: Callable[[], object]
    ) -> None:
        """Call `on_signal` in the event loop for the first and the second signal, also for those that came already,
        and `last_resort` from a thread before a forced end.
        """
        with self._changed:
            self._listener, self._last_resort = (loop, on_signal), last_resort
            come = self._count
        for number in range(1, min(come, 2) + 1):
            loop.call_soon(on_signal, number)

    def end_within(self, seconds: float) -> None:
        """End the process after so many seconds at the latest, unless it has ended by then."""
        with self._changed:
            self._ends_at = min(self._ends_at, time.monotonic() + seconds)
            self._changed.notify_all()

    def _receive_all(self) -> None:
        while True:
            signal.sigwait(SIGNALS)
            if self._closed:
                return
            self._receive()

    def _receive(self) -> None:
        with self._changed:
            self._count += 1
            count, listener = self._count, self._listener
        if count > 2:
            return
        self.end_within(self._within[count - 1])
        if listener is not None:
            loop, on_signal = listener
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process is about to end
                loop.call_soon_threadsafe(on_signal, count)

    def _wait_for_end(self) -> bool:
        """Wait until the process must end. False: nobody asks for that any more."""
        with self._changed:
            while not self._closed and (left := self._ends_at - time.monotonic()) > 0:
                self._changed.wait(None if left == math.inf else left)
            return not self._closed

    def _say_last_words(self) -> None:
        """In a thread of its own, since this may hang as well."""
        if self._wait_for_end():
            log.error("the process ends although not all of it has stopped")
            self._last_resort()
        self._said.set()

    def _force_end(self) -> None:
        if self._wait_for_end():
            self._said.wait(LAST_WORDS_WITHIN)
            os._exit(FORCED)
