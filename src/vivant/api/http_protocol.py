"""Uvicorn's HTTP protocol with two limits it lacks: the size of a request's head, and the time it may take to arrive.

Without them anybody who can connect, even without a key, could fill the memory with headers or keep connections open.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 64 * 1024  # request line and headers; the usual servers allow 8 to 64 KiB


class LimitedHttp(HttpToolsProtocol):
    """Uvicorn's protocol; a head that is too long is answered 431, and a connection whose head takes more than
    `head_within` seconds is closed.
    """

    def __init__(self, *args: Any, head_within: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_within = head_within

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._head = 0  # bytes of the head so far; -1 once it is complete
        self._deadline: asyncio.TimerHandle | None = None
        self._start_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._head  # a head that begins inside `data` is counted from the next call on
        super().data_received(data)
        if before >= 0 and self._head >= 0 and not self.transport.is_closing():
            self._head += len(data)
            if self._head > HEAD_BYTES:
                self.transport.write(
                    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                )
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._start_waiting()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def _start_waiting(self) -> None:
        self._stop_waiting()
        self._head = 0
        self._deadline = self.loop.call_later(self._head_within, self.transport.close)

    def _stop_waiting(self) -> None:
        self._head = -1
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
