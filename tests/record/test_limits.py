from __future__ import annotations

import pytest
from sqlalchemy import Connection

from support.records import ARTIFACT, at, claim_task, insert_task
from vivant.errors import LimitReached
from vivant.record import tasks
from vivant.record.limits import Limits, check_limits
from vivant.request import Tier


def test_a_key_may_queue_so_many_tasks_over_all_tiers(connection: Connection) -> None:
    limits = Limits(queued_per_key=2)
    insert_task(connection, key_id="ann")
    check_limits(connection, limits, key_id="ann")
    insert_task(connection, key_id="ann", tier=Tier.FLEX)
    with pytest.raises(LimitReached, match="This key has 2 tasks that wait, and 2 may") as refused:
        check_limits(connection, limits, key_id="ann")
    assert refused.value.retry_after > 0
    check_limits(connection, limits, key_id="bob")
    claim_task(connection)  # what runs does not wait
    check_limits(connection, limits, key_id="ann")


def test_all_keys_together_may_queue_so_many(connection: Connection) -> None:
    limits = Limits(queued_total=2)
    for key_id in "ab":
        check_limits(connection, limits, key_id="new")
        insert_task(connection, key_id=key_id)
    with pytest.raises(LimitReached, match="The service has 2 tasks"):
        check_limits(connection, limits, key_id="new")


@pytest.mark.parametrize("limits", [Limits(stored_per_key=1000), Limits(stored_total=1000)])
def test_files_may_take_so_many_bytes_until_they_are_deleted(connection: Connection, limits: Limits) -> None:
    task = insert_task(connection, key_id="ann", stored_bytes=600)
    check_limits(connection, limits, key_id="ann", new_bytes=400)
    with pytest.raises(LimitReached, match="GB"):
        check_limits(connection, limits, key_id="ann", new_bytes=401)
    held = claim_task(connection)
    tasks.settle_success(connection, held, ARTIFACT, run_seconds=1.0, now=at(2))
    with pytest.raises(LimitReached):  # the clip counts, too
        check_limits(connection, limits, key_id="ann", new_bytes=400)
    tasks.mark_files_deleted(connection, [task.id])
    check_limits(connection, limits, key_id="ann", new_bytes=1000)


def test_another_key_has_its_own_share_of_bytes(connection: Connection) -> None:
    insert_task(connection, key_id="ann", stored_bytes=600)
    check_limits(connection, Limits(stored_per_key=1000), key_id="bob", new_bytes=1000)


def test_zero_is_no_limit(connection: Connection) -> None:
    insert_task(connection, stored_bytes=10**15)
    check_limits(connection, Limits(), key_id="ann", new_bytes=10**15)


@pytest.mark.parametrize("wrong", [-1, 1.5, True, "1"])
def test_a_wrong_limit_cannot_be_built(wrong: object) -> None:
    with pytest.raises(ValueError, match="queued_total must be a whole number"):
        Limits(queued_total=wrong)  # type: ignore[arg-type]  # wrong on purpose
