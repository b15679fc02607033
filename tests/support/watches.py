"""Watches to hand to an engine under test."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from vivant.errors import Stopped
from vivant.media import U8


class RecordingWatch:
    """Implements `engines.base.Watch`: writes down what is reported, and asks to stop at the `stop_at`-th check."""

    def __init__(self, stop_at: int | None = None, remembered: Mapping[str, Any] | None = None) -> None:
        self.fractions: list[float] = []
        self.checks = 0
        self.stopped: list[int] = []  # the threads that were told to stop, each as often as it was told
        self.remembered: Mapping[str, Any] = remembered or {}
        self._stop_at = stop_at

    def report(self, fraction: float, preview: U8 | None = None) -> None:
        self.fractions.append(fraction)

    def raise_if_stopping(self) -> None:
        self.checks += 1
        if self._stop_at is not None and self.checks >= self._stop_at:
            self.stopped.append(threading.get_ident())
            raise Stopped

    def remember(self, data: Mapping[str, Any]) -> None:
        self.raise_if_stopping()
        self.remembered = dict(data)
