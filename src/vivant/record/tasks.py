"""The life of a task in the record. Every transition is one UPDATE that names the state and attempt that the task must
be in, so of two concurrent ones one fails. The lane's counts and, at success, the usage row change in the same
transaction.

These functions take an open connection and do not commit; `Record.write` does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, or_, select, update

from vivant.errors import TaskNotFound, UnreadableTask
from vivant.record import lanes, usage
from vivant.record.tables import tasks
from vivant.request import VideoRequest
from vivant.task import (
    DEATHS_UNTIL_FAILURE,
    INTERRUPTIONS_UNTIL_FAILURE,
    Artifact,
    Loss,
    Status,
    Task,
    check_transition,
)

log = structlog.get_logger()

AHEAD_AT_MOST: Final = 1000  # tasks counted

_LIVE: Final = (Status.QUEUED.value, Status.RUNNING.value)

# Built once, as every poll runs them.
_BY_ID: Final = select(tasks).where(tasks.c.id == bindparam("task_id"))
_ROWS_AHEAD: Final = (
    select(tasks.c.tokens)
    .where(
        tasks.c.status == Status.QUEUED.value,
        tasks.c.tier == bindparam("in_tier"),
        tasks.c.key_id == bindparam("of_key"),
        tasks.c.id < bindparam("before"),
    )
    .limit(AHEAD_AT_MOST)
    .subquery()
)
_TOKENS_AHEAD: Final = select(func.coalesce(func.sum(_ROWS_AHEAD.c.tokens), 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A running task claimed by the dispatcher `owner`. It holds as long as (task.id, task.attempt, owner) do."""

    task: Task
    owner: str  # boot id
    remembered: Mapping[str, Any]  # what an earlier attempt stored for this one

    def __post_init__(self) -> None:
        given: Any = self  # whatever the annotations say
        if not isinstance(given.task, Task) or given.task.status is not Status.RUNNING:
            raise ValueError(f"A claim holds a running task, got {given.task!r}.")
        if type(given.owner) is not str or not given.owner:
            raise ValueError(f"A claim has an owner, got {given.owner!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a claimed task has come, and its storyboard if it is new since the last report."""

    claim: Claim
    fraction: float  # 0..1
    storyboard: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        given: Any = self.fraction  # whatever the annotations say
        if not isinstance(given, float | int) or isinstance(given, bool) or not 0 <= given <= 1:
            raise ValueError(f"fraction must be a number from 0 to 1, got {given!r}.")


# -- creating and finding ------------------------------------------------------------------------------------------


def insert_queued(connection: Connection, task: Task, *, stored_bytes: int = 0) -> None:
    """Insert a task that waits in its lane from now on. stored_bytes: of its pictures."""
    request = task.request
    connection.execute(
        insert(tasks),
        {
            "id": task.id,
            "key_id": task.key_id,
            "tier": request.tier.value,
            "status": Status.QUEUED.value,
            "request": request.to_data(),
            "tokens": request.canvas.tokens,
            "engine": task.engine,
            "created_at": task.created_at,
            "expires_at": task.created_at + timedelta(seconds=request.expires_after),
            "tags": task.tags,
            "stored_bytes": stored_bytes,
        },
    )
    lanes.update_counts(
        connection,
        request.tier.value,
        task.key_id,
        at=None,
        to=Status.QUEUED,
        tokens=request.canvas.tokens,
        stored_bytes=stored_bytes,
    )


def get(connection: Connection, task_id: str, *, key_id: str | None = None) -> Task:
    """The task. Raises TaskNotFound, also for the task of another key when `key_id` is given; UnreadableTask."""
    row = connection.execute(_BY_ID, {"task_id": task_id}).one_or_none()
    if row is None or (key_id is not None and row.key_id != key_id):
        raise TaskNotFound(f"There is no task {task_id!r}.")
    return _task(row)


def list_newest(
    connection: Connection,
    *,
    key_id: str | None = None,
    status: Status | None = None,
    limit: int = 50,
    after: str = "",
) -> list[Task]:
    """Tasks from new to old, of one key or of all (None). `after`: the id of the last task of the page before.

    A task that cannot be read is left out and logged.
    """
    wanted = select(tasks).order_by(tasks.c.id.desc())
    if key_id is not None:
        wanted = wanted.where(tasks.c.key_id == key_id)
    if status is not None:
        wanted = wanted.where(tasks.c.status == status.value)
    found: list[Task] = []
    while len(found) < limit:
        page = wanted.where(tasks.c.id < after) if after else wanted
        rows = connection.execute(page.limit(limit - len(found))).all()
        if not rows:
            break
        for row in rows:
            try:
                found.append(_task(row))
            except UnreadableTask as error:
                log.warning("a task is left out of a list", reason=str(error))
        after = rows[-1].id
    return found


def count_tokens_ahead(connection: Connection, task: Task) -> int:
    """The tokens of the tasks that wait in the same lane ahead of this one, AHEAD_AT_MOST of them at most."""
    lane = {"in_tier": task.request.tier.value, "of_key": task.key_id, "before": task.id}
    return int(connection.execute(_TOKENS_AHEAD, lane).scalar_one())


def count_of_other_engines(connection: Connection, engines: Collection[str]) -> dict[str, int]:
    """How many queued tasks wait for each engine but these."""
    others = (tasks.c.status == Status.QUEUED.value, tasks.c.engine.not_in(list(engines)))
    rows = connection.execute(select(tasks.c.engine, func.count()).where(*others).group_by(tasks.c.engine))
    return {row[0]: row[1] for row in rows}


# -- running --------------------------------------------------------------------------------------------------------


def claim(connection: Connection, *, owner: str, engine: str | None = None, now: datetime) -> Claim | None:
    """Start the oldest task of the lane that goes next, for `owner`. None: no task waits.

    `engine`: only a task that was queued for this one (None: for any); the others wait for a service that runs theirs.
    A task that cannot be read fails at once, and the next one is started: it would hold up all that wait behind it.
    """
    while (task_id := _start_next(connection, owner=owner, engine=engine, now=now)) is not None:
        row = connection.execute(_BY_ID, {"task_id": task_id}).one()
        try:
            remembered = row.remembered if isinstance(row.remembered, dict) else {}
            return Claim(task=_task(row), owner=owner, remembered=remembered)
        except UnreadableTask as error:
            log.error("a task that cannot be read has failed", reason=str(error))
            _fail(connection, row, code=error.code, message=str(error), now=now)
    return None


def _start_next(connection: Connection, *, owner: str, engine: str | None, now: datetime) -> str | None:
    """Start the oldest task of the lane that goes next and return its id. None: no task waits."""
    of_engine = [] if engine is None else [tasks.c.engine == engine]
    while True:
        lane = lanes.take_turn(connection, engine=engine)
        if lane is None:
            return None
        row = connection.execute(
            select(tasks)
            .where(
                tasks.c.status == Status.QUEUED.value,
                tasks.c.tier == lane.tier.value,
                tasks.c.key_id == lane.key_id,
                *of_engine,
            )
            .order_by(tasks.c.id)
            .limit(1)
        ).one_or_none()
        if row is not None:
            break
        lanes.recount(connection)  # its count was wrong, for example because a row was deleted by hand
    lanes.charge(connection, lane, row.tokens)
    done = _transition(
        connection,
        row,
        Status.RUNNING,
        owner=owner,
        attempt=row.attempt + 1,
        started_at=max(now, row.created_at),
        progress=0.0,
    )
    assert done, "the transaction holds the write lock, so the row cannot have changed"
    task_id: str = row.id
    return task_id


def store_progress(connection: Connection, batch: Iterable[Progress]) -> None:
    """Store the progress of claimed tasks; a claim that no longer holds is skipped."""
    for progress in batch:
        values: dict[str, Any] = {"progress": progress.fraction}
        if progress.storyboard is not None:
            values["storyboard"] = progress.storyboard
        connection.execute(update(tasks).where(*_fence(progress.claim)).values(values))


def remember(connection: Connection, held: Claim, data: Mapping[str, Any]) -> bool:
    """Store what the engine wants the next attempt to know. False: the claim no longer holds."""
    return connection.execute(update(tasks).where(*_fence(held)).values(remembered=dict(data))).rowcount == 1


def settle_success(
    connection: Connection,
    held: Claim,
    artifact: Artifact,
    *,
    report: Mapping[str, Any] | None = None,
    run_seconds: float,
    now: datetime,
) -> bool:
    """The task has succeeded; its usage is inserted. report: what the engine tells of making the clip. run_seconds: how
    long the attempt ran, by a monotonic clock.

    False: the claim no longer holds, and nothing changed.
    """
    row = _read_if_held(connection, held)
    if row is None or not _transition(
        connection,
        row,
        Status.SUCCEEDED,
        artifact=asdict(artifact),
        report=dict(report) if report else None,
        progress=1.0,
        ended_at=now,
        files_since=now,
        stored_bytes=row.stored_bytes + artifact.size,
    ):
        return False
    usage.insert_usage(connection, row, report=report or {}, run_seconds=run_seconds, now=now)
    return True


def has_succeeded(connection: Connection, held: Claim) -> bool:
    """Whether the task has ended with the clip of this attempt."""
    of_attempt = (tasks.c.id == held.task.id, tasks.c.attempt == held.task.attempt)
    found = select(tasks.c.id).where(*of_attempt, tasks.c.status == Status.SUCCEEDED.value)
    return connection.execute(found).one_or_none() is not None


def settle_failure(
    connection: Connection, held: Claim, *, code: str, message: str, now: datetime, hand_to: str = ""
) -> bool:
    """The task has failed for good; with `hand_to` it is queued for that engine instead. False: the claim no longer
    holds, and nothing changed."""
    row = _read_if_held(connection, held)
    return row is not None and _fail(connection, row, code=code, message=message, now=now, hand_to=hand_to)


def settle_death(
    connection: Connection, held: Claim, *, code: str, reason: str, now: datetime, hand_to: str = ""
) -> bool:
    """The attempt ended through its worker: `Loss.DEATH`. hand_to: the engine for which the task is queued when this
    was the last attempt. False: the claim no longer holds, and nothing changed."""
    row = _read_if_held(connection, held)
    return row is not None and _lose(connection, row, Loss.DEATH, code=code, reason=reason, now=now, hand_to=hand_to)


def settle_interruption(
    connection: Connection, held: Claim, *, code: str, reason: str, now: datetime, hand_to: str = ""
) -> bool:
    """The attempt ended through the storage, or through the server behind its engine: `Loss.INTERRUPTION`. hand_to: see
    `settle_death`. False: the claim no longer holds."""
    row = _read_if_held(connection, held)
    loss = Loss.INTERRUPTION
    return row is not None and _lose(connection, row, loss, code=code, reason=reason, now=now, hand_to=hand_to)


def hand_over_waiting(
    connection: Connection,
    engine: str,
    find_next: Callable[[VideoRequest], str],
    *,
    reason: str,
    now: datetime,
    at_most: int = 500,
) -> int:
    """Queue the tasks that wait for this engine, the oldest first, for the one that `find_next` says. Returns how many;
    those for which it says none go on waiting."""
    waiting = (tasks.c.status == Status.QUEUED.value, tasks.c.engine == engine)
    moved = 0
    for row in connection.execute(select(tasks).where(*waiting).order_by(tasks.c.id).limit(at_most)).all():
        try:
            to = find_next(VideoRequest.from_data(row.request))
        except ValueError:
            continue  # it fails when it is claimed
        if to:
            same = (tasks.c.id == row.id, tasks.c.attempt == row.attempt, *waiting)
            taken_over = _taken_over(row, to, reason=reason, now=now)
            moved += connection.execute(update(tasks).where(*same).values(taken_over)).rowcount
    return moved


def requeue_lost(connection: Connection, owner: str, attempts: Iterable[tuple[str, int]], *, now: datetime) -> int:
    """Queue again those of these (id, attempt) that `owner` has claimed and, after a failure of its own, does not run.

    That counts as an interruption: the task is not to blame, and one whose end can never be written is not run for
    ever. Returns how many.
    """
    lost = 0
    for task_id, attempt in attempts:
        held = (tasks.c.id == task_id, tasks.c.attempt == attempt, tasks.c.owner == owner)
        row = connection.execute(select(tasks).where(*held, tasks.c.status == Status.RUNNING.value)).one_or_none()
        reason = "The service lost track of it"
        lost += row is not None and _lose(connection, row, Loss.INTERRUPTION, code="INTERNAL", reason=reason, now=now)
    return lost


def requeue(connection: Connection, held: Claim, *, now: datetime) -> bool:
    """Queue the task again; nothing is counted: `Loss.STOP`. False: the claim no longer holds, and nothing changed."""
    row = _read_if_held(connection, held)
    return row is not None and _lose(connection, row, Loss.STOP, now=now)


def requeue_abandoned(
    connection: Connection, owners: Iterable[str] | None = None, *, loss: Loss = Loss.INTERRUPTION, now: datetime
) -> int:
    """Queue again the tasks claimed by these dispatchers (None: by any), which run them no more. Returns how many.

    loss: how the dispatchers ended; a STOP if they did so in good order.
    """
    running = select(tasks).where(tasks.c.status == Status.RUNNING.value)
    if owners is not None:
        running = running.where(tasks.c.owner.in_(list(owners)))
    return sum(
        _lose(connection, row, loss, code="INTERRUPTED_TOO_OFTEN", reason="the service ended under it", now=now)
        for row in connection.execute(running).all()
    )


def list_running_attempts(connection: Connection, owner: str) -> set[tuple[str, int]]:
    """(id, attempt) of the running tasks claimed by `owner`."""
    rows = connection.execute(
        select(tasks.c.id, tasks.c.attempt).where(tasks.c.status == Status.RUNNING.value, tasks.c.owner == owner)
    )
    return {(row.id, row.attempt) for row in rows}


# -- ending early ---------------------------------------------------------------------------------------------------


def cancel(connection: Connection, task_id: str, *, key_id: str | None = None, now: datetime) -> Task:
    """Cancel a queued or running task. Raises TaskNotFound, or IllegalTransition when it has ended already."""
    while True:
        task = get(connection, task_id, key_id=key_id)
        check_transition(task.id, task.status, Status.CANCELLED)
        row = connection.execute(select(tasks).where(tasks.c.id == task_id)).one()
        if _transition(
            connection,
            row,
            Status.CANCELLED,
            error_code="CANCELLED",
            error_message="The task was cancelled.",
            ended_at=now,
            files_since=now,
        ):
            return get(connection, task_id)


def find_due(connection: Connection, *, now: datetime, at_most: int = 500) -> list[str]:
    """Ids of queued and running tasks past their expiry."""
    return list(
        connection.execute(
            select(tasks.c.id).where(tasks.c.status.in_(_LIVE), tasks.c.expires_at <= now).limit(at_most)
        ).scalars()
    )


def expire(connection: Connection, ids: Iterable[str], *, engines: Collection[str] = (), now: datetime) -> int:
    """Expire those of these tasks that are queued or running. Returns how many.

    `engines`: those that this service runs; a task that waited for another is told so.
    """

    def reason(row: Row[Any]) -> str:
        text = "The task did not end within the time it was given."
        other = engines and row.engine not in engines and row.status == Status.QUEUED.value
        ours = ", ".join(map(repr, engines))
        return f"{text} It waited for the engine {row.engine!r}; the service runs {ours}." if other else text

    rows = connection.execute(select(tasks).where(tasks.c.id.in_(list(ids)), tasks.c.status.in_(_LIVE))).all()
    return sum(
        _transition(
            connection,
            row,
            Status.EXPIRED,
            error_code="EXPIRED",
            error_message=reason(row),
            ended_at=now,
            files_since=now,
        )
        for row in rows
    )


# -- files of ended tasks -------------------------------------------------------------------------------------------


def list_with_old_files(connection: Connection, *, before: datetime, at_most: int = 200, skip: int = 0) -> list[str]:
    """Ids of tasks that ended before this time and still have files, the oldest first, without the first `skip`."""
    return list(
        connection.execute(
            select(tasks.c.id)
            .where(tasks.c.files_since.is_not(None), tasks.c.files_since < before)
            .order_by(tasks.c.files_since, tasks.c.id)
            .offset(skip)
            .limit(at_most)
        ).scalars()
    )


def count_with_files(connection: Connection) -> int:
    """How many tasks must have files in the store: the pictures of live ones, and the clips of succeeded ones."""
    with_clip = tasks.c.files_since.is_not(None) & (tasks.c.status == Status.SUCCEEDED.value)
    with_files = or_(tasks.c.status.in_(_LIVE), with_clip)
    return int(connection.execute(select(func.count()).select_from(tasks).where(with_files)).scalar_one())


def mark_files_deleted(connection: Connection, ids: Iterable[str]) -> None:
    """The files of these tasks are gone."""
    of_these = tasks.c.id.in_(list(ids))
    freed = (
        select(tasks.c.tier, tasks.c.key_id, func.sum(tasks.c.stored_bytes))
        .where(of_these)
        .group_by(tasks.c.tier, tasks.c.key_id)
    )
    for tier, key_id, stored_bytes in connection.execute(freed).all():
        lanes.free_bytes(connection, tier, key_id, stored_bytes)
    connection.execute(update(tasks).where(of_these).values(files_since=None, stored_bytes=0))


def find_unknown(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those of these ids that no task has."""
    wanted = set(ids)
    return wanted - set(connection.execute(select(tasks.c.id).where(tasks.c.id.in_(wanted))).scalars())


# -- helpers --------------------------------------------------------------------------------------------------------


def _transition(connection: Connection, row: Row[Any], to: Status, **changes: Any) -> bool:
    """Take the task from the state in `row` to `to`. False: its state has changed since `row` was read."""
    at = Status(row.status)
    check_transition(row.id, at, to)
    values: dict[str, Any] = {"owner": None, **changes, "status": to.value}
    if "ended_at" in values:  # the system's clock may have been set back meanwhile
        values["ended_at"] = max(values["ended_at"], row.started_at or row.created_at)
        values["remembered"] = None  # there is no next attempt
    updated = connection.execute(
        update(tasks)
        .where(tasks.c.id == row.id, tasks.c.status == row.status, tasks.c.attempt == row.attempt)
        .values(values)
    ).rowcount
    if updated:
        more_bytes = values.get("stored_bytes", row.stored_bytes) - row.stored_bytes
        lanes.update_counts(connection, row.tier, row.key_id, at=at, to=to, tokens=row.tokens, stored_bytes=more_bytes)
    return updated == 1


def _fail(
    connection: Connection, row: Row[Any], *, code: str, message: str, now: datetime, hand_to: str = "", **changes: Any
) -> bool:
    """The task has failed. hand_to: it is queued for this engine instead, with a clean slate."""
    if not code:
        raise ValueError("A failure has an error code.")
    if hand_to:
        taken_over = _taken_over(row, hand_to, reason=message, now=now)
        return _transition(connection, row, Status.QUEUED, progress=0.0, **taken_over)
    return _transition(
        connection,
        row,
        Status.FAILED,
        error_code=code,
        error_message=message,
        ended_at=now,
        files_since=now,
        **changes,
    )


def _lose(
    connection: Connection,
    row: Row[Any],
    loss: Loss,
    *,
    code: str = "",
    reason: str = "",
    now: datetime,
    hand_to: str = "",
) -> bool:
    """The attempt ended before its task did: queue the task again, or fail it when it was lost too often."""
    counts = {
        "deaths": row.deaths + (loss is Loss.DEATH),
        "interruptions": row.interruptions + (loss is Loss.INTERRUPTION),
    }
    for what, at_most in (("deaths", DEATHS_UNTIL_FAILURE), ("interruptions", INTERRUPTIONS_UNTIL_FAILURE)):
        if counts[what] > getattr(row, what) and counts[what] >= at_most:
            message = f"Lost {counts[what]} times while it ran. The last time: {reason.rstrip('.')}."
            return _fail(connection, row, code=code, message=message, now=now, hand_to=hand_to, **counts)
    return _transition(connection, row, Status.QUEUED, progress=0.0, **counts)


def _taken_over(row: Row[Any], to: str, *, reason: str, now: datetime) -> dict[str, Any]:
    """The values of a task that another engine takes over: nothing of the earlier one's work counts any more."""
    earlier = row.fallbacks if isinstance(row.fallbacks, list) else []
    step = {"from": row.engine, "to": to, "reason": reason, "at": now.isoformat()}
    return {
        "engine": to,
        "fallbacks": [*earlier, step],
        "deaths": 0,
        "interruptions": 0,
        "remembered": None,
        "storyboard": None,
    }


def _fence(held: Claim) -> tuple[ColumnElement[bool], ...]:
    """The fence: the task is running, in this attempt, claimed by this owner."""
    return (
        tasks.c.id == held.task.id,
        tasks.c.attempt == held.task.attempt,
        tasks.c.owner == held.owner,
        tasks.c.status == Status.RUNNING.value,
    )


def _read_if_held(connection: Connection, held: Claim) -> Row[Any] | None:
    """The task's row while the claim holds, else None."""
    return connection.execute(select(tasks).where(*_fence(held))).one_or_none()


def _task(row: Row[Any]) -> Task:
    """The task in this row. Raises UnreadableTask for one of another version, a damaged or a contradictory one."""
    try:
        return _read_task(row)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableTask(f"Task {row.id} cannot be read from the record: {error}") from error


def _read_task(row: Row[Any]) -> Task:
    return Task(
        id=row.id,
        key_id=row.key_id,
        status=Status(row.status),
        request=VideoRequest.from_data(row.request),
        engine=row.engine,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        attempt=row.attempt,
        progress=row.progress,
        storyboard=row.storyboard,
        artifact=Artifact(**row.artifact) if row.artifact else None,
        error_code=row.error_code,
        error_message=row.error_message,
        tags=row.tags,
        report=row.report,
        fallbacks=tuple(row.fallbacks or ()),
    )
