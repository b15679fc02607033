"""Clips by a double of sd-server, with its traps."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from support.doubles.sdcpp import SdcppDouble
from support.doubles.sglang import SGLangDouble
from support.engine_runs import StoppableWatch, ask_for, make, set_up, stopped_when
from support.orders import make_order
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch
from vivant.engines.generated.remote import JobTimes
from vivant.engines.generated.remote_generator import RemoteGenerator
from vivant.engines.generated.server_errors import UnusableAnswer
from vivant.engines.registry import complete_options, make_card
from vivant.engines.sdcpp.answer_file import read_answer_file, write_film
from vivant.engines.sdcpp.check import check
from vivant.engines.sdcpp.estimate import Estimate
from vivant.engines.sdcpp.jobs import make_backends
from vivant.errors import BackendLost, EngineCannot, EngineFailed, Misconfigured, OutOfMemory, Stopped
from vivant.media import fit, to_planes

QUICK: Final = JobTimes(clip=5.0, down=0.6, poll=0.02, cancel=0.5, settle=0.4)


def generator(double: SdcppDouble, **more: Any) -> RemoteGenerator:
    given = complete_options("sdcpp", {"url": [double.url], **more})
    made = RemoteGenerator("sdcpp", "1", make_backends(given), given, times=QUICK)
    made.setup()
    return made


# -- clips ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("formats", "film"), [(("webm", "avi"), "vp8"), (("avi",), "mjpeg")])
def test_a_clip_comes_as_webm_or_else_as_avi_with_its_sound(formats: tuple[str, ...], film: str) -> None:
    with SdcppDouble(formats=formats) as double:
        made = make(set_up("sdcpp", {"url": [double.url]}))
    assert len(made.frames) == 97
    assert made.report["film"].startswith(film)
    assert made.sound is not None and np.abs(made.sound).max() > 0.1
    assert made.report["sound"] == "of the model"
    assert (made.report["server"], made.report["model"]) == ("sd-server", "ltx-2.3-22b-distilled-Q4_K_M")
    assert made.report["frame_count"] == 97


def test_what_is_asked_for_is_all_said_and_the_server_s_own_choices_are_left_to_it() -> None:
    with SdcppDouble() as double:
        generator(double).generate(make_order(last=True), RecordingWatch())
        body = double.asked("POST", "/sdcpp/v1/vid_gen")[0].json
    assert {"width": 320, "height": 192, "video_frames": 97, "fps": 24, "seed": 7}.items() <= body.items()
    assert body["init_image"] and body["end_image"]
    assert not {"sample_params", "negative_prompt"} & body.keys()


def test_a_clip_ends_on_the_last_picture() -> None:
    with SdcppDouble(formats=("avi",)) as double:
        made = make(set_up("sdcpp", {"url": [double.url]}), last=True)
    _, pictures = ask_for(last=True)
    assert pictures.last is not None
    assert np.array_equal(made.frames[-1].y, to_planes(fit(pictures.last, 864, 496)).y)


def test_without_sound_the_films_sound_is_dropped() -> None:
    with SdcppDouble(formats=("avi",)) as double:
        assert make(set_up("sdcpp", {"url": [double.url]}), generate_audio=False).sound is None


def test_minimax_h3_s_frames_are_played_faster_to_the_last_picture() -> None:
    with SdcppDouble(family="h3") as double:
        footage = generator(double, family="h3").generate(make_order(last=True), RecordingWatch())
        assert footage.facts["frame_count"] == 107
        assert footage.facts["tempo"] == pytest.approx(106 / 96, abs=1e-2)
        assert sum(1 for _ in footage.frames) == 97


def test_wan_s_16_frames_a_second_become_24() -> None:
    with SdcppDouble(family="wan") as double:
        footage = generator(double, family="wan").generate(make_order(), RecordingWatch())
        assert footage.facts["frame_count"] == 65
        assert sum(1 for _ in footage.frames) == 97


# -- progress ---------------------------------------------------------------------------------------------------------


def test_progress_is_estimated_from_the_last_clip_and_stays_below_the_end() -> None:
    with SdcppDouble(work=0.5) as double:
        made = generator(double)
        first, second = RecordingWatch(), RecordingWatch()
        made.generate(make_order(), first)
        assert {f for f in first.fractions if 0.06 < f < 0.84} == set()
        made.generate(make_order(), second)
    between = {f for f in second.fractions if 0.06 < f < 0.84}
    assert len(between) > 5 and second.fractions == sorted(second.fractions)


def test_an_estimate_grows_with_the_work_and_ends_at_95_percent() -> None:
    estimate = Estimate()
    estimate.expect("a", 1000)
    assert estimate.tell("a", now=10.0) is None
    estimate.learn("a", now=14.0)
    estimate.expect("b", 2000)
    assert estimate.tell("b", now=20.0) == 0.0
    assert estimate.tell("b", now=24.0) == 0.5
    assert estimate.tell("b", now=900.0) == 0.95
    assert estimate.tell("c", now=900.0) is None


# -- the answer that holds the film -----------------------------------------------------------------------------------


def test_a_finished_job_s_answer_is_fetched_once() -> None:
    with SdcppDouble() as double:
        footage = generator(double).generate(make_order(), RecordingWatch())
        done = list(double.asked("GET", "/sdcpp/v1/jobs/"))
        assert sum(1 for _ in footage.frames) == 97
    assert len(done) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b'{"status": "completed", "result": {"b64_json": "AAAA',
        b"[" * 100_000,
        b'{"a": "' + b"x" * 2**21 + b'"}',
    ],
    ids=["empty", "half", "cut off in the film", "deep", "long without a film"],
)
def test_an_answer_that_is_nonsense_is_said_in_words(answer: bytes, tmp_path: Path) -> None:
    path = tmp_path / "answer"
    path.write_bytes(answer or b" ")
    with pytest.raises(UnusableAnswer):
        read_answer_file(path)


@pytest.mark.parametrize("film", ["", "AAA", "!!!!", "AAAA\\nAAAA"])
def test_a_film_that_is_no_base64_is_said_in_words(film: str, tmp_path: Path) -> None:
    path = tmp_path / "answer"
    path.write_text('{"status": "completed", "result": {"b64_json": "FILM"}}'.replace("FILM", film))
    assert read_answer_file(path)["status"] == "completed"
    with pytest.raises(UnusableAnswer):
        write_film(path, tmp_path / "film")


def test_a_prompt_that_looks_like_a_film_is_none(tmp_path: Path) -> None:
    path = tmp_path / "answer"
    path.write_text(json.dumps({"prompt": '"b64_json": "QUJD"', "result": {"b64_json": "REVG"}}))
    write_film(path, tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == b"DEF"


def test_nothing_is_left_of_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with SdcppDouble() as double:
        for _ in generator(double).generate(make_order(), RecordingWatch()).frames:
            pass
    assert list(tmp_path.iterdir()) == []


# -- cards and set up -------------------------------------------------------------------------------------------------


def test_a_card_without_an_address_names_the_setting() -> None:
    with pytest.raises(Misconfigured, match="VIVANT_SDCPP_URL"):
        make_card("sdcpp")


def test_a_model_that_takes_no_last_picture_is_told_at_set_up_and_then_refused_at_submit() -> None:
    with SdcppDouble(end_image=False) as double:
        with pytest.raises(Misconfigured, match="VIVANT_SDCPP_LAST_FRAME"):
            set_up("sdcpp", {"url": [double.url]})
        set_up("sdcpp", {"url": [double.url], "last_frame": False})
    with pytest.raises(EngineCannot, match="VIVANT_SDCPP_LAST_FRAME"):
        make_card("sdcpp", {"url": ["http://h"], "last_frame": False}).refuse(ask_for(last=True)[0])


def test_a_model_that_makes_no_films_is_told_at_set_up() -> None:
    with SdcppDouble(modes=("img_gen",)) as double, pytest.raises(Misconfigured, match="makes no films"):
        set_up("sdcpp", {"url": [double.url]})


def test_another_program_at_the_address_is_told_at_set_up() -> None:
    with SGLangDouble() as double, pytest.raises(Misconfigured, match="no sd-server"):
        set_up("sdcpp", {"url": [double.url]})


def test_a_probe_is_a_real_small_generation() -> None:
    with SdcppDouble() as double:
        set_up("sdcpp", {"url": [double.url]}).probe(NullWatch())
        assert double.asked("POST", "/sdcpp/v1/vid_gen")[0].json["video_frames"] == 25
    with SdcppDouble(fails_with="vae decode failed") as double:
        engine = set_up("sdcpp", {"url": [double.url]})
        with pytest.raises(EngineFailed, match="vae decode failed"):
            engine.probe(NullWatch())


def test_a_check_tells_the_model() -> None:
    with SdcppDouble() as double:
        told = list(check(complete_options("sdcpp", {"url": [double.url]})))
    assert all(passed for passed, *_ in told) and "ltx-2.3-22b" in told[-1][2]


# -- failures, cancelling, restarts -----------------------------------------------------------------------------------


def test_a_failed_job_and_one_out_of_memory_end_with_the_reason() -> None:
    for words, error in (
        ("generate_video returned no frames", EngineFailed),
        ("ggml_gallocr_reserve: failed to allocate CUDA0 buffer", OutOfMemory),
    ):
        with SdcppDouble(fails_with=words) as double, pytest.raises(error, match=words):
            generator(double).generate(make_order(), RecordingWatch())


def test_a_full_queue_is_waited_for_and_then_lost() -> None:
    with SdcppDouble(queue=0) as double, pytest.raises(BackendLost, match="queue is full"):
        generator(double).generate(make_order(), RecordingWatch())
    with SdcppDouble(queue=0) as double:
        threading.Timer(0.2, lambda: setattr(double, "queue", 64)).start()
        assert sum(1 for _ in generator(double).generate(make_order(), RecordingWatch()).frames) == 97


def test_a_job_at_work_cannot_be_cancelled_so_the_clip_ends_at_once_and_the_next_one_waits() -> None:
    with SdcppDouble(work=2.0) as double:
        made, watch = generator(double), StoppableWatch()
        started: list[float] = []

        def at_work() -> bool:
            if any(double.status_of(job) == "generating" for job in list(double.jobs.values())):
                started.append(time.monotonic())
            return bool(started)

        with stopped_when(at_work, watch), pytest.raises(Stopped):
            made.generate(make_order(), watch)
        assert time.monotonic() - started[0] < 1.5
        assert len([seen for seen in double.seen if seen.path.endswith("/cancel")]) == 1
        second = RecordingWatch()
        assert sum(1 for _ in made.generate(make_order(seed=8), second).frames) == 97
        assert time.monotonic() - started[0] > 3.8, "the next clip was not made after the first"


def test_a_queued_job_is_cancelled() -> None:
    with SdcppDouble(work=30.0) as double:
        double.busy_until = time.monotonic() + 30
        watch = StoppableWatch()
        with stopped_when(lambda: bool(double.jobs), watch), pytest.raises(Stopped):
            generator(double).generate(make_order(), watch)
        assert double.cancelled == set(double.jobs)


class AtWork(RecordingWatch):
    """Calls `then` once, when the job is at work."""

    def __init__(self, then: Any) -> None:
        super().__init__()
        self._then = then

    def report(self, fraction: float, preview: Any = None) -> None:
        super().report(fraction)
        if fraction > 0.04 and self._then is not None:
            then, self._then = self._then, None
            then()


def test_a_failed_assertion_ends_the_server_which_is_waited_for_and_then_lost() -> None:
    with SdcppDouble(work=0.5) as double, pytest.raises(BackendLost, match="Connection refused"):
        generator(double).generate(make_order(), AtWork(double.go_down))


def test_a_server_that_a_supervisor_starts_again_has_lost_the_job_and_the_next_attempt_submits() -> None:
    with SdcppDouble(work=0.5) as double:

        def crash() -> None:
            double.go_down()
            double.restart()
            threading.Timer(0.2, double.come_up).start()

        watch = AtWork(crash)
        made = generator(double)
        with pytest.raises(BackendLost, match="restarted"):
            made.generate(make_order(), watch)
        again = RecordingWatch(remembered=watch.remembered)
        assert sum(1 for _ in made.generate(make_order(), again).frames) == 97
        assert len(double.asked("POST", "/sdcpp/v1/vid_gen")) == 2


def test_a_job_that_expired_is_made_again() -> None:
    with SdcppDouble(work=0.2) as double:
        watch = AtWork(lambda: setattr(double, "expired", True))
        with pytest.raises(BackendLost):
            generator(double).generate(make_order(), watch)


def test_a_job_that_a_killed_worker_left_is_taken_over() -> None:
    class Killed(BaseException):
        """The worker ends without a word."""

    def die() -> None:
        raise Killed

    with SdcppDouble(work=0.4) as double:
        watch = AtWork(die)
        with pytest.raises(Killed):
            generator(double).generate(make_order(), watch)
        footage = generator(double).generate(make_order(), RecordingWatch(remembered=watch.remembered))
        assert footage.facts["adopted"] is True
        assert sum(1 for _ in footage.frames) == 97
        assert len(double.asked("POST")) == 1


def test_a_real_server_makes_a_clip() -> None:
    url = os.environ.get("VIVANT_TEST_SDCPP_URL")
    if not url:
        pytest.skip("VIVANT_TEST_SDCPP_URL names no sd-server to try")
    engine = set_up("sdcpp", {"url": [url], "family": os.environ.get("VIVANT_TEST_FAMILY", "ltx")})
    engine.probe(NullWatch())
    assert len(make(engine).frames) == 97
