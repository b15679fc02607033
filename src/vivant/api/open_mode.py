"""The guard of open mode: while no API key exists, only programs on this machine may call.

Binding to loopback is not enough. A web page in a browser on this machine can reach loopback by a host name of its own
that resolves to 127.0.0.1 (DNS rebinding, seen in the Host header) or by a cross-site request (seen in Origin or
Sec-Fetch-Site), and a proxy on this machine can forward requests from elsewhere (seen in forwarding headers). Once a
key exists every request needs one, and this guard does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from vivant.api.context import Context
from vivant.api.http_errors import NotThisMachine
from vivant.errors import VivantError

_FOR = re.compile(r'for="?\[?([^];,"]*)', re.IGNORECASE)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_EXEMPT = frozenset({"/healthz"})  # it reveals nothing, and probes send odd Host headers


class OpenModeGuard:
    """ASGI middleware: in open mode, refuses requests that do not come from this machine."""

    def __init__(
        self, app: ASGIApp, *, context: Context, refuse: Callable[[Request, VivantError], Response]
    ) -> None:  # fmt: skip
        self._app = app
        self._context = context
        self._refuse = refuse
        public = _host(context.settings.public_url)
        self._names = frozenset({"localhost"} | ({public} if public else set()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _EXEMPT and await self._context.service.is_open():
            try:
                self._check(scope)
            except NotThisMachine as error:
                await self._refuse(Request(scope), error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        client = scope.get("client")
        if client is None or not is_loopback(client[0]):
            raise NotThisMachine(
                "No API key exists yet, so only this machine may call. Make one: vivant keys create NAME"
            )
        if not all(is_loopback(hop) for hop in _forwarded_for(headers)):
            raise NotThisMachine(
                "No API key exists yet, and this request was forwarded for another machine. "
                "Make a key: vivant keys create NAME"
            )
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._names_this_machine("//" + hosts[0]):
            raise NotThisMachine(
                "No API key exists yet, and this Host header does not name this machine. Use localhost or 127.0.0.1, "
                "set VIVANT_PUBLIC_URL, or make a key: vivant keys create NAME"
            )
        if scope["method"] not in _SAFE:
            origin = headers.get("origin")
            foreign = origin is not None and not self._names_this_machine(origin)
            if foreign or headers.get("sec-fetch-site") == "cross-site":
                raise NotThisMachine("No API key exists yet, and this request comes from a page of another site.")

    def _names_this_machine(self, url: str) -> bool:
        host = _host(url)
        return host is not None and (host in self._names or is_loopback(host))


def _forwarded_for(headers: Headers) -> list[str]:
    """The client addresses that proxies report, by RFC 7239 or the older headers."""
    lists = [*headers.getlist("x-forwarded-for"), *headers.getlist("x-real-ip")]
    hops = [hop.strip() for text in lists for hop in text.split(",")]
    for text in headers.getlist("forwarded"):
        hops += [match[1].strip() for match in _FOR.finditer(text)]
    return [hop for hop in hops if hop]


def _host(url: str) -> str | None:
    """The host in a URL or in `//host:port`, lower case; None when there is none."""
    try:
        split = urlsplit(url)
        _ = split.port
    except ValueError:
        return None
    return None if "@" in split.netloc else split.hostname


def is_loopback(host: str) -> bool:
    """Whether a numeric address is 127.0.0.0/8, ::1 or the former inside IPv6."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
