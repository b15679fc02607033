"""Every use-case that changes a task's state, tried on a row in every state: it succeeds exactly where the table of
transitions allows it, and a refused one changes nothing in the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection, select

from support.records import ARTIFACT, at, claim_task, insert_task
from vivant.errors import IllegalTransition
from vivant.record import tables, tasks
from vivant.record.tasks import Claim
from vivant.task import DEATHS_UNTIL_FAILURE, TRANSITIONS, Status, Task

OWNER = "boot-1"
LATER = at(100)


def bring_to(connection: Connection, status: Status) -> Claim:
    """A task in this state, and the claim that fits it best: the one it had, or a forged one if it never ran."""
    task = insert_task(connection)
    if status is Status.QUEUED:
        return Claim(task=replace(task, status=Status.RUNNING, attempt=1, started_at=at(1)), owner=OWNER, remembered={})
    claim = claim_task(connection, owner=OWNER)
    match status:
        case Status.SUCCEEDED:
            assert tasks.settle_success(connection, claim, ARTIFACT, run_seconds=4.0, now=at(5))
        case Status.FAILED:
            assert tasks.settle_failure(connection, claim, code="X", message="x", now=at(5))
        case Status.CANCELLED:
            tasks.cancel(connection, task.id, now=at(5))
        case Status.EXPIRED:
            assert tasks.expire(connection, [task.id], now=at(5)) == 1
    return claim


def cancel(connection: Connection, task: Task) -> bool:
    try:
        return tasks.cancel(connection, task.id, now=LATER).status is Status.CANCELLED
    except IllegalTransition:
        return False


def lose_once_too_often(connection: Connection, held: Claim) -> bool:
    """Lose the attempt after which a task fails."""
    with connection.begin_nested() as earlier:
        connection.execute(tables.tasks.update().values(deaths=DEATHS_UNTIL_FAILURE - 1))
        lost = tasks.settle_death(connection, held, code="WORKER_LOST", reason="it crashed", now=LATER)
        if not lost:
            earlier.rollback()
    return lost


# use-case -> (the state it wants to reach, how it is done; true if it was)
USE_CASES: dict[str, tuple[Status, Callable[[Connection, Claim], bool]]] = {
    "claim": (Status.RUNNING, lambda c, held: tasks.claim(c, owner="boot-2", now=LATER) is not None),
    "succeed": (Status.SUCCEEDED, lambda c, held: tasks.settle_success(c, held, ARTIFACT, run_seconds=4.0, now=LATER)),
    "fail": (Status.FAILED, lambda c, held: tasks.settle_failure(c, held, code="X", message="x", now=LATER)),
    "lose": (Status.QUEUED, lambda c, held: tasks.settle_death(c, held, code="X", reason="x", now=LATER)),
    "lose once too often": (Status.FAILED, lose_once_too_often),
    "requeue": (Status.QUEUED, lambda c, held: tasks.requeue(c, held, now=LATER)),
    "requeue the abandoned": (Status.QUEUED, lambda c, held: tasks.requeue_abandoned(c, [OWNER], now=LATER) == 1),
    "cancel": (Status.CANCELLED, lambda c, held: cancel(c, held.task)),
    "expire": (Status.EXPIRED, lambda c, held: tasks.expire(c, [held.task.id], now=LATER) == 1),
}


def everything(connection: Connection) -> list[object]:
    stored = (tables.tasks, tables.lanes, tables.tiers, tables.usage)
    return [connection.execute(select(table)).all() for table in stored]


def test_every_state_is_wanted_by_some_use_case() -> None:
    assert {to for to, _ in USE_CASES.values()} == set(Status)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("use_case", USE_CASES)
def test_a_use_case_changes_the_state_exactly_where_the_table_allows_it(
    connection: Connection, use_case: str, status: Status
) -> None:
    held = bring_to(connection, status)
    before = everything(connection)
    to, attempt = USE_CASES[use_case]
    done = attempt(connection, held)
    assert done == (to in TRANSITIONS[status])
    found = tasks.get(connection, held.task.id)
    assert found.status is (to if done else status)
    if done:
        assert (found.ended_at == LATER) == to.is_terminal
    else:
        assert everything(connection) == before
