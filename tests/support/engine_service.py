"""A live service of one engine, and its worker processes, which a test may kill."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support.live_service import a_brief, a_picture, wait_until_ready
from vivant.dispatch.local import LocalFleet
from vivant.service import Service, build_service
from vivant.settings import Settings
from vivant.task import Task
from vivant.timings import Timings


@asynccontextmanager
async def service_of(data: Path, engine: str, **options: Any) -> AsyncIterator[Service]:
    """A service of one engine with these options. No probes: their jobs would be counted."""
    settings = Settings(data=data, engines=(engine,), engine_settings={engine: {"probe": False, **options}})
    service = build_service(settings, timings=Timings(restart_after=(0.05,)))
    try:
        await service.start()
        await wait_until_ready(service)
        yield service
    finally:
        await service.stop(drain=False)


async def submit(service: Service, *, last: bool = False, **values: Any) -> Task:
    picture = a_picture()
    task, _ = await service.submit_once(
        a_brief(**values), picture, picture if last else None, key_id="", idempotency=None
    )
    return task


def find_workers(service: Service) -> list[int]:
    """Process ids of this service's workers; other services in the same process have theirs."""
    fleet = service._fleet
    assert isinstance(fleet, LocalFleet)
    return [worker._process.pid for worker in fleet._workers.values()]
