"""Gives each request an id: the caller's X-Request-Id if it is well formed, else a new one. It is sent back in that
header and written in every log line of the request.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def choose_request_id(scope: Scope) -> str:
    """The id that the request has already, or the caller's, or a new one."""
    known: str = scope.get("state", {}).get("request_id", "")
    given = Headers(scope=scope).get("x-request-id", "")
    return known or (given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(16))


def complete_headers(headers: MutableHeaders, request_id: str) -> None:
    """Add what every response carries."""
    headers["X-Request-Id"] = request_id
    headers["X-Content-Type-Options"] = "nosniff"


class RequestIds:
    """ASGI middleware; the outermost, so that every response has an id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = choose_request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                complete_headers(MutableHeaders(scope=message), request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            await self._app(scope, receive, send_with_id)
