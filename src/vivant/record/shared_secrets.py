"""Secrets shared by all processes of one installation, created once and kept in the record; they sign links."""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection, insert, select

from vivant.record.tables import secrets as table

BYTES: Final = 32


def get_or_create(connection: Connection, name: str) -> bytes:
    """The secret of this name, 32 random bytes: created by the first call, returned by every later one."""
    found = connection.execute(select(table.c.value).where(table.c.name == name)).scalar_one_or_none()
    if found is not None:
        return bytes(found)
    made = secrets.token_bytes(BYTES)
    connection.execute(insert(table).values(name=name, value=made))
    return made
