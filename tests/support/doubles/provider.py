"""What the doubles of providers share: jobs that cost money, links that die, and accidents at any step."""

from __future__ import annotations

import base64
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from support.doubles.films import make_film, read_picture
from support.doubles.loopback import LoopbackDouble, Reply, Seen
from vivant.request import SIZES

KEY = "sk_a-key-that-nobody-shows"


class HangUp(Exception):
    """The double closes the connection without an answer."""


@dataclass
class PaidJob:
    """A job as the provider has it. steps: the statuses that further looks show, the last one for ever."""

    id: str
    asked: dict[str, Any]
    film: bytes
    steps: deque[str]
    key: str = ""
    made: float = field(default_factory=time.time)
    link: str = ""

    @property
    def status(self) -> str:
        return self.steps[0]

    def go_on(self) -> str:
        """The status of this look."""
        now = self.steps[0]
        if len(self.steps) > 1:
            self.steps.popleft()
        return now


# What befalls a submit: all goes well; it is accepted and its answer lost; it is lost itself; accepted, and answered
# with an error of a proxy; or this reply.
Accident = Literal["none", "answer lost", "lost", "accepted with 500", "accepted with 503", "accepted with nonsense"]


class ProviderDouble(LoopbackDouble):
    """Takes one key, counts the jobs that it was paid for, and can be told of accidents. `on` is called with the name
    of each step before it is done; what it raises ends the connection."""

    statuses: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, PaidJob] = {}
        self.ordered = 0  # jobs that were accepted; this is what costs money
        self.accidents: deque[Accident | Reply] = deque()  # of the next submits
        self.dead_links = 0  # of so many looks at a finished job the link leads nowhere
        self.after: tuple[str, ...] = self.statuses  # the statuses of new jobs
        self.on: Callable[[str], None] = lambda step: None
        self.change_film: Callable[[bytes], bytes] = lambda film: film

    def come_up(self) -> None:
        super().come_up()
        assert self._server is not None
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a connection that was hung up

    def accept(self, asked: dict[str, Any], first: bytes, last: bytes | None, *, size: tuple[int, int]) -> PaidJob:
        """A new job for which money is owed. first, last: PNG or JPEG."""
        self.ordered += 1
        film = make_film(
            read_picture(first),
            None if last is None else read_picture(last),
            width=size[0],
            height=size[1],
            frames=24 * asked["duration"] + 1,
            seed=asked["seed"],
            sound=asked["generate_audio"],
        )
        job = PaidJob(f"job-{self.ordered}-{secrets.token_hex(4)}", asked, self.change_film(film), deque(self.after))
        self.jobs[job.id] = job
        return job

    def submit(self, accept: Callable[[], PaidJob], answer: Callable[[PaidJob], Reply]) -> Reply:
        """A submit, with the accident that befalls it."""
        self.on("submit")
        accident = self.accidents.popleft() if self.accidents else "none"
        if isinstance(accident, Reply):
            return accident
        if accident == "lost":
            raise HangUp
        job = accept()
        self.on("submitted")
        if accident == "answer lost":
            raise HangUp
        if accident in ("accepted with 500", "accepted with 503"):
            return Reply(int(accident[-3:]), {"message": "upstream connect error"})
        if accident == "accepted with nonsense":
            return Reply(raw=b"<html>ok</html>", media_type="text/html")
        return answer(job)

    def new_link(self, job: PaidJob) -> str:
        """A link to the film; earlier ones die."""
        if self.dead_links > 0:
            self.dead_links -= 1
            return f"{self.url}/films/{job.id}?signature=dead"
        job.link = secrets.token_hex(8)
        return f"{self.url}/films/{job.id}?signature={job.link}"

    def film(self, seen: Seen) -> Reply:
        """The answer to a link."""
        self.on("film")
        job = self.jobs.get(seen.path.rpartition("/")[2])
        if job is None or seen.query.get("signature") != job.link:
            return Reply(403, raw=b"<Error><Code>AccessDenied</Code></Error>", media_type="application/xml")
        assert "authorization" not in seen.headers or seen.headers["authorization"] == f"Bearer {KEY}"
        return Reply(raw=job.film, media_type="video/mp4")


def picture_of(uri: Any) -> bytes:
    """The bytes of a data URI of a picture. Raises ValueError."""
    head, _, data = str(uri).partition(",")
    if head not in ("data:image/png;base64", "data:image/jpeg;base64"):
        raise ValueError("not a data URI")
    return base64.b64decode(data, validate=True)


def size_of(resolution: str, ratio: str, picture: bytes) -> tuple[int, int]:
    """(width, height) in pixels of what is asked for."""
    assert read_picture(picture).shape[2] == 3
    return SIZES[resolution, ratio]
