"""One job from pictures to clip; a good place to begin reading. Knows no database, no HTTP and no queue.

A worker calls `make_artifact`. `vivant make` calls the engine's `plan` itself and then `make_clip`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vivant.encode.mp4 import write_mp4
from vivant.encode.probe import Facts, probe
from vivant.engines.base import Engine, EngineStoryboard, Watch
from vivant.errors import EngineFailed
from vivant.media import U8, Pictures
from vivant.request import VideoRequest
from vivant.storage.artifacts import Artifacts, clip_path, picture_path
from vivant.task import Artifact, Phase


@dataclass(frozen=True, slots=True)
class Made:
    """A stored clip, and what its engine reports of making it, plain data."""

    artifact: Artifact
    report: Mapping[str, Any]


def make_artifact(
    request: VideoRequest,
    engine: Engine,
    artifacts: Artifacts,
    watch: Watch,
    *,
    task_id: str,
    attempt: int,
    scratch: Path,
    on_plan: Callable[[EngineStoryboard], None],
    on_phase: Callable[[Phase], None] = lambda phase: None,
) -> Made:
    """Read the task's pictures from storage, make the clip, and store it under this task and attempt.

    `scratch`: an empty folder for temporary files. `on_phase` is called when a phase begins, `on_plan` with the
    storyboard before rendering begins.
    The progress that `watch` is told reaches 1 when the clip is stored.
    Raises Stopped, EngineFailed, StorageFailed, and NotFound when a picture is gone. No incomplete clip is ever stored.
    """
    on_phase(Phase.READING)
    pictures = load_pictures(artifacts, task_id, request)
    on_phase(Phase.PLANNING)
    storyboard = engine.plan(request, pictures, watch)
    on_plan(storyboard)
    on_phase(Phase.RENDERING)
    movie = scratch / "clip.mp4"
    facts, report = make_clip(engine, storyboard, pictures, request, movie, watch)
    path = clip_path(task_id, attempt)
    on_phase(Phase.STORING)
    artifacts.put(path, movie)
    watch.report(1.0)
    artifact = Artifact(
        path=path,
        size=facts.size,
        sha256=_hash_file(movie),
        width=facts.width,
        height=facts.height,
        frames=facts.frames,
        has_audio=facts.has_audio,
    )
    return Made(artifact, report)


def make_clip(
    engine: Engine, storyboard: EngineStoryboard, pictures: Pictures, request: VideoRequest, out: Path, watch: Watch
) -> tuple[Facts, Mapping[str, Any]]:
    """Render the storyboard that the engine made for this request, and write the clip to `out`. Returns the facts of
    the file and the engine's report.

    Raises Stopped, or EngineFailed when the clip is not what was requested; then there is no file.
    """
    watch.raise_if_stopping()
    clip = engine.render(storyboard, pictures, watch)
    if clip.canvas != request.canvas:
        raise EngineFailed(f"The request is for {request.canvas}, the engine made {clip.canvas}.")
    write_mp4(clip, out, mark=request.watermark, watch=watch)
    return probe(out), dict(clip.report()) if clip.report else {}


def load_pictures(artifacts: Artifacts, task_id: str, request: VideoRequest) -> Pictures:
    """The clean pictures that intake stored for this task."""
    first = decode_png(artifacts.get(picture_path(task_id, "first")))
    last = decode_png(artifacts.get(picture_path(task_id, "last"))) if request.has_last_frame else None
    return Pictures(first=first, last=last)


def decode_png(data: bytes) -> U8:
    """RGB uint8 (h, w, 3) of a clean picture."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
        return np.asarray(picture.convert("RGB"))


def _hash_file(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
