"""The interface between a dispatcher and its workers, on this machine (local.py) or on a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from vivant.dispatch.messages import Job, Outcome


class Listener(Protocol):
    """Is told about a job while it runs."""

    def on_storyboard(self, storyboard: Mapping[str, Any]) -> None: ...

    def on_progress(self, fraction: float) -> None: ...

    async def remember(self, data: Mapping[str, Any]) -> bool:
        """Make `data` durable for the next attempt. False: the task is no longer ours, and the job shall stop."""


class Worker(Protocol):
    """Does one job at a time."""

    async def run(self, job: Job, listener: Listener) -> Outcome:
        """Do the job. Failures of the job and of the worker are returned as an `Outcome`, never raised."""

    def stop(self, job: Job) -> None:
        """Ask this job to stop, if it still runs; `run` then returns. A worker that does not stop in time is killed."""

    def release(self) -> None:
        """Give the worker back to its fleet, for the next `acquire_worker`. One that has died is replaced instead."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The workers of one engine: how many, and the settings of the engine's own."""

    engine: str
    workers: int
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # may hold a key

    def __post_init__(self) -> None:
        if not self.engine or self.workers < 1:
            raise ValueError(f"A pool has an engine and at least one worker, got {self.engine!r} and {self.workers}.")


@dataclass(frozen=True, slots=True)
class FleetHealth:
    """workers: how many there should be; ready: how many are set up and answer; error: why one is not, or empty."""

    workers: int
    ready: int
    error: str


class Fleet(Protocol):
    """All workers of a dispatcher, in one pool for each engine. engines: their names."""

    engines: tuple[str, ...]

    async def start(self) -> None:
        """Begin to start the workers; returns before they are ready."""

    async def acquire_worker(self, engine: str) -> Worker:
        """A worker of this engine that is ready for a job; waits until there is one. No one else gets it until its
        `release`."""

    async def stop(self) -> None:
        """Kill all workers now, also those at work. Returns within a bounded time."""

    def kill_processes(self) -> None:
        """The last resort when the program must end and its event loop may hang. Any thread may call this."""

    def check_scratch(self) -> None:
        """Raise ScratchFailed unless workers can write temporary files; make a missing folder. Blocks."""

    def health(self, engine: str | None = None) -> FleetHealth:
        """Of all workers, or of those of this engine."""
