"""One job from pictures to clip without a worker, as `vivant make` runs it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.live_service import a_picture
from support.records import a_task
from vivant.encode.probe import probe
from vivant.engines.base import EngineStoryboard
from vivant.engines.testcard import Testcard
from vivant.errors import EngineFailed, NotFound, Stopped
from vivant.generate import decode_png, make_artifact, make_clip
from vivant.media import U8, Clip, Pictures
from vivant.request import Canvas
from vivant.storage.artifacts import Artifacts, picture_path


class Watching:
    """A watch that stops the work after `stop_after` reports."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.reports: list[float] = []
        self.remembered: Mapping[str, Any] = {}
        self._stop_after = stop_after

    def report(self, fraction: float, preview: U8 | None = None) -> None:
        self.reports.append(fraction)

    def raise_if_stopping(self) -> None:
        if len(self.reports) >= self._stop_after:
            raise Stopped

    def remember(self, data: Mapping[str, Any]) -> None:
        self.remembered = data


REQUEST = a_task().request
PICTURES = Pictures(first=decode_png(a_picture().png))


def test_one_job_from_stored_pictures_to_a_stored_clip(tmp_path: Path) -> None:
    artifacts = Artifacts(f"file://{tmp_path / 'files'}")
    plans: list[EngineStoryboard] = []
    artifacts.put(picture_path("t", "first"), a_picture().png)
    watch = Watching()
    artifact = make_artifact(
        REQUEST, Testcard(), artifacts, watch, task_id="t", attempt=3, scratch=tmp_path, on_plan=plans.append
    )
    data = artifacts.get("tasks/t/3/clip.mp4")
    assert (artifact.path, artifact.size) == ("tasks/t/3/clip.mp4", len(data))
    assert artifact.sha256 == hashlib.sha256(data).hexdigest()
    facts = probe(tmp_path / "files" / artifact.path)
    assert (facts.width, facts.height, facts.frames) == (artifact.width, artifact.height, artifact.frames)
    assert (artifact.frames, artifact.has_audio) == (REQUEST.canvas.frames, facts.has_audio) == (97, True)
    assert [plan.to_data()["seed"] for plan in plans] == [REQUEST.seed]
    assert watch.reports == sorted(watch.reports) and watch.reports[-1] == 1.0


def test_a_picture_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"tasks/t/in/first\.png"):
        make_artifact(
            REQUEST, Testcard(), Artifacts(f"file://{tmp_path}"), Watching(), task_id="t", attempt=1,
            scratch=tmp_path, on_plan=lambda plan: None,
        )  # fmt: skip


@pytest.mark.parametrize("after", [0, 1, 50, 96])
def test_stopping_at_any_moment_leaves_no_file(tmp_path: Path, after: int) -> None:
    engine, out = Testcard(), tmp_path / "clip.mp4"
    with pytest.raises(Stopped):
        make_clip(engine, engine.plan(REQUEST, PICTURES), PICTURES, REQUEST, out, Watching(stop_after=after))
    assert list(tmp_path.iterdir()) == []


def test_a_clip_of_another_size_than_asked_is_refused(tmp_path: Path) -> None:
    class Wide(Testcard):
        def render(self, *what: Any) -> Clip:
            return replace(super().render(*what), canvas=Canvas(64, 32, 97))

    engine = Wide()
    with pytest.raises(EngineFailed, match="width=64"):
        make_clip(engine, engine.plan(REQUEST, PICTURES), PICTURES, REQUEST, tmp_path / "x.mp4", Watching())
    assert list(tmp_path.iterdir()) == []


def test_a_clean_picture_comes_out_as_it_was_stored() -> None:
    picture = decode_png(a_picture().png)
    assert picture.shape == (400, 400, 3) and picture.dtype == np.uint8
    assert picture[0, 0].tolist() != picture[-1, 0].tolist()
