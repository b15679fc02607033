"""A task runs with the engine it was queued for, or waits for a service that runs it, and says so at its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.clocks import AdjustableClock
from support.live_service import (
    query_rows,
    running_service,
    submit_task,
    wait_for_status,
)
from support.records import a_task, at, insert_task, open_record
from vivant.record import tasks
from vivant.task import Status


async def test_a_task_of_another_engine_waits_until_that_engine_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIVANT_TEST_WEIGHTS", str(tmp_path / "none"))
    async with running_service(tmp_path, engine="unready") as service:
        waiting = await submit_task(service)
        assert waiting.engine == "unready"
    async with running_service(tmp_path, engine="still") as service:
        done = await wait_for_status(service, await submit_task(service), "succeeded")
        assert done.engine == "still"
        found = await service.get_task(waiting.id, key_id="")
        assert (found.status, found.attempt) == (Status.QUEUED, 0)
    assert "wait for an engine that this service does not run" in capsys.readouterr().out
    (tmp_path / "none").touch()
    async with running_service(tmp_path, engine="unready") as service:
        assert (await wait_for_status(service, waiting, "succeeded")).engine == "unready"
    assert query_rows(tmp_path, "SELECT engine FROM usage ORDER BY settled_at") == [("still",), ("unready",)]


async def test_a_task_that_waited_in_vain_says_for_which_engine(tmp_path: Path) -> None:
    clock = AdjustableClock()
    async with running_service(tmp_path, engine="deaf", clock=clock) as service:
        record = service._record
        task = replace(a_task(key_id="", engine="comfyui"), created_at=clock.now() - timedelta(days=3))
        await record.write(lambda c: tasks.insert_queued(c, task))
        expired = await wait_for_status(service, task, "expired")
        assert expired.error_code == "EXPIRED"
        assert "'comfyui'" in expired.error_message and "'deaf'" in expired.error_message


def test_a_lane_full_of_another_engines_tasks_does_not_hold_up_the_others(tmp_path: Path) -> None:
    record = open_record(tmp_path)
    with record.transaction() as connection:
        for _ in range(3):
            insert_task(connection, key_id="ann", engine="other")
        of_ann = insert_task(connection, key_id="ann", engine="ours")
        of_bob = insert_task(connection, key_id="bob", engine="ours")
        claimed = [tasks.claim(connection, owner="boot", engine="ours", now=at(1)) for _ in range(3)]
        assert {claim.task.id for claim in claimed if claim} == {of_ann.id, of_bob.id}
        assert claimed[2] is None
        assert tasks.count_of_other_engines(connection, "ours") == {"other": 3}
    record.close()
