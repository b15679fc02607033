"""Behind proxies: whom they may speak for, and what their callers used."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
import structlog
from starlette.datastructures import Headers

from support.live_server import LiveServer, picture_uri
from vivant.api.forwarding import Forwarding, TrustedProxies, read_hops
from vivant.errors import Misconfigured
from vivant.settings import Settings

PROXIES = TrustedProxies([ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")])


async def seen(peer: str, headers: list[tuple[str, str]], proxies: TrustedProxies = PROXIES) -> tuple[str, str, str]:
    """Client, scheme and host as the application behind the middleware sees them."""
    scopes: list[Any] = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in [("Host", "own"), *headers]]
    scope = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": raw}
    await Forwarding(inside, proxies, links_are_set=True)(scope, None, None)  # type: ignore[arg-type]  # unused
    (scope,) = scopes
    hosts = Headers(scope=scope).getlist("host")
    assert len(hosts) == 1
    return scope["client"][0], scope["scheme"], hosts[0]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], ("10.0.0.1", "http", "own")),
        ([("X-Forwarded-For", "198.51.100.7")], ("198.51.100.7", "http", "own")),
        ([("X-Forwarded-For", "127.0.0.1, 198.51.100.7")], ("198.51.100.7", "http", "own")),
        ([("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "198.51.100.7, 10.2.2.2")],
         ("198.51.100.7", "http", "own")),
        ([("X-Forwarded-For", "10.0.0.9, 10.0.0.8")], ("10.0.0.9", "http", "own")),
        ([("X-Forwarded-For", "198.51.100.7:4711")], ("198.51.100.7", "http", "own")),
        ([("X-Forwarded-For", "[2001:db9::7]:4711")], ("2001:db9::7", "http", "own")),
        ([("X-Forwarded-For", "unknown")], ("unknown", "http", "own")),
        ([("X-Real-Ip", "198.51.100.7")], ("198.51.100.7", "http", "own")),
        ([("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "video.example")],
         ("198.51.100.7", "https", "video.example")),
        ([("X-Forwarded-Proto", "HTTPS")], ("10.0.0.1", "https", "own")),
        ([("X-Forwarded-Proto", "ftp")], ("10.0.0.1", "http", "own")),
        ([("X-Forwarded-Proto", "https, http"), ("X-Forwarded-For", "1.1.1.1, 198.51.100.7")],
         ("198.51.100.7", "http", "own")),
        ([("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "198.51.100.7, 10.2.2.2")],
         ("198.51.100.7", "https", "own")),
        ([("X-Forwarded-Host", "evil.example/x"), ("X-Forwarded-For", "198.51.100.7")],
         ("198.51.100.7", "http", "own")),
        ([("Forwarded", 'for=198.51.100.7;proto=https;host="video.example:8443"')],
         ("198.51.100.7", "https", "video.example:8443")),
        ([("Forwarded", 'For="[2001:db9::7]:1";Proto=HTTPS')], ("2001:db9::7", "https", "own")),
        ([("Forwarded", "for=127.0.0.1;host=evil.example, for=198.51.100.7;proto=https")],
         ("198.51.100.7", "https", "own")),
        ([("Forwarded", "for=198.51.100.7;proto=https;host=a.example, for=10.2.2.2;proto=http;host=b.example")],
         ("198.51.100.7", "https", "a.example")),
        ([("Forwarded", 'for="_hidden, for=127.0.0.1";proto=https')], ("_hidden, for=127.0.0.1", "https", "own")),
    ],
)  # fmt: skip
async def test_the_rightmost_word_of_a_proxy_that_is_trusted_counts(
    headers: list[tuple[str, str]], expected: tuple[str, str, str]
) -> None:
    assert await seen("10.0.0.1", headers) == expected


@pytest.mark.parametrize(
    ("forwarded", "older", "expected"),
    [
        ("for=127.0.0.1;proto=https", {"X-Forwarded-For": "198.51.100.7"}, ("10.0.0.1", "https", "own")),
        ("for=198.51.100.7", {"X-Forwarded-For": "127.0.0.1"}, ("10.0.0.1", "http", "own")),
        ("for=198.51.100.7;proto=https", {"X-Forwarded-Proto": "http"}, ("198.51.100.7", "http", "own")),
        ("proto=https;host=evil.example", {"X-Forwarded-Host": "video.example"}, ("10.0.0.1", "https", "own")),
        ("for=1.1.1.1, for=198.51.100.7;proto=https", {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "HTTPS"},
         ("198.51.100.7", "https", "own")),
    ],
)  # fmt: skip
async def test_where_the_two_kinds_of_headers_contradict_each_other_neither_counts(
    forwarded: str, older: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert await seen("10.0.0.1", [("Forwarded", forwarded), *older.items()]) == expected


@pytest.mark.parametrize("peer", ["127.0.0.1", "11.0.0.1", "::1", "", "unix"])
async def test_nobody_else_is_believed(peer: str) -> None:
    headers = [
        ("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example"),
        ("Forwarded", "for=198.51.100.7;proto=https;host=evil.example"),
    ]  # fmt: skip
    assert await seen(peer, headers) == (peer, "http", "own")


@pytest.mark.parametrize("peer", ["::ffff:10.0.0.1", "2001:db8::5", "10.255.255.255"])
async def test_a_proxy_is_known_by_each_form_of_its_address(peer: str) -> None:
    assert await seen(peer, [("X-Forwarded-Proto", "https")]) == (peer, "https", "own")


@pytest.mark.parametrize("text", ['"' * 1000, "for=" + '"\\' * 5000, "a=b;" * 5000, "," * 5000, "for=\xff", "=;=,;"])
def test_any_text_of_a_header_is_read_in_little_time(text: str) -> None:
    for name in (b"forwarded", b"x-forwarded-for", b"x-forwarded-proto"):
        read_hops(Headers(raw=[(name, text.encode("latin-1"))]))


async def test_a_proxy_that_is_not_trusted_and_says_https_is_reported_once() -> None:
    async def inside(scope: Any, receive: Any, send: Any) -> None: ...

    for links_are_set, lines in ((False, 1), (True, 0)):
        middleware = Forwarding(inside, TrustedProxies(), links_are_set=links_are_set)
        with structlog.testing.capture_logs() as logs:
            for value in (b"http", b"https", b"https"):
                scope = {"type": "http", "client": ("10.0.0.1", 1), "headers": [(b"x-forwarded-proto", value)]}
                await middleware(scope, None, None)  # type: ignore[arg-type]  # unused
        assert [line["log_level"] for line in logs] == ["warning"] * lines
        assert not lines or "VIVANT_PUBLIC_URL" in logs[0]["change"]


def test_links_of_a_caller_behind_a_tls_proxy_are_https(tmp_path_factory: pytest.TempPathFactory) -> None:
    body = {"prompt": "x", "image": picture_uri(), "duration": 4, "resolution": "480p"}
    for trusted, start in (("127.0.0.1", "https://localhost/files/"), ("", "http://127.0.0.1:")):
        with LiveServer(tmp_path_factory.mktemp("proxied"), trusted_proxies=trusted) as server:
            sent = server.submit(body).json()
            server.finished(sent["id"])
            said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost", "X-Forwarded-For": "127.0.0.1"}
            task = server.send("GET", f"/v1/tasks/{sent['id']}", headers=said)
            assert task.json()["video"]["url"].startswith(start)
            said["X-Forwarded-For"] = "198.51.100.7"
            assert server.send("GET", "/v1/tasks", headers=said).status == 403  # open mode is for this machine


@pytest.mark.parametrize("value", ["proxy.internal", "10.0.0.0/33", "10.0.0.256", "*", "10.0.0.1 10.0.0.2"])
def test_what_is_no_address_is_refused_as_a_setting(value: str) -> None:
    with pytest.raises(Misconfigured, match=r"10\.0\.0\.0/8"):
        Settings(trusted_proxies=value)
