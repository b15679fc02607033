"""Estimates how long a task will take from now: from the time that recent tasks of its engine and size took, and from
the tasks that will run before it. It is shown to callers; nothing is decided by it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from vivant.clock import Clock
from vivant.record import lanes, tasks, usage
from vivant.record.database import Record
from vivant.request import Tier
from vivant.task import Status, Task

DEFAULT_PACE: Final = 15 / 108_900  # seconds per token before anything was measured: 15 s for 5 s at 720p
PROGRESS_COUNTS_FROM: Final = 0.1  # from this fraction on, the task's own pace counts as much as history

Counts = Mapping[tuple[str, str], tuple[int, int]]  # (tier, key) -> (queued, running)


class Eta:
    """Reads history and queue once in `cached_for` seconds at most, however many callers poll."""

    def __init__(self, record: Record, *, workers: int, clock: Clock, cached_for: float) -> None:
        self._record = record
        self._clock = clock
        self._cached_for = cached_for
        self._workers = workers
        self._read_at = -math.inf
        self._paces: dict[str, dict[int, float]] = {}
        self._counts: Counts = {}

    async def estimate(self, task: Task) -> float:
        """Seconds until the task will probably have ended; 0 when it has."""
        if task.status.is_terminal:
            return 0.0
        if self._clock.monotonic() - self._read_at > self._cached_for:
            self._read_at, self._paces = self._clock.monotonic(), {}
            self._counts = await self._record.read(lanes.read_counts)
        if task.engine not in self._paces:
            self._paces[task.engine] = await self._record.read(lambda c: usage.seconds_per_token(c, task.engine))
        run_seconds = estimate_run(task, self._paces[task.engine])
        if task.status is Status.RUNNING and task.started_at is not None:
            elapsed = max(0.0, (self._clock.now() - task.started_at).total_seconds())  # the clock may be set back
            return estimate_remaining(run_seconds, task.progress, elapsed=elapsed)
        ahead_in_lane = await self._record.read(lambda c: tasks.count_ahead(c, task))
        ahead = count_ahead(task, self._counts, ahead_in_lane=ahead_in_lane)
        running = sum(running for _, running in self._counts.values())
        return run_seconds + run_seconds * (ahead + running / 2) / self._workers  # those that run are half done


def estimate_run(task: Task, pace: Mapping[int, float]) -> float:
    """Seconds that a whole run takes, by the pace of tasks of its size, else of all tasks, else a guess.

    pace: tokens of a task (0: of all tasks) -> seconds per token.
    """
    tokens = task.request.canvas.tokens
    return tokens * pace.get(tokens, pace.get(0, DEFAULT_PACE))


def estimate_remaining(expected: float, progress: float, *, elapsed: float) -> float:
    """Seconds left of a run that should take `expected` seconds in all, and of which `progress` (0..1) is done."""
    if progress < PROGRESS_COUNTS_FROM:
        return max(expected - elapsed, expected * 0.1)
    return (1 - progress) * (expected + elapsed / progress) / 2


def count_ahead(task: Task, counts: Counts, *, ahead_in_lane: int) -> int:
    """How many queued tasks run before this one: lanes of a tier take turns, and the default tier goes before flex."""
    tier = task.request.tier
    turns = sum(
        min(queued, ahead_in_lane + 1)
        for (lane_tier, key_id), (queued, _) in counts.items()
        if lane_tier == tier.value and key_id != task.key_id
    )
    online = sum(queued for (lane_tier, _), (queued, _) in counts.items() if lane_tier == Tier.DEFAULT.value)
    return ahead_in_lane + turns + (online if tier is Tier.FLEX else 0)
