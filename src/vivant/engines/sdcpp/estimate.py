"""How far a job of a server probably is, from how long its last clip took."""

from __future__ import annotations

import time
from typing import Final

MOST: Final = 0.95  # of a job that has not ended


class Estimate:
    """Of one server. Work is counted in pixels of all frames together: twice as many take about twice as long."""

    def __init__(self) -> None:
        self._seconds_per_pixel: float | None = None
        self._work: dict[str, int] = {}
        self._began: dict[str, float] = {}

    def expect(self, job: str, pixels: int) -> None:
        """A job of so many pixels was handed in."""
        self._work = {job: max(1, pixels)}  # one at a time
        self._began = {}

    def tell(self, job: str, now: float | None = None) -> float | None:
        """The share of a job at work that is probably done, 0..MOST; None while nothing is known. now: monotonic
        seconds."""
        moment = time.monotonic() if now is None else now
        began = self._began.setdefault(job, moment)
        if self._seconds_per_pixel is None or job not in self._work:
            return None
        return min(MOST, (moment - began) / (self._seconds_per_pixel * self._work[job]))

    def learn(self, job: str, now: float | None = None) -> None:
        """The job is done."""
        moment = time.monotonic() if now is None else now
        if job in self._began and job in self._work and moment > self._began[job]:
            self._seconds_per_pixel = (moment - self._began[job]) / self._work[job]
