"""A job at a ComfyUI is cancelled, taken over, lost, refused and lied about, and nobody else's job is ever touched."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.comfyui import WORKFLOWS, StoppableWatch, generator, order
from support.doubles.comfyui import ComfyUIDouble, comfyui_double
from support.doubles.comfyui_films import Film, write_film
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch
from vivant.engines.generated.remote import JobTimes
from vivant.errors import BackendLost, EngineFailed, OutOfMemory, Stopped


class Attempt:
    """An attempt on a thread of its own, which a test watches, stops or forgets."""

    def __init__(self, double_url: str, *, seed: int = 7, remembered: Any = None, **options: Any) -> None:
        self.watch = StoppableWatch(remembered)
        self.error: BaseException | None = None
        self.facts: dict[str, Any] = {}
        self._make = generator(double_url, **options)
        self._seed = seed
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            footage = self._make.generate(order(seed=self._seed), self.watch)
            self.facts = footage.facts
            assert len(list(footage.frames)) == 25
        except BaseException as error:  # noqa: BLE001  # the test looks at it
            self.error = error

    def join(self) -> Attempt:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self

    def stop(self) -> float:
        """Seconds until it ended."""
        began = time.monotonic()
        self.watch.told_to_stop.set()
        self.join()
        assert isinstance(self.error, Stopped)
        return time.monotonic() - began

    @property
    def job(self) -> str:
        reference: str = self.watch.remembered["remote"]["reference"]
        return reference


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def failure(double: ComfyUIDouble, **options: Any) -> str:
    with pytest.raises(EngineFailed) as failed:
        generator(double.url, **options).generate(order(), NullWatch())
    return str(failed.value)


# -- cancel ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs_api", [False, True], ids=["0.3.64", "with-the-jobs-api"])
def test_a_running_job_is_stopped_at_the_server_within_a_second(double: ComfyUIDouble, jobs_api: bool) -> None:
    double.manners.step_seconds, double.manners.jobs_api = 5, jobs_api
    attempt = Attempt(double.url)
    until(lambda: double.running() is not None)
    assert attempt.stop() < 1.5
    until(lambda: double.finished)
    assert double.finished == [(attempt.job, "execution_interrupted")]


@pytest.mark.parametrize("jobs_api", [False, True], ids=["0.3.64", "with-the-jobs-api"])
def test_a_waiting_job_leaves_the_queue_and_the_one_that_runs_goes_on(double: ComfyUIDouble, jobs_api: bool) -> None:
    double.manners.jobs_api = jobs_api
    theirs = double.occupy()
    attempt = Attempt(double.url)
    until(double.waiting)
    assert attempt.stop() < 1.5
    assert (double.running(), double.waiting()) == (theirs, [])
    double.release()
    until(lambda: double.finished)
    assert double.finished == [(theirs, "success")]


def test_a_server_that_would_stop_anybodys_job_is_not_asked_to_stop_one(double: ComfyUIDouble) -> None:
    double.manners.version = "0.3.56"
    theirs = double.occupy()
    attempt = Attempt(double.url)
    until(double.waiting)
    attempt.stop()
    assert double.calls("POST", "/interrupt") == []
    assert (double.running(), double.waiting()) == (theirs, [])


def test_a_server_that_hangs_does_not_hold_a_cancelled_job(double: ComfyUIDouble) -> None:
    double.manners.step_seconds = 5
    attempt = Attempt(double.url)
    until(lambda: double.running() is not None)
    double.manners.stalls = frozenset({"/queue", "/interrupt", "/system_stats", "/history/" + attempt.job})
    assert attempt.stop() < 1.9


def test_somebody_who_interrupts_it_is_told_apart_from_a_cancel(double: ComfyUIDouble) -> None:
    double.manners.step_seconds = 5
    attempt = Attempt(double.url)
    until(lambda: double.running() is not None)
    double.interrupt(None)
    attempt.join()
    assert isinstance(attempt.error, EngineFailed)
    assert "cancelled at the server, not by this service" in str(attempt.error)


def test_a_job_of_somebody_else_that_is_interrupted_changes_nothing_here(double: ComfyUIDouble) -> None:
    double.occupy()
    attempt = Attempt(double.url)
    until(double.waiting)
    double.interrupt(None)  # its message goes to everybody
    assert attempt.join().error is None


# -- attempts ----------------------------------------------------------------------------------------------------------


def test_a_job_that_a_killed_attempt_left_is_taken_over_with_its_progress(double: ComfyUIDouble) -> None:
    double.manners.step_seconds = 0.2
    killed = Attempt(double.url, name="ltx-2.5-first")
    until(lambda: "job" in killed.watch.remembered.get("remote", {}))
    next_one = Attempt(double.url, name="ltx-2.5-first", remembered=killed.watch.remembered)
    next_one.join()
    assert next_one.error is None and next_one.facts["adopted"]
    assert len(double.calls("POST", "/prompt")) == 1
    assert any(0.06 < fraction < 0.8 for fraction in next_one.watch.fractions)
    killed.join()


def test_a_job_that_ended_meanwhile_is_taken_over_too(double: ComfyUIDouble) -> None:
    first = Attempt(double.url).join()
    again = Attempt(double.url, remembered=first.watch.remembered).join()
    assert again.error is None and again.facts["adopted"] and len(double.calls("POST", "/prompt")) == 1


def test_a_submit_of_which_nothing_was_heard_is_looked_for_by_its_id(double: ComfyUIDouble) -> None:
    first = Attempt(double.url).join()
    remembered = {"remote": {k: v for k, v in first.watch.remembered["remote"].items() if k != "job"}}
    again = Attempt(double.url, remembered=remembered).join()
    assert again.error is None and again.facts["adopted"]
    unknown = {"remote": {**remembered["remote"], "reference": "00000000-0000-4000-8000-000000000000"}}
    fresh = Attempt(double.url, remembered=unknown).join()
    assert fresh.error is None and not fresh.facts["adopted"]


def test_a_job_of_another_order_is_cancelled_and_the_order_submitted(double: ComfyUIDouble) -> None:
    double.manners.step_seconds = 0.1
    old = Attempt(double.url, seed=1)
    until(lambda: double.running() is not None)
    until(lambda: "job" in old.watch.remembered["remote"])
    new = Attempt(double.url, seed=2, remembered=old.watch.remembered)
    old.join(), new.join()
    assert new.error is None and not new.facts["adopted"]
    assert double.finished[0] == (old.job, "execution_interrupted")


def test_a_job_of_another_workflow_or_of_other_slots_is_not_taken_over(double: ComfyUIDouble, tmp_path: Path) -> None:
    first = Attempt(double.url).join()
    graph = json.loads((WORKFLOWS / "wan-2.2-5b-first.json").read_text(encoding="utf-8"))
    graph["3"]["inputs"]["steps"] = 3
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(graph), encoding="utf-8")
    for other in ({"workflow": str(changed)}, {"slots": {"fps": None}}):
        again = Attempt(double.url, remembered=first.watch.remembered, **other).join()
        assert again.error is None and not again.facts["adopted"]


def test_a_job_that_was_left_at_another_server_is_taken_over_there(double: ComfyUIDouble) -> None:
    with comfyui_double() as second:
        urls: Any = [double.url, second.url]
        first = Attempt(urls, worker=1).join()
        again = Attempt(urls, worker=0, remembered=first.watch.remembered).join()
        assert again.error is None and again.facts["adopted"]
        assert (len(double.calls("POST", "/prompt")), len(second.calls("POST", "/prompt"))) == (0, 1)


# -- a server that restarts, or is down --------------------------------------------------------------------------------


def test_a_restart_loses_the_backend_and_the_next_attempt_submits_afresh(double: ComfyUIDouble) -> None:
    double.manners.step_seconds = 1
    attempt = Attempt(double.url)
    until(lambda: double.running() is not None)
    until(lambda: "job" in attempt.watch.remembered["remote"])
    double.restart()
    double.manners.step_seconds = 0
    attempt.join()
    assert isinstance(attempt.error, BackendLost) and attempt.error.retryable and attempt.error.recycle
    assert "restarted" in str(attempt.error)
    again = Attempt(double.url, remembered=attempt.watch.remembered).join()
    assert again.error is None and not again.facts["adopted"]


def test_a_server_that_is_away_for_a_moment_is_waited_for(double: ComfyUIDouble) -> None:
    double.manners.step_seconds = 0.1
    attempt = Attempt(double.url)
    until(lambda: "job" in attempt.watch.remembered.get("remote", {}))
    double.go_down()
    time.sleep(0.7)
    double.come_up()
    assert attempt.join().error is None


def test_a_server_that_stays_away_is_lost(double: ComfyUIDouble) -> None:
    double.manners.step_seconds = 5
    attempt = Attempt(double.url, times=JobTimes(poll=0.05, down=0.5))
    until(lambda: double.running() is not None)
    double.go_down()
    attempt.join()
    assert isinstance(attempt.error, BackendLost)


def test_a_film_that_is_gone_when_it_is_fetched_is_made_again_by_another_attempt(double: ComfyUIDouble) -> None:
    double.manners.answers["/view"] = (404, b"")
    attempt = Attempt(double.url).join()
    assert isinstance(attempt.error, BackendLost)
    double.manners.answers.clear()
    again = Attempt(double.url, remembered=attempt.watch.remembered).join()
    assert again.error is None and not again.facts["adopted"]


def test_a_clip_that_takes_longer_than_it_may_is_given_up_and_cancelled(double: ComfyUIDouble) -> None:
    double.manners.step_seconds = 5
    attempt = Attempt(double.url, times=JobTimes(poll=0.05, clip=0.5)).join()
    assert isinstance(attempt.error, EngineFailed) and "within 0.5 s" in str(attempt.error)
    until(lambda: double.finished)
    assert double.finished[0][1] == "execution_interrupted"


# -- failures ----------------------------------------------------------------------------------------------------------


def test_out_of_memory_ends_the_clip_with_the_setting_to_lower_and_has_the_memory_freed(double: ComfyUIDouble) -> None:
    double.manners.out_of_memory = 1
    with pytest.raises(OutOfMemory) as failed:
        generator(double.url).generate(order(), NullWatch())
    assert "VIVANT_COMFYUI_MAX_PIXELS" in str(failed.value) and "CUDA out of memory" in str(failed.value)
    assert failed.value.recycle and not failed.value.retryable
    assert double.frees == 1
    assert double.calls("POST", "/free") == [{"unload_models": True, "free_memory": True}]


def test_a_node_that_fails_is_told_with_its_title_and_error_and_without_paths(double: ComfyUIDouble) -> None:
    double.manners.fails = "VAEDecode"
    said = failure(double)
    assert "in node 8 VAEDecode (VAEDecode): ValueError: shapes cannot be multiplied" in said
    assert "/opt/ComfyUI" not in said


def test_a_node_that_was_removed_after_the_start_is_named(double: ComfyUIDouble) -> None:
    made = generator(double.url)
    double.manners.lacks = frozenset({"KSampler"})
    with pytest.raises(EngineFailed, match=r"node KSampler does not exist.*Update ComfyUI"):
        made.generate(order(), NullWatch())


def test_a_model_file_that_is_missing_is_named_with_its_node(double: ComfyUIDouble) -> None:
    double.manners.models = frozenset({"other.safetensors"})
    said = failure(double)
    assert "node 37 UNETLoader: unet_name is 'wan2.2_ti2v_5B_fp16.safetensors'" in said
    assert "does not have" in said and "0.3.64" in said


def test_a_graph_that_saves_nothing_is_told(double: ComfyUIDouble) -> None:
    double.manners.saves_nothing = True
    assert "wan-2.2-5b-first.json ended well, and its output 58 SaveVideo saved no film" in failure(double)


def test_a_film_of_another_job_is_not_taken(double: ComfyUIDouble) -> None:
    class Liar(ComfyUIDouble):
        def history(self, job: str) -> dict[str, Any] | None:
            entry = super().history(job)
            if entry is not None:
                entry["outputs"]["58"]["images"][0]["filename"] = "old_00001_.mp4"
            return entry

    liar = Liar()
    liar.start()
    try:
        assert "names another film than the one of this job: old_00001_.mp4" in failure(liar)
    finally:
        liar.stop()


def test_a_film_of_a_node_within_the_output_is_found_by_the_node_that_shows_it(double: ComfyUIDouble) -> None:
    class Nested(ComfyUIDouble):
        def history(self, job: str) -> dict[str, Any] | None:
            entry = super().history(job)
            if entry is None or "58" not in entry["outputs"]:
                return entry
            entry["outputs"] = {"12": {"text": ["x"]}, "58.0.3": entry["outputs"].pop("58")}
            entry["meta"] = {"12": 5, "58.0.3": {"node_id": "58.0.3", "display_node": "58"}}
            return entry

    nested = Nested()
    nested.start()
    try:
        assert Attempt(nested.url).join().error is None
    finally:
        nested.stop()


def test_a_film_of_vhs_videocombine_is_found(double: ComfyUIDouble, tmp_path: Path) -> None:
    graph = json.loads((WORKFLOWS / "wan-2.2-5b-first.json").read_text(encoding="utf-8"))
    del graph["57"]
    inputs = {"images": ["8", 0], "frame_rate": 24, "filename_prefix": "a", "format": "video/h264-mp4"}
    graph["58"] = {"class_type": "VHS_VideoCombine", "inputs": {**inputs, "save_output": True}}
    file = tmp_path / "vhs.json"
    file.write_text(json.dumps(graph), encoding="utf-8")
    assert Attempt(double.url, workflow=str(file)).join().error is None
    (sent,) = double.calls("POST", "/prompt")
    assert sent["prompt"]["58"]["inputs"]["filename_prefix"] == f"vivant/{sent['prompt_id']}"


# -- hostile answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "answer"),
    [
        ("/upload/image", 200, b"[]"),
        ("/upload/image", 200, b'{"name": 5}'),
        ("/upload/image", 400, b""),
        ("/prompt", 200, b"{}"),
        ("/prompt", 200, b'{"prompt_id": "another"}'),
        ("/prompt", 200, b"nonsense"),
        ("/prompt", 400, b"[1, 2]"),
        ("/prompt", 302, b""),
        ("/queue", 200, b"[]"),
        ("/queue", 200, b'{"queue_running": 5}'),
        ("/view", 200, b""),
        ("/view", 200, b"<html>no film</html>"),
        ("/view", 200, b"\x00\x00\x00\x20ftypisom" + b"\xff" * 5000),
        ("/view", 200, write_film(Film(64, 64, 25))[:-900]),
        ("/view", 200, write_film(Film(64, 64, 5))),
        ("/view", 200, write_film(Film(256, 64, 25))),
        ("/view", 500, b"no"),
    ],
)
def test_answers_that_cannot_be_used_end_the_attempt_in_words(
    double: ComfyUIDouble, path: str, status: int, answer: bytes
) -> None:
    made = generator(double.url, times=JobTimes(poll=0.05, down=0.3))
    double.manners.step_seconds = 0.05
    double.manners.answers[path] = (status, answer)
    with pytest.raises(EngineFailed) as failed:
        list(made.generate(order(), NullWatch()).frames)
    assert str(failed.value).isprintable() and len(str(failed.value)) < 2500


@pytest.mark.parametrize(
    "entry",
    [
        5, [], {"status": 5}, {"status": {"status_str": "success"}}, {"status": {"status_str": ["x"]}, "outputs": []},
        {"outputs": {"58": {"images": [{"filename": ["x"]}]}}}, {"outputs": {"58": {"images": {"filename": "x"}}}},
        {"outputs": {"58": {"images": [{"filename": "x", "subfolder": 5, "type": None}]}}},
        {"outputs": {}, "meta": {"1": {"display_node": "58"}}}, {"outputs": {"58": 1}, "meta": 5},
        {"status": {"status_str": "error", "messages": [["execution_error", {"traceback": 5}]]}},
        {"status": {"status_str": "error", "messages": "x"}},
    ],
)  # fmt: skip
def test_entries_of_the_history_that_cannot_be_used_end_the_attempt_in_words(double: ComfyUIDouble, entry: Any) -> None:
    class Liar(ComfyUIDouble):
        def history(self, job: str) -> Any:
            return entry

    liar = Liar()
    liar.start()
    try:
        assert failure(liar)
    finally:
        liar.stop()


@pytest.mark.parametrize("path", ["/upload/image", "/prompt", "/queue", "/view", "/system_stats"])
def test_a_server_that_stalls_leaves_the_work_stoppable(double: ComfyUIDouble, path: str) -> None:
    made_before = Attempt(double.url)  # the start is over before it stalls
    made_before.join()
    double.manners.step_seconds = 0.3
    attempt = Attempt(double.url, seed=8) if path != "/system_stats" else None
    if attempt is None:
        watch = StoppableWatch()
        made = generator(double.url)
        double.manners.stalls = frozenset({path})
        threading.Timer(0.4, watch.told_to_stop.set).start()
        began = time.monotonic()
        with pytest.raises(Stopped):
            made.generate(order(), watch)
        assert time.monotonic() - began < 2.5
        return
    double.manners.stalls = frozenset({path})
    time.sleep(0.4)
    assert attempt.stop() < 2.0


def test_a_watch_that_stops_at_any_moment_ends_the_attempt_and_leaves_no_job(double: ComfyUIDouble) -> None:
    made = generator(double.url)
    for stop_at in (1, 2, 3, 5, 8, 13):
        with pytest.raises(Stopped):
            made.generate(order(seed=stop_at), RecordingWatch(stop_at))
    until(lambda: double.running() is None and not double.waiting())
