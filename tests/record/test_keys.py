from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection, select

from support.records import at
from vivant.errors import NotFound
from vivant.record import keys, shared_secrets, tables


def test_a_key_matches_its_own_text_only(connection: Connection) -> None:
    key, text = keys.create(connection, name="ci", now=at(0))
    known = keys.list_keys(connection)
    assert keys.match(text, known) == key
    other, _ = keys.create(connection, name="other", now=at(0))
    _, _, secret = text.split("_")
    wrong = [
        "", "sk_", "sk__", text[:-1], text + "0", text.upper(), f" {text}", f"sk_{other.id}_{secret}",
        f"sk_{'0' * 12}_{secret}", f"sk_{key.id}_{'0' * 48}", secret, key.id, f"sk_{key.id}_{key.digest.hex()}",
    ]  # fmt: skip
    assert [keys.match(each, keys.list_keys(connection)) for each in wrong] == [None] * len(wrong)


def test_a_key_has_its_form_and_192_bits_of_secret(connection: Connection) -> None:
    key, text = keys.create(connection, name="ci", now=at(0))
    assert re.fullmatch(rf"sk_{key.id}_[0-9a-f]{{48}}", text)


def test_the_secret_is_not_in_the_record(connection: Connection) -> None:
    _, text = keys.create(connection, name="ci", now=at(0))
    secret = text.rsplit("_", 1)[1]
    row = connection.execute(select(tables.keys)).one()
    assert not any(secret in str(value) or bytes.fromhex(secret) == value for value in row)
    assert len(row.digest) == 32


def test_a_revoked_key_is_refused_and_its_row_stays(connection: Connection) -> None:
    key, text = keys.create(connection, name="ci", now=at(0))
    keys.revoke(connection, key.id, now=at(5))
    keys.revoke(connection, key.id, now=at(9))
    known = keys.list_keys(connection)
    assert keys.match(text, known) is None
    assert known[key.id].revoked_at == at(5)


def test_revoking_a_key_that_does_not_exist_is_not_found(connection: Connection) -> None:
    with pytest.raises(NotFound, match="no key 'abc'"):
        keys.revoke(connection, "abc", now=at(0))


def test_the_last_use_is_stored(connection: Connection) -> None:
    key, _ = keys.create(connection, name="ci", now=at(0))
    keys.record_use(connection, {key.id: at(60)})
    assert keys.list_keys(connection)[key.id].last_used_at == at(60)


def test_a_shared_secret_is_made_once(connection: Connection) -> None:
    first = shared_secrets.get_or_create(connection, "links")
    assert len(first) == 32
    assert shared_secrets.get_or_create(connection, "links") == first
    assert shared_secrets.get_or_create(connection, "webhooks") != first
