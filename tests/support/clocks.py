"""A clock that tests can set forward."""

from __future__ import annotations

from datetime import datetime, timedelta

from vivant.clock import SYSTEM_CLOCK


class AdjustableClock:
    """The clocks of this machine, ahead by as many seconds as a test has advanced them."""

    def __init__(self) -> None:
        self._ahead = 0.0  # seconds

    def advance(self, seconds: float) -> None:
        self._ahead += seconds

    def now(self) -> datetime:
        return SYSTEM_CLOCK.now() + timedelta(seconds=self._ahead)

    def is_settled(self) -> bool:
        return True

    def monotonic(self) -> float:
        return SYSTEM_CLOCK.monotonic() + self._ahead
