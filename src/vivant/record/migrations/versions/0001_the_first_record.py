"""The first record: tasks, tiers, lanes, dispatchers, keys, secrets, usage."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("starts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("deaths", sa.Integer, nullable=False, server_default="0"),
        sa.Column("owner", sa.String(36)),
        sa.Column("progress", sa.Float, nullable=False, server_default="0"),
        sa.Column("storyboard", sa.JSON),
        sa.Column("remembered", sa.JSON),
        sa.Column("artifact", sa.JSON),
        sa.Column("error_code", sa.String(64), nullable=False, server_default=""),
        sa.Column("error_message", sa.Text, nullable=False, server_default=""),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("files_since", sa.BigInteger),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired')", name="status_is_known"
        ),
        sa.CheckConstraint("(status = 'running') = (owner IS NOT NULL)", name="running_means_owned"),
        sa.CheckConstraint("(status = 'succeeded') = (artifact IS NOT NULL)", name="succeeded_means_artifact"),
    )
    op.create_index("tasks_in_lane", "tasks", ["status", "tier", "key_id", "id"])
    op.create_index("tasks_by_expiry", "tasks", ["status", "expires_at"])
    op.create_index("tasks_of_key", "tasks", ["key_id", "id"])
    op.create_index("tasks_of_key_by_status", "tasks", ["key_id", "status", "id"])
    op.create_index(
        "tasks_with_files",
        "tasks",
        ["files_since"],
        sqlite_where=sa.text("files_since IS NOT NULL"),
        postgresql_where=sa.text("files_since IS NOT NULL"),
    )
    tiers = op.create_table(
        "tiers",
        sa.Column("tier", sa.String(16), primary_key=True),
        sa.Column("virtual_time", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("passed_over", sa.Integer, nullable=False, server_default="0"),
    )
    op.bulk_insert(tiers, [{"tier": "default"}, {"tier": "flex"}])
    op.create_table(
        "lanes",
        sa.Column("tier", sa.String(16), sa.ForeignKey("tiers.tier"), primary_key=True),
        sa.Column("key_id", sa.String(32), primary_key=True),
        sa.Column("virtual_time", sa.BigInteger, nullable=False),
        sa.Column("queued", sa.Integer, nullable=False, server_default="0"),
        sa.Column("running", sa.Integer, nullable=False, server_default="0"),
        sa.CheckConstraint("queued >= 0 AND running >= 0", name="counts_are_not_negative"),
    )
    op.create_index(
        "lanes_waiting",
        "lanes",
        ["tier", "virtual_time", "key_id"],
        sqlite_where=sa.text("queued > 0"),
        postgresql_where=sa.text("queued > 0"),
    )
    op.create_table(
        "dispatchers",
        sa.Column("boot_id", sa.String(36), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "usage",
        sa.Column("task_id", sa.String(36), sa.ForeignKey("tasks.id"), primary_key=True),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.Column("run_seconds", sa.Float, nullable=False),
        sa.Column("settled_at", sa.BigInteger, nullable=False),
    )
    op.create_index("usage_by_engine", "usage", ["engine", "settled_at"])
