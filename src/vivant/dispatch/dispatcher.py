"""Claims queued tasks, runs them on workers, and settles them in the database. The row of a task decides: when it says
that another dispatcher has the task, or that it has ended, the run here is stopped and its result dropped.

Four loops: `_start_tasks` claims tasks and starts them; `_supervise_runs` expires tasks, writes progress, and stops
runs whose task is no longer this dispatcher's; `_keep_lease_alive` sends heartbeats and takes over from dispatchers
whose heartbeats stopped; `_sweep_files` deletes files that are no longer needed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from vivant.clock import Clock
from vivant.dispatch import retention
from vivant.dispatch.fleet import Fleet, Worker
from vivant.dispatch.messages import Died, Failed, Finished, Halted, Job, Outcome
from vivant.errors import Busy, StorageFailed, VivantError
from vivant.record import lanes, leases, tasks
from vivant.record.database import Connection, Record
from vivant.record.ids import new_id
from vivant.record.tasks import Claim, Progress
from vivant.storage.artifacts import Artifacts, attempt_prefix
from vivant.task import Loss
from vivant.timings import Timings

T = TypeVar("T")

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
    ) -> None:
        self.boot_id = new_id()
        self._record = record
        self._fleet = fleet
        self._artifacts = artifacts
        self._alone = alone
        self._retention_days = retention_days
        self._clock = clock
        self._timings = timings
        self._lease_watch = leases.LeaseWatch(lapses_after=timings.lease_lapses_after)
        self.storage_error = ""  # why files cannot be written, or empty; nothing is claimed meanwhile
        self._task_queued = asyncio.Event()
        self._record_changed = asyncio.Event()
        self._runs: dict[tuple[str, int], Run] = {}
        self._run_tasks: set[asyncio.Task[None]] = set()
        self._starting: asyncio.Task[None] | None = None
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
        log.info("dispatcher started", boot_id=self.boot_id, requeued=requeued)
        await self._fleet.start()
        self._starting = asyncio.create_task(self._run_forever(self._start_tasks))
        self._loops = [
            asyncio.create_task(self._run_forever(loop))
            for loop in (self._supervise_runs, self._keep_lease_alive, self._sweep_files)
        ]

    def notify_queued(self) -> None:
        """A task was queued."""
        self._task_queued.set()

    def notify_changed(self) -> None:
        """A task was cancelled, or another process has written: perhaps it queued or cancelled a task."""
        self._task_queued.set()
        self._record_changed.set()

    @property
    def running(self) -> int:
        return len(self._runs)

    async def drain(self) -> None:
        """Claim nothing more, and wait for running jobs to finish, at most `Timings.drain_within` seconds."""
        await _cancel(self._starting)
        if self._run_tasks:
            log.info("waiting for running jobs", jobs=len(self._run_tasks), at_most_seconds=self._timings.drain_within)
            await asyncio.wait(self._run_tasks, timeout=self._timings.drain_within)

    async def stop(self) -> None:
        """Stop now. Tasks that still run are queued again; that is not counted as a death of the task."""
        await _cancel(self._starting)
        for unfinished in (*self._run_tasks, *self._loops):
            await _cancel(unfinished)
        await self._fleet.stop()

        def leave(connection: Connection) -> int:
            leases.remove(connection, {self.boot_id})
            return tasks.requeue_abandoned(connection, {self.boot_id}, loss=Loss.STOP, now=self._clock.now())

        try:
            requeued = await self._record.write(leave)
            log.info("dispatcher stopped", boot_id=self.boot_id, requeued=requeued)
        except Busy as error:
            log.error("running tasks could not be queued again; the next start will do so", reason=str(error))

    # -- claim and run ----------------------------------------------------------------------------------------------

    async def _start_tasks(self) -> None:
        while True:
            worker = await self._fleet.acquire_worker()
            try:
                claim = await self._wait_for_claim()
            except BaseException:
                worker.release()
                raise
            task = claim.task
            job = Job(task.id, task.attempt, task.request.to_data(), dict(claim.remembered))
            run = Run(claim, job, worker, self._remember, started=self._clock.monotonic())
            self._runs[run.key] = run
            run_task = asyncio.create_task(self._run_task(run))
            self._run_tasks.add(run_task)
            run_task.add_done_callback(self._run_tasks.discard)

    async def _wait_for_claim(self) -> Claim:
        while True:
            if self.storage_error:
                await self._wait_for_storage()
            self._task_queued.clear()
            claim = await self._write_until_accepted(
                lambda c: tasks.claim(c, owner=self.boot_id, now=self._clock.now())
            )
            if claim is not None:
                return claim
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task_queued.wait(), self._timings.claim_every)

    async def _run_task(self, run: Run) -> None:
        task = run.claim.task
        log.info("task started", task=task.id, attempt=task.attempt)
        try:
            try:
                outcome = await run.worker.run(run.job, run)
            finally:
                run.worker.release()
            settled = await self._settle(run, outcome)
        except Exception as error:  # also after a defect in the dispatcher the task must end
            log.exception("a task could not be settled", task=task.id, attempt=task.attempt)
            outcome = Failed(VivantError.code, f"The service failed: {error!r}.", retryable=False)
            settled = await self._settle(run, outcome)
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
        run_seconds = self._clock.monotonic() - run.started

        def settle(connection: Connection) -> bool:
            now = self._clock.now()
            tasks.store_progress(connection, [last])
            match outcome:
                case Finished(artifact):
                    return tasks.settle_success(connection, claim, artifact, run_seconds=run_seconds, now=now)
                case Failed(code, message, retryable=False):
                    return tasks.settle_failure(connection, claim, code=code, message=message, now=now)
                case Failed(StorageFailed.code as code, message):
                    return tasks.settle_interruption(connection, claim, code=code, reason=message, now=now)
                case Failed(code, message):
                    return tasks.settle_death(connection, claim, code=code, reason=message, now=now)
                case Died(reason):
                    return tasks.settle_death(connection, claim, code="WORKER_LOST", reason=reason, now=now)
                case Halted():
                    return tasks.requeue(connection, claim, now=now)

        if isinstance(outcome, Finished):
            await self._delete_attempts(claim, range(1, claim.task.attempt))  # earlier attempts may have left a clip
        if isinstance(outcome, Failed) and outcome.code == StorageFailed.code:
            self.storage_error = outcome.message  # before the task is queued again, so that it is not claimed at once
        settled = await self._write_until_accepted(settle)
        self._task_queued.set()  # it may have been queued again
        if not settled:
            await self._delete_attempts(claim, [claim.task.attempt])
        return settled

    async def _remember(self, claim: Claim, data: Mapping[str, Any]) -> bool:
        return await self._write_until_accepted(lambda c: tasks.remember(c, claim, data))

    # -- the loops --------------------------------------------------------------------------------------------------

    async def _supervise_runs(self) -> None:
        reported_at = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._record_changed.wait(), self._timings.supervise_every)
            self._record_changed.clear()
            try:
                await self._expire_due_tasks()
                if self._clock.monotonic() - reported_at >= self._timings.report_every:
                    reported_at = self._clock.monotonic()
                    await self._write_progress()
                await self._stop_lost_runs()
            except Busy as error:
                self._on_record_failure(error)

    async def _expire_due_tasks(self) -> None:
        if not self._clock.is_settled():
            return
        due = await self._record.read(lambda c: tasks.find_due(c, now=self._clock.now()))
        if due:
            expired = await self._record.write(lambda c: tasks.expire(c, due, now=self._clock.now()))
            log.info("tasks expired", tasks=expired)

    async def _write_progress(self) -> None:
        changed = [run for run in self._runs.values() if run.changed]
        batch = [run.collect_progress() for run in changed]
        if batch:
            try:
                await self._record.write(lambda c: tasks.store_progress(c, batch))
            except Busy:
                for run in changed:
                    run.changed = True
                raise
            for run, progress in zip(changed, batch, strict=True):
                run.mark_written(progress)

    async def _stop_lost_runs(self) -> None:
        runs = dict(self._runs)  # copied before the query, which does not see tasks that are claimed after it
        if runs:
            ours = await self._record.read(lambda c: tasks.list_running_attempts(c, self.boot_id))
            for key in runs.keys() - ours:
                runs[key].worker.stop(runs[key].job)

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
        self._task_queued.set()

    async def _sweep_files(self) -> None:
        while True:
            while not self._clock.is_settled():  # files look old while the system's clock is wrong
                await asyncio.sleep(self._timings.retry_after)
            try:
                await retention.sweep(
                    self._record, self._artifacts, days=self._retention_days,
                    orphan_after=self._timings.orphan_after, now=self._clock.now(),
                )  # fmt: skip
                await self._record.restore_reserve()
            except (Busy, StorageFailed) as error:
                log.error("old files could not be swept", reason=str(error))
            await asyncio.sleep(self._timings.sweep_every)

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
                await asyncio.to_thread(self._artifacts.delete, attempt_prefix(claim.task.id, attempt))
        except StorageFailed as error:
            log.error("files of a lost attempt stay until they are swept", task=claim.task.id, reason=str(error))

    async def _wait_for_storage(self) -> None:
        """Return when files can be written again. So a full disk costs one attempt, not one of every queued task."""
        log.error("the storage failed; tasks wait", reason=self.storage_error)
        while self.storage_error:
            try:
                await asyncio.to_thread(self._artifacts.check)
                self.storage_error = ""
            except StorageFailed as error:
                self.storage_error = str(error)
                await asyncio.sleep(self._timings.retry_after)
        log.info("the storage works again")

    async def _run_forever(self, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run one of the loops, and start it again when a defect ended it; the defect is logged."""
        while True:
            try:
                await loop()
            except Exception:
                log.exception("a loop of the dispatcher failed and starts again", loop=loop.__name__)
            await asyncio.sleep(self._timings.retry_after)


async def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
