"""`vivant serve` as a real process: its address, signals and memory."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.live_server import SUBMIT, picture_uri
from support.paths import PHOTOS
from support.serve_process import serve_process
from vivant.cli.options import open_record
from vivant.record import keys
from vivant.request import PICTURE_BYTES

PHOTO = PHOTOS / "city_day.jpg"
LONG = {"prompt": "x", "image": picture_uri(), "duration": 12, "resolution": "1080p"}


class Running:
    """A service process and its address."""

    def __init__(self, process: subprocess.Popen[str], url: str, seconds: float) -> None:
        self.process, self.url, self.seconds = process, url, seconds

    def call(self, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, data), timeout=60) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def until(self, task_id: str, *statuses: str) -> str:
        while True:
            _, task = self.call(f"/v1/tasks/{task_id}")
            if task["status"] in statuses:
                return str(task["status"])
            time.sleep(0.05)

    def ended(self, within: float) -> int:
        return self.process.wait(within)


@contextmanager
def serving(data: Path, *options: str, **environment: str) -> Iterator[Running]:
    start = time.monotonic()
    with serve_process(data, *options, environment=environment) as (process, url):
        yield Running(process, url, time.monotonic() - start)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_it_prints_its_address_answers_at_once_and_logs_to_stderr(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        assert service.url.startswith("http://127.0.0.1:")
        assert service.call("/healthz")[0] == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.ended(20) == 0
        assert service.process.stdout is not None
        assert "[info" not in service.process.stdout.read()
        assert "serving" in (tmp_path / "log").read_text()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_log_can_be_json(tmp_path: Path) -> None:
    with serving(tmp_path, VIVANT_LOG_FORMAT="json") as service:
        service.call(SUBMIT, {"prompt": ""})
        service.process.send_signal(signal.SIGTERM)
        service.ended(20)
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert any(event["event"] == "serving" and event["url"] == service.url for event in events)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_first_signal_lets_the_running_clip_finish_and_takes_no_more(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        _, sent = service.call(SUBMIT, {**LONG, "duration": 6, "resolution": "720p"})
        service.until(sent["id"], "running")
        service.process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 10
        while (refused := service.call(SUBMIT, LONG))[0] != 503 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert refused[0] == 503
        assert service.call(f"/v1/tasks/{sent['id']}")[0] == 200  # polling goes on
        assert service.ended(60) == 0
    with serving(tmp_path) as service:
        assert service.until(sent["id"], "succeeded", "failed") == "succeeded"
        assert service.call(f"/v1/tasks/{sent['id']}")[1]["attempt"] == 1


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_second_signal_ends_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        _, sent = service.call(SUBMIT, LONG)
        service.until(sent["id"], "running")
        service.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        service.process.send_signal(signal.SIGINT)
        assert service.ended(15) == 0
    with serving(tmp_path) as service:
        assert service.call(f"/v1/tasks/{sent['id']}")[1]["status"] in ("queued", "running")


def run(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vivant", "serve", "--data", str(data), *options],
        capture_output=True, text=True, timeout=30, check=False, env={**os.environ, "VIVANT_ENGINES": "testcard"},
    )  # fmt: skip


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_public_address_without_a_key_is_refused_with_what_to_do(tmp_path: Path, host: str) -> None:
    ended = run(tmp_path, "--host", host, "--port", "0")
    assert ended.returncode == 1 and "vivant keys create" in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_public_address_with_a_key_is_served(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    with open_record(tmp_path) as connection:
        keys.create(connection, name="ann", now=datetime.now(UTC))
    with serving(tmp_path, "--host", "0.0.0.0") as service:
        assert service.call("/healthz")[0] == 200
        assert service.call("/v1/tasks")[0] == 401


def test_an_address_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run(tmp_path, "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1 and "--port" in ended.stderr and "Traceback" not in ended.stderr


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    ended = run(tmp_path, "--host", "203.0.113.1", "--port", "0")
    assert ended.returncode == 1 and "Cannot listen on 203.0.113.1" in ended.stderr


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_eight_large_bodies_at_once_stay_within_memory_and_the_surplus_is_refused(tmp_path: Path) -> None:
    if not Path("/proc").exists():
        pytest.skip("reads the peak of memory from /proc")
    photo = PHOTO.read_bytes()
    text = b"data:image/jpeg;base64," + base64.b64encode(photo + bytes(PICTURE_BYTES - len(photo)))
    body = b'{"prompt":"x","duration":4,"resolution":"480p","image":"' + text + b'","last_image":"' + text + b'"}'
    answers: list[tuple[int, Any]] = []
    with serving(tmp_path) as service:
        threads = [threading.Thread(target=lambda: answers.append(service.call(SUBMIT, body))) for _ in range(8)]
        for thread in threads:
            thread.start()
        waits = []
        while any(thread.is_alive() for thread in threads):
            start = time.perf_counter()
            assert service.call("/healthz")[0] == 200
            waits.append(time.perf_counter() - start)
            time.sleep(0.02)
        status = Path(f"/proc/{service.process.pid}/status").read_text()
    peak = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) // 1024
    codes = sorted(code for code, _ in answers)
    assert len(codes) == 8 and set(codes) <= {200, 429, 503} and codes.count(200) >= 2
    assert peak < 600, f"{peak} MiB"
    assert waits
