"""Believes what trusted proxies say of the callers they speak for: their address, and the scheme and host they used.

Only the part of a header that a trusted proxy wrote counts (the rightmost address that is not a trusted proxy is the
caller): everything to the left of it came with the request, and a caller can write there what it likes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from vivant.settings import Network

HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_WITH_PORT: Final = re.compile(r"(?P<v4>[0-9.]+)(?::\d+)?|\[(?P<v6>[0-9A-Fa-f:.]+)\](?::\d+)?")

log = structlog.get_logger(__name__)


class TrustedProxies:
    """The addresses whose word is taken."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = networks

    def trusts(self, address: str) -> bool:
        """Whether this numeric address belongs to a trusted proxy."""
        found = _parse_address(address)
        return found is not None and any(found in network for network in self._networks)


@dataclass(frozen=True, slots=True)
class Hop:
    """What one proxy says of who called it; empty where it says nothing."""

    address: str
    scheme: str
    host: str


class Forwarding:
    """ASGI middleware: for requests from trusted proxies, `client`, `scheme` and the Host header become the caller's.

    `links_are_set` says that links in answers do not depend on them (VIVANT_PUBLIC_URL); if not, a proxy that is not
    trusted and says `https` is reported once in the log.
    """

    def __init__(self, app: ASGIApp, proxies: TrustedProxies, *, links_are_set: bool) -> None:
        self._app = app
        self._proxies = proxies
        self._reported = links_are_set

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            peer = scope["client"][0] if scope.get("client") else ""
            if self._proxies.trusts(peer):
                self._apply(scope, read_hops(Headers(scope=scope)))
            elif not self._reported and any(hop.scheme == "https" for hop in read_hops(Headers(scope=scope))):
                self._reported = True
                log.warning(
                    "a proxy that is not trusted says https; links in answers begin with http",
                    peer=peer,
                    change="set VIVANT_PUBLIC_URL, or VIVANT_TRUSTED_PROXIES to the address of the proxy",
                )
        await self._app(scope, receive, send)

    def _apply(self, scope: Scope, hops: list[Hop]) -> None:
        for hop in reversed(hops):
            if hop.address:
                scope["client"] = (hop.address, 0)
            if hop.scheme in ("http", "https"):
                scope["scheme"] = hop.scheme
            if HOST.fullmatch(hop.host):
                scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"host"]
                scope["headers"].append((b"host", hop.host.encode()))
            if not self._proxies.trusts(hop.address):
                return


def read_hops(headers: Headers) -> list[Hop]:
    """What proxies say, the last one last, by RFC 7239 and by the older headers, matched from the right.

    A proxy writes one of the two kinds and often passes the other one on as its caller sent it. Which is which cannot
    be seen; so where the two contradict each other, neither counts.
    """
    kinds = _read_forwarded(headers), _read_older(headers)
    count = max(map(len, kinds))
    newer, older = ([Hop("", "", "")] * (count - len(hops)) + hops for hops in kinds)
    return [
        Hop(_agree(a.address, b.address), _agree(a.scheme, b.scheme), _agree(a.host, b.host))
        for a, b in zip(newer, older, strict=True)
    ]


def _agree(one: str, other: str) -> str:
    return (one or other) if not (one and other) or one.lower() == other.lower() else ""


def _read_forwarded(headers: Headers) -> list[Hop]:
    forwarded = ",".join(headers.getlist("forwarded"))
    return [_read_element(element) for element in _split(forwarded, ",")] if forwarded.strip() else []


def _read_older(headers: Headers) -> list[Hop]:
    """The older headers are lists, to which some proxies append and which others replace."""
    addresses, schemes, hosts = (
        [part.strip() for part in ",".join(headers.getlist(name)).split(",") if part.strip()]
        for name in ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
    )
    addresses = addresses or [part for part in headers.getlist("x-real-ip") if part.strip()]
    count = max(len(addresses), len(schemes), len(hosts))
    columns = [[""] * (count - len(column)) + column for column in (addresses, schemes, hosts)]
    return [Hop(_strip_port(address), scheme.lower(), host) for address, scheme, host in zip(*columns, strict=True)]


def _read_element(text: str) -> Hop:
    pairs = [pair.partition("=") for pair in _split(text, ";")]
    values = {name.strip().lower(): _unquote(value.strip()) for name, _, value in pairs}
    return Hop(_strip_port(values.get("for", "")), values.get("proto", "").lower(), values.get("host", ""))


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators; those inside quoted strings are none."""
    parts, start, quoted, escaped = [], 0, False, False
    for at, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _unquote(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if len(value) > 1 and value[0] == value[-1] == '"' else value


def _strip_port(text: str) -> str:
    match = _WITH_PORT.fullmatch(text.strip())
    return (match["v4"] or match["v6"]) if match else text.strip()


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
