"""The protocol between a dispatcher and a worker: JSON, one message per line, over the worker's standard streams.

Commands go to the worker, events come from it. A message with a value that cannot be right raises ValueError when it is
built, and DecodeError when it is read. Messages are plain data, so neither side can make the other run code,
and a worker on another machine can be driven by the same lines.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from vivant.task import Artifact, Phase

MAX_LINE_BYTES: Final = 16 * 2**20  # a storyboard has some kilobytes


class Setup(msgspec.Struct, tag=True, frozen=True):
    """The first command: which engine to load, the storage URL, and the folder for scratch files."""

    engine: str
    storage: str
    scratch: str
    heartbeat_every: float  # seconds, more than 0
    report_every: float  # seconds, more than 0; progress is reported no more often
    plan_within: float  # seconds, more than 0, for a job to be planned
    store_within: float  # seconds, more than 0, for one request to the file store
    options: dict[str, Any] = {}  # settings of the engine's own; they may hold a key, and are never logged

    def __post_init__(self) -> None:
        for name in ("heartbeat_every", "report_every", "plan_within", "store_within"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0, got {getattr(self, name)!r}.")


class Job(msgspec.Struct, tag=True, frozen=True):
    """Make this clip."""

    task_id: str
    attempt: int
    request: dict[str, Any]
    remembered: dict[str, Any]


class Stop(msgspec.Struct, tag=True, frozen=True):
    """Stop this job, if it still runs."""

    task_id: str
    attempt: int


class Acknowledgement(msgspec.Struct, tag=True, frozen=True):
    """The data of the last `Remember` is durable."""


class Ready(msgspec.Struct, tag=True, frozen=True):
    """The engine is set up; the worker accepts jobs."""

    engine: str
    version: str


class Unusable(msgspec.Struct, tag=True, frozen=True):
    """The engine could not be set up; the worker ends."""

    reason: str


class Heartbeat(msgspec.Struct, tag=True, frozen=True):
    """Sent every `heartbeat_every` seconds. silent: seconds since the engine called its watch; 0 between jobs."""

    silent: float


class Entered(msgspec.Struct, tag=True, frozen=True):
    """The job goes on with this phase. It begins in the first without saying so."""

    phase: Phase


class Planned(msgspec.Struct, tag=True, frozen=True):
    """The engine has planned the job. storyboard: its plain data, with the explanation in English added."""

    storyboard: dict[str, Any]


class Reported(msgspec.Struct, tag=True, frozen=True):
    """How much of the job is done, 0..1."""

    fraction: float

    def __post_init__(self) -> None:
        if not 0 <= self.fraction <= 1:
            raise ValueError(f"fraction: must be from 0 to 1, got {self.fraction!r}.")


class Remember(msgspec.Struct, tag=True, frozen=True):
    """Make this data durable for the next attempt; the engine waits for the `Acknowledgement`."""

    data: dict[str, Any]


class Finished(msgspec.Struct, tag=True, frozen=True):
    """The clip is in storage. report: what the engine tells of making it, plain data."""

    artifact: Artifact
    report: dict[str, Any] = {}


class Failed(msgspec.Struct, tag=True, frozen=True):
    """The job failed. retryable: another attempt may succeed. recycle: the worker ends now, and is replaced."""

    code: str
    message: str
    retryable: bool
    recycle: bool = False

    def __post_init__(self) -> None:
        if not self.code:
            raise ValueError("code: must not be empty.")


class Halted(msgspec.Struct, tag=True, frozen=True):
    """The job was stopped by a `Stop`, or never began."""


class Died(msgspec.Struct, tag=True, frozen=True):
    """The process of the worker ended or was killed while it ran the job. Made by the dispatcher's side, never sent."""

    reason: str


Command = Setup | Job | Stop | Acknowledgement
WorkerEvent = Ready | Unusable | Heartbeat | Entered | Planned | Reported | Remember | Finished | Failed | Halted
Outcome = Finished | Failed | Halted | Died

_encoder = msgspec.json.Encoder()
_commands = msgspec.json.Decoder(Command)
_events = msgspec.json.Decoder(WorkerEvent)


def encode_line(message: Command | WorkerEvent) -> bytes:
    return _encoder.encode(message) + b"\n"


def decode_command(line: bytes) -> Command:
    """Raises msgspec.DecodeError for a line that is no command."""
    command: Command = _commands.decode(line)
    return command


def decode_event(line: bytes) -> WorkerEvent:
    """Raises msgspec.DecodeError for a line that is no event."""
    event: WorkerEvent = _events.decode(line)
    return event
