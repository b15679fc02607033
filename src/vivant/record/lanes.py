"""Which lane goes next. Every (tier, key) is a lane with a virtual time: the tokens of work it was given so far. The
lane that was given least goes next, so a key with a thousand waiting tasks does not delay a key with one. A lane that
was idle continues at the tier's present virtual time and so gets no credit for its idle time (start-time fair
queueing; Goyal, Vin and Cheng, 1996).

Tasks of the default tier go before flex, but after nine of them in a row a waiting flex task gets the tenth start.
Counts and virtual times are exact: they change in the database transaction that changes the task's state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Integer, bindparam, case, insert, literal_column, select, update

from vivant.record.tables import lanes, tiers
from vivant.request import Tier
from vivant.task import Status

FLEX_PASSED_OVER: Final = 9  # default starts in a row that may go past waiting flex work

_HAS_WORK: Final = lanes.c.queued > literal_column("0")  # a literal, so that SQLite uses the partial index

# Built once: compiling these statements for every task would cost more than running them.
_TIERS_TIME: Final = select(tiers.c.virtual_time).where(tiers.c.tier == bindparam("in_tier")).scalar_subquery()
_RETURNS_FROM_IDLE: Final = (
    (bindparam("queued_by", type_=Integer) > 0) & (lanes.c.queued == 0) & (lanes.c.virtual_time < _TIERS_TIME)
)
_UPDATE_COUNTS: Final = (
    update(lanes)
    .where(lanes.c.tier == bindparam("in_tier"), lanes.c.key_id == bindparam("of_key"))
    .values(
        queued=lanes.c.queued + bindparam("queued_by"),
        running=lanes.c.running + bindparam("running_by"),
        virtual_time=case((_RETURNS_FROM_IDLE, _TIERS_TIME), else_=lanes.c.virtual_time),
    )
)
_INSERT_LANE: Final = insert(lanes).values(
    tier=bindparam("in_tier"), key_id=bindparam("of_key"), virtual_time=_TIERS_TIME, queued=bindparam("queued")
)


@dataclass(frozen=True, slots=True)
class Lane:
    """The queue of one key in one tier. virtual_time: tokens."""

    tier: Tier
    key_id: str
    virtual_time: int


def update_counts(connection: Connection, tier: str, key_id: str, *, at: Status | None, to: Status) -> None:
    """Update the lane's counts for a task that goes from `at` (None: it is new) to `to`."""
    steps = {
        "queued_by": (to is Status.QUEUED) - (at is Status.QUEUED),
        "running_by": (to is Status.RUNNING) - (at is Status.RUNNING),
    }
    if connection.execute(_UPDATE_COUNTS, {"in_tier": tier, "of_key": key_id, **steps}).rowcount == 0:
        connection.execute(_INSERT_LANE, {"in_tier": tier, "of_key": key_id, "queued": steps["queued_by"]})


def take_turn(connection: Connection) -> Lane | None:
    """The lane that goes next, or None when no task waits. The caller must start the lane's oldest task."""
    of_flex = tiers.c.tier == Tier.FLEX.value
    passed_over = connection.execute(select(tiers.c.passed_over).where(of_flex).with_for_update()).scalar_one()
    default, flex = (_front_lane(connection, tier) for tier in (Tier.DEFAULT, Tier.FLEX))
    chosen = flex if default is None or (flex is not None and passed_over >= FLEX_PASSED_OVER) else default
    now_passed_over = passed_over + 1 if chosen is default and flex is not None else 0
    if now_passed_over != passed_over:
        connection.execute(update(tiers).where(of_flex).values(passed_over=now_passed_over))
    return chosen


def _front_lane(connection: Connection, tier: Tier) -> Lane | None:
    """The lane with waiting tasks that was given least."""
    row = connection.execute(
        select(lanes.c.key_id, lanes.c.virtual_time)
        .where(lanes.c.tier == tier.value, _HAS_WORK)
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


def read_counts(connection: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """(tier, key) -> (queued, running), for every lane that ever had a task."""
    rows = connection.execute(select(lanes.c.tier, lanes.c.key_id, lanes.c.queued, lanes.c.running))
    return {(row.tier, row.key_id): (row.queued, row.running) for row in rows}
