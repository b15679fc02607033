"""A double of Ark's API for video tasks, as BytePlus and Volcengine document it and as their SDKs were seen to call it.

It has the recorded traps: strict fields, a nested error body, tasks that show nothing of their prompt, a list per tier,
a running task that cannot be deleted, a deleted finished task that is gone, and links that die.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Final

from support.doubles.loopback import Reply, Seen
from support.doubles.provider import KEY, HangUp, PaidJob, ProviderDouble, picture_of, size_of
from vivant.request import RATIOS, RESOLUTIONS, Canvas

TASKS: Final = "/api/v3/contents/generations/tasks"
MODEL: Final = "seedance-1-5-pro-251215"


class ArkDouble(ProviderDouble):
    """Takes one key and one model. shows_marks: its list shows what a task was asked for."""

    statuses = ("queued", "running", "succeeded")

    def __init__(self, *, shows_marks: bool = True, lag: int = 0) -> None:
        """lag: looks at the list in which a new task does not appear yet."""
        super().__init__()
        self.oldest_first = False
        self.shows_marks = shows_marks
        self.lag = lag

    @property
    def base(self) -> str:
        return f"{self.url}/api/v3"

    def answer(self, seen: Seen) -> Reply:
        if seen.path.startswith("/films/"):
            return self.film(seen)
        if seen.headers.get("authorization") != f"Bearer {KEY}":
            return refuse(
                401, "AuthenticationError", "the API key in the request is missing or invalid", "Unauthorized"
            )
        name = seen.path.removeprefix(TASKS).strip("/")
        if not seen.path.startswith(TASKS):
            return refuse(404, "NotFound", "no such path", "NotFound")
        if seen.method == "POST" and not name:
            return self._submit(seen)
        if seen.method == "GET" and not name:
            self.on("list")
            return self._list(seen)
        job = self.jobs.get(name)
        if job is None:
            return refuse(404, "NotFound.id", "The specified task is not found", "NotFound")
        if seen.method == "DELETE":
            return self._delete(job)
        self.on("look")
        return Reply(data=self._show(job, job.go_on()))

    def _submit(self, seen: Seen) -> Reply:
        body = {name: value for name, value in seen.json.items() if value is not None}  # null means absent
        try:
            asked, pictures = _read(body)
        except (KeyError, TypeError, ValueError) as error:
            return refuse(400, "InvalidParameter", f"The parameter is not valid: {error}", "BadRequest")
        size = size_of(asked["resolution"], asked["ratio"], pictures[0])
        return self.submit(
            lambda: self.accept(asked, pictures[0], pictures[1], size=size), lambda job: Reply(data={"id": job.id})
        )

    def _list(self, seen: Seen) -> Reply:
        if self.lag > 0:
            self.lag -= 1
            return Reply(data={"items": [], "total": 0})
        tier = seen.query.get("filter.service_tier", "default")
        size, page = int(seen.query.get("page_size", "10")), int(seen.query.get("page_num", "1"))
        jobs = self.jobs.values() if self.oldest_first else reversed(self.jobs.values())
        found = [job for job in jobs if job.asked["service_tier"] == tier]
        shown = [self._show(job, job.status) for job in found[size * (page - 1) : size * page]]
        if not self.shows_marks:
            shown = [{name: task[name] for name in ("id", "model", "status", "created_at")} for task in shown]
        return Reply(data={"items": shown, "total": len(found)})

    def _show(self, job: PaidJob, status: str) -> dict[str, Any]:
        asked = job.asked
        echo = ("resolution", "ratio", "duration", "generate_audio", "service_tier", "execution_expires_after", "seed")
        task: dict[str, Any] = {
            "id": job.id,
            "model": asked["model"],
            "status": status,
            "error": None,
            "created_at": int(job.made),
            "updated_at": int(time.time()),
            **{name: asked[name] for name in echo},
        }
        if status == "succeeded":
            tokens = Canvas.of(asked["resolution"], asked["ratio"], asked["duration"]).tokens
            task |= {
                "content": {"video_url": self.new_link(job)},
                "framespersecond": 24,
                "usage": {"completion_tokens": tokens, "total_tokens": tokens},
            }
        if status == "failed":
            task["error"] = {
                "code": "OutputVideoSensitiveContentDetected",
                "message": "The request failed because the output video may contain sensitive information.",
            }
        return task

    def _delete(self, job: PaidJob) -> Reply:
        match job.status:
            case "queued":
                job.steps.clear()
                job.steps.append("cancelled")
            case "succeeded" | "failed" | "expired":
                del self.jobs[job.id]
            case _:
                return refuse(409, "OperationDenied.InvalidState", f"the task is {job.status}", "Conflict")
        return Reply(data={})


def refuse(status: int, code: str, message: str, kind: str, headers: dict[str, str] | None = None) -> Reply:
    """Ark's error body."""
    text = f"{message}. Request id: 021764500000000"
    return Reply(status, {"error": {"code": code, "message": text, "param": "", "type": kind}}, headers=headers or {})


