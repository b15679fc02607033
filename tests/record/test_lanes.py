from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, insert, select, text

from support.records import ARTIFACT, a_task, at, claim_task, insert_task, open_record
from vivant.record import lanes, tables, tasks
from vivant.record.ids import new_id
from vivant.request import Tier


def drain(connection: Connection, starts: int) -> list[str]:
    """The keys that get the next starts."""
    return [claim_task(connection).task.key_id for _ in range(starts)]


def test_without_queued_tasks_nothing_is_claimed(connection: Connection) -> None:
    assert tasks.claim(connection, owner="boot-1", now=at(0)) is None


def test_a_lane_is_served_in_order_of_creation(connection: Connection) -> None:
    asked = [insert_task(connection).id for _ in range(5)]
    assert [claim_task(connection).task.id for _ in asked] == asked


def test_a_task_goes_to_one_dispatcher_only(connection: Connection) -> None:
    insert_task(connection)
    assert tasks.claim(connection, owner="boot-1", now=at(1)) is not None
    assert tasks.claim(connection, owner="boot-2", now=at(1)) is None


def test_one_key_with_many_tasks_cannot_keep_another_waiting(connection: Connection) -> None:
    for _ in range(50):
        insert_task(connection, key_id="greedy")
    drain(connection, 10)
    insert_task(connection, key_id="modest")
    assert "modest" in drain(connection, 2)


def test_keys_share_the_starts_equally(connection: Connection) -> None:
    for key_id, waiting in (("a", 30), ("b", 30), ("c", 30)):
        for _ in range(waiting):
            insert_task(connection, key_id=key_id)
    assert Counter(drain(connection, 30)) == {"a": 10, "b": 10, "c": 10}


def test_the_share_is_of_work_not_of_starts(connection: Connection) -> None:
    for _ in range(40):
        insert_task(connection, key_id="short", seconds=4)
        insert_task(connection, key_id="long", seconds=12)
    starts = Counter(drain(connection, 40))
    assert starts["short"] == pytest.approx(3 * starts["long"], abs=3)


def test_an_idle_key_gets_no_credit(connection: Connection) -> None:
    for _ in range(40):
        insert_task(connection, key_id="steady")
    insert_task(connection, key_id="comes-and-goes")
    drain(connection, 31)
    for _ in range(20):
        insert_task(connection, key_id="comes-and-goes")
    starts = Counter(drain(connection, 10))
    assert abs(starts["steady"] - starts["comes-and-goes"]) <= 2  # with saved credit it would be 10


def test_default_goes_before_flex(connection: Connection) -> None:
    insert_task(connection, key_id="cheap", tier=Tier.FLEX)
    insert_task(connection, key_id="quick")
    assert drain(connection, 2) == ["quick", "cheap"]


def test_flex_gets_every_tenth_start_while_default_never_ends(connection: Connection) -> None:
    for _ in range(60):
        insert_task(connection, key_id="quick")
    for _ in range(10):
        insert_task(connection, key_id="cheap", tier=Tier.FLEX)
    starts = drain(connection, 40)
    assert [n for n, key_id in enumerate(starts) if key_id == "cheap"] == [9, 19, 29, 39]


def test_flex_saves_up_no_turns_while_it_has_no_work(connection: Connection) -> None:
    for _ in range(30):
        insert_task(connection, key_id="quick")
    drain(connection, 20)
    insert_task(connection, key_id="cheap", tier=Tier.FLEX)
    assert drain(connection, 9) == ["quick"] * 9


def test_no_lane_waits_longer_than_its_fair_share_whatever_the_arrivals(connection: Connection) -> None:
    """Start-time fair queueing: two lanes that both wait all the time differ by no more than one task each."""
    chance = random.Random(7)
    for key_id in "ab":
        for _ in range(200):
            insert_task(connection, key_id=key_id, seconds=chance.randint(4, 12))
    for _ in range(100):
        if chance.random() < 0.3:
            insert_task(connection, key_id=f"passer-{chance.randint(0, 5)}", seconds=chance.randint(4, 12))
        claim_task(connection)
        given = dict(
            connection.execute(
                select(tables.lanes.c.key_id, tables.lanes.c.virtual_time).where(tables.lanes.c.key_id.in_(["a", "b"]))
            ).all()
        )
        assert abs(given["a"] - given["b"]) <= a_task(seconds=12).request.canvas.tokens


