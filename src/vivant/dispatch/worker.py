"""One worker: a process of its own in which one engine does one job at a time. It needs no database and no network,
only its standard streams (messages.py) and the storage.

It ends when its commands end, so it cannot outlive whoever started it. It has a session of its own and lets SIGINT and
SIGTERM pass: whether a job may finish is decided by the dispatcher, not by a signal sent to everybody.

    python -m vivant.dispatch.worker
"""

from __future__ import annotations

import contextlib
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final

from vivant.dispatch.messages import (
    Acknowledgement,
    Command,
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
from vivant.errors import EngineFailed, Stopped, StorageFailed, VivantError
from vivant.media import U8
from vivant.request import VideoRequest

HEARTBEAT_EVERY: Final = 1.0  # seconds
REPORT_EVERY: Final = 0.2  # seconds; a frame may take a millisecond
NICENESS: Final = 5  # steps of niceness: answering a poll goes before drawing a frame
OOM_SCORE: Final = 500  # when memory runs out Linux shall end a worker, which is replaced, and not the service
MEMORY_SHARE: Final = 0.85  # of the machine's memory that one worker's data may take


class Channel:
    """Our end of the conversation. Orders are read by a thread that never blocks on work, so a stop always arrives."""

    def __init__(self, commands: BinaryIO, events: BinaryIO) -> None:
        self._commands = commands
        self._events = events
        self._writing = threading.Lock()
        self.jobs: queue.SimpleQueue[tuple[Job, WorkerWatch]] = queue.SimpleQueue()
        self.watch: WorkerWatch | None = None  # of the job at hand

    def setup(self) -> Setup:
        """The first command. Raises SystemExit when there is none."""
        line = self._commands.readline()
        first = decode_command(line) if line else None
        if not isinstance(first, Setup):
            raise SystemExit("a worker is started by a dispatcher, whose first words are its setup")
        return first

    def send(self, event: WorkerEvent) -> None:
        try:
            with self._writing:
                self._events.write(encode_line(event))
                self._events.flush()
        except OSError:
            _exit_now()  # nobody listens any more

    def read_commands(self) -> None:
        try:
            for line in self._commands:
                self._handle(decode_command(line))
        finally:
            _exit_now()

    def _handle(self, command: Command) -> None:
        watch = self.watch
        match command:
            case Job():
                self.watch = WorkerWatch(self, command)  # here, so that a stop on its heels finds it
                self.jobs.put((command, self.watch))
            case Stop(task_id, attempt) if watch and watch.is_for(task_id, attempt):
                watch.stop()
            case Acknowledgement() if watch:
                watch.acknowledge()

    def send_heartbeats(self) -> None:
        while True:
            watch = self.watch
            self.send(Heartbeat(silent=watch.seconds_since_touch() if watch else 0.0))
            if _peak_memory() > _memory_limit():
                sys.stderr.write(f"this worker took more than {_memory_limit() >> 20} MiB and ends\n")
                sys.stderr.flush()
                _exit_now()
            time.sleep(HEARTBEAT_EVERY)


class WorkerWatch:
    """The watch of one job: passes reports on, and commands to stop in. See `engines.base.Watch`."""

    def __init__(self, channel: Channel, job: Job) -> None:
        self._channel = channel
        self._job = job
        self._stopping = threading.Event()
        self._answered = threading.Event()
        self._touched = time.monotonic()
        self._fraction = 0.0
        self._reported = 0.0  # when

    def report(self, fraction: float, preview: U8 | None = None) -> None:
        now = self._touched = time.monotonic()
        self._fraction = max(self._fraction, min(fraction, 1.0))
        if now - self._reported >= REPORT_EVERY:
            self._reported = now
            self._channel.send(Reported(self._fraction))

    def raise_if_stopping(self) -> None:
        self._touched = time.monotonic()
        if self._stopping.is_set():
            raise Stopped

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
        return time.monotonic() - self._touched


def main() -> None:
    """Set up, then do jobs until the commands end."""
    channel = _open_channel()
    _limit_process()
    setup = channel.setup()
    threading.Thread(target=channel.read_commands, name="commands", daemon=True).start()
    threading.Thread(target=channel.send_heartbeats, name="heartbeats", daemon=True).start()
    try:
        # Imported here: a worker that cannot even import its engine can still say so.
        from vivant.engines.registry import load_engine
        from vivant.generate import make_artifact
        from vivant.storage.artifacts import Artifacts

        artifacts = Artifacts(setup.storage)
        engine = load_engine(setup.engine)
        engine.setup()
    except Exception as error:
        channel.send(Unusable(f"{type(error).__name__}: {error}"))
        raise SystemExit(1) from error
    channel.send(Ready(engine.name, engine.version))

    while True:
        job, watch = channel.jobs.get()
        try:
            with TemporaryDirectory(dir=setup.scratch) as scratch:
                artifact = make_artifact(
                    VideoRequest.from_data(job.request),
                    engine,
                    artifacts,
                    watch,
                    task_id=job.task_id,
                    attempt=job.attempt,
                    scratch=Path(scratch),
                    on_plan=lambda board: channel.send(
                        Planned({**board.to_data(), "explanation": engine.explain(board)})
                    ),
                )
            outcome: WorkerEvent = Finished(asdict(artifact))
        except Stopped:
            outcome = Halted()
        except VivantError as error:
            outcome = Failed(error.code, str(error), error.retryable)
        except OSError as error:  # an engine does not touch disks, so this is ours: full, read-only, gone
            outcome = Failed(
                StorageFailed.code, f"The clip could not be written: {error.strerror or error}.", retryable=True
            )
        except Exception as error:  # noqa: BLE001 - an engine may raise anything, and a worker outlives its jobs
            sys.excepthook(*sys.exc_info())
            outcome = Failed(EngineFailed.code, f"The engine failed: {type(error).__name__}: {error}.", retryable=False)
        channel.watch = None
        channel.send(outcome)


def _open_channel() -> Channel:
    """Standard input and output carry messages; whatever anybody prints goes to standard error, to the log."""
    commands, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr  # which is line buffered: what a job prints is in the log while it is that job's
    return Channel(commands, events)


def _limit_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = _memory_limit() if hard == resource.RLIM_INFINITY else min(_memory_limit(), hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
        with contextlib.suppress(OSError):  # /proc is not always there, and this is a courtesy
            Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))


def _memory_limit() -> int:
    """Bytes that one worker may take."""
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * MEMORY_SHARE)


def _peak_memory() -> int:
    """The most memory in bytes that this process had at once; macOS enforces no limit, so the worker has to watch."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _exit_now() -> None:
    """End at once, with everything this worker has started."""
    if os.getsid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()
