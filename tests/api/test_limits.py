"""Limits on bodies and heads: checked by declared length, and counted while the bytes arrive."""

from __future__ import annotations

import json
import socket
import threading
import time
import traceback
from collections.abc import Iterator

import pytest
from starlette.requests import Request

from support.live_server import SUBMIT, HttpResponse, LiveServer, picture_uri
from vivant.api.limits import MAX_BODY_BYTES, receive_body
from vivant.errors import Busy
from vivant.intake.pictures import PICTURE_BYTES_EACH, PICTURE_BYTES_HELD, share_picture_bytes
from vivant.timings import Timings


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One that waits for almost nothing and takes only small bodies."""
    timings = Timings(body_idle_for=1.0, head_within=0.2)
    with LiveServer(tmp_path_factory.mktemp("strict"), timings=timings, max_body_bytes=300_000) as running:
        yield running


def raw(server: LiveServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.host.split(":")[1])), 30)


def head(*lines: str) -> bytes:
    return "\r\n".join([f"POST {SUBMIT} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def status(connection: socket.socket) -> int:
    return int(connection.recv(4096).split()[1])


@pytest.fixture(autouse=True)
def everything_is_given_back(server: LiveServer) -> Iterator[None]:
    yield
    deadline = time.monotonic() + 10
    while server.intake.picture_bytes.used and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.intake.picture_bytes.used == 0


@pytest.mark.parametrize("length", [MAX_BODY_BYTES + 1, 10**12, 10**18])
def test_a_body_declared_too_large_is_refused_before_it_is_read(server: LiveServer, length: int) -> None:
    with raw(server) as connection:
        connection.sendall(head(f"Content-Length: {length}"))
        assert status(connection) == 413


def test_announced_bodies_that_do_not_come_keep_nobody_out(server: LiveServer) -> None:
    held = [raw(server) for _ in range(6)]
    try:
        for connection in held:
            connection.sendall(head(f"Content-Length: {MAX_BODY_BYTES}") + b"{")
        assert server.submit({"prompt": "x" * 100_000}).status == 400
        assert server.intake.picture_bytes.used < 2**20
    finally:
        for connection in held:
            connection.close()


def test_a_chunked_body_is_cut_off_where_it_grows_too_large(strict_server: LiveServer) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(10):
            yield b" " * 100_000

    response = strict_server.send("POST", SUBMIT, pieces())
    assert response.status == 413 and response.json()["reason"] == "INVALID_REQUEST_BODY"


def test_a_chunked_body_within_the_limits_is_read(server: LiveServer) -> None:
    body = json.dumps({"prompt": "", "image": picture_uri()}).encode()
    response = server.send("POST", SUBMIT, (body[at : at + 100] for at in range(0, len(body), 100)))
    assert response.status == 400 and response.json()["message"].startswith("prompt: ")


def test_bodies_beyond_what_memory_holds_get_503_and_retry_after(server: LiveServer) -> None:
    shares = server.intake.picture_bytes
    with shares.hold("first", shares.each), shares.hold("second", shares.total - shares.each - 2**20):
        response = server.send("POST", SUBMIT, b" " * (2 * 2**20))
        assert response.status == 503 and response.json()["reason"] == "SERVICE_NOT_AVAILABLE"
        assert int(response.headers["Retry-After"]) >= 1
        assert server.submit({"prompt": ""}).status == 400  # a small one still fits
        assert server.get("/healthz").status == 200


def test_a_key_that_holds_its_share_gets_429_and_others_are_served(server: LiveServer) -> None:
    shares = server.intake.picture_bytes
    with shares.hold("", shares.each - 2**20):
        response = server.send("POST", SUBMIT, b" " * (2 * 2**20))
        assert response.status == 429 and response.json()["reason"] == "RATE_LIMIT_EXCEEDED"
        assert int(response.headers["Retry-After"]) >= 1
        with shares.hold("another", 2 * 2**20):
            pass


def test_a_refusal_reaches_a_client_that_is_still_sending(server: LiveServer) -> None:
    """With Connection: close, when an early response would otherwise be lost."""
    closing = {"Connection": "close"}
    with server.intake.picture_bytes.hold("", server.intake.picture_bytes.each):
        response = server.send("POST", SUBMIT, b" " * (80 * 2**20), closing)
        assert response.status == 429 and response.headers["Retry-After"]
    assert server.send("POST", SUBMIT, b" " * (MAX_BODY_BYTES + 1), closing).status == 413
    assert server.send("POST", "/v3/nothing", b" " * (20 * 2**20), closing).status == 404
    assert server.send("POST", SUBMIT, b" " * (20 * 2**20), {**closing, "Host": "evil.example"}).status == 403


def test_a_client_that_expects_100_continue_is_answered_at_once(server: LiveServer) -> None:
    with raw(server) as connection:
        connection.sendall(head(f"Content-Length: {MAX_BODY_BYTES + 1}", "Expect: 100-continue"))
        assert status(connection) == 413
    with raw(server) as connection:
        connection.sendall(head("Content-Length: 2", "Expect: 100-continue"))
        assert status(connection) == 100
        connection.sendall(b"{}")
        assert status(connection) == 400


def test_a_client_that_stops_sending_gets_408(strict_server: LiveServer) -> None:
    with raw(strict_server) as connection:
        connection.sendall(head("Content-Length: 1000") + b'{"prompt"')
        assert status(connection) == 408


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "gzip, identity"])
def test_a_compressed_body_is_refused_in_words(server: LiveServer, encoding: str) -> None:
    response = server.submit({"prompt": "x"}, Content_Encoding=encoding)
    assert response.status == 400 and "Content-Encoding" in response.json()["message"]


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/json; charset=utf-8", "application/octet-stream"]
)
def test_the_content_type_is_ignored(server: LiveServer, content_type: str) -> None:
    response = server.send("POST", SUBMIT, b'{"image": "x"}', {"Content-Type": content_type})
    assert response.status == 400 and response.json()["message"].startswith("prompt: is required")


@pytest.mark.parametrize(
    "broken",
    [b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
     b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
     head("Content-Length: x"), head("Content-Length: -1"), head("Content-Length: 5", "Content-Length: 6") + b"hello",
     head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
     head("Transfer-Encoding: chunked") + b"zz\r\n",
     b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 200_000 + b"\r\n\r\n",
     b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ids=lambda b: repr(b[:30]),
)  # fmt: skip
def test_broken_http_is_no_internal_error(server: LiveServer, broken: bytes) -> None:
    with raw(server) as connection:
        try:
            connection.sendall(broken)
            connection.shutdown(socket.SHUT_WR)
            said = connection.recv(4096)
        except OSError:  # the server closed the connection
            said = b""
    assert not said.startswith(b"HTTP/1.1 5")
    assert server.get("/healthz").status == 200


def test_an_endless_head_is_cut_off(server: LiveServer) -> None:
    for start in (b"GET /", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"GET / HTTP/1.1\r\n"):
        piece = b"A: b\r\n" * 1500 if start.endswith(b"1.1\r\n") else b"a" * 10_000
        with raw(server) as connection:
            connection.sendall(start)
            sent = 0
            try:
                while sent < 50_000_000:
                    connection.sendall(piece)
                    sent += len(piece)
            except ConnectionError:
                pass
            assert sent < 20_000_000


def test_a_head_that_arrives_byte_by_byte_is_read(server: LiveServer) -> None:
    with raw(server) as connection:
        for drop in (b"GET /healthz HT", b"TP/1.1\r\nHost: loc", b"alhost\r\nX: " + b"y" * 60_000, b"\r\n\r\n"):
            connection.sendall(drop)
            time.sleep(0.02)
        assert status(connection) == 200
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 60_000 + b"\r\n\r\n")
        assert status(connection) == 200


def test_a_connection_with_an_unfinished_head_is_closed(strict_server: LiveServer) -> None:
    for start in (b"", b"GET / HT"):
        with raw(strict_server) as connection:
            connection.sendall(start)
            assert connection.recv(100) == b""
    with raw(strict_server) as connection:  # a slow body after a finished head has its own limit
        connection.sendall(head("Content-Length: 2") + b"{")
        time.sleep(0.4)
        connection.sendall(b"}")
        assert status(connection) == 400


def test_polls_are_answered_while_large_bodies_arrive(server: LiveServer) -> None:
    text = picture_uri()
    padded = text[:-4] + "A" * (40 * 2**20 - len(text)) + text[-4:]  # still valid base64, but no picture
    answers: list[HttpResponse] = []
    sender = threading.Thread(target=lambda: answers.append(server.submit({"prompt": "x", "image": padded})))
    sender.start()
    waits = []
    while sender.is_alive():
        start = time.perf_counter()
        assert server.get("/healthz").status == 200
        waits.append(time.perf_counter() - start)
    assert answers[0].status == 400
    assert len(waits) > 3


def test_memory_holds_two_of_the_largest_bodies_of_one_key_and_more_in_all() -> None:
    assert 2 * MAX_BODY_BYTES <= PICTURE_BYTES_EACH < PICTURE_BYTES_HELD


async def test_a_refused_body_s_bytes_are_let_go_while_its_error_is_answered() -> None:
    """The error, with the frames it came through, lives until the rest of the body has been discarded."""

    async def send_more() -> dict[str, object]:
        return {"type": "http.request", "body": bytes(1000), "more_body": True}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    request = Request(scope, send_more)
    shares = share_picture_bytes(50_000, each=50_000)
    with pytest.raises(Busy) as refused:
        async with receive_body(request, shares, owner="", max_bytes=2**20):
            pass
    frames = [frame for frame, _ in traceback.walk_tb(refused.value.__traceback__)]
    buffers = [value for frame in frames for value in frame.f_locals.values() if isinstance(value, bytearray)]
    assert buffers and not any(buffers)
