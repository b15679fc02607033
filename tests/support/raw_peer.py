"""A peer on loopback that does with each connection what a test's script says, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Script = Callable[[socket.socket, bytes], None]  # the connection, and the request that came on it


class RawPeer:
    """Listens on a loopback port of its own. `requests` are the whole requests that came, in order."""

    def __init__(self, *scripts: Script) -> None:
        """One script for each connection; the last serves all further ones."""
        self.requests: list[bytes] = []
        self._scripts = scripts
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listening.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(connection)
            script = self._scripts[min(number, len(self._scripts) - 1)]
            number += 1
            threading.Thread(target=self._serve, args=(connection, script), daemon=True).start()

    def _serve(self, connection: socket.socket, script: Script) -> None:
        with contextlib.suppress(OSError), connection:
            request = read_request(connection)
            self.requests.append(request)
            script(connection, request)


@contextlib.contextmanager
def raw_peer(*scripts: Script) -> Iterator[RawPeer]:
    """A peer that plays the scripts, until the end of the block."""
    peer = RawPeer(*scripts)
    try:
        yield peer
    finally:
        peer.close()


def read_request(connection: socket.socket) -> bytes:
    """The whole request: head, and as much body as its Content-Length says."""
    data = b""
    while b"\r\n\r\n" not in data:
        block = connection.recv(65536)
        if not block:
            return data
        data += block
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(lengths[0]) if lengths else 0
    while len(body) < length:
        block = connection.recv(65536)
        if not block:
            break
        body += block
    return head + b"\r\n\r\n" + body


def answer(body: bytes, *, status: str = "200 OK", head: bytes = b"") -> Script:
    """A script that answers with this body and ends the connection."""

    def play(connection: socket.socket, request: bytes) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n".encode() + head + b"\r\n" + body)

    return play
