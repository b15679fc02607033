"""How many connections may be open, in all and for one peer, so that files and workers keep their descriptors.

When all places are taken, a connection makes room from which no whole request has come: first the one that has waited
longest between two requests, then the one whose head is unfinished for longest. An honest client sends its head within
milliseconds, so that heads which are held back on purpose keep nobody out. Only when every connection is busy with a
request is the new one refused (503).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol

import structlog

from vivant.api.open_mode import is_loopback
from vivant.errors import Busy
from vivant.shares import Holding, Shares

CONNECTIONS: Final = 2048  # each may hold 64 KiB of a head and as much of a body
CONNECTIONS_EACH: Final = 256  # of one peer that is neither this machine nor a trusted proxy
DESCRIPTORS: Final = 128  # kept for everything else: database, storage, fetches, decoders
DESCRIPTORS_OF_WORKER: Final = 8
SAY_EVERY: Final = 60.0  # seconds between log lines about refused connections

log = structlog.get_logger(__name__)


class Leaving(Protocol):
    """A connection that can be asked to go while no request of it is answered."""

    def make_room(self) -> None: ...


class ConnectionPlaces:
    """`file_limit`: descriptors this process may have. `shares_total`: whether a peer (a proxy, this machine) speaks
    for many callers and is limited by the total only.
    """

    def __init__(
        self,
        *,
        file_limit: int,
        workers: int,
        total: int = CONNECTIONS,
        each: int = CONNECTIONS_EACH,
        shares_total: Callable[[str], bool] = is_loopback,
    ) -> None:
        kept = min(DESCRIPTORS + DESCRIPTORS_OF_WORKER * workers, file_limit // 2)
        total = min(total, file_limit - kept)
        self._highest_descriptor = file_limit - kept // 2  # numbers are given out from the lowest free one on
        self._shares = Shares(
            total,
            each=min(each, total),
            full="The service has all the connections it can hold; try again shortly.",
            share_full="Your address has all the connections it may have; close some, or try again shortly.",
        )
        self._shares_total = shares_total
        self._idle: dict[Leaving, None] = {}  # between two requests, in the order in which they began to wait
        self._in_head: dict[Leaving, None] = {}  # the head is unfinished, or not begun on a new connection; in order
        self._taken = 0  # ever
        self._refused = 0  # since the last log line
        self._said_at = -SAY_EVERY

    @property
    def used(self) -> int:
        return self._shares.used

    def take(self, peer: str, descriptor: int) -> Holding:
        """A place for a new connection with this file descriptor. Raises Busy."""
        self._taken += 1
        if self._shares.used >= self._shares.total or descriptor > self._highest_descriptor:
            self._make_room()
        owner = f"connection {self._taken}" if self._shares_total(peer) else network_of(peer)
        place = Holding(self._shares, owner)
        try:
            if descriptor > self._highest_descriptor:
                raise Busy("The service has all the files and connections open that it may; try again shortly.")
            place.grow(1)
        except Busy as error:
            self._say(str(error), peer)
            raise
        return place

    def remember_idle(self, connection: Leaving) -> None:
        """The connection has its answers and waits for a request from now on."""
        self._idle[connection] = None

    def remember_in_head(self, connection: Leaving) -> None:
        """The connection has its answers, and its next head is waited for, from now on or from earlier on."""
        self._idle.pop(connection, None)
        self._in_head.setdefault(connection)

    def forget(self, connection: Leaving) -> None:
        """The connection no longer makes room."""
        self._idle.pop(connection, None)
        self._in_head.pop(connection, None)

    def _make_room(self) -> None:
        if waiting := self._idle or self._in_head:
            next(iter(waiting)).make_room()

    def _say(self, why: str, peer: str) -> None:
        self._refused += 1
        if time.monotonic() - self._said_at >= SAY_EVERY:
            log.warning("connections refused", refused=self._refused, why=why, open=self._shares.used, last_peer=peer)
            self._refused, self._said_at = 0, time.monotonic()


def network_of(peer: str) -> str:
    """Whom an address belongs to: itself, or its /64 for IPv6, of which one machine may use all addresses."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> 64 << 64)) + "/64"
    return str(address)
