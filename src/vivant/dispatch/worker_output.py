"""What a worker process prints, cut into lines for the log. All of it is taken from the process's pipe, however much it
is and however long its lines are, since a process whose pipe is full stands still; only so much of it is kept.
"""

from __future__ import annotations

from typing import Final

LINE_BYTES: Final = 2000  # kept of one line
BURST: Final = 500  # lines that may come at once, enough for a traceback
PER_SECOND: Final = 50.0  # lines in the long run


class WorkerOutput:
    """Bytes in, at most BURST and then PER_SECOND lines a second out; the others are dropped and counted."""

    def __init__(self) -> None:
        self._unfinished = b""
        self._allowed = float(BURST)
        self._at = 0.0
        self._dropped = 0

    def feed(self, data: bytes, *, now: float) -> list[str]:
        """The lines that `data` completes, without blank ones. now: seconds on a monotonic clock.

        A carriage return ends a line too: progress bars write nothing else for hours.
        """
        self._allowed = min(float(BURST), self._allowed + max(0.0, now - self._at) * PER_SECOND)
        self._at = now
        *ended, rest = (self._unfinished + data).replace(b"\r", b"\n").split(b"\n")
        self._unfinished = rest[:LINE_BYTES]
        lines = [line for line in ended if line.strip()]
        kept = lines[: int(self._allowed)]
        self._allowed -= len(kept)
        self._dropped += len(lines) - len(kept)
        return [line[:LINE_BYTES].decode(errors="replace").strip() for line in kept]

    def finish(self, *, now: float) -> list[str]:
        """The last line, if it had no end."""
        return self.feed(b"\n", now=now)

    def take_dropped(self) -> int:
        """How many lines were dropped since the last call, as soon as a line would be kept again; 0 before that."""
        if self._allowed < 1:
            return 0
        dropped, self._dropped = self._dropped, 0
        return dropped
