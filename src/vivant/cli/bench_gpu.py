"""Measures an engine that generates: one clip of a shipped photo, as seconds, peak memory and sharpness. What it prints
is a row of the table in docs/engines/hardware.md.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from vivant.assets import asset
from vivant.engines.base import NullWatch
from vivant.engines.registry import load_engine
from vivant.media import Clip, Pictures, Planes
from vivant.request import Brief

PHOTO: Final = "mountain_lake.jpg"
PROMPT: Final = "The camera pans slowly to the right. Gentle waves on the lake, birds in the distance."
COLUMNS: Final = ("device", "model", "how", "clip", "setup s", "clip s", "peak GiB", "sharpness")
EVERY: Final = 12  # frames: sharpness is measured on some of them


def measure_engine(
    name: str, options: Mapping[str, Any], *, resolution: str, seconds: int, runs: int
) -> dict[str, Any]:
    """Medians of `runs` clips after one that warms up. Raises VivantError when the engine cannot make one.

    Returns plain data: what the engine tells of itself, seconds of its setup and of a clip with everything but its
    encoding, its peak memory in GiB, and how sharp the frames are compared with the picture itself (1: as sharp).
    """
    with asset(f"photos/{PHOTO}").open("rb") as file:
        picture = np.asarray(Image.open(file).convert("RGB"))
    brief = Brief(prompt=PROMPT, resolution=resolution, ratio="16:9", seconds=seconds, seed=1)
    request = brief.resolve(picture.shape[1], picture.shape[0], has_last_frame=False)
    started = time.monotonic()
    engine = load_engine(name, {**options, "worker": 0})
    engine.setup()
    setup = time.monotonic() - started
    rows: list[tuple[float, float]] = []
    report: dict[str, Any] = {}
    for _ in range(runs + 1):
        started = time.monotonic()
        storyboard = engine.plan(request, Pictures(picture), NullWatch())
        clip = engine.render(storyboard, Pictures(picture), NullWatch())
        sharpness = compare_sharpness(clip.frames)
        _take_sound(clip)
        rows.append((time.monotonic() - started, sharpness))
        report = dict(clip.report()) if clip.report else {}
    taken, sharp = zip(*rows[1:], strict=True)
    return {
        "engine": name,
        "clip": f"{seconds} s {resolution}",
        "setup_seconds": round(setup, 1),
        "clip_seconds": round(statistics.median(taken), 1),
        "sharpness": round(statistics.median(sharp), 2),
        "peak_memory_gib": report.get("peak_memory_gib"),
        **{key: value for key, value in report.items() if isinstance(value, str | int | float | bool)},
    }


def compare_sharpness(frames: Iterator[Planes]) -> float:
    """The median of some frames' fine detail (variance of the Laplacian of luma) over that of the first frame, which is
    the picture. Takes all frames."""
    measured = [_detail(planes) for number, planes in enumerate(frames) if number % EVERY == 0]
    return statistics.median(measured[1:]) / max(measured[0], 1e-9)


def describe_row(measured: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of COLUMNS."""
    how = ", ".join(str(measured[key]) for key in ("recipe", "steps", "dtype", "memory", "weights") if key in measured)
    peak = measured["peak_memory_gib"]
    return (
        str(measured.get("device", "-")),
        str(measured.get("model") or measured["engine"]),
        how or "-",
        str(measured["clip"]),
        f"{measured['setup_seconds']:.1f}",
        f"{measured['clip_seconds']:.1f}",
        "-" if peak is None else f"{peak:.1f}",
        f"{measured['sharpness']:.2f}",
    )


def _detail(planes: Planes) -> float:
    return float(cv2.Laplacian(planes.y, cv2.CV_64F).var())


def _take_sound(clip: Clip) -> None:
    """The sound is part of a clip's price."""
    if clip.soundtrack is not None:
        clip.soundtrack()
