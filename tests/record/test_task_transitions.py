from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from support.records import ARTIFACT, NOON, at, check_invariants, claim_task, insert_task, open_record, status_of
from vivant.errors import IllegalTransition, TaskNotFound
from vivant.record import lanes, tables, tasks
from vivant.record.tasks import Claim, Progress
from vivant.request import Tier
from vivant.task import DEATHS_UNTIL_FAILURE, INTERRUPTIONS_UNTIL_FAILURE, Loss, Status


def die(connection: Connection, held: Claim) -> bool:
    return tasks.settle_death(connection, held, code="WORKER_LOST", reason="it crashed", now=at(9))


def test_a_task_reads_back_as_it_was_asked(connection: Connection) -> None:
    task = insert_task(connection, prompt="雪落在湖上 \U0001f326", generate_audio=False)
    assert tasks.get(connection, task.id) == task


def test_a_success_is_written_with_its_usage(connection: Connection) -> None:
    task = insert_task(connection)
    held = claim_task(connection, seconds=2)
    assert tasks.settle_success(connection, held, ARTIFACT, run_seconds=10.25, now=at(12.5))
    ended = tasks.get(connection, task.id)
    assert (ended.status, ended.artifact, ended.progress) == (Status.SUCCEEDED, ARTIFACT, 1.0)
    assert (ended.started_at, ended.ended_at) == (at(2), at(12.5))
    used = connection.execute(select(tables.usage)).one()
    assert (used.task_id, used.tokens, used.run_seconds) == (task.id, task.request.canvas.tokens, 10.25)


@pytest.mark.parametrize("end", ["cancel", "expire", "fail", "lose", "succeed"])
def test_a_late_settle_is_refused(connection: Connection, end: str) -> None:
    task = insert_task(connection)
    late = claim_task(connection)
    match end:
        case "cancel":
            tasks.cancel(connection, task.id, now=at(3))
        case "expire":
            tasks.expire(connection, [task.id], now=at(3))
        case "fail":
            tasks.settle_failure(connection, late, code="ENGINE_FAILED", message="no", now=at(3))
        case "lose":
            tasks.requeue_abandoned(connection, now=at(3))
            claim_task(connection, owner="boot-2", seconds=4)
        case "succeed":
            tasks.settle_success(connection, late, ARTIFACT, run_seconds=4.0, now=at(3))
    before = connection.execute(select(tables.tasks)).one()
    assert not tasks.settle_success(connection, late, ARTIFACT, run_seconds=4.0, now=at(5))
    assert not tasks.settle_failure(connection, late, code="X", message="late", now=at(5))
    assert not die(connection, late)
    assert not tasks.requeue(connection, late, now=at(5))
    assert not tasks.remember(connection, late, {"job": 1})
    tasks.store_progress(connection, [Progress(claim=late, fraction=0.7)])
    assert connection.execute(select(tables.tasks)).one() == before


def test_the_same_owner_cannot_settle_an_earlier_attempt(connection: Connection) -> None:
    insert_task(connection)
    first = claim_task(connection)
    assert die(connection, first)
    second = claim_task(connection)
    assert not tasks.settle_success(connection, first, ARTIFACT, run_seconds=4.0, now=at(5))
    assert tasks.settle_success(connection, second, ARTIFACT, run_seconds=4.0, now=at(6))


def test_the_third_death_fails_the_task_and_says_why(connection: Connection) -> None:
    task = insert_task(connection)
    for _ in range(DEATHS_UNTIL_FAILURE):
        assert status_of(connection, task) is Status.QUEUED
        assert die(connection, claim_task(connection))
    ended = tasks.get(connection, task.id)
    assert (ended.status, ended.error_code) == (Status.FAILED, "WORKER_LOST")
    assert ended.error_message == "Lost 3 times while it ran. The last time: it crashed."


def test_a_task_under_which_the_service_was_killed_ten_times_fails(connection: Connection) -> None:
    task = insert_task(connection)
    for boot in range(INTERRUPTIONS_UNTIL_FAILURE):
        assert status_of(connection, task) is Status.QUEUED
        claim_task(connection, owner=f"boot-{boot}")
        tasks.requeue_abandoned(connection, now=at(boot))
    ended = tasks.get(connection, task.id)
    assert (ended.status, ended.error_code, ended.attempt) == (Status.FAILED, "INTERRUPTED_TOO_OFTEN", 10)
    assert ended.error_message == "Lost 10 times while it ran. The last time: the service ended under it."


