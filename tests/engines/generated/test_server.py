"""Calls to a server behind an engine: each ends in time, takes no more than it may, and tells no secrets."""

from __future__ import annotations

import email
import email.policy
import gzip
import itertools
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from support.raw_peer import RawPeer, Script, answer, raw_peer
from support.silent_server import SilentServer
from vivant.engines.generated import connections
from vivant.engines.generated.server import (
    FilePart,
    Patience,
    Server,
    ServerRefused,
    ServerUnreachable,
    UnusableAnswer,
)
from vivant.errors import EngineFailed, Misconfigured, ScratchFailed, Stopped

KEY: Final = "sk-very-secret-0123456789"
SHORT: Final = Patience(connect=1.0, call=1.5, quiet=0.8, film=1.5)
OPEN_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


def go_on() -> None:
    """A check that never stops the work."""


def never(connection: socket.socket, request: bytes) -> None:
    connection.recv(1)  # until the test closes it


def begin_with(start: bytes) -> Script:
    def play(connection: socket.socket, request: bytes) -> None:
        connection.sendall(start)
        never(connection, request)

    return play


def drip(start: bytes, drop: bytes) -> Script:
    def play(connection: socket.socket, request: bytes) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(drop)
            time.sleep(0.05)

    return play


STALLS: Final[dict[str, Script]] = {
    "no answer": never,
    "half a status line": begin_with(b"HTTP/1.1 2"),
    "nothing after the head": begin_with(OPEN_HEAD),
    "nothing after a byte": begin_with(OPEN_HEAD + b"{"),
    "headers that drip": drip(b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "a body that drips": drip(OPEN_HEAD, b" "),
    "interim answers without end": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunks that drip": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a size of a chunk that drips": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
}


class StopAfter:
    """A check that raises Stopped after so many seconds, and knows the longest time between two of its calls."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._last = time.monotonic()
        self.longest = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        self.longest, self._last = max(self.longest, now - self._last), now
        if now > self._until:
            raise Stopped


# -- whatever the peer does -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", STALLS)
def test_a_call_is_left_at_once_when_the_work_is_stopped(how: str) -> None:
    with raw_peer(STALLS[how]) as peer:
        check = StopAfter(0.6)
        started = time.monotonic()
        with pytest.raises(Stopped):
            Server(peer.url).get_json("/", check=check)
        assert time.monotonic() - started < 1.6
        assert check.longest < 0.5


@pytest.mark.parametrize("how", STALLS)
def test_a_call_ends_at_its_deadline(how: str) -> None:
    with raw_peer(STALLS[how]) as peer:
        started = time.monotonic()
        with pytest.raises(EngineFailed, match=r"did not answer within|was silent for"):
            Server(peer.url, patience=SHORT).get_json("/", check=go_on)
        assert time.monotonic() - started < 4


@pytest.mark.parametrize("how", STALLS)
def test_a_download_ends_at_its_deadline_and_leaves_nothing(how: str, tmp_path: Path) -> None:
    with raw_peer(STALLS[how]) as peer:
        started = time.monotonic()
        with pytest.raises(EngineFailed):
            Server(peer.url, patience=SHORT).download("/film", tmp_path / "film", check=go_on)
        assert time.monotonic() - started < 4
    assert list(tmp_path.iterdir()) == []


def test_a_peer_that_accepts_nobody_is_given_up() -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listening.getsockname()[1]
    waiting = []
    for _ in range(4):  # the system takes one or two into the backlog
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        waiting.append(filler)
    try:
        started = time.monotonic()
        with pytest.raises(ServerUnreachable) as caught:
            Server(f"http://127.0.0.1:{port}", patience=SHORT).get_json("/", check=go_on)
        assert time.monotonic() - started < 2.0
        assert not caught.value.sent
        check = StopAfter(0.3)
        with pytest.raises(Stopped):
            Server(f"http://127.0.0.1:{port}").get_json("/", check=check)
    finally:
        for one in (*waiting, listening):
            one.close()


def test_a_name_server_that_hangs_is_given_up() -> None:
    hang = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        hang.wait(5)
        return []

    started = time.monotonic()
    with pytest.raises(ServerUnreachable, match="could not be resolved in time"):
        Server("http://video.example", patience=SHORT, resolve=resolve).get_json("/", check=go_on)
    assert time.monotonic() - started < 2.0
    with pytest.raises(Stopped):
        Server("http://video.example", resolve=resolve).get_json("/", check=StopAfter(0.3))
    hang.set()


def test_nobody_at_the_port_is_said_in_words_and_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(ServerUnreachable, match="Connection refused") as caught:
        Server(f"http://127.0.0.1:{port}").get_json("/", check=go_on)
    assert not caught.value.sent


def test_an_upload_that_nobody_reads_is_left_and_may_have_arrived() -> None:
    with SilentServer() as silent:
        server = Server(f"http://127.0.0.1:{silent.port}", patience=SHORT)
        big = FilePart("film", "film.bin", bytes(32 * 2**20), "application/octet-stream")
        with pytest.raises(ServerUnreachable) as caught:
            server.post_form("/", {}, [big], check=go_on)
        assert caught.value.sent
        with pytest.raises(Stopped):
            server.post_form("/", {}, [big], check=StopAfter(0.3))


@pytest.mark.parametrize(
    "script",
    [
        lambda c, r: None,
        lambda c, r: c.sendall(b"HTTP/1.1 200"),
        lambda c, r: c.sendall(OPEN_HEAD),
        lambda c, r: c.sendall(OPEN_HEAD + b'{"id": '),
        lambda c, r: c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        lambda c, r: c.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"),
        lambda c, r: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n"),
        lambda c, r: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 9\r\n\r\nabc"),
    ],
    ids=[
        "at once",
        "in the status",
        "after the head",
        "in the body",
        "in a chunk",
        "not HTTP",
        "-3 bytes",
        "2 lengths",
    ],
)
def test_an_answer_that_breaks_off_is_a_server_that_cannot_be_reached(script: Script) -> None:
    with raw_peer(script) as peer, pytest.raises(ServerUnreachable) as caught:
        Server(peer.url).post_json("/", {}, check=go_on)
    assert caught.value.sent


# -- bounds of what is taken ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"{", b'{"a": NaN}', b"[" * 200_000, b"\xff\xfe\x00", b"1" * 5000, b'"\\ud800'],
    ids=["a page", "half", "NaN", "deep", "no text", "a long number", "an open text"],
)
def test_nonsense_instead_of_json_is_said_in_words(body: bytes) -> None:
    with raw_peer(answer(body)) as peer, pytest.raises(UnusableAnswer, match="not JSON"):
        Server(peer.url).get_json("/", check=go_on)


def pour(head: bytes, block: bytes) -> Script:
    def play(connection: socket.socket, request: bytes) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(block)

    return play


@pytest.mark.parametrize(
    "script",
    [
        answer(b'"' + b"a" * 3_000_000 + b'"'),
        pour(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b" " * 65536),
        pour(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 1000),
        pour(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100),
    ],
    ids=["long", "without end", "small chunks without end", "early hints without end"],
)
def test_an_answer_that_is_too_long_is_cut_off(script: Script) -> None:
    with raw_peer(script) as peer:
        started = time.monotonic()
        with pytest.raises(UnusableAnswer, match="1,000,000 bytes"):
            Server(peer.url).get_json("/", check=go_on, most_bytes=1_000_000)
        assert time.monotonic() - started < 10


def test_headers_without_end_are_cut_off() -> None:
    script = pour(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"a" * 4000 + b"\r\n")
    with raw_peer(script) as peer, pytest.raises((UnusableAnswer, ServerUnreachable)):
        Server(peer.url).get_json("/", check=go_on)


def test_what_is_compressed_is_refused_before_it_is_read() -> None:
    bomb = gzip.compress(bytes(50 * 2**20))
    with raw_peer(answer(bomb, head=b"Content-Encoding: gzip\r\n")) as peer:
        with pytest.raises(UnusableAnswer, match="compressed"):
            Server(peer.url).get_json("/", check=go_on)
        assert b"accept-encoding: identity" in peer.requests[0].lower()


def test_a_redirect_is_not_followed() -> None:
    with raw_peer(answer(b"{}")) as other:
        head = f"Location: {other.url}/\r\n".encode()
        for status in ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            with raw_peer(answer(b"", status=status, head=head)) as peer:
                with pytest.raises(ServerRefused, match="redirects, which is not followed") as caught:
                    Server(peer.url, key=KEY).post_json("/", {}, check=go_on)
                assert caught.value.status == int(status[:3])
        assert other.requests == []


def test_a_status_is_told_with_the_server_s_words() -> None:
    said = {
        b'{"error": {"message": "the queue is full", "code": 3}}': "the queue is full",
        b'{"detail": [{"loc": ["body"], "msg": "size is missing"}]}': "size is missing",
        b'{"error": "invalid json"}': "invalid json",
        b"no room\n\x1b[31m": "no room [31m",
        b"<html><body>502</body></html>": "Bad Gateway",
        b"": "Bad Gateway",
        b"[" * 100_000: "[[[",
    }
    for body, words in said.items():
        with raw_peer(answer(body, status="502 x")) as peer:
            with pytest.raises(ServerRefused) as caught:
                Server(peer.url).get_json("/", check=go_on)
            assert words in str(caught.value)
            assert len(str(caught.value)) < 500 and str(caught.value).isprintable()


def test_the_whole_answer_of_a_refusal_is_kept_when_it_is_json() -> None:
    script = answer(b'{"id": "v1", "status": "failed"}', status="500 x")
    with raw_peer(script) as peer, pytest.raises(ServerRefused) as caught:
        Server(peer.url).get_json("/", check=go_on)
    assert caught.value.answer == {"id": "v1", "status": "failed"}


# -- secrets ----------------------------------------------------------------------------------------------------------


def echo(connection: socket.socket, request: bytes) -> None:
    said = json.dumps({"error": request.decode("latin-1")[:300]}).encode()
    answer(said, status="400 Bad Request")(connection, request)


def test_a_server_that_repeats_our_headers_puts_no_secret_into_a_message() -> None:
    with raw_peer(echo) as peer:
        server = Server(peer.url, key=KEY, headers={"X-Token": "another-secret-42"})
        with pytest.raises(ServerRefused) as caught:
            server.get_json("/", check=go_on)
        assert KEY.encode() in peer.requests[0] and b"another-secret-42" in peer.requests[0]
        assert KEY not in str(caught.value) and "another-secret-42" not in str(caught.value)
        assert peer.url not in str(caught.value)


@pytest.mark.parametrize("key", ["two\nlines", "ключ", "a\r\nX: y"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Server("http://127.0.0.1:1", key=key)
    assert key not in str(caught.value)


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://h", "http://", "http://u:p@h", "http://h?x", "http://h#x"])
def test_what_is_no_server_s_address_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured):
        Server(url)


# -- where a film may lie ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["http://127.0.0.1:{port}/x", "http://[::1]:{port}/x", "http://localhost:{port}/x"])
def test_a_film_at_an_address_that_is_not_public_is_not_fetched(where: str, tmp_path: Path) -> None:
    with raw_peer(answer(b"secret")) as inside, raw_peer(answer(b"")) as peer:
        with pytest.raises(UnusableAnswer, match="not a public one"):
            Server(peer.url).download(where.format(port=inside.port), tmp_path / "film", check=go_on)
        assert inside.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fe80::1",
    ],
)
def test_a_name_that_leads_inside_is_not_connected_to(address: str, tmp_path: Path) -> None:
    for addresses in ([address], ["1.1.1.1", address]):  # one that is not public suffices
        server = Server("http://127.0.0.1:9", resolve=lambda host, port, found=addresses: found)  # type: ignore[misc]
        with pytest.raises(UnusableAnswer, match="not a public one"):
            server.download("https://films.example/a.mp4", tmp_path / "film", check=go_on)


def test_a_name_that_changes_its_addresses_is_looked_up_once(tmp_path: Path) -> None:
    answers = itertools.chain([["192.0.2.1"]], itertools.repeat(["127.0.0.1"]))
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    server = Server("http://127.0.0.1:9", resolve=resolve, patience=SHORT)
    with pytest.raises(UnusableAnswer):
        server.download("http://films.example/a.mp4", tmp_path / "film", check=go_on)
    assert asked == ["films.example"]


@pytest.mark.parametrize("where", ["file:///etc/passwd", "ftp://h/x", "http://u:p@h/x", "data:,x", "http://", "x", ""])
def test_a_film_at_what_is_no_web_address_is_not_fetched(where: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableAnswer):
        Server("http://127.0.0.1:9").download(where, tmp_path / "film", check=go_on)


def test_a_film_at_the_server_itself_is_fetched_with_the_key(tmp_path: Path) -> None:
    with raw_peer(answer(b"a film")) as peer:
        Server(peer.url, key=KEY).download(f"{peer.url}/films/1?a=%2F", tmp_path / "film", check=go_on)
        assert (tmp_path / "film").read_bytes() == b"a film"
        assert KEY.encode() in peer.requests[0]
        assert peer.requests[0].startswith(b"GET /films/1?a=%2F HTTP/1.1")


# -- downloads --------------------------------------------------------------------------------------------------------


def test_a_film_has_its_name_when_it_is_complete_and_not_before(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def slow(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        time.sleep(0.3)
        seen.append([path.name for path in tmp_path.iterdir()])
        connection.sendall(b"world")

    with raw_peer(slow) as peer:
        Server(peer.url).download("/film", tmp_path / "film.mp4", check=go_on)
    assert seen == [[".film.mp4.part"]]
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    assert (tmp_path / "film.mp4").read_bytes() == b"helloworld"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (answer(b""), "empty"),
        (answer(b"a" * 2000), "2,000 bytes"),
        (pour(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"a" * 4096), "1,000 bytes"),
        (pour(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\naaaaa\r\n"), "1,000 bytes"),
        (lambda c, r: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nabc"), "broke"),
        (answer(b'{"detail": "not yet"}', status="404 Not Found"), "not yet"),
    ],
    ids=["empty", "announced", "poured", "chunked", "short", "absent"],
)
def test_a_film_that_cannot_be_taken_leaves_nothing(script: Script, words: str, tmp_path: Path) -> None:
    with raw_peer(script) as peer, pytest.raises(EngineFailed, match=words):
        Server(peer.url).download("/film", tmp_path / "film", check=go_on, most_bytes=1000)
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_cannot_be_written_is_a_failure_of_this_machine(tmp_path: Path) -> None:
    with raw_peer(answer(b"a film")) as peer, pytest.raises(ScratchFailed):
        Server(peer.url).download("/film", tmp_path / "no such folder" / "film", check=go_on)


# -- what is sent -----------------------------------------------------------------------------------------------------


def test_a_form_has_its_fields_and_files_in_order() -> None:
    with raw_peer(answer(b'{"ok": true}')) as peer:
        files = [FilePart("ref", f"{n}.png", bytes([n]) * 5, "image/png") for n in (1, 2)]
        server = Server(peer.url + "/base/")
        assert server.post_form("/v1/videos", {"prompt": 'Ein "Hügel"\n', "seed": "7"}, files, check=go_on) == {
            "ok": True
        }
        head, _, body = peer.requests[0].partition(b"\r\n")
        assert head == b"POST /base/v1/videos HTTP/1.1"
        parts: Any = email.message_from_bytes(body, policy=email.policy.HTTP)
        got = [
            (part.get_param("name", header="content-disposition"), part.get_filename(), part.get_payload(decode=True))
            for part in parts.iter_parts()
        ]
        assert got == [
            ("prompt", None, 'Ein "Hügel"\n'.encode()),
            ("seed", None, b"7"),
            ("ref", "1.png", b"\x01" * 5),
            ("ref", "2.png", b"\x02" * 5),
        ]


def test_json_and_deletes_are_sent_and_an_empty_answer_is_none() -> None:
    with raw_peer(answer(b"", status="204 No Content"), answer(b'{"a": 1}')) as peer:
        server = Server(peer.url)
        assert server.delete("/v1/videos/3", check=go_on) is None
        assert server.post_json("/v1", {"prompt": "山"}, check=go_on) == {"a": 1}
        assert peer.requests[0].startswith(b"DELETE /v1/videos/3 HTTP/1.1\r\n")
        assert json.loads(peer.requests[1].partition(b"\r\n\r\n")[2]) == {"prompt": "山"}


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a self-signed certificate for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("this machine has no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=video.example", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


@pytest.fixture
def fresh_context() -> Iterator[None]:
    connections.tls_context.cache_clear()
    yield
    connections.tls_context.cache_clear()


def over_tls(certificate: Path, script: Script) -> Script:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def play(connection: socket.socket, request: bytes) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            script(secured, b"")

    return play


class TlsPeer(RawPeer):
    """A peer whose scripts see the connection before anything was read from it."""

    def _serve(self, connection: socket.socket, script: Script) -> None:
        try:
            script(connection, b"")
        except OSError:
            connection.close()


@pytest.mark.usefixtures("fresh_context")
def test_https_is_spoken_to_a_server_whose_certificate_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    peer = TlsPeer(over_tls(certificate, answer(b'{"a": 1}')), over_tls(certificate, answer(b"film" * 500_000)))
    server = Server(f"https://127.0.0.1:{peer.port}", key=KEY)
    assert server.get_json("/", check=go_on) == {"a": 1}
    server.download("/film", tmp_path / "film", check=go_on)
    assert (tmp_path / "film").read_bytes() == b"film" * 500_000
    peer.close()


@pytest.mark.usefixtures("fresh_context")
def test_a_certificate_that_is_not_trusted_is_said_in_words(certificate: Path) -> None:
    peer = TlsPeer(over_tls(certificate, answer(b"{}")))
    with pytest.raises(ServerUnreachable, match=r"No secure connection.*self-signed") as caught:
        Server(f"https://127.0.0.1:{peer.port}", key=KEY).get_json("/", check=go_on)
    assert not caught.value.sent
    peer.close()


def test_a_handshake_that_hangs_is_left() -> None:
    peer = TlsPeer(never)
    with pytest.raises(ServerUnreachable):
        Server(f"https://127.0.0.1:{peer.port}", patience=SHORT).get_json("/", check=go_on)
    with pytest.raises(Stopped):
        Server(f"https://127.0.0.1:{peer.port}").get_json("/", check=StopAfter(0.3))
    peer.close()
