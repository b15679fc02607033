"""A double of vLLM-Omni 0.30.0 at /v1/videos (entrypoints/openai/api_server.py, video/generation/helpers.py)."""

from __future__ import annotations

import json
from typing import Any

from support.doubles.films import read_picture
from support.doubles.loopback import Reply, Seen
from support.doubles.video_jobs import JobOfDouble, VideoJobsDouble, h3_frames, h3_size


class VllmOmniDouble(VideoJobsDouble):
    """family: ltx, wan or h3.

    Its traps: forms only; a job that failed is told with an HTTP error status on GET, with the job as its body;
    progress is 0 or 100; DELETE ends the job; another model than the served one is refused, and so is a short edge of
    MiniMax-H3 other than 768, which it takes as a size only.
    """

    def __init__(self, *, family: str = "ltx", failure_status: int = 500, **more: Any) -> None:
        super().__init__(**more)
        self.family = family
        self.failure_status = failure_status
        self.aborted: list[str] = []

    def answer(self, seen: Seen) -> Reply:
        if seen.path == "/v1/models":
            return Reply(data={"object": "list", "data": [{"id": f"org/{self.family}", "object": "model"}]})
        return super().answer(seen)

    def create(self, seen: Seen) -> Reply:
        fields, files = seen.form()
        if "prompt" not in fields:
            missing = {"type": "missing", "loc": ["body", "prompt"], "msg": "Field required", "input": None}
            return Reply(422, {"detail": [missing]})
        if fields.get("model", f"org/{self.family}") != f"org/{self.family}":
            said = f"Model mismatch: request specifies '{fields['model']}' but server is running 'org/{self.family}'."
            return Reply(400, {"detail": said})
        several = [file for file in files if file.field == "input_references"]
        one = [file for file in files if file.field == "input_reference"]
        if several and one:
            return Reply(400, {"detail": "Provide input_references alone, without input_reference."})
        if several and self.family != "h3":
            return Reply(400, {"detail": "This diffusion model does not support several references."})
        pictures = [read_picture(file.data) for file in several or one]
        if self.family == "h3":
            extra = json.loads(fields.get("extra_params", "{}"))
            if extra.get("task") != "fl2va" or not 4.0 <= extra.get("duration", 0) <= 15.0 or len(pictures) > 2:
                return Reply(400, {"detail": "MiniMax H3 FL2VA takes one or two pictures and 4 to 15 seconds."})
            if int(fields.get("short_edge", 768)) != 768:
                return Reply(400, {"detail": "MiniMax H3 target.short_edge must be 768"})
            width, height = h3_size(pictures[0].shape[1], pictures[0].shape[0], 768)
            if "width" in fields and "height" in fields:
                width, height = (int(fields[side]) // 32 * 32 for side in ("width", "height"))
            frames, fps = h3_frames(extra["duration"]), 24
        else:
            width, height, frames = (int(fields[name]) for name in ("width", "height", "num_frames"))
            fps = int(fields["fps"])
        job = self.new_job(
            "video_gen_", width=width, height=height, frames=frames, fps=fps, seed=int(fields["seed"]),
            first=pictures[0] if pictures else None, last=pictures[1] if len(pictures) > 1 else None,
            sound=self.family != "wan", more={"prompt": fields["prompt"]},
        )  # fmt: skip
        return Reply(data=self._told(job))

    def _told(self, job: JobOfDouble) -> dict[str, Any]:
        status = self.status_of(job)
        return {
            "model": f"org/{self.family}", "prompt": job.more["prompt"], "id": job.id, "object": "video",
            "status": status, "size": None, "progress": 100 if status == "completed" else 0,
            "seconds": "4", "quality": "default", "completed_at": None, "created_at": 1_790_000_000,
            "error": {"code": self.failure_status, "message": job.error} if status == "failed" else None,
            "media_type": "video/mp4", "file_name": f"{job.id}.mp4" if status == "completed" else None,
            "inference_time_s": 2.5 if status == "completed" else None,
        }  # fmt: skip

    def tell(self, job: JobOfDouble) -> Reply:
        status = self.failure_status if self.status_of(job) == "failed" else 200
        return Reply(status, self._told(job))

    def content(self, job: JobOfDouble) -> Reply:
        status = self.status_of(job)
        if status == "failed":
            return Reply(422, {"detail": "Video generation failed. Check job status for error details."})
        if status != "completed":
            return Reply(404, {"detail": "Generation is still in-progress"})
        return self.film(job)

    def delete(self, job: JobOfDouble) -> Reply:
        if self.status_of(job) in ("queued", "in_progress"):
            self.aborted.append(job.id)
            self.busy_until = 0.0  # the engine is free again
        del self.jobs[job.id]
        return Reply(data={"id": job.id, "object": "video.deleted", "deleted": True})
