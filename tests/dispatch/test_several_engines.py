"""Several engines in one service: each has workers of its own, one takes over only where the operator says so, and a
worker whose server or memory is lost is replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.live_service import (
    a_brief,
    a_picture,
    query_rows,
    running_service,
    submit_task,
    wait_for_status,
    wait_until,
    wait_until_ready,
)
from vivant.service import Service
from vivant.task import Task
from vivant.timings import Timings


async def submit_to(service: Service, engine: str, **values: Any) -> Task:
    task, _ = await service.submit_once(
        a_brief(**values), a_picture(), None, key_id="", idempotency=None, engine=engine
    )
    return task


@asynccontextmanager
async def service_with_fallback(data: Path, *engines: str, **settings: Any) -> AsyncIterator[Service]:
    """A service of these engines, the later ones of which take over from the earlier."""
    async with running_service(data, engine=" ".join(engines), **settings) as service:
        service.choice.fallback = engines
        yield service


async def test_an_engine_that_is_busy_holds_up_no_other(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="endless still") as service:
        endless = await submit_to(service, "endless")
        await wait_for_status(service, endless, "running")
        waiting = await submit_to(service, "endless")
        done = await wait_for_status(service, await submit_to(service, "still"), "succeeded")
        assert done.engine == "still"
        assert (await service.get_task(waiting.id, key_id="")).status == "queued"
        assert service.health()["engines"].keys() == {"endless", "still"}
        await service.cancel(endless.id, key_id="")
        await wait_for_status(service, waiting, "running")


async def test_a_task_goes_to_the_first_engine_unless_another_is_chosen(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="still slow") as service:
        assert (await submit_task(service)).engine == "still"
        assert await service.choose_engine(key_id="", wanted="slow") == "slow"


async def test_without_an_order_no_engine_takes_over(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="refusing still") as service:
        failed = await wait_for_status(service, await submit_to(service, "refusing"), "failed")
        assert failed.error_message == "The picture is too dark." and failed.fallbacks == ()


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        ("refusing", "The picture is too dark."),
        ("bloated", "too little memory"),
        ("exhausted", "too little memory"),
        ("crashing", "Lost 3 times while it ran. The last time: its process was ended by SIG"),
    ],
)
async def test_the_next_engine_takes_over_and_the_task_says_from_whom_and_why(
    tmp_path: Path, engine: str, reason: str
) -> None:
    timings = Timings(restart_after=(0.05,))
    async with service_with_fallback(tmp_path, engine, "still", timings=timings) as service:
        done = await wait_for_status(service, await submit_to(service, engine), "succeeded")
        assert done.engine == "still"
        (step,) = done.fallbacks
        assert (step["from"], step["to"]) == (engine, "still") and reason in step["reason"]
        assert query_rows(tmp_path, "SELECT engine FROM usage") == [("still",)]


async def test_what_a_server_refuses_is_asked_of_no_other_engine(tmp_path: Path) -> None:
    async with service_with_fallback(tmp_path, "declining", "still") as service:
        failed = await wait_for_status(service, await submit_to(service, "declining"), "failed")
        assert (failed.error_code, failed.fallbacks) == ("REFUSED_BY_BACKEND", ())


async def test_tasks_that_wait_for_an_engine_that_is_not_there_are_handed_on_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVANT_TEST_WEIGHTS", str(tmp_path / "none"))
    async with service_with_fallback(tmp_path, "unready", "still", fallback_after=1.0) as service:
        waiting = [await submit_to(service, "unready") for _ in range(3)]
        for task in waiting:
            done = await wait_for_status(service, task, "succeeded")
            assert done.engine == "still" and "The weights are missing." in done.fallbacks[0]["reason"]


async def test_a_task_whose_server_is_lost_is_queued_again_and_its_worker_replaced(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="losing", timings=Timings(restart_after=(0.05,))) as service:
        done = await wait_for_status(service, await submit_task(service), "succeeded")
        assert done.report is not None
        first, second = done.report["pids"]
        assert first != second and done.attempt == 2
        assert query_rows(tmp_path, "SELECT deaths, interruptions FROM tasks") == [(0, 1)]


@pytest.mark.parametrize("engine", ["bloated", "exhausted"])
async def test_out_of_memory_ends_the_task_with_a_reason_and_replaces_the_worker(tmp_path: Path, engine: str) -> None:
    async with running_service(tmp_path, engine=engine, timings=Timings(restart_after=(0.05,))) as service:
        reasons = []
        for _ in range(2):
            await wait_until_ready(service)
            failed = await wait_for_status(service, await submit_task(service), "failed")
            assert failed.error_code == "OUT_OF_MEMORY" and "too little memory" in failed.error_message
            reasons.append(failed.error_message)
        assert engine == "exhausted" or reasons[0] != reasons[1], "the same process did both"


async def test_what_an_engine_reports_and_charges_is_kept(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="costly") as service:
        done = await wait_for_status(service, await submit_task(service), "succeeded")
        assert done.report == {"model": "big", "cost": {"amount": 0.25, "currency": "USD"}}
        assert query_rows(tmp_path, "SELECT cost, cost_currency FROM usage") == [(0.25, "USD")]


async def test_an_engine_is_not_ready_before_it_has_generated_something(tmp_path: Path) -> None:
    async with running_service(tmp_path, engine="asleep", timings=Timings(restart_after=(0.05,))) as service:
        waiting = await submit_task(service)
        await wait_until(lambda: bool(service.health()["error"]))
        assert "generated nothing within 60 s" in service.health()["engines"]["asleep"]["error"]
        assert (await service.get_task(waiting.id, key_id="")).attempt == 0
