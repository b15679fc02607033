"""Which dispatchers are alive. Each has a row with a count that it raises every 5 s. Another one declares it dead when
it has seen that count unchanged for 30 s of its own monotonic clock. So no clocks need to agree, a dispatcher that has
just started or could not reach the database waits 30 s first, and a laptop that slept declares nobody dead.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from vivant.record.tables import dispatchers


def register(connection: Connection, boot_id: str, *, now: datetime) -> None:
    host, pid = socket.gethostname()[:255], os.getpid()
    connection.execute(insert(dispatchers).values(boot_id=boot_id, host=host, pid=pid, started_at=now))


def record_heartbeat(connection: Connection, boot_id: str, *, now: datetime) -> None:
    """Raise this dispatcher's count; register it again if another one declared it dead and removed its row."""
    alive = update(dispatchers).where(dispatchers.c.boot_id == boot_id).values(beat=dispatchers.c.beat + 1)
    if connection.execute(alive).rowcount == 0:
        register(connection, boot_id, now=now)


def read_heartbeats(connection: Connection) -> dict[str, int]:
    """boot id -> heartbeat count."""
    rows = connection.execute(select(dispatchers.c.boot_id, dispatchers.c.beat))
    return {row.boot_id: row.beat for row in rows}


def remove(connection: Connection, boot_ids: set[str]) -> None:
    connection.execute(delete(dispatchers).where(dispatchers.c.boot_id.in_(boot_ids)))


def remove_all_but(connection: Connection, boot_id: str) -> None:
    connection.execute(delete(dispatchers).where(dispatchers.c.boot_id != boot_id))


class LeaseWatch:
    """The counts of others as one dispatcher saw them. `lapses_after`: seconds without a change that end a lease."""

    def __init__(self, *, lapses_after: float) -> None:
        self._lapses_after = lapses_after
        self._seen: dict[str, tuple[int, float]] = {}  # boot id -> (count, when it was first seen at that count)

    def find_lapsed(self, counts: Mapping[str, int], *, now: float) -> set[str]:
        """The boot ids whose count has stood still for so long. `now`: seconds of one monotonic clock."""
        for boot_id, count in counts.items():
            if self._seen.get(boot_id, (None, now))[0] != count:
                self._seen[boot_id] = (count, now)
        self._seen = {boot_id: seen for boot_id, seen in self._seen.items() if boot_id in counts}
        return {boot_id for boot_id, (_, since) in self._seen.items() if now - since >= self._lapses_after}

    def reset(self) -> None:
        """Forget all counts: the record could not be reached, so that others could not raise theirs."""
        self._seen.clear()
