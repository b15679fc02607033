"""The tasks of one LightX2V server: POST /v1/tasks/video/, GET /v1/tasks/{id}/status and /result, DELETE.

Read in its source of 2026. Traps: its routes end in a slash, and without it they redirect; a full queue is 503; a
result is 404 until the task is done; the names of the fields changed (target_video_length became num_frames,
target_shape became size), and later versions refuse names that they do not know. So it is asked to describe
itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, Final
from urllib.parse import quote

from vivant.engines.generated.answers import clean, take, words_of
from vivant.engines.generated.connections import Check
from vivant.engines.generated.order import Order, probe_order
from vivant.engines.generated.picture_files import to_data_uri, to_png
from vivant.engines.generated.remote import JobState, JobStatus
from vivant.engines.generated.server import Server
from vivant.engines.generated.server_errors import ServerRefused, UnusableAnswer
from vivant.engines.lightx2v.card import FAMILIES
from vivant.errors import Misconfigured

# What its version of August 2026 took, for a server that does not describe itself.
KNOWN: Final = frozenset({
    "task_id", "prompt", "image_path", "last_frame_path", "seed", "target_video_length", "target_fps", "target_shape",
    "save_result_path",
})  # fmt: skip
_STATUSES: Final = {
    "pending": JobStatus.QUEUED,
    "processing": JobStatus.RUNNING,
    "completed": JobStatus.DONE,
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
}


class LightTasks:
    """Implements `Backend` for one LightX2V server. The client names the tasks, so one whose answer was lost is found
    again."""

    pays = False

    def __init__(self, calls: Server, options: Mapping[str, Any]) -> None:
        self.server = calls.url
        self._calls = calls
        self._options = options
        self._fps = options["fps"] or FAMILIES[options["family"]][2]
        self._known = KNOWN

    def reach(self, check: Check) -> Mapping[str, Any]:
        try:
            told = self._calls.get_json("/v1/service/metadata", check=check)
        except ServerRefused as error:
            if error.status == 404:
                raise Misconfigured(
                    "The server at VIVANT_LIGHTX2V_URL has no /v1/service/metadata: it is no LightX2V server."
                ) from error
            raise
        self._known = self._ask_fields(check)
        if self._options["last_frame"] and "last_frame_path" not in self._known:
            raise Misconfigured(
                "This version of LightX2V takes no last picture: set VIVANT_LIGHTX2V_LAST_FRAME to false."
            )
        model = PurePath(take(told, "model_path", str, "")).name or take(told, "model_cls", str, "")
        return {"server": "lightx2v", "model": clean(model), "gpus": take(told, "nproc_per_node", int, 1)}

    def _ask_fields(self, check: Check) -> frozenset[str]:
        """The fields that the server's own description has for a video."""
        try:
            told = self._calls.get_json("/openapi.json", check=check)
        except (ServerRefused, UnusableAnswer):
            return KNOWN
        schemas = take(take(told, "components", dict, {}), "schemas", dict, {})
        fields = take(take(schemas, "VideoTaskRequest", dict, {}), "properties", dict, {})
        return frozenset(fields) or KNOWN

    def probe_order(self) -> Order:
        return probe_order(grid=self._options["grid"], seconds=1)

    def submit(self, order: Order, reference: str, check: Check) -> str:
        frames = self._fps * order.seconds + 1
        size = [order.canvas.height, order.canvas.width]
        wanted = {
            "task_id": reference,
            "prompt": order.prompt,
            "image_path": to_data_uri(to_png(order.first)),
            "seed": order.seed,
            "num_frames": frames,
            "target_video_length": frames,
            "size": size,
            "target_shape": size,
            "target_fps": self._fps,
            "save_result_path": f"{reference}.mp4",  # later versions keep nothing without it
        }
        if order.last is not None:
            wanted["last_frame_path"] = to_data_uri(to_png(order.last))
        body = {name: value for name, value in wanted.items() if name in self._known} | self._options["fields"]
        return take(self._post(body, check), "task_id", str)

    def _post(self, body: Mapping[str, Any], check: Check) -> Any:
        try:
            return self._calls.post_json("/v1/tasks/video/", body, check=check)
        except ServerRefused as error:
            if error.status not in (307, 308, 404, 405):
                raise
        return self._calls.post_json("/v1/tasks/video", body, check=check)

    def find(self, reference: str, check: Check) -> str | None:
        try:
            self.look(reference, check)
        except ServerRefused as error:
            if error.status == 404:
                return None
            raise
        return reference

    def look(self, job: str, check: Check) -> JobState:
        told = self._calls.get_json(f"/v1/tasks/{_path(job)}/status", check=check)
        word = take(told, "status", str)
        status = _STATUSES.get(word)
        if status is None:
            raise UnusableAnswer(f"The server says that the task is {clean(word)!r}, which is no status of LightX2V.")
        return JobState(status=status, reason=words_of(told.get("error")))

    def cancel(self, job: str, check: Check) -> None:
        """It ends waiting and running tasks; it may answer late, for it waits for the task first."""
        self._calls.delete(f"/v1/tasks/{_path(job)}", check=check)

    def fetch(self, job: str, target: Path, check: Check) -> Mapping[str, Any]:
        self._calls.download(f"/v1/tasks/{_path(job)}/result", target, check=check)
        return {}


def make_backends(options: Mapping[str, Any]) -> list[LightTasks]:
    """One for each server that the options name. Raises Misconfigured for headers that cannot be sent."""
    return [LightTasks(Server(url, headers=options["headers"]), options) for url in options["url"]]


def _path(job: str) -> str:
    return quote(job, safe="")
