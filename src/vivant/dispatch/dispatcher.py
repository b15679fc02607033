"""Claims queued tasks, runs them on workers, and settles them in the database. The row of a task decides: when it says
that another dispatcher has the task, or that it has ended, the run here is stopped and its result dropped.

Each duty is a loop of its own, which starts again when it fails: `_start_tasks` claims tasks and starts them,
`_expire_tasks` ends those whose time is over, `_report_progress` writes how far runs have come, `_reconcile_runs` makes
runs and rows agree, `_keep_lease_alive` sends heartbeats and takes over from dispatchers whose heartbeats stopped,
`_sweep_files` deletes files that are no longer needed, `_hand_over` gives what waits for an engine that is not there to
the one that takes over, and each place for files is probed. `_start_tasks` runs once for each engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from vivant.blocking import BlockingCalls
from vivant.clock import Clock
from vivant.dispatch.backoff import Backoff
from vivant.dispatch.fleet import Fleet, Worker
from vivant.dispatch.messages import Died, Failed, Finished, Halted, Job, Outcome
from vivant.dispatch.places import Place
from vivant.dispatch.retention import Sweep
from vivant.dispatch.store_owner import StoreOwner
from vivant.engine_choice import EngineChoice
from vivant.errors import (
    BackendLost,
    Busy,
    EngineFailed,
    Misconfigured,
    NotFound,
    OutOfMemory,
    ScratchFailed,
    StorageFailed,
)
from vivant.printable import hide_addresses
from vivant.record import lanes, leases, tasks
from vivant.record.database import Connection, Record
from vivant.record.ids import new_id
from vivant.record.tasks import Claim, Progress
from vivant.shutdown import end_tasks, take_step
from vivant.storage.artifacts import Artifacts, attempt_prefix
from vivant.task import Loss
from vivant.timings import Timings

T = TypeVar("T")

SWEEP_THREADS: Final = 2
_CODES_OF_ENGINES: Final = {EngineFailed.code, BackendLost.code, OutOfMemory.code}  # another engine may do better

log = structlog.get_logger()


@dataclass(eq=False)
class Run:
    """A claimed task on its worker. Implements `fleet.Listener`."""

    claim: Claim
    job: Job
    worker: Worker
    save: Callable[[Claim, Mapping[str, Any]], Awaitable[bool]]
    started: float  # by the monotonic clock
    fraction: float = 0.0
    storyboard: Mapping[str, Any] | None = None
    changed: bool = False  # since progress was last collected

    @property
    def key(self) -> tuple[str, int]:
        """Task id and attempt."""
        return self.claim.task.id, self.claim.task.attempt

    def on_storyboard(self, storyboard: Mapping[str, Any]) -> None:
        self.storyboard, self.changed = storyboard, True

    def on_progress(self, fraction: float) -> None:
        self.fraction, self.changed = fraction, True

    async def remember(self, data: Mapping[str, Any]) -> bool:
        return await self.save(self.claim, data)

    def collect_progress(self) -> Progress:
        """The progress now; the storyboard only if it was not written yet."""
        self.changed = False
        return Progress(claim=self.claim, fraction=self.fraction, storyboard=self.storyboard)

    def mark_written(self, progress: Progress) -> None:
        """This progress is in the record. What was not written stays here and is collected again."""
        if self.storyboard is progress.storyboard:
            self.storyboard = None


class Dispatcher:
    """One per service. `alone`: no other dispatcher can be running on this database, because the caller holds its lock;
    then tasks that were left running are queued again at once, without waiting for a lease to lapse.
    """

    def __init__(
        self,
        record: Record,
        fleet: Fleet,
        artifacts: Artifacts,
        *,
        alone: bool,
        retention_days: float,
        clock: Clock,
        timings: Timings,
        choice: EngineChoice,
        fallback_after: float = math.inf,
    ) -> None:
        """choice: which engine takes over from one that cannot. fallback_after: seconds without a ready worker after
        which another engine takes over what waits."""
        self.boot_id = new_id()
        self._record = record
        self._fleet = fleet
        self._artifacts = artifacts
        self._alone = alone
        self._clock = clock
        self._timings = timings
        self._lease_watch = leases.LeaseWatch(lapses_after=timings.lease_lapses_after)
        self._owner = StoreOwner(artifacts, record)
        self.store = Place("file store", self._owner.check, failed=StorageFailed, within=timings.store_within)
        self.scratch = Place("scratch folder", fleet.check_scratch, failed=ScratchFailed, within=timings.scratch_within)
        self.places = (self.store, self.scratch)
        self._codes_of_places = {place.failed.code for place in self.places}
        self._sweep_calls = BlockingCalls(
            "The sweep of files", threads=SWEEP_THREADS, within=timings.sweep_call_within, late=StorageFailed
        )
        self._sweep = Sweep(
            record, artifacts, self._sweep_calls, days=retention_days, orphan_after=timings.orphan_after
        )
        self._choice = choice
        self._fallback_after = fallback_after
        self._ready_at = dict.fromkeys(fleet.engines, clock.monotonic())  # when each last had a ready worker
        self._task_queued = {engine: asyncio.Event() for engine in fleet.engines}  # a loop of each waits for its own
        self._record_changed = asyncio.Event()
        self._runs: dict[tuple[str, int], Run] = {}
        self._run_tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._claiming = 0  # claims that are being written
        self._claimed = 0  # how many were
        self._starting: list[asyncio.Task[None]] = []
        self._loops: list[asyncio.Task[None]] = []

    # -- for the service --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Register in the database, queue again what earlier dispatchers left running, and start the loops."""

        def begin(connection: Connection) -> int:
            leases.register(connection, self.boot_id, now=self._clock.now())
            lanes.recount(connection)
            if not self._alone:
                return 0
            leases.remove_all_but(connection, self.boot_id)
            return tasks.requeue_abandoned(connection, now=self._clock.now())

        requeued = await self._record.write(begin)
        waiting = await self._record.read(lambda c: tasks.count_of_other_engines(c, self._fleet.engines))
        for engine, count in waiting.items():
            log.warning("tasks wait for an engine that this service does not run", engine=engine, tasks=count)
        log.info("dispatcher started", boot_id=self.boot_id, requeued=requeued)
        await self._fleet.start()
        self._starting = [
            asyncio.create_task(self._run_forever(self._starter(engine))) for engine in self._fleet.engines
        ]
        self._loops = [
            asyncio.create_task(self._run_forever(loop))
            for loop in (
                self._expire_tasks, self._report_progress, self._reconcile_runs, self._keep_lease_alive,
                self._sweep_files, self._hand_over, *map(self._watch, self.places),
            )
        ]  # fmt: skip

    def notify_queued(self) -> None:
        """A task was queued."""
        self._look_for_tasks()

    def notify_changed(self) -> None:
        """A task was cancelled, or another process has written: perhaps it queued or cancelled a task."""
        self._look_for_tasks()
        self._record_changed.set()

    def _look_for_tasks(self) -> None:
        for queued in self._task_queued.values():
            queued.set()

    @property
    def running(self) -> int:
        return len(self._runs)

    async def drain(self) -> None:
        """Claim nothing more, and wait for running jobs to finish, at most `Timings.drain_within` seconds."""
        self._draining = True
        await end_tasks(self._starting, within=self._timings.step_within)
        if self._run_tasks:
            log.info("waiting for running jobs", jobs=len(self._run_tasks), at_most_seconds=self._timings.drain_within)
            await asyncio.wait(self._run_tasks, timeout=self._timings.drain_within)

    async def stop(self) -> None:
        """Stop now. Tasks that still run are queued again; that is not counted as a death of the task.

        Every step has a time in which it must be done; tasks that cannot be queued again now are at the next start.
        """
        self._draining, within = True, self._timings.step_within
        await end_tasks([*self._starting, *self._run_tasks, *self._loops], within=within)
        await take_step("workers", self._fleet.stop(), within=self._timings.kill_within + within)
        for calls in (self._sweep_calls, *self.places):
            calls.close()

        def leave(connection: Connection) -> int:
            leases.remove(connection, {self.boot_id})
            return tasks.requeue_abandoned(connection, {self.boot_id}, loss=Loss.STOP, now=self._clock.now())

        if await take_step("tasks that were running, to be queued again", self._record.write(leave), within=within):
            log.info("dispatcher stopped", boot_id=self.boot_id)

    # -- claim and run ----------------------------------------------------------------------------------------------

    def _starter(self, engine: str) -> Callable[[], Coroutine[Any, Any, None]]:
        async def start_tasks() -> None:
            await self._start_tasks(engine)

        return start_tasks

    async def _start_tasks(self, engine: str) -> None:
        while True:
            worker = await self._fleet.acquire_worker(engine)
            try:
                run = await self._wait_for_run(worker, engine)
            except BaseException:
                worker.release()
                raise
            run_task = asyncio.create_task(self._run_task(run))
            self._run_tasks.add(run_task)
            run_task.add_done_callback(self._run_tasks.discard)

    async def _wait_for_run(self, worker: Worker, engine: str) -> Run:
        """Claim a task for this worker as soon as there is one and all places for files work."""
        queued = self._task_queued[engine]
        while True:
            while broken := [place for place in self.places if place.error]:
                await broken[0].wait_until_works()
            queued.clear()
            self._claiming += 1
            try:
                claim = await self._write_until_accepted(
                    lambda c: tasks.claim(c, owner=self.boot_id, engine=engine, now=self._clock.now())
                )
                if claim is not None:
                    task = claim.task
                    job = Job(task.id, task.attempt, task.request.to_data(), dict(claim.remembered))
                    run = Run(claim, job, worker, self._remember, started=self._clock.monotonic())
                    self._runs[run.key] = run
                    return run
            finally:
                self._claiming, self._claimed = self._claiming - 1, self._claimed + 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(queued.wait(), self._timings.claim_every)

    async def _run_task(self, run: Run) -> None:
        """Run the job and settle its task. Whatever fails here, the run ends: then `_reconcile` finds that its row has
        no run, and queues it again.
        """
        task = run.claim.task
        log.info("task started", task=task.id, attempt=task.attempt)
        outcome: Outcome = Halted()
        settled = False
        try:
            try:
                outcome = await run.worker.run(run.job, run)
            finally:
                run.worker.release()
            settled = await self._settle(run, outcome)
        except Exception:
            log.exception("a task could not be settled", task=task.id, attempt=task.attempt)
        finally:
            del self._runs[run.key]
        log.info(
            "run ended",
            task=task.id,
            attempt=task.attempt,
            outcome=type(outcome).__name__,
            settled=settled,
            seconds=round(self._clock.monotonic() - run.started, 3),
        )

    async def _settle(self, run: Run, outcome: Outcome) -> bool:
        """Write the outcome of the run. False: the task was no longer ours; the files of this attempt are deleted."""
        claim, last = run.claim, run.collect_progress()
        if isinstance(outcome, Failed) and outcome.code == NotFound.code:
            outcome = await self._explain_missing_file(outcome)
        run_seconds = self._clock.monotonic() - run.started
        hand_to = ""
        if isinstance(outcome, Died) or (isinstance(outcome, Failed) and outcome.code in _CODES_OF_ENGINES):
            hand_to = self._choice.find_next(claim.task.engine, claim.task.request)

        def settle(connection: Connection) -> bool:
            now = self._clock.now()
            tasks.store_progress(connection, [last])
            match outcome:
                case Finished(artifact, report):
                    done = tasks.settle_success(
                        connection, claim, artifact, report=report, run_seconds=run_seconds, now=now
                    )
                    # A commit that reported a failure may have been done: this clip is then not that of a lost attempt.
                    return done or tasks.has_succeeded(connection, claim)
                case Failed(code, message, retryable=False):
                    return tasks.settle_failure(connection, claim, code=code, message=message, now=now, hand_to=hand_to)
                case Failed(code, message) if code in self._codes_of_places or code == BackendLost.code:
                    return tasks.settle_interruption(
                        connection, claim, code=code, reason=message, now=now, hand_to=hand_to
                    )
                case Failed(code, message):
                    return tasks.settle_death(connection, claim, code=code, reason=message, now=now, hand_to=hand_to)
                case Died(reason):
                    return tasks.settle_death(
                        connection, claim, code="WORKER_LOST", reason=reason, now=now, hand_to=hand_to
                    )
                case Halted():
                    return tasks.requeue(connection, claim, now=now)

        for place in self.places:  # before the task is queued again, so that it is not claimed at once
            if isinstance(outcome, Failed) and outcome.code == place.failed.code:
                place.fail(outcome.message)
        settled = await self._write_until_accepted(settle)
        self._look_for_tasks()  # it may have been queued again
        if not settled:
            await self._delete_attempts(claim, [claim.task.attempt])
        elif isinstance(outcome, Finished):
            await self._delete_attempts(claim, range(1, claim.task.attempt))  # earlier attempts may have left a clip
        return settled

    async def _explain_missing_file(self, outcome: Failed) -> Failed:
        """A worker did not find a file. When the store as a whole is gone (its disk was unmounted, say), that is its
        failure, which passes, and not the end of every task in the queue.
        """
        try:
            await self.store.check()
        except (StorageFailed, Misconfigured) as error:
            return Failed(StorageFailed.code, str(error), retryable=True)
        return outcome

    async def _remember(self, claim: Claim, data: Mapping[str, Any]) -> bool:
        return await self._write_until_accepted(lambda c: tasks.remember(c, claim, data))

    # -- the loops --------------------------------------------------------------------------------------------------

    async def _expire_tasks(self) -> None:
        while True:
            await asyncio.sleep(self._timings.supervise_every)
            if not self._clock.is_settled():
                continue
            try:
                due = await self._record.read(lambda c: tasks.find_due(c, now=self._clock.now()))
                if due:
                    expired = await self._record.write(
                        partial(tasks.expire, ids=due, engines=self._fleet.engines, now=self._clock.now())
                    )
                    log.info("tasks expired", tasks=expired)
                    self._record_changed.set()
            except Busy as error:
                self._on_record_failure(error)

    async def _report_progress(self) -> None:
        while True:
            await asyncio.sleep(self._timings.report_every)
            changed = [run for run in self._runs.values() if run.changed]
            batch = [run.collect_progress() for run in changed]
            if not batch:
                continue
            try:
                await self._record.write(partial(tasks.store_progress, batch=batch))
            except Busy as error:
                for run in changed:
                    run.changed = True
                self._on_record_failure(error)
            else:
                for run, progress in zip(changed, batch, strict=True):
                    run.mark_written(progress)

    async def _reconcile_runs(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._record_changed.wait(), self._timings.supervise_every)
            self._record_changed.clear()
            try:
                await self._reconcile()
            except Busy as error:
                self._on_record_failure(error)

    async def _reconcile(self) -> None:
        """Make runs and rows agree: stop a run whose row is no longer ours, and queue a row of ours that has no run.

        The first happens whenever a task is cancelled, expires or was taken over; the second only after a failure, such
        as a claim or a settlement of which nobody knows whether it was written.
        """
        runs, claimed, claiming = dict(self._runs), self._claimed, self._claiming
        ours = await self._record.read(lambda c: tasks.list_running_attempts(c, self.boot_id))
        for key in runs.keys() - ours:  # a task that was claimed after the query began is not among `runs`
            runs[key].worker.stop(runs[key].job)
        lost = set() if self._draining else ours - self._runs.keys()  # going down, `stop` queues all of them again
        if lost and not claiming and not self._claiming and claimed == self._claimed:  # else it may be a new claim
            requeued = await self._record.write(
                lambda c: tasks.requeue_lost(c, self.boot_id, lost, now=self._clock.now())
            )
            if requeued:  # none: they were being settled
                log.error("tasks of this service that it did not run were queued again", tasks=requeued)
                self._look_for_tasks()

    async def _keep_lease_alive(self) -> None:
        while True:
            try:
                await self._record.write(lambda c: leases.record_heartbeat(c, self.boot_id, now=self._clock.now()))
                heartbeats = await self._record.read(leases.read_heartbeats)
                lapsed = self._lease_watch.find_lapsed(heartbeats, now=self._clock.monotonic()) - {self.boot_id}
                if lapsed:
                    await self._take_over(lapsed)
            except Busy as error:
                self._on_record_failure(error)
            await asyncio.sleep(self._timings.heartbeat_every)

    async def _take_over(self, lapsed: set[str]) -> None:
        """Queue the tasks of these dispatchers again."""

        def take_over(connection: Connection) -> int:
            leases.remove(connection, lapsed)
            return tasks.requeue_abandoned(connection, lapsed, now=self._clock.now())

        requeued = await self._record.write(take_over)
        log.warning("took over from dispatchers whose lease lapsed", dispatchers=sorted(lapsed), requeued=requeued)
        self._look_for_tasks()

    async def _sweep_files(self) -> None:
        while True:
            while not self._clock.is_settled():  # files look old while the system's clock is wrong
                await asyncio.sleep(self._timings.retry_after)
            try:
                await self._sweep_calls.run(self._owner.check_is_ours)  # full or not: the sweep makes room
                await self._sweep.run(now=self._clock.now())
                await self._record.restore_reserve()
            except (Busy, Misconfigured, StorageFailed) as error:
                log.error("old files could not be swept", reason=str(error))
            await asyncio.sleep(self._timings.sweep_every)

    async def _hand_over(self) -> None:
        """Queue what waits for an engine without a ready worker for the engine that takes over, if there is one."""
        while True:
            await asyncio.sleep(self._timings.supervise_every)
            now = self._clock.monotonic()
            for engine in self._choice.fallback[:-1]:
                health = self._fleet.health(engine)
                if health.ready:
                    self._ready_at[engine] = now
                elif now - self._ready_at[engine] >= self._fallback_after:
                    await self._hand_over_from(engine, health.error)

    async def _hand_over_from(self, engine: str, error: str) -> None:
        reason = (
            f"No worker of the engine {engine} was ready for {self._fallback_after:g} s"
            f"{f': {hide_addresses(error)}' if error else ''}"
        )
        try:
            moved = await self._record.write(
                lambda c: tasks.hand_over_waiting(
                    c, engine, partial(self._choice.find_next, engine), reason=reason, now=self._clock.now()
                )
            )
        except Busy as busy:
            self._on_record_failure(busy)
            return
        if moved:
            log.warning("tasks were handed to another engine", engine=engine, tasks=moved, reason=error)
            self._look_for_tasks()

    def _watch(self, place: Place) -> Callable[[], Coroutine[Any, Any, None]]:
        async def watch() -> None:
            await place.watch(every=self._timings.probe_every, retry_after=self._timings.retry_after)

        return watch

    # -- failures ---------------------------------------------------------------------------------------------------

    async def _write_until_accepted(self, work: Callable[[Connection], T]) -> T:
        """Write, and try again until the database accepts it: the outcome of a run, say, must not be lost.

        It waits for the outcome of each try: one that was given up may have been done, and the next would be refused.
        """
        while True:
            try:
                return await self._record.write(work, patient=True)
            except Busy as error:
                self._on_record_failure(error)
                await asyncio.sleep(self._timings.retry_after)

    def _on_record_failure(self, error: Busy) -> None:
        log.error("the database failed", reason=str(error))
        self._lease_watch.reset()  # other dispatchers may not have been able to write their heartbeats either

    async def _delete_attempts(self, claim: Claim, attempts: Iterable[int]) -> None:
        try:
            for attempt in attempts:
                await self._sweep_calls.run(self._artifacts.delete, attempt_prefix(claim.task.id, attempt))
        except StorageFailed as error:
            log.error("files of a lost attempt stay until they are swept", task=claim.task.id, reason=str(error))

    async def _run_forever(self, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run one of the loops, and start it again when a defect ended it; the defect is logged. One that fails at once
        is started again after longer and longer pauses.
        """
        backoff = Backoff(self._timings.restart_after)
        while True:
            started = self._clock.monotonic()
            try:
                await loop()
            except Exception:
                if self._clock.monotonic() - started > self._timings.restart_after[-1]:
                    backoff.reset()
                pause = backoff.fail()
                log.exception("a loop of the dispatcher failed", loop=loop.__name__, starts_again_after=pause)
                await asyncio.sleep(pause)
