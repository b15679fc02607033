"""Pauses between the tries of something that keeps failing: each longer than the one before, up to the last."""

from __future__ import annotations

from collections.abc import Sequence


class Backoff:
    """`pauses`: seconds, at least one; the last is repeated for as long as it fails."""

    def __init__(self, pauses: Sequence[float]) -> None:
        if not pauses:
            raise ValueError("pauses: there must be at least one.")
        self._pauses = pauses
        self._failures = 0

    def fail(self) -> float:
        """It failed once more. Returns the seconds to wait before the next try."""
        pause = self._pauses[min(self._failures, len(self._pauses) - 1)]
        self._failures += 1
        return pause

    def reset(self) -> None:
        """It worked: the next failure is the first again."""
        self._failures = 0
