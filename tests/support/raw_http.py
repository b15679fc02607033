"""Raw bytes to a server, and the answers that come back."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.client import parse_headers
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 30.0  # seconds without a byte


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def connect(server: Any, *, receive_buffer: int = 0) -> socket.socket:
    """A connection to a server that has a `url`. receive_buffer: bytes, for a client that cannot take much."""
    parts = urlsplit(server.url)
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(PATIENCE)
    connection.connect((parts.hostname, parts.port))
    return connection


def read_to_the_end(connection: socket.socket) -> bytes:
    """Everything until the server closes; what had come when it reset the connection. Raises TimeoutError."""
    received = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionError:
            return received
        if not piece:
            return received
        received += piece


def read_one(connection: socket.socket) -> Answer:
    """The next answer, whole, on a connection that stays open: its head may come before its body. Its body must have a
    Content-Length."""
    head = _read_until(connection, lambda received: received.endswith(b"\r\n\r\n"))
    length = int(
        next(line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    )
    (answer,) = parse_answers(head + _read_until(connection, lambda received: len(received) == length))
    return answer


def _read_until(connection: socket.socket, done: Callable[[bytes], bool]) -> bytes:
    received = b""
    while not done(received):
        if not (piece := connection.recv(1)):
            raise ConnectionError(f"The server closed the connection after {received!r}.")
        received += piece
    return received


def exchange(server: Any, *pieces: bytes) -> list[Answer]:
    """What the server answers to these bytes until it closes the connection."""
    with connect(server) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return parse_answers(read_to_the_end(connection))


def parse_answers(received: bytes) -> list[Answer]:
    """The responses in these bytes, without the interim ones (1xx). Bodies must have a Content-Length."""
    file = io.BytesIO(received)
    answers = []
    for line in iter(file.readline, b""):
        version, status, *_ = line.split()
        assert version == b"HTTP/1.1", line
        headers = parse_headers(file)
        if int(status) >= 200:
            answers.append(Answer(int(status), headers, file.read(int(headers.get("Content-Length", "0")))))
    return answers
