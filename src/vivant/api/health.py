"""For monitoring: whether the process runs (`/healthz`), and whether it can make clips (`/readyz`). Needs no key."""

from __future__ import annotations

import asyncio
import math
from importlib.metadata import version

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vivant.api.context import Context
from vivant.api.responses import json_response
from vivant.errors import VivantError

log = structlog.get_logger(__name__)


def routes(context: Context) -> list[Route]:
    alive = {"status": "ok", "version": version("vivant")}
    readiness = Readiness(context)

    async def healthz(request: Request) -> Response:
        return json_response(alive)

    async def readyz(request: Request) -> Response:
        checks = await readiness.checks()
        ready = all(checks.values())
        return json_response({"ready": ready, "checks": checks}, status=200 if ready else 503)

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]


class Readiness:
    """Checks what a clip needs: the database, the storage, and a worker with its engine loaded."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: dict[str, bool] = {}
        self._checked_at = -math.inf
        self._checking = asyncio.Lock()
        self._clock, self._timings = context.service.clock, context.service.timings

    async def checks(self) -> dict[str, bool]:
        """What was found, at most `readiness_cached_for` seconds ago, and whether tasks are accepted."""
        async with self._checking:
            if self._clock.monotonic() - self._checked_at >= self._timings.readiness_cached_for:
                self._found = {"database": await self._database(), "storage": await self._storage()}
                self._checked_at = self._clock.monotonic()
        workers = self._context.service.health()["workers"]
        return {**self._found, "worker": workers["ready"] > 0, "taking_work": not self._context.draining}

    async def _database(self) -> bool:
        try:
            async with asyncio.timeout(self._timings.readiness_within):
                await self._context.service.list_tasks(key_id="", limit=1)
        except (VivantError, TimeoutError) as error:
            log.error("the database does not answer", error=str(error))
            return False
        return True

    async def _storage(self) -> bool:
        try:
            async with asyncio.timeout(self._timings.readiness_within):
                await self._context.service.check_storage()
        except (VivantError, TimeoutError) as error:
            log.error("the storage does not answer", error=str(error))
            return False
        return True
