"""kill -9, again and again, at moments drawn from a seed: of the whole service as `vivant serve` runs it, or of one of
its workers. Every task that was answered with an id must still succeed, once, with one usage row and one whole file.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from support.live_service import PATIENCE, a_picture, query_rows
from support.records import check_invariants, open_record

SEED: Final = int(os.environ.get("VIVANT_TEST_SEED", "20261122"))
KILLS: Final = 24  # every other one hits the service, the rest hit a worker
TASKS: Final = 30
WORKERS: Final = 2
KILL_WITHIN: Final = 1.0  # seconds after the last success in which the next kill falls at the latest
NEXT_LOSS_FAILS: Final = "status IN ('queued', 'running') AND deaths >= 2"


def test_every_accepted_task_ends_once_whatever_is_killed(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    victim = Victim(tmp_path)
    victim.start()
    caller = Caller(victim.port)
    caller.start()
    try:
        for kill in range(KILLS):
            succeeded = victim.succeeded()
            if kill % 2:
                victim.wait_for_success_after(succeeded)
                time.sleep(chance.uniform(0, KILL_WITHIN))
                victim.kill_a_worker(chance)
            else:
                # Early moments too: while it starts, queues tasks again, claims.
                time.sleep(chance.choice([chance.uniform(0, 0.3), chance.uniform(0, 3)]))
                victim.kill()
                victim.start()
        caller.join(PATIENCE)
        victim.wait_until_all_ended()
    finally:
        caller.stop()
        victim.end()

    assert len(caller.accepted) == len(set(caller.accepted)) == TASKS
    check_record_and_files(tmp_path, caller.accepted)


def check_record_and_files(data: Path, accepted: list[str]) -> None:
    status = dict(query_rows(data, "SELECT id, status FROM tasks"))
    reasons = query_rows(
        data, "SELECT id, error_code, error_message, interruptions, deaths FROM tasks WHERE status != 'succeeded'"
    )
    assert set(accepted) <= status.keys()
    assert not reasons  # not even a task whose answer did not reach the caller
    billed = [task_id for (task_id,) in query_rows(data, "SELECT task_id FROM usage")]
    assert sorted(billed) == sorted(status)
    for task_id, text, attempt in query_rows(data, "SELECT id, artifact, attempt FROM tasks"):
        artifact = json.loads(text)
        clip = (data / "files" / artifact["path"]).read_bytes()
        assert artifact["path"] == f"tasks/{task_id}/{attempt}/clip.mp4"
        assert (hashlib.sha256(clip).hexdigest(), len(clip)) == (artifact["sha256"], artifact["size"])
    assert len(list((data / "files").rglob("clip.mp4*"))) == len(status)  # no other clip, and no part of one
    assert query_rows(data, "PRAGMA integrity_check") == [("ok",)]
    record = open_record(data)
    with record.transaction() as connection:
        check_invariants(connection)
    record.close()
    # The kills must have hit running tasks, or nothing was tested.
    interruptions, deaths = query_rows(data, "SELECT sum(interruptions), sum(deaths) FROM tasks")[0]
    assert deaths >= 4, "hardly any worker was killed while it ran a task"
    assert interruptions >= 4, "the service was hardly ever killed while a task ran"


class Victim:
    """`vivant serve` as a process of its own, on one folder and one port."""

    def __init__(self, data: Path) -> None:
        self._data = data
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._log = (data / "serve.log").open("ab")

    def start(self) -> None:
        environment = {**os.environ, "VIVANT_ENGINES": "testcard", "VIVANT_WORKERS": str(WORKERS)}
        command = [sys.executable, "-m", "vivant", "serve", "--port", str(self.port), "--data", str(self._data)]
        self._process = subprocess.Popen(command, env=environment, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        assert self._process is not None
        assert self._process.poll() is None, f"it ended by itself:\n{(self._data / 'serve.log').read_text()[-2000:]}"
        self._process.kill()
        self._process.wait()

    def kill_a_worker(self, chance: random.Random) -> None:
        """Kill one of the running workers; waits until there is one."""
        deadline = time.monotonic() + PATIENCE
        while not (workers := self._workers()):
            assert time.monotonic() < deadline, "there never was a worker"
            time.sleep(0.02)
        os.kill(chance.choice(workers), signal.SIGKILL)

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def succeeded(self) -> int:
        return self._count("status = 'succeeded'")

    def _count(self, condition: str) -> int:
        try:
            return int(query_rows(self._data, f"SELECT count(*) FROM tasks WHERE {condition}")[0][0])
        except sqlite3.OperationalError as error:  # the first service has not made the database yet
            assert "no such table" in str(error)
            return 0

    def wait_for_success_after(self, count: int) -> None:
        """Wait until more tasks have succeeded, or all have, and no live task has lost two workers: a third loss would
        fail it, as it should, and this test is about tasks that must succeed.
        """
        deadline = time.monotonic() + PATIENCE
        while (self.succeeded() <= count and not self._all_ended()) or self._count(NEXT_LOSS_FAILS):
            assert time.monotonic() < deadline, f"nothing succeeds:\n{(self._data / 'serve.log').read_text()[-2000:]}"
            time.sleep(0.02)

    def wait_until_all_ended(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._all_ended():
            assert time.monotonic() < deadline, query_rows(self._data, "SELECT status, count(*) FROM tasks GROUP BY 1")
            time.sleep(0.05)

    def _all_ended(self) -> bool:
        return self._count("status NOT IN ('queued', 'running')") == self._count("true") >= TASKS

    def _workers(self) -> list[int]:
        """Process ids of children of the service that are workers."""
        assert self._process is not None
        listing = subprocess.run(["ps", "-axo", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
        lines = [line.split(None, 2) for line in listing.stdout.splitlines()]
        return [
            int(line[0])
            for line in lines
            if len(line) == 3 and int(line[1]) == self._process.pid and "vivant.dispatch.worker" in line[2]
        ]


class Caller(threading.Thread):
    """Submits over HTTP until enough tasks were accepted, as a client does who tries again when the line breaks."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._stopped = threading.Event()
        self.accepted: list[str] = []

    def run(self) -> None:
        picture = "data:image/png;base64," + base64.b64encode(a_picture().png).decode()
        body = json.dumps({"prompt": "a lake", "image": picture, "resolution": "480p", "duration": 4}).encode()
        while len(self.accepted) < TASKS and not self._stopped.is_set():
            try:
                self.accepted.append(self._submit(body)["task_id"])
            except (OSError, http.client.HTTPException, KeyError):
                time.sleep(0.1)

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _submit(self, body: bytes) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("POST", "/v3/async/seedance-v1.5-pro-i2v", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return json.loads(response.read()) if response.status == 200 else {}
        finally:
            connection.close()
