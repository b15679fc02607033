"""Ark's tasks: submit, list, look, delete, and the film's link. docs/engines/ark.md names the sources."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from vivant.engines.ark.orders import is_of, write_order
from vivant.engines.generated.answers import clean, take
from vivant.engines.generated.connections import Check
from vivant.engines.generated.contract_orders import cheapest_order
from vivant.engines.generated.order import Order
from vivant.engines.generated.paid import CannotTell, Mark
from vivant.engines.generated.remote import JobState, JobStatus
from vivant.engines.generated.server import Server
from vivant.engines.generated.server_errors import ServerRefused, UnusableAnswer
from vivant.errors import EngineFailed

PATH: Final = "/contents/generations/tasks"
PAGE: Final = 100  # tasks of a list that are asked for at a time
PAGES: Final = 20
SKEW: Final = 3600.0  # seconds that Ark's clock and ours may differ
LINK_DEAD: Final = (
    "The film's link is dead: Ark keeps films for 24 hours. It is paid for; the task's record there may still show it."
)
_STATUSES: Final = {
    "queued": JobStatus.QUEUED,
    "running": JobStatus.RUNNING,
    "succeeded": JobStatus.DONE,
    "failed": JobStatus.FAILED,
    "expired": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
    "canceled": JobStatus.CANCELLED,
}
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,200}")


class ArkTasks:
    """Implements `Provider`. options: the engine's."""

    def __init__(self, calls: Server, options: Mapping[str, Any]) -> None:
        self.server = calls.url
        self._calls = calls
        self._options = options

    def reach(self, check: Check) -> Mapping[str, Any]:
        self._list(1, 1, check)  # costs nothing, and refuses a wrong key
        return {"provider": "Ark", "model": self._options["model"]}

    def probe_order(self) -> Order:
        return cheapest_order()

    def submit(self, order: Order, reference: str, check: Check) -> str:
        body = write_order(order, reference, self._options)
        try:
            answer = self._calls.post_json(PATH, body, check=check, seconds=120.0)
        except ServerRefused as error:
            raise _with_code(error) from error
        return _check_id(take(answer, "id", str))

    def seek(self, order: Order, mark: Mark, check: Check) -> str | None:
        since = min(mark.since, time.time()) - SKEW  # our clock may have been set back
        for page in range(1, PAGES + 1):
            tasks = self._list(page, PAGE, check)
            for task in tasks:
                if _made_at(task) >= since:
                    if is_of(task, order, mark.reference):
                        return _check_id(take(task, "id", str))
                    if not isinstance(task.get("execution_expires_after"), int):
                        raise CannotTell("Ark's list does not show what tasks are told apart by.")
            times = [_made_at(task) for task in tasks]
            # The newest come first, as far as was seen; a list in another order is read to its end.
            newest_first = times == sorted(times, reverse=True) and len(times) > 1 and times[0] > times[-1]
            if len(tasks) < PAGE or (newest_first and times[0] < since):
                return None
        raise CannotTell("Ark's list is too long to be searched.")

    def look(self, job: str, check: Check) -> JobState:
        task = self._get(job, check)
        status = take(task, "status", str)
        # A word that is new is taken for work under way: the job is paid for, and its time is limited here.
        state = _STATUSES.get(status, JobStatus.RUNNING)
        if state is JobStatus.FAILED:
            return JobState(status=state, reason=_failure(task, status))
        facts = _facts(task) if state is JobStatus.DONE else {}
        return JobState(status=state, facts=facts)

    def cancel(self, job: str, check: Check) -> None:
        """Deletes a queued task. A running one cannot be ended, and of a finished one it would delete the record."""
        if take(self._get(job, check), "status", str) == "queued":
            self._calls.delete(f"{PATH}/{quote(job, safe='')}", check=check)

    def fetch(self, job: str, target: Path, check: Check) -> Mapping[str, Any]:
        for attempt in range(2):
            content = take(self._get(job, check), "content", dict)
            link = take(content, "video_url", str)
            try:
                self._calls.download(link, target, check=check)
                return {}
            except ServerRefused as error:
                if error.status not in (403, 404, 410):
                    raise
                if attempt:  # not even a link that is new leads to it
                    raise EngineFailed(LINK_DEAD) from error
        raise AssertionError("unreachable")

    def _get(self, job: str, check: Check) -> dict[str, Any]:
        answer = self._calls.get_json(f"{PATH}/{quote(job, safe='')}", check=check)
        if not isinstance(answer, dict):
            raise UnusableAnswer("Ark's answer for a task is no object.")
        return answer

    def _list(self, page: int, size: int, check: Check) -> list[dict[str, Any]]:
        params = {
            "page_num": str(page),
            "page_size": str(size),
            "filter.service_tier": self._options["service_tier"],
        }
        tasks = take(self._calls.get_json(PATH, check=check, params=params), "items", list, [])
        return [task for task in tasks if isinstance(task, dict)]


def _check_id(job: str) -> str:
    if not _ID.fullmatch(job):
        raise UnusableAnswer("The id that Ark gave the task is none.")
    return job


def _facts(task: Mapping[str, Any]) -> dict[str, Any]:
    """What a finished task tells. Anything odd about it is left out: the film is worth more."""
    usage = task.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    facts: dict[str, Any] = {"tokens": tokens} if type(tokens) is int and 0 < tokens < 10**9 else {}
    begun, ended = task.get("created_at"), task.get("updated_at")
    if isinstance(begun, int) and isinstance(ended, int) and 0 <= ended - begun < 10**6:
        facts["provider_seconds"] = ended - begun
    return facts


def _made_at(task: Mapping[str, Any]) -> float:
    """Unix seconds; the present where a task does not say."""
    made = task.get("created_at")
    return float(made) if isinstance(made, int | float) and not isinstance(made, bool) else time.time()


def _failure(task: Mapping[str, Any], status: str) -> str:
    error = task.get("error")
    if not isinstance(error, dict):
        return "it expired at Ark." if status == "expired" else "no reason given."
    return clean(f"{error.get('message') or 'no reason given'} ({error.get('code') or status})")


def _with_code(error: ServerRefused) -> ServerRefused:
    """With Ark's code, by which its documentation is searched."""
    said = error.answer.get("error") if isinstance(error.answer, dict) else None
    code = said.get("code") if isinstance(said, dict) else None
    if not isinstance(code, str) or not code:
        return error
    return ServerRefused(error.status, clean(f"{error.message} ({code})"), error.answer, retry_after=error.retry_after)


def make_tasks(options: Mapping[str, Any]) -> ArkTasks:
    """The account that the options lead to."""
    return ArkTasks(Server(options["url"], key=options["api_key"]), options)
