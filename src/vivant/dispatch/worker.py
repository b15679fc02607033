"""The program inside one worker: a process of its own in which one engine does one job at a time. It uses its standard
streams (messages.py) and the storage; it has no database, and reaches no network but the server behind its engine.

The process ends when its command stream ends, so it cannot outlive the service that started it. It runs in a session
of its own and ignores SIGINT and SIGTERM: a Ctrl-C in a terminal reaches every process of the terminal, and whether a
running job may finish is the dispatcher's decision.

    python -m vivant.dispatch.worker
"""

from __future__ import annotations

import contextlib
import errno
import gc
import math
import os
import queue
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final

from vivant.dispatch.messages import (
    Acknowledgement,
    Command,
    Entered,
    Failed,
    Finished,
    Halted,
    Heartbeat,
    Job,
    Planned,
    Ready,
    Remember,
    Reported,
    Setup,
    Stop,
    Unusable,
    WorkerEvent,
    decode_command,
    encode_line,
)
from vivant.dispatch.silence import Silence
from vivant.engines.base import EngineStoryboard, NullWatch
from vivant.errors import EngineFailed, OutOfMemory, ScratchFailed, Stopped, StorageFailed, VivantError
from vivant.media import U8
from vivant.memory import limit_arenas, peak_bytes, return_free_memory, trim_heap
from vivant.private_files import keep_files_private
from vivant.request import VideoRequest
from vivant.task import Phase

NICENESS: Final = 5  # added to the process's niceness: answering a poll goes before drawing a frame
OOM_SCORE: Final = 500  # when memory runs out Linux shall end a worker, which is replaced, and not the service
MEMORY_SHARE: Final = 0.85  # of the machine's memory that the data of one worker may take


class Channel:
    """Commands in, events out. A thread that does no other work reads the commands, so a stop always arrives."""

    def __init__(self, commands: BinaryIO, events: BinaryIO) -> None:
        self._commands = commands
        self._events = events
        self._writing = threading.Lock()
        self.memory_limit = _memory_limit()  # bytes
        self.jobs: queue.SimpleQueue[tuple[Job, WorkerWatch]] = queue.SimpleQueue()
        self.watch: WorkerWatch | None = None  # of the running job
        self.setup = self._receive_setup()

    def _receive_setup(self) -> Setup:
        """The first command. Raises SystemExit when there is none."""
        line = self._commands.readline()
        first = decode_command(line) if line else None
        if not isinstance(first, Setup):
            raise SystemExit("this program is started by a dispatcher, which sends a setup first")
        return first

    def send(self, event: WorkerEvent) -> None:
        """Write the event. When the reader is gone, the process ends."""
        try:
            with self._writing:
                self._events.write(encode_line(event))
                self._events.flush()
        except OSError:
            _exit_now()

    def read_commands(self) -> None:
        """Handle commands until the stream ends; then the process ends."""
        try:
            for line in self._commands:
                self._handle(decode_command(line))
        finally:
            _exit_now()

    def _handle(self, command: Command) -> None:
        watch = self.watch
        match command:
            case Job():
                # Set here and not by the main thread, so that a stop right behind the job finds its watch.
                self.watch = WorkerWatch(self, command)
                self.jobs.put((command, self.watch))
            case Stop(task_id, attempt) if watch and watch.is_for(task_id, attempt):
                watch.stop()
            case Acknowledgement() if watch:
                watch.acknowledge()

    def send_heartbeats(self) -> None:
        """Send a heartbeat at every interval, and end the process when it has used more memory than it may."""
        while True:
            watch = self.watch
            if watch:
                watch.send_report()
            self.send(Heartbeat(silent=watch.seconds_since_touch() if watch else 0.0))
            if peak_bytes() > self.memory_limit:  # checked because macOS enforces no limit
                sys.stderr.write(f"this worker took more than {self.memory_limit >> 20} MiB and ends\n")
                sys.stderr.flush()
                _exit_now()
            time.sleep(self.setup.heartbeat_every)


