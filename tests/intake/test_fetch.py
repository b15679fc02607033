"""The egress guard, tested at the socket: which addresses were connected to, not what was answered."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import pytest

from vivant.errors import Busy, InvalidPicture, LimitReached, Misconfigured, PictureTooManyBytes, PictureUnreachable
from vivant.intake import egress, fetch
from vivant.intake.egress import AllowList, Destination, Egress, FetchRefused, Resolve
from vivant.intake.fetch import Fetcher, resolve_redirect
from vivant.intake.pictures import share_picture_bytes
from vivant.intake.urls import parse_url
from vivant.shares import Shares
from vivant.timings import DEFAULT_TIMINGS, Timings

T = TypeVar("T")
BODY = b"what a picture might be " * 100


class Sockets:
    """The addresses Python connects to, from its audit hook. Connections beyond loopback are recorded and refused."""

    def __init__(self) -> None:
        self.active = False
        self.connected: list[tuple[str, int]] = []
        sys.addaudithook(self._record)

    def _record(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and self.active and arguments[0].family != socket.AF_UNIX:
            address, port = arguments[1][:2]
            self.connected.append((address, port))
            if not address.startswith("127.") and address != "::1":
                raise ConnectionRefusedError("this test connects to nothing")


SOCKETS = Sockets()  # an audit hook cannot be removed


@pytest.fixture
def connected() -> Iterator[list[tuple[str, int]]]:
    SOCKETS.connected.clear()
    SOCKETS.active = True
    yield SOCKETS.connected
    SOCKETS.active = False


def names(**table: list[str]) -> Resolve:
    """A resolver for these names (dots written as _); all others go to the system's."""

    async def resolve(host: str, port: int) -> list[str]:
        known = table.get(host.rstrip(".").replace(".", "_").replace("-", "_"))
        if known is not None:
            return known
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [str(target[0]) for *_, target in found]

    return resolve


def make_fetcher(
    allow: str = "", resolve: Resolve | None = None, timings: Timings = DEFAULT_TIMINGS,
    picture_bytes: Shares | None = None, **options: Any,
) -> Fetcher:  # fmt: skip
    connections = Egress(AllowList.parse(tuple(filter(None, allow.split(",")))), resolve, timings=timings)
    return Fetcher(connections, picture_bytes or share_picture_bytes(), timings=timings, **options)


async def fetch_bytes(url: str, allow: str = "", resolve: Resolve | None = None, **options: Any) -> bytes:
    async with AsyncExitStack() as held:
        return bytes(await make_fetcher(allow, resolve or names(), **options).fetch(url, owner="", reservations=held))


Answer = Callable[[str, dict[str, str]], bytes | AsyncIterator[bytes]]


