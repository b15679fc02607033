"""The jobs of one sd-server: POST /sdcpp/v1/vid_gen, GET /sdcpp/v1/jobs/{id}.

Recorded from stable-diffusion.cpp of August 2026. Traps: it takes odd values without a word (a width of -5 became 512);
its default seed is always 42; the answer about a finished job holds the whole film, each time; a job that it works on
cannot be cancelled (409); finished jobs are forgotten after ten minutes (410); a failed assertion ends the program.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from vivant.engines.generated.answers import clean, take, words_of
from vivant.engines.generated.connections import Check
from vivant.engines.generated.order import Order, probe_order
from vivant.engines.generated.picture_files import to_base64, to_png
from vivant.engines.generated.remote import JobState, JobStatus
from vivant.engines.generated.server import MOST_FILM, Server
from vivant.engines.generated.server_errors import ServerRefused, UnusableAnswer
from vivant.engines.sdcpp.answer_file import read_answer_file, write_film
from vivant.engines.sdcpp.card import FAMILIES
from vivant.engines.sdcpp.estimate import Estimate
from vivant.errors import Misconfigured

FORMATS: Final = ("webm", "avi")  # VP8 or MJPEG, both with PCM; the first one that the server lists
COMPRESSION: Final = 95  # 0..100, higher is better
_MOST_ANSWER: Final = MOST_FILM * 4 // 3 + 2**20  # a film as base64
_STATUSES: Final = {
    "queued": JobStatus.QUEUED,
    "generating": JobStatus.RUNNING,
    "completed": JobStatus.DONE,
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
}


class SdServerJobs:
    """Implements `Backend` for one sd-server."""

    pays = False

    def __init__(self, calls: Server, options: Mapping[str, Any]) -> None:
        self.server = calls.url
        self._calls = calls
        self._options = options
        self._fps = options["fps"] or FAMILIES[options["family"]][2]
        self._format = FORMATS[-1]
        self._estimate = Estimate()
        self._answer: tuple[str, Path] | None = None  # a finished job, and the folder with the answer about it

    def reach(self, check: Check) -> Mapping[str, Any]:
        try:
            told = self._calls.get_json("/sdcpp/v1/capabilities", check=check)
        except ServerRefused as error:
            if error.status == 404:
                raise Misconfigured(
                    "The server at VIVANT_SDCPP_URL has no /sdcpp/v1/capabilities: it is no sd-server, or one from "
                    "before 2026."
                ) from error
            raise
        if "vid_gen" not in take(told, "supported_modes", list, []):
            raise Misconfigured("The model that sd-server has loaded makes no films (its modes have no vid_gen).")
        features = take(take(told, "features_by_mode", dict, {}), "vid_gen", dict, {})
        if not take(features, "init_image", bool, False):
            raise Misconfigured("The model that sd-server has loaded makes films from text only, not from a picture.")
        if self._options["last_frame"] and not take(features, "end_image", bool, False):
            raise Misconfigured(
                "The model that sd-server has loaded takes no last picture: set VIVANT_SDCPP_LAST_FRAME to false."
            )
        formats = take(take(told, "output_formats_by_mode", dict, {}), "vid_gen", list, [])
        self._format = next((name for name in FORMATS if name in formats), FORMATS[-1])
        return {"server": "sd-server", "model": clean(take(take(told, "model", dict, {}), "stem", str, ""))}

    def probe_order(self) -> Order:
        return probe_order(grid=self._options["grid"], seconds=1)

    def submit(self, order: Order, reference: str, check: Check) -> str:
        frames = self._fps * order.seconds + 1
        body = {
            "prompt": order.prompt,
            "width": order.canvas.width,
            "height": order.canvas.height,
            "seed": order.seed,
            "video_frames": frames,
            "fps": self._fps,
            "init_image": to_base64(to_png(order.first)),
            "end_image": None if order.last is None else to_base64(to_png(order.last)),
            "output_format": self._format,
            "output_compression": COMPRESSION,
            **self._options["fields"],
        }
        answer = self._calls.post_json("/sdcpp/v1/vid_gen", body, check=check)
        job = take(answer, "id", str)
        if not 0 < len(job) <= 200:
            raise UnusableAnswer("The server gave the job no usable id.")
        self._estimate.expect(job, order.canvas.width * order.canvas.height * frames)
        return job

    def find(self, reference: str, check: Check) -> str | None:
        return None

    def look(self, job: str, check: Check) -> JobState:
        self._drop()
        folder = Path(tempfile.mkdtemp(prefix="vivant-answer-"))
        self._answer = (job, folder)
        try:
            state = self._read_state(job, self._ask(job, folder, check))
        except BaseException:
            self._drop()
            raise
        if state.status is not JobStatus.DONE:
            self._drop()
        return state  # of a finished job the answer is kept: it holds the film, and may be large

    def _ask(self, job: str, folder: Path, check: Check) -> Path:
        answer = folder / "answer"
        self._calls.download(f"/sdcpp/v1/jobs/{quote(job, safe='')}", answer, check=check, most_bytes=_MOST_ANSWER)
        return answer

    def _drop(self) -> None:
        """Forget the answer that was kept."""
        answer, self._answer = self._answer, None
        if answer is not None:
            shutil.rmtree(answer[1], ignore_errors=True)

    def _read_state(self, job: str, answer: Path) -> JobState:
        told = read_answer_file(answer)
        word = take(told, "status", str)
        status = _STATUSES.get(word)
        if status is None:
            raise UnusableAnswer(f"The server says that the job is {clean(word)!r}, which is no status of sd-server.")
        if status is JobStatus.RUNNING:
            return JobState(status=status, progress=self._estimate.tell(job))
        facts: dict[str, Any] = {}
        if status is JobStatus.DONE:
            self._estimate.learn(job)
            result = take(told, "result", dict, {})
            facts = {name: take(result, name, int, 0) for name in ("fps", "frame_count")}
        return JobState(status=status, reason=words_of(told.get("error")), facts=facts)

    def cancel(self, job: str, check: Check) -> None:
        """A queued job ends. One that is worked on goes on (409), and the next one waits in the server's queue."""
        self._calls.post_json(f"/sdcpp/v1/jobs/{quote(job, safe='')}/cancel", {}, check=check)

    def fetch(self, job: str, target: Path, check: Check) -> Mapping[str, Any]:
        if self._answer is None or self._answer[0] != job:
            self.look(job, check)
        try:
            if self._answer is None:
                raise UnusableAnswer("The server says that the job is done, and then that it is not.")
            write_film(self._answer[1] / "answer", target)
        finally:
            self._drop()
        return {}


def make_backends(options: Mapping[str, Any]) -> list[SdServerJobs]:
    """One for each server that the options name. Raises Misconfigured for headers that cannot be sent."""
    return [SdServerJobs(Server(url, headers=options["headers"]), options) for url in options["url"]]
