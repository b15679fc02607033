"""Clips by doubles of SGLang Diffusion, vLLM-Omni and Rapid-MLX, with the traps of each."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from support.doubles.loopback import Reply
from support.doubles.rapid_mlx import MODELS, RapidMlxDouble
from support.doubles.sglang import SGLangDouble
from support.doubles.video_jobs import VideoJobsDouble
from support.doubles.vllm_omni import VllmOmniDouble
from support.engine_runs import StoppableWatch, ask_for, make, set_up, stopped_when
from support.orders import make_order
from support.raw_peer import answer, raw_peer
from support.watches import RecordingWatch
from vivant.engines.base import Engine, NullWatch
from vivant.engines.generated.remote import JobTimes
from vivant.engines.generated.remote_generator import RemoteGenerator
from vivant.engines.openai_videos.check import check
from vivant.engines.openai_videos.jobs import make_backends
from vivant.engines.registry import complete_options, make_card
from vivant.errors import BackendLost, EngineCannot, EngineFailed, Misconfigured, OutOfMemory, Stopped
from vivant.media import fit, to_planes
from vivant.request import SECONDS, SIZES, Brief

QUICK: Final = JobTimes(clip=5.0, down=0.6, poll=0.02, cancel=0.5, settle=0.4)
DOUBLES: Final[dict[str, type[VideoJobsDouble]]] = {
    "sglang": SGLangDouble,
    "vllm-omni": VllmOmniDouble,
    "rapid-mlx": RapidMlxDouble,
}


def options(double: VideoJobsDouble, server: str, **more: Any) -> dict[str, Any]:
    return {"url": [double.url], "server": server, **more}


def generator(double: VideoJobsDouble, server: str, **more: Any) -> RemoteGenerator:
    given = complete_options("openai-videos", options(double, server, **more))
    made = RemoteGenerator("openai-videos", "1", make_backends(given), given, times=QUICK)
    made.setup()
    return made


def start(server: str, **more: Any) -> VideoJobsDouble:
    return DOUBLES[server](**more)


# -- clips ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", DOUBLES)
def test_a_clip_has_the_films_frames_sound_and_facts(server: str) -> None:
    with start(server) as double:
        made = make(set_up("openai-videos", options(double, server)))
    assert len(made.frames) == 97
    assert made.sound is not None and 0.15 < np.abs(made.sound).max() < 0.3
    assert made.report["sound"] == "of the model"
    assert made.report["server"] == server
    assert made.report["model"] in ("org/ltx", MODELS["ltx-2.3"])
    assert made.report["remote_id"] and made.report["adopted"] is False


@pytest.mark.parametrize("server", DOUBLES)
def test_without_sound_the_films_sound_is_dropped(server: str) -> None:
    with start(server) as double:
        made = make(set_up("openai-videos", options(double, server)), generate_audio=False)
    assert made.sound is None


@pytest.mark.parametrize("server", DOUBLES)
def test_wan_s_16_frames_a_second_become_24(server: str) -> None:
    with start(server, family="wan") as double:
        footage = generator(double, server, family="wan").generate(
            make_order(width=448, height=256, grid=64), RecordingWatch()
        )
        assert {job.fps for job in double.jobs.values()} == {16}
        assert {job.frames for job in double.jobs.values()} == {65}
        assert sum(1 for _ in footage.frames) == 97
    assert footage.sound is None


def test_the_embedded_engine_makes_the_sound_that_wan_does_not() -> None:
    with start("sglang", family="wan") as double:
        made = make(set_up("openai-videos", options(double, "sglang", family="wan")), prompt="Rain and wind.")
    assert made.report["sound"] == "of the embedded engine"
    assert made.sound is not None and made.sound.any()
    assert any("lips" in note for note in made.report["notes"])


@pytest.mark.parametrize("server", ["sglang", "vllm-omni"])
def test_minimax_h3_ends_on_the_last_picture_at_the_clip_s_end(server: str) -> None:
    with start(server, family="h3") as double:
        made = make(set_up("openai-videos", options(double, server, family="h3")), last=True)
        [job] = double.jobs.values()
    assert (job.frames, len(made.frames)) == (107, 97)
    assert made.report["tempo"] == pytest.approx(106 / 96, abs=1e-3)
    _, pictures = ask_for(last=True)
    assert pictures.last is not None
    wanted = to_planes(fit(pictures.last, 864, 496)).y
    assert np.array_equal(made.frames[-1].y, wanted)
    # The film itself shows it before the fade, not only the pinned frame: most of it, but for the square that moves.
    assert np.median(np.abs(made.frames[-20].y.astype(int) - wanted)) < 6


def test_minimax_h3_at_vllm_omni_takes_a_smaller_short_edge() -> None:
    with start("vllm-omni", family="h3") as double:
        made = make(set_up("openai-videos", options(double, "vllm-omni", family="h3", short_edge=512)))
        assert {(job.width, job.height) for job in double.jobs.values()} == {(864, 512)}
    assert len(made.frames) == 97


def test_minimax_h3_without_a_last_picture_is_cut_to_the_clip() -> None:
    with start("sglang", family="h3") as double:
        made = make(set_up("openai-videos", options(double, "sglang", family="h3")))
        [job] = double.jobs.values()
    assert (job.frames, len(made.frames)) == (107, 97)
    assert "tempo" not in made.report
    assert (job.height, job.width % 32) == (768, 0)
    assert made.report["generated_size"] == [job.width, job.height]


def test_equal_requests_give_equal_clips() -> None:
    with start("vllm-omni") as double:
        engine = set_up("openai-videos", options(double, "vllm-omni"))
        one, two, other = (make(engine, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.y, b.y) for a, b in zip(one.frames, two.frames, strict=True))
    assert not all(np.array_equal(a.y, b.y) for a, b in zip(one.frames, other.frames, strict=True))


def test_progress_is_sglang_s_steps_and_elsewhere_begun_and_done() -> None:
    for server, steps in (("sglang", 6), ("vllm-omni", 0)):
        with start(server, work=0.6) as double:
            watch = RecordingWatch()
            generator(double, server).generate(make_order(), watch)
        assert watch.fractions == sorted(watch.fractions)
        assert len({f for f in watch.fractions if 0.06 < f < 0.84}) >= steps
        assert steps or not [f for f in watch.fractions if 0.06 < f < 0.84]


# -- cards ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("server", "family"), [("sglang", "ltx"), ("vllm-omni", "wan"), ("rapid-mlx", "ltx")])
def test_a_last_picture_is_refused_with_the_reason_where_it_cannot_be_taken(server: str, family: str) -> None:
    card = make_card("openai-videos", {"url": ["http://h"], "server": server, "family": family})
    request, _ = ask_for(last=True)
    with pytest.raises(EngineCannot, match=r"takes one picture.*MiniMax-H3 takes two") as caught:
        card.refuse(request)
    assert caught.value.field == "last_frame"
    card.refuse(ask_for()[0])


def test_a_card_without_an_address_names_the_setting() -> None:
    with pytest.raises(Misconfigured, match="VIVANT_OPENAI_VIDEOS_URL"):
        make_card("openai-videos")


def test_rapid_mlx_does_not_run_minimax_h3() -> None:
    with pytest.raises(Misconfigured, match="VIVANT_OPENAI_VIDEOS_FAMILY"):
        make_card("openai-videos", {"url": ["http://h"], "server": "rapid-mlx", "family": "h3"})


@pytest.mark.parametrize("size", SIZES, ids=":".join)
def test_every_size_and_length_has_a_canvas_that_rapid_mlx_takes(size: tuple[str, str]) -> None:
    with start("rapid-mlx") as double:
        engine: Any = set_up("openai-videos", options(double, "rapid-mlx"))
    for seconds in SECONDS:
        brief = Brief(prompt="", resolution=size[0], ratio=size[1], seconds=seconds)
        canvas = engine._canvas_of(brief.resolve(1000, 1000, has_last_frame=False))
        assert canvas.width % 64 == 0 and canvas.height % 64 == 0
        assert 256 <= canvas.width <= 1920 and 256 <= canvas.height <= 1920
        assert canvas.width * canvas.height * (24 * seconds + 1) <= 768 * 512 * 97


def test_rapid_mlx_makes_a_clip_of_twelve_seconds_smaller_and_it_is_scaled_up() -> None:
    with start("rapid-mlx") as double:
        made = make(set_up("openai-videos", options(double, "rapid-mlx")), seconds=12, generate_audio=False)
        [job] = double.jobs.values()
    assert len(made.frames) == 289 and job.width * job.height < 400 * 400
    canvas = ask_for()[0].canvas
    assert {frame.y.shape for frame in made.frames} == {(canvas.height, canvas.width)}


# -- set up -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", DOUBLES)
def test_a_probe_is_a_real_small_generation(server: str) -> None:
    with start(server) as double:
        set_up("openai-videos", options(double, server)).probe(NullWatch())
        assert len(double.asked("POST", "/v1/videos")) == 1
        assert double.asked("GET", "/v1/videos/")[-1].path.endswith("/content")
    with start(server, fails_with="CUDA error: an illegal memory access") as double:
        engine = set_up("openai-videos", options(double, server))
        with pytest.raises(EngineFailed, match="illegal memory access"):
            engine.probe(NullWatch())


def test_a_probe_that_is_switched_off_asks_nothing() -> None:
    with start("sglang") as double:
        set_up("openai-videos", options(double, "sglang", probe=False)).probe(NullWatch())
        assert double.asked("POST") == []


def test_a_probe_of_minimax_h3_has_the_length_that_it_makes_at_least() -> None:
    with start("sglang", family="h3") as double:
        set_up("openai-videos", options(double, "sglang", family="h3")).probe(NullWatch())


def test_a_server_that_is_not_there_is_said_in_words_at_set_up() -> None:
    double = start("sglang")
    double.come_up()
    double.go_down()
    with pytest.raises(BackendLost, match="Connection refused"):
        set_up("openai-videos", options(double, "sglang"))


def test_a_server_that_warms_up_is_lost_for_now_and_not_misconfigured() -> None:
    with SGLangDouble(warming=True) as double, pytest.raises(BackendLost, match="warming up"):
        set_up("openai-videos", options(double, "sglang"))


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_is_broken_for_now_is_lost_and_not_misconfigured(status: int) -> None:
    script = answer(b'{"detail": "the engine is dead"}', status=f"{status} x")
    with raw_peer(script) as peer, pytest.raises(BackendLost, match="the engine is dead"):
        set_up("openai-videos", {"url": [peer.url]})


def test_a_model_that_is_not_served_is_named_at_set_up() -> None:
    with start("vllm-omni") as double, pytest.raises(Misconfigured, match="org/ltx"):
        set_up("openai-videos", options(double, "vllm-omni", model="org/other"))


def test_rapid_mlx_must_serve_a_model_that_takes_pictures() -> None:
    with RapidMlxDouble(text_only=True) as double, pytest.raises(Misconfigured, match="from pictures"):
        set_up("openai-videos", options(double, "rapid-mlx"))


def test_a_key_is_sent_and_a_wrong_one_is_said_without_being_repeated() -> None:
    with RapidMlxDouble(key="right-key-123") as double:
        assert len(make(set_up("openai-videos", options(double, "rapid-mlx", key="right-key-123"))).frames) == 97
        with pytest.raises(Misconfigured, match="VIVANT_OPENAI_VIDEOS_KEY") as caught:
            set_up("openai-videos", options(double, "rapid-mlx", key="wrong-key-456"))
    assert "wrong-key" not in str(caught.value)


def test_a_check_tells_what_each_server_serves_and_which_does_not_answer() -> None:
    with start("sglang") as double, start("sglang") as other:
        other.go_down()
        urls = [double.url, other.url]
        told = list(check(complete_options("openai-videos", {"url": urls, "server": "sglang"})))
    assert [passed for passed, *_ in told] == [True, True, False]
    assert "org/ltx" in told[1][2] and "Connection refused" in told[2][1]


# -- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", DOUBLES)
def test_a_job_that_fails_ends_with_the_server_s_words(server: str) -> None:
    with start(server, fails_with="the text encoder is missing") as double:
        with pytest.raises(EngineFailed, match="the text encoder is missing"):
            generator(double, server).generate(make_order(width=448, height=256, grid=64), RecordingWatch())
        assert len(double.asked("POST")) == 1


@pytest.mark.parametrize("status", [400, 404, 422, 500, 503, 504])
def test_a_failed_job_of_vllm_omni_is_told_with_an_error_status_and_is_final(status: int) -> None:
    with VllmOmniDouble(fails_with="num_frames is wrong", failure_status=status) as double:
        with pytest.raises(EngineFailed, match="num_frames is wrong") as caught:
            generator(double, "vllm-omni").generate(make_order(), RecordingWatch())
        assert not isinstance(caught.value, BackendLost)
        assert len(double.asked("GET", "/v1/videos/")) == 1


@pytest.mark.parametrize("server", DOUBLES)
def test_a_server_out_of_memory_ends_the_task_with_that_reason(server: str) -> None:
    with start(server, fails_with="CUDA out of memory. Tried to allocate 12.00 GiB") as double:
        made = generator(double, server)
        with pytest.raises(OutOfMemory, match=r"12\.00 GiB"):
            made.generate(make_order(width=448, height=256, grid=64), RecordingWatch())


@pytest.mark.parametrize("server", DOUBLES)
def test_a_server_that_restarts_loses_its_jobs_and_the_next_attempt_submits_again(server: str) -> None:
    class RestartOnce(RecordingWatch):
        def report(self, fraction: float, preview: Any = None) -> None:
            super().report(fraction)
            if fraction > 0.04:
                double.restart()

    with start(server, work=0.3) as double:
        watch = RestartOnce()
        made = generator(double, server)
        with pytest.raises(BackendLost, match="restarted"):
            made.generate(make_order(width=448, height=256, grid=64), watch)
        again = RecordingWatch(remembered=watch.remembered)
        assert sum(1 for _ in made.generate(make_order(width=448, height=256, grid=64), again).frames) == 97
        assert len(double.asked("POST")) == 2


@pytest.mark.parametrize("server", DOUBLES)
def test_a_job_that_a_killed_worker_left_is_taken_over(server: str) -> None:
    class Killed(BaseException):
        """The worker ends without a word."""

    class KillOnce(RecordingWatch):
        def report(self, fraction: float, preview: Any = None) -> None:
            if fraction > 0.04:
                raise Killed

    with start(server, work=0.3) as double:
        watch = KillOnce()
        with pytest.raises(Killed):
            generator(double, server).generate(make_order(width=448, height=256, grid=64), watch)
        footage = generator(double, server).generate(
            make_order(width=448, height=256, grid=64), RecordingWatch(remembered=watch.remembered)
        )
        assert footage.facts["adopted"] is True
        assert len(double.asked("POST")) == 1 and double.asked("DELETE") == []
        assert sum(1 for _ in footage.frames) == 97


def test_a_server_that_is_down_for_a_moment_is_waited_for() -> None:
    with start("sglang", work=0.2) as double:
        made = generator(double, "sglang")

        class Blink(RecordingWatch):
            def report(self, fraction: float, preview: Any = None) -> None:
                super().report(fraction)
                if len(self.fractions) == 1:
                    double.go_down()
                    waiting.append(time.monotonic())

            def raise_if_stopping(self) -> None:
                super().raise_if_stopping()
                if waiting and time.monotonic() - waiting[0] > 0.3 and double._server is None:
                    double.come_up()

        waiting: list[float] = []
        assert sum(1 for _ in made.generate(make_order(), Blink()).frames) == 97
        assert len(double.asked("POST")) == 1


# -- cancelling -------------------------------------------------------------------------------------------------------


def stop_in_the_middle(double: VideoJobsDouble, made: RemoteGenerator) -> float:
    """Seconds from the stop to the end."""
    watch = StoppableWatch()
    stopped: list[float] = []

    def at_work() -> bool:
        found = any(double.status_of(job) == "in_progress" for job in list(double.jobs.values()))
        if found:
            stopped.append(time.monotonic())
        return found

    with stopped_when(at_work, watch), pytest.raises(Stopped):
        made.generate(make_order(width=448, height=256, grid=64), watch)
    return time.monotonic() - stopped[0]


@pytest.mark.parametrize("server", DOUBLES)
def test_a_stopped_clip_ends_within_the_two_seconds_and_the_server_is_told(server: str) -> None:
    with start(server, work=30.0) as double:
        assert stop_in_the_middle(double, generator(double, server)) < 1.5
        assert len(double.asked("DELETE", "/v1/videos/")) == 1


def test_vllm_omni_is_free_at_once_and_takes_the_next_job() -> None:
    with VllmOmniDouble(work=30.0) as double:
        made = generator(double, "vllm-omni")
        stop_in_the_middle(double, made)
        assert len(double.aborted) == 1
        double.work = 0.0
        assert sum(1 for _ in made.generate(make_order(), RecordingWatch()).frames) == 97


@pytest.mark.parametrize("server", ["sglang", "rapid-mlx"])
def test_where_the_server_works_on_the_next_job_waits_in_its_queue(server: str) -> None:
    with start(server, work=1.0) as double:
        made = generator(double, server)
        stop_in_the_middle(double, made)
        watch = RecordingWatch()
        footage = made.generate(make_order(width=448, height=256, grid=64), watch)
        assert sum(1 for _ in footage.frames) == 97
        assert len(double.asked("POST")) == 2


# -- where the film lies ----------------------------------------------------------------------------------------------


def test_a_film_in_a_store_is_fetched_by_the_link_that_the_job_names() -> None:
    with SGLangDouble(uploads=True) as double:
        assert len(make(set_up("openai-videos", options(double, "sglang"))).frames) == 97
        assert double.asked("GET", "/store/")
        assert not [seen for seen in double.seen if seen.path.endswith("/content")]


def test_a_film_that_is_not_there_yet_is_asked_for_again() -> None:
    class LateFile(SGLangDouble):
        asked_for = 0

        def content(self, job: Any) -> Any:
            self.asked_for += 1
            if self.asked_for < 3:
                return Reply(404, {"detail": "Generation is still in-progress"})
            return super().content(job)

    with LateFile() as double:
        assert sum(1 for _ in generator(double, "sglang").generate(make_order(), RecordingWatch()).frames) == 97


def test_no_film_is_left_in_the_folder_of_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with start("sglang") as double:
        made = generator(double, "sglang")
        footage = made.generate(make_order(), RecordingWatch())
        assert len(list(tmp_path.iterdir())) == 1
        for _ in footage.frames:
            pass
        assert list(tmp_path.iterdir()) == []
        footage = made.generate(make_order(), RecordingWatch())
        next(footage.frames)
        del footage
        assert list(tmp_path.iterdir()) == []
    with start("sglang", fails_with="x") as double, pytest.raises(EngineFailed):
        generator(double, "sglang").generate(make_order(), RecordingWatch())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("job", ["../../etc", "a/b?c=d#e", "", "x" * 300])
def test_an_id_of_the_server_s_cannot_lead_elsewhere(job: str) -> None:
    class OddIds(SGLangDouble):
        def tell(self, told: Any) -> Any:
            reply = super().tell(told)
            reply.data["id"] = job
            return reply

    with OddIds() as double:
        with pytest.raises(EngineFailed):
            generator(double, "sglang").generate(make_order(), RecordingWatch())
        assert all(seen.path.startswith("/v1/") and seen.path.count("/") <= 3 for seen in double.seen)


# -- real servers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", DOUBLES)
def test_a_real_server_makes_a_clip(server: str) -> None:
    url = os.environ.get(f"VIVANT_TEST_{server.upper().replace('-', '_')}_URL")
    if not url:
        pytest.skip(f"VIVANT_TEST_{server.upper().replace('-', '_')}_URL names no {server} to try")
    family = os.environ.get("VIVANT_TEST_FAMILY", "ltx")
    engine: Engine = set_up("openai-videos", {"url": [url], "server": server, "family": family})
    engine.probe(NullWatch())
    assert len(make(engine).frames) == 97
