"""A demo that is interrupted leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def descendants(pid: int) -> list[int]:
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return [each for child in map(int, children) for each in (child, *descendants(child))]


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


@pytest.mark.skipif(sys.platform != "linux", reason="asks ps for children the way Linux does")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["Starting", "GET /v3"])
def test_an_interrupted_demo_leaves_no_process_and_no_folder(tmp_path: Path, number: int, moment: str) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "vivant", "demo", "-o", str(tmp_path / "demo.mp4")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "VIVANT_DATA": str(tmp_path), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    with demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if moment in line:
                break
        while not (children := descendants(demo.pid)):
            time.sleep(0.02)
        demo.send_signal(number)
        demo.stdout.read()
        assert demo.wait(30) != 0
    deadline = time.monotonic() + 5
    while any(map(is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [child for child in children if is_running(child)]
    assert list(tmp_path.iterdir()) == []
