"""What the doubles of servers with /v1/videos share: jobs that one worker does one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from support.doubles.films import make_film
from support.doubles.loopback import LoopbackDouble, Reply, Seen
from vivant.media import U8


@dataclass
class JobOfDouble:
    """A job, and when it is worked on. begins, ends: monotonic seconds."""

    id: str
    width: int
    height: int
    frames: int
    fps: int
    seed: int
    first: U8 | None
    last: U8 | None
    sound: bool
    begins: float
    ends: float
    more: dict[str, Any] = field(default_factory=dict)
    error: str | None = None

    def film(self) -> bytes:
        return make_film(
            self.first, self.last, width=self.width, height=self.height, frames=self.frames, seed=self.seed,
            fps=self.fps, sound=self.sound,
        )  # fmt: skip


class VideoJobsDouble(LoopbackDouble):
    """work: seconds for each job. fails_with: the error of every job, instead of a film."""

    def __init__(self, *, work: float = 0.0, fails_with: str | None = None) -> None:
        super().__init__()
        self.work = work
        self.fails_with = fails_with
        self.jobs: dict[str, JobOfDouble] = {}
        self.busy_until = 0.0
        self._numbers = 0

    def restart(self) -> None:
        """What these servers know of their jobs is in their memory."""
        with self._lock:
            self.jobs.clear()
            self.busy_until = 0.0

    def new_job(self, prefix: str, **facts: Any) -> JobOfDouble:
        """A job that begins when the one before it has ended."""
        begins = max(time.monotonic(), self.busy_until)
        self._numbers += 1
        job = JobOfDouble(
            id=f"{prefix}{self._numbers:032x}", begins=begins, ends=begins + self.work, error=self.fails_with, **facts
        )
        self.busy_until = job.ends
        self.jobs[job.id] = job
        return job

    def status_of(self, job: JobOfDouble) -> str:
        """As all three servers call it."""
        now = time.monotonic()
        if now < job.begins:
            return "queued"
        if now < job.ends:
            return "in_progress"
        return "failed" if job.error else "completed"

    def answer(self, seen: Seen) -> Reply:
        """The routes that are the same at all three."""
        route = (seen.method, seen.path.rstrip("/"))
        if route == ("POST", "/v1/videos"):
            return self.create(seen)
        if seen.path.startswith("/v1/videos/"):
            name, _, rest = seen.path.removeprefix("/v1/videos/").partition("/")
            job = self.jobs.get(name)
            if job is None:
                return self.unknown()
            if (seen.method, rest) == ("GET", ""):
                return self.tell(job)
            if (seen.method, rest) == ("GET", "content"):
                return self.content(job)
            if (seen.method, rest) == ("DELETE", ""):
                return self.delete(job)
        return Reply(404, {"detail": "Not Found"})

    def create(self, seen: Seen) -> Reply:
        raise NotImplementedError

    def unknown(self) -> Reply:
        return Reply(404, {"detail": "Video not found"})

    def tell(self, job: JobOfDouble) -> Reply:
        raise NotImplementedError

    def content(self, job: JobOfDouble) -> Reply:
        raise NotImplementedError

    def delete(self, job: JobOfDouble) -> Reply:
        raise NotImplementedError

    def film(self, job: JobOfDouble) -> Reply:
        return Reply(raw=job.film(), media_type="video/mp4")


def h3_size(width: int, height: int, short_edge: int) -> tuple[int, int]:
    """The size that MiniMax-H3 makes for a picture of this shape: its short edge, multiples of 32, 1,048,576 pixels or
    a little more (adapt_shape_v1)."""
    ratio = width / height
    wide, high = (short_edge * ratio, float(short_edge)) if ratio >= 1 else (float(short_edge), short_edge / ratio)
    scale = min(1.0, (1344 * 768 / (wide * high)) ** 0.5)
    return max(32, round(wide * scale / 32) * 32), max(32, round(high * scale / 32) * 32)


def h3_frames(seconds: float) -> int:
    """The frames that MiniMax-H3 makes for a length: 17k + 5, rounded up."""
    count = round(seconds * 24)
    return count + (5 - count) % 17
