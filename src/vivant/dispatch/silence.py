"""How long another process, or an engine, has been silent: counted only while the one that listens ran itself.

A process that was stopped (Ctrl-Z, a frozen container, a machine asleep) hears nobody meanwhile. When it goes on, a
clock alone would say that all others were silent, and healthy workers would be killed.
"""

from __future__ import annotations


class Silence:
    """Seconds since `end` was last called, looked at again and again with `measure`.

    `longest_gap`: seconds that count at most between two looks. Whoever looks every 0.25 s and was away for 40 s was
    stopped. `now`: seconds of one monotonic clock.
    """

    def __init__(self, *, longest_gap: float, now: float) -> None:
        if not longest_gap > 0:
            raise ValueError(f"longest_gap: must be more than 0 seconds, got {longest_gap!r}.")
        self.seconds = 0.0  # at the last look
        self._longest_gap = longest_gap
        self._looked_at = now

    def end(self) -> None:
        """Something was heard."""
        self.seconds = 0.0

    def measure(self, now: float) -> float:
        """Look: the seconds of silence so far."""
        self.seconds += min(max(0.0, now - self._looked_at), self._longest_gap)
        self._looked_at = now
        return self.seconds
