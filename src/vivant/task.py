"""The durable record of doing a request, and the table of its legal moves. Pure: no database, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from vivant.errors import IllegalMove
from vivant.request import VideoRequest


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_terminal(self) -> bool:
        return not MOVES[self]


MOVES: Final[dict[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.FAILED, Status.CANCELLED, Status.EXPIRED}),
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

DEATHS_ALLOWED: Final = 3  # workers lost under a live dispatcher before the task fails
STARTS_ALLOWED: Final = 10  # starts in all, counting those that a killed service cut short


def check_move(task_id: str, at: Status, to: Status) -> None:
    """Raise IllegalMove unless a task at `at` may go to `to`."""
    if to not in MOVES[at]:
        raise IllegalMove(f"Task {task_id} is {at}; it cannot become {to}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A finished file in storage, with its facts."""

    path: str  # inside the storage, e.g. tasks/<id>/<attempt>/clip.mp4
    size: int  # bytes
    sha256: str
    width: int
    height: int
    frames: int
    has_audio: bool
    mime: str = "video/mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One row of the record, as the rest of the program sees it. Times are aware UTC datetimes."""

    id: str
    key_id: str  # who asked; "" in open mode
    status: Status
    request: VideoRequest
    engine: str
    created_at: datetime
    started_at: datetime | None = None  # the latest start
    ended_at: datetime | None = None
    attempt: int = 0  # the fence: raised by every claim
    progress: float = 0.0  # 0..1
    storyboard: dict[str, Any] | None = None
    artifact: Artifact | None = None
    error_code: str = ""
    error_message: str = ""
    tags: dict[str, str] = field(default_factory=dict)
