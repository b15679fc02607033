"""Measures how long a clip takes, and in the same run the least time it could take on this machine.

The limits are encoding alone (the clip's frames and sound are ready and only encoded), and encoding plus one warp (per
frame a bilinear luma sample from the doubled plane and two chroma samples). The ratios of the clip's time to them can
be compared between machines, which seconds cannot.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np

from vivant.cli.bench_cases import MEMORY_MIB, Case
from vivant.encode.mp4 import write_mp4
from vivant.engines.base import Engine, NullWatch
from vivant.engines.registry import load_engine
from vivant.media import F32, U8, Clip, Pictures, Planes, Soundtrack, fit, to_planes
from vivant.memory import limit_arenas, peak_bytes, reset_peak, resident_bytes, return_free_memory, trim_heap
from vivant.request import Brief, VideoRequest

CLIP, ENCODE, WARP = "clip", "encode only", "encode + warp"
MIB: Final = 2**20


def measure_clip_apart(case: Case, *, resolution: str, seconds: int, engine: str, runs: int) -> dict[str, Any]:
    """`measure_clip` in a process of its own, as a worker is one, so that memory is that of this clip alone."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        work = process.submit(measure_clip, case, resolution=resolution, seconds=seconds, engine_name=engine, runs=runs)
        return work.result()


def measure_clip(case: Case, *, resolution: str, seconds: int, engine_name: str, runs: int) -> dict[str, Any]:
    """Medians of `runs` runs after one that warms up, as plain data, in seconds and MiB. In each run the clip and the
    limits follow each other, and the ratio is the median of the runs' ratios: what else the machine does then weighs
    on both. Limits the memory of this process as a worker does."""
    limit_arenas()
    pictures = case.load()
    brief = Brief(prompt=case.prompt, resolution=resolution, ratio="16:9", seconds=seconds, seed=1)
    height, width = pictures.first.shape[:2]
    request = brief.resolve(width, height, has_last_frame=pictures.last is not None)
    engine = load_engine(engine_name)
    setup = _time_run(engine.setup)
    return_free_memory()
    loaded = resident_bytes() or peak_bytes()
    reset_peak()
    with tempfile.TemporaryDirectory(prefix="vivant-bench-") as folder:
        out = Path(folder) / "bench.mp4"
        warm_up = _time_run(lambda: _PhasedClip(engine, request, case.load()).write(out))
        peak = peak_bytes()
        return_free_memory()
        limits = _Limits(engine, request, pictures, out)
        rows: dict[str, list[dict[str, float]]] = {CLIP: [], ENCODE: [], WARP: []}
        phases: list[dict[str, float]] = []
        for _ in range(runs):
            clip = _PhasedClip(engine, request, case.load())  # new pictures, so that nothing of the last run is used
            rows[CLIP].append(_time_run(partial(clip.write, out)))
            phases.append(clip.phases)
            rows[ENCODE].append(_time_run(limits.encode))
            rows[WARP].append(_time_run(limits.encode_and_warp))
    canvas = request.canvas
    ratios = {
        kind: round(statistics.median(a[kind] / b[kind] for a, b in zip(rows[CLIP], rows[WARP], strict=True)), 2)
        for kind in ("wall", "cpu")
    }
    above = round((peak - loaded) / MIB)
    return {
        "name": case.name,
        "prompt": case.prompt,
        "clip": f"{canvas.width}x{canvas.height}, {canvas.frames} frames, engine {engine_name}",
        "rows": {name: _medians(results) for name, results in rows.items()},
        "phases": _medians(phases),
        "ratio": ratios["wall"],
        "cpu_ratio": ratios["cpu"],
        "budget": case.budget,
        "loaded_mib": round(loaded / MIB),
        "peak_mib_above_loaded": above,
        "within_budgets": ratios["wall"] <= case.budget and above <= MEMORY_MIB,
        "setup_seconds": round(setup["wall"], 2),
        "first_clip_seconds": round(warm_up["wall"], 2),
    }


def describe_machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


class _PhasedClip:
    """Makes one clip as a worker does, and remembers in `phases` how many seconds each part of it took."""

    def __init__(self, engine: Engine, request: VideoRequest, pictures: Pictures) -> None:
        self._engine, self._request, self._pictures = engine, request, pictures
        self.phases: dict[str, float] = {}
        self._frames_ended: float | None = None

    def write(self, out: Path) -> None:
        started = time.perf_counter()
        board = self._engine.plan(self._request, self._pictures, NullWatch())
        planned = self._add("plan", started)
        trim_heap()
        clip = self._engine.render(board, self._pictures, NullWatch())
        prepared = self._add("prepare", planned)
        waiting = self.phases["wait for frames"] = self.phases["wait for sound"] = 0.0
        sound = clip.soundtrack
        timed = Clip(clip.canvas, self._time_frames(clip.frames), self._time_sound(sound) if sound else None, clip.cuts)
        write_mp4(timed, out)
        waiting = self.phases["wait for frames"] + self.phases["wait for sound"]
        self.phases["encode"] = time.perf_counter() - prepared - waiting

    def _add(self, phase: str, since: float) -> float:
        now = time.perf_counter()
        self.phases[phase] = now - since
        return now

    def _time_frames(self, frames: Iterator[Planes]) -> Iterator[Planes]:
        while True:
            asked = time.perf_counter()
            planes = next(frames, None)
            self.phases["wait for frames"] += time.perf_counter() - asked
            if planes is None:
                self._frames_ended = time.perf_counter()
                return
            yield planes

    def _time_sound(self, make: Callable[[], Soundtrack]) -> Callable[[], Soundtrack]:
        def timed() -> Soundtrack:
            sound = make()  # beside the frames; nothing waits for it before they have ended
            if self._frames_ended is not None:
                self.phases["wait for sound"] = time.perf_counter() - self._frames_ended
            return sound

        return timed


class _Limits:
    """The frames and the sound of a clip, ready made, to be encoded again."""

    def __init__(self, engine: Engine, request: VideoRequest, pictures: Pictures, out: Path) -> None:
        clip = engine.render(engine.plan(request, pictures, NullWatch()), pictures, NullWatch())
        self._canvas, self._cuts, self._out = clip.canvas, clip.cuts, out
        self._frames = list(clip.frames)
        self._sound = clip.soundtrack() if clip.soundtrack else None
        self._warp = _Warp(to_planes(fit(pictures.first, clip.canvas.width, clip.canvas.height)))

    def encode(self) -> None:
        self._write(iter(self._frames))

    def encode_and_warp(self) -> None:
        self._write(self._warp.interleave(self._frames))

    def _write(self, stream: Iterator[Planes]) -> None:
        sound = self._sound
        write_mp4(Clip(self._canvas, stream, (lambda: sound) if sound else None, self._cuts), self._out)


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


def _medians(results: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(run[key] for run in results), 3) for key in results[0]}


def _time_run(work: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
