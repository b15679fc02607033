"""Measures how long a clip takes, and in the same run the least time it could take on this machine.

The limits are encoding alone (the clip's frames and sound are ready and only encoded), and encoding plus one warp (per
frame a bilinear luma sample from the doubled plane and two chroma samples). The ratios of the clip's time to them can
be compared between machines, which seconds cannot.
"""

from __future__ import annotations

import platform
import resource
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from PIL import Image

from vivant.assets import asset
from vivant.encode.mp4 import write_mp4
from vivant.engines.base import NullWatch
from vivant.engines.registry import load_engine
from vivant.media import F32, U8, Clip, Pictures, Planes, fit, to_planes
from vivant.request import Brief


def measure_clip(brief: Brief, picture: Path | None, *, engine_name: str, runs: int) -> dict[str, Any]:
    """Medians of `runs` runs after one that warms up, as plain data, in seconds and MiB.

    `picture`: None for the sample photo of a lake.
    """
    first = _picture(picture)
    request = brief.resolve(first.shape[1], first.shape[0], has_last_frame=False)
    canvas = request.canvas
    engine = load_engine(engine_name)
    started = time.perf_counter()
    engine.setup()
    setup = time.perf_counter() - started
    with tempfile.TemporaryDirectory(prefix="vivant-bench-") as folder:
        out = Path(folder) / "bench.mp4"

        def whole() -> None:
            pictures = Pictures(first.copy())  # a new picture each time, so that no cache of the last run is used
            write_mp4(engine.render(engine.plan(request, pictures, NullWatch()), pictures, NullWatch()), out)

        loaded = _peak_mib()
        warmup = _time_run(whole)
        rows = {"clip": [_time_run(whole) for _ in range(runs)]}
        peak = _peak_mib()
        pictures = Pictures(first)
        clip = engine.render(engine.plan(request, pictures, NullWatch()), pictures, NullWatch())
        frames = list(clip.frames)
        sound = clip.soundtrack() if clip.soundtrack else None
        warp = _Warp(to_planes(fit(first, canvas.width, canvas.height)))

        def encode(stream: Iterator[Planes]) -> None:
            write_mp4(Clip(canvas, stream, (lambda: sound) if sound else None), out)

        rows["encode only"] = [_time_run(lambda: encode(iter(frames))) for _ in range(runs)]
        rows["encode + warp"] = [_time_run(lambda: encode(warp.interleave(frames))) for _ in range(runs)]
    best = {
        name: {key: round(statistics.median(run[key] for run in results), 3) for key in ("wall", "cpu")}
        for name, results in rows.items()
    }
    return {
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "clip": f"{canvas.width}x{canvas.height}, {canvas.frames} frames, engine {engine_name}",
        "rows": best,
        "wall_ratio_to_encode_plus_warp": round(best["clip"]["wall"] / best["encode + warp"]["wall"], 2),
        "wall_ratio_to_encode_only": round(best["clip"]["wall"] / best["encode only"]["wall"], 2),
        "peak_mib": round(peak),
        "peak_mib_above_loaded_models": round(peak - loaded),
        "setup_seconds": round(setup, 2),
        "first_clip_seconds": round(warmup["wall"], 2),
    }


def _picture(path: Path | None) -> U8:
    with path.open("rb") if path else asset("photos/mountain_lake.jpg").open("rb") as file:
        return np.asarray(Image.open(file).convert("RGB"))


class _Warp:
    """The least that a moving picture costs: one bilinear sample of every plane per frame, on two threads, in order."""

    def __init__(self, planes: Planes) -> None:
        self._planes = planes
        h, w = planes.y.shape
        self._double = cast(U8, cv2.resize(planes.y, (2 * w, 2 * h), interpolation=cv2.INTER_CUBIC))
        self._column, self._row = np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)

    def interleave(self, ready: list[Planes]) -> Iterator[Planes]:
        """The ready frames, each after the work of one warp; the encoder gets the same frames as for the clip."""
        with ThreadPoolExecutor(2) as pool:
            window: deque[Future[None]] = deque()
            for n in range(len(ready)):
                window.append(pool.submit(self._paint, n))
                if n >= 4:
                    window.popleft().result()
                    yield ready[n - 4]
            for n in range(max(0, len(ready) - 4), len(ready)):
                window.popleft().result()
                yield ready[n]

    def _paint(self, n: int) -> None:
        scale = 1 - 0.0004 * n
        x, y = np.meshgrid(self._column * np.float32(scale) + np.float32(0.37 * n), self._row * np.float32(scale))
        _sample(self._double, x * 2, y * 2)
        half_x, half_y = x[::2, ::2] / 2, y[::2, ::2] / 2
        _sample(self._planes.u, half_x, half_y)
        _sample(self._planes.v, half_x, half_y)


def _sample(plane: U8, x: F32, y: F32) -> U8:
    return cast(U8, cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))


def _time_run(work: Callable[[], None]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
