"""What somebody without a key may do with connections: flood them, hold them, fill them, read nothing."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from support.live_server import RESULT, SUBMIT, LiveServer, picture_uri
from support.raw_http import connect, exchange, parse_answers, read_one, read_to_the_end
from vivant.api.connection_places import ConnectionPlaces, network_of
from vivant.api.http_protocol import FRAMING_BYTES, PIPELINED
from vivant.errors import Busy, LimitReached
from vivant.timings import Timings

POST = f"POST {SUBMIT} HTTP/1.1\r\nHost: localhost\r\n".encode()
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One that waits for nobody long."""
    timings = Timings(
        head_within=0.6, keep_alive_for=0.6, answer_stalls_for=0.6, body_idle_for=0.6, body_grace=0.6, body_within=2.0,
        linger_within=1.0, linger_idle_for=0.6,
    )  # fmt: skip
    with LiveServer(tmp_path_factory.mktemp("hurried"), timings=timings) as running:
        yield running


FLOODS = {
    "header lines": (GET, b"a: b\r\n" * 1000),
    "an endless header value": (GET + b"x: ", b"c" * 8192),
    "an endless header name": (GET, b"c" * 8192),
    "an endless target": (b"GET /", b"c" * 8192),
    "blank lines": (b"", b"\r\n" * 4096),
    "blank lines after an answer": (GET + b"\r\n", b"\r\n" * 4096),
    "trailer lines": (CHUNKED + b"0\r\n", b"a: b\r\n" * 1000),
    "an endless trailer value": (CHUNKED + b"0\r\nx: ", b"c" * 8192),
    "an endless chunk extension": (CHUNKED + b"1;", b"c" * 8192),
    "extensions of many chunks": (CHUNKED, b"1;" + b"c" * 70_000 + b"\r\na\r\n"),
    "an endless chunk size": (CHUNKED, b"0" * 8192),
    "a trailer after a GET": (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 1000),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_bytes_that_are_no_content_are_counted_and_refused(server: LiveServer, flood: str) -> None:
    first, again = FLOODS[flood]
    sent = 0
    with connect(server) as connection:
        connection.sendall(first)
        with contextlib.suppress(ConnectionError):
            while sent < 64 * 2**20:
                connection.sendall(again)
                sent += len(again)
    assert sent < 16 * 2**20  # what the buffers of two sockets may take; the server itself took some 64 KiB


def test_a_head_of_64_kib_is_taken_and_a_larger_one_is_431_with_a_body(server: LiveServer) -> None:
    (taken,) = exchange(server, GET + b"Connection: close\r\nX: " + b"a" * (FRAMING_BYTES - 200) + b"\r\n\r\n")
    assert taken.status == 200
    for size in (FRAMING_BYTES, 120_000, 400_000):
        (refused,) = exchange(server, GET + b"X-Request-Id: mine\r\nX: " + b"a" * size + b"\r\n\r\n")
        assert refused.status == 431 and refused.headers["Connection"] == "close"
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["code"] == "HEAD_TOO_LARGE"
        assert refused.headers["X-Request-Id"] == refused.json()["request_id"] == "mine"
    (flat,) = exchange(server, POST + b"X: " + b"a" * 70_000 + b"\r\n\r\n")
    assert flat.status == 431 and flat.json()["reason"] == "INVALID_REQUEST_BODY" and flat.headers["X-Request-Id"]


def test_many_headers_are_431_however_short(server: LiveServer) -> None:
    for count, status in ((200, 200), (300, 431), (10_000, 431)):
        (answer,) = exchange(server, GET + b"Connection: close\r\n" + b"a:\r\n" * count + b"\r\n")
        assert answer.status == status


def test_a_trailer_changes_nothing_that_the_head_said(server: LiveServer) -> None:
    trailers = b"0\r\nHost: localhost\r\nX-Request-Id: late\r\n\r\n"
    head = b"POST /v1/tasks/x/cancel HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n"
    head += b"Transfer-Encoding: chunked\r\n\r\n"
    (refused,) = exchange(server, head + trailers)
    assert refused.status == 403 and refused.headers["X-Request-Id"] != "late"


@pytest.mark.parametrize(
    "junk",
    [b"\x16\x03\x01\x02\x00\x01", b"GET /healthz x\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
     b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: a\0b\r\n\r\n",
     b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_http_is_400_with_a_problem_body_and_an_id(server: LiveServer, junk: bytes) -> None:
    (refused,) = exchange(server, junk)
    assert refused.status == 400 and refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "MALFORMED_REQUEST" and refused.json()["request_id"]
    assert refused.headers["X-Request-Id"] == refused.json()["request_id"]


def test_a_body_that_is_no_http_is_400_in_the_form_of_its_address(server: LiveServer) -> None:
    (refused,) = exchange(server, CHUNKED + b"zz\r\n{}")
    assert refused.status == 400 and refused.json()["reason"] == "INVALID_REQUEST_BODY"
    assert re.fullmatch("[0-9a-f]{32}", refused.headers["X-Request-Id"])


@pytest.mark.parametrize("key", [b"sk_\x07", b"Bearer sk_\x07\x7f", b"Bearer \x00", b"Bearer \xc3\xa9", b"\xe9"])
def test_a_key_that_no_header_may_hold_is_an_unknown_key(server: LiveServer, key: bytes) -> None:
    """In open mode any text will do as a key, but only if it may stand in a header."""
    head = b"Authorization: " + key + b"\r\nConnection: close\r\n\r\n"
    proper = min(key) >= 0x20 and 0x7F not in key
    (flat,) = exchange(server, f"GET {RESULT}?task_id=x HTTP/1.1\r\nHost: localhost\r\n".encode() + head)
    assert (flat.status, flat.json()["reason"]) == ((404, "TASK_NOT_FOUND") if proper else (403, "INVALID_API_KEY"))
    (native,) = exchange(server, b"GET /v1/tasks HTTP/1.1\r\nHost: localhost\r\n" + head)
    assert native.status == (200 if proper else 401)


HOLDS = {
    "nothing": (b"", b""),
    "a head byte by byte": (b"GET / HTTP/1.1\r\n", b"a"),
    "blank lines before a head": (b"", b"\r\n"),
    "blank lines after an answer": (GET + b"\r\n", b"\r\n"),
    "nothing after an answer": (GET + b"\r\n", b""),
    "a chunked body chunk by chunk": (CHUNKED, b"1\r\na\r\n"),
    "a body byte by byte": (POST + b"Content-Length: 90000000\r\n\r\n", b"a"),
    "a short body byte by byte": (POST + b"Content-Length: 5000\r\n\r\n", b"a"),
    "a body beyond all limits byte by byte": (POST + b"Content-Length: 900000000000\r\n\r\n", b"a"),
    "a body that never comes": (POST + b"Content-Length: 5000\r\n\r\n", b""),
    "a body that waits for 100-continue": (POST + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n", b""),
    "a trailer byte by byte": (CHUNKED + b"0\r\n", b"a:b\r\n"),
    "a chunk extension byte by byte": (CHUNKED + b"1;", b"a"),
    "a GET with a body byte by byte": (GET + b"Content-Length: 90000000\r\n\r\n", b"a"),
    "a 404 with a body byte by byte": (b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n", b"a"),
    "an unknown protocol asked for": (GET + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n", b"a"),
}


@pytest.mark.parametrize("hold", HOLDS)
def test_no_trick_holds_a_connection(hurried: LiveServer, hold: str) -> None:
    first, again = HOLDS[hold]
    with connect(hurried) as connection:
        connection.sendall(first)
        start = time.monotonic()
        connection.settimeout(0.1)
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - start < 12:
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(65536):
                        break
                if again:
                    connection.sendall(again)
        assert time.monotonic() - start < 12  # the sum of all that the server may wait for is 5 s


def test_a_body_that_comes_too_slowly_is_408_though_it_never_pauses(hurried: LiveServer) -> None:
    with connect(hurried) as connection:
        connection.sendall(POST + b"Content-Length: 90000000\r\n\r\n")
        stop = threading.Event()

        def trickle() -> None:
            with contextlib.suppress(OSError):
                while not stop.wait(0.05):
                    connection.sendall(b" ")

        thread = threading.Thread(target=trickle)
        thread.start()
        received = read_to_the_end(connection)
        stop.set()
        thread.join()
    (refused,) = parse_answers(received)
    assert refused.status == 408 and "too slowly" in refused.json()["message"]


def test_a_body_that_is_never_whole_is_408_though_it_comes_fast(hurried: LiveServer) -> None:
    with connect(hurried) as connection:
        connection.sendall(CHUNKED)
        start = time.monotonic()
        connection.setblocking(False)
        received = b""
        while time.monotonic() - start < 20 and b"\r\n\r\n" not in received:
            with contextlib.suppress(BlockingIOError):
                connection.send(b"400\r\n" + b" " * 0x400 + b"\r\n")
            with contextlib.suppress(BlockingIOError):
                received += connection.recv(65536)
            time.sleep(0.01)
    assert received.split()[1] == b"408" and b"not whole within" in received


def test_the_answer_of_a_refused_body_comes_at_once(server: LiveServer) -> None:
    """Not when its sender has given up sending."""
    with connect(server) as connection:
        connection.sendall(POST.replace(SUBMIT.encode(), b"/v3/x") + b"Content-Length: 50000000\r\n\r\n")
        start = time.monotonic()
        answer = connection.recv(65536)
        assert answer.split()[1] == b"404" and b"connection: close" in answer.lower()
        assert time.monotonic() - start < 1.5  # `linger_idle_for` is 2 s


def test_after_a_short_body_that_nobody_reads_the_connection_goes_on(server: LiveServer) -> None:
    answers = exchange(
        server,
        b"POST /v3/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        GET + b"Connection: close\r\n\r\n",
    )
    assert [answer.status for answer in answers] == [404, 200]


def test_a_refused_expectation_closes_the_connection_so_that_no_request_is_taken_for_a_body(server: LiveServer) -> None:
    with connect(server) as connection:
        connection.sendall(
            b"POST /v3/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
        )
        (answer,) = parse_answers(read_to_the_end(connection))
    assert answer.status == 404 and answer.headers["Connection"] == "close"


def test_http_1_0_is_never_told_to_continue(server: LiveServer) -> None:
    request = f"POST {SUBMIT} HTTP/1.0\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode()
    with connect(server) as connection:
        connection.sendall(request + b"{}")
        assert read_to_the_end(connection).split()[1] == b"400"


def test_a_client_that_closes_its_side_gets_its_answer(server: LiveServer) -> None:
    body = f'{{"prompt":"x","image":"{picture_uri()}","resolution":"480p","duration":4}}'.encode()
    with connect(server) as connection:
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        connection.shutdown(socket.SHUT_WR)
        (answer,) = parse_answers(read_to_the_end(connection))
    assert answer.status == 200 and answer.json()["id"]
    with connect(server) as connection:
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert read_to_the_end(connection) == b""


@pytest.mark.parametrize("upgrade", ["h2c", "websocket", "TLS/1.0"])
@pytest.mark.parametrize("pause", [False, True])
def test_a_wish_for_another_protocol_is_ignored_and_the_body_is_read(
    server: LiveServer, upgrade: str, pause: bool
) -> None:
    """Java's client asks for h2c in each request."""
    body = b'{"prompt":"x"}'
    wish = f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: AAE\r\n".encode()
    head = POST + wish + b"Content-Length: %d\r\n\r\n" % len(body)
    last = GET + b"Connection: close\r\n\r\n"
    pieces = [head, body + GET + wish + b"\r\n", last] if pause else [head + body + GET + wish + b"\r\n" + last]
    with connect(server) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.1 * pause)
        answers = parse_answers(read_to_the_end(connection))
    assert [answer.status for answer in answers] == [400, 200, 200]
    assert answers[0].json()["message"].startswith("image: is required")


def test_few_requests_may_wait_for_their_answers(server: LiveServer) -> None:
    with connect(server) as connection:
        sender = threading.Thread(target=_send_until_closed, args=(connection, GET + b"\r\n", 20_000))
        sender.start()
        answers = parse_answers(read_to_the_end(connection))
        sender.join()
    assert 1 <= len(answers) <= 20_000 and {answer.status for answer in answers} == {200}
    (alone,) = exchange(server, GET + b"Connection: close\r\n\r\n")
    assert alone.status == 200


def test_a_burst_of_requests_is_answered_up_to_the_limit_and_then_the_connection_ends(server: LiveServer) -> None:
    answers = exchange(server, (GET + b"\r\n") * 200)
    assert len(answers) == PIPELINED + 1 and {answer.status for answer in answers} == {200}
    answers = exchange(server, (GET + b"\r\n") * PIPELINED + GET + b"Connection: close\r\n\r\n")
    assert len(answers) == PIPELINED + 1


def test_junk_behind_a_request_does_not_harm_its_answer(server: LiveServer) -> None:
    answers = exchange(server, GET + b"\r\n\xff\xff\xff\xff")
    assert [answer.status for answer in answers] == [200]


def test_a_head_that_stops_half_way_does_not_end_the_request_before_it(hurried: LiveServer) -> None:
    """The submit takes longer than a head may."""
    image = picture_uri(5000, 5000)
    body = f'{{"prompt":"x","image":"{image}","resolution":"480p","duration":4}}'.encode()
    request = POST + b"Content-Length: %d\r\n\r\n" % len(body) + body
    (answer,) = exchange(hurried, request, GET)
    assert answer.status == 200 and answer.json()["id"]


@pytest.mark.parametrize("size", [300_000, 8_000_000])
def test_a_client_that_reads_nothing_is_cut_off(hurried: LiveServer, size: int) -> None:
    """A short answer fits into the system's buffers, so requests are pipelined until some no longer do."""
    del size
    sent = hurried.submit({"prompt": "x", "image": picture_uri(), "duration": 4, "resolution": "480p"}).json()
    (video,) = hurried.finished(sent["id"])["videos"]
    path = video["video_url"].removeprefix(hurried.url)
    (file,) = hurried.settings.data.glob(f"files/tasks/{sent['id']}/*/clip.mp4")
    assert file.stat().st_size
    with connect(hurried, receive_buffer=4096) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * PIPELINED)
        time.sleep(5)
        received = read_to_the_end(connection)
    assert len(received) < PIPELINED * file.stat().st_size


def test_the_host_in_the_target_counts(server: LiveServer) -> None:
    (foreign,) = exchange(
        server, b"GET http://evil.example/v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert foreign.status == 403
    (own,) = exchange(
        server, b"GET http://localhost/v1/tasks HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    )
    assert own.status == 200


def test_when_all_places_are_taken_connections_that_wait_make_room(tmp_path_factory: pytest.TempPathFactory) -> None:
    places = ConnectionPlaces(file_limit=4096, workers=1, total=4)
    with LiveServer(tmp_path_factory.mktemp("few"), places=places) as few:
        waiting = [connect(few) for _ in range(4)]
        for connection in waiting:
            connection.sendall(GET + b"\r\n")
            assert read_one(connection).status == 200
        for _ in range(8):
            assert few.get("/healthz").status == 200
        assert waiting[0].recv(4096) == b""  # the one that had waited longest
        busy = [connect(few) for _ in range(4)]
        for connection in busy:
            connection.sendall(POST + b"Content-Length: 5000\r\nExpect: 100-continue\r\n\r\n")
            assert connection.recv(4096).split()[1] == b"100"  # its head is whole: it does not make room
        with connect(few) as late:
            (refused,) = parse_answers(read_to_the_end(late))
        assert refused.status == 503 and refused.headers["Retry-After"] and refused.headers["X-Request-Id"]
        for connection in waiting + busy:
            connection.close()
        time.sleep(0.3)
        assert few.get("/healthz").status == 200
        assert places.used <= 1


def test_unfinished_heads_keep_nobody_out(tmp_path_factory: pytest.TempPathFactory) -> None:
    places = ConnectionPlaces(file_limit=4096, workers=1, total=8)
    with LiveServer(tmp_path_factory.mktemp("heads"), places=places) as few:
        held = []
        for number in range(40):
            held.append(connect(few))
            with contextlib.suppress(ConnectionError):  # of three in turn: nothing, a line, a second request's line
                held[-1].sendall((b"", GET, GET + b"\r\n" + GET)[number % 3])
            if number % 5 == 0:
                assert few.get("/healthz").status == 200
        time.sleep(0.3)
        assert places.used == 8
        assert held[0].recv(4096) == b""  # the one whose head was unfinished for longest
        for _ in range(20):
            assert few.get("/healthz").status == 200
        for connection in held:
            connection.close()


def test_a_connection_whose_second_request_is_worked_on_makes_no_room(tmp_path_factory: pytest.TempPathFactory) -> None:
    places = ConnectionPlaces(file_limit=4096, workers=1, total=2)
    body = f'{{"prompt":"x","image":"{picture_uri(5000, 5000)}","resolution":"480p","duration":4}}'.encode()
    with LiveServer(tmp_path_factory.mktemp("second"), places=places) as few, connect(few) as connection:
        connection.sendall(GET + b"\r\n" + POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert read_one(connection).status == 200
        others = [connect(few) for _ in range(6)]
        connection.shutdown(socket.SHUT_WR)
        (answer,) = parse_answers(read_to_the_end(connection))
        assert answer.status == 200 and answer.json()["id"]
        for other in others:
            other.close()


def test_some_descriptors_are_kept_for_everything_else() -> None:
    places = ConnectionPlaces(file_limit=256, workers=1)
    held = [places.take("127.0.0.1", 100) for _ in range(128)]
    with pytest.raises(Busy, match="all the connections"):
        places.take("127.0.0.1", 100)
    for place in held:
        place.release()
    assert places.used == 0
    with pytest.raises(Busy, match="all the files"):  # something else has taken many: numbers are given out in order
        places.take("127.0.0.1", 200)


def test_one_peer_may_have_its_share_only_but_this_machine_may_have_all() -> None:
    places = ConnectionPlaces(file_limit=4096, workers=1, total=40, each=10)
    for number in range(10):
        places.take(f"2001:db8::{number}", 100)
    with pytest.raises(LimitReached, match="Your address"):
        places.take("2001:db8::ffff", 100)
    for _ in range(30):
        places.take("127.0.0.1", 100)
    with pytest.raises(Busy, match="The service has all"):
        places.take("127.0.0.1", 100)


@pytest.mark.parametrize(
    ("peer", "network"),
    [("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
     ("fe80::1%eth0", "fe80::/64"), ("", "")],
)  # fmt: skip
def test_an_address_belongs_to_whom_it_belongs(peer: str, network: str) -> None:
    assert network_of(peer) == network


def _send_until_closed(connection: socket.socket, data: bytes, times: int) -> None:
    with contextlib.suppress(OSError):
        for _ in range(times):
            connection.sendall(data)
