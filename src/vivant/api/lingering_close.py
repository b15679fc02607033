"""An answer given before the body was read must still reach its caller.

A client that is busy sending 80 MB does not listen. If the connection closes under it, it reports a broken pipe and
never sees the 503 or 413 that was meant for it. So what is still coming is taken in and dropped first, within bounds.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DROP_BYTES: Final = 256 * 2**20  # more than this is nobody's honest mistake
DROP_SECONDS: Final = 60.0  # in all
IDLE_SECONDS: Final = 2.0  # without a byte: then the client is not sending, and may be listening


class LingeringClose:
    """ASGI middleware: drops the rest of a body before the answer begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
                async with asyncio.timeout(IDLE_SECONDS):
                    dropped += len((await receive_and_note()).get("body", b""))

        async def send_when_quiet(message: Message) -> None:
            if more and message["type"] == "http.response.start":
                with suppress(TimeoutError):  # then it had its time
                    async with asyncio.timeout(DROP_SECONDS):
                        await drop()
            await send(message)

        await self._app(scope, receive_and_note, send_when_quiet)


def _has_droppable_body(headers: Headers) -> bool:
    """False where there is no body, where it is hopelessly large, and where the client waits to be asked for it."""
    if headers.get("expect", "").lower() == "100-continue":
        return False
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit():
        return 0 < int(length) <= DROP_BYTES
    return "transfer-encoding" in headers
