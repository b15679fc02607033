"""Workers as child processes of the service: started, kept between jobs, watched, and replaced when they end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from vivant.blocking import BlockingCalls
from vivant.dispatch.backoff import Backoff
from vivant.dispatch.fleet import FleetHealth, Listener, Pool
from vivant.dispatch.messages import (
    MAX_LINE_BYTES,
    Acknowledgement,
    Command,
    Died,
    Entered,
    Failed,
    Finished,
    Halted,
    Heartbeat,
    Job,
    Outcome,
    Planned,
    Ready,
    Remember,
    Reported,
    Setup,
    Stop,
    Unusable,
    WorkerEvent,
    decode_event,
    encode_line,
)
from vivant.dispatch.silence import Silence
from vivant.dispatch.worker_output import WorkerOutput
from vivant.errors import Misconfigured, ScratchFailed, StorageFailed
from vivant.record.ids import new_id
from vivant.shutdown import end_tasks
from vivant.storage.artifacts import MIN_FREE_BYTES
from vivant.task import Phase
from vivant.timings import DEFAULT_TIMINGS, Timings

WORKER_COMMAND: Final = (sys.executable, "-m", "vivant.dispatch.worker")
READ_BYTES: Final = 65_536  # of what a worker prints, at a time
LOOKS_MISSED: Final = 4  # looks at a worker in a row that a busy event loop may miss before its own pause is left out
SCRATCH_THREADS: Final = 4
EVENTS_AT_ONCE: Final = 64  # events of one worker handled in a row
EVENTS_PAUSE: Final = 0.005  # seconds after them: a worker that sends without end gets a tenth of the service's time

log = structlog.get_logger()


class LocalWorker:
    """One child process.

    `ended` is set when it has ended and its last event has been handled, or when it was given up: a process that waits
    for a hung disk cannot be killed, and one that it started may hold its streams open. Whatever happened, a job that
    was running then has its outcome.
    """

    def __init__(self, process: Process, *, number: int, free: asyncio.Queue[LocalWorker], timings: Timings) -> None:
        self._process = process
        self._number = number
        self._free = free
        self._timings = timings
        self._loop = asyncio.get_running_loop()
        # Its result is "", or why the engine cannot be used.
        self._ready: asyncio.Future[str] = self._loop.create_future()
        self._job: Job | None = None
        self._listener: Listener | None = None
        self._outcome: asyncio.Future[Outcome] | None = None
        self._stopping = False
        self._kill_reason = ""
        self._outcome_of_kill: Outcome | None = None  # Died unless it was killed for another reason
        self._kill_timer: asyncio.TimerHandle | None = None
        self._give_up_timer: asyncio.TimerHandle | None = None
        self._handling = False  # an event; while the database delays that, later events wait in the pipe
        self._silence = self._new_silence()
        self._phase = Phase.READING  # of the running job
        self._in_phase = self._new_silence()  # since the job entered it
        self._begun = False  # the worker has said that it works on the running job
        self._retiring = False  # it ends after the job that it did last
        self.ended = asyncio.Event()
        self._living = asyncio.create_task(self._live())
        self._reading_output = asyncio.create_task(self._read_output())

    def _new_silence(self) -> Silence:
        return Silence(longest_gap=self._timings.worker_check_every * LOOKS_MISSED, now=self._loop.time())

    @classmethod
    async def spawn(
        cls, command: Sequence[str], setup: Setup, *, number: int, free: asyncio.Queue[LocalWorker], timings: Timings
    ) -> LocalWorker:
        """Start a process and send it its setup; `wait_until_ready` waits until its engine is loaded."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True, limit=MAX_LINE_BYTES
        )
        worker = cls(process, number=number, free=free, timings=timings)
        worker._send(setup)
        return worker

    @property
    def is_ready(self) -> bool:
        """The process runs, its engine is set up, and it was heard of lately."""
        ending = self.ended.is_set() or self._retiring
        set_up = self._ready.done() and not self._ready.result() and not ending
        return set_up and self._silence.seconds < self._timings.worker_ready_for

    async def wait_until_ready(self) -> str:
        """Wait until the engine is set up. Returns "", or why it cannot be."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._ready), self._timings.setup_within)
        except TimeoutError:
            self.kill("its engine was not set up in time")
            return self._kill_reason

    async def run(self, job: Job, listener: Listener) -> Outcome:
        """See `fleet.Worker`."""
        if self.ended.is_set():
            return Halted()  # it ended while it was idle: the job never began, so this is not counted as a death
        outcome: asyncio.Future[Outcome] = self._loop.create_future()
        self._outcome = outcome
        self._job, self._listener, self._stopping = job, listener, False
        self._phase, self._in_phase, self._begun = Phase.READING, self._new_silence(), False
        self._send(job)
        try:
            return await outcome
        finally:
            self._job = self._listener = self._outcome = None
            if self._kill_timer is not None:
                self._kill_timer.cancel()
                self._kill_timer = None

    def stop(self, job: Job) -> None:
        """See `fleet.Worker`."""
        if self._job is not job or self._stopping:
            return
        self._stopping = True
        self._send(Stop(job.task_id, job.attempt))
        self._kill_timer = self._loop.call_later(self._timings.stop_within, self.kill, "it did not stop when asked")

    def release(self) -> None:
        """See `fleet.Worker`."""
        if not self.ended.is_set() and not self._retiring:
            self._free.put_nowait(self)

    def kill(self, reason: str, outcome: Outcome | None = None) -> None:
        """Kill the process and every process it has started, and give it up if it does not end within `kill_within`.

        `outcome`: of a job that is running; None: `Died` for this reason.
        """
        if not self._kill_reason:
            self._kill_reason, self._outcome_of_kill = reason, outcome
        self.kill_session()
        self._give_up_soon()

    def kill_session(self) -> None:
        """Send SIGKILL to the process and every process it has started. Any thread may call this."""
        if self.ended.is_set():
            return  # its number may be another process's by now
        # Either error means that no process is left; macOS raises PermissionError when only unreaped ones are.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _give_up_soon(self) -> None:
        if self._give_up_timer is None and not self.ended.is_set():
            self._give_up_timer = self._loop.call_later(self._timings.kill_within, self._give_up)

    def _give_up(self) -> None:
        """The process cannot be ended, or its streams stay open: let go of both."""
        log.error("a worker is given up; something of it is left", worker=self._number, pid=self._process.pid)
        self._living.cancel()
        self._reading_output.cancel()
        transport: Any = self._process._transport  # type: ignore[attr-defined]  # there is no public way to close the pipes
        transport.close()

    def check_process(self) -> None:
        """Kill the process when it hangs. When it has ended, kill the processes it left behind: they hold its streams
        open, and `_read_events` waits until those are closed.
        """
        now, limit = self._loop.time(), self._timings.store_phase_within
        silent, in_phase = self._silence.measure(now), self._in_phase.measure(now)
        if self._handling or not self._ready.done():  # compiling kernels may keep a process from sending for long
            self._silence.end()
        if self._process.returncode is not None:
            self.kill_session()
            self._give_up_soon()
        elif self._silence.seconds > self._timings.worker_silent_for:
            self.kill(f"its process was silent for {silent:.0f} s")
        elif self._job and self._phase.uses_store and in_phase > limit:
            text = f"The file store did not answer a worker within {limit:g} s."
            self.kill(text, Failed(StorageFailed.code, text, retryable=True))

    def _send(self, command: Command) -> None:
        assert self._process.stdin is not None
        if not self._process.stdin.is_closing():
            self._process.stdin.write(encode_line(command))

    async def _live(self) -> None:
        """Handle the worker's events until it has ended or is given up; then set the outcome of a running job."""
        defect: Exception | None = None
        try:
            try:
                await self._read_events()
            except (msgspec.DecodeError, ValueError) as error:
                self.kill(f"it sent a message that is no event: {error}")
            except Exception as error:  # noqa: BLE001  whatever it is, the job must end; it is logged below
                defect = error
                self.kill(f"the service could not handle one of its events: {error!r}")
            await self._process.wait()
        finally:
            self._end()
            if defect is not None:
                log.error("an event of a worker could not be handled", worker=self._number, exc_info=defect)

    def _end(self) -> None:
        returncode = self._process.returncode
        reason = self._kill_reason or ("it was given up" if returncode is None else _describe_exit(returncode))
        self.ended.set()
        if not self._ready.done():
            self._ready.set_result(reason)
        if self._outcome is not None and not self._outcome.done():
            # It may have ended before the job reached it, while nobody had noticed: that is not the task's doing.
            never_began = not self._begun and not self._kill_reason
            halted = self._stopping or never_began
            self._outcome.set_result(Halted() if halted else self._outcome_of_kill or Died(reason))
        if self._give_up_timer is not None:
            self._give_up_timer.cancel()

    async def _read_events(self) -> None:
        """Handle events until the stream ends."""
        assert self._process.stdout is not None
        handled = 0
        async for line in self._process.stdout:
            self._handling = True
            try:
                await self._handle(decode_event(line))
            finally:
                self._handling = False
            self._silence.end()
            handled += 1
            if handled % EVENTS_AT_ONCE == 0:  # lines that have arrived are read without waiting: let others run, too
                await asyncio.sleep(EVENTS_PAUSE)

    async def _handle(self, event: WorkerEvent) -> None:
        match event:
            case Ready() if not self._ready.done():
                self._ready.set_result("")
            case Unusable(reason) if not self._ready.done():
                self._ready.set_result(reason)
            case Heartbeat(silent):
                limit = self._timings.engine_silent_for
                if silent > (limit if self._phase.is_after_plan else min(limit, self._timings.plan_within)):
                    self.kill(f"its engine has not touched its watch for {silent:.0f} s")
            case Entered(phase):
                self._phase, self._in_phase, self._begun = phase, self._new_silence(), True
            case Planned(storyboard) if self._listener:
                self._listener.on_storyboard(storyboard)
            case Reported(fraction) if self._listener:
                self._listener.on_progress(fraction)
            case Remember(data) if self._listener and self._job:
                if await self._listener.remember(data):
                    self._send(Acknowledgement())
                else:
                    self.stop(self._job)
            case (Finished() | Failed() | Halted()) as outcome if self._outcome and not self._outcome.done():
                self._retiring = isinstance(outcome, Failed) and outcome.recycle
                self._outcome.set_result(outcome)
            case _:
                pass  # about a job that is over

    async def _read_output(self) -> None:
        """Log what the worker prints, with the id of the task it runs."""
        assert self._process.stderr is not None
        loop, output = asyncio.get_running_loop(), WorkerOutput()
        while data := await self._process.stderr.read(READ_BYTES):
            self._log_output(output.feed(data, now=loop.time()), output.take_dropped())
        self._log_output(output.finish(now=loop.time()), output.take_dropped())

    def _log_output(self, lines: list[str], dropped: int) -> None:
        task = self._job.task_id if self._job else None
        if dropped:
            log.warning("a worker printed too much; lines of it were dropped", worker=self._number, lines=dropped)
        for line in lines:
            log.info("output of a worker", worker=self._number, task=task, text=line)


