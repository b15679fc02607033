"""Which lane goes next. Every (tier, key) is a lane with a virtual time: the tokens of work it was given so far. The
lane that was given least goes next, so a key with a thousand waiting tasks does not delay a key with one. A lane that
was idle continues at the tier's present virtual time and so gets no credit for its idle time. When nothing of a tier
waits or runs, its virtual time rises to that of the lane that was given most, so that no lane owes work to others that
were not there (start-time fair queueing; Goyal, Vin and Cheng, 1996). Every start is charged: a task that is started
again takes a worker again.

Tasks of the default tier go before flex, but after nine of them in a row a waiting flex task gets the tenth start.
Counts and virtual times are exact: they change in the database transaction that changes the task's state. `recount`
mends what a hand in the database has changed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Final

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)

from vivant.record.tables import lanes, tasks, tiers
from vivant.request import Tier
from vivant.task import Status

log = structlog.get_logger()

FLEX_PASSED_OVER: Final = 9  # default starts in a row that may go past waiting flex work

_HAS_WORK: Final = lanes.c.queued > literal_column("0")  # a literal, so that SQLite uses the partial index

# Built once: compiling these statements for every task would cost more than running them.
_TIERS_TIME: Final = select(tiers.c.virtual_time).where(tiers.c.tier == bindparam("in_tier")).scalar_subquery()
_RETURNS_FROM_IDLE: Final = (
    (bindparam("queued_by", type_=Integer) > 0) & (lanes.c.queued == 0) & (lanes.c.virtual_time < _TIERS_TIME)
)


def _raised(column: str) -> ColumnElement[int]:
    """The column plus the parameter `<column>_by`, and never below 0: a wrong count must not stop a task."""
    raised = lanes.c[column] + bindparam(f"{column}_by", type_=Integer)
    return case((raised < 0, 0), else_=raised)


_COUNTS: Final = ("queued", "running", "queued_tokens", "running_tokens", "stored_bytes")
_THIS_LANE: Final = (lanes.c.tier == bindparam("in_tier"), lanes.c.key_id == bindparam("of_key"))
_UPDATE_COUNTS: Final = (
    update(lanes)
    .where(*_THIS_LANE)
    .values(
        virtual_time=case((_RETURNS_FROM_IDLE, _TIERS_TIME), else_=lanes.c.virtual_time),
        **{column: _raised(column) for column in _COUNTS},
    )
)
_INSERT_LANE: Final = insert(lanes).values(
    tier=bindparam("in_tier"), key_id=bindparam("of_key"), virtual_time=_TIERS_TIME
)
_BUSY: Final = lanes.alias()
_END_BUSY_PERIOD: Final = (  # nothing of the tier waits or runs
    update(tiers)
    .where(
        tiers.c.tier == bindparam("in_tier"),
        ~exists().where(_BUSY.c.tier == bindparam("in_tier"), _BUSY.c.queued > literal_column("0")),
        ~exists().where(_BUSY.c.tier == bindparam("in_tier"), _BUSY.c.running > 0),
    )
    .values(
        virtual_time=func.coalesce(
            select(func.max(lanes.c.virtual_time)).where(lanes.c.tier == bindparam("in_tier")).scalar_subquery(),
            tiers.c.virtual_time,
        )
    )
)


@dataclass(frozen=True, slots=True)
class Lane:
    """The queue of one key in one tier. virtual_time: tokens."""

    tier: Tier
    key_id: str
    virtual_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a lane holds: tasks that wait and run, the tokens of each, and the bytes of its tasks' files."""

    queued: int = 0
    running: int = 0
    queued_tokens: int = 0
    running_tokens: int = 0
    stored_bytes: int = 0


def update_counts(
    connection: Connection, tier: str, key_id: str, *, at: Status | None, to: Status, tokens: int, stored_bytes: int = 0
) -> None:
    """Update the lane's counts for a task of so many tokens that goes from `at` (None: it is new) to `to`.

    stored_bytes: by how much the size of its files changes.
    """
    queued = (to is Status.QUEUED) - (at is Status.QUEUED)
    running = (to is Status.RUNNING) - (at is Status.RUNNING)
    if at is None:
        connection.execute(_END_BUSY_PERIOD, {"in_tier": tier})
    _change(
        connection,
        tier,
        key_id,
        Counts(
            queued=queued,
            running=running,
            queued_tokens=queued * tokens,
            running_tokens=running * tokens,
            stored_bytes=stored_bytes,
        ),
    )


def free_bytes(connection: Connection, tier: str, key_id: str, stored_bytes: int) -> None:
    """So many bytes of the lane's files were deleted."""
    _change(connection, tier, key_id, Counts(stored_bytes=-stored_bytes))


def _change(connection: Connection, tier: str, key_id: str, by: Counts) -> None:
    lane = {"in_tier": tier, "of_key": key_id}
    steps = {f"{column}_by": getattr(by, column) for column in _COUNTS}
    if connection.execute(_UPDATE_COUNTS, {**lane, **steps}).rowcount == 0:
        connection.execute(_INSERT_LANE, lane)
        connection.execute(_UPDATE_COUNTS, {**lane, **steps})


