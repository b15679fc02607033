"""A program while it runs, below a supervisor (supervisor.py) that ends it and its children, also when this process is
killed; its output is read line by line and kept short; its progress is found in it.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vivant.engines.generated.answers import clean
from vivant.errors import EngineFailed

PAUSE: Final = 0.1  # s between two looks at whether the work is still wanted
GRACE: Final = 1.0  # s between SIGTERM and SIGKILL; a worker is killed after 2
LINES: Final = 20  # of its output that are told when it fails
LONGEST_LINE: Final = 2000  # bytes that are looked at; progress bars are one endless line
BLOCK: Final = 64 * 1024
PROGRESS: Final = r"(\d+)\s*/\s*(\d+)"
# What a program gets of our environment: where things are, and what drivers and caches need; none of our settings.
_PASSED: Final = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|DYLD_\w+|XDG_\w+|VIRTUAL_ENV|CONDA_\w+|"
    r"CUDA_\w+|NVIDIA_\w+|HIP_\w+|ROCR_\w+|ROCM_\w+|HSA_\w+|GGML_\w+|VK_\w+|MLX_\w+|PYTORCH_\w+|TORCH_\w+|OMP_\w+|"
    r"HF_HOME|HF_HUB_OFFLINE|HF_HUB_CACHE|TRANSFORMERS_CACHE|SSL_CERT_FILE|SSL_CERT_DIR"
)
_SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")
_SECRET: Final = re.compile(r"TOKEN|SECRET|PASSWORD|_KEY\b|API_?KEY", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a program ended. code: its exit code, below 0 the signal that ended it. seconds: that it ran."""

    code: int
    seconds: float
    lines: tuple[str, ...]  # the last of its output, standard error first of all


def pick_environment(ours: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """What a program gets: of our environment only what is harmless, and what the operator adds."""
    picked = {name: value for name, value in ours.items() if _PASSED.fullmatch(name) and not _SECRET.search(name)}
    # OpenCV puts its own libraries there when it is imported: they are not for others.
    folders = [
        folder for folder in picked.pop("LD_LIBRARY_PATH", "").split(os.pathsep) if "site-packages" not in folder
    ]
    if any(folders):
        picked["LD_LIBRARY_PATH"] = os.pathsep.join(folders)
    return {**picked, **more}


def run_program(
    line: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
    check: Callable[[], None],
    report: Callable[[float], None],
    progress: re.Pattern[str],
) -> Ending:
    """Run it in `folder` to its end. report: gets the fraction 0..1 that its output tells. progress: a pattern with two
    groups, done and of how many. It and its children are ended when `check` raises, and after so many `seconds`.

    Raises what the check raises, and EngineFailed at the deadline.
    """
    started = time.monotonic()
    supervised = [sys.executable, "-I", "-S", str(_SUPERVISOR), str(GRACE), *line]
    try:
        process = subprocess.Popen(
            supervised, cwd=folder, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:  # too long a line, a null byte
        reason = getattr(error, "strerror", None) or str(error)
        raise EngineFailed(f"The command cannot be started: {reason}.") from error
    output = _Output(process, progress, report)
    try:
        while not output.ended:
            check()
            output.read(PAUSE)
            if process.poll() is not None:  # whoever it left running was ended, and may hold its output open yet
                output.read(0.0)
                break
            if time.monotonic() - started > seconds:
                raise EngineFailed(f"The command did not end within {seconds:g} s, and was ended.")
        while process.poll() is None:
            check()
            time.sleep(PAUSE / 5)
            if time.monotonic() - started > seconds:
                raise EngineFailed(f"The command did not end within {seconds:g} s, and was ended.")
    finally:
        output.close()
        _end(process)
    return Ending(code=process.returncode, seconds=time.monotonic() - started, lines=output.last_lines())


class _Output:
    """Standard output and standard error of a process, read as they come."""

    def __init__(
        self, process: subprocess.Popen[bytes], progress: re.Pattern[str], report: Callable[[float], None]
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._progress, self._report = progress, report
        self._parts: dict[int, bytes] = {}
        self._lines: dict[int, deque[str]] = {}
        self._order: list[int] = []
        for stream in (process.stderr, process.stdout):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ)
            self._parts[stream.fileno()] = b""
            self._lines[stream.fileno()] = deque(maxlen=LINES)
            self._order.append(stream.fileno())

    @property
    def ended(self) -> bool:
        return not self._selector.get_map()

    def read(self, wait: float) -> None:
        """Take what is there, at most one block of each stream, after at most `wait` seconds."""
        for key, _ in self._selector.select(wait):
            try:
                block = os.read(key.fd, BLOCK)
            except BlockingIOError:
                continue
            if not block:
                self._selector.unregister(key.fileobj)
            self._take(key.fd, block)

    def _take(self, stream: int, block: bytes) -> None:
        """Cut into lines at \\r and \\n. Of a line without an end, its last bytes are kept."""
        *lines, rest = re.split(rb"[\r\n]+", self._parts[stream] + block)
        if not block and rest:
            lines, rest = [*lines, rest], b""
        self._parts[stream] = rest[-LONGEST_LINE:]
        for line in lines[-1000:]:
            text = line[-LONGEST_LINE:].decode(errors="replace")
            if text.strip():
                self._lines[stream].append(clean(text))
            self._look_for_progress(text)
        self._look_for_progress(self._parts[stream].decode(errors="replace"))

    def _look_for_progress(self, text: str) -> None:
        found = None
        for found in self._progress.finditer(text):  # noqa: B007  the last one of the line
            pass
        if found is None:
            return
        with contextlib.suppress(ValueError, IndexError, TypeError):
            done, whole = int(found.group(1)[:9]), int(found.group(2)[:9])
            if 0 <= done <= whole and whole > 0:
                self._report(done / whole)

    def close(self) -> None:
        self._selector.close()

    def last_lines(self) -> tuple[str, ...]:
        """Of standard error, and if that said nothing, of standard output."""
        return next((tuple(self._lines[one]) for one in self._order if self._lines[one]), ())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the supervisor's pipe, upon which it ends the program: after GRACE at the latest."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(GRACE + 0.5)
    except subprocess.TimeoutExpired:  # it was stopped, or the machine is too busy
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