class WorkerWatch:
    """Implements `engines.base.Watch` for one job: sends reports to the dispatcher, knows whether it must stop.

    The engine's threads call `report`, `raise_if_stopping` and `remember`. A report that comes too soon after the last
    one is sent with the next heartbeat, or when the job ends, unless a later one replaces it: no last word is lost.
    """

    def __init__(self, channel: Channel, job: Job) -> None:
        self._channel = channel
        self._job = job
        self._stopping = threading.Event()
        self._answered = threading.Event()
        self._touched_at = self._looked_at_touch = time.monotonic()  # when the engine last called
        self._silence = Silence(longest_gap=channel.setup.heartbeat_every * 4, now=self._touched_at)
        self._plan_by = math.inf  # seconds of the monotonic clock, while the job is being planned
        self._reporting = threading.Lock()
        self._fraction = self._sent = 0.0
        self._sent_at = 0.0

    def report(self, fraction: float, preview: U8 | None = None) -> None:
        now = self._touched_at = time.monotonic()
        with self._reporting:
            self._fraction = max(self._fraction, min(fraction, 1.0))
        if now - self._sent_at >= self._channel.setup.report_every:
            self.send_report()

    def send_report(self) -> None:
        """Send the fraction done, unless it has been sent."""
        with self._reporting:
            if self._fraction > self._sent:
                self._sent, self._sent_at = self._fraction, time.monotonic()
                self._channel.send(Reported(self._sent))

    def raise_if_stopping(self) -> None:
        self._touched_at = time.monotonic()
        if self._stopping.is_set():
            raise Stopped
        if self._touched_at > self._plan_by:
            raise EngineFailed(f"The clip was not planned within {self._channel.setup.plan_within:g} s.")

    def enter(self, phase: Phase) -> None:
        """The job goes on with this phase."""
        self.raise_if_stopping()
        self._plan_by = time.monotonic() + self._channel.setup.plan_within if phase is Phase.PLANNING else math.inf
        trim_heap()  # what the last phase took is not needed in this one
        self._channel.send(Entered(phase))

    def remember(self, data: Mapping[str, Any]) -> None:
        self._answered.clear()
        self.raise_if_stopping()
        self._channel.send(Remember(dict(data)))
        self._answered.wait()
        self.raise_if_stopping()

    @property
    def remembered(self) -> Mapping[str, Any]:
        return self._job.remembered

    def is_for(self, task_id: str, attempt: int) -> bool:
        return (self._job.task_id, self._job.attempt) == (task_id, attempt)

    def stop(self) -> None:
        self._stopping.set()
        self._answered.set()

    def acknowledge(self) -> None:
        self._answered.set()

    def seconds_since_touch(self) -> float:
        """Called with every heartbeat."""
        if self._touched_at != self._looked_at_touch:
            self._looked_at_touch = self._touched_at
            self._silence.end()
        return self._silence.measure(time.monotonic())


def main() -> None:
    """Set up the engine, then do jobs until the command stream ends."""
    _limit_process()
    channel = _open_channel()
    setup = channel.setup
    tempfile.tempdir = setup.scratch  # films of servers are large, and what is left behind there is deleted
    threading.Thread(target=channel.read_commands, name="commands", daemon=True).start()
    threading.Thread(target=channel.send_heartbeats, name="heartbeats", daemon=True).start()
    try:
        # Imported here, so that an engine that cannot be imported is reported like one that cannot be set up.
        from vivant.engines.registry import load_engine
        from vivant.generate import make_artifact
        from vivant.storage.artifacts import Artifacts

        artifacts = Artifacts(setup.storage, within=setup.store_within)
        engine = load_engine(setup.engine, setup.options)
        engine.setup()
        engine.probe(NullWatch())
    except Exception as error:
        channel.send(Unusable(f"{type(error).__name__}: {error}"))
        raise SystemExit(1) from error
    return_free_memory()
    gc.freeze()  # what was loaded stays, so that later collections need not look at it
    channel.send(Ready(engine.name, engine.version))

    while True:
        job, watch = channel.jobs.get()

        def tell_plan(board: EngineStoryboard) -> None:
            channel.send(Planned({**board.to_data(), "explanation": engine.explain(board)}))

        try:
            Path(setup.scratch).mkdir(parents=True, exist_ok=True)  # something that cleans up may have deleted it
            with TemporaryDirectory(dir=setup.scratch, ignore_cleanup_errors=True) as scratch:
                made = make_artifact(
                    VideoRequest.from_data(job.request),
                    engine,
                    artifacts,
                    watch,
                    task_id=job.task_id,
                    attempt=job.attempt,
                    scratch=Path(scratch),
                    on_plan=tell_plan,
                    on_phase=watch.enter,
                )
            outcome: WorkerEvent = Finished(made.artifact, dict(made.report))
        except Stopped:
            outcome = Halted()
        except VivantError as error:
            if isinstance(error, StorageFailed):
                sys.stderr.write(f"{error} {error.detail}\n")  # for the log: callers are not told the detail
            recycle = isinstance(error, EngineFailed) and error.recycle
            outcome = Failed(error.code, str(error), error.retryable, recycle)
        except OSError as error:  # engines write no files, so the disk failed: full, read-only or gone
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            text = f"A temporary file could not be written: {os.strerror(error.errno or errno.EIO)}."
            outcome = Failed(ScratchFailed.code, text, retryable=True)
        except MemoryError:
            sys.excepthook(*sys.exc_info())
            outcome = Failed(OutOfMemory.code, str(OutOfMemory()), retryable=False, recycle=True)
        except Exception as error:  # noqa: BLE001 - an engine may raise anything, and a worker outlives its jobs
            sys.excepthook(*sys.exc_info())
            outcome = Failed(EngineFailed.code, f"The engine failed: {type(error).__name__}: {error}.", retryable=False)
        channel.watch = None
        watch.send_report()
        channel.send(outcome)
        if isinstance(outcome, Failed) and outcome.recycle:
            _exit_now()  # and the fleet starts another worker
        return_free_memory()


def _open_channel() -> Channel:
    """Keep the standard streams for messages: what anything in this process prints goes to standard error instead."""
    commands, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr  # line buffered: what a job prints is logged before the job's outcome
    return Channel(commands, events)


def _limit_process() -> None:
    """Ignore signals meant for the service, give the service precedence, write no core dumps, keep files private, and
    limit the memory.
    """
    keep_files_private()
    limit_arenas()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = _memory_limit() if hard == resource.RLIM_INFINITY else min(_memory_limit(), hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
        with contextlib.suppress(OSError):  # /proc is not always there, and the worker can do without it
            Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))


def _memory_limit() -> int:
    """Bytes that one worker may take."""
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * MEMORY_SHARE)


def _exit_now() -> None:
    """End this process at once, and every process it has started."""
    if os.getsid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()
