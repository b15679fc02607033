"""The tables of the record. Portable SQL only, for SQLite and PostgreSQL.

Every change here needs a migration; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds since 1970 UTC: exact, sortable, the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


class Json(TypeDecorator[Any]):
    """JSON. Text that is none is read as the text it is, so that one damaged row stops no query over many."""

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any]:
        read = super().result_processor(dialect, coltype)

        def process(value: Any) -> Any:
            try:
                return read(value) if read else value
            except (TypeError, ValueError):
                return value

        return process


metadata = MetaData()

tasks = Table(
    "tasks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("key_id", String(32), nullable=False),
    Column("tier", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("request", Json, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("engine", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("attempt", Integer, nullable=False, server_default="0"),  # raised by every claim: the fence
    Column("interruptions", Integer, nullable=False, server_default="0"),  # attempts that `task.Loss` INTERRUPTED ended
    Column("deaths", Integer, nullable=False, server_default="0"),  # attempts that `task.Loss` DEATH ended
    Column("owner", String(36)),  # boot id of the dispatcher that runs it; null unless running
    Column("progress", Float, nullable=False, server_default="0"),
    Column("storyboard", Json(none_as_null=True)),
    Column("remembered", Json(none_as_null=True)),  # what an engine keeps for the next attempt
    Column("artifact", Json(none_as_null=True)),
    Column("error_code", String(64), nullable=False, server_default=""),
    Column("error_message", Text, nullable=False, server_default=""),
    Column("tags", Json, nullable=False),
    Column("files_since", Instant),  # when the task ended; null before that, and again after its files were deleted
    Column("stored_bytes", BigInteger, nullable=False, server_default="0"),  # of its files; 0 after they were deleted
    Column("report", Json(none_as_null=True)),  # what the engine tells of making the clip
    Column("fallbacks", Json(none_as_null=True)),  # each time another engine took over: from, to, reason, at
    CheckConstraint(
        "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired')", name="status_is_known"
    ),
    CheckConstraint("(status = 'running') = (owner IS NOT NULL)", name="running_means_owned"),
    CheckConstraint("(status = 'succeeded') = (artifact IS NOT NULL)", name="succeeded_means_artifact"),
)
Index("tasks_in_lane", tasks.c.status, tasks.c.tier, tasks.c.key_id, tasks.c.id, tasks.c.tokens)
Index("tasks_by_expiry", tasks.c.status, tasks.c.expires_at)
Index("tasks_of_key", tasks.c.key_id, tasks.c.id)
Index("tasks_of_key_by_status", tasks.c.key_id, tasks.c.status, tasks.c.id)
Index(
    "tasks_with_files",
    tasks.c.files_since,
    sqlite_where=text("files_since IS NOT NULL"),
    postgresql_where=text("files_since IS NOT NULL"),
)

Index(
    "tasks_with_bytes",
    tasks.c.tier,
    tasks.c.key_id,
    tasks.c.stored_bytes,
    sqlite_where=text("stored_bytes > 0"),
    postgresql_where=text("stored_bytes > 0"),
)

# One row per tier: its virtual time, and how often in a row it was passed over while tasks waited.
tiers = Table(
    "tiers",
    metadata,
    Column("tier", String(16), primary_key=True),
    Column("virtual_time", BigInteger, nullable=False, server_default="0"),  # tokens
    Column("passed_over", Integer, nullable=False, server_default="0"),
)

# One row per (tier, key): how many tasks wait and run, their tokens, the bytes of its files, and the tokens of the work
# that was given to it.
lanes = Table(
    "lanes",
    metadata,
    Column("tier", String(16), ForeignKey("tiers.tier"), primary_key=True),
    Column("key_id", String(32), primary_key=True),
    Column("virtual_time", BigInteger, nullable=False),  # tokens
    Column("queued", Integer, nullable=False, server_default="0"),
    Column("running", Integer, nullable=False, server_default="0"),
    Column("queued_tokens", BigInteger, nullable=False, server_default="0"),
    Column("running_tokens", BigInteger, nullable=False, server_default="0"),
    Column("stored_bytes", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("queued >= 0 AND running >= 0", name="counts_are_not_negative"),
)
Index(
    "lanes_waiting",
    lanes.c.tier,
    lanes.c.virtual_time,
    lanes.c.key_id,
    sqlite_where=text("queued > 0"),
    postgresql_where=text("queued > 0"),
)

dispatchers = Table(
    "dispatchers",
    metadata,
    Column("boot_id", String(36), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column(
        "beat", BigInteger, nullable=False, server_default="0"
    ),  # the heartbeat: a count, not a time, so that no clocks need to agree
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),  # SHA-256 of the secret, which is not stored
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Column("model", String(128), nullable=False, server_default=""),  # which its tasks get; empty: the dialect's
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

# One row: which record this is. The file store carries the same id, so that no other record sweeps its files.
installation = Table(
    "installation",
    metadata,
    Column("id", String(36), primary_key=True),  # a random UUID, made when the record was made
    Column("checks", BigInteger, nullable=False, server_default="0"),  # raised by `Record.check`, which must write
)

# The Idempotency-Key headers of submits: which task each one made.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key_id", String(32), primary_key=True),  # the API key it was sent with
    Column("text", String(255), primary_key=True),
    Column("body_digest", LargeBinary(32), nullable=False),  # SHA-256 of what was submitted
    Column("task_id", String(36), ForeignKey("tasks.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
)
Index("idempotency_keys_by_age", idempotency_keys.c.created_at)

# One row per succeeded task, written in the transaction of its success: for billing and for estimates.
usage = Table(
    "usage",
    metadata,
    Column("task_id", String(36), ForeignKey("tasks.id"), primary_key=True),
    Column("key_id", String(32), nullable=False),
    Column("tier", String(16), nullable=False),
    Column("engine", String(64), nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("run_seconds", Float, nullable=False),
    Column("settled_at", Instant, nullable=False),
    Column("cost", Float),  # that a hosted engine's provider charges; null: nobody does
    Column("cost_currency", String(8)),
)
Index("usage_by_engine", usage.c.engine, usage.c.settled_at)
