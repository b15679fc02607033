"""What every handler is given: the service, and what each dialect needs to know of a request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request

from vivant.api.forwarding import HOST
from vivant.api.limits import MAX_BODY_BYTES
from vivant.api.parsing import Parsing
from vivant.errors import Busy, TaskNotFound, UnknownKey
from vivant.intake.pictures import Intake
from vivant.service import Service
from vivant.settings import Settings
from vivant.task import Task

TASK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(slots=True)
class Context:
    """`draining` is set while the service goes down: requests are still answered, but no task is accepted."""

    service: Service
    max_body_bytes: int = MAX_BODY_BYTES
    draining: bool = False
    parsing: Parsing = field(init=False)

    def __post_init__(self) -> None:
        self.parsing = Parsing(within=self.service.timings.parse_within)

    @property
    def settings(self) -> Settings:
        return self.service.settings

    @property
    def intake(self) -> Intake:
        return self.service.intake

    async def authenticate(self, request: Request) -> str:
        """The id of the caller's key, "" in open mode. Raises MissingKey or UnknownKey."""
        given = request.headers.getlist("authorization")
        if len(given) > 1:  # proxies and servers disagree on which one counts
            raise UnknownKey("Several Authorization headers were sent; send one.")
        return await self.service.authenticate(given[0] if given else None)

    async def find_task(self, task_id: str, *, key_id: str) -> Task:
        """The caller's task. Raises TaskNotFound, also for text that is no id, which is not sent to the database."""
        if not TASK_ID.fullmatch(task_id):
            raise TaskNotFound
        return await self.service.get_task(task_id, key_id=key_id)

    def check_accepting_tasks(self) -> None:
        """Raise Busy while the service stops."""
        if self.draining:
            raise Busy("The service is going down; send this request again shortly.", retry_after=10)

    def absolute_url(self, request: Request, path: str) -> str:
        """The URL of `path` for this caller: under public_url if set, else under the request's own host."""
        if self.settings.public_url:
            return self.settings.public_url.rstrip("/") + path
        host = request.headers.get("host", "")
        if not HOST.fullmatch(host):  # it goes into links, so it must be a host and nothing else
            address, port = request.scope.get("server") or ("localhost", None)
            host = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return f"{request.scope['scheme']}://{host}{path}"
