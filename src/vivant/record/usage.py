"""What succeeded tasks cost: one row each, written in the transaction of the success. Etas are estimated from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select

from vivant.record.tables import usage

RECENT: Final = 20  # tasks that an estimate is based on


def insert_usage(
    connection: Connection, row: Row[Any], *, report: Mapping[str, Any], run_seconds: float, now: datetime
) -> None:
    """Insert the usage of a succeeded task. `row`: its row of `tasks`, read while it was running. report: what its
    engine told; `cost` in it, {"amount", "currency"}, is what a provider charges."""
    cost, currency = _read_cost(report)
    connection.execute(
        insert(usage).values(
            task_id=row.id,
            key_id=row.key_id,
            tier=row.tier,
            engine=row.engine,
            tokens=row.tokens,
            run_seconds=run_seconds,
            settled_at=now,
            cost=cost,
            cost_currency=currency,
        )
    )


def _read_cost(report: Mapping[str, Any]) -> tuple[float | None, str | None]:
    cost = report.get("cost")
    amount = cost.get("amount") if isinstance(cost, Mapping) else None
    if not isinstance(amount, int | float) or isinstance(amount, bool) or not math.isfinite(amount):
        return None, None
    currency = cost.get("currency") if isinstance(cost, Mapping) else None
    return float(amount), str(currency)[:8] if currency else None


def seconds_per_token(connection: Connection, engine: str) -> dict[int, float]:
    """Seconds of work per token of recent tasks: tokens of a task -> mean; 0 -> mean over all. Empty: no history."""
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
