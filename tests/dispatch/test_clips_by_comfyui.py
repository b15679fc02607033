"""Whole tasks by a ComfyUI: the service as it runs, its worker processes, and the double on loopback."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from support.comfyui import DOCUMENTED
from support.doubles.comfyui import ComfyUIDouble, comfyui_double
from support.engine_service import find_workers, service_of, submit
from support.live_service import query_rows, wait_for_status, wait_until
from vivant.errors import InvalidRequest

FIRST = str(DOCUMENTED / "ltx-2.5-first.json")
BOTH = str(DOCUMENTED / "ltx-2.5-first-and-last.json")


def prompts(double: ComfyUIDouble) -> int:
    return len(double.calls("POST", "/prompt"))


async def test_a_task_is_made_by_the_workflow_and_tells_how(tmp_path: Path) -> None:
    with comfyui_double() as double:
        async with service_of(tmp_path, "comfyui", url=[double.url], workflow=FIRST, workflow_last=BOTH) as service:
            done = await wait_for_status(service, await submit(service), "succeeded")
            ended = await wait_for_status(service, await submit(service, last=True), "succeeded")
    assert done.report is not None and ended.report is not None
    assert done.report["model"] == "ltx-2.5-22b-distilled-transformer-comfy-int8-convrot"
    assert (done.report["server"], done.report["sound"]) == ("ComfyUI 0.3.64", "of the model")
    assert (done.report["workflow"], ended.report["workflow"]) == (Path(FIRST).name, Path(BOTH).name)
    assert double.url not in str(done.report) and double.url not in str(done.storyboard)


async def test_a_last_picture_without_a_workflow_for_it_is_refused_at_submit(tmp_path: Path) -> None:
    with comfyui_double() as double:
        async with service_of(tmp_path, "comfyui", url=[double.url], workflow=FIRST) as service:
            with pytest.raises(InvalidRequest, match="VIVANT_COMFYUI_WORKFLOW_LAST"):
                await submit(service, last=True)
    assert query_rows(tmp_path, "SELECT count(*) FROM tasks") == [(0,)]


async def test_a_worker_that_is_killed_leaves_its_job_to_the_next_attempt(tmp_path: Path) -> None:
    with comfyui_double() as double:
        double.manners.step_seconds = 0.7
        async with service_of(tmp_path, "comfyui", url=[double.url], workflow=FIRST) as service:
            task = await submit(service)
            await wait_until(lambda: len(double.calls("GET", "/history/")) > 1)
            for worker in find_workers(service):
                os.kill(worker, signal.SIGKILL)
            done = await wait_for_status(service, task, "succeeded")
    assert done.attempt == 2 and done.report is not None and done.report["adopted"] is True
    assert prompts(double) == 1 and [how for _, how in double.finished] == ["success"]


async def test_a_comfyui_that_restarts_gets_the_task_again(tmp_path: Path) -> None:
    with comfyui_double() as double:
        double.manners.step_seconds = 0.5
        async with service_of(tmp_path, "comfyui", url=[double.url], workflow=FIRST) as service:
            task = await submit(service)
            await wait_until(lambda: len(double.calls("GET", "/history/")) > 1)
            double.restart()
            double.manners.step_seconds = 0
            done = await wait_for_status(service, task, "succeeded")
    assert done.attempt == 2 and prompts(double) == 2
    assert query_rows(tmp_path, "SELECT deaths, interruptions FROM tasks") == [(0, 1)]


async def test_a_task_that_is_cancelled_is_stopped_there_and_the_worker_goes_on(tmp_path: Path) -> None:
    with comfyui_double() as double:
        double.manners.step_seconds = 20
        async with service_of(tmp_path, "comfyui", url=[double.url], workflow=FIRST) as service:
            task = await submit(service)
            await wait_until(lambda: double.running() is not None)
            workers = find_workers(service)
            await service.cancel(task.id, key_id="")
            await wait_until(lambda: bool(double.finished), within=3.0)
            assert double.finished[0][1] == "execution_interrupted"
            double.manners.step_seconds = 0
            await wait_for_status(service, await submit(service), "succeeded")
            assert find_workers(service) == workers, "the worker was killed instead of ending by itself"


async def test_a_card_out_of_memory_ends_the_task_with_that_reason(tmp_path: Path) -> None:
    with comfyui_double() as double:
        double.manners.out_of_memory = 1
        async with service_of(tmp_path, "comfyui", url=[double.url], workflow=FIRST) as service:
            failed = await wait_for_status(service, await submit(service), "failed")
            assert failed.error_code == "OUT_OF_MEMORY"
            assert "VIVANT_COMFYUI_MAX_PIXELS" in (failed.error_message or "")
            await wait_for_status(service, await submit(service), "succeeded")
    assert double.frees == 1
