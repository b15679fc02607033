"""A task, its states and the table of transitions between them. No database, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain
from typing import Any, Final

from vivant.errors import IllegalTransition
from vivant.request import Canvas, VideoRequest


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_terminal(self) -> bool:
        return not TRANSITIONS[self]


class Phase(StrEnum):
    """What a worker does for a running task, in this order."""

    READING = "reading"  # the pictures, out of the file store
    PLANNING = "planning"
    RENDERING = "rendering"
    STORING = "storing"  # the clip, in the file store

    @property
    def uses_store(self) -> bool:
        return self in (Phase.READING, Phase.STORING)

    @property
    def is_after_plan(self) -> bool:
        return self in (Phase.RENDERING, Phase.STORING)


TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED, Status.EXPIRED}),
    Status.RUNNING: frozenset(
        {
            Status.SUCCEEDED,
            Status.FAILED,
            Status.CANCELLED,
            Status.EXPIRED,
            Status.QUEUED,  # back in the queue: its worker or its service died
        }
    ),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.EXPIRED: frozenset(),
}


class Loss(StrEnum):
    """Why an attempt ended before its task did. Only what the task may have caused is counted.

    | loss         | what happened                                                            | counted  | fails at |
    | ------------ | ------------------------------------------------------------------------ | -------- | -------- |
    | DEATH        | its worker process died, hung or could not be used any more              | for it   | the 3rd  |
    | INTERRUPTION | the service died (of memory, say) while the task ran; the storage failed | for it   | the 10th |
    | STOP         | the service stopped in good order; the job was stopped or never began    | for none | never    |
    """

    DEATH = "death"
    INTERRUPTION = "interruption"
    STOP = "stop"


DEATHS_UNTIL_FAILURE: Final = 3
INTERRUPTIONS_UNTIL_FAILURE: Final = 10


def check_transition(task_id: str, at: Status, to: Status) -> None:
    """Raise IllegalTransition unless a task in state `at` may go to `to`."""
    if to not in TRANSITIONS[at]:
        raise IllegalTransition(f"Task {task_id} is {at}; it cannot become {to}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A finished file in storage, with its facts. Raises ValueError for facts that no such file has."""

    path: str  # inside the storage, e.g. tasks/<id>/<attempt>/clip.mp4
    size: int  # bytes
    sha256: str  # 64 lower-case hexadecimal digits
    width: int  # pixels, even
    height: int  # pixels, even
    frames: int
    has_audio: bool
    mime: str = "video/mp4"

    def __post_init__(self) -> None:
        given: Any = self  # whatever the annotations say
        if type(given.path) is not str or not _PATH.fullmatch(given.path):
            raise ValueError(f"path: must be a relative path without '.' and '..', got {given.path!r}.")
        if type(given.size) is not int or given.size < 1:
            raise ValueError(f"size: must be a whole number of bytes, at least 1; got {given.size!r}.")
        if type(given.sha256) is not str or not _SHA256.fullmatch(given.sha256):
            raise ValueError(f"sha256: must be 64 lower-case hexadecimal digits, got {given.sha256!r}.")
        Canvas(given.width, given.height, given.frames)
        if type(given.has_audio) is not bool:
            raise ValueError(f"has_audio: must be true or false, got {given.has_audio!r}.")
        if type(given.mime) is not str or not _MIME.fullmatch(given.mime):
            raise ValueError(f"mime: must be a media type such as video/mp4, got {given.mime!r}.")