def take_turn(connection: Connection, *, engine: str | None = None) -> Lane | None:
    """The lane that goes next, or None when no task waits. The caller must start the lane's oldest task.

    `engine`: only tasks for this one count (None: for any), and the oldest of them must be started.
    """
    of_flex = tiers.c.tier == Tier.FLEX.value
    passed_over = connection.execute(select(tiers.c.passed_over).where(of_flex).with_for_update()).scalar_one()
    default, flex = (_front_lane(connection, tier, engine) for tier in (Tier.DEFAULT, Tier.FLEX))
    chosen = flex if default is None or (flex is not None and passed_over >= FLEX_PASSED_OVER) else default
    now_passed_over = passed_over + 1 if chosen is default and flex is not None else 0
    if now_passed_over != passed_over:
        connection.execute(update(tiers).where(of_flex).values(passed_over=now_passed_over))
    return chosen


def _front_lane(connection: Connection, tier: Tier, engine: str | None) -> Lane | None:
    """The lane with waiting tasks for this engine that was given least."""
    of_engine = exists().where(
        tasks.c.status == Status.QUEUED.value,
        tasks.c.tier == lanes.c.tier,
        tasks.c.key_id == lanes.c.key_id,
        tasks.c.engine == engine,
    )
    row = connection.execute(
        select(lanes.c.key_id, lanes.c.virtual_time)
        .where(lanes.c.tier == tier.value, _HAS_WORK, *([] if engine is None else [of_engine]))
        .order_by(lanes.c.virtual_time, lanes.c.key_id)
        .limit(1)
    ).one_or_none()
    return Lane(tier, row.key_id, row.virtual_time) if row else None


def charge(connection: Connection, lane: Lane, tokens: int) -> None:
    """Charge a started task's tokens to its lane; the tier's virtual time becomes the lane's at that start."""
    connection.execute(
        update(lanes)
        .where(lanes.c.tier == lane.tier.value, lanes.c.key_id == lane.key_id)
        .values(virtual_time=lanes.c.virtual_time + tokens)
    )
    connection.execute(update(tiers).where(tiers.c.tier == lane.tier.value).values(virtual_time=lane.virtual_time))


def read_counts(connection: Connection) -> dict[tuple[str, str], Counts]:
    """(tier, key) -> what it holds, for every lane that ever had a task."""
    rows = connection.execute(select(lanes))
    return {(row.tier, row.key_id): Counts(**{name: getattr(row, name) for name in _COUNTS}) for row in rows}


def recount(connection: Connection) -> int:
    """Count the tasks, correct every lane that says otherwise, and log each. Returns how many there were.

    The lanes are locked first: whoever changes a task meanwhile waits with its lane, and counts after this.
    """
    connection.execute(select(lanes.c.key_id).order_by(lanes.c.tier, lanes.c.key_id).with_for_update()).all()
    right = count_tasks(connection)
    stored = read_counts(connection)
    wrong = {lane for lane in right.keys() | stored.keys() if right.get(lane, Counts()) != stored.get(lane, Counts())}
    for tier, key_id in sorted(wrong):
        counts = right.get((tier, key_id), Counts())
        log.error("a lane's counts were wrong", tier=tier, key=key_id, were=stored.get((tier, key_id)), are=counts)
        if (tier, key_id) not in stored:
            connection.execute(_INSERT_LANE, {"in_tier": tier, "of_key": key_id})
        of_lane = (lanes.c.tier == tier, lanes.c.key_id == key_id)
        connection.execute(update(lanes).where(*of_lane).values(asdict(counts)))
    return len(wrong)


def count_tasks(connection: Connection) -> dict[tuple[str, str], Counts]:
    """(tier, key) -> what its tasks add up to, for every lane with live tasks or files."""
    live = connection.execute(
        select(tasks.c.tier, tasks.c.key_id, tasks.c.status, func.count().label("tasks"), func.sum(tasks.c.tokens))
        .where(tasks.c.status.in_((Status.QUEUED.value, Status.RUNNING.value)))
        .group_by(tasks.c.status, tasks.c.tier, tasks.c.key_id)
    ).all()
    files = connection.execute(
        select(tasks.c.tier, tasks.c.key_id, func.sum(tasks.c.stored_bytes))
        .where(tasks.c.stored_bytes > literal_column("0"))
        .group_by(tasks.c.tier, tasks.c.key_id)
    ).all()
    found: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for tier, key_id, status, number, tokens in live:
        found[tier, key_id] |= {status: number, f"{status}_tokens": int(tokens)}  # PostgreSQL sums to Decimal
    for tier, key_id, stored_bytes in files:
        found[tier, key_id]["stored_bytes"] = int(stored_bytes)
    return {lane: Counts(**counts) for lane, counts in found.items()}
