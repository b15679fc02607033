"""The jobs of one server with /v1/videos."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from vivant.engines.generated.answers import clean, take, words_of
from vivant.engines.generated.connections import Check
from vivant.engines.generated.order import Order, probe_order
from vivant.engines.generated.remote import JobState, JobStatus
from vivant.engines.generated.server import Server
from vivant.engines.generated.server_errors import ServerRefused, UnusableAnswer
from vivant.engines.openai_videos.families import RAPID_MLX_GRID
from vivant.engines.openai_videos.submits import Served, usual_fps, write_submit
from vivant.errors import Misconfigured

LATE_FILE: Final = 3.0  # s in which a finished job's film may still be missing: the status is written first
_LONGEST_ID: Final = 200
_STATUSES: Final = {
    "queued": JobStatus.QUEUED,
    "in_progress": JobStatus.RUNNING,
    "completed": JobStatus.DONE,
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
    "deleted": JobStatus.CANCELLED,
}
_SIZE: Final = re.compile(r"[1-9][0-9]{1,4}x[1-9][0-9]{1,4}")


class VideoJobs:
    """Implements `Backend` for a server with /v1/videos. Its jobs live in its memory and have ids of its own, so a job
    whose id was never heard cannot be found again."""

    pays = False

    def __init__(self, calls: Server, served: Served, *, grid: int, late_file: float = LATE_FILE) -> None:
        self.server = calls.url
        self._calls = calls
        self._served = served
        self._grid = grid
        self._late_file = late_file

    def reach(self, check: Check) -> Mapping[str, Any]:
        models = self._ask_models(check)
        wanted = self._served.model
        if wanted and models and wanted not in models:
            raise Misconfigured(
                f"The server does not serve the model that VIVANT_OPENAI_VIDEOS_MODEL names; it serves "
                f"{', '.join(models[:10])}."
            )
        facts: dict[str, Any] = {"server": self._served.server, "model": wanted or (models[0] if models else "")}
        if self._served.server == "rapid-mlx":
            facts |= self._ask_rapid_mlx(check)
        return {name: value for name, value in facts.items() if value}

    def _ask_models(self, check: Check) -> list[str]:
        try:
            answer = self._calls.get_json("/v1/models", check=check)
        except ServerRefused as error:
            if error.status in (401, 403):
                raise Misconfigured(f"{error} VIVANT_OPENAI_VIDEOS_KEY holds the key.") from error
            if error.status == 404:
                return []
            raise
        entries = take(answer, "data", list, [])
        return [clean(entry["id"]) for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]

    def _ask_rapid_mlx(self, check: Check) -> dict[str, Any]:
        """It tells the one model that it serves, which must be asked for by name, and that model's frame rate."""
        told = self._calls.get_json("/v1/videos/capabilities", check=check)
        family = take(told, "family", str, "")
        if "image-to-video" not in take(told, "modes", list, []):
            raise Misconfigured(f"The model that Rapid-MLX serves ({clean(family)}) makes no films from pictures.")
        fps = take(take(take(told, "limits", dict, {}), "fps", dict, {}), "default", int, self._served.fps)
        if not 1 <= fps <= 60:
            raise UnusableAnswer(f"The server says that its model makes {fps} frames a second.")
        model = take(told, "model", str, "")
        self._served = replace(self._served, fps=fps, model=self._served.model or model)
        return {"model": clean(model), "family": clean(family)}

    def probe_order(self) -> Order:
        """One second of a grey square; of MiniMax-H3 the four that it makes at least."""
        return probe_order(grid=self._grid, seconds=4 if self._served.family == "h3" else 1)

    def submit(self, order: Order, reference: str, check: Check) -> str:
        wanted = write_submit(order, self._served)
        if wanted.body is not None:
            answer = self._calls.post_json("/v1/videos", wanted.body, check=check)
        else:
            answer = self._calls.post_form("/v1/videos", wanted.fields, wanted.files, check=check)
        job = take(answer, "id", str)
        if not job or len(job) > _LONGEST_ID:
            raise UnusableAnswer("The server gave the job no usable id.")
        return job

    def find(self, reference: str, check: Check) -> str | None:
        return None

    def look(self, job: str, check: Check) -> JobState:
        return _read_state(self._get(job, check))

    def _get(self, job: str, check: Check) -> Any:
        """The job as the server tells it. vLLM-Omni tells of a failed one with an HTTP error status: that is its
        answer, not a failure of the call."""
        try:
            return self._calls.get_json(f"/v1/videos/{_path(job)}", check=check)
        except ServerRefused as error:
            if isinstance(error.answer, dict) and error.answer.get("status") in _STATUSES and "id" in error.answer:
                return error.answer
            raise

    def cancel(self, job: str, check: Check) -> None:
        """vLLM-Omni ends it; SGLang forgets it and works on; Rapid-MLX refuses with 409 while it works on it."""
        self._calls.delete(f"/v1/videos/{_path(job)}", check=check)

    def fetch(self, job: str, target: Path, check: Check) -> Mapping[str, Any]:
        link = take(self._get(job, check), "url", str, "")
        if link:  # the server has put the film into a store
            self._calls.download(link, target, check=check)
            return {}
        until = time.monotonic() + self._late_file
        while True:
            try:
                self._calls.download(f"/v1/videos/{_path(job)}/content", target, check=check)
                return {}
            except ServerRefused as error:
                if error.status not in (404, 409) or time.monotonic() > until:
                    raise
            for _ in range(5):
                check()
                time.sleep(0.1)


def _read_state(answer: Any) -> JobState:
    told = take(answer, "status", str)
    status = _STATUSES.get(told)
    if status is None:
        raise UnusableAnswer(f"The server says that the job is {clean(told)!r}, which is no status of /v1/videos.")
    progress = take(answer, "progress", float, 0.0)
    facts: dict[str, Any] = {}
    for name, fact in (("inference_time_s", "server_seconds"), ("peak_memory_mb", "peak_memory_mb")):
        value = take(answer, name, float, 0.0)
        if 0 < value < 1e9:
            facts[fact] = round(value, 3)
    size = take(answer, "size", str, "")
    if status is JobStatus.DONE and _SIZE.fullmatch(size):
        facts["generated_size"] = [int(side) for side in size.split("x")]
    return JobState(
        status=status, progress=min(1.0, max(0.0, progress / 100)), reason=words_of(answer.get("error")), facts=facts
    )


def _path(job: str) -> str:
    """A job's id as a part of a path: it comes from the server, and from what was remembered."""
    return quote(job, safe="")


def make_backends(options: Mapping[str, Any]) -> list[VideoJobs]:
    """One for each server that the options name. Raises Misconfigured for headers and keys that cannot be sent."""
    served = Served(
        server=options["server"],
        family=options["family"],
        model=options["model"],
        fps=options["fps"] or usual_fps(options["family"]),
        short_edge=options["short_edge"],
        more=options["fields"],
    )
    grid = grid_for(options["server"], options["grid"])
    return [
        VideoJobs(Server(url, headers=options["headers"], key=options["key"]), served, grid=grid)
        for url in options["url"]
    ]


def grid_for(server: str, grid: int) -> int:
    """Pixels that sides are multiples of."""
    return max(grid, RAPID_MLX_GRID) if server == "rapid-mlx" else grid
