"""A task of the embedded engine that is cancelled while it is planned, on a machine that is busy: the engine notices at
its next step, so the worker is soon free and goes on living.
"""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from support.clips import photo
from support.live_service import a_brief, running_service, wait_for_status, wait_until, wait_until_ready
from vivant.dispatch.local import LocalFleet
from vivant.intake.pictures import CleanPicture
from vivant.service import Service
from vivant.task import Status
from vivant.timings import Timings

SENTENCES = "The camera pans left, then the old man says: “It rains.” 镜头推近，女孩轻声说：“你好。” "
LONG_PROMPT = (SENTENCES * 200)[:10_000]
# A step is a second of processor time at most (the net that finds the subject). A slow machine that runs other tests
# beside gives little of it, so the worker is allowed more than the two seconds after which the service kills it.
PATIENT = Timings(stop_within=50.0)
MOMENTS = (0.0, 0.05, 0.15, 0.3, 0.45, 0.6, 0.9, 1.3)  # seconds after the task has started


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Processes that keep every core busy, for two minutes at most."""
    spin = "import time; end = time.monotonic() + 120\nwhile time.monotonic() < end: pass"
    burners = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(os.cpu_count() or 1)]
    yield
    for burner in burners:
        burner.kill()
        burner.wait()


def large_picture() -> CleanPicture:
    data = io.BytesIO()
    Image.fromarray(photo("portrait_barkla")).resize((2200, 1240)).save(data, "PNG", compress_level=1)
    return CleanPicture(data.getvalue(), 2200, 1240)


def worker_pid(service: Service) -> int:
    assert isinstance(service._fleet, LocalFleet)
    (worker,) = service._fleet._workers.values()
    return worker._process.pid


async def test_a_worker_is_soon_free_and_alive_whenever_its_task_is_cancelled(
    tmp_path: Path, busy_machine: None
) -> None:
    picture = large_picture()
    async with running_service(tmp_path, engine="diorama", timings=PATIENT) as service:
        await wait_until_ready(service)
        pid = worker_pid(service)
        planning = 0
        for moment in MOMENTS:
            brief = a_brief(resolution="1080p", ratio="16:9", seconds=12, prompt=LONG_PROMPT)
            task = await service.submit(brief, picture, None, key_id="")
            await wait_for_status(service, task, "running")
            await asyncio.sleep(moment)
            cancelled = await service.cancel(task.id, key_id="")
            assert cancelled.status is Status.CANCELLED
            planning += cancelled.storyboard is None
            await wait_until(lambda: service.health()["workers"]["running"] == 0)
            assert worker_pid(service) == pid, f"the worker was killed {moment} s after the start"
        assert planning >= 2, "no task was cancelled while it was planned"
