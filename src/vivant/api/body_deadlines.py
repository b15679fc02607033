"""How fast a body must come: never idle for long, at a least rate on average, and whole within a limit.

Only the time in which the application waits for the body counts: while it does something else, the sender is held up by
us.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivant.api.http_errors import BodyTooSlow
from vivant.timings import Timings

LEAST_RATE: Final = 16 * 1024  # bytes a second on average, once the grace is over


class BodyDeadlines:
    """ASGI middleware: `receive` raises BodyTooSlow when the body does not come as `body_idle_for`, `body_grace` and
    `body_within` say.
    """

    def __init__(self, app: ASGIApp, timings: Timings) -> None:
        self._app = app
        self._timings = timings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        timings = self._timings
        clock = asyncio.get_running_loop().time
        waited, received, more = 0.0, 0, True

        async def receive_in_time() -> Message:
            nonlocal waited, received, more
            if not more:
                return await receive()  # waits for the client to go away
            by_rate = timings.body_grace + received / LEAST_RATE - waited
            within = timings.body_within - waited
            allowed = min(timings.body_idle_for, by_rate, within)
            start = clock()
            try:
                async with asyncio.timeout(allowed) as deadline:
                    message = await receive()
            except TimeoutError:
                if not deadline.expired():
                    raise
                waited += clock() - start
                # By the limit that was reached, not by the time that passed: a timer may go off a little early.
                if allowed == within:
                    told = f"The body was not whole within {timings.body_within:g} s."
                elif allowed == by_rate:
                    told = _tell_rate(timings, waited, received)
                else:
                    told = f"No byte of the body arrived for {timings.body_idle_for:g} s."
                raise BodyTooSlow(told) from None
            waited += clock() - start
            received += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time, send)


def _tell_rate(timings: Timings, waited: float, received: int) -> str:
    return (
        f"The body came too slowly: {received} bytes in {waited:.0f} s. After {timings.body_grace:g} s it must "
        f"come at {LEAST_RATE // 1024} KiB/s on average."
    )
