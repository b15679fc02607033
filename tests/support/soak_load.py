"""The load of the soak: callers with a key each, who submit, poll, list, cancel and download at a modest rate, and go
on whatever the service answers.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections import Counter
from typing import Any, Final

from support.live_server import SUBMIT, picture_uri

ENDED: Final = {"succeeded", "failed", "cancelled", "expired"}
AT_ONCE: Final = 3  # unfinished tasks of one caller
PAUSE: Final = 0.7  # seconds between steps of one caller
ANSWER_WITHIN: Final = 45.0  # seconds; longer than every deadline of the service for one request


class Caller(threading.Thread):
    """One key. `accepted`: ids of its tasks, each -> whether it asked for a cancel. `answers`: status -> how often."""

    def __init__(self, port: int, key: str, seed: int) -> None:
        super().__init__(daemon=True)
        self._port, self._key = port, key
        self._chance = random.Random(seed)
        self._stopping = threading.Event()
        self._picture = picture_uri()
        self.accepted: dict[str, bool] = {}
        self.unfinished: set[str] = set()
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []  # what no client should ever get

    def run(self) -> None:
        while not self._stopping.wait(PAUSE * self._chance.uniform(0.5, 1.5)):
            if len(self.unfinished) < AT_ONCE:
                self._submit()
            self._poll()
            if self._chance.random() < 0.1:
                self._call("GET", "/v1/tasks?limit=20")

    def stop(self) -> None:
        self._stopping.set()
        self.join(ANSWER_WITHIN + 5)

    def call(self, method: str, path: str, body: Any = None, *, within: float = ANSWER_WITHIN) -> tuple[int, bytes]:
        """Status and body; status 0 when the connection failed, -1 when no answer came in time."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=within)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError:
            return -1, b""
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        """The parsed answer when it is a success, else None."""
        status, data = self.call(method, path, body)
        self.answers[f"{method} {status}"] += 1
        if status in (-1, 500, 401, 403, 404):
            self.wrong.append(
                f"{method} {path} answered {status}: {data[:200]!r}"
                if status > 0
                else f"{method} {path}: no answer in {ANSWER_WITHIN} s"
            )
        return json.loads(data) if status == 200 else None

    def _submit(self) -> None:
        body = {
            "prompt": "a lake", "image": self._picture, "resolution": "480p", "duration": 4,
            "seed": self._chance.randrange(2**32),
        }  # fmt: skip
        if submitted := self._call("POST", SUBMIT, body):
            self.accepted[submitted["task_id"]] = False
            self.unfinished.add(submitted["task_id"])

    def _poll(self) -> None:
        for task_id in sorted(self.unfinished):
            if self._chance.random() < 0.01:
                self.accepted[task_id] = True
                self._call("POST", f"/v1/tasks/{task_id}/cancel")
            if (task := self._call("GET", f"/v1/tasks/{task_id}")) and task["status"] in ENDED:
                self.unfinished.discard(task_id)
                if task["status"] == "succeeded" and self._chance.random() < 0.2:
                    self._download(task["video"])

    def _download(self, video: Any) -> None:
        status, data = self.call("GET", video["url"].split(f":{self._port}", 1)[1])
        self.answers[f"download {status}"] += 1
        if status == 200 and len(data) != video["size"]:
            self.wrong.append(f"a download has {len(data)} bytes of {video['size']}, and status 200")
