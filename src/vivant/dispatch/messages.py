"""What a dispatcher and a worker say to each other: JSON, one message a line, over the worker's standard streams. Plain
data only, so neither side can make the other run anything, and a worker elsewhere can be driven by the very same lines.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

MAX_LINE_BYTES: Final = 16 * 2**20  # bytes of one line; storyboards are some kilobytes


class Setup(msgspec.Struct, tag=True, frozen=True):
    """First words to a worker: which engine, where files live, where scratch files may lie."""

    engine: str
    storage: str
    scratch: str
    heartbeat_every: float  # seconds
    report_every: float  # seconds; progress is reported no more often


class Job(msgspec.Struct, tag=True, frozen=True):
    """Make this clip."""

    task_id: str
    attempt: int
    request: dict[str, Any]
    remembered: dict[str, Any]


class Stop(msgspec.Struct, tag=True, frozen=True):
    """This job is no longer wanted."""

    task_id: str
    attempt: int


class Acknowledgement(msgspec.Struct, tag=True, frozen=True):
    """What the engine asked to remember is durable."""


class Ready(msgspec.Struct, tag=True, frozen=True):
    """The engine is set up; jobs may come."""

    engine: str
    version: str


class Unusable(msgspec.Struct, tag=True, frozen=True):
    """The engine could not be set up; the worker ends."""

    reason: str


class Heartbeat(msgspec.Struct, tag=True, frozen=True):
    """Sent every `heartbeat_every` seconds. silent: seconds since the engine called its watch; 0 between jobs."""

    silent: float


class Planned(msgspec.Struct, tag=True, frozen=True):
    storyboard: dict[str, Any]


class Reported(msgspec.Struct, tag=True, frozen=True):
    fraction: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Remember(msgspec.Struct, tag=True, frozen=True):
    """Keep this for the next attempt; the engine waits for `Acknowledgement`."""

    data: dict[str, Any]


class Finished(msgspec.Struct, tag=True, frozen=True):
    """The clip is in storage. The fields of `task.Artifact`."""

    artifact: dict[str, Any]


class Failed(msgspec.Struct, tag=True, frozen=True):
    """The job cannot be done; if `retryable`, perhaps later."""

    code: Annotated[str, msgspec.Meta(min_length=1)]
    message: str
    retryable: bool


class Halted(msgspec.Struct, tag=True, frozen=True):
    """The job stopped because it was told to."""


class Died(msgspec.Struct, tag=True, frozen=True):
    """Said about a worker, never by it: its process ended or fell silent."""

    reason: str


Command = Setup | Job | Stop | Acknowledgement
WorkerEvent = Ready | Unusable | Heartbeat | Planned | Reported | Remember | Finished | Failed | Halted
Outcome = Finished | Failed | Halted | Died

_encoder = msgspec.json.Encoder()
_commands = msgspec.json.Decoder(Command)
_events = msgspec.json.Decoder(WorkerEvent)


def encode_line(message: Command | WorkerEvent) -> bytes:
    return _encoder.encode(message) + b"\n"


def decode_command(line: bytes) -> Command:
    command: Command = _commands.decode(line)
    return command


def decode_event(line: bytes) -> WorkerEvent:
    """Raises msgspec.DecodeError for anything a worker cannot mean."""
    event: WorkerEvent = _events.decode(line)
    return event