_NAME: Final = r"(?!\.\.?(/|$))[^/\x00-\x1f]+"  # of a file or folder, without . and ..
_PATH: Final = re.compile(rf"{_NAME}(/{_NAME})*")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MIME: Final = re.compile(r"[a-z]+/[a-z0-9.+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One row of the record, as the rest of the program sees it. Times are aware datetimes in UTC.

    Raises ValueError for a combination that no sequence of transitions leads to: see `_contradictions`.
    """

    id: str
    key_id: str  # the API key it belongs to; "" in open mode
    status: Status
    request: VideoRequest
    engine: str
    created_at: datetime
    started_at: datetime | None = None  # the latest start; None before the first
    ended_at: datetime | None = None  # None until the task has ended
    attempt: int = 0  # number of starts; the newest alone may settle the task
    progress: float = 0.0  # 0..1
    storyboard: dict[str, Any] | None = None
    artifact: Artifact | None = None  # of a succeeded task
    error_code: str = ""  # of a task that ended without success
    error_message: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    report: dict[str, Any] | None = None  # what its engine told of making the clip
    fallbacks: tuple[dict[str, Any], ...] = ()  # each time another engine took over: from, to, reason, at

    def __post_init__(self) -> None:
        for problem in chain(_wrong_types(self), _contradictions(self)):
            raise ValueError(f"Task {self.id!r}: {problem}.")


def _wrong_types(task: Task) -> Iterator[str]:
    """Values that are wrong by themselves."""
    given: Any = task  # whatever the annotations say
    for name in ("id", "engine"):
        if type(getattr(given, name)) is not str or not getattr(given, name):
            yield f"{name} must be a text that is not empty, got {getattr(given, name)!r}"
    for name in ("key_id", "error_code", "error_message"):
        if type(getattr(given, name)) is not str:
            yield f"{name} must be a text, got {getattr(given, name)!r}"
    for name, kind in (("status", Status), ("request", VideoRequest)):
        if not isinstance(getattr(given, name), kind):
            yield f"{name} must be a {kind.__name__}, got {getattr(given, name)!r}"
    for name in ("created_at", "started_at", "ended_at"):
        moment = getattr(given, name)
        if moment is None and name != "created_at":
            continue
        if not isinstance(moment, datetime) or moment.utcoffset() != _NO_OFFSET:
            yield f"{name} must be an aware datetime in UTC, got {moment!r}"
    if type(given.attempt) is not int or given.attempt < 0:
        yield f"attempt must be a whole number, at least 0; got {given.attempt!r}"
    if not isinstance(given.progress, float | int) or isinstance(given.progress, bool) or not 0 <= given.progress <= 1:
        yield f"progress must be a number from 0 to 1, got {given.progress!r}"
    if given.storyboard is not None and not isinstance(given.storyboard, dict):
        yield f"storyboard must be a dict or None, got {given.storyboard!r}"
    if given.report is not None and not isinstance(given.report, dict):
        yield f"report must be a dict or None, got {given.report!r}"
    if not isinstance(given.fallbacks, tuple) or not all(isinstance(step, dict) for step in given.fallbacks):
        yield f"fallbacks must be a tuple of dicts, got {given.fallbacks!r}"
    if given.artifact is not None and not isinstance(given.artifact, Artifact):
        yield f"artifact must be an Artifact or None, got {given.artifact!r}"
    if not isinstance(given.tags, dict) or not all(type(text) is str for pair in given.tags.items() for text in pair):
        yield f"tags must be a dict of texts, got {given.tags!r}"


def _contradictions(task: Task) -> Iterator[str]:
    """Values that do not fit together."""
    status = task.status
    failed = status.is_terminal and status is not Status.SUCCEEDED
    if (task.started_at is None) != (task.attempt == 0):
        yield f"it has a time of start exactly if it was started, got attempt {task.attempt} and {task.started_at}"
    if status in (Status.RUNNING, Status.SUCCEEDED, Status.FAILED) and task.attempt == 0:
        yield f"a {status} task was started at least once, got attempt 0"
    if (task.ended_at is not None) != status.is_terminal:
        yield f"it has a time of end exactly if it has ended, got {status} and {task.ended_at}"
    if (task.artifact is not None) != (status is Status.SUCCEEDED):
        yield f"it has an artifact exactly if it has succeeded, got {status} and {task.artifact}"
    if (task.error_code != "") != failed:
        yield f"it has an error code exactly if it ended without success, got {status} and {task.error_code!r}"
    if task.error_message and not task.error_code:
        yield f"an error message stands beside an error code, got {task.error_message!r} alone"
    if (status is Status.QUEUED and task.progress != 0) or (status is Status.SUCCEEDED and task.progress != 1):
        yield f"progress is 0 while it waits and 1 when it has succeeded, got {status} and {task.progress!r}"


_NO_OFFSET: Final = timedelta(0)
