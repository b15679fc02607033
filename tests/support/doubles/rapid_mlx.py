"""A double of Rapid-MLX 0.16.10 at /v1/videos (routes/video.py)."""

from __future__ import annotations

from typing import Any

from support.doubles.films import read_picture
from support.doubles.loopback import Reply, Seen
from support.doubles.video_jobs import JobOfDouble, VideoJobsDouble

MODELS = {"ltx-2.3": "org/LTX-2.3-mlx-q4", "ltx-2.5": "org/LTX-2.5-mlx-q8", "wan": "org/Wan2.2-I2V-mlx"}
MOST_PIXEL_FRAMES = 768 * 512 * 97
MOST_BYTES = 20 * 2**20


class RapidMlxDouble(VideoJobsDouble):
    """family: ltx-2.3, ltx-2.5 or wan. key: the bearer token that it wants, or empty. still: the served model makes
    films from text only.

    Its traps: seconds is text; the model must be the served one by name; sides are multiples of 64; so many pixels in
    all frames together; an empty prompt and one of more than 4096 characters are refused; progress is 0, 1 or 100;
    DELETE is refused with 409 while it works; the film's address answers 409 until then.
    """

    def __init__(self, *, family: str = "ltx-2.3", key: str = "", text_only: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.family = family
        self.key = key
        self.text_only = text_only
        self.fps = 16 if family == "wan" else 24

    def answer(self, seen: Seen) -> Reply:
        if self.key and seen.headers.get("authorization") != f"Bearer {self.key}":
            return Reply(401, {"detail": "Invalid API key"})
        if seen.path == "/v1/models":
            return Reply(data={"object": "list", "data": [{"id": MODELS[self.family], "object": "model"}]})
        if seen.path == "/v1/videos/capabilities":
            fixed = self.family == "wan"
            return Reply(
                data={
                    "object": "video.capabilities", "model": MODELS[self.family], "modality": "video-gen",
                    "family": self.family,
                    "modes": ["text-to-video"] if self.text_only else ["text-to-video", "image-to-video"],
                    "limits": {
                        "fps": {"minimum": 1, "maximum": 60, "default": self.fps, "fixed": fixed},
                        "workload": {"metric": "pixel_frames", "maximum": MOST_PIXEL_FRAMES},
                    },
                }
            )  # fmt: skip
        return super().answer(seen)

    def create(self, seen: Seen) -> Reply:
        fields, files = seen.form()
        problem = self._problem(fields, sum(len(file.data) for file in files))
        if problem:
            return Reply(400, {"detail": problem})
        width, _, height = fields["size"].partition("x")
        pictures = [read_picture(file.data) for file in files if file.field == "input_reference"]
        job = self.new_job(
            "video_", width=int(width), height=int(height), frames=int(fields["frames"]),
            fps=int(fields.get("fps", self.fps)), seed=int(fields["seed"]),
            first=pictures[0] if pictures else None, last=None, sound=self.family != "wan",
            more={"prompt": fields["prompt"], "seconds": fields["seconds"], "model": fields["model"]},
        )  # fmt: skip
        return self.tell(job)

    def _problem(self, fields: dict[str, str], size_of_files: int) -> str:
        allowed = {MODELS[self.family], *(["ltx-2.3-mlx-q4"] if self.family == "ltx-2.3" else [])}
        if fields.get("model", "ltx-2.3-mlx-q4") not in allowed:
            return f"model must match the served video model ({MODELS[self.family]})"
        if not fields["prompt"].strip() or len(fields["prompt"]) > 4096:
            return "prompt must not be blank"
        width, height = (int(side) for side in fields["size"].split("x"))
        multiple = 32 if self.family == "ltx-2.5" else 64
        if not (256 <= width <= 1920 and 256 <= height <= 1920) or width % multiple or height % multiple:
            return f"video width/height must be 256..1920 and divisible by {multiple}, or use 1280x720 / 720x1280"
        frames = int(fields["frames"])
        if frames % (4 if self.family == "wan" else 8) != 1:
            return "LTX frames must be 8n+1 and at least 9 (for example 9, 17, 25)"
        if self.family == "wan" and int(fields["fps"]) != self.fps:
            return f"Wan output fps is fixed by this checkpoint at {self.fps}"
        if width * height * frames > MOST_PIXEL_FRAMES:
            return "requested video exceeds the safe LTX-2.3 Q4 workload limit; reduce size or duration"
        return "input_reference exceeds 20 MB" if size_of_files > MOST_BYTES else ""

    def unknown(self) -> Reply:
        return Reply(404, {"detail": "video job not found"})

    def tell(self, job: JobOfDouble) -> Reply:
        status = self.status_of(job)
        return Reply(
            data={
                "id": job.id, "model": job.more["model"], "prompt": job.more["prompt"],
                "seconds": job.more["seconds"], "size": f"{job.width}x{job.height}", "frames": job.frames,
                "fps": job.fps, "status": status,
                "progress": {"queued": 0, "in_progress": 1, "completed": 100, "failed": 1}[status],
                "created_at": 1_790_000_000, "completed_at": None,
                "error": {"code": "video_generation_failed", "message": job.error} if status == "failed" else None,
                "object": "video",
            }
        )  # fmt: skip

    def content(self, job: JobOfDouble) -> Reply:
        if self.status_of(job) != "completed":
            return Reply(409, {"detail": "video is not completed"})
        return self.film(job)

    def delete(self, job: JobOfDouble) -> Reply:
        if self.status_of(job) == "in_progress":
            return Reply(409, {"detail": "video generation is in progress"})
        if self.status_of(job) == "queued":
            self.busy_until -= self.work
        told = self.tell(job).data
        del self.jobs[job.id]
        return Reply(data={**told, "deleted": True})