def _read(body: dict[str, Any]) -> tuple[dict[str, Any], tuple[bytes, bytes | None]]:
    """What is asked for, with defaults, and the pictures. Raises KeyError, TypeError and ValueError for what Ark
    refuses."""
    if body["model"] != MODEL:
        raise ValueError(f"model {body['model']}")
    pictures: dict[str, bytes] = {}
    text = ""
    for part in body["content"]:
        if part["type"] == "text":
            text = part["text"]
        else:
            pictures[part["role"]] = picture_of(part["image_url"]["url"])
    asked = {
        "model": MODEL,
        "text": text,
        "resolution": "720p",
        "ratio": "adaptive",
        "duration": 5,
        "seed": -1,
        "camera_fixed": False,
        "watermark": False,
        "generate_audio": True,
        "service_tier": "default",
        "execution_expires_after": 172_800,
        **_read_suffix(text),
        **{name: value for name, value in body.items() if name not in ("model", "content")},
    }
    if asked["resolution"] not in RESOLUTIONS or asked["ratio"] not in RATIOS:
        raise ValueError("resolution or ratio")
    for name, low, high in (("duration", 4, 12), ("seed", -1, 2**32 - 1), ("execution_expires_after", 3600, 259_200)):
        if type(asked[name]) is not int or not low <= asked[name] <= high:
            raise ValueError(name)
    for name in ("camera_fixed", "watermark", "generate_audio"):
        if type(asked[name]) is not bool:
            raise ValueError(name)
    if asked["service_tier"] not in ("default", "flex"):
        raise ValueError("service_tier")
    return asked, (pictures["first_frame"], pictures.get("last_frame"))


def _read_suffix(text: str) -> dict[str, Any]:
    """Parameters that stand in the prompt; wrong ones are passed over, as Ark does."""
    words = text.split()
    found: dict[str, Any] = {}
    for name, value in pairwise(words):
        match name:
            case "--resolution" | "--ratio":
                found[name[2:]] = value
            case "--duration" | "--seed":
                found[name[2:]] = int(value)
            case "--camerafixed":
                found["camera_fixed"] = value == "true"
            case "--watermark":
                found["watermark"] = value == "true"
    return found


def options_for(double: ArkDouble, **more: Any) -> dict[str, Any]:
    """Options of the engine that lead to the double and do not wait long."""
    return {"url": double.base, "api_key": KEY, "poll": 0.05, "settle": 0.5, **more}


@contextmanager
def behind() -> Iterator[Mapping[str, Any]]:
    """For the tests of all engines."""
    with ArkDouble() as double:
        double.after = ("running", "succeeded")
        yield options_for(double, pin="fade")


__all__ = ["KEY", "MODEL", "ArkDouble", "HangUp", "behind", "options_for", "refuse"]
