"""One task that is stored in a form that cannot be read holds up nobody, and is told of in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Connection, text

from support.records import ARTIFACT, at, check_invariants, claim_task, insert_task
from vivant.errors import UnreadableTask
from vivant.record import tasks
from vivant.task import Status, Task


def damage(connection: Connection, task: Task, column: str, value: Any) -> None:
    """Write what this program would not, as another version or a broken disk does."""
    connection.execute(text(f"UPDATE tasks SET {column} = :value WHERE id = :id"), {"value": value, "id": task.id})


def request_with(task: Task, **fields: Any) -> str:
    return json.dumps({**task.request.to_data(), **fields})


DAMAGES = pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("request", lambda task: request_with(task, version=0), "A stored request of version 0 cannot be read; known"),
        ("request", lambda task: request_with(task, version=99), "A stored request of version 99 cannot be read"),
        ("request", lambda task: request_with(task, seconds=99), "seconds: must be an integer from 4 to 12, got 99"),
        ("request", lambda task: request_with(task, colour="red"), "colour"),
        ("request", lambda task: "{not json", "A stored request is a JSON object, not '{not json'"),
        ("request", lambda task: "7", "cannot be read from the record"),
        ("request", lambda task: 7.5, "cannot be read from the record"),
        ("storyboard", lambda task: "[[[", "storyboard must be a dict"),
        ("tags", lambda task: "null", "tags must be a dict of texts, got None"),
        ("progress", lambda task: 7.5, "progress must be a number from 0 to 1, got 7.5"),
        ("error_code", lambda task: "X", "it has an error code exactly if it ended without success"),
    ],
    ids=["old", "future", "wrong value", "unknown field", "no json", "no object", "no text", "storyboard", "tags",
         "progress", "contradiction"],
)  # fmt: skip


@DAMAGES
def test_it_is_refused_with_what_is_wrong(connection: Connection, column: str, value: Any, says: str) -> None:
    task = insert_task(connection)
    damage(connection, task, column, value(task))
    with pytest.raises(UnreadableTask) as refused:
        tasks.get(connection, task.id)
    assert task.id in str(refused.value) and says in str(refused.value)


@DAMAGES
def test_it_is_left_out_of_lists(connection: Connection, column: str, value: Any, says: str) -> None:
    old, bad, new = (insert_task(connection) for _ in range(3))
    damage(connection, bad, column, value(bad))
    assert tasks.list_newest(connection) == [new, old]
    assert tasks.list_newest(connection, limit=2) == [new, old]
    assert tasks.list_newest(connection, limit=1, after=new.id) == [old]


@pytest.mark.parametrize("version", [0, 99])
def test_it_fails_and_the_next_one_is_started(connection: Connection, version: int) -> None:
    bad, good = insert_task(connection), insert_task(connection)
    damage(connection, bad, "request", request_with(bad, version=version))
    held = claim_task(connection)
    assert held.task.id == good.id
    assert tasks.claim(connection, owner="boot-1", now=at(2)) is None
    row = connection.execute(text("SELECT status, error_code, error_message FROM tasks WHERE id = :id"), {"id": bad.id})
    status, code, message = row.one()
    assert (status, code) == (Status.FAILED, "TASK_UNREADABLE") and f"version {version} cannot be read" in message
    assert tasks.settle_success(connection, held, ARTIFACT, run_seconds=4.0, now=at(5))
    check_invariants(connection)


def test_what_an_engine_remembered_is_forgotten_when_damaged(connection: Connection) -> None:
    damage(connection, insert_task(connection), "remembered", "{not json")
    assert claim_task(connection).remembered == {}


def test_a_damaged_task_expires(connection: Connection) -> None:
    task = insert_task(connection)
    damage(connection, task, "request", "{not json")
    assert tasks.expire(connection, [task.id], now=at(9)) == 1
