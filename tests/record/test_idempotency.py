from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from support.records import NOON, insert_task
from vivant.errors import IdempotencyMismatch, InvalidRequest
from vivant.record import tables
from vivant.record.idempotency import KEPT_FOR, IdempotencyKey, claim, find_task

ONE = IdempotencyKey("order-1", b"1" * 32)
SECOND = timedelta(seconds=1)


def test_a_key_finds_the_task_it_made_for_a_day(connection: Connection) -> None:
    task = insert_task(connection)
    assert find_task(connection, ONE, key_id="ann", now=NOON) is None
    claim(connection, ONE, key_id="ann", task_id=task.id, now=NOON)
    assert find_task(connection, ONE, key_id="ann", now=NOON + KEPT_FOR - SECOND) == task.id
    assert find_task(connection, ONE, key_id="ann", now=NOON + KEPT_FOR) is None


def test_a_key_belongs_to_the_api_key_it_came_with(connection: Connection) -> None:
    task = insert_task(connection)
    claim(connection, ONE, key_id="ann", task_id=task.id, now=NOON)
    assert find_task(connection, ONE, key_id="bob", now=NOON) is None


def test_another_request_with_the_same_key_is_refused(connection: Connection) -> None:
    claim(connection, ONE, key_id="ann", task_id=insert_task(connection).id, now=NOON)
    with pytest.raises(IdempotencyMismatch):
        find_task(connection, IdempotencyKey("order-1", b"2" * 32), key_id="ann", now=NOON)


def test_old_keys_are_deleted_and_can_be_used_anew(connection: Connection) -> None:
    claim(connection, ONE, key_id="ann", task_id=insert_task(connection).id, now=NOON)
    later, again = NOON + KEPT_FOR, insert_task(connection)
    claim(connection, ONE, key_id="ann", task_id=again.id, now=later)
    assert find_task(connection, ONE, key_id="ann", now=later) == again.id
    assert connection.execute(select(func.count()).select_from(tables.idempotency_keys)).scalar_one() == 1


@pytest.mark.parametrize("text", ["", "a b", "é", "a\n", "x" * 256, "\x7f"])
def test_a_key_has_1_to_255_visible_ascii_characters(text: str) -> None:
    with pytest.raises(InvalidRequest, match="Idempotency-Key: must be 1 to 255 visible"):
        IdempotencyKey(text, bytes(32))
    IdempotencyKey("x" * 255, bytes(32))