def test_stops_in_good_order_are_counted_for_nobody(connection: Connection) -> None:
    task = insert_task(connection)
    for boot in range(3 * INTERRUPTIONS_UNTIL_FAILURE):
        held = claim_task(connection, owner=f"boot-{boot}")
        if boot % 2:
            tasks.requeue(connection, held, now=at(boot))
        else:
            tasks.requeue_abandoned(connection, {f"boot-{boot}"}, loss=Loss.STOP, now=at(boot))
    assert status_of(connection, task) is Status.QUEUED
    counts = connection.execute(select(tables.tasks.c.deaths, tables.tasks.c.interruptions)).one()
    assert tuple(counts) == (0, 0)


def test_storage_that_failed_is_no_death_of_the_task_but_not_for_ever(connection: Connection) -> None:
    task = insert_task(connection)
    for _ in range(INTERRUPTIONS_UNTIL_FAILURE):
        assert status_of(connection, task) is Status.QUEUED
        held = claim_task(connection)
        assert tasks.settle_interruption(connection, held, code="STORAGE_FAILED", reason="full.", now=at(5))
    ended = tasks.get(connection, task.id)
    assert (ended.status, ended.error_code) == (Status.FAILED, "STORAGE_FAILED")


def test_a_task_never_ends_before_it_started_whatever_the_clock_says(connection: Connection) -> None:
    task = insert_task(connection)
    held = claim_task(connection, seconds=-50)
    assert tasks.settle_success(connection, held, ARTIFACT, run_seconds=3.0, now=at(-100))
    ended = tasks.get(connection, task.id)
    assert ended.created_at == ended.started_at == ended.ended_at


def test_bytes_of_files_are_counted_until_the_files_are_gone(connection: Connection) -> None:
    task = insert_task(connection)
    held = claim_task(connection)
    tasks.settle_success(connection, held, ARTIFACT, run_seconds=3.0, now=at(5))
    lane = (task.request.tier.value, task.key_id)
    assert lanes.read_counts(connection)[lane].stored_bytes == ARTIFACT.size
    tasks.mark_files_deleted(connection, [task.id])
    tasks.mark_files_deleted(connection, [task.id])
    assert lanes.read_counts(connection)[lane].stored_bytes == 0


def test_a_requeued_task_is_first_in_its_lane_again(connection: Connection) -> None:
    first = insert_task(connection)
    insert_task(connection)
    die(connection, claim_task(connection))
    assert claim_task(connection).task.id == first.id


def test_only_the_abandoned_are_requeued(connection: Connection) -> None:
    for _ in range(3):
        insert_task(connection)
    held = [claim_task(connection, owner=owner) for owner in ("dead", "other", "me")]
    assert tasks.requeue_abandoned(connection, ["dead"], now=at(5)) == 1
    assert [status_of(connection, claim.task) for claim in held] == [Status.QUEUED, Status.RUNNING, Status.RUNNING]


def test_cancelling_is_terminal_at_once_and_happens_once(connection: Connection) -> None:
    waiting, running = insert_task(connection, key_id="ann"), insert_task(connection, key_id="bob")
    tasks.cancel(connection, waiting.id, key_id="ann", now=at(1))
    claim_task(connection)
    for task in (waiting, running):
        if task is running:
            assert tasks.cancel(connection, task.id, now=at(2)).status is Status.CANCELLED
        with pytest.raises(IllegalTransition, match="cancelled"):
            tasks.cancel(connection, task.id, now=at(3))
    assert tasks.claim(connection, owner="boot-1", now=at(4)) is None


def test_nobody_cancels_or_sees_the_task_of_another_key(connection: Connection) -> None:
    task = insert_task(connection, key_id="ann")
    with pytest.raises(TaskNotFound):
        tasks.cancel(connection, task.id, key_id="bob", now=at(1))
    for task_id, key_id in ((task.id, "bob"), (task.id, ""), ("no-such-task", None)):
        with pytest.raises(TaskNotFound):
            tasks.get(connection, task_id, key_id=key_id)
    assert tasks.list_newest(connection, key_id="bob") == []


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("limit", [3600, 172_800, 259_200])
def test_time_runs_from_creation(connection: Connection, limit: int, running: bool) -> None:
    task = insert_task(connection, expires_after=limit)
    if running:
        claim_task(connection, seconds=limit - 1)
    assert tasks.find_due(connection, now=at(limit - 0.001)) == []
    assert tasks.find_due(connection, now=at(limit)) == [task.id]
    assert tasks.expire(connection, [task.id], now=at(limit)) == 1
    assert tasks.expire(connection, [task.id], now=at(limit + 1)) == 0
    ended = tasks.get(connection, task.id)
    assert (ended.status, ended.error_code, ended.ended_at) == (Status.EXPIRED, "EXPIRED", at(limit))


