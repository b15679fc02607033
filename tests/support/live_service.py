"""A real service on a real folder, with workers that may run the engines of hostile_worker.py."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from vivant.clock import SYSTEM_CLOCK, Clock
from vivant.dispatch.fleet import Pool
from vivant.dispatch.local import LocalFleet
from vivant.intake.pictures import CleanPicture
from vivant.request import Brief
from vivant.service import Service, build_service
from vivant.settings import Settings
from vivant.task import Task
from vivant.timings import DEFAULT_TIMINGS, Timings

HOSTILE_WORKER = (sys.executable, str(Path(__file__).with_name("hostile_worker.py")))
PATIENCE = 60.0  # seconds that anything may take on a busy machine


@cache
def a_picture() -> CleanPicture:
    data = io.BytesIO()
    Image.linear_gradient("L").resize((400, 400)).convert("RGB").save(data, "PNG")
    return CleanPicture(data.getvalue(), 400, 400)


def a_brief(**values: Any) -> Brief:
    return Brief(**{"prompt": "a lake", "resolution": "480p", "seconds": 4, "seed": 7, **values})


def build(
    data: Path, *, engine: str = "still", workers: int = 1, clock: Clock = SYSTEM_CLOCK,
    timings: Timings = DEFAULT_TIMINGS, **values: Any,
) -> Service:  # fmt: skip
    """A service whose workers know `engine`, also one of hostile_worker.py. Not started."""
    settings = Settings(data=data, engines=("testcard",), workers=workers, **values)
    fleet = LocalFleet(
        [Pool(name, workers) for name in engine.split()],
        storage=settings.storage,
        scratch=data / "scratch",
        command=HOSTILE_WORKER,
        timings=timings,
    )
    return build_service(settings, clock=clock, timings=timings, fleet=fleet)


@asynccontextmanager
async def running_service(data: Path, **what: Any) -> AsyncIterator[Service]:
    service = build(data, **what)
    try:
        await service.start()
        yield service
    finally:
        await service.stop(drain=False)


async def wait_until_ready(service: Service) -> None:
    await wait_until(lambda: service.health()["workers"]["ready"] > 0)


async def submit_task(service: Service, *, key_id: str = "", **values: Any) -> Task:
    return await service.submit(a_brief(**values), a_picture(), None, key_id=key_id)


async def wait_until(condition: Callable[[], bool], *, within: float = PATIENCE) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


async def wait_for_status(service: Service, task: Task, *statuses: str, within: float = PATIENCE) -> Task:
    deadline = time.monotonic() + within
    while (found := await service.get_task(task.id, key_id=task.key_id)).status not in statuses:
        assert time.monotonic() < deadline, f"{task.id} is still {found.status}"
        assert not found.status.is_terminal, found
        await asyncio.sleep(0.02)
    return found


def query_rows(data: Path, question: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query, read as another process would."""
    with sqlite3.connect(data / "vivant.db") as other:
        found = other.execute(question, values).fetchall()
    other.close()
    return found
