"""What a dispatcher needs of seats, wherever they are: on this machine (local.py) or on a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from vivant.dispatch.messages import Job, Outcome


class Listener(Protocol):
    """Hears about a job while it runs."""

    def planned(self, storyboard: Mapping[str, Any]) -> None: ...

    def reported(self, fraction: float) -> None: ...

    async def remember(self, data: Mapping[str, Any]) -> bool:
        """Make `data` durable for the next attempt. False: the job is no longer wanted."""


class Seat(Protocol):
    """A place where one job at a time is done."""

    async def run(self, job: Job, listener: Listener) -> Outcome:
        """Do the job. Never raises for what happens in the seat: that is what `Outcome` says."""

    def stop(self, job: Job) -> None:
        """Ask this job to stop, if it still runs; `run` then returns. A seat that takes more than 2 s is killed."""

    def release(self) -> None:
        """The caller of `free_seat` needs the seat no longer. One that died meanwhile was replaced already."""


@dataclass(frozen=True, slots=True)
class FleetHealth:
    """seats: how many there should be; ready: how many live and are set up; trouble: why some are not, or empty."""

    seats: int
    ready: int
    trouble: str


class Fleet(Protocol):
    """All seats."""

    async def start(self) -> None:
        """Begin to start seats; returns at once."""

    async def free_seat(self) -> Seat:
        """A seat that is ready for a job; waits until there is one. It is the caller's until its `release`."""

    async def stop(self) -> None:
        """End all seats now, whatever they do."""

    def health(self) -> FleetHealth: ...
