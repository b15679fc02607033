"""One GET request over one connection, by h11, with everything counted that the server sends besides the body.

A server may send bytes without end that are no picture: headers, interim responses (`100 Continue`), extensions and
sizes of chunks, trailers. Those may take HEAD_BYTES and a sixteenth of the body, so that a hostile server is cut off
after some kilobytes. Between a few dozen parts of its answer the event loop has its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import h11

from vivant.intake.egress import FetchRefused
from vivant.intake.urls import Url

HEAD_BYTES: Final = 64 * 1024  # for all heads of an answer; servers in use send a few kilobytes
FRAMING_SHARE: Final = 16  # bytes of the body per byte of sizes and extensions of chunks; usual chunks have 1000
_BLOCK: Final = 16 * 1024  # bytes read at a time
_PARTS_PER_TURN: Final = 64  # parts of an answer that are handled before the event loop does other work


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and headers of a final response, and its body as it arrives. Header names are in lower case."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: AsyncIterator[bytes]

    def header(self, name: bytes) -> bytes | None:
        """The value of this header (name in lower case), the first one's if there are several."""
        return next((value for key, value in self.headers if key == name), None)


@asynccontextmanager
async def get(
    url: Url, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: dict[str, str]
) -> AsyncIterator[Answer]:
    """Ask for the URL and give the answer; the connection is aborted at the end.

    Raises FetchRefused, h11.ProtocolError or OSError, also while the body is read.
    """
    exchange = _Exchange(reader)
    body = exchange.receive_body()
    try:
        writer.write(exchange.request(url, headers))
        await writer.drain()
        response = await exchange.receive_response()
        yield Answer(response.status_code, tuple(response.headers), body)
    finally:
        writer.transport.abort()
        await body.aclose()


class _Exchange:
    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
        self._received = 0
        self._body_bytes = 0
        self._parts = 0

    def request(self, url: Url, headers: dict[str, str]) -> bytes:
        every = [("Host", url.host_header), *headers.items(), ("Connection", "close")]
        head = self._http.send(h11.Request(method="GET", target=url.target, headers=every))
        end = self._http.send(h11.EndOfMessage())
        return (head or b"") + (end or b"")

    async def receive_response(self) -> h11.Response:
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                raise FetchRefused("sent no response")

    async def receive_body(self) -> AsyncGenerator[bytes]:
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return
            else:
                raise FetchRefused("sent no body")

    async def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while True:
            self._parts += 1
            if self._parts % _PARTS_PER_TURN == 0:
                await asyncio.sleep(0)
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                if isinstance(event, h11.Data):
                    self._body_bytes += len(event.data)
                return event
            if self._received - self._body_bytes > HEAD_BYTES + self._body_bytes // FRAMING_SHARE:
                raise FetchRefused("sent too many bytes besides the body")
            block = await self._reader.read(_BLOCK)
            self._received += len(block)
            self._http.receive_data(block)
