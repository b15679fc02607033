"""Measures what a worker keeps: a real worker process makes one clip after another, no two alike."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from vivant.cli.bench_cases import CASES
from vivant.dispatch.messages import (
    Command,
    Failed,
    Finished,
    Halted,
    Job,
    Ready,
    Setup,
    Unusable,
    WorkerEvent,
    decode_event,
    encode_line,
)
from vivant.errors import VivantError
from vivant.media import U8
from vivant.memory import peak_bytes, reset_peak, resident_bytes
from vivant.request import RATIOS, RESOLUTIONS, Brief, VideoRequest
from vivant.storage.artifacts import Artifacts, picture_path
from vivant.timings import DEFAULT_TIMINGS

KEPT: Final = 1.2  # times what was loaded: the budget of a worker that has made clips
MIB: Final = 2**20
SETTLES: Final = 0.3  # seconds after a clip in which a worker returns memory


class WorkerEnded(VivantError):
    """The worker ended, or its engine could not be used."""

    code = "WORKER_ENDED"


class CannotMeasure(VivantError):
    """Memory of other processes can be measured on Linux only."""

    code = "CANNOT_MEASURE"


def measure_worker(*, clips: int, engine: str) -> Iterator[dict[str, Any]]:
    """First {"loaded_mib"}, then for each clip what it was, the resident memory after it and the peak in it, in MiB."""
    if sys.platform != "linux":
        raise CannotMeasure
    with tempfile.TemporaryDirectory(prefix="vivant-bench-") as folder, _worker(Path(folder), engine) as worker:
        artifacts = Artifacts(f"file://{folder}/files")
        yield {"loaded_mib": _resident_mib(worker.pid)}
        for n in range(clips):
            task = f"clip{n}"
            request = _store_request(n, task, artifacts)
            reset_peak(worker.pid)
            _send(worker, Job(task, 1, request.to_data(), {}))
            outcome = _wait_for(worker, (Finished, Failed, Halted))
            canvas = request.canvas
            yield {
                "clip": n + 1,
                "what": f"{CASES[n % len(CASES)].name} {canvas.width}x{canvas.height}",
                "outcome": type(outcome).__name__,
                "resident_mib": _resident_mib(worker.pid),
                "peak_mib": round(peak_bytes(worker.pid) / MIB),
            }


def _store_request(n: int, task: str, artifacts: Artifacts) -> VideoRequest:
    """The n-th clip: picture and prompt of the typical clips, but every size, and no prompt with the same picture."""
    pictures = CASES[n % len(CASES)].load()
    artifacts.put(picture_path(task, "first"), _png(pictures.first))
    if pictures.last is not None:
        artifacts.put(picture_path(task, "last"), _png(pictures.last))
    prompt = CASES[(n + n // len(CASES)) % len(CASES)].prompt
    brief = Brief(
        prompt=prompt,
        resolution=RESOLUTIONS[n % len(RESOLUTIONS)],
        ratio=RATIOS[n // 2 % len(RATIOS)],
        seconds=4,
        seed=n,
    )
    height, width = pictures.first.shape[:2]
    return brief.resolve(width, height, has_last_frame=pictures.last is not None)


@contextmanager
def _worker(folder: Path, engine: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process whose engine is set up; it ends with the block."""
    command = [sys.executable, "-m", "vivant.dispatch.worker"]
    timings = DEFAULT_TIMINGS
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        try:
            _send(
                worker,
                Setup(
                    engine=engine, storage=f"file://{folder}/files", scratch=str(folder / "scratch"),
                    heartbeat_every=timings.worker_heartbeat_every, report_every=timings.worker_report_every,
                    plan_within=timings.plan_within, store_within=timings.store_within,
                ),
            )  # fmt: skip
            ready = _wait_for(worker, (Ready, Unusable))
            if isinstance(ready, Unusable):
                raise WorkerEnded(ready.reason)
            yield worker
        finally:
            worker.kill()


def _send(worker: subprocess.Popen[bytes], command: Command) -> None:
    assert worker.stdin is not None
    worker.stdin.write(encode_line(command))
    worker.stdin.flush()


def _wait_for(worker: subprocess.Popen[bytes], kinds: tuple[type, ...]) -> WorkerEvent:
    assert worker.stdout is not None
    for line in worker.stdout:
        event = decode_event(line)
        if isinstance(event, kinds):
            return event
    raise WorkerEnded


def _resident_mib(pid: int) -> int:
    time.sleep(SETTLES)
    return round(resident_bytes(pid) / MIB)


def _png(picture: U8) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, "PNG", compress_level=1)
    return out.getvalue()
