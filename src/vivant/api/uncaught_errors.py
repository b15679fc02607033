"""The last place where an error becomes an answer: what is wrong in a middleware, and requests that the stop cuts off.

Without it the caller would get the text/plain of the HTTP server, in the form of no API and without a request id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivant.errors import Stopped


class UncaughtErrors:
    """ASGI middleware: answers with what `respond` makes of an error if no answer has begun, and raises it again, so
    that the HTTP server logs it and closes the connection. A cancelled request is one that the service no longer waits
    for while it stops: 503.
    """

    def __init__(self, app: ASGIApp, respond: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except (Exception, asyncio.CancelledError) as error:
            if not begun:
                shown = error if isinstance(error, Exception) else Stopped("The service stops; try again later.")
                response = self._respond(Request(scope), shown)
                response.headers["Connection"] = "close"
                await response(scope, receive, send)
            raise
