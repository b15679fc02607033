from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from support.records import at
from vivant.errors import Misconfigured
from vivant.record import leases
from vivant.record.leases import LeaseWatch
from vivant.record.lock import Lock


def test_a_count_that_stands_still_for_30_seconds_is_a_lapsed_lease() -> None:
    watch = LeaseWatch(lapses_after=30.0)
    assert watch.find_lapsed({"a": 1, "b": 1}, now=100.0) == set()
    assert watch.find_lapsed({"a": 2, "b": 1}, now=129.9) == set()
    assert watch.find_lapsed({"a": 3, "b": 1}, now=130.0) == {"b"}
    assert watch.find_lapsed({"a": 3, "b": 2}, now=131.0) == set()


def test_no_dispatcher_is_declared_dead_in_the_first_30_seconds() -> None:
    watch = LeaseWatch(lapses_after=30.0)
    assert watch.find_lapsed({"long-dead": 7}, now=5000.0) == set()
    assert watch.find_lapsed({"long-dead": 7}, now=5029.9) == set()


def test_after_a_database_error_the_30_seconds_start_again() -> None:
    watch = LeaseWatch(lapses_after=30.0)
    watch.find_lapsed({"a": 1}, now=0.0)
    watch.reset()
    assert watch.find_lapsed({"a": 1}, now=40.0) == set()
    assert watch.find_lapsed({"a": 1}, now=70.0) == {"a"}


def test_a_machine_that_slept_declares_nobody_dead() -> None:
    watch = LeaseWatch(lapses_after=30.0)
    watch.find_lapsed({"a": 1}, now=10.0)
    # Eight hours pass; the monotonic clock stops while the machine sleeps.
    assert watch.find_lapsed({"a": 1}, now=10.5) == set()


def test_a_dispatcher_that_was_declared_dead_registers_again(connection: Connection) -> None:
    leases.register(connection, "boot-1", now=at(0))
    leases.record_heartbeat(connection, "boot-1", now=at(5))
    assert leases.read_heartbeats(connection) == {"boot-1": 1}
    leases.remove(connection, {"boot-1"})
    leases.record_heartbeat(connection, "boot-1", now=at(10))
    assert leases.read_heartbeats(connection) == {"boot-1": 0}


def test_starting_alone_removes_all_other_dispatchers(connection: Connection) -> None:
    for boot_id in ("old", "older", "new"):
        leases.register(connection, boot_id, now=at(0))
    leases.remove_all_but(connection, "new")
    assert leases.read_heartbeats(connection) == {"new": 0}


def test_one_service_per_folder(tmp_path: Path) -> None:
    first = Lock(tmp_path / "data" / "lock")
    with pytest.raises(Misconfigured, match=r"Another service \(process \d+\) uses"):
        Lock(tmp_path / "data" / "lock")
    first.release()
    Lock(tmp_path / "data" / "lock").release()


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands here")
    with pytest.raises(Misconfigured, match="Choose another --data"):
        Lock(tmp_path / "data" / "lock")
