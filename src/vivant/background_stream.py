"""A text stream whose `write` neither blocks nor raises, whatever becomes of the file behind it: a full disk, a pipe
whose reader has ended or does not read, a closed terminal. A thread writes the lines; what it cannot write is counted.
"""

from __future__ import annotations

import io
import os
import queue
import select
import signal
import threading
from collections.abc import Callable
from typing import Final

MAX_WAITING: Final = 2000  # lines that may wait for the thread
MAX_LINE: Final = 16_384  # characters of one line; with MAX_WAITING it bounds the memory that waiting lines take
MAX_UNFINISHED: Final = 65_536  # characters that may wait for the end of their line


class BackgroundStream(io.TextIOBase):
    """Writes whole lines to a file descriptor, in order. `describe_loss` makes the one line that is written when lines
    were lost and writing works again; None for a stream in which such a line would not belong.
    """

    def __init__(
        self, descriptor: int, *, describe_loss: Callable[[int], str] | None = None, max_waiting: int = MAX_WAITING
    ) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.describe_loss = describe_loss
        self._max_waiting = max_waiting
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()  # its put may be called from a destructor
        self._counting = threading.RLock()  # so may ours: a destructor that runs while it is held may print a warning
        self._lost = 0
        self._unfinished = ""
        self._torn = False  # the last write ended within a line
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """How many lines could not be written, and are not told yet."""
        return self._lost

    def put(self, line: str) -> None:
        """Write the line, which has no line break at its end, or drop it and count it when too many wait."""
        if self._waiting.qsize() >= self._max_waiting:
            self._count_lost()
        else:
            self._waiting.put(line if len(line) <= MAX_LINE else line[:MAX_LINE] + "…")

    def finish(self, within: float) -> None:
        """Write what waits, for at most `within` seconds."""
        if self._unfinished:
            self.write("\n")
        self._waiting.put(None)
        self._thread.join(within)

    # -- what `print`, `warnings` and libraries need of a stream ------------------------------------------------------

    def write(self, text: str) -> int:
        """Raises TypeError for anything but text, as every text stream does."""
        if not isinstance(text, str):
            raise TypeError(f"a text stream takes text, not {type(text).__name__}")
        with self._counting:
            *lines, rest = (self._unfinished + text).split("\n")
            if len(rest) > MAX_UNFINISHED:
                lines, rest = [*lines, rest], ""
            self._unfinished = rest
        for line in lines:
            self.put(line)
        return len(text)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Nothing: the thread writes each line as soon as it can."""

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        try:
            return os.isatty(self._descriptor)
        except OSError:
            return False

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typed as an attribute
        return "utf-8"

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))  # not for us
        since_report = 0  # lines written
        while (line := self._waiting.get()) is not None:
            if not self._write_line(line):
                self._count_lost()
                continue
            since_report += 1
            # What was lost is younger than what waits, so it is told after that, or after as many lines under load.
            if self._lost and (self._waiting.empty() or since_report >= self._max_waiting):
                since_report = 0
                self._report_loss()
        if self._lost:
            self._report_loss()

    def _report_loss(self) -> None:
        lost = self._lost
        if self.describe_loss is None or self._write_line(self.describe_loss(lost)):
            with self._counting:
                self._lost -= lost

    def _count_lost(self) -> None:
        with self._counting:
            self._lost += 1

    def _write_line(self, line: str) -> bool:
        """Whether all of it was written. Waits as long as a pipe is full."""
        data = (line + "\n").encode("utf-8", errors="backslashreplace")
        rest = memoryview(b"\n" + data if self._torn else data)
        try:
            while rest:
                try:
                    written = os.write(self._descriptor, rest)
                except BlockingIOError:  # a process that shares the pipe has made it non-blocking
                    self._wait_until_writable()
                    continue
                rest = rest[written:]
                self._torn = bool(rest)
        except OSError:
            return False
        return True

    def _wait_until_writable(self) -> None:
        waiter = select.poll()
        waiter.register(self._descriptor, select.POLLOUT)
        waiter.poll()
