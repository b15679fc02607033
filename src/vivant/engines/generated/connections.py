"""Connections to a server that may be hostile or hang: nothing waits longer than it may, and nothing more is taken.

`WatchedConnections` is the network beneath httpx2's client. Sockets never block: whoever waits for one asks, ten times
a second, whether the work is still wanted, and gives up at the deadline of the call, whatever the peer does. Every
byte that arrives is counted, also those of heads, chunk sizes and interim answers.

A name is resolved once; the addresses are checked, if the call is guarded, and the socket is connected to a checked
address. So a name that changes its addresses in between (DNS rebinding) leads nowhere else.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, Final

import httpcore2

from vivant.addresses import is_public, parse_address
from vivant.engines.generated.server_errors import ServerUnreachable, UnusableAnswer

PAUSE: Final = 0.1  # s between two looks at whether the work is still wanted
MOST_ADDRESSES: Final = 8  # of a host that are tried; a hostile name server can name hundreds
HEAD_BYTES: Final = 64 * 1024  # for all heads of an answer; servers in use send a few kilobytes
FRAMING_SHARE: Final = 8  # bytes of the body per byte of chunk sizes and the like
_BLOCK: Final = 64 * 1024

Check = Callable[[], None]  # raises Stopped when the work is no longer wanted
Resolve = Callable[[str, int], list[str]]  # host, port -> numeric addresses


def look_up(host: str, port: int) -> list[str]:
    """Numeric addresses from the system's resolver, which blocks. Raises OSError or ValueError."""
    return [str(target[0]) for *_, target in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@cache
def tls_context() -> ssl.SSLContext:
    """One TLS context for all calls: loading the system's certificates takes tens of milliseconds."""
    return ssl.create_default_context()


class Call:
    """The bounds of one call. seconds: for everything from the name's look-up to the last byte. quiet: seconds in which
    nothing at all may arrive. most_bytes: of the body; what surrounds a body may have HEAD_BYTES and an eighth more.
    """

    def __init__(self, check: Check, *, seconds: float, quiet: float, connect: float, most_bytes: int) -> None:
        self._check = check
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._quiet = quiet
        self.connect_within = connect
        self._left = most_bytes + HEAD_BYTES + most_bytes // FRAMING_SHARE
        self._most_bytes = most_bytes
        self._asked = 0.0
        self.sent = False  # whether the peer may have seen the request

    def ask(self) -> None:
        """Ask whether to go on, if that was not just asked. Raises what the check raises, and at the deadline
        ServerUnreachable."""
        now = time.monotonic()
        if now - self._asked >= PAUSE:
            self._asked = now
            self._check()
        if now > self._deadline:
            raise ServerUnreachable(f"The server did not answer within {self._seconds:g} s.", sent=self.sent)

    def wait(self, connected: socket.socket, *, writing: bool, within: float | None = None) -> None:
        """Wait until the socket can be read or written. within: seconds, else as long as nothing may arrive.
        Raises as `ask`, and ServerUnreachable when the time is over."""
        patience = self._quiet if within is None else within
        until = time.monotonic() + patience
        poll = select.poll()
        poll.register(connected, select.POLLOUT if writing else select.POLLIN)
        while not poll.poll(PAUSE * 1000):
            self.ask()
            if time.monotonic() > until:
                raise ServerUnreachable(f"The server was silent for {patience:g} s.", sent=self.sent)

    def count(self, received: int) -> None:
        """Take note of bytes that came. Raises UnusableAnswer when they are too many."""
        self._left -= received
        if self._left < 0:
            raise UnusableAnswer(f"The server sent more than the {self._most_bytes:,} bytes that this answer may have.")


class WatchedConnections(httpcore2.NetworkBackend):
    """Implements httpcore2's network for one call. guarded: connect to public addresses only."""

    def __init__(self, call: Call, *, guarded: bool, resolve: Resolve) -> None:
        self._call = call
        self._guarded = guarded
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first address of the host that takes one. Raises ServerUnreachable, UnusableAnswer."""
        addresses = self._find_addresses(host, port)
        if self._guarded and not all(is_public(parse_address(address)) for address in addresses):
            raise UnusableAnswer("The server names an address for the film that is not a public one.")
        problem = "its name leads to no address"
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return _WatchedStream(self._connect(address, port), self._call)
            except OSError as error:
                problem = error.strerror or type(error).__name__
        raise ServerUnreachable(f"The server cannot be reached: {problem}.")

    def _find_addresses(self, host: str, port: int) -> list[str]:
        try:
            return [str(parse_address(host))]
        except ValueError:
            return self._look_up(host, port)

    def _look_up(self, host: str, port: int) -> list[str]:
        """On a thread of its own: the system's resolver cannot be interrupted, and ends when it likes."""
        answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put(self._resolve(host, port))
            except (OSError, ValueError) as error:
                answers.put(error)

        threading.Thread(target=work, name="vivant-look-up", daemon=True).start()
        until = time.monotonic() + self._call.connect_within
        while True:
            try:
                found = answers.get(timeout=PAUSE)
            except queue.Empty:
                self._call.ask()
                if time.monotonic() > until:
                    raise ServerUnreachable("The name of the server could not be resolved in time.") from None
                continue
            if isinstance(found, Exception):
                raise ServerUnreachable("The name of the server could not be resolved.") from found
            return found

    def _connect(self, address: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connecting = socket.socket(family, socket.SOCK_STREAM)
        try:
            connecting.setblocking(False)
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(BlockingIOError):
                connecting.connect((address, port))
            self._call.ask()
            self._call.wait(connecting, writing=True, within=self._call.connect_within)
            if number := connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(number, os.strerror(number))
        except BaseException:
            connecting.close()
            raise
        return connecting


class _WatchedStream(httpcore2.NetworkStream):
    def __init__(self, connected: socket.socket, call: Call) -> None:
        self._socket = connected
        self._call = call

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        block: bytes = self._try(lambda: self._socket.recv(min(max_bytes, _BLOCK)), writing=False)
        self._call.count(len(block))
        return block

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        while view:
            self._call.sent = True
            sent = self._try(partial(self._socket.send, view[:_BLOCK]), writing=True)
            view = view[sent:]

    def _try(self, action: Callable[[], Any], *, writing: bool) -> Any:
        """What the action gives, as soon as the socket is ready for it. A connection that breaks while writing is
        httpcore2's WriteError, upon which it still reads what the peer has said."""
        while True:
            self._call.ask()
            try:
                return action()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                waits = isinstance(error, ssl.SSLWantWriteError) or (
                    writing and not isinstance(error, ssl.SSLWantReadError)
                )
                self._call.wait(self._socket, writing=waits)
            except OSError as error:
                problem = error.strerror or type(error).__name__
                if writing:
                    raise httpcore2.WriteError(problem) from error
                raise ServerUnreachable(
                    f"The connection to the server broke: {problem}.", sent=self._call.sent
                ) from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        wrapped = ssl_context.wrap_socket(
            self._socket, server_hostname=server_hostname, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )
        stream = _WatchedStream(wrapped, self._call)
        try:
            stream._shake_hands()
        except BaseException:
            wrapped.close()
            raise
        return stream

    def _shake_hands(self) -> None:
        try:
            self._try(self._socket.do_handshake, writing=False)  # type: ignore[attr-defined]  # a TLS socket
        except ServerUnreachable as error:
            if isinstance(error.__cause__, ssl.SSLError):
                reason = getattr(error.__cause__, "verify_message", "") or error.__cause__.reason or "TLS failed"
                raise ServerUnreachable(f"No secure connection to the server: {reason}.") from error.__cause__
            raise

    def get_extra_info(self, info: str) -> Any:
        return {"socket": self._socket, "ssl_object": getattr(self._socket, "_sslobj", None)}.get(info)
