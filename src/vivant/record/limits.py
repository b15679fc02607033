"""How many tasks may wait, and how many bytes their files may take, for one key and for all. Checked in the transaction
that inserts a task, so that no number of callers at once gets past a limit.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, func, literal_column, select

from vivant.errors import LimitReached
from vivant.record.tables import lanes
from vivant.request import Tier

GB: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """0 is no limit. queued: tasks that wait; stored: bytes of pictures and clips that are kept.

    Raises ValueError for what is no whole number, at least 0.
    """

    queued_per_key: int = 0
    queued_total: int = 0
    stored_per_key: int = 0
    stored_total: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value: Any = getattr(self, field.name)
            if type(value) is not int or value < 0:
                raise ValueError(f"{field.name} must be a whole number, at least 0; got {value!r}.")


def check_limits(connection: Connection, limits: Limits, *, key_id: str, new_bytes: int = 0) -> None:
    """Raise LimitReached unless the key may queue one more task, whose pictures have `new_bytes`."""
    of_key = lanes.c.tier.in_([tier.value for tier in Tier]) & (lanes.c.key_id == key_id)
    sums = func.coalesce(func.sum(lanes.c.queued), 0), func.coalesce(func.sum(lanes.c.stored_bytes), 0)
    if limits.queued_per_key or limits.stored_per_key:
        queued, stored = connection.execute(select(*sums).where(of_key)).one()
        _check_queued(queued, limits.queued_per_key, "This key has")
        _check_stored(stored + new_bytes, limits.stored_per_key, "the tasks of this key")
    if limits.queued_total:
        waiting = select(sums[0]).where(lanes.c.queued > literal_column("0"))  # a literal: see lanes._HAS_WORK
        _check_queued(connection.execute(waiting).scalar_one(), limits.queued_total, "The service has")
    if limits.stored_total:
        stored = connection.execute(select(sums[1])).scalar_one()
        _check_stored(stored + new_bytes, limits.stored_total, "all tasks")


def _check_queued(queued: int, limit: int, who: str) -> None:
    if limit and queued >= limit:
        raise LimitReached(
            f"{who} {queued} tasks that wait, and {limit} may wait at once. Try again when some have started.",
            retry_after=30,
        )


def _check_stored(stored: int, limit: int, whose: str) -> None:
    if limit and stored > limit:
        raise LimitReached(
            f"The files of {whose} may take {limit / GB:g} GB, and with these pictures they would take"
            f" {stored / GB:.3f} GB. Try again when the files of earlier tasks have been deleted.",
            retry_after=600,
        )
