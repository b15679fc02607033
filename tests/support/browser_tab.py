"""A tab of a real Chromium, driven over the DevTools protocol through a pipe, for tests of what a person would see."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The browser reads commands from its file descriptor 3 and writes answers to 4.
EXEC = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
PATIENCE = 60.0  # seconds for one command


def find_browser() -> str | None:
    """The path of an installed Chromium or Chrome; None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page. The numbers are the ends of the pipes on our side."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._read = b""
        self._sent = 0
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of a command. Raises RuntimeError for an error, TimeoutError without an answer."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            line, found, rest = self._read.partition(b"\0")
            if not found:
                if not select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))[0]:
                    raise TimeoutError(f"Chromium did not answer {method}.")
                if not (piece := os.read(self._from, 65536)):
                    raise RuntimeError("Chromium has ended.")
                self._read += piece
                continue
            self._read = rest
            answer = json.loads(line)
            if answer.get("id") == self._sent:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_for(self, expression: str, within: float = 20.0) -> Any:
        """The first value of the expression that is true; its last value if none is within so many seconds."""
        deadline = time.monotonic() + within
        while not (value := self.evaluate(expression)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return value


@contextmanager
def browser_tab() -> Iterator[Tab]:
    """An empty tab in a new browser. Raises RuntimeError when none is installed."""
    program = find_browser()
    if program is None:
        raise RuntimeError("Chromium is not installed.")
    browser_reads, we_write = os.pipe()
    we_read, browser_writes = os.pipe()
    with tempfile.TemporaryDirectory(prefix="vivant-tab-", ignore_cleanup_errors=True) as home:
        browser = subprocess.Popen(
            [sys.executable, "-c", EXEC, str(browser_reads), str(browser_writes), program,
             "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--mute-audio",
             "--disable-component-update", "--remote-debugging-pipe", f"--user-data-dir={Path(home) / 'profile'}"],
            pass_fds=(browser_reads, browser_writes), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": home},
        )  # fmt: skip
        os.close(browser_reads)
        os.close(browser_writes)
        try:
            yield Tab(we_write, we_read)
        finally:
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()
            os.close(we_write)
            os.close(we_read)
