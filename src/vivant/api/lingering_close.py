"""Lets a response that is sent before the whole body was read still reach the client ("lingering close" in nginx).

A client that is sending 80 MB does not read. If the server closed the connection, the client would report a broken pipe
and never see the 503 or 413. So the response goes out at once, the rest of the body is read and forgotten within
limits, and then the connection closes. A short rest is read first, so that the connection can be used again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivant.timings import Timings

SHORT_BYTES: Final = 64 * 1024  # as much as the server buffers anyway
DROP_BYTES: Final = 256 * 2**20  # at most, per request


class LingeringClose:
    """ASGI middleware: discards what nobody reads of a body."""

    def __init__(self, app: ASGIApp, timings: Timings) -> None:
        self._app = app
        self._timings = timings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        length = headers.get("content-length", "0").lstrip("0")
        if not length and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        rest = _Rest(receive, told_to_send="expect" not in headers)
        short = length.isdigit() and int(length) <= SHORT_BYTES

        async def send_and_linger(message: Message) -> None:
            if message["type"] == "http.response.start":
                if short:
                    await rest.discard(within=self._timings.linger_idle_for, idle_for=self._timings.linger_idle_for)
                if rest.more:
                    MutableHeaders(scope=message)["Connection"] = "close"
            elif rest.more and not message.get("more_body", False):
                await send({**message, "more_body": True})  # all of it: it has a Content-Length
                await rest.discard(within=self._timings.linger_within, idle_for=self._timings.linger_idle_for)
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, rest.receive, send_and_linger)


class _Rest:
    """What has not been received of a body. A client that waits for 100-continue is told to send by the first receive;
    if nobody does that, nothing will come.
    """

    def __init__(self, receive: Receive, *, told_to_send: bool) -> None:
        self._receive = receive
        self._told_to_send = told_to_send
        self.more = True

    async def receive(self) -> Message:
        self._told_to_send = True
        message = await self._receive()
        self.more = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def discard(self, *, within: float, idle_for: float) -> None:
        """Read on until the end, or DROP_BYTES, or one of the times in seconds has passed."""
        dropped = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._told_to_send and self.more and dropped < DROP_BYTES:
                    async with asyncio.timeout(idle_for):
                        dropped += len((await self.receive()).get("body", b""))
