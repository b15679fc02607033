"""The number of files and connections that this process may have open."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from typing import Final

import structlog

ENOUGH: Final = 65_536  # more is never used, and some systems refuse to set more
SAY_EVERY: Final = 60.0  # seconds between log lines about descriptors that are all taken

log = structlog.get_logger(__name__)


def raise_file_limit() -> int:
    """Raise the limit as far as the system lets us, and return it. Many systems begin with 1024 or 256."""
    if sys.platform == "win32":
        return ENOUGH
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return min(soft, ENOUGH) if soft != resource.RLIM_INFINITY else ENOUGH
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (ValueError, OSError):
        return soft
    return most


async def watch_descriptors(descriptor: int, *, every: float) -> None:
    """Log an error, once a minute at most, while no descriptor is free; look `every` seconds, until cancelled.

    A connection that cannot be accepted for want of one waits in the system's queue, and nothing else tells of it.
    descriptor: any open one.
    """
    silent_until = -float("inf")
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every)
        try:
            os.close(os.dup(descriptor))
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE) and loop.time() >= silent_until:
                silent_until = loop.time() + SAY_EVERY
                log.error("no descriptor is free: connections wait and files cannot be opened", reason=error.strerror)
