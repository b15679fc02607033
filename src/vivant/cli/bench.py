"""`vivant bench clip`: how long a clip takes, beside what the machine could do at best, in one run.

The limits are measured here, not remembered: encoding alone (the clip's own frames, handed to the encoder ready made),
and encoding plus one warp (a full-size bilinear luma sample and two chroma samples per frame, and nothing else). Their
ratio to the clip's time holds on any machine and under any load, which seconds do not.
"""

from __future__ import annotations

import json
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from vivant.media import Clip, Pictures, Planes, fit, to_planes
from vivant.request import Brief, VideoRequest

app = typer.Typer(help="Measure this machine.", no_args_is_help=True)

LANDSCAPE_PROMPT = "The camera pans slowly to the right across the lake."


@app.callback()
def _group() -> None:
    """Measure this machine."""


@app.command("clip")
def clip(
    resolution: Annotated[str, typer.Option(help="480p | 720p | 1080p")] = "720p",
    duration: Annotated[int, typer.Option(help="Seconds, 4..12.")] = 5,
    prompt: Annotated[str, typer.Option("-p", "--prompt")] = LANDSCAPE_PROMPT,
    picture: Annotated[Path | None, typer.Option(help="Another picture than the sample landscape.")] = None,
    engine: Annotated[str, typer.Option(help="Which engine.")] = "diorama",
    runs: Annotated[int, typer.Option(min=1, help="Counted runs after one that warms up.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Wall and CPU seconds, peak memory, and the ratio to the limits measured in the same run."""
    from vivant.encode.mp4 import write_mp4
    from vivant.engines.registry import load_engine

    first = _picture(picture)
    height, width = first.shape[:2]
    brief = Brief(prompt=prompt, resolution=resolution, ratio="16:9", seconds=duration, seed=1)
    request = brief.resolve(width, height, has_last_frame=False)
    actor = load_engine(engine)
    started = time.perf_counter()
    actor.setup()
    setup = time.perf_counter() - started
    with tempfile.TemporaryDirectory(prefix="vivant-bench-") as folder:
        out = Path(folder) / "bench.mp4"

        def whole(counted: VideoRequest = request) -> None:
            pictures = Pictures(first.copy())  # a new picture each time: no scene is remembered from the last run
            board = actor.plan(counted, pictures)
            write_mp4(actor.render(board, pictures, _Quiet()), out)

        loaded = _peak_mib()
        warmup = _measure(whole)
        rows = {"clip": [_measure(whole) for _ in range(runs)]}
        peak = _peak_mib()
        planes = to_planes(fit(first, request.canvas.width, request.canvas.height))
        ready = list(_drift(planes, request.canvas.frames))

        def encode_only() -> None:
            write_mp4(Clip(request.canvas, iter(ready), None), out)

        def encode_and_warp() -> None:
            write_mp4(Clip(request.canvas, _drift(planes, request.canvas.frames), None), out)

        rows["encode only"] = [_measure(encode_only) for _ in range(runs)]
        rows["encode + warp"] = [_measure(encode_and_warp) for _ in range(runs)]
    best = {
        name: {k: statistics.median(r[k] for r in results) for k in ("wall", "cpu")} for name, results in rows.items()
    }
    report: dict[str, Any] = {
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "clip": f"{request.canvas.width}x{request.canvas.height}, {request.canvas.frames} frames, engine {engine}",
        "setup_seconds": round(setup, 2),
        "first_clip_seconds": round(warmup["wall"], 2),
        "rows": {name: {k: round(v, 3) for k, v in values.items()} for name, values in best.items()},
        "wall_ratio_to_encode_plus_warp": round(best["clip"]["wall"] / best["encode + warp"]["wall"], 2),
        "wall_ratio_to_encode": round(best["clip"]["wall"] / best["encode only"]["wall"], 2),
        "peak_mib": round(peak),
        "peak_mib_above_loaded_models": round(peak - loaded),
    }
    _print(report, as_json=as_json)


def _print(report: dict[str, Any], *, as_json: bool) -> None:
    console = Console()
    if as_json:
        console.print_json(json.dumps(report))
        return
    table = Table(title=f"{report['clip']}\n{report['machine']}")
    for column in ("median of the runs", "wall s", "CPU s"):
        table.add_column(column, justify="left" if column.startswith("median") else "right")
    for name, values in report["rows"].items():
        table.add_row(name, f"{values['wall']:.2f}", f"{values['cpu']:.2f}")
    console.print(table)
    for key in (
        "wall_ratio_to_encode_plus_warp", "wall_ratio_to_encode", "peak_mib", "peak_mib_above_loaded_models",
        "setup_seconds", "first_clip_seconds",
    ):  # fmt: skip
        console.print(f"  {key.replace('_', ' ')}: {report[key]}", highlight=False)


def _picture(path: Path | None) -> Any:
    from PIL import Image

    from vivant.assets import asset

    if path is not None:
        return np.asarray(Image.open(path).convert("RGB"))
    with asset("photos/mountain_lake.jpg").open("rb") as sample:
        return np.asarray(Image.open(sample).convert("RGB"))


def _drift(planes: Planes, frames: int) -> Iterator[Planes]:
    """The cheapest honest moving picture: one bilinear sample per plane per frame, two threads, in order."""
    h, w = planes.y.shape
    double = cv2.resize(planes.y, (2 * w, 2 * h), interpolation=cv2.INTER_CUBIC)
    base_x, base_y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))

    def paint(n: int) -> Planes:
        shift = np.float32(n * 0.37)
        zoom = np.float32(1 - 0.0004 * n)
        x, y = base_x * zoom + shift, base_y * zoom
        luma = cv2.remap(double, x * 2, y * 2, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        half_x, half_y = x[::2, ::2] / 2, y[::2, ::2] / 2
        u, v = (
            cv2.remap(p, half_x, half_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
            for p in (planes.u, planes.v)
        )
        return Planes(luma, u, v)

    with ThreadPoolExecutor(2) as pool:
        window: deque[Any] = deque()
        for n in range(frames):
            window.append(pool.submit(paint, n))
            if len(window) == 5:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()


def _measure(work: Callable[[], None]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


class _Quiet:
    """A watch that is never asked to stop."""

    def __init__(self) -> None:
        self.remembered: dict[str, Any] = {}

    def report(self, fraction: float, preview: object = None) -> None: ...

    def raise_if_stopping(self) -> None: ...

    def remember(self, data: Any) -> None:
        self.remembered = dict(data)
