"""`vivant serve` as a real process whose stderr or stdout fails: it makes clips, answers, and ends on SIGTERM."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from support.live_server import SUBMIT, picture_uri

PATIENCE = 90.0  # seconds for anything on a busy machine
TASK = {"prompt": "a lake", "image": picture_uri(), "duration": 4, "resolution": "480p"}

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Served:
    """A service process on a port of its own."""

    def __init__(self, data: Path, *, stdout: int = subprocess.DEVNULL, stderr: int, redirect: str = "") -> None:
        """redirect: for the shell, such as 2>&-."""
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            port = chosen.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "vivant", "serve", "--port", str(port), "--data", str(data)]
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f"umask 022; exec {shlex.join(command)} {redirect}"],
            stdout=stdout, stderr=stderr, env={**os.environ, "VIVANT_ENGINES": "testcard"},
        )  # fmt: skip

    def call(self, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, data), timeout=20) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, "the service ended"
            with suppress(OSError):
                return self.call("/readyz")[0] == 200
            return False

        until(ready)

    def make_a_clip(self) -> None:
        status, submitted = self.call(SUBMIT, TASK)
        assert status == 200
        until(lambda: self.call(f"/v1/tasks/{submitted['task_id']}")[1]["status"] == "succeeded")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@contextmanager
def served(data: Path, **streams: Any) -> Iterator[Served]:
    service = Served(data, **streams)
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.process.kill()
        service.process.wait()


def fill(pipe: int) -> None:
    """Fill the pipe, so that the next write would wait for a reader."""
    flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    for size in (4096, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(pipe, b"\n" * size)
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_log_on_a_full_disk_stops_nothing(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full, served(tmp_path, stderr=full.fileno()) as service:
        service.make_a_clip()
        service.stop()


def test_a_log_whose_stream_is_closed_stops_nothing_and_is_written_into_no_other_file(tmp_path: Path) -> None:
    with served(tmp_path, stderr=subprocess.DEVNULL, redirect="2>&-") as service:
        service.make_a_clip()
        service.stop()
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"serving" not in file.read_bytes()


@pytest.mark.parametrize("flags", [0, os.O_NONBLOCK], ids=["blocking", "non-blocking"])
def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path, flags: int) -> None:
    reading, writing = os.pipe()
    try:
        fill(writing)
        fcntl.fcntl(writing, fcntl.F_SETFL, fcntl.fcntl(writing, fcntl.F_GETFL) | flags)
        with served(tmp_path, stdout=writing, stderr=writing) as service:
            service.make_a_clip()
            service.stop()
    finally:
        os.close(reading)
        os.close(writing)


def test_a_log_whose_reader_ends_stops_nothing_and_the_next_reader_is_told_what_was_lost(tmp_path: Path) -> None:
    log = tmp_path / "log"
    os.mkfifo(log)
    # Held open for writing from here on, so that the service's end is broken as soon as no reader is left.
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(log, os.O_WRONLY)
    (tmp_path / "data").mkdir()
    try:
        with served(tmp_path / "data", stderr=writer) as service:
            service.make_a_clip()
            os.close(reader)
            service.make_a_clip()
            reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
            service.make_a_clip()
            service.stop()
            os.set_blocking(reader, False)
            text = os.read(reader, 2**20).decode()
    finally:
        os.close(reader)
        os.close(writer)
    assert text.count("log lines were lost") == 1
    assert "run ended" in text


def test_a_stdout_without_a_reader_stops_nothing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with served(tmp_path, stdout=writing, stderr=subprocess.DEVNULL) as service:
            service.make_a_clip()
            service.stop()
    finally:
        os.close(writing)


def test_every_file_of_a_service_is_private_also_in_a_folder_that_others_can_list(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    with served(data, stderr=subprocess.DEVNULL) as service:
        service.make_a_clip()
        modes = {path: path.stat().st_mode for path in data.rglob("*")}
        service.stop()
    assert any(path.name == "clip.mp4" for path in modes) and any(path.name == "vivant.db-wal" for path in modes)
    assert not [path for path, mode in modes.items() if stat.S_IMODE(mode) & 0o077]
