"""SIGINT and SIGTERM, received by a thread of their own: they are noticed while the event loop hangs, too.

The first asks for a stop in good order, which has an end; after the second the process ends within seconds, whatever
hangs. A process that waits for a hung disk ends by itself only if nobody waits for its threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
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
        self._counting = threading.Lock()
        self._listener: tuple[asyncio.AbstractEventLoop, Callable[[int], object]] | None = None
        self._last_resort: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._wait, name="stop-signals", daemon=True)

    def __enter__(self) -> Self:
        # Threads that are started from here on inherit the mask, so that the waiting thread alone gets the signals. The
        # handler is for signals that reach a library's thread which was there before.
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self._handlers = {number: signal.signal(number, lambda *_: self._receive()) for number in SIGNALS}
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener = None
        if self._count:
            return  # the process is about to end: a signal that comes late must not end it with another exit code
        self._closed = True
        assert self._thread.ident is not None
        signal.pthread_kill(self._thread.ident, signal.SIGTERM)  # wakes it, and nobody else
        self._thread.join()
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
        with self._counting:
            self._listener, self._last_resort = (loop, on_signal), last_resort
            come = self._count
        for number in range(1, min(come, 2) + 1):
            loop.call_soon(on_signal, number)

    def end_within(self, seconds: float) -> None:
        """End the process after so many seconds, unless it has ended by then."""
        timer = threading.Timer(seconds, self._end_now)
        timer.daemon = True
        timer.start()

    def _wait(self) -> None:
        while True:
            signal.sigwait(SIGNALS)
            if self._closed:
                return
            self._receive()

    def _receive(self) -> None:
        with self._counting:
            self._count += 1
            count, listener = self._count, self._listener
        if count > 2:
            return
        self.end_within(self._within[count - 1])
        if listener is not None:
            loop, on_signal = listener
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process is about to end
                loop.call_soon_threadsafe(on_signal, count)

    def _end_now(self) -> None:
        """End the process. What comes before is tried in a thread, since it may hang as well."""

        def last_words() -> None:
            log.error("the process ends although not all of it has stopped")
            self._last_resort()

        trying = threading.Thread(target=last_words, daemon=True)
        trying.start()
        trying.join(LAST_WORDS_WITHIN)
        os._exit(FORCED)
