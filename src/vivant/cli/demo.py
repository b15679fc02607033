"""`vivant demo`: starts the service on a free port and makes one clip over HTTP, as a client of the hosted API does."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from vivant.assets import asset
from vivant.cli.terminal import Terminal
from vivant.errors import VivantError

PHOTO: Final = "portrait_barkla.jpg"
PHOTO_CREDIT: Final = "portrait of C. G. Barkla, about 1917, public domain"
PROMPT: Final = (
    "The camera slowly pushes in on the man in the dark suit as snow drifts past. Soft wind, calm piano music. "
    'The man looks at us and says warmly: "Every picture has a story. Let me tell you mine."'
)
DEADLINE: Final = 240.0  # seconds for the clip


class DemoFailed(VivantError):
    """The demo did not finish."""

    code = "DEMO_FAILED"


def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Where to save the clip.")] = Path("demo.mp4"),
    seed: Annotated[int, typer.Option(help="Another seed is another take.")] = 2026,
) -> None:
    """Start the service, send it a picture, watch the progress, save the clip, stop the service."""
    from vivant.encode.probe import probe

    terminal = Terminal()
    for number in (signal.SIGTERM, signal.SIGHUP):  # handled like Ctrl-C, so that the service is stopped too
        signal.signal(number, signal.default_int_handler)

    def step(text: str) -> None:
        terminal.print(text, mark="→")

    with tempfile.TemporaryDirectory(prefix="vivant-demo-") as folder:
        step("Starting the service on a free loopback port")
        service = _Service(Path(folder))
        try:
            step(f"It serves at {service.url}")
            step(f"POST /v3/async/seedance-v1.5-pro-i2v with the sample picture ({PHOTO_CREDIT})")
            terminal.print(f"  prompt: {PROMPT}", style="dim")
            picture = asset(f"photos/{PHOTO}").read_bytes()
            answer = service.call(
                "/v3/async/seedance-v1.5-pro-i2v",
                {
                    "prompt": PROMPT,
                    "image": "data:image/jpeg;base64," + base64.b64encode(picture).decode(),
                    "resolution": "720p",
                    "duration": 6,
                    "seed": seed,
                },
            )
            task_id = answer["task_id"]
            step(f"GET /v3/async/task-result?task_id={task_id} until it has ended")
            video = _wait_for_video(service, task_id, terminal)
            step("Downloading the clip from the signed link")
            with urllib.request.urlopen(video["video_url"], timeout=60) as download:
                out.write_bytes(download.read())
            storyboard = service.call(f"/v1/tasks/{task_id}")["storyboard"]
        finally:
            step("Stopping the service")
            service.stop()
    facts = probe(out)
    terminal.print()
    terminal.print("What the engine understood", style="bold")
    for line in storyboard.get("explanation", []):
        terminal.print(f"  {line}")
    sound = f"{facts.audio_codec} {facts.sample_rate} Hz, {facts.channels} channels" if facts.has_audio else "no sound"
    terminal.print()
    terminal.print(str(out), style="bold")
    terminal.print(
        f"  {facts.width}x{facts.height}, {facts.frames} frames at {facts.fps} fps, "
        f"{float(facts.video_seconds):.3f} s, {facts.video_codec}; {sound}; {facts.size / 1e6:.1f} MB"
    )


class _Service:
    """`vivant serve` as a child process, and a few lines of HTTP to talk to it."""

    def __init__(self, data: Path) -> None:
        environment = {**os.environ, "VIVANT_ENGINES": "diorama"}
        self._log = (data / "service.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vivant", "serve", "--port", "0", "--data", str(data)],
            stdout=subprocess.PIPE, stderr=self._log, env=environment,
        )  # fmt: skip
        try:
            self.url = self._read_address()
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise

    def _read_address(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            _, found, url = line.decode(errors="replace").strip().partition("serves at ")
            if found:
                return url.rstrip("/")
        log = Path(self._log.name).read_text(errors="replace")  # shown, because the folder is deleted
        raise DemoFailed(f"The service did not start. The end of its log:\n{log[-2000:]}")

    def _wait_until_healthy(self) -> None:
        for _ in range(100):
            try:
                self.call("/healthz")
                return
            except DemoFailed:
                time.sleep(0.1)
        raise DemoFailed("The service does not answer /healthz.")

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": "Bearer any-key-will-do-until-one-is-made"}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers), timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise DemoFailed(f"{path} answered {error.code}: {error.read().decode(errors='replace')}") from None
        except OSError as error:
            raise DemoFailed(f"The service does not answer: {error}.") from None

    def stop(self) -> None:
        """Stop it now: after one signal a running clip would finish, the second stops at once."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._process.send_signal(number)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def _wait_for_video(service: _Service, task_id: str, terminal: Terminal) -> dict[str, Any]:
    """The finished video of the task; shows a progress bar until then."""
    with terminal.progress("  TASK_STATUS_QUEUED") as show:
        started = time.monotonic()
        while time.monotonic() - started < DEADLINE:
            result = service.call(f"/v3/async/task-result?task_id={task_id}")
            status = result["task"]["status"]
            show(result["task"]["progress_percent"] / 100, f"  {status}")
            if status == "TASK_STATUS_SUCCEED":
                video: dict[str, Any] = result["videos"][0]
                return video
            if status == "TASK_STATUS_FAILED":
                raise DemoFailed(f"The task failed: {result['task']['reason']}")
            time.sleep(0.5)
    raise DemoFailed(f"The clip was not ready after {DEADLINE:.0f} s.")
