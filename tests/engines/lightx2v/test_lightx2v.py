"""Clips by a double of LightX2V's server, with its traps."""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Final

import numpy as np
import pytest

from support.doubles.lightx2v import NEW, OLD, LightX2VDouble
from support.doubles.sglang import SGLangDouble
from support.engine_runs import StoppableWatch, ask_for, make, set_up, stopped_when
from support.orders import make_order
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch
from vivant.engines.generated.remote import JobTimes
from vivant.engines.generated.remote_generator import RemoteGenerator
from vivant.engines.generated.server import ServerUnreachable
from vivant.engines.lightx2v.check import check
from vivant.engines.lightx2v.jobs import make_backends
from vivant.engines.registry import complete_options, make_card
from vivant.errors import BackendLost, EngineCannot, EngineFailed, Misconfigured, OutOfMemory, Stopped
from vivant.media import fit, to_planes

QUICK: Final = JobTimes(clip=5.0, down=0.6, poll=0.02, cancel=0.5, settle=0.4)


def generator(double: LightX2VDouble, **more: Any) -> RemoteGenerator:
    given = complete_options("lightx2v", {"url": [double.url], **more})
    made = RemoteGenerator("lightx2v", "1", make_backends(given), given, times=QUICK)
    made.setup()
    return made


@pytest.mark.parametrize(("fields", "describes"), [(OLD, True), (OLD, False), (NEW, True)])
def test_a_clip_is_made_by_servers_that_name_their_fields_differently(fields: frozenset[str], describes: bool) -> None:
    with LightX2VDouble(fields=fields, describes=describes) as double:
        made = make(set_up("lightx2v", {"url": [double.url], "sound_if_missing": "silence"}))
        body = double.asked("POST")[-1].json
    assert len(made.frames) == 97
    assert (made.report["server"], made.report["model"], made.report["gpus"]) == ("lightx2v", "Wan2.2-I2V-A14B", 2)
    assert body.keys() <= fields
    assert 65 in body.values() and [512, 864] in body.values()
    assert made.report["sound"] == "silence" and made.sound is not None and not made.sound.any()


def test_a_clip_ends_on_the_last_picture_with_the_model_s_sound() -> None:
    with LightX2VDouble(sound=True) as double:
        made = make(set_up("lightx2v", {"url": [double.url], "family": "h3", "last_frame": True}), last=True)
    _, pictures = ask_for(last=True)
    assert pictures.last is not None
    assert np.array_equal(made.frames[-1].y, to_planes(fit(pictures.last, 864, 496)).y)
    assert made.report["sound"] == "of the model"


def test_without_sound_the_films_sound_is_dropped() -> None:
    with LightX2VDouble(sound=True) as double:
        options = {"url": [double.url], "family": "ltx"}
        assert make(set_up("lightx2v", options), generate_audio=False).sound is None


def test_cards_name_the_setting() -> None:
    with pytest.raises(Misconfigured, match="VIVANT_LIGHTX2V_URL"):
        make_card("lightx2v")
    with pytest.raises(EngineCannot, match="VIVANT_LIGHTX2V_LAST_FRAME"):
        make_card("lightx2v", {"url": ["http://h"]}).refuse(ask_for(last=True)[0])


def test_a_version_that_takes_no_last_picture_is_told_at_set_up() -> None:
    fields = NEW - {"last_frame_path"}
    with LightX2VDouble(fields=fields) as double, pytest.raises(Misconfigured, match="VIVANT_LIGHTX2V_LAST_FRAME"):
        set_up("lightx2v", {"url": [double.url], "last_frame": True})


def test_another_program_at_the_address_is_told_at_set_up() -> None:
    with SGLangDouble() as double, pytest.raises(Misconfigured, match="no LightX2V server"):
        set_up("lightx2v", {"url": [double.url]})


def test_a_probe_is_a_real_small_generation() -> None:
    with LightX2VDouble() as double:
        set_up("lightx2v", {"url": [double.url]}).probe(NullWatch())
        assert double.asked("POST")[-1].json["target_video_length"] == 17
    with LightX2VDouble(fails_with="NCCL timeout") as double:
        engine = set_up("lightx2v", {"url": [double.url]})
        with pytest.raises(EngineFailed, match="NCCL timeout"):
            engine.probe(NullWatch())


def test_a_check_tells_the_model() -> None:
    with LightX2VDouble() as double:
        told = list(check(complete_options("lightx2v", {"url": [double.url]})))
    assert all(passed for passed, *_ in told) and "Wan2.2" in told[-1][2]


