"""Lets a response that is sent before the whole body was read still reach the client ("lingering close" in nginx).

A client that is sending 80 MB does not read. If the server closes the connection, the client reports a broken pipe and
never sees the 503 or 413. So the rest of the body is read and discarded first, within limits.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivant.timings import Timings

DROP_BYTES: Final = 256 * 2**20  # at most, per request


class LingeringClose:
    """ASGI middleware: discards the rest of a body before the response begins."""

    def __init__(self, app: ASGIApp, timings: Timings) -> None:
        self._app = app
        self._timings = timings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_droppable_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        more = True

        async def receive_and_note() -> Message:
            nonlocal more
            message = await receive()
            more = message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def drop() -> None:
            dropped = 0
            while more and dropped < DROP_BYTES:
                async with asyncio.timeout(self._timings.linger_idle_for):
                    dropped += len((await receive_and_note()).get("body", b""))

        async def send_when_quiet(message: Message) -> None:
            if more and message["type"] == "http.response.start":
                with suppress(TimeoutError):  # answer anyway
                    async with asyncio.timeout(self._timings.linger_within):
                        await drop()
            await send(message)

        await self._app(scope, receive_and_note, send_when_quiet)


def _has_droppable_body(headers: Headers) -> bool:
    """False without a body, for one larger than DROP_BYTES, and for a client that waits for 100-continue."""
    if headers.get("expect", "").lower() == "100-continue":
        return False
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit():
        return 0 < int(length) <= DROP_BYTES
    return "transfer-encoding" in headers
