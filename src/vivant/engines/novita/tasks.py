"""Novita's tasks: submit, look, and the film's link. Novita has no list and no cancel, and documents no way to repeat a
submit; a Vivant honours `Idempotency-Key`. docs/api.md names the sources."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vivant.engines.generated.answers import clean, take
from vivant.engines.generated.connections import Check
from vivant.engines.generated.contract_orders import cheapest_order, size_of
from vivant.engines.generated.order import Order
from vivant.engines.generated.paid import CannotTell, Mark
from vivant.engines.generated.picture_files import to_data_uri, to_png
from vivant.engines.generated.remote import JobState, JobStatus
from vivant.engines.generated.server import Server
from vivant.engines.generated.server_errors import ServerRefused, UnusableAnswer
from vivant.errors import EngineFailed
from vivant.request import FPS

SUBMIT: Final = "/v3/async/seedance-v1.5-pro-i2v"
RESULT: Final = "/v3/async/task-result"
KEY_LIVES: Final = 22 * 3600.0  # seconds in which a Vivant surely knows an Idempotency-Key; it keeps them for a day
LINK_DEAD: Final = "The film's link is dead, and the provider gives no other one. The clip is paid for."
_STATUSES: Final = {
    "TASK_STATUS_QUEUED": JobStatus.QUEUED,
    "TASK_STATUS_PROCESSING": JobStatus.RUNNING,
    "TASK_STATUS_SUCCEED": JobStatus.DONE,
    "TASK_STATUS_FAILED": JobStatus.FAILED,
}
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,200}")


class NovitaTasks:
    """Implements `Provider`. options: the engine's."""

    def __init__(self, calls: Server, options: Mapping[str, Any]) -> None:
        self.server = calls.url
        self._calls = calls
        self._options = options

    def reach(self, check: Check) -> Mapping[str, Any]:
        try:
            self._calls.get_json(RESULT, check=check, params={"task_id": "none"})
        except ServerRefused as error:
            problem = _with_reason(error)
            if error.status in (401, 402, 403) or "API_KEY" in problem.message:
                raise ServerRefused(403, problem.message, error.answer) from error
            if error.status not in (400, 404):  # of a task that is not there, which is what is asked for
                raise problem from error
        return {"provider": "Novita", "model": "seedance-v1.5-pro-i2v"}

    def probe_order(self) -> Order:
        return cheapest_order()

    def submit(self, order: Order, reference: str, check: Check) -> str:
        try:
            answer = self._calls.post_json(
                SUBMIT, self._write(order), check=check, seconds=120.0, headers={"Idempotency-Key": reference}
            )
        except ServerRefused as error:
            raise _with_reason(error) from error
        job = take(answer, "task_id", str, "") or take(answer, "id", str)
        if not _ID.fullmatch(job):
            raise UnusableAnswer("The id that Novita gave the task is none.")
        return job

    def seek(self, order: Order, mark: Mark, check: Check) -> str | None:
        """Repeats the submit where the server gives the first one's answer to that; the job is then there for certain,
        whether or not the first submit had arrived."""
        if not (self._options["idempotent"] and mark.same and time.time() - mark.since < KEY_LIVES):
            raise CannotTell("Novita has no list of tasks.")
        try:
            return self.submit(order, mark.reference, check)
        except ServerRefused as error:
            if error.status == 422:  # the key belongs to another order
                raise CannotTell(str(error)) from error
            raise

    def look(self, job: str, check: Check) -> JobState:
        answer = self._get(job, check)
        task = take(answer, "task", dict)
        # A word that is new is taken for work under way: the job is paid for, and its time is limited here.
        status = _STATUSES.get(take(task, "status", str), JobStatus.RUNNING)
        if status is JobStatus.FAILED:
            reason = task.get("reason")
            return JobState(status=status, reason=clean(reason) if isinstance(reason, str) else "")
        if status is JobStatus.DONE:
            return JobState(status=status, facts=_facts(answer))
        percent = task.get("progress_percent")
        if not isinstance(percent, int | float) or not 0 <= percent <= 100:
            return JobState(status=status)
        return JobState(status=status, progress=percent / 100)

    def cancel(self, job: str, check: Check) -> None:
        """Novita has no such call: what was ordered is made, and paid for."""

    def fetch(self, job: str, target: Path, check: Check) -> Mapping[str, Any]:
        for attempt in range(2):
            videos = take(self._get(job, check), "videos", list)
            if not videos:
                raise UnusableAnswer("The provider's answer for a finished task has no video.")
            link = take(videos[0], "video_url", str)
            try:
                self._calls.download(link, target, check=check)
                return {}
            except ServerRefused as error:
                if error.status not in (403, 404, 410):
                    raise
                if attempt:
                    raise EngineFailed(LINK_DEAD) from error
        raise AssertionError("unreachable")

    def _get(self, job: str, check: Check) -> dict[str, Any]:
        answer = self._calls.get_json(RESULT, check=check, params={"task_id": job})
        if not isinstance(answer, dict):
            raise UnusableAnswer("The provider's answer for a task is no object.")
        return answer

    def _write(self, order: Order) -> dict[str, Any]:
        """The body of a submit. Raises EngineFailed for a canvas that the contract does not have."""
        resolution, ratio = size_of(order)
        body: dict[str, Any] = {
            "prompt": order.prompt,
            "image": to_data_uri(to_png(order.first)),
            "resolution": resolution,
            "ratio": ratio,
            "duration": order.seconds,
            "fps": FPS,
            "seed": order.seed,
            "camera_fixed": order.camera_fixed,
            "watermark": False,  # the mark of this service is drawn here
            "generate_audio": order.audio,
            "service_tier": self._options["service_tier"],
        }
        if order.last is not None:
            body["last_image"] = to_data_uri(to_png(order.last))
        return body


def _facts(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a finished task tells. Anything odd about it is left out: the film is worth more."""
    extra = answer.get("extra")
    times = extra.get("debug_info") if isinstance(extra, dict) else None
    if not isinstance(times, dict):
        return {}
    begun, done = (_milliseconds(times.get(f"{name}_time_ms")) for name in ("execute", "complete"))
    return {"provider_seconds": round((done - begun) / 1000, 3)} if 0 < begun <= done else {}


def _milliseconds(value: object) -> int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16 else 0


def _with_reason(error: ServerRefused) -> ServerRefused:
    """With Novita's reason, by which its documentation is searched."""
    reason = error.answer.get("reason") if isinstance(error.answer, dict) else None
    if not isinstance(reason, str) or not reason or reason in error.message:
        return error
    return ServerRefused(
        error.status, clean(f"{error.message} ({reason})"), error.answer, retry_after=error.retry_after
    )


def make_tasks(options: Mapping[str, Any]) -> NovitaTasks:
    """The account that the options lead to."""
    return NovitaTasks(Server(options["url"], key=options["api_key"]), options)
