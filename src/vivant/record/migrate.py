"""Migrates the record when it is opened. Alembic is imported only when needed, since its import takes 0.4 s."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect

from vivant.errors import Misconfigured

HEAD: Final = "0003"  # the newest file in migrations/versions; a test compares
FOLDER: Final = Path(__file__).with_name("migrations")


def upgrade(engine: Engine) -> None:
    """Create or migrate the tables to this program's version; several processes may call it at once.

    Raises Misconfigured when the record was made by a newer program.
    """
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        if version(connection) == HEAD:
            return
    with engine.begin() as connection:  # takes the write lock: a second process finds the migration done
        found = version(connection)
        if found != HEAD:
            _run_alembic(connection, found)


def version(connection: Connection) -> str:
    """The version of the record behind this connection; empty for a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def _run_alembic(connection: Connection, found: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found and found not in known:
        raise Misconfigured(f"The record has version {found}; this program knows {HEAD}. Run a newer Vivant.")
    command.upgrade(config, HEAD)
