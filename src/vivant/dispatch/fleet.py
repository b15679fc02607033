"""What a dispatcher needs of workers, wherever they are: on this machine (local.py) or on a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from vivant.dispatch.messages import Job, Outcome


class Listener(Protocol):
    """Hears about a job while it runs."""

    def on_storyboard(self, storyboard: Mapping[str, Any]) -> None: ...

    def on_progress(self, fraction: float) -> None: ...

    async def remember(self, data: Mapping[str, Any]) -> bool:
        """Make `data` durable for the next attempt. False: the job is no longer wanted."""


class Worker(Protocol):
    """A place where one job at a time is done."""

    async def run(self, job: Job, listener: Listener) -> Outcome:
        """Do the job. Never raises for what happens in the worker: that is what `Outcome` says."""

    def stop(self, job: Job) -> None:
        """Ask this job to stop, if it still runs; `run` then returns. A worker that takes more than 2 s is killed."""

    def release(self) -> None:
        """The caller of `acquire_worker` needs the worker no longer. One that died meanwhile was replaced already."""


@dataclass(frozen=True, slots=True)
class FleetHealth:
    """workers: how many there should be; ready: how many live and are set up; error: why some are not, or empty."""

    workers: int
    ready: int
    error: str


class Fleet(Protocol):
    """All workers."""

    async def start(self) -> None:
        """Begin to start workers; returns at once."""

    async def acquire_worker(self) -> Worker:
        """A worker that is ready for a job; waits until there is one. It is the caller's until its `release`."""

    async def stop(self) -> None:
        """End all workers now, whatever they do."""

    def health(self) -> FleetHealth: ...