def fill(connection: Connection, *, keys: int, waiting: int) -> None:
    """Many queued rows, written in bulk: `waiting` for each of `keys` keys, half of them flex."""
    for tier in Tier:
        request = a_task(tier=tier).request.to_data()
        rows = [
            {
                "id": new_id(), "key_id": f"key-{n % keys}", "tier": tier.value, "status": "queued",
                "request": request, "tokens": 100, "engine": "testcard", "created_at": at(0),
                "expires_at": at(9999), "tags": {},
            }
            for n in range(keys * waiting // 2)
        ]  # fmt: skip
        connection.execute(insert(tables.tasks), rows)
        lanes = [
            {
                "tier": tier.value, "key_id": f"key-{n}", "virtual_time": 0, "queued": waiting // 2,
                "queued_tokens": waiting // 2 * 100,
            }
            for n in range(keys)
        ]  # fmt: skip
        connection.execute(insert(tables.lanes), lanes)


def test_every_statement_of_a_claim_uses_an_index(connection: Connection) -> None:
    fill(connection, keys=20, waiting=20)
    seen: list[tuple[str, object]] = []

    @event.listens_for(connection, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, parameters: object, _x: object, _m: object) -> None:
        seen.append((statement, parameters))

    held = claim_task(connection)
    tasks.find_due(connection, now=at(5))
    tasks.list_running_attempts(connection, "boot-1")
    tasks.list_newest(connection, key_id="key-1", limit=10)
    event.remove(connection, "before_cursor_execute", note)
    assert len(seen) > 8
    for statement, parameters in seen:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()  # type: ignore[arg-type]  # the driver's
        for step in plan:
            detail = step[-1]
            assert not detail.startswith("SCAN") and "TEMP B-TREE" not in detail, (statement, detail)
    assert held.task.attempt == 1


def test_a_claim_costs_the_same_with_many_queued_rows(tmp_path: Path) -> None:
    def seconds_per_claim(name: str, waiting: int) -> float:
        folder = tmp_path / name
        folder.mkdir()
        record = open_record(folder)
        with record.transaction() as connection:
            fill(connection, keys=10, waiting=waiting)
            claim_task(connection)
            best = min(time_claims(connection) for _ in range(5))
        record.close()
        return best

    def time_claims(connection: Connection) -> float:
        start = time.process_time()
        for _ in range(20):
            claim_task(connection)
        return (time.process_time() - start) / 20

    few, many = seconds_per_claim("few", 100), seconds_per_claim("many", 2000)
    assert many < 3 * few  # a scan would make it 20 times


def test_work_done_while_nobody_else_waited_is_no_debt(connection: Connection) -> None:
    """A had the service to itself and made a large clip; after that it gets its share like anybody."""
    insert_task(connection, key_id="a", resolution="1080p", seconds=12, ratio="16:9")
    tasks.settle_success(connection, claim_task(connection), ARTIFACT, run_seconds=9.0, now=at(9))
    insert_task(connection, key_id="a")
    for _ in range(20):
        insert_task(connection, key_id="b")
    assert "a" in drain(connection, 2)


def test_a_lane_that_is_served_while_another_waits_still_pays_for_it(connection: Connection) -> None:
    insert_task(connection, key_id="a", resolution="1080p", seconds=12, ratio="16:9")
    for _ in range(20):
        insert_task(connection, key_id="b")
    assert drain(connection, 1) == ["a"]
    insert_task(connection, key_id="a")
    assert drain(connection, 10) == ["b"] * 10


def test_wrong_counts_are_corrected_and_stop_nothing(connection: Connection) -> None:
    lost, running = insert_task(connection, key_id="a"), insert_task(connection, key_id="b")
    connection.execute(tables.tasks.delete().where(tables.tasks.c.id == lost.id))  # by hand: its lane still counts it
    held = claim_task(connection)
    assert held.task.id == running.id
    connection.execute(tables.lanes.update().values(running=0, running_tokens=0, queued=0, queued_tokens=7))
    assert tasks.settle_success(connection, held, ARTIFACT, run_seconds=9.0, now=at(9))
    waiting = insert_task(connection, key_id="c")
    connection.execute(tables.lanes.delete().where(tables.lanes.c.key_id == "c"))
    assert lanes.recount(connection) == 3
    assert lanes.recount(connection) == 0
    assert claim_task(connection).task.id == waiting.id


def test_negative_counts_are_refused_by_the_database(connection: Connection) -> None:
    from sqlalchemy.exc import IntegrityError

    insert_task(connection)
    with pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(text("UPDATE lanes SET queued = queued - 2"))
