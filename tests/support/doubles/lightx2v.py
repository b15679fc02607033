"""A double of LightX2V's server of 2026 (lightx2v/server): /v1/tasks."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from support.doubles.films import make_film, read_picture
from support.doubles.loopback import LoopbackDouble, Reply, Seen
from support.doubles.video_jobs import JobOfDouble

OLD = frozenset({
    "task_id", "prompt", "negative_prompt", "image_path", "last_frame_path", "save_result_path", "infer_steps", "seed",
    "target_shape", "num_fragments", "target_video_length", "target_fps", "presigned_url",
})  # fmt: skip
NEW = frozenset({
    "task_id", "prompt", "negative_prompt", "image_path", "last_frame_path", "save_result_path", "seed", "size",
    "num_frames",
})  # fmt: skip


class LightX2VDouble(LoopbackDouble):
    """fields: the names that a request may have (OLD or NEW). describes: it answers /openapi.json. work: seconds for
    each task. fails_with: the error of every task. queue: how many may wait or run.

    Its traps: POST without the slash at the end redirects (307); a full queue is 503, and so is a task id that exists;
    unknown fields are refused by NEW and ignored by OLD; nothing is kept without save_result_path; a result is 404
    until the task is done; DELETE answers 200 whatever happened.
    """

    def __init__(
        self,
        *,
        fields: frozenset[str] = OLD,
        describes: bool = True,
        sound: bool = False,
        work: float = 0.0,
        fails_with: str | None = None,
        queue: int = 100,
    ) -> None:
        super().__init__()
        self.fields, self.describes, self.sound, self.work = fields, describes, sound, work
        self.fails_with, self.queue = fails_with, queue
        self.jobs: dict[str, JobOfDouble] = {}
        self.cancelled: set[str] = set()
        self.busy_until = 0.0

    def restart(self) -> None:
        """Its tasks are in its memory."""
        with self._lock:
            self.jobs.clear()
            self.busy_until = 0.0

    def answer(self, seen: Seen) -> Reply:
        if seen.path == "/v1/service/metadata":
            return Reply(data={"nproc_per_node": 2, "model_cls": "wan2.2_moe", "model_path": "/models/Wan2.2-I2V-A14B"})
        if seen.path == "/openapi.json" and self.describes:
            properties: dict[str, Any] = {name: {} for name in self.fields}
            return Reply(data={"components": {"schemas": {"VideoTaskRequest": {"properties": properties}}}})
        if (seen.method, seen.path) == ("POST", "/v1/tasks/video"):
            return Reply(307, raw=b"", headers={"Location": f"{self.url}/v1/tasks/video/"})
        if (seen.method, seen.path) == ("POST", "/v1/tasks/video/"):
            return self._create(seen.json)
        if seen.path.startswith("/v1/tasks/"):
            name, _, rest = seen.path.removeprefix("/v1/tasks/").partition("/")
            job = self.jobs.get(name)
            if (seen.method, rest) == ("DELETE", ""):
                return self._delete(job)
            if job is None:
                return Reply(404, {"detail": "Task not found"})
            if rest == "status":
                return self._tell(job)
            if rest == "result":
                return self._result(job)
        return Reply(404, {"detail": "Not Found"})

    def status_of(self, job: JobOfDouble) -> str:
        now = time.monotonic()
        if job.id in self.cancelled:
            return "cancelled"
        if now < job.begins:
            return "pending"
        if now < job.ends:
            return "processing"
        return "failed" if job.error else "completed"

    def _create(self, body: dict[str, Any]) -> Reply:
        unknown = body.keys() - self.fields
        if unknown and self.fields is NEW:
            problems = [{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
                        for name in sorted(unknown)]  # fmt: skip
            return Reply(422, {"detail": problems})
        if body["task_id"] in self.jobs:
            return Reply(503, {"detail": f"Task ID {body['task_id']} already exists"})
        active = sum(self.status_of(job) in ("pending", "processing") for job in self.jobs.values())
        if active >= self.queue:
            return Reply(503, {"detail": f"Task queue is full (max {self.queue} tasks)"})
        pictures = [
            read_picture(base64.b64decode(body[name].partition("base64,")[2])) if body.get(name) else None
            for name in ("image_path", "last_frame_path")
        ]
        height, width = body["size" if self.fields is NEW else "target_shape"]
        begins = max(time.monotonic(), self.busy_until)
        job = JobOfDouble(
            id=body["task_id"], width=width, height=height,
            frames=body["num_frames" if self.fields is NEW else "target_video_length"], fps=body.get("target_fps", 16),
            seed=body["seed"], first=pictures[0], last=pictures[1], sound=self.sound, begins=begins,
            ends=begins + self.work, error=self.fails_with, more={"path": body.get("save_result_path")},
        )  # fmt: skip
        self.busy_until = job.ends
        self.jobs[job.id] = job
        return Reply(data={"task_id": job.id, "task_status": "pending", "save_result_path": job.more["path"]})

    def _tell(self, job: JobOfDouble) -> Reply:
        status = self.status_of(job)
        error = {"failed": job.error, "cancelled": "Task cancelled by user"}.get(status)
        times = {"start_time": "2026-08-28T10:00:00.000000", "end_time": None}
        return Reply(
            data={"task_id": job.id, "status": status, **times, "error": error, "save_result_path": job.more["path"]}
        )

    def _result(self, job: JobOfDouble) -> Reply:
        if self.status_of(job) != "completed":
            return Reply(404, {"detail": "Task not completed"})
        if not job.more["path"]:
            return Reply(404, {"detail": "Task result file does not exist"})
        film = make_film(
            job.first, job.last, width=job.width, height=job.height, frames=job.frames, seed=job.seed, fps=job.fps,
            sound=job.sound,
        )  # fmt: skip
        return Reply(raw=film, media_type="video/mp4")

    def _delete(self, job: JobOfDouble | None) -> Reply:
        if job is None or self.status_of(job) in ("completed", "failed"):
            return Reply(data={"stop_status": "do_nothing", "reason": "Task not found or already completed."})
        self.cancelled.add(job.id)
        self.busy_until = 0.0
        return Reply(data={"stop_status": "success", "reason": "Task stopped successfully."})


@contextmanager
def behind() -> Iterator[Mapping[str, Any]]:
    """Options of the engine `lightx2v` that lead to a double with MiniMax-H3."""
    with LightX2VDouble(sound=True) as double:
        yield {"url": [double.url], "family": "h3", "last_frame": True}
