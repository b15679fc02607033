"""What every handler is given: the wired parts, and the two questions each dialect asks of a request."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from vivant.errors import Busy
from vivant.intake.pictures import Intake
from vivant.service import Service
from vivant.settings import Settings


@dataclass(slots=True)
class Context:
    """The parts behind the door. `draining` is set while the service goes down: it still answers, but takes no work."""

    service: Service
    intake: Intake
    settings: Settings
    draining: bool = False

    async def caller(self, request: Request) -> str:
        """Whose request this is: a key's id, "" in open mode. Raises MissingKey or UnknownKey."""
        return await self.service.authenticate(request.headers.get("authorization"))

    def check_taking_work(self) -> None:
        """Raise Busy when the service is going down."""
        if self.draining:
            raise Busy("The service is going down; send this request again shortly.", retry_after=10)

    def absolute(self, request: Request, path: str) -> str:
        """The address at which the caller reaches `path`: under public_url, else where this request came in."""
        return (self.settings.public_url or str(request.base_url)).rstrip("/") + path