@pytest.mark.parametrize(("words", "error"), [("missing weights", EngineFailed), ("CUDA out of memory.", OutOfMemory)])
def test_a_failed_task_ends_with_the_reason(words: str, error: type[EngineFailed]) -> None:
    with LightX2VDouble(fails_with=words) as double, pytest.raises(error, match=words):
        generator(double).generate(make_order(), RecordingWatch())


def test_a_full_queue_is_waited_for_and_then_lost() -> None:
    with LightX2VDouble(queue=0) as double, pytest.raises(BackendLost, match="queue is full"):
        generator(double).generate(make_order(), RecordingWatch())
    with LightX2VDouble(queue=0) as double:
        threading.Timer(0.2, lambda: setattr(double, "queue", 100)).start()
        assert sum(1 for _ in generator(double).generate(make_order(), RecordingWatch()).frames) == 97


def test_a_stopped_clip_ends_within_the_two_seconds_and_the_server_is_free() -> None:
    with LightX2VDouble(work=30.0) as double:
        made, watch = generator(double), StoppableWatch()
        started: list[float] = []

        def at_work() -> bool:
            if any(double.status_of(job) == "processing" for job in list(double.jobs.values())):
                started.append(time.monotonic())
            return bool(started)

        with stopped_when(at_work, watch), pytest.raises(Stopped):
            made.generate(make_order(), watch)
        assert time.monotonic() - started[0] < 1.5
        assert double.cancelled == set(double.jobs)
        double.work = 0.0
        assert sum(1 for _ in made.generate(make_order(), RecordingWatch()).frames) == 97


class AtWork(RecordingWatch):
    """Calls `then` once, when the task is at work."""

    def __init__(self, then: Any) -> None:
        super().__init__()
        self._then = then

    def report(self, fraction: float, preview: Any = None) -> None:
        super().report(fraction)
        if fraction > 0.04 and self._then is not None:
            then, self._then = self._then, None
            then()


def test_a_server_that_restarts_loses_its_tasks_and_the_next_attempt_submits_again() -> None:
    with LightX2VDouble(work=0.3) as double:
        watch = AtWork(double.restart)
        with pytest.raises(BackendLost, match="restarted"):
            generator(double).generate(make_order(), watch)
        again = RecordingWatch(remembered=watch.remembered)
        assert sum(1 for _ in generator(double).generate(make_order(), again).frames) == 97
        assert len(double.asked("POST")) == 2


def test_a_task_that_a_killed_worker_left_is_taken_over_also_when_its_id_was_never_heard() -> None:
    class Killed(BaseException):
        """The worker ends without a word."""

    class KilledAtOnce(RecordingWatch):
        def remember(self, data: Any) -> None:
            if "job" in data.get("remote", {}):
                raise Killed
            super().remember(data)

    with LightX2VDouble(work=0.3) as double:
        watch = KilledAtOnce()
        with pytest.raises(Killed):
            generator(double).generate(make_order(), watch)
        assert "job" not in watch.remembered["remote"]
        footage = generator(double).generate(make_order(), RecordingWatch(remembered=watch.remembered))
        assert footage.facts["adopted"] is True and len(double.asked("POST")) == 1
        assert sum(1 for _ in footage.frames) == 97


def test_a_submit_whose_answer_was_lost_is_found_again() -> None:
    with LightX2VDouble() as double:
        given = complete_options("lightx2v", {"url": [double.url]})
        [backend] = make_backends(given)
        submit = backend.submit
        lost: list[str] = []

        def lose_the_answer(order: Any, reference: str, check: Any) -> str:
            job = submit(order, reference, check)
            if not lost:
                lost.append(job)
                raise ServerUnreachable("The connection to the server broke.", sent=True)
            return job

        backend.submit = lose_the_answer  # type: ignore[method-assign]  # the answer is lost
        made = RemoteGenerator("lightx2v", "1", [backend], given, times=QUICK)
        made.setup()
        footage = made.generate(make_order(), RecordingWatch())
        assert [footage.facts["remote_id"]] == lost and len(double.asked("POST")) == 1
        footage.frames.close()  # type: ignore[attr-defined]


def test_a_real_server_makes_a_clip() -> None:
    url = os.environ.get("VIVANT_TEST_LIGHTX2V_URL")
    if not url:
        pytest.skip("VIVANT_TEST_LIGHTX2V_URL names no LightX2V server to try")
    engine = set_up("lightx2v", {"url": [url], "family": os.environ.get("VIVANT_TEST_FAMILY", "wan")})
    engine.probe(NullWatch())
    assert len(make(engine).frames) == 97
