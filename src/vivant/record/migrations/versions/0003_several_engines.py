"""Several engines: what they report, who took over from whom, the model of a key, and what a provider charges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("report", sa.JSON))
    op.add_column("tasks", sa.Column("fallbacks", sa.JSON))
    op.add_column("keys", sa.Column("model", sa.String(128), nullable=False, server_default=""))
    op.add_column("usage", sa.Column("cost", sa.Float))
    op.add_column("usage", sa.Column("cost_currency", sa.String(8)))
