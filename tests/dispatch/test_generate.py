"""One job from pictures to clip without a worker, as `vivant make` runs it."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.live_service import a_picture
from support.records import a_task
from support.watches import RecordingWatch
from vivant.encode.probe import probe
from vivant.engines.base import EngineStoryboard, NullWatch
from vivant.engines.testcard.engine import Testcard
from vivant.errors import EngineFailed, NotFound, Stopped
from vivant.generate import decode_png, make_artifact, make_clip
from vivant.media import Clip, Pictures, Soundtrack
from vivant.request import Canvas
from vivant.storage.artifacts import Artifacts, picture_path

REQUEST = a_task().request
PICTURES = Pictures(first=decode_png(a_picture().png))


def a_storyboard(engine: Testcard) -> EngineStoryboard:
    return engine.plan(REQUEST, PICTURES, NullWatch())


def test_one_job_from_stored_pictures_to_a_stored_clip(tmp_path: Path) -> None:
    artifacts = Artifacts(f"file://{tmp_path / 'files'}")
    plans: list[EngineStoryboard] = []
    artifacts.put(picture_path("t", "first"), a_picture().png)
    watch = RecordingWatch()
    made = make_artifact(
        REQUEST, Testcard(), artifacts, watch, task_id="t", attempt=3, scratch=tmp_path, on_plan=plans.append
    )
    artifact = made.artifact
    data = artifacts.get("tasks/t/3/clip.mp4")
    assert (artifact.path, artifact.size) == ("tasks/t/3/clip.mp4", len(data))
    assert artifact.sha256 == hashlib.sha256(data).hexdigest()
    facts = probe(tmp_path / "files" / artifact.path)
    assert (facts.width, facts.height, facts.frames) == (artifact.width, artifact.height, artifact.frames)
    assert (artifact.frames, artifact.has_audio) == (REQUEST.canvas.frames, facts.has_audio) == (97, True)
    assert [plan.to_data()["seed"] for plan in plans] == [REQUEST.seed]
    assert watch.fractions == sorted(watch.fractions) and watch.fractions[-1] == 1.0


def test_a_picture_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"tasks/t/in/first\.png"):
        make_artifact(
            REQUEST, Testcard(), Artifacts(f"file://{tmp_path}"), NullWatch(), task_id="t", attempt=1,
            scratch=tmp_path, on_plan=lambda plan: None,
        )  # fmt: skip


@pytest.mark.parametrize("after", [1, 2, 50, 190])
def test_stopping_at_any_moment_leaves_no_file(tmp_path: Path, after: int) -> None:
    engine, out = Testcard(), tmp_path / "clip.mp4"
    with pytest.raises(Stopped):
        make_clip(engine, a_storyboard(engine), PICTURES, REQUEST, out, RecordingWatch(stop_at=after))
    assert list(tmp_path.iterdir()) == []


def test_progress_leaves_room_for_a_sound_that_is_not_ready_at_the_last_frame(tmp_path: Path) -> None:
    watch = RecordingWatch()
    before_sound: list[float] = []

    class LateSound(Testcard):
        def render(self, *what: Any) -> Clip:
            clip = super().render(*what)
            make = clip.soundtrack
            assert make is not None

            def late() -> Soundtrack:
                deadline = time.monotonic() + 60
                while (not watch.fractions or watch.fractions[-1] < 0.9) and time.monotonic() < deadline:
                    time.sleep(0.01)
                time.sleep(0.05)  # nothing more is reported until there is a sound
                before_sound.append(watch.fractions[-1])
                return make()

            return replace(clip, soundtrack=late)

    engine = LateSound()
    make_clip(engine, a_storyboard(engine), PICTURES, REQUEST, tmp_path / "x.mp4", watch)
    assert before_sound == [pytest.approx(0.9)]
    assert watch.fractions == sorted(watch.fractions) and before_sound[0] < watch.fractions[-1] < 1


def test_a_clip_of_another_size_than_asked_is_refused(tmp_path: Path) -> None:
    class Wide(Testcard):
        def render(self, *what: Any) -> Clip:
            return replace(super().render(*what), canvas=Canvas(64, 32, 97))

    engine = Wide()
    with pytest.raises(EngineFailed, match="width=64"):
        make_clip(engine, a_storyboard(engine), PICTURES, REQUEST, tmp_path / "x.mp4", NullWatch())
    assert list(tmp_path.iterdir()) == []


def test_a_clean_picture_comes_out_as_it_was_stored() -> None:
    picture = decode_png(a_picture().png)
    assert picture.shape == (400, 400, 3) and picture.dtype == np.uint8
    assert picture[0, 0].tolist() != picture[-1, 0].tolist()
