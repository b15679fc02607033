"""The limits under which a decoder process works: memory, processor time, files, child processes, system calls, user.

Each limit is the platform's own and holds by itself; together they leave a process that can read and write its three
open files, use memory and end. What holds where is told in docs/decisions/0010.
"""

from __future__ import annotations

import ctypes
import errno
import math
import mmap
import os
import platform
import resource
import threading
import time
from contextlib import suppress
from typing import Final

MEMORY: Final = 768 * 2**20  # bytes above what an idle decoder maps; the largest WebP with alpha takes some 700 MiB
CPU_SECONDS: Final = 15  # per picture; the largest legitimate ones take 2 to 4, on a slow machine up to 7
UNMAPPED_USERS: Final = 2_000_000_000  # user ids from here on plus the process id belong to nobody
NOBODY: Final = 65_534

# Options of prctl(2), from linux/prctl.h.
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
# KILL, SETGID and SETUID (capabilities(7)): without the first, the service could not end a process of another user.
_CAPABILITIES: Final = (5, 6, 7)

# What Python, Pillow and the C library call while a picture is decoded; everything else fails with EPERM.
_SYSTEM_CALLS: Final = (
    "read", "readv", "write", "writev", "lseek", "close", "fstat", "newfstatat", "mmap", "munmap", "mremap", "mprotect",
    "madvise", "brk", "futex", "sched_yield", "getrandom", "clock_gettime", "clock_getres", "clock_nanosleep",
    "getcwd", "gettimeofday", "times", "getrusage", "getpid", "gettid", "rt_sigaction", "rt_sigprocmask",
    "rt_sigreturn", "sigaltstack", "restart_syscall", "prlimit64", "setrlimit", "getrlimit", "exit", "exit_group",
)  # fmt: skip
# Arguments that a call must have: its number (from 0), a mask, and the value under the mask.
_ARGUMENTS: Final = {
    "mmap": (2, mmap.PROT_EXEC, 0),  # no memory that can be executed
    "mprotect": (2, mmap.PROT_EXEC, 0),
    "prlimit64": (0, 0xFFFF_FFFF, 0),  # limits of this process only
}
_SCMP_ACT_ALLOW: Final = 0x7FFF_0000  # seccomp.h of libseccomp 2
_SCMP_ACT_EPERM: Final = 0x0005_0000 | errno.EPERM
_SCMP_CMP_MASKED_EQ: Final = 7


def confine() -> dict[str, bool]:
    """From here on: no new files, no child processes, limited memory, and where the platform can, few system calls and
    a user of its own. Returns which of these hold; the limits on memory, processor time and child processes always do.
    """
    linux = platform.system() == "Linux"
    if linux:
        mapped = int(_status("VmSize")) * 1024
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    else:
        watch_memory(MEMORY)
    may_change_user = linux and os.geteuid() == 0 and _has_capabilities()
    libseccomp = _load("libseccomp.so.2") if linux else None
    os.closerange(3, 1024)
    own_user = may_change_user and _become_nobody()
    if linux:
        libc = _load(None)
        if libc is not None:
            libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program gives rights back that were given up
            libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # processes of the same user do not look into this one
    # With a limit of 0 not even the number of a file that was closed can be used again.
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NPROC: 0, resource.RLIMIT_NOFILE: 0}
    for limit, value in limits.items():
        with suppress(OSError, ValueError):  # not every system knows every limit
            resource.setrlimit(limit, (value, value))
    no_files = resource.getrlimit(resource.RLIMIT_NOFILE) == (0, 0)
    return {
        "no files": no_files,
        "user of its own": own_user,
        "few system calls": libseccomp is not None and _filter_system_calls(libseccomp),
    }


def allow_cpu(seconds: int = CPU_SECONDS) -> None:
    """Allow this job so many more seconds of processor time; the system kills the process that uses them up."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + seconds, hard))


def watch_memory(limit: int) -> None:
    """For systems that ignore RLIMIT_AS (macOS): end the process when its peak memory passes the limit."""
    unit = 1 if platform.system() == "Darwin" else 1024  # of ru_maxrss
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def watch() -> None:
        while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - start < limit:
            time.sleep(0.02)
        os._exit(9)

    threading.Thread(target=watch, daemon=True).start()


def _become_nobody() -> bool:
    """Take a user and group that own no file and no other process; False where the system allows none."""
    for user in (UNMAPPED_USERS + os.getpid(), NOBODY):
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        except OSError:  # a user namespace without this id
            continue
        return True
    return False


class _Comparison(ctypes.Structure):
    """struct scmp_arg_cmp of libseccomp."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def _filter_system_calls(libseccomp: ctypes.CDLL) -> bool:
    """Allow _SYSTEM_CALLS only, for good. libseccomp compiles the filter; False where the kernel takes none."""
    libseccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(libseccomp.seccomp_init(ctypes.c_uint32(_SCMP_ACT_EPERM)))
    if not rules:
        return False
    for name in _SYSTEM_CALLS:
        number = libseccomp.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # this machine's kernel has no such call
            continue
        wanted = [_Comparison(arg, _SCMP_CMP_MASKED_EQ, mask, value) for arg, mask, value in _arguments_of(name)]
        array = (_Comparison * max(1, len(wanted)))(*wanted)
        if libseccomp.seccomp_rule_add_array(rules, ctypes.c_uint32(_SCMP_ACT_ALLOW), number, len(wanted), array):
            return False
    loaded: int = libseccomp.seccomp_load(rules)
    return loaded == 0


def _arguments_of(name: str) -> list[tuple[int, int, int]]:
    return [_ARGUMENTS[name]] if name in _ARGUMENTS else []


def _load(library: str | None) -> ctypes.CDLL | None:
    """A C library by its file name, or None where there is none; `None` is what this program is linked with."""
    try:
        return ctypes.CDLL(library)
    except OSError:
        return None


def _has_capabilities() -> bool:
    effective = int(_status("CapEff"), 16)
    return all(effective >> number & 1 for number in _CAPABILITIES)


def _status(name: str) -> str:
    with open("/proc/self/status") as lines:  # noqa: PTH123  saves importing pathlib
        return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
