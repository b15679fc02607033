"""Alembic runs the migrations in the transaction of the connection that migrate.py passes, never on its own."""

from __future__ import annotations

from alembic import context

from vivant.record.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
