"""The steps of going down. Each has a time in which it must be done: what hangs is logged and left behind, so that one
hung disk, database or process does not keep the program from ending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

import structlog

log = structlog.get_logger()


async def take_step(what: str, step: Awaitable[Any], *, within: float) -> bool:
    """Wait for one step, `within` seconds at most. True: it was done. A step that fails or takes longer is logged.

    `asyncio.wait` and not a timeout around the step: a step that does not let itself be cancelled must not hold us.
    """
    task = asyncio.ensure_future(step)
    await asyncio.wait({task}, timeout=within)
    if not task.done():
        task.cancel()
        log.error("left behind while going down", what=what, after_seconds=within)
        return False
    if task.cancelled():
        return False
    if (error := task.exception()) is not None:
        log.error("failed while going down", what=what, exc_info=error)
        return False
    return True


async def end_tasks(tasks: Iterable[asyncio.Task[None] | None], *, within: float) -> None:
    """Cancel these, and wait until they have ended, `within` seconds at most; those that have not are logged."""
    given = [task for task in tasks if task is not None]
    for task in given:
        task.cancel()
    if given:
        _, left = await asyncio.wait(given, timeout=within)
        if left:
            log.error("left behind while going down", tasks=[task.get_name() for task in left], after_seconds=within)
