"""The one source of the present time, passed as an argument, so that a test can pass another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

log = structlog.get_logger()

SMALL_JUMP: Final = 5.0  # seconds; such a step of the system's clock is followed at once, as it harms nothing


class Clock(Protocol):
    def now(self) -> datetime:
        """The wall clock, as an aware UTC time. It can jump when the system's clock is set."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back. For measuring how long something took."""

    def is_settled(self) -> bool:
        """Whether `now` may decide what cannot be undone, as to expire a task or to delete its files."""


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def is_settled(self) -> bool:
        return True


SYSTEM_CLOCK: Final = SystemClock()


def seconds_since_boot() -> float:
    """Seconds of a monotonic clock that also counts while the machine sleeps, where the system has one.

    That is CLOCK_BOOTTIME on Linux and CLOCK_MONOTONIC on macOS, where `time.monotonic` stands still in sleep.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SteadyClock:
    """A wall clock for a service: it goes on steadily when the system's clock jumps, and follows it `follows_after`
    seconds later if it has not jumped back. It is settled when the system's clock has agreed with the monotonic one for
    `settles_after` seconds, so that a machine which starts with a wrong time, or whose time is wrong for a moment, ends
    and deletes nothing. Before it has settled it follows every jump at once. For use from any thread.

    wall, since_boot: seconds since 1970 and seconds of a monotonic clock that counts sleep, for tests.
    """

    def __init__(
        self,
        *,
        settles_after: float,
        follows_after: float,
        wall: Callable[[], float] = time.time,
        since_boot: Callable[[], float] = seconds_since_boot,
    ) -> None:
        self._settles_after = settles_after
        self._follows_after = follows_after
        self._wall = wall
        self._since_boot = since_boot
        self._lock = threading.Lock()
        self._offset = wall() - since_boot()  # of our time from the monotonic clock
        self._agreed_since = since_boot()
        self._jump: tuple[float, float] | None = None  # the other offset that the system's clock has now, since when

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._look(), UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def is_settled(self) -> bool:
        self._look()
        return self._jump is None and self._has_settled()

    def _has_settled(self) -> bool:
        return self._since_boot() - self._agreed_since >= self._settles_after

    def _look(self) -> float:
        """Compare the two clocks and return our time, in seconds since 1970."""
        with self._lock:
            moment = self._since_boot()
            offset = self._wall() - moment
            if abs(offset - self._offset) <= SMALL_JUMP:
                if self._jump is not None:
                    log.warning("the system's clock has jumped back", seconds=round(self._offset - self._jump[0], 1))
                    self._jump = None
                self._offset = offset
            elif not self._has_settled():
                log.warning("the system's clock was set", seconds=round(offset - self._offset, 1))
                self._offset, self._agreed_since, self._jump = offset, moment, None
            elif self._jump is None or abs(offset - self._jump[0]) > SMALL_JUMP:
                log.error(
                    "the system's clock has jumped; it is followed if it stays",
                    seconds=round(offset - self._offset, 1),
                    followed_after_seconds=self._follows_after,
                )
                self._jump = offset, moment
            elif moment - self._jump[1] >= self._follows_after:
                log.warning("the jump of the system's clock is followed", seconds=round(offset - self._offset, 1))
                self._offset, self._jump = offset, None
            return moment + self._offset
