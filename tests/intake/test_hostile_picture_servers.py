"""Picture servers that send without end: each is cut off after some kilobytes, and the event loop is never held."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from vivant.errors import InvalidPicture, PictureTooManyBytes, PictureUnreachable
from vivant.intake.pictures import AllowList, Intake
from vivant.timings import Timings

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LINES = b"".join(b"x%d: %s\r\n" % (n, b"b" * 60) for n in range(1000))
MOST = 64 * 2**20  # bytes that a hostile server would send

# What is sent once, and what is then sent again and again.
FLOODS = {
    "headers": (OK, LINES),
    "a header value": (OK + b"x: ", b"b" * 65536),
    "a reason": (b"HTTP/1.1 200 ", b"b" * 65536),
    "trailers": (CHUNKED + b"0\r\n", LINES),
    "a trailer": (CHUNKED + b"0\r\nx: ", b"b" * 65536),
    "a chunk extension": (CHUNKED + b"1;", b"b" * 65536),
    "a chunk size": (CHUNKED, b"0" * 65536),
    "chunk extensions": (CHUNKED, (b"1;" + b"b" * 100 + b"\r\na\r\n") * 500),
    "chunks of one byte": (CHUNKED, b"1\r\na\r\n" * 10_000),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2500),
    "102 Processing": (b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 2500),
    "103 with headers": (b"", (b"HTTP/1.1 103 Early Hints\r\nx: " + b"b" * 4000 + b"\r\n\r\n") * 16),
    "cookies": (OK, b"".join(b"Set-Cookie: a%d=%s\r\n" % (n, b"b" * 3000) for n in range(100))),
    "blank lines": (b"", b"\r\n" * 32_768),
    "no HTTP": (b"", bytes(65536)),
}


class FloodServer:
    """Serves every connection in a thread of its own, so that a held event loop of the test does not slow it down."""

    def __init__(self, start: bytes, again: bytes) -> None:
        self._start, self._again = start, again
        self.sent = 0
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._flood, args=(connection,), daemon=True).start()

    def _flood(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(10)
            connection.recv(4000)
            connection.sendall(self._start)
            while self._again and self.sent < MOST:
                connection.sendall(self._again)
                self.sent += len(self._again)

    def close(self) -> None:
        self._listening.close()


@contextmanager
def flood_server(start: bytes, again: bytes) -> Iterator[FloodServer]:
    running = FloodServer(start, again)
    try:
        yield running
    finally:
        running.close()


async def watch_lag(worst: list[float]) -> None:
    """Keep the longest time for which the event loop did not come round."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.005)
        worst[0] = max(worst[0], time.monotonic() - before)


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_server_that_sends_without_end_is_cut_off(flood: str) -> None:
    worst = [0.0]
    with flood_server(*FLOODS[flood]) as server:
        intake = Intake(AllowList.parse(("127.0.0.1",)), timings=Timings(fetch_within=60))
        watching = asyncio.create_task(watch_lag(worst))
        async with asyncio.timeout(30):
            fetches = (
                intake.receive(f"http://127.0.0.1:{server.port}/", owner="evil", field="image") for _ in range(4)
            )
            results = await asyncio.gather(*fetches, return_exceptions=True)
        watching.cancel()
    assert {type(result) for result in results} == {PictureUnreachable}
    assert server.sent < 4 * 8 * 2**20  # what the system buffers included
    assert worst[0] < 1


async def test_a_body_without_end_is_cut_off() -> None:
    with flood_server(OK + b"\r\n", b"a" * 65536) as server:
        intake = Intake(AllowList.parse(("127.0.0.1",)))
        with pytest.raises(PictureTooManyBytes):
            await intake.receive(f"http://127.0.0.1:{server.port}/", owner="", field="image")
        assert intake.picture_bytes.used == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc",
        CHUNKED + b"5\r\nhel", CHUNKED + b"-1\r\n", OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"Content-Length: 10\r\n\r\nhello",
        b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", OK + b"a\0b: c\r\n\r\n", OK + b"no colon\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 302 x\r\nLocation: http://[::1]]/\x1b[31mA\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 x\r\nLocation: sch\u2028eme\u009b31m:x\r\nContent-Length: 0\r\n\r\n".encode(),
        b"HTTP/1.1 302 x\r\nLocation: " + b"/" * 60_000 + b"\r\n\r\n",
    ],
)  # fmt: skip
async def test_answers_that_are_none_are_refused(answer: bytes) -> None:
    with flood_server(answer, b"") as server:
        intake = Intake(AllowList.parse(("127.0.0.1",)), timings=Timings(fetch_within=5))
        with pytest.raises(InvalidPicture, match="could not be fetched"):
            await intake.receive(f"http://127.0.0.1:{server.port}/", owner="", field="image")


async def test_a_picture_in_small_chunks_arrives() -> None:
    """Servers that stream send chunks of some hundred bytes; their sizes are no flood."""
    body = b"P" * 200_000
    chunks = b"".join(b"%x\r\n" % 200 + body[at : at + 200] + b"\r\n" for at in range(0, len(body), 200))
    with flood_server(CHUNKED + chunks + b"0\r\nServer-Timing: x\r\n\r\n", b"") as server:
        intake = Intake(AllowList.parse(("127.0.0.1",)))
        received: list[bytes] = []

        class Decoders:
            async def clean(self, pieces: Iterator[bytes], **_: object) -> None:
                received.extend(bytes(piece) for piece in pieces)

        intake.decoders = Decoders()  # type: ignore[assignment]  # what is fetched, before it is decoded
        await intake.receive(f"http://127.0.0.1:{server.port}/", owner="", field="image")
        assert b"".join(received) == body
