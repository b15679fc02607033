"""The engine behind a real service: HTTP in, MP4 out, with workers that are killed, cancelled, and run out of memory.

The model has random weights, everything else is as it is with a real one: `vivant serve` is a process, its worker
loads the model's folder, and the clip comes over a signed link.
"""

from __future__ import annotations

import base64
import io
import json
import os
import resource
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from support.serve_process import serve_process
from vivant.encode.probe import probe
from vivant.media import U8

STOP_WITHIN: Final = 2.0  # seconds after which a worker that does not stop is killed
PATIENCE: Final = 120.0  # seconds that anything may take on a busy machine
SUBMIT: Final = "/v3/async/seedance-v1.5-pro-i2v"
RESULT: Final = "/v3/async/task-result?task_id="


class Caller:
    """A client of the service `process` at `url`, whose data lie in `data`."""

    def __init__(self, process: subprocess.Popen[str], url: str, data: Path) -> None:
        self._process, self.url, self.data = process, url.rstrip("/"), data

    def call(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def submit(self, first: U8, last: U8 | None = None, **fields: Any) -> str:
        pictures = {"image": uri(first)} | ({} if last is None else {"last_image": uri(last)})
        given = {"prompt": "waves on the lake", "resolution": "480p", "duration": 4, "seed": 7, **pictures, **fields}
        task_id: str = self.call(SUBMIT, given)["task_id"]
        return task_id

    def finish(self, task_id: str) -> Any:
        """The result, once the task has ended."""
        return wait_until(lambda: self.ended(task_id))

    def ended(self, task_id: str) -> Any:
        result = self.call(RESULT + task_id)
        return result if result["task"]["status"] in ("TASK_STATUS_SUCCEED", "TASK_STATUS_FAILED") else None

    def progress(self, task_id: str) -> float:
        return float(self.call(RESULT + task_id)["task"]["progress_percent"])

    def download(self, result: Any, to: Path) -> Path:
        with urllib.request.urlopen(result["videos"][0]["video_url"], timeout=60) as answer:
            to.write_bytes(answer.read())
        return to

    def workers(self) -> list[int]:
        """The process ids of the service's workers."""
        listing = subprocess.run(["ps", "-axo", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
        lines = [line.split(None, 2) for line in listing.stdout.splitlines()]
        return [
            int(line[0])
            for line in lines
            if len(line) == 3 and int(line[1]) == self._process.pid and "vivant.dispatch.worker" in line[2]
        ]

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.data / "vivant.db") as other:
            found = other.execute(question).fetchall()
        other.close()
        return found


def wait_until(condition: Callable[[], Any]) -> Any:
    """The first answer that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def uri(picture: U8) -> str:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"


@contextmanager
def serving(
    data: Path, options: Mapping[str, Any], *, in_child: Callable[[], None] | None = None, **more: Any
) -> Iterator[Caller]:
    """A service with this engine; more: settings of the engine, over `options`."""
    data.mkdir(exist_ok=True)
    given = {**options, **more}
    named = {f"VIVANT_DIFFUSERS_{name.upper()}": str(value) for name, value in given.items() if value != ""}
    environment = {"VIVANT_ENGINES": "diffusers", "OMP_NUM_THREADS": "1", **named}
    with serve_process(data, environment=environment, in_child=in_child) as (process, url):
        yield Caller(process, url, data)


@pytest.mark.parametrize("kind", ["ltx2", "wan-a14b"])
def test_two_pictures_over_http_become_a_clip_with_sound(
    tiny_options: Any, lake: U8, falls: U8, tmp_path: Path, kind: str
) -> None:
    pixels = 40_000 if kind == "ltx2" else 8192
    with serving(tmp_path / "data", tiny_options(kind), max_pixels=pixels) as caller:
        task_id = caller.submit(lake, falls, camera_fixed=True, ratio="16:9")
        result = caller.finish(task_id)
        assert result["task"]["status"] == "TASK_STATUS_SUCCEED", result
        facts = probe(caller.download(result, tmp_path / "clip.mp4"))
        task = caller.call(f"/v1/tasks/{task_id}")
    assert (facts.width, facts.height, facts.frames, facts.has_audio) == (864, 496, 97, True)
    assert facts.sample_rate == 48_000
    board = task["storyboard"]
    assert board["engine"] == "diffusers" and board["seed"] == 7 and board["prompt"].endswith("does not move.")
    report = task["report"]
    assert report["model"] and report["peak_memory_gib"] > 0 and report["seconds"] > 0
    assert report["sound"] == ("of the model" if kind == "ltx2" else "of the embedded engine")


@pytest.mark.parametrize(
    ("kind", "steps", "pixels"), [("ltx2", 60, 100_000), ("wan-a14b", 200, 16384), ("wan-5b", 200, 16384)]
)
def test_a_worker_that_is_killed_in_mid_denoise_costs_one_attempt_and_the_next_one_makes_the_clip(
    tiny_options: Any, lake: U8, tmp_path: Path, kind: str, steps: int, pixels: int
) -> None:
    slow = tiny_options(kind, recipe="full", steps=steps, max_pixels=pixels)
    with serving(tmp_path / "data", slow, probe="false") as caller:
        task_id = caller.submit(lake)
        wait_until(lambda: caller.progress(task_id) >= 10)
        assert caller.progress(task_id) < 80, "it is decoding already: more steps are needed here"
        (worker,) = caller.workers()
        os.kill(worker, signal.SIGKILL)
        result = caller.finish(task_id)
        assert result["task"]["status"] == "TASK_STATUS_SUCCEED", result
        ((attempt, deaths),) = caller.rows("SELECT attempt, deaths FROM tasks")
        assert (attempt, deaths) == (2, 1)
        assert caller.workers() != [worker]
        assert probe(caller.download(result, tmp_path / "clip.mp4")).frames == 97


def test_a_task_that_is_cancelled_in_mid_denoise_frees_its_worker_without_killing_it(
    tiny_options: Any, lake: U8, tmp_path: Path
) -> None:
    slow = tiny_options("ltx2", recipe="full", steps=200, max_pixels=100_000)
    with serving(tmp_path / "data", slow, probe="false") as caller:
        task_id = caller.submit(lake)
        wait_until(lambda: caller.progress(task_id) >= 8)
        (worker,) = caller.workers()
        caller.call(f"/v1/tasks/{task_id}/cancel", {})
        wait_until(lambda: caller.rows("SELECT status FROM tasks") == [("cancelled",)])
        time.sleep(STOP_WITHIN + 1)
        assert caller.workers() == [worker], "the worker was killed: it did not notice in time"


def test_memory_that_runs_out_ends_the_task_with_the_reason_and_a_new_worker_serves_the_next(
    tiny_options: Any, lake: U8, tmp_path: Path
) -> None:
    """No double: the worker may take 2.6 GB, and 97 frames of 720p decoded whole take more than that."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (2_600_000_000, 2_600_000_000))

    options = tiny_options("ltx2", memory="resident", quantise="none", tiling="off", max_pixels=0)
    with serving(tmp_path / "data", options, in_child=limit) as caller:
        (worker,) = wait_until(caller.workers)
        large = caller.submit(lake, resolution="720p", ratio="16:9")
        small = caller.submit(lake)
        result = caller.finish(large)
        assert result["task"]["status"] == "TASK_STATUS_FAILED"
        reason = result["task"]["reason"]
        assert "Memory ran out: 97 frames of 1280x736" in reason, reason
        assert "VIVANT_DIFFUSERS_TILING=on" in reason
        assert caller.rows(f"SELECT error_code, attempt FROM tasks WHERE id = '{large}'") == [("OUT_OF_MEMORY", 1)]
        assert caller.finish(small)["task"]["status"] == "TASK_STATUS_SUCCEED"
        assert caller.workers() != [worker]


def test_wan_5b_refuses_a_last_picture_at_submit_with_the_reason(
    tiny_options: Any, lake: U8, falls: U8, tmp_path: Path
) -> None:
    with serving(tmp_path / "data", tiny_options("wan-5b"), probe="false") as caller:
        with pytest.raises(urllib.error.HTTPError) as refused:
            caller.submit(lake, falls)
        assert refused.value.code == 400
        assert "begins with a picture only" in refused.value.read().decode()
