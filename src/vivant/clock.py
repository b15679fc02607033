"""The one source of the present time, passed as an argument, so that a test can pass another."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final, Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The wall clock, as an aware UTC time. It can jump when the system's clock is set."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back. For measuring how long something took."""


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


SYSTEM_CLOCK: Final = SystemClock()
