"""The record's own id; what limits count (queued tokens, stored bytes); idempotency keys; interruptions for starts."""

from __future__ import annotations

import json
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("checks", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.bulk_insert(installation, [{"id": str(uuid.uuid4())}])
    op.create_table(
        "idempotency_keys",
        sa.Column("key_id", sa.String(32), primary_key=True),
        sa.Column("text", sa.String(255), primary_key=True),
        sa.Column("body_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("task_id", sa.String(36), sa.ForeignKey("tasks.id"), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("idempotency_keys_by_age", "idempotency_keys", ["created_at"])
    op.execute("ALTER TABLE tasks RENAME COLUMN starts TO interruptions")
    op.execute("UPDATE tasks SET interruptions = 0")  # starts were counted whoever ended them
    op.add_column("tasks", sa.Column("stored_bytes", sa.BigInteger, nullable=False, server_default="0"))
    op.drop_index("tasks_in_lane", "tasks")
    op.create_index("tasks_in_lane", "tasks", ["status", "tier", "key_id", "id", "tokens"])
    op.create_index(
        "tasks_with_bytes",
        "tasks",
        ["tier", "key_id", "stored_bytes"],
        sqlite_where=sa.text("stored_bytes > 0"),
        postgresql_where=sa.text("stored_bytes > 0"),
    )
    for name in ("queued_tokens", "running_tokens", "stored_bytes"):
        op.add_column("lanes", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    _count_what_is_there()


def _count_what_is_there() -> None:
    connection = op.get_bind()
    clips = connection.execute(
        sa.text("SELECT id, artifact FROM tasks WHERE status = 'succeeded' AND files_since IS NOT NULL")
    ).all()
    for task_id, artifact in clips:  # pictures of tasks from before are not counted: their sizes are not known
        facts = json.loads(artifact) if isinstance(artifact, str) else artifact
        connection.execute(
            sa.text("UPDATE tasks SET stored_bytes = :size WHERE id = :id"), {"size": facts["size"], "id": task_id}
        )
    for column, summed, rows in (
        ("queued_tokens", "tokens", "status = 'queued'"),
        ("running_tokens", "tokens", "status = 'running'"),
        ("stored_bytes", "stored_bytes", "stored_bytes > 0"),
    ):
        op.execute(
            f"UPDATE lanes SET {column} = COALESCE((SELECT SUM({summed}) FROM tasks WHERE {rows}"
            " AND tasks.tier = lanes.tier AND tasks.key_id = lanes.key_id), 0)"
        )
