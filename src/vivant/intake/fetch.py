"""Fetches a picture from a URL that a caller gave; no other module opens outgoing connections.

The guard against requests to internal hosts (SSRF) sits at the socket: aiohttp calls `socket_factory` for every address
it is about to connect to, after name resolution and on every redirect, and gets no socket unless the address is
allowed. Checking the host name first and connecting later would allow DNS to change in between (DNS rebinding).

Returns bytes and checks their number only. What was reached, or why not, goes to the log and not to the caller: error
texts that differ would let a caller map the internal network.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from vivant.errors import Busy, InvalidPicture, Misconfigured, PictureTooManyBytes, PictureUnreachable
from vivant.intake.addresses import Network, is_host_name, is_public, parse_address, parse_network, unwrap_mapped
from vivant.request import PICTURE_BYTES
from vivant.shares import Shares
from vivant.timings import DEFAULT_TIMINGS, Timings

log = structlog.get_logger(__name__)

URL_LENGTH: Final = 8192  # characters; presigned links of the large object stores stay below 2500
REDIRECTS: Final = 3
AT_ONCE: Final = 64  # fetches in flight; slow servers must not use up our sockets
PORTS: Final = frozenset({80, 443})
_CHUNK: Final = 64 * 1024

Resolve = Callable[[str, int], Awaitable[list[str]]]  # host, port -> numeric addresses


class FetchRefused(Exception):
    """Why a URL was not fetched; for the log, never for the caller."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Hosts and networks that may be reached although not public, each at one port or at any (None)."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[Network, int | None], ...] = ()

    @classmethod
    def parse(cls, entries: tuple[str, ...]) -> AllowList:
        """Entries are `host`, `host:port`, an address, `address:port`, `[v6]:port`, or a CIDR network.

        Raises Misconfigured for anything else.
        """
        hosts: set[tuple[str, int | None]] = set()
        networks: list[tuple[Network, int | None]] = []
        for entry in entries:
            name, port = _split_port(entry)
            try:
                networks.append((parse_network(name), port))
            except ValueError:
                if not is_host_name(name):
                    raise Misconfigured(
                        f"VIVANT_EGRESS_ALLOW: {entry!r} is neither a host, host:port, an address nor a CIDR network "
                        "(a network's host bits must be zero, e.g. 10.0.0.0/8)."
                    ) from None
                hosts.add((_canonical(name), port))
        return cls(frozenset(hosts), tuple(networks))

    def allows_host(self, name: str, port: int) -> bool:
        """Whether this host name may be reached at this port, whatever it resolves to."""
        return not self.hosts.isdisjoint({(_canonical(name), port), (_canonical(name), None)})

    def allows_address(self, text: str, port: int) -> bool:
        """Whether this numeric address is in an allowed network at this port."""
        address = unwrap_mapped(parse_address(text))
        return any(address in network and allowed in (port, None) for network, allowed in self.networks)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches pictures. Tests pass their own `resolve` to act as a hostile name server."""

    allow: AllowList
    picture_bytes: Shares
    resolve: Resolve | None = None
    timings: Timings = DEFAULT_TIMINGS
    max_bytes: int = PICTURE_BYTES
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def fetch(self, text: str, *, owner: str, reservations: AsyncExitStack) -> bytearray:
        """The body at an http(s) URL; its bytes count against the owner's share until `reservations` closes.

        Raises InvalidPicture for text that is no such URL, PictureUnreachable, PictureTooManyBytes or Busy.
        """
        if self._slots.locked():
            raise Busy("Too many pictures are being fetched; send this request again shortly.")
        async with self._slots:
            try:
                async with asyncio.timeout(self.timings.fetch_within):
                    return await self._follow(_parse(text), owner, reservations)
            except (FetchRefused, aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
                log.info("picture not fetched", why=f"{type(error).__name__}: {error}"[:300])
                raise PictureUnreachable(
                    "the picture could not be fetched. Its address must be public, on port 80 or 443, and "
                    f"answer 200 with the picture within {self.timings.fetch_within:g} s, over at most {REDIRECTS} "
                    "redirects that never lead from https to http."
                ) from None

    async def _follow(self, url: URL, owner: str, reservations: AsyncExitStack) -> bytearray:
        for _ in range(REDIRECTS + 1):
            outcome = await self._hop(url, owner, reservations)
            if not isinstance(outcome, URL):
                return outcome
            url = outcome
        raise FetchRefused("too many redirects")

    async def _hop(self, url: URL, owner: str, reservations: AsyncExitStack) -> bytearray | URL:
        """One request: the body, or the URL of the redirect."""
        connector = await self._connector(url)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(
                    total=self.timings.fetch_within, sock_connect=self.timings.connect_within
                ),
                headers={"User-Agent": "vivant", "Accept": "image/*", "Accept-Encoding": "identity"},
            ) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status in (301, 302, 303, 307, 308):
                return resolve_redirect(url, answer.headers.get("Location"))
            if answer.status != 200:
                raise FetchRefused(f"answered {answer.status}")
            if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
                raise FetchRefused("sent an encoded body although identity was asked for")
            return await self._read(answer, owner, reservations)

    async def _read(self, answer: aiohttp.ClientResponse, owner: str, reservations: AsyncExitStack) -> bytearray:
        if (answer.content_length or 0) > self.max_bytes:
            raise too_many_bytes(self.max_bytes)
        held = reservations.enter_context(self.picture_bytes.hold(owner))
        body = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK):
            if len(body) + len(chunk) > self.max_bytes:
                raise too_many_bytes(self.max_bytes)
            held.grow(len(chunk))
            body += chunk
        return body

    async def _connector(self, url: URL) -> aiohttp.TCPConnector:
        """A connector for this hop alone, which connects to the addresses checked here and to no other."""
        host, port = url.raw_host or "", url.port or 0
        named = self.allow.allows_host(host, port)

        def is_allowed(address: str) -> bool:
            return (
                named
                or self.allow.allows_address(address, port)
                or (port in PORTS and is_public(parse_address(address)))
            )  # fmt: skip

        try:
            answers = [str(parse_address(host))]
        except ValueError:
            answers = await (self.resolve or _resolve)(host, port)
        if not answers or not all(is_allowed(address) for address in answers):
            raise FetchRefused(f"{host} port {port} leads to {', '.join(answers) or 'nothing'}")

        def socket_to(info: tuple[Any, ...]) -> socket.socket:  # as getaddrinfo gives it
            family, kind, protocol, _, target = info
            address = target[0] if isinstance(target, tuple) else ""
            if target[1:2] != (port,) or not is_allowed(str(address)):
                raise PermissionError(f"not connecting to {target}")
            return socket.socket(family, kind, protocol)

        return aiohttp.TCPConnector(
            resolver=_FixedResolver(answers),
            socket_factory=socket_to,
            use_dns_cache=False,
            force_close=True,
            ssl=_tls(),
        )


def resolve_redirect(here: URL, location: str | None) -> URL:
    """The URL a redirect leads to. Raises FetchRefused when it may not be followed."""
    if not location:
        raise FetchRefused("a redirect without an address")
    there = check_url(here.join(URL(location)))
    if here.scheme == "https" and there.scheme != "https":
        raise FetchRefused("a redirect from https to http")
    return there


def check_url(url: URL) -> URL:
    """The URL without its fragment. Raises FetchRefused unless it is http(s) with a host and no user name."""
    if url.scheme not in ("http", "https"):
        raise FetchRefused(f"scheme {url.scheme!r}")
    if url.raw_user is not None or url.raw_password is not None or "@" in url.raw_authority:
        raise FetchRefused("a user name in the address")
    if not url.raw_host or "%" in url.raw_host or not url.port:
        raise FetchRefused("no usable host or port")
    return url.with_fragment(None)


def too_many_bytes(max_bytes: int = PICTURE_BYTES) -> PictureTooManyBytes:
    return PictureTooManyBytes(f"the picture may have at most {max_bytes} bytes ({max_bytes // 2**20} MiB).")


def _parse(text: str) -> URL:
    """The caller's URL. Raises InvalidPicture; what is wrong with the caller's own text is no secret to the caller."""
    rule = "must be an http(s) URL or a data URI (data:image/<format>;base64,…)"
    if len(text) > URL_LENGTH:
        raise InvalidPicture(f"{rule}; a URL may have at most {URL_LENGTH} characters.")
    if any(c <= " " or c in "\\\x7f" for c in text):
        raise InvalidPicture(f"{rule}; a URL holds no spaces, control characters or backslashes.")
    try:
        return check_url(URL(text))
    except (FetchRefused, ValueError) as error:
        raise InvalidPicture(f"{rule}, with a host and without a user name: {error}.") from None


async def _resolve(host: str, port: int) -> list[str]:
    """Numeric addresses from the system's resolver, which blocks: it runs in a daemon thread of its own, so that a slow
    name server delays neither other work nor the end of the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str] | Exception) -> None:
        if answer.done():
            return  # the caller timed out
        if isinstance(found, Exception):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def look_up() -> None:
        found: list[str] | Exception
        try:
            found = [str(target[0]) for *_, target in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, ValueError) as error:
            found = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    return await answer


class _FixedResolver(AbstractResolver):
    """Returns the addresses that were checked, so that aiohttp does not look the name up again."""

    def __init__(self, answers: list[str]) -> None:
        self._answers = answers

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._answers
        ]

    async def close(self) -> None:
        """Required by aiohttp; there is nothing to close."""


@cache
def _tls() -> ssl.SSLContext:
    """One TLS context for all fetches: loading the system's certificates takes tens of milliseconds."""
    return ssl.create_default_context()


def _split_port(entry: str) -> tuple[str, int | None]:
    name, colon, port = entry.rpartition(":")
    one_colon = entry.count(":") == 1 or (name.startswith("[") and name.endswith("]"))
    if colon and one_colon and port.isascii() and port.isdigit() and 0 < int(port) < 65_536:
        return name, int(port)
    return entry, None


def _canonical(host: str) -> str:
    return host.lower().rstrip(".")
