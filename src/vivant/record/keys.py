"""API keys. A key reads `sk_<id>_<secret>`; only the SHA-256 of its secret is stored. No salt and no slow hash are
needed, since 192 random bits cannot be guessed. While no key was ever created the installation is in open mode;
revoking the last key does not bring that back, so rows are never deleted.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from vivant.errors import InvalidRequest, NotFound
from vivant.printable import is_printable
from vivant.record.tables import keys

_KEY_TEXT: Final = re.compile(r"sk_([0-9a-f]{12})_([0-9a-f]{48})")

MAX_NAME: Final = 100  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as stored. digest: SHA-256 of the secret, 32 bytes. Times are aware UTC."""

    id: str
    name: str
    digest: bytes
    model: str  # which its tasks get; empty: the dialect's
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def create(connection: Connection, *, name: str, model: str = "", now: datetime) -> tuple[Key, str]:
    """A new key and its text `sk_…`, which is not stored and cannot be shown again. model: which its tasks get; empty:
    the dialect's.

    Raises InvalidRequest for a name that is blank, longer than MAX_NAME, or holds characters that are not printable,
    and for such a model.
    """
    if not name.strip() or len(name) > MAX_NAME or not is_printable(name):
        raise InvalidRequest(f"must be 1 to {MAX_NAME} printable characters, got {name[:MAX_NAME]!a}.", field="name")
    key_id, secret = secrets.token_hex(6), secrets.token_hex(24)
    check_model(model)
    digest = _digest(secret)
    key = Key(id=key_id, name=name, digest=digest, model=model, created_at=now, last_used_at=None, revoked_at=None)
    connection.execute(insert(keys).values(id=key.id, name=name, digest=digest, model=model, created_at=now))
    return key, f"sk_{key_id}_{secret}"


def list_keys(connection: Connection) -> dict[str, Key]:
    """Every key ever made, by id, oldest first."""
    rows = connection.execute(select(keys).order_by(keys.c.created_at, keys.c.id))
    return {row.id: Key(**row._mapping) for row in rows}


def check_model(model: str) -> None:
    """Raise InvalidRequest for what no model is called."""
    if len(model) > MAX_NAME or not is_printable(model):
        raise InvalidRequest(
            f"must be at most {MAX_NAME} printable characters, got {model[:MAX_NAME]!a}.", field="model"
        )


def set_model(connection: Connection, key_id: str, model: str) -> None:
    """The key's tasks get this model from now on; empty: the dialect's. Raises NotFound, InvalidRequest."""
    check_model(model)
    if connection.execute(update(keys).where(keys.c.id == key_id).values(model=model)).rowcount == 0:
        raise NotFound(f"There is no key {key_id!r}.")


def revoke(connection: Connection, key_id: str, *, now: datetime) -> None:
    """Refuse the key from now on; a second call changes nothing. Raises NotFound."""
    if connection.execute(select(keys.c.id).where(keys.c.id == key_id)).one_or_none() is None:
        raise NotFound(f"There is no key {key_id!r}.")
    connection.execute(update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None)).values(revoked_at=now))


def record_use(connection: Connection, used: Mapping[str, datetime]) -> None:
    """Store when keys were last used: key id -> time."""
    statement = update(keys).where(keys.c.id == bindparam("key")).values(last_used_at=bindparam("moment"))
    connection.execute(statement, [{"key": key_id, "moment": moment} for key_id, moment in used.items()])


def match(text: str, known: Mapping[str, Key]) -> Key | None:
    """The key with this text if it exists and is not revoked. Takes equally long whichever part is wrong."""
    found = _KEY_TEXT.fullmatch(text)
    key_id, secret = found.groups() if found else ("", "")
    key = known.get(key_id)
    same = hmac.compare_digest(_digest(secret), key.digest if key else bytes(32))
    return key if key and same and key.revoked_at is None else None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
