"""How Alembic runs our migrations: in the transaction it is handed, never on a connection of its own."""

from __future__ import annotations

from alembic import context

from vivant.record.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
