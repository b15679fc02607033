"""Tasks and records for tests of the record and the modules that use it."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from vivant.record import lanes, tables, tasks
from vivant.record.database import Record
from vivant.record.ids import new_id
from vivant.record.tasks import Claim
from vivant.request import Brief, Tier
from vivant.task import Artifact, Status, Task

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARTIFACT = Artifact(
    path="tasks/x/1/clip.mp4", size=1, sha256="0" * 64, width=864, height=496, frames=97, has_audio=True
)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def open_record(folder: Path) -> Record:
    return Record(f"sqlite:///{folder / 'vivant.db'}")


def a_task(*, key_id: str = "ann", tier: Tier = Tier.DEFAULT, engine: str = "testcard", **brief: Any) -> Task:
    """A queued task of 4 s at 480p, created at noon."""
    full = Brief(**{"prompt": "a lake", "resolution": "480p", "seconds": 4, "tier": tier, **brief})
    return Task(
        id=new_id(),
        key_id=key_id,
        status=Status.QUEUED,
        request=full.resolve(640, 480, has_last_frame=False),
        engine=engine,
        created_at=NOON,
    )


def insert_task(connection: Connection, *, stored_bytes: int = 0, **what: Any) -> Task:
    task = a_task(**what)
    tasks.insert_queued(connection, task, stored_bytes=stored_bytes)
    return task


def claim_task(connection: Connection, *, owner: str = "boot-1", seconds: float = 1) -> Claim:
    claim = tasks.claim(connection, owner=owner, now=at(seconds))
    assert claim is not None
    return claim


def status_of(connection: Connection, task: Task) -> Status:
    return tasks.get(connection, task.id).status


def check_invariants(connection: Connection) -> None:
    """What must hold after every transaction."""
    counted: dict[tuple[str, str], dict[str, int]] = {}
    columns = tables.tasks.c
    for row in connection.execute(select(columns.tier, columns.key_id, columns.status, columns.tokens)):
        lane = counted.setdefault((row.tier, row.key_id), defaultdict(int))
        lane[row.status] += 1
        lane[f"{row.status}_tokens"] += row.tokens
    for name, counts in lanes.read_counts(connection).items():
        rows = counted.pop(name, {})
        live = ("queued", "running", "queued_tokens", "running_tokens")
        assert {column: getattr(counts, column) for column in live} == {column: rows.get(column, 0) for column in live}
    assert not counted, "lanes without a row"
    assert lanes.recount(connection) == 0
    succeeded = set(connection.execute(select(columns.id).where(columns.status == "succeeded")).scalars())
    billed = list(connection.execute(select(tables.usage.c.task_id)).scalars())
    assert sorted(billed) == sorted(succeeded)
    ended_without_time = (
        select(func.count())
        .select_from(tables.tasks)
        .where((columns.status.in_(["queued", "running"])) != columns.ended_at.is_(None))
    )
    assert connection.execute(ended_without_time).scalar_one() == 0
