"""Which record this is: a random id that was made with it and never changes. A file store carries the same id."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from vivant.record.tables import installation


def read_id(connection: Connection) -> str:
    """The id, a UUID of 36 characters."""
    return str(connection.execute(select(installation.c.id)).scalar_one())


def write_check(connection: Connection) -> None:
    """The smallest write there is, for finding out whether the record can be written."""
    connection.execute(update(installation).values(checks=installation.c.checks + 1))
