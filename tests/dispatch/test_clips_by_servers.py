"""Whole tasks by engines with a server or a program behind them: the service as it runs, its worker processes, and
doubles on loopback."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from support.doubles.programs import MAKE_FILM
from support.doubles.sdcpp import SdcppDouble
from support.doubles.sglang import SGLangDouble
from support.doubles.vllm_omni import VllmOmniDouble
from support.engine_service import find_workers, service_of, submit
from support.live_service import query_rows, wait_for_status, wait_until


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_task_is_made_by_a_server_and_tells_how(tmp_path: Path) -> None:
    with VllmOmniDouble(work=0.3) as double:
        async with service_of(tmp_path, "openai-videos", url=[double.url], server="vllm-omni") as service:
            done = await wait_for_status(service, await submit(service), "succeeded")
    assert done.report is not None
    assert (done.report["model"], done.report["server"]) == ("org/ltx", "vllm-omni")
    assert done.report["remote_id"].startswith("video_gen_")
    assert double.url not in str(done.report) and double.url not in str(done.storyboard)
    assert list((tmp_path / "scratch").rglob("*film*")) == []


async def test_a_worker_that_is_killed_leaves_its_job_to_the_next_attempt(tmp_path: Path) -> None:
    with SGLangDouble(work=3.0) as double:
        async with service_of(tmp_path, "openai-videos", url=[double.url]) as service:
            task = await submit(service)
            await wait_until(lambda: len(double.asked("GET", "/v1/videos/")) > 1)
            for worker in find_workers(service):
                os.kill(worker, signal.SIGKILL)
            done = await wait_for_status(service, task, "succeeded")
    assert done.attempt == 2 and done.report is not None and done.report["adopted"] is True
    assert len(double.asked("POST")) == 1 and double.asked("DELETE") == []


async def test_a_server_that_restarts_gets_the_task_again(tmp_path: Path) -> None:
    with SGLangDouble(work=1.0) as double:
        async with service_of(tmp_path, "openai-videos", url=[double.url]) as service:
            task = await submit(service)
            await wait_until(lambda: len(double.asked("GET", "/v1/videos/")) > 0)
            double.restart()
            done = await wait_for_status(service, task, "succeeded")
    assert done.attempt == 2 and len(double.asked("POST")) == 2
    assert query_rows(tmp_path, "SELECT deaths, interruptions FROM tasks") == [(0, 1)]


async def test_a_task_that_is_cancelled_is_cancelled_at_the_server(tmp_path: Path) -> None:
    with VllmOmniDouble(work=60.0) as double:
        async with service_of(tmp_path, "openai-videos", url=[double.url], server="vllm-omni") as service:
            task = await submit(service)
            await wait_until(lambda: len(double.asked("GET", "/v1/videos/")) > 1)
            workers = find_workers(service)
            await service.cancel(task.id, key_id="")
            await wait_until(lambda: bool(double.aborted), within=3.0)
            double.work = 0.0
            await wait_for_status(service, await submit(service), "succeeded")
            assert find_workers(service) == workers, "the worker was killed instead of ending by itself"


async def test_a_server_out_of_memory_ends_the_task_with_that_reason(tmp_path: Path) -> None:
    with SdcppDouble(fails_with="ggml_gallocr: failed to allocate CUDA0 buffer") as double:
        async with service_of(tmp_path, "sdcpp", url=[double.url]) as service:
            failed = await wait_for_status(service, await submit(service), "failed")
    assert failed.error_code == "OUT_OF_MEMORY" and "CUDA0" in (failed.error_message or "")


async def test_two_servers_make_two_clips_at_once(tmp_path: Path) -> None:
    with SGLangDouble(work=2.0) as one, SGLangDouble(work=2.0) as two:
        async with service_of(tmp_path, "openai-videos", url=[one.url, two.url]) as service:
            await wait_until(lambda: service.health()["workers"]["ready"] == 2)
            tasks = [await submit(service, seed=seed) for seed in (1, 2)]
            for task in tasks:
                await wait_for_status(service, task, "succeeded")
    assert len(one.asked("POST")) == len(two.asked("POST")) == 1


@pytest.mark.parametrize("how", ["cancelled", "killed"])
async def test_a_program_ends_with_its_task_and_with_its_worker(how: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pathlib.Path(sys.argv[0]).with_name('pid').write_text(str(os.getpid()))\n"
        "time.sleep(60)\n"
    )
    run = [sys.executable, str(program), "{image}", "{prompt}", "{output}"]
    async with service_of(tmp_path / "data", "command", run=run) as service:
        task = await submit(service)
        await wait_until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
        running = int((tmp_path / "pid").read_text())
        assert alive(running)
        started = time.monotonic()
        if how == "cancelled":
            await service.cancel(task.id, key_id="")
        else:
            for worker in find_workers(service):
                os.kill(worker, signal.SIGKILL)
        await wait_until(lambda: not alive(running), within=5.0)
        assert time.monotonic() - started < 4.0
        if how == "killed":
            await service.cancel(task.id, key_id="")


async def test_a_task_is_made_by_a_program(tmp_path: Path) -> None:
    async with service_of(tmp_path, "command", run=MAKE_FILM, model="films of mine") as service:
        done = await wait_for_status(service, await submit(service), "succeeded")
    assert done.report is not None and done.report["model"] == "films of mine"
