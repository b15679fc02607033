"""The guard of outgoing connections (against requests to internal hosts, SSRF): which addresses may be dialled, and the
dialling. Nothing else opens a connection to an address that a caller gave.

A name is resolved once, all its addresses are checked, and the socket is made for a checked address; no library looks
the name up again. Checking the name first and connecting by name later would allow DNS to change in between (DNS
rebinding).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import aiohappyeyeballs

from vivant.addresses import Network, is_host_name, is_public, parse_address, parse_network, unwrap_mapped
from vivant.blocking import BlockingCalls
from vivant.errors import Misconfigured, PictureUnreachable
from vivant.intake.urls import Url, to_ascii_host
from vivant.timings import Timings

PORTS: Final = frozenset({80, 443})
LOOKUPS: Final = 64  # names that are being resolved; a name server that does not answer holds a thread for a while
LOOKUPS_EACH: Final = 16  # of one key
ADDRESSES: Final = 8  # of a host that are tried; a hostile name server can name hundreds
NEXT_ADDRESS_AFTER: Final = 0.25  # seconds; "Connection Attempt Delay" of RFC 8305, 5
BUFFER_BYTES: Final = 64 * 1024  # received and not read yet; a server that sends more waits

Resolve = Callable[[str, int], Awaitable[list[str]]]  # host, port -> numeric addresses
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]  # as getaddrinfo gives it


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
class Destination:
    """Host and port of one connection, and which addresses it may be made to."""

    host: str
    port: int
    allow: AllowList

    def permits(self, address: str) -> bool:
        """Whether this numeric address may be dialled. Raises ValueError when it is none."""
        return (
            self.allow.allows_host(self.host, self.port)
            or self.allow.allows_address(address, self.port)
            or (self.port in PORTS and is_public(parse_address(address)))
        )

    def open_socket(self, info: AddressInfo) -> socket.socket:
        """A socket that is about to be connected to this address. Raises PermissionError when it may not be.

        The last check before the system connects; it does not rely on earlier ones.
        """
        family, kind, protocol, _, target = info
        if target[1] != self.port or not self.permits(str(target[0])):
            raise PermissionError(f"not connecting to {target}")
        return socket.socket(family, kind, protocol)


class Egress:
    """Makes connections to where callers' URLs lead. Tests pass their own `resolve` to act as a hostile name server."""

    def __init__(self, allow: AllowList, resolve: Resolve | None = None, *, timings: Timings) -> None:
        self._allow = allow
        self._resolve = resolve
        self._timings = timings
        self._lookups = BlockingCalls(
            "The system's name resolution",
            threads=LOOKUPS,
            each=LOOKUPS_EACH,
            within=timings.resolve_within,
            late=PictureUnreachable,
        )

    async def connect(self, url: Url, *, owner: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the URL's server, with TLS for https; abort it after use.

        `owner` is the key whose share of name look-ups is used. Raises FetchRefused, OSError (also for a certificate
        that is not valid), TimeoutError, PictureUnreachable when no name server answers, or Busy.
        """
        addresses = await self.find_addresses(url, owner=owner)
        destination = Destination(url.host, url.port, self._allow)
        async with asyncio.timeout(self._timings.connect_within):
            connected = await aiohappyeyeballs.start_connection(
                [_address_info(address, url.port) for address in addresses[:ADDRESSES]],
                happy_eyeballs_delay=NEXT_ADDRESS_AFTER,
                socket_factory=destination.open_socket,
            )
            try:
                return await asyncio.open_connection(
                    sock=connected,
                    ssl=tls_context() if url.scheme == "https" else None,
                    server_hostname=url.host.strip("[]").rstrip(".") if url.scheme == "https" else None,
                    limit=BUFFER_BYTES,
                )
            except BaseException:
                connected.close()
                raise

    async def find_addresses(self, url: Url, *, owner: str) -> list[str]:
        """The numeric addresses of the URL's host. Raises FetchRefused unless every one of them may be dialled."""
        try:
            addresses = [str(parse_address(url.host))]
        except ValueError:
            if self._resolve is not None:
                addresses = await self._resolve(url.host, url.port)
            else:
                addresses = await self._lookups.run(look_up, url.host, url.port, owner=owner)
        destination = Destination(url.host, url.port, self._allow)
        if not addresses or not all(destination.permits(address) for address in addresses):
            raise FetchRefused(f"{url.host} port {url.port} leads to {', '.join(addresses[:10]) or 'nothing'}")
        return addresses

    def close(self) -> None:
        """Start no further look-up; those that hang are left behind."""
        self._lookups.close()


def look_up(host: str, port: int) -> list[str]:
    """Numeric addresses from the system's resolver, which blocks. Raises OSError or ValueError."""
    return [str(target[0]) for *_, target in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@cache
def tls_context() -> ssl.SSLContext:
    """One TLS context for all fetches: loading the system's certificates takes tens of milliseconds."""
    return ssl.create_default_context()


def _address_info(address: str, port: int) -> AddressInfo:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


def _split_port(entry: str) -> tuple[str, int | None]:
    name, colon, port = entry.rpartition(":")
    one_colon = entry.count(":") == 1 or (name.startswith("[") and name.endswith("]"))
    if colon and one_colon and port.isascii() and port.isdigit() and 0 < int(port) < 65_536:
        return name, int(port)
    return entry, None


def _canonical(host: str) -> str:
    """A host name as names are compared: punycode, lower case, without the dot of the root."""
    try:
        return to_ascii_host(host).rstrip(".")
    except ValueError:
        return host.lower().rstrip(".")
