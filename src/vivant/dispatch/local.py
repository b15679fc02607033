"""Workers as child processes of the service: started, kept between jobs, watched, and replaced when they end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog

from vivant.dispatch.fleet import FleetHealth, Listener
from vivant.dispatch.messages import (
    MAX_LINE_BYTES,
    Acknowledgement,
    Command,
    Died,
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
from vivant.dispatch.worker_output import WorkerOutput
from vivant.errors import Misconfigured
from vivant.record.ids import new_id
from vivant.timings import DEFAULT_TIMINGS, Timings

WORKER_COMMAND: Final = (sys.executable, "-m", "vivant.dispatch.worker")
READ_BYTES: Final = 65_536  # of what a worker prints, at a time

log = structlog.get_logger()


class LocalWorker:
    """One child process. `ended` is set when it has ended and its last event has been handled."""

    def __init__(self, process: Process, *, number: int, free: asyncio.Queue[LocalWorker], timings: Timings) -> None:
        self._process = process
        self._number = number
        self._free = free
        self._timings = timings
        # Its result is "", or why the engine cannot be used.
        self._ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._job: Job | None = None
        self._listener: Listener | None = None
        self._outcome: asyncio.Future[Outcome] | None = None
        self._planned = False  # the running job
        self._stopping = False
        self._kill_reason = ""
        self._kill_timer: asyncio.TimerHandle | None = None
        self._last_event_at = asyncio.get_running_loop().time()
        self._handling = False  # an event; while the database delays that, later events wait in the pipe
        self.ended = asyncio.Event()
        self._reading = asyncio.gather(self._read_events(), self._read_output())

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
        """The process runs and its engine is set up."""
        return self._ready.done() and not self._ready.result() and not self.ended.is_set()

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
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._outcome = outcome
        self._job, self._listener, self._planned, self._stopping = job, listener, False, False
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
        self._kill_timer = asyncio.get_running_loop().call_later(
            self._timings.stop_within, self.kill, "it did not stop when asked"
        )

    def release(self) -> None:
        """See `fleet.Worker`."""
        if not self.ended.is_set():
            self._free.put_nowait(self)

    def kill(self, reason: str) -> None:
        """Kill the process and every process it has started."""
        self._kill_reason = self._kill_reason or reason
        self._kill_session()

    def _kill_session(self) -> None:
        # Either error means that no process is left; macOS raises PermissionError when only unreaped ones are.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def check_process(self) -> None:
        """Kill the process when it hangs. When it has ended, kill the processes it left behind: they hold its streams
        open, and `_read_events` waits until those are closed.
        """
        silent = asyncio.get_running_loop().time() - self._last_event_at
        if self._process.returncode is not None:
            self._kill_session()
        elif not self._handling and silent > self._timings.worker_silent_for:
            self.kill(f"its process was silent for {silent:.0f} s")

    def _send(self, command: Command) -> None:
        assert self._process.stdin is not None
        if not self._process.stdin.is_closing():
            self._process.stdin.write(encode_line(command))

    async def _read_events(self) -> None:
        """Handle the events of the worker until its stream ends, then set the outcome of a job that was running."""
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                self._handling = True
                await self._handle(decode_event(line))
                self._handling, self._last_event_at = False, asyncio.get_running_loop().time()
        except (msgspec.DecodeError, ValueError) as error:
            self.kill(f"it sent a message that is no event: {error}")
        returncode = await self._process.wait()
        reason = self._kill_reason or _describe_exit(returncode)
        self.ended.set()
        if not self._ready.done():
            self._ready.set_result(reason)
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_result(Halted() if self._stopping else Died(reason))

    async def _handle(self, event: WorkerEvent) -> None:
        match event:
            case Ready() if not self._ready.done():
                self._ready.set_result("")
            case Unusable(reason) if not self._ready.done():
                self._ready.set_result(reason)
            case Heartbeat(silent):
                limit = self._timings.engine_silent_for
                if silent > (limit if self._planned else min(limit, self._timings.plan_within)):
                    self.kill(f"its engine has not touched its watch for {silent:.0f} s")
            case Planned(storyboard) if self._listener:
                self._planned = True
                self._listener.on_storyboard(storyboard)
            case Reported(fraction) if self._listener:
                self._listener.on_progress(fraction)
            case Remember(data) if self._listener and self._job:
                if await self._listener.remember(data):
                    self._send(Acknowledgement())
                else:
                    self.stop(self._job)
            case (Finished() | Failed() | Halted()) as outcome if self._outcome and not self._outcome.done():
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
    """`workers` child processes of this service. `command` starts one; `scratch` is a folder that nothing else uses."""

    def __init__(
        self, *, workers: int, engine: str, storage: str, scratch: Path, command: Sequence[str] = WORKER_COMMAND,
        timings: Timings = DEFAULT_TIMINGS,
    ) -> None:  # fmt: skip
        self._count = workers
        self._engine = engine
        self._storage = storage
        self._scratch = scratch
        self._command = command
        self._timings = timings
        self._workers: dict[int, LocalWorker] = {}
        self._free: asyncio.Queue[LocalWorker] = asyncio.Queue()
        self._supervisors: list[asyncio.Task[None]] = []
        self._errors: dict[int, str] = {}  # worker number -> why it cannot be used

    async def start(self) -> None:
        """See `fleet.Fleet`."""
        await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)
        self._supervisors = [asyncio.create_task(self._keep_worker_running(number)) for number in range(self._count)]

    async def acquire_worker(self) -> LocalWorker:
        """See `fleet.Fleet`."""
        while True:
            worker = await self._free.get()
            if not worker.ended.is_set():
                return worker

    async def stop(self) -> None:
        """See `fleet.Fleet`."""
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        for worker in self._workers.values():
            worker.kill("the service goes down")
            await worker.ended.wait()
        self._workers.clear()
        await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)

    def health(self) -> FleetHealth:
        """See `fleet.Fleet`."""
        ready = sum(worker.is_ready for worker in self._workers.values())
        return FleetHealth(workers=self._count, ready=ready, error=next(iter(self._errors.values()), ""))

    async def _keep_worker_running(self, number: int) -> None:
        """Start worker `number`, and start it again whenever it has ended."""
        failures = 0
        while True:
            scratch = self._scratch / new_id()  # a new one: a worker of a killed service may still write to its own
            try:
                await self._run_worker(number, scratch)
                failures = 0
                log.warning("a worker ended and is replaced", worker=number)
            except (OSError, Misconfigured) as error:
                pauses = self._timings.restart_after
                pause = pauses[min(failures, len(pauses) - 1)]
                failures += 1
                self._errors[number] = str(error)
                log.error("a worker cannot be used", worker=number, reason=str(error), retry_after=pause)
                await asyncio.sleep(pause)
            finally:
                await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)

    async def _run_worker(self, number: int, scratch: Path) -> None:
        """Start a worker, watch it until it has ended. Raises OSError or Misconfigured when it never became ready."""
        await asyncio.to_thread(scratch.mkdir, parents=True)
        setup = Setup(
            engine=self._engine,
            storage=self._storage,
            scratch=str(scratch),
            heartbeat_every=self._timings.worker_heartbeat_every,
            report_every=self._timings.worker_report_every,
            plan_within=self._timings.plan_within,
        )
        worker = self._workers[number] = await LocalWorker.spawn(
            self._command, setup, number=number, free=self._free, timings=self._timings
        )
        error = await worker.wait_until_ready()
        if error:
            worker.kill(error)
            await worker.ended.wait()
            raise Misconfigured(error)
        self._errors.pop(number, None)
        worker.release()
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
