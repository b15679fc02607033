"""Whatever a server answers at whatever step, an engine ends in words: never with another error, and never late."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from support.doubles.films import make_film
from support.doubles.lightx2v import LightX2VDouble
from support.doubles.loopback import LoopbackDouble, Reply, Seen
from support.doubles.rapid_mlx import RapidMlxDouble
from support.doubles.sdcpp import SdcppDouble
from support.doubles.sglang import SGLangDouble
from support.doubles.vllm_omni import VllmOmniDouble
from support.orders import make_order
from support.watches import RecordingWatch
from vivant.engines.generated.remote import JobTimes
from vivant.engines.generated.remote_generator import Backend, RemoteGenerator
from vivant.engines.lightx2v import jobs as lightx2v_jobs
from vivant.engines.openai_videos import jobs as openai_jobs
from vivant.engines.registry import complete_options
from vivant.engines.sdcpp import jobs as sdcpp_jobs
from vivant.errors import EngineFailed, Misconfigured

QUICK: Final = JobTimes(clip=2.0, down=0.3, poll=0.02, cancel=0.3, settle=0.2)
MakeBackends = Callable[[Mapping[str, Any]], list[Any]]
BACKENDS: Final[dict[str, tuple[type[LoopbackDouble], str, MakeBackends, dict[str, Any]]]] = {
    "sglang": (SGLangDouble, "openai-videos", openai_jobs.make_backends, {"server": "sglang"}),
    "vllm-omni": (VllmOmniDouble, "openai-videos", openai_jobs.make_backends, {"server": "vllm-omni"}),
    "rapid-mlx": (RapidMlxDouble, "openai-videos", openai_jobs.make_backends, {"server": "rapid-mlx"}),
    "sdcpp": (SdcppDouble, "sdcpp", sdcpp_jobs.make_backends, {}),
    "lightx2v": (LightX2VDouble, "lightx2v", lightx2v_jobs.make_backends, {}),
}
NONSENSE: Final[list[Any]] = [
    None, [], {}, "completed", 3, True, [{}], {"id": 5, "task_id": 5, "status": 5}, {"id": None, "status": None},
    {"id": "", "task_id": "", "status": "completed"}, {"id": "x" * 5000, "task_id": {}, "status": "zzz"},
    {"status": "completed", "progress": "NaN", "result": "x", "url": 5}, {"status": "failed", "error": [[[["x"]]]]},
    {"status": "in_progress", "progress": -(10**30)}, {"status": "completed", "url": "http://169.254.169.254/"},
    {"status": "completed", "url": "file:///etc/passwd", "size": "x" * 1000, "inference_time_s": 1e400},
    {"data": 3, "supported_modes": "vid_gen", "modes": 3, "limits": [], "components": {"schemas": 3}},
]  # fmt: skip


def run(double: LoopbackDouble, server: str) -> None:
    """Set up, make a clip, and take its frames."""
    _, engine, make_backends, more = BACKENDS[server]
    options = complete_options(engine, {"url": [double.url], **more})
    backends: list[Backend] = make_backends(options)
    made = RemoteGenerator(engine, "1", backends, options, times=QUICK)
    made.setup()
    for _ in made.generate(make_order(width=448, height=256, grid=64), RecordingWatch()).frames:
        pass


def start(server: str, change: Callable[[Seen, Reply], Reply]) -> LoopbackDouble:
    """A double whose answers are changed on their way."""
    kind = BACKENDS[server][0]

    class Hostile(kind):  # type: ignore[misc, valid-type]
        def answer(self, seen: Seen) -> Reply:
            return change(seen, super().answer(seen))

    return Hostile()


@pytest.mark.parametrize("server", BACKENDS)
def test_the_doubles_themselves_make_a_clip(server: str) -> None:
    with start(server, lambda seen, reply: reply) as double:
        run(double, server)


@pytest.mark.parametrize("step", ["set up", "submit", "status"])
@pytest.mark.parametrize("server", BACKENDS)
def test_nonsense_at_any_step_ends_in_words(server: str, step: str) -> None:
    def is_step(seen: Seen) -> bool:
        if seen.method == "POST":
            return step == "submit"
        about_a_job = any(part in seen.path for part in ("/jobs/", "/tasks/", "/v1/videos/"))
        if about_a_job and "capabilities" not in seen.path:
            return step == "status"
        return step == "set up"

    for nonsense in NONSENSE:
        data = json.dumps(nonsense).replace("Infinity", "1e400").encode()
        for status in (200, 500):

            def change(seen: Seen, reply: Reply, raw: bytes = data, status: int = status) -> Reply:
                return Reply(status, raw=raw) if is_step(seen) else reply

            with start(server, change) as double:
                started = time.monotonic()
                try:
                    run(double, server)
                except (EngineFailed, Misconfigured) as error:
                    assert str(error).strip() and str(error).isprintable(), nonsense
                    assert len(str(error)) < 1500
                assert time.monotonic() - started < 5, nonsense


GOOD: Final[dict[str, Any]] = {"width": 448, "height": 256, "frames": 97, "seed": 1}
FILMS: Final[dict[str, tuple[bytes, str]]] = {
    "a page": (b"<html>502</html>", "no film that is read"),
    "half a film": (make_film(None, **GOOD)[:4000], "cannot be read|delivered|no pictures"),
    "two seconds": (make_film(None, **{**GOOD, "frames": 49}), "delivered 2.0"),
    "another shape": (make_film(None, **{**GOOD, "width": 256, "height": 448}), "delivered frames of 256x448"),
    "a stamp": (make_film(None, **{**GOOD, "width": 64, "height": 36}), "delivered frames of 64x36"),
}


@pytest.mark.parametrize("film", FILMS)
@pytest.mark.parametrize("server", ["sglang", "lightx2v"])
def test_a_film_that_is_none_or_not_the_one_ends_in_words(server: str, film: str) -> None:
    data, words = FILMS[film]

    def change(seen: Seen, reply: Reply) -> Reply:
        is_film = seen.path.endswith(("/content", "/result"))
        return Reply(raw=data, media_type="video/mp4") if is_film else reply

    with start(server, change) as double, pytest.raises(EngineFailed, match=words):
        run(double, server)
