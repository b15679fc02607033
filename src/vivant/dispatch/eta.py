"""Estimates how long a task will take from now: from the time that recent tasks of its engine and size took, from the
sizes of the tasks that will run before it, and from the workers that are ready. It is shown to callers; nothing is
decided by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from vivant.clock import Clock
from vivant.record import lanes, tasks, usage
from vivant.record.database import Record
from vivant.request import Tier
from vivant.task import Status, Task

DEFAULT_PACE: Final = 15 / 108_900  # seconds per token before anything was measured: 15 s for 5 s at 720p
NO_WORKER_FOR: Final = 30.0  # seconds until a worker is ready, at least, while none is
LATE_BY: Final = 0.25  # of the time so far: what has taken longer than expected will probably take longer still
PROGRESS_COUNTS_FROM: Final = 0.1  # from this fraction on, the task's own pace counts as much as history

Counts = Mapping[tuple[str, str], lanes.Counts]  # (tier, key) -> what waits and runs


class Eta:
    """Reads history and queue once in `cached_for` seconds at most, however many callers poll.

    count_ready: how many workers of an engine are set up now, at work or not.
    """

    def __init__(self, record: Record, *, count_ready: Callable[[str], int], clock: Clock, cached_for: float) -> None:
        self._record = record
        self._clock = clock
        self._cached_for = cached_for
        self._count_ready = count_ready
        self._made_at = clock.monotonic()
        self._ready_at: dict[str, float] = {}  # when a worker of the engine was last seen ready
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
        paces = self._paces  # another call may begin anew with an empty one while this call waits
        if task.engine not in paces:
            paces[task.engine] = await self._record.read(lambda c: usage.seconds_per_token(c, task.engine))
        pace = paces[task.engine]
        run_seconds = estimate_run(task, pace)
        if task.status is Status.RUNNING and task.started_at is not None:
            elapsed = max(0.0, (self._clock.now() - task.started_at).total_seconds())  # the clock may be set back
            return estimate_remaining(run_seconds, task.progress, elapsed=elapsed)
        in_lane = await self._record.read(lambda c: tasks.count_tokens_ahead(c, task))
        ready, wait = self._count_ready(task.engine), 0.0
        if ready:
            self._ready_at[task.engine] = self._clock.monotonic()
        else:  # how long it will still take is unknown; what has taken long may take as long again
            ready_at = self._ready_at.get(task.engine, self._made_at)
            ready, wait = 1, max(NO_WORKER_FOR, self._clock.monotonic() - ready_at)
        tokens = count_tokens_ahead(task, self._counts, in_lane=in_lane, workers=ready)
        return wait + run_seconds + tokens * pace.get(0, DEFAULT_PACE) / ready


def estimate_run(task: Task, pace: Mapping[int, float]) -> float:
    """Seconds that a whole run takes, by the pace of tasks of its size, else of all tasks, else a guess.

    pace: tokens of a task (0: of all tasks) -> seconds per token.
    """
    tokens = task.request.canvas.tokens
    return tokens * pace.get(tokens, pace.get(0, DEFAULT_PACE))


def estimate_remaining(expected: float, progress: float, *, elapsed: float) -> float:
    """Seconds left of a run that should take `expected` seconds in all, and of which `progress` (0..1) is done."""
    if progress < PROGRESS_COUNTS_FROM:
        return max(expected - elapsed, expected * 0.1, elapsed * LATE_BY)
    return (1 - progress) * (expected + elapsed / progress) / 2


def count_tokens_ahead(task: Task, counts: Counts, *, in_lane: int, workers: int) -> float:
    """Tokens of work that must be done before a queued task starts: lanes of a tier share the work equally, the default
    tier goes before flex, and tasks that run are half done. in_lane: the tokens that wait ahead of it in its own lane.
    """
    tier = task.request.tier
    shares = sum(
        min(lane.queued_tokens, in_lane + task.request.canvas.tokens)
        for (lane_tier, key_id), lane in counts.items()
        if lane_tier == tier.value and key_id != task.key_id
    )
    online = sum(lane.queued_tokens for (lane_tier, _), lane in counts.items() if lane_tier == Tier.DEFAULT.value)
    waiting = in_lane + shares + (online if tier is Tier.FLEX else 0)
    if sum(lane.running for lane in counts.values()) < workers:
        return waiting  # a worker is free
    return waiting + sum(lane.running_tokens for lane in counts.values()) / 2