@asynccontextmanager
async def server(answer: Answer, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """A real HTTP server on loopback; `answer` maps path and headers to raw bytes of the answer."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
            reply = answer(lines[0].split(" ")[1], headers)
            if isinstance(reply, bytes):
                writer.write(reply)
            else:
                async for piece in reply:
                    writer.write(piece)
                    await writer.drain()
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(handle, host, 0)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()
        await running.wait_closed()


def ok(body: bytes = BODY, *headers: str) -> bytes:
    return (
        "HTTP/1.1 200 OK\r\n" + "".join(f"{h}\r\n" for h in headers) + f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def redirect(location: str, status: int = 302) -> bytes:
    return (
        f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n".encode()
    )


# Each of these leads to this machine, its network or a cloud's metadata service.
PAYLOADS = (
    "http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/",
    "http://0x7F.0x0.0x0.0x1/", "http://017700000001/", "http://0177.0.0.1/", "http://0177.0.0.0x1/", "http://127.0.0.1./",
    "http://127.0.0.1:80/", "http://127.0.0.1:443/", "https://127.0.0.1/", "http://127.255.255.254/", "http://0/",
    "http://0.0.0.0/", "http://0x0/", "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://ⓛocalhost/",
    "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://１２７.0.0.1/", "http://127.0.0.1%2f@a.png/", "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::7f00:1]/", "http://[2002:7f00:1::]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "http://[fe80::1]/", "http://[fe80::1%25lo]/", "http://[fec0::1]/",
    "http://[fc00::1]/", "http://[fd00:ec2::254]/", "http://[ff02::1]/", "http://[3fff::1]/", "http://[5f00::1]/",
    "http://169.254.169.254/latest/meta-data/", "http://0xa9fea9fe/", "http://2852039166/", "http://169.254.43518/",
    "http://168.63.129.16/", "http://100.100.100.200/", "http://192.0.0.192/", "http://10.0.0.1/", "http://172.16.0.1/",
    "http://192.168.1.1/", "http://198.18.0.1/", "http://224.0.0.1/", "http://240.0.0.1/", "http://255.255.255.255/",
    "http://192.88.99.1/", "http://rebound.example/", "http://mixed.example/", "http://mixed6.example/",
    "http://mapped.example/", "http://nat64.example/", "http://inside.example./", "http://empty.example/",
    "http://scoped.example/",
)  # fmt: skip
TRAPS = names(
    rebound_example=["127.0.0.1"],
    mixed_example=["93.184.216.34", "10.0.0.1"],
    mixed6_example=["2606:4700:4700::1111", "::1"],
    mapped_example=["::ffff:169.254.169.254"],
    nat64_example=["64:ff9b::a00:1"],
    inside_example=["192.168.0.10"],
    empty_example=[],
    scoped_example=["fe80::1%2"],
)


@pytest.mark.parametrize("url", PAYLOADS)
async def test_no_socket_is_opened_to_what_is_not_public(url: str, connected: list[tuple[str, int]]) -> None:
    with pytest.raises(InvalidPicture, match=r"^(must be an http|the picture could not be fetched)"):
        await fetch_bytes(url, resolve=TRAPS)
    assert connected == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{}/", "http://2130706433:{}/", "http://localhost:{}/", "http://[::1]:{}/"]
)
async def test_other_ports_are_closed_too(url: str, connected: list[tuple[str, int]]) -> None:
    async def run() -> None:
        async with server(lambda path, headers: ok()) as port:
            with pytest.raises(InvalidPicture, match=r"^(must be an http|the picture could not be fetched)"):
                await fetch_bytes(url.format(port))

    await run()
    assert connected == []


@pytest.mark.parametrize("port", [1, 22, 25, 79, 81, 442, 444, 6379, 8080, 65_535])
async def test_public_addresses_are_connected_on_two_ports_only(port: int, connected: list[tuple[str, int]]) -> None:
    with pytest.raises(PictureUnreachable):
        await fetch_bytes(f"http://93.184.216.34:{port}/")
    assert connected == []


async def test_public_addresses_are_connected(connected: list[tuple[str, int]]) -> None:
    for url in ("http://93.184.216.34/", "https://93.184.216.34/", "http://pictures.example/"):
        with pytest.raises(PictureUnreachable):  # the sockets of this test connect to nothing
            await fetch_bytes(url, resolve=names(pictures_example=["93.184.216.35"]))
    assert connected == [("93.184.216.34", 80), ("93.184.216.34", 443), ("93.184.216.35", 80)]


async def test_a_name_is_resolved_once_so_that_rebinding_has_no_effect(connected: list[tuple[str, int]]) -> None:
    asked = 0

    async def rebinding(host: str, port: int) -> list[str]:
        nonlocal asked
        asked += 1
        return ["93.184.216.34"] if asked == 1 else ["127.0.0.1"]

    with pytest.raises(PictureUnreachable):
        await fetch_bytes("http://rebinding.example/", resolve=rebinding)
    assert asked == 1 and set(connected) == {("93.184.216.34", 80)}


@pytest.mark.parametrize(
    "target", [("127.0.0.1", 80), ("::1", 80, 0, 0), ("93.184.216.34", 22), ("::ffff:10.0.0.1", 80, 0, 0)]
)
def test_the_socket_itself_refuses_whatever_was_checked_before(target: tuple[Any, ...]) -> None:
    destination = Destination("good.example", 80, AllowList())
    family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    with pytest.raises(PermissionError):
        destination.open_socket((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", target))
    destination.open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))).close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:{other}/", "//127.0.0.1:{other}/", "http://localhost:{other}/", "http://2130706433:{other}/",
     "http://[::ffff:127.0.0.1]:{other}/", "http://169.254.169.254/", "file:///etc/passwd", "ftp://127.0.0.1/",
     "data:,x", "gopher://127.0.0.1:{other}/", "http://a:b@127.0.0.1:{port}/", "http://[", "http://127.0.0.1:0/"],
)  # fmt: skip
async def test_a_redirect_leads_nowhere_that_a_url_may_not(
    status: int, location: str, connected: list[tuple[str, int]]
) -> None:  # fmt: skip
    async def run() -> int:
        async with server(lambda path, headers: ok()) as other:
            there = location.replace("{other}", str(other))

            def reply(path: str, headers: dict[str, str]) -> bytes:
                return redirect(there.replace("{port}", headers["host"].split(":")[1]), status)

            async with server(reply) as port:
                with pytest.raises(PictureUnreachable):
                    await fetch_bytes(f"http://127.0.0.1:{port}/", allow=f"127.0.0.1:{port}")
                return port

    port = await run()
    assert connected == [("127.0.0.1", port)]


@pytest.mark.parametrize(("hops", "arrives"), [(1, True), (3, True), (4, False), (10, False)])
async def test_three_redirects_are_followed_and_no_more(hops: int, arrives: bool) -> None:
    def reply(path: str, headers: dict[str, str]) -> bytes:
        assert "cookie" not in headers
        left = int(path.strip("/"))
        return redirect(f"/{left - 1}", (301, 302, 303, 307, 308)[left % 5]) if left else ok()

    async def run() -> bytes:
        async with server(reply) as port:
            return await fetch_bytes(f"http://127.0.0.1:{port}/{hops}", allow="127.0.0.0/8")

    if arrives:
        assert await run() == BODY
    else:
        with pytest.raises(PictureUnreachable):
            await run()


@pytest.mark.parametrize(
    ("here", "location", "there"),
    [
        ("https://a.example/x", "http://a.example/y", None),
        ("https://a.example/x", "//b.example/y", "https://b.example/y"),
        ("https://a.example/x", "/y#part", "https://a.example/y"),
        ("http://a.example/x", "https://a.example/y", "https://a.example/y"),
        ("http://a.example/x", None, None),
        ("http://a.example/x", "", None),
        ("http://a.example/x", "http://u@b.example/", None),
        ("http://a.example/x", "mailto:a@b.example", None),
    ],
)
def test_where_redirects_may_lead(here: str, location: str | None, there: str | None) -> None:
    sent = None if location is None else location.encode()
    if there is None:
        with pytest.raises((FetchRefused, ValueError)):
            resolve_redirect(parse_url(here), sent)
    else:
        assert resolve_redirect(parse_url(here), sent) == parse_url(there)


@pytest.mark.parametrize("allow", ["127.0.0.1", "127.0.0.0/8", "127.0.0.1:{}", "10.0.0.0/8,127.0.0.1"])
async def test_the_allow_list_opens_addresses(allow: str) -> None:
    async def run() -> bytes:
        async with server(lambda path, headers: ok()) as port:
            return await fetch_bytes(f"http://127.0.0.1:{port}/a.png", allow=allow.format(port))

    assert await run() == BODY


@pytest.mark.parametrize("allow", ["store.example", "STORE.example.", "store.example:{}"])
async def test_the_allow_list_opens_names(allow: str) -> None:
    async def run() -> bytes:
        async with server(lambda path, headers: ok()) as port:
            return await fetch_bytes(
                f"http://store.example:{port}/", allow=allow.format(port), resolve=names(store_example=["127.0.0.1"])
            )

    assert await run() == BODY


@pytest.mark.parametrize(
    "allow", ["127.0.0.1:1", "127.0.0.2", "other.example", "store.example:1", "10.0.0.0/8", "localhost"]
)
async def test_the_allow_list_opens_nothing_else(allow: str, connected: list[tuple[str, int]]) -> None:
    async def run() -> None:
        async with server(lambda path, headers: ok()) as port:
            for host in ("127.0.0.1", "store.example", "store.example.evil.example"):
                trap = names(store_example=["127.0.0.1"], store_example_evil_example=["127.0.0.1"])
                with pytest.raises(PictureUnreachable):
                    await fetch_bytes(f"http://{host}:{port}/", allow=allow, resolve=trap)

    await run()
    assert connected == []


@pytest.mark.parametrize(
    "entry",
    [
        "http://a.example",
        "10.0.0.1/8",
        "a/b",
        ":80",
        "a.example:port",
        "::1:80x",
        ".",
        "a:b:c",
        "*",
        "*.example",
        "a b",
        "[::1",
        "10.0.0.256",
        "-",
        "a..example",
        "a.example:99999",
        "x" * 64,
    ],
)
def test_an_allow_list_that_makes_no_sense_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(Misconfigured, match="VIVANT_EGRESS_ALLOW"):
        AllowList.parse((entry,))


@pytest.mark.parametrize(
    "entry",
    [
        "::1",
        "[::1]",
        "[::1]:8080",
        "fd00::/8",
        "a.example:8080",
        "a-b.example",
        "minio",
        "10.1.2.3:9000",
        "a.example.",
        "my_store",
        "büro.example",
        "x" * 63,
    ],
)
def test_usual_entries_are_accepted(entry: str) -> None:
    AllowList.parse((entry,))


async def test_a_proxy_in_the_environment_is_ignored(
    connected: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> bytes:
        async with server(lambda path, headers: ok(b"from the proxy")) as proxy, server(lambda p, h: ok()) as port:
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
            return await fetch_bytes(f"http://127.0.0.1:{port}/", allow="127.0.0.1")

    assert await run() == BODY
    assert len(connected) == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 204 None\r\n\r\n",
        b"HTTP/1.1 206 Part\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n", b"", ok(BODY, "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 302 There\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)  # fmt: skip
async def test_answers_without_a_picture_are_one_error_that_tells_nothing(reply: bytes) -> None:
    async def run() -> str:
        async with server(lambda path, headers: reply) as port:
            with pytest.raises(PictureUnreachable) as refused:
                await fetch_bytes(f"http://127.0.0.1:{port}/", allow="127.0.0.1")
            assert str(port) not in str(refused.value)
            return str(refused.value)

    async def nobody() -> str:
        with pytest.raises(PictureUnreachable) as refused:
            await fetch_bytes("http://10.0.0.1/")
        return str(refused.value)

    assert await run() == await nobody()


@pytest.mark.parametrize("length", [True, False], ids=["declared", "streamed"])
async def test_too_many_bytes_are_cut_off(length: bool) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 99999999999\r\n\r\n" if length else b"\r\n")
        while sent < 50_000_000:
            sent += 10_000
            yield bytes(10_000)

    async def run() -> None:
        shares = share_picture_bytes()
        async with server(lambda path, headers: endless()) as port:
            with pytest.raises(PictureTooManyBytes, match="at most 200000 bytes"):
                await fetch_bytes(
                    f"http://127.0.0.1:{port}/", allow="127.0.0.1", picture_bytes=shares, max_bytes=200_000
                )
        assert shares.used == 0

    await run()
    assert sent < 20_000_000


async def test_a_slow_server_times_out() -> None:
    async def drip() -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        while True:
            await asyncio.sleep(0.02)
            yield b"x"

    async with server(lambda path, headers: drip()) as port:
        with pytest.raises(PictureUnreachable):
            await fetch_bytes(f"http://127.0.0.1:{port}/", allow="127.0.0.1", timings=Timings(fetch_within=0.3))


async def test_fetched_bytes_count_against_the_share() -> None:
    shares = share_picture_bytes(len(BODY) + 10, each=len(BODY) + 10)
    async with server(lambda path, headers: ok()) as port:
        url = f"http://127.0.0.1:{port}/"
        fetcher = make_fetcher("127.0.0.1", picture_bytes=shares)
        async with AsyncExitStack() as held:
            await fetcher.fetch(url, owner="", reservations=held)
            assert shares.used == len(BODY)
            async with AsyncExitStack() as second:
                with pytest.raises(Busy):
                    await fetcher.fetch(url, owner="", reservations=second)
        assert shares.used == 0


async def test_slow_servers_take_up_the_places_of_one_key_only() -> None:
    release = asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        await release.wait()
        yield ok()

    async with (
        server(lambda path, headers: waiting() if path == "/slow" else ok()) as port,
        AsyncExitStack() as held,
        asyncio.timeout(20),
    ):
        fetcher, url = make_fetcher("127.0.0.1"), f"http://127.0.0.1:{port}"

        def start(owner: str, count: int) -> list[asyncio.Task[bytearray]]:
            return [
                asyncio.create_task(fetcher.fetch(f"{url}/slow", owner=owner, reservations=held)) for _ in range(count)
            ]

        running = start("evil", 64)
        await asyncio.sleep(0.3)
        refused = [task.exception() for task in running if task.done()]
        assert len(refused) == 64 - fetch.AT_ONCE_EACH and {type(error) for error in refused} == {LimitReached}
        assert await fetcher.fetch(f"{url}/ok", owner="good", reservations=held) == BODY

        for owner in range(fetch.AT_ONCE // fetch.AT_ONCE_EACH - 1):
            running += start(f"other {owner}", fetch.AT_ONCE_EACH)
        await asyncio.sleep(0.3)
        with pytest.raises(Busy):  # all places are taken, by four keys
            await fetcher.fetch(f"{url}/ok", owner="good", reservations=held)
        release.set()
        results = await asyncio.gather(*running, return_exceptions=True)
        assert sum(isinstance(result, bytearray) for result in results) == fetch.AT_ONCE
        assert await fetcher.fetch(f"{url}/ok", owner="good", reservations=held) == BODY


async def test_a_name_server_that_never_answers_delays_one_key_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that ask for a name cannot be ended, so a key whose threads hang gets no more of them."""
    release = threading.Event()
    asked: list[str] = []
    real = socket.getaddrinfo

    def stuck(host: str, *rest: Any, **options: Any) -> Any:
        if host.endswith(".stuck.example"):
            asked.append(host)
            release.wait(20)
            raise socket.gaierror("at last")
        return real(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", stuck)

    async def run() -> None:
        fetcher = make_fetcher("localhost", timings=Timings(fetch_within=0.5))
        async with server(lambda path, headers: ok()) as port, AsyncExitStack() as held:
            for _ in range(3):
                waiting = [
                    fetcher.fetch(f"http://{n}.stuck.example/", owner="evil", reservations=held) for n in range(40)
                ]
                tasks = [asyncio.create_task(fetch) for fetch in waiting]
                await asyncio.sleep(0.05)
                assert await asyncio.to_thread(lambda: "free") == "free"
                assert await fetcher.fetch(f"http://localhost:{port}/", owner="good", reservations=held) == BODY
                results = await asyncio.gather(*tasks, return_exceptions=True)
                assert {type(result) for result in results} <= {PictureUnreachable, LimitReached}
            assert len(asked) == egress.LOOKUPS_EACH

    try:
        await run()
    finally:
        release.set()


def test_the_systems_resolver_is_asked_as_usual() -> None:
    assert "127.0.0.1" in egress.look_up("localhost", 80) or "::1" in egress.look_up("localhost", 80)
    assert egress.look_up("2130706433", 80) == ["127.0.0.1"]
    for wrong in ("a" * 70 + ".example", "a\0b"):
        with pytest.raises((OSError, ValueError)):
            egress.look_up(wrong, 80)


def test_certificates_are_checked() -> None:
    context = egress.tls_context()
    assert context.check_hostname and context.verify_mode.name == "CERT_REQUIRED"


async def test_no_cookies_or_credentials_are_sent() -> None:
    seen: dict[str, str] = {}

    def reply(path: str, headers: dict[str, str]) -> bytes:
        seen.update(headers)
        return ok()

    async def run() -> None:
        async with server(reply) as port:
            await fetch_bytes(f"http://127.0.0.1:{port}/p?q=1#part", allow="127.0.0.1")

    await run()
    seen.pop("")
    assert set(seen) == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert seen["accept-encoding"] == "identity" and seen["user-agent"] == "vivant"


async def test_of_very_many_addresses_a_few_are_tried(connected: list[tuple[str, int]]) -> None:
    many = names(many_example=[f"93.184.216.{n}" for n in range(200)])
    with pytest.raises(PictureUnreachable):
        await fetch_bytes("http://many.example/", resolve=many)
    assert len(connected) == egress.ADDRESSES
