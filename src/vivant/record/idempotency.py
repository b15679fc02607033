"""Idempotency keys: a submit that is repeated with the same key makes no second task.

A key is claimed in the transaction that inserts its task. It belongs to the API key it was sent with, and is kept for
KEPT_FOR at least; after that it may be used anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from vivant.errors import IdempotencyMismatch, InvalidRequest
from vivant.record.tables import idempotency_keys

KEPT_FOR: Final = timedelta(hours=24)
_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What a caller sent as a key, and the SHA-256 (32 bytes) of what was submitted with it. Raises InvalidRequest."""

    text: str
    body_digest: bytes

    def __post_init__(self) -> None:
        given: Any = self  # whatever the annotations say
        if type(given.text) is not str or not _VISIBLE.fullmatch(given.text):
            raise InvalidRequest("must be 1 to 255 visible ASCII characters.", field="Idempotency-Key")
        if type(given.body_digest) is not bytes or len(given.body_digest) != 32:
            raise ValueError(f"body_digest: must be 32 bytes, got {given.body_digest!r}.")


def find_task(connection: Connection, key: IdempotencyKey, *, key_id: str, now: datetime) -> str | None:
    """The id of the task that was made with this key, or None. Raises IdempotencyMismatch if the body was another."""
    row = connection.execute(
        select(idempotency_keys).where(
            idempotency_keys.c.key_id == key_id,
            idempotency_keys.c.text == key.text,
            idempotency_keys.c.created_at > now - KEPT_FOR,
        )
    ).one_or_none()
    if row is None:
        return None
    if bytes(row.body_digest) != key.body_digest:
        raise IdempotencyMismatch
    return str(row.task_id)


def claim(connection: Connection, key: IdempotencyKey, *, key_id: str, task_id: str, now: datetime) -> None:
    """The key has made this task. Keys that are no longer kept are deleted."""
    connection.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at <= now - KEPT_FOR))
    connection.execute(
        insert(idempotency_keys).values(
            key_id=key_id, text=key.text, body_digest=key.body_digest, task_id=task_id, created_at=now
        )
    )
