"""A double of SGLang Diffusion 0.5.23 at /v1/videos (multimodal_gen/runtime/entrypoints/openai/video_api.py)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from support.doubles.films import read_picture
from support.doubles.loopback import Reply, Seen
from support.doubles.video_jobs import JobOfDouble, VideoJobsDouble, h3_frames, h3_size


class SGLangDouble(VideoJobsDouble):
    """family: ltx, wan or h3. uploads: finished films lie in a store, and the job names their address.

    Its traps: a job is "queued" until its first step; DELETE forgets the job and the GPU works on; a film's address
    answers 404 while the job runs; in the store's case 400; off-grid frames are cut to the grid without a word.
    """

    def __init__(self, *, family: str = "ltx", uploads: bool = False, warming: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.family = family
        self.uploads = uploads
        self.warming = warming

    def answer(self, seen: Seen) -> Reply:
        if seen.path == "/v1/models":
            if self.warming:
                return Reply(503, {"detail": "Server is warming up"})
            return Reply(data={"object": "list", "data": [{"id": f"org/{self.family}", "object": "model"}]})
        if seen.path.startswith("/store/"):
            return self.film(self.jobs[seen.path.removeprefix("/store/")])
        return super().answer(seen)

    def create(self, seen: Seen) -> Reply:
        fields, files = seen.form()
        if self.family == "h3":
            return self._create_h3(seen)
        if not fields.get("prompt"):
            return Reply(400, {"detail": "prompt is required"})
        try:
            if not isinstance(json.loads(fields.get("extra_body", "{}")), dict):
                raise ValueError
            width, height, frames, fps, seed = (
                int(fields[name]) for name in ("width", "height", "num_frames", "fps", "seed")
            )
        except (KeyError, ValueError) as error:
            return Reply(422, {"detail": [{"loc": ["body"], "msg": f"Input should be a valid integer: {error}"}]})
        step = 8 if self.family == "ltx" else 4
        pictures = [read_picture(file.data) for file in files if file.field == "input_reference"]
        job = self.new_job(
            "", width=width, height=height, frames=(frames - 1) // step * step + 1, fps=fps, seed=seed,
            first=pictures[0] if pictures else None, last=None, sound=self.family == "ltx",
        )  # fmt: skip
        return self.tell(job)

    def _create_h3(self, seen: Seen) -> Reply:
        if not seen.headers.get("content-type", "").startswith("application/json"):
            return Reply(400, {"detail": "task is required when conditions/target/flow_shift/... are given"})
        body = seen.json
        for name in ("num_frames", "fps"):
            if body.get(name) is not None:
                return Reply(
                    400,
                    {"detail": f"{name} is not supported: MiniMax H3 derives the temporal shape from "
                     "target.duration_seconds"},
                )  # fmt: skip
        target, conditions = body.get("target"), body.get("conditions")
        if body.get("task") != "fl2va" or not isinstance(target, dict) or not conditions:
            return Reply(400, {"detail": "target is required and must be an object"})
        if target.get("aspect_ratio") != "auto" or not 4.0 <= target.get("duration_seconds", 0) <= 15.0:
            return Reply(400, {"detail": "target.duration_seconds must be in [4, 15]"})
        if [one["frame_index"] for one in conditions] not in ([0], [-1], [0, -1]):
            return Reply(400, {"detail": "unsupported keyframe signature"})
        pictures = {
            one["frame_index"]: read_picture(base64.b64decode(one["uri"].partition("base64,")[2])) for one in conditions
        }
        shape = next(iter(pictures.values())).shape
        width, height = h3_size(shape[1], shape[0], target["short_edge"])
        job = self.new_job(
            "", width=width, height=height, frames=h3_frames(target["duration_seconds"]), fps=24, seed=body["seed"],
            first=pictures.get(0), last=pictures.get(-1), sound=True,
        )  # fmt: skip
        return self.tell(job)

    def tell(self, job: JobOfDouble) -> Reply:
        status = self.status_of(job)
        done = (time.monotonic() - job.begins) / max(1e-6, job.ends - job.begins)
        told: dict[str, Any] = {
            "id": job.id, "object": "video", "model": f"org/{self.family}", "status": status,
            "progress": 100 if status == "completed" else min(99, max(0, int(100 * done))) * (status == "in_progress"),
            "created_at": 1_790_000_000, "size": f"{job.width}x{job.height}",
            "seconds": str(round(job.frames / job.fps)),
            "quality": "standard", "url": None, "error": None, "file_path": None,
        }  # fmt: skip
        if status == "completed":
            told |= {"inference_time_s": 1.25, "peak_memory_mb": 43_210.5, "file_path": f"/outputs/{job.id}.mp4"}
            if self.uploads:
                told |= {"url": f"{self.url}/store/{job.id}", "file_path": None}
        if status == "failed":
            told["error"] = {"message": job.error}
        return Reply(data=told)

    def content(self, job: JobOfDouble) -> Reply:
        status = self.status_of(job)
        if self.uploads and status == "completed":
            where = f"{self.url}/store/{job.id}"
            return Reply(
                400, {"detail": f"Video has been uploaded to cloud storage. Please use the cloud URL: {where}"}
            )
        if status not in ("completed", "failed"):
            return Reply(404, {"detail": "Generation is still in-progress"})
        if status == "failed":
            return Reply(404, {"detail": "Video variant None not found"})
        return self.film(job)

    def delete(self, job: JobOfDouble) -> Reply:
        """Only what is known of it goes; the GPU works on, and the next job waits."""
        told = self.tell(job).data
        del self.jobs[job.id]
        return Reply(data={**told, "status": "deleted"})


@contextmanager
def behind() -> Iterator[Mapping[str, Any]]:
    """Options of the engine `openai-videos` that lead to a double with MiniMax-H3, which takes two pictures."""
    with SGLangDouble(family="h3") as double:
        yield {"url": [double.url], "server": "sglang", "family": "h3", "short_edge": 512}
