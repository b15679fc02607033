"""A double of stable-diffusion.cpp's sd-server, as of August 2026 (/sdcpp/v1)."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from support.doubles.films import make_film, read_picture
from support.doubles.loopback import LoopbackDouble, Reply, Seen
from support.doubles.video_jobs import JobOfDouble

MEDIA_TYPES = {"webm": "video/webm", "avi": "video/x-msvideo"}


class SdcppDouble(LoopbackDouble):
    """family: ltx, wan or h3. work: seconds for each job. formats: of films. fails_with: the error of every job.
    queue: how many may wait. expired: finished jobs are forgotten.

    Its traps: odd sizes are taken without a word; without a seed it is 42; sizes are brought up to the grid, frames
    down to it (H3 up); a finished job's answer holds the whole film each time; a job at work cannot be cancelled (409);
    an assertion ends the program.
    """

    def __init__(
        self,
        *,
        family: str = "ltx",
        work: float = 0.0,
        formats: tuple[str, ...] = ("webm", "avi", "webp"),
        fails_with: str | None = None,
        queue: int = 64,
        end_image: bool = True,
        modes: tuple[str, ...] = ("img_gen", "vid_gen"),
    ) -> None:
        super().__init__()
        self.family, self.work, self.formats = family, work, formats
        self.fails_with, self.queue, self.end_image, self.modes = fails_with, queue, end_image, modes
        self.expired = False
        self.jobs: dict[str, JobOfDouble] = {}
        self.cancelled: set[str] = set()
        self.busy_until = 0.0
        self.numbers = 0

    def restart(self) -> None:
        """As after an assertion that failed: what it knew is gone."""
        with self._lock:
            self.jobs.clear()
            self.busy_until = 0.0

    def answer(self, seen: Seen) -> Reply:
        if seen.path == "/sdcpp/v1/capabilities":
            return Reply(data=self._capabilities())
        if (seen.method, seen.path) == ("POST", "/sdcpp/v1/vid_gen"):
            return self._create(seen)
        if seen.path.startswith("/sdcpp/v1/jobs/"):
            name, _, rest = seen.path.removeprefix("/sdcpp/v1/jobs/").partition("/")
            job = self.jobs.get(name)
            if job is None:
                return Reply(404, {"error": "job not found"})
            if (seen.method, rest) == ("GET", ""):
                return self._tell(job)
            if (seen.method, rest) == ("POST", "cancel"):
                return self._cancel(job)
        return Reply(404, raw=b"", media_type="text/plain")

    def _capabilities(self) -> dict[str, Any]:
        return {
            "model": {"stem": "ltx-2.3-22b-distilled-Q4_K_M", "path": "/models/ltx.gguf"},
            "supported_modes": list(self.modes),
            "output_formats_by_mode": {"img_gen": ["png"], "vid_gen": list(self.formats)},
            "features_by_mode": {
                "vid_gen": {"init_image": True, "end_image": self.end_image, "cancel_generating": False}
            },
            "defaults_by_mode": {"vid_gen": {"sample_params": {"sample_steps": 8}, "seed": 42}},
            "limits": {"max_queue_size": self.queue},
        }

    def status_of(self, job: JobOfDouble) -> str:
        now = time.monotonic()
        if job.id in self.cancelled:
            return "cancelled"
        if now < job.begins:
            return "queued"
        if now < job.ends:
            return "generating"
        return "failed" if job.error else "completed"

    def _create(self, seen: Seen) -> Reply:
        if not seen.body:
            return Reply(400, {"error": "empty body"})
        try:
            body = seen.json
        except ValueError:
            return Reply(400, {"error": "invalid json"})
        if body.get("output_format") not in self.formats:
            return Reply(400, {"error": f"invalid output_format, must be one of {list(self.formats)}"})
        if sum(self.status_of(job) in ("queued", "generating") for job in self.jobs.values()) >= self.queue:
            return Reply(429, {"error": "job queue is full"})
        try:
            first = read_picture(base64.b64decode(body["init_image"], validate=True))
            last = read_picture(base64.b64decode(body["end_image"])) if body.get("end_image") else None
        except (KeyError, ValueError, OSError):
            return Reply(400, {"error": "invalid generation parameters"})
        width, height = (body[side] if body[side] > 0 else 512 for side in ("width", "height"))  # lenient
        grid = 16 if self.family == "wan" else 32
        frames = body["video_frames"]
        frames = (
            frames + (5 - frames) % 17
            if self.family == "h3"
            else frames - (frames - 1) % (8 if self.family == "ltx" else 4)
        )
        begins = max(time.monotonic(), self.busy_until)
        self.numbers += 1
        job = JobOfDouble(
            id=f"job_{self.numbers:06d}", width=-(-width // grid) * grid, height=-(-height // grid) * grid,
            frames=frames,
            fps=body.get("fps", 16), seed=body.get("seed", 42), first=first, last=last, sound=self.family != "wan",
            begins=begins, ends=begins + self.work, error=self.fails_with, more={"format": body["output_format"]},
        )  # fmt: skip
        self.busy_until = job.ends
        self.jobs[job.id] = job
        told = {"id": job.id, "kind": "vid_gen", "status": "queued", "created": 1_790_000_000}
        return Reply(202, {**told, "poll_url": f"/sdcpp/v1/jobs/{job.id}"})

    def _tell(self, job: JobOfDouble) -> Reply:
        status = self.status_of(job)
        if self.expired and status not in ("queued", "generating"):
            return Reply(410, {"error": "job expired"})
        told: dict[str, Any] = {
            "id": job.id, "kind": "vid_gen", "status": status, "created": 1_790_000_000,
            "started": None if status == "queued" else 1_790_000_001, "queue_position": 1 if status == "queued" else 0,
            "completed": None, "result": None, "error": None,
        }  # fmt: skip
        if status == "failed":
            told["error"] = {"code": "generation_failed", "message": job.error}
        if status == "cancelled":
            told["error"] = {"code": "cancelled", "message": "job was cancelled"}
        if status == "completed":
            film = make_film(
                job.first, job.last, width=job.width, height=job.height, frames=job.frames, seed=job.seed, fps=job.fps,
                sound=job.sound, kind=job.more["format"],
            )  # fmt: skip
            told["result"] = {
                "b64_json": base64.b64encode(film).decode(), "mime_type": MEDIA_TYPES[job.more["format"]],
                "fps": job.fps, "frame_count": job.frames,
            }  # fmt: skip
        return Reply(data=told)

    def _cancel(self, job: JobOfDouble) -> Reply:
        status = self.status_of(job)
        if status == "generating":
            return Reply(409, {"error": "job is generating and cannot be interrupted yet"})
        if status == "queued":
            self.cancelled.add(job.id)
            self.busy_until -= self.work
        return Reply(data={"id": job.id, "status": self.status_of(job)})


@contextmanager
def behind() -> Iterator[Mapping[str, Any]]:
    """Options of the engine `sdcpp` that lead to a double with LTX-2.3."""
    with SdcppDouble(formats=("avi",)) as double:
        yield {"url": [double.url]}
