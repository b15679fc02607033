"""For watchmen: is the process alive (`/healthz`), and can it do work (`/readyz`). Neither needs a key."""

from __future__ import annotations

import asyncio
import time
from importlib.metadata import version
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vivant.api.context import Context
from vivant.api.responses import json_response
from vivant.errors import VivantError
from vivant.storage.artifacts import Artifacts

log = structlog.get_logger(__name__)

KEPT_SECONDS: Final = 5.0  # a finding is repeated for so long: anybody may ask, and one check writes a file
PATIENCE: Final = 3.0  # seconds until a part that does not answer counts as broken


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
    """What can be used now: the database, the file store, a worker with its engine loaded."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._artifacts: Artifacts | None = None
        self._found: dict[str, bool] = {}
        self._at = -KEPT_SECONDS
        self._one = asyncio.Lock()

    async def checks(self) -> dict[str, bool]:
        """The three findings, at most KEPT_SECONDS old, and whether work is taken at all."""
        async with self._one:
            if time.monotonic() - self._at >= KEPT_SECONDS:
                self._found = {"database": await self._database(), "storage": await self._storage()}
                self._at = time.monotonic()
        workers = self._context.service.health()["workers"]
        return {**self._found, "worker": workers["ready"] > 0, "taking_work": not self._context.draining}

    async def _database(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._context.service.tasks(key_id="", limit=1)
        except (VivantError, TimeoutError) as error:
            log.error("the database does not answer", error=str(error))
            return False
        return True

    async def _storage(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.to_thread(self._write_and_delete)
        except (VivantError, TimeoutError) as error:
            log.error("the file store does not answer", error=str(error))
            return False
        return True

    def _write_and_delete(self) -> None:
        if self._artifacts is None:
            self._artifacts = Artifacts(self._context.settings.storage)
        self._artifacts.check()
