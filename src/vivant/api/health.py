"""For monitoring: whether the process runs (`/healthz`), and whether it can make clips (`/readyz`). Needs no key."""

from __future__ import annotations

import asyncio
import math
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vivant.api.context import Context
from vivant.api.responses import json_response


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
    """What a clip needs, found out at most once in `readiness_cached_for` seconds however often anybody asks."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: dict[str, bool] = {}
        self._checked_at = -math.inf
        self._checking = asyncio.Lock()
        self._clock, self._timings = context.service.clock, context.service.timings

    async def checks(self) -> dict[str, bool]:
        """What was found lately, whether a worker is ready now, and whether tasks are accepted."""
        async with self._checking:
            if self._clock.monotonic() - self._checked_at >= self._timings.readiness_cached_for:
                self._found = await self._context.service.check()
                self._checked_at = self._clock.monotonic()
        worker = self._context.service.worker_is_ready
        return {**self._found, "worker": worker, "taking_work": not self._context.draining}
