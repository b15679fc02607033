"""Memory of a process: how much is resident, and returning what is free to the system. Knows no engine."""

from __future__ import annotations

import ctypes
import functools
import gc
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ARENAS: Final = 2  # of glibc; with one for each thread a worker keeps a tenth more after some clips
_ARENA_MAX: Final = -8  # M_ARENA_MAX of glibc's <malloc.h>
_RESET_PEAK: Final = "5"  # written to clear_refs, see proc(5)


def return_free_memory() -> None:
    """Collect what nobody refers to, and return free memory to the system.

    glibc keeps what is freed: the arrays of a clip lie in its arenas among small things that live on, and each clip
    leaves more such gaps. Elsewhere only the first half is done.
    """
    gc.collect()
    trim_heap()


def trim_heap() -> None:
    """Return free memory to the system without looking for garbage: some milliseconds."""
    trim = _find("malloc_trim", ctypes.c_size_t)
    if trim is not None:
        trim(0)


def limit_arenas() -> None:
    """Let all threads allocate from a few arenas of glibc. Call it before there are threads."""
    mallopt = _find("mallopt", ctypes.c_int, ctypes.c_int)
    if mallopt is not None:
        mallopt(_ARENA_MAX, ARENAS)


def resident_bytes(pid: int | str = "self") -> int:
    """Resident memory of a process, shared pages included; 0 where /proc does not tell it."""
    return _read_status(pid, "VmRSS")


def peak_bytes(pid: int | str = "self") -> int:
    """The most that was resident so far, or since `reset_peak`; of this process on every system, of others on Linux."""
    peak = _read_status(pid, "VmHWM")
    if peak or pid != "self":
        return peak
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def reset_peak(pid: int | str = "self") -> bool:
    """Let the peak start again from what is resident now. False where the system cannot do that."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def _read_status(pid: int | str, name: str) -> int:
    """Bytes of a line of /proc/<pid>/status; 0 where there is none."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)


@functools.cache
def _find(name: str, *arguments: Any) -> Callable[..., int] | None:
    """A function of the C library that takes these types and returns an int; None where it has none of that name, as
    musl and other systems than Linux."""
    if sys.platform != "linux":
        return None
    function: Any = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function.argtypes, function.restype = arguments, ctypes.c_int
    return function  # type: ignore[no-any-return]  # a function of the C library