def test_progress_and_storyboard_reach_the_record(connection: Connection) -> None:
    task = insert_task(connection)
    held = claim_task(connection)
    tasks.store_progress(connection, [Progress(claim=held, fraction=0.25, storyboard={"shots": 1})])
    tasks.store_progress(connection, [Progress(claim=held, fraction=0.5)])
    found = tasks.get(connection, task.id)
    assert (found.progress, found.storyboard) == (0.5, {"shots": 1})


def test_what_an_attempt_remembers_is_handed_to_the_next(connection: Connection) -> None:
    insert_task(connection)
    held = claim_task(connection)
    assert held.remembered == {}
    assert tasks.remember(connection, held, {"backend_job": "abc"})
    die(connection, held)
    assert claim_task(connection).remembered == {"backend_job": "abc"}


def test_listing_goes_from_new_to_old_in_pages(connection: Connection) -> None:
    mine = [insert_task(connection, key_id="ann").id for _ in range(7)]
    insert_task(connection, key_id="bob")
    seen: list[str] = []
    while page := tasks.list_newest(connection, key_id="ann", limit=3, after=seen[-1] if seen else ""):
        seen += [task.id for task in page]
    assert seen == mine[::-1]
    claim_task(connection)
    assert [t.id for t in tasks.list_newest(connection, key_id="ann", status=Status.RUNNING)] == [mine[0]]
    assert len(tasks.list_newest(connection)) == 8


def test_files_of_ended_tasks_come_up_for_sweeping_once(connection: Connection) -> None:
    old, fresh = insert_task(connection), insert_task(connection)
    insert_task(connection)
    tasks.cancel(connection, old.id, now=at(0))
    tasks.cancel(connection, fresh.id, now=at(100))
    assert tasks.list_with_old_files(connection, before=at(50)) == [old.id]
    tasks.mark_files_deleted(connection, [old.id])
    assert tasks.list_with_old_files(connection, before=at(50)) == []
    assert tasks.find_unknown(connection, [old.id, "stranger"]) == {"stranger"}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "claim", "succeed", "fail", "die", "requeue", "cancel", "expire", "restart"]),
        st.integers(0, 5),
        st.integers(0, 3),
    ),
    max_size=60,
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("moves")


@settings(max_examples=60)
@given(steps=STEPS)
def test_the_invariants_hold_after_any_sequence_of_steps(scratch: Path, steps: list[tuple[str, int, int]]) -> None:
    """Two dispatchers and stale claims: counts are exact, a task ends once, every success has one usage row."""
    record = open_record(scratch)
    try:
        with record.transaction() as connection:
            story = connection.begin_nested()
            _play(connection, steps)
            story.rollback()
    finally:
        record.close()


def _play(connection: Connection, steps: list[tuple[str, int, int]]) -> None:
    asked: list[str] = []
    held: list[Claim] = []
    ended: dict[str, Status] = {}
    for second, (step, which, who) in enumerate(steps):
        now, owner = at(second), f"boot-{who % 2}"
        old = held[which % len(held)] if held else None
        match step:
            case "ask":
                tier = Tier.FLEX if who == 3 else Tier.DEFAULT
                asked.append(insert_task(connection, key_id=f"key-{which % 3}", tier=tier).id)
            case "claim":
                waiting = tasks.list_newest(connection, status=Status.QUEUED)
                claim = tasks.claim(connection, owner=owner, now=now)
                assert (claim is not None) == bool(waiting)
                held += [claim] if claim else []
            case "succeed" if old:
                tasks.settle_success(connection, old, ARTIFACT, run_seconds=4.0, now=now)
            case "fail" if old:
                tasks.settle_failure(connection, old, code="X", message="x", now=now)
            case "die" if old:
                die(connection, old)
            case "requeue" if old:
                tasks.requeue(connection, old, now=now)
            case "cancel" if asked:
                try:
                    tasks.cancel(connection, asked[which % len(asked)], now=now)
                except IllegalTransition:
                    assert asked[which % len(asked)] in ended
            case "expire" if asked:
                tasks.expire(connection, [asked[which % len(asked)]], now=now)
            case "restart":
                tasks.requeue_abandoned(connection, now=now)
        check_invariants(connection)
        for task in tasks.list_newest(connection, limit=1000):
            if task.id in ended:
                assert task.status is ended[task.id], "an ended task changed its state"
            elif task.status.is_terminal:
                ended[task.id] = task.status
    assert all(t.created_at == NOON for t in tasks.list_newest(connection, limit=1000))
