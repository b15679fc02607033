"""The limits under which a decoder process works: memory, processor time, open files, child processes."""

from __future__ import annotations

import math
import os
import platform
import resource
import threading
import time
from contextlib import suppress
from typing import Final

MEMORY: Final = 768 * 2**20  # bytes above what an idle decoder maps; the largest WebP with alpha takes some 700 MiB
CPU_SECONDS: Final = 15  # per picture; the largest legitimate ones take 2 to 4


def confine() -> None:
    """From here on: no new files, no child processes, limited memory."""
    if platform.system() == "Linux":
        mapped = int(_status("VmSize")) * 1024
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    else:
        watch_memory(MEMORY)
    # Files last, since _status opens one. Three stay open: stdin, stdout and stderr.
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NPROC: 0, resource.RLIMIT_NOFILE: 3}
    for limit, value in limits.items():
        with suppress(OSError, ValueError):  # not every system knows every limit
            resource.setrlimit(limit, (value, value))


def allow_cpu() -> None:
    """Allow this job CPU_SECONDS more of processor time; the system kills the process that uses them up."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + CPU_SECONDS, hard))


def watch_memory(limit: int) -> None:
    """For systems that ignore RLIMIT_AS (macOS): end the process when its peak memory passes the limit."""
    unit = 1 if platform.system() == "Darwin" else 1024  # of ru_maxrss
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def watch() -> None:
        while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - start < limit:
            time.sleep(0.02)
        os._exit(9)

    threading.Thread(target=watch, daemon=True).start()


def _status(name: str) -> str:
    with open("/proc/self/status") as lines:  # noqa: PTH123  saves importing pathlib
        return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
