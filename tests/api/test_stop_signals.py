"""SIGTERM ends `vivant serve` whatever hangs: at the first signal in good order, at the second within seconds."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

import pytest

from api.test_serve import serving
from support.live_server import SUBMIT, picture_uri
from support.silent_server import SilentServer, use_as_s3

REQUEST: Final = {"prompt": "x", "image": picture_uri()}

# What `serve` does with signals, around a main thread that runs `body` without ever looking up.
PROGRAM: Final = """
import sys, time, threading, asyncio
from vivant.api.stop_signals import StopSignals
killed = lambda: print("last resort", flush=True)
with StopSignals(first_within={first}, second_within={second}) as signals:
    loop = asyncio.new_event_loop()
    signals.attach(loop, lambda count: None, killed)
    print("up", flush=True)
    {body}
"""


def start(body: str, *, first: float = 60, second: float = 0.5) -> subprocess.Popen[str]:
    code = PROGRAM.format(body=body, first=first, second=second)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "up\n"
    return process


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and what was printed; the process must end within 15 s."""
    try:
        out, _ = process.communicate(timeout=15)
    finally:
        process.kill()
    return process.returncode, out


@pytest.mark.parametrize(
    "body",
    [
        "time.sleep(60)",
        "lock = threading.Lock(); lock.acquire(); lock.acquire()",
        "import ctypes; [ctypes.CDLL(None).sleep(60) for _ in range(9)]",  # in C, where no handler runs
        "loop.run_until_complete(asyncio.to_thread(time.sleep, 60))",  # whose end waits for its thread
        "threading.stack_size(2**50); time.sleep(60)",  # more than any system has, so that no thread can be started
    ],
    ids=["sleeping", "deadlocked", "in C", "waiting for a thread", "no room for a thread"],
)
def test_a_second_signal_ends_a_process_that_hangs(body: str) -> None:
    process = start(body)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    code, printed = finish(process)
    assert code == 1 and printed.endswith("last resort\n")


def test_a_first_signal_has_an_end_as_well() -> None:
    process = start("time.sleep(60)", first=0.5)
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 1


def test_signals_that_came_early_are_told_when_somebody_listens() -> None:
    code = """
import asyncio, os, signal, time
from vivant.api.stop_signals import StopSignals
async def listen(signals):
    counts = []
    signals.attach(asyncio.get_running_loop(), counts.append, lambda: None)
    await asyncio.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(100):
        if len(counts) == 2:
            break
        await asyncio.sleep(0.05)
    return counts
with StopSignals(first_within=60, second_within=60) as signals:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.3)
    print(asyncio.run(listen(signals)), signals.count)
os.kill(os.getpid(), signal.SIGTERM)  # on the way out: it changes nothing
time.sleep(0.3)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "[1, 2] 2\n"


def test_without_a_signal_all_is_afterwards_as_it_was() -> None:
    code = """
import os, signal, time
from vivant.api.stop_signals import StopSignals
with StopSignals(first_within=60, second_within=60):
    pass
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "interrupted\n"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_store_that_hangs_holds_neither_callers_nor_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SilentServer() as server:
        url = use_as_s3(monkeypatch, server.port)
        with serving(tmp_path, VIVANT_STORAGE_URL=url) as service:

            def send() -> None:
                with contextlib.suppress(OSError, ValueError):  # the service ends before it answers
                    service.call(SUBMIT, REQUEST)

            senders = [threading.Thread(target=send) for _ in range(20)]
            for sender in senders:
                sender.start()
            began = time.monotonic()
            assert service.call("/v1/tasks/nothing")[0] == 404
            long_but_wrong = {"prompt": "x", "image": "data:image/png;base64," + "A" * 300_000}
            assert service.call(SUBMIT, long_but_wrong)[0] == 400  # it is parsed in a thread
            code, ready = service.call("/readyz")
            assert code == 503 and not ready["checks"]["storage"] and ready["checks"]["database"]
            assert time.monotonic() - began < 20
            service.process.send_signal(signal.SIGTERM)
            time.sleep(1)
            service.process.send_signal(signal.SIGTERM)
            assert service.ended(15) in (0, 1)
            for sender in senders:
                sender.join(10)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_a_forced_end_leaves_no_child(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        pid = service.process.pid
        children = [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if parent(entry) == pid]
        assert children
        for child in children:
            os.kill(child, signal.SIGSTOP)  # they do not end by themselves when their pipes close
        os.kill(pid, signal.SIGSTOP)
        for number in (signal.SIGINT, signal.SIGTERM):  # both wait until it goes on
            os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)
        service.ended(30)
        deadline = time.monotonic() + 10
        while left := [child for child in children if parent(Path(f"/proc/{child}")) >= 0]:
            assert time.monotonic() < deadline, left
            time.sleep(0.05)


def parent(entry: Path) -> int:
    """The parent of a living process, -1 for one that is gone or a zombie."""
    try:
        state, found = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return -1
    return -1 if state == "Z" else int(found)
