"""Runs one program and sees to it that it ends: a process between the worker and the program.

A worker may be killed at any time, and a program that goes on would hold a GPU for nobody. So this process holds the
other end of a pipe of the worker's: when that is closed, by the worker or by its death, the program gets SIGTERM, and
after a grace SIGKILL, and so does whatever it has started in its session. It ends as the program ended.

    python -I -S supervisor.py GRACE PROGRAM ARGUMENT …

It needs nothing but the standard library, and no package is on its path.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
import time

LOOK_EVERY = 0.05  # s
NOT_STARTED = 127  # exit code, as of a shell


def main() -> None:
    grace, line = float(sys.argv[1]), sys.argv[2:]
    for number in (signal.SIGINT, signal.SIGTERM):  # the worker ignores them, and that is inherited
        signal.signal(number, signal.SIG_DFL)
    program = os.fork()
    if program == 0:
        _become(line)
    os.close(1)  # so that the program's output ends when the program's own processes have ended
    os.close(2)
    status = _wait(program)
    if status is None:
        _signal(program, signal.SIGTERM)
        until = time.monotonic() + grace
        while status is None and time.monotonic() < until:
            status = _look(program)
            time.sleep(LOOK_EVERY / 5)
    _signal(program, signal.SIGKILL)  # also what it has left running
    if status is None:
        status = os.waitpid(program, 0)[1]
    _end_as(status)


def _become(line: list[str]) -> None:
    """This process becomes the program, in a session of its own. Never returns."""
    try:
        os.setsid()
        empty = os.open(os.devnull, os.O_RDONLY)
        os.dup2(empty, 0)
        os.execvp(line[0], line)
    except OSError as error:
        os.write(2, f"{line[0]}: {error.strerror}\n".encode(errors="replace"))
    os._exit(NOT_STARTED)


def _wait(program: int) -> int | None:
    """How it ended; None as soon as the worker has closed the pipe."""
    while True:
        status = _look(program)
        if status is not None:
            return status
        if select.select([0], [], [], LOOK_EVERY)[0] and not os.read(0, 1):
            return None


def _look(program: int) -> int | None:
    found, status = os.waitpid(program, os.WNOHANG)
    return status if found else None


def _signal(program: int, number: int) -> None:
    """To its process group, which lives as long as one of its processes."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program, number)


def _end_as(status: int) -> None:
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError, ValueError):  # SIGKILL has no handler to take away
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1)


if __name__ == "__main__":
    main()
