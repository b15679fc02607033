"""A double of Novita's API for Seedance 1.5 Pro, for the accidents that our own server, which speaks the same contract,
does not have: lost answers, dead links, refusals of every kind, and no word on Idempotency-Key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from support.doubles.loopback import Reply, Seen
from support.doubles.provider import KEY, PaidJob, ProviderDouble, picture_of, size_of
from vivant.request import RATIOS, RESOLUTIONS

SUBMIT: Final = "/v3/async/seedance-v1.5-pro-i2v"
RESULT: Final = "/v3/async/task-result"


class NovitaDouble(ProviderDouble):
    """Takes one key. honours_keys: a repeated Idempotency-Key gets the first task, as from a Vivant."""

    statuses = ("TASK_STATUS_QUEUED", "TASK_STATUS_PROCESSING", "TASK_STATUS_SUCCEED")

    def __init__(self, *, honours_keys: bool = False, names_it: str = "task_id") -> None:
        """names_it: how the answer to a submit names the id; two pages of the provider differ."""
        super().__init__()
        self.honours_keys = honours_keys
        self.names_it = names_it

    def answer(self, seen: Seen) -> Reply:
        if seen.path.startswith("/films/"):
            return self.film(seen)
        key = seen.headers.get("authorization", "")
        if not key:
            return refuse(400, "MISSING_API_KEY", "missing api key")
        if key != f"Bearer {KEY}":
            return refuse(403, "INVALID_API_KEY", f"invalid api key {key}")  # it repeats the key: a trap
        if (seen.method, seen.path) == ("POST", SUBMIT):
            return self._submit(seen)
        if (seen.method, seen.path) == ("GET", RESULT):
            job = self.jobs.get(seen.query.get("task_id", ""))
            if job is None:
                return refuse(404, "TASK_NOT_FOUND", "task not found")
            self.on("look")
            return Reply(data=self._show(job, job.go_on()))
        return refuse(404, "API_NOT_FOUND", "no such api")

    def _submit(self, seen: Seen) -> Reply:
        body = {name: value for name, value in seen.json.items() if value is not None}
        key = seen.headers.get("idempotency-key", "")
        known = next((job for job in self.jobs.values() if key and job.key == key), None)
        if self.honours_keys and known is not None:
            return Reply(data={self.names_it: known.id}, headers={"Idempotency-Replayed": "true"})
        try:
            first = picture_of(body["image"])
            last = picture_of(body["last_image"]) if "last_image" in body else None
            right = (
                body["prompt"].strip()
                and body["resolution"] in RESOLUTIONS
                and body["ratio"] in RATIOS
                and body["duration"] in range(4, 13)
                and body["fps"] == 24
                and body["seed"] in range(-1, 2**32)
                and all(type(body[name]) is bool for name in ("camera_fixed", "watermark", "generate_audio"))
            )
        except (KeyError, TypeError, ValueError):
            right = False
        if not right:
            return refuse(400, "INVALID_REQUEST_BODY", "the request body is invalid")
        size = size_of(body["resolution"], body["ratio"], first)

        def accept() -> PaidJob:
            job = self.accept(body, first, last, size=size)
            job.key = key
            return job

        return self.submit(accept, lambda job: Reply(data={self.names_it: job.id}))

    def _show(self, job: PaidJob, status: str) -> dict[str, Any]:
        done = status == "TASK_STATUS_SUCCEED"
        failed = status == "TASK_STATUS_FAILED"
        made = str(int(job.made * 1000))
        return {
            "extra": {
                "seed": str(job.asked["seed"]),
                "enable_nsfw_detection": False,
                "debug_info": {
                    "request_info": "",
                    "submit_time_ms": made,
                    "execute_time_ms": made if done else "",
                    "complete_time_ms": str(int(job.made * 1000) + 1500) if done else "",
                },
            },
            "task": {
                "task_id": job.id,
                "status": status,
                "reason": "the prompt may contain sensitive content" if failed else "",
                "task_type": "IMG_TO_VIDEO",
                "eta": 0,
                "progress_percent": 0 if done else 40,
            },
            "images": [],
            "videos": [{"video_url": self.new_link(job), "video_url_ttl": "3600", "video_type": "mp4"}] if done else [],
            "audios": [],
        }


def refuse(status: int, reason: str, message: str, headers: dict[str, str] | None = None) -> Reply:
    """Novita's flat error body."""
    body = {"code": status, "reason": reason, "message": message, "metadata": {}}
    return Reply(status, body, headers=headers or {})


def options_for(double: NovitaDouble, **more: Any) -> dict[str, Any]:
    """Options of the engine that lead to the double and do not wait long."""
    return {"url": double.url, "api_key": KEY, "poll": 0.05, "settle": 0.5, **more}


@contextmanager
def behind() -> Iterator[Mapping[str, Any]]:
    """For the tests of all engines."""
    with NovitaDouble() as double:
        double.after = ("TASK_STATUS_PROCESSING", "TASK_STATUS_SUCCEED")
        yield options_for(double, pin="fade")
