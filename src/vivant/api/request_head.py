"""Checks what a request's head may say twice or unclearly, before anything trusts it: Host, Expect, the path."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from vivant.api.http_errors import UnknownExpectation
from vivant.errors import InvalidRequest, VivantError


class RequestHead:
    """ASGI middleware. Refuses a request of HTTP/1.1 without exactly one Host (RFC 9112, 3.2) with 400, and an
    expectation other than 100-continue (RFC 9110, 10.1.1) with 417. Several slashes at the start of a path count as
    one: clients join a base URL that ends in a slash with a path that begins with one.
    """

    def __init__(self, app: ASGIApp, refuse: Callable[[Request, VivantError], Response]) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for name, slash in (("path", "/"), ("raw_path", b"/")):
                if scope[name].startswith(slash * 2):
                    scope[name] = slash + scope[name].lstrip(slash)
            try:
                _check(Headers(scope=scope), scope["http_version"])
            except VivantError as error:
                await self._refuse(Request(scope), error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _check(headers: Headers, version: str) -> None:
    if version == "1.0":  # it has neither
        return
    hosts = len(headers.getlist("host"))
    if hosts != 1:
        raise InvalidRequest(f"A request must have exactly one Host header; this one has {hosts}.")
    for expectation in ",".join(headers.getlist("expect")).split(","):
        if expectation.strip().lower() not in ("", "100-continue"):
            raise UnknownExpectation(f"Expect may only be 100-continue; got {expectation.strip()[:60]!r}.")
