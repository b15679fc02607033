"""What succeeded tasks cost: one row each, written with the task's last move. Also the measured pace behind an eta."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select

from vivant.record.tables import usage

RECENT: Final = 20  # tasks that a pace is measured over


def insert_usage(connection: Connection, row: Row[Any], *, now: datetime) -> None:
    """The bill of the task in this row of `tasks`, as it stood while it ran."""
    connection.execute(
        insert(usage).values(
            task_id=row.id,
            key_id=row.key_id,
            tier=row.tier,
            engine=row.engine,
            tokens=row.tokens,
            run_seconds=max(0.0, (now - row.started_at).total_seconds()),
            settled_at=now,
        )
    )


def seconds_per_token(connection: Connection, engine: str) -> dict[int, float]:
    """Recent seconds of work per token, by size in tokens; under 0 the mean over all sizes. Empty: no history."""
    recent = (
        select(usage.c.tokens, usage.c.run_seconds)
        .where(usage.c.engine == engine)
        .order_by(usage.c.settled_at.desc())
        .limit(RECENT)
        .subquery()
    )
    by_size = connection.execute(
        select(recent.c.tokens, func.sum(recent.c.run_seconds), func.count()).group_by(recent.c.tokens)
    ).all()
    if not by_size:
        return {}
    pace = {tokens: seconds / (tokens * count) for tokens, seconds, count in by_size}
    return {**pace, 0: sum(s for _, s, _ in by_size) / sum(t * n for t, _, n in by_size)}