class LocalFleet:
    """Child processes of this service, as many for each engine as its pool says. `command` starts one; `scratch` is a
    folder that nothing else uses."""

    def __init__(
        self, pools: Sequence[Pool], *, storage: str, scratch: Path, command: Sequence[str] = WORKER_COMMAND,
        timings: Timings = DEFAULT_TIMINGS,
    ) -> None:  # fmt: skip
        self.engines = tuple(pool.engine for pool in pools)
        # (its pool, its place in the pool) by the number of the worker in the whole fleet
        self._places = [(pool, place) for pool in pools for place in range(pool.workers)]
        self._storage = storage
        self._scratch = scratch
        self._command = command
        self._timings = timings
        self._files = BlockingCalls(
            "The scratch folder", threads=SCRATCH_THREADS, within=timings.scratch_within, late=ScratchFailed
        )
        self._workers: dict[int, LocalWorker] = {}
        self._free: dict[str, asyncio.Queue[LocalWorker]] = {engine: asyncio.Queue() for engine in self.engines}
        self._supervisors: list[asyncio.Task[None]] = []
        self._errors: dict[int, str] = {}  # worker number -> why it cannot be used

    async def start(self) -> None:
        """See `fleet.Fleet`."""
        await self._clear(self._scratch)
        self._supervisors = [
            asyncio.create_task(self._keep_worker_running(number)) for number in range(len(self._places))
        ]

    async def acquire_worker(self, engine: str) -> LocalWorker:
        """See `fleet.Fleet`."""
        while True:
            worker = await self._free[engine].get()
            if not worker.ended.is_set():
                return worker

    async def stop(self) -> None:
        """See `fleet.Fleet`."""
        await end_tasks(self._supervisors, within=self._timings.kill_within)
        for worker in self._workers.values():
            worker.kill("the service goes down")
        for worker in self._workers.values():
            await worker.ended.wait()  # bounded: it is given up when it does not end
        self._workers.clear()
        await self._clear(self._scratch)
        self._files.close()

    def kill_processes(self) -> None:
        """See `fleet.Fleet`."""
        for worker in list(self._workers.values()):
            worker.kill_session()

    def check_scratch(self) -> None:
        """See `fleet.Fleet`."""
        try:
            self._scratch.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self._scratch).free
            if free < MIN_FREE_BYTES:
                raise ScratchFailed(
                    f"The disk of the scratch folder has {free >> 20} MiB free; {MIN_FREE_BYTES >> 20} MiB are needed."
                )
            with tempfile.TemporaryFile(dir=self._scratch) as file:
                file.write(b"vivant")
        except OSError as error:
            raise ScratchFailed(
                f"The scratch folder cannot be written: {error.strerror or error}.", detail=str(error)
            ) from error

    def health(self, engine: str | None = None) -> FleetHealth:
        """See `fleet.Fleet`."""
        of_engine = [n for n, (pool, _) in enumerate(self._places) if engine in (None, pool.engine)]
        ready = sum(worker.is_ready for n in of_engine if (worker := self._workers.get(n)) is not None)
        error = next((self._errors[n] for n in of_engine if n in self._errors), "")
        return FleetHealth(workers=len(of_engine), ready=ready, error=error)

    async def _clear(self, folder: Path) -> None:
        """Delete a scratch folder; what cannot be deleted stays until the next start."""
        with contextlib.suppress(ScratchFailed):
            await self._files.run(shutil.rmtree, folder, ignore_errors=True)

    async def _keep_worker_running(self, number: int) -> None:
        """Start worker `number`, and start it again whenever it has ended, whatever happened."""
        backoff = Backoff(self._timings.restart_after)
        while True:
            scratch = self._scratch / new_id()  # a new one: a worker of a killed service may still write to its own
            try:
                await self._run_worker(number, scratch)
                backoff.reset()
                log.warning("a worker ended and is replaced", worker=number)
            except Exception as error:
                pause = backoff.fail()
                self._errors[number] = str(error)
                expected = isinstance(error, OSError | Misconfigured | ScratchFailed)
                log.error(
                    "a worker cannot be used", worker=number, engine=self._places[number][0].engine, reason=str(error),
                    retry_after=pause,
                    exc_info=None if expected else error,
                )  # fmt: skip
                await asyncio.sleep(pause)
            finally:
                await self._clear(scratch)

    async def _run_worker(self, number: int, scratch: Path) -> None:
        """Start a worker, watch it until it has ended. Raises OSError or Misconfigured when it never became ready."""
        await self._files.run(partial(scratch.mkdir, parents=True, exist_ok=True))
        pool, place = self._places[number]
        setup = Setup(
            engine=pool.engine,
            storage=self._storage,
            scratch=str(scratch),
            heartbeat_every=self._timings.worker_heartbeat_every,
            report_every=self._timings.worker_report_every,
            plan_within=self._timings.plan_within,
            store_within=self._timings.store_within,
            options={**pool.options, "worker": place},
        )
        worker = self._workers[number] = await LocalWorker.spawn(
            self._command, setup, number=number, free=self._free[pool.engine], timings=self._timings
        )
        watching = asyncio.create_task(self._check_until_ended(worker))
        try:
            error = await worker.wait_until_ready()
            if error:
                worker.kill(error)
                await worker.ended.wait()
                raise Misconfigured(error)
            self._errors.pop(number, None)
            worker.release()
            await watching
        finally:
            watching.cancel()
            worker.kill("it is no longer watched")  # only after a defect here: else it has ended

    async def _check_until_ended(self, worker: LocalWorker) -> None:
        while not worker.ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(worker.ended.wait(), self._timings.worker_check_every)
            worker.check_process()


def _describe_exit(returncode: int) -> str:
    if returncode >= 0:
        return f"its process ended with code {returncode}"
    name = signal.Signals(-returncode).name if -returncode in {s.value for s in signal.Signals} else str(-returncode)
    hint = "; perhaps the machine ran out of memory" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{hint}"
