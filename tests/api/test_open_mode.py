"""Without a key only programs on this machine may call: no other host, page of another site or client of a proxy."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from starlette.requests import Request

from support.live_server import RESULT, SUBMIT, LiveServer, picture_uri
from vivant.api.context import Context
from vivant.api.error_handler import handle_error
from vivant.api.open_mode import OpenModeGuard, is_loopback
from vivant.settings import Settings
from vivant.timings import DEFAULT_TIMINGS

UNKNOWN = RESULT + "?task_id=x"  # 404 for an allowed host, 403 for another


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer anything", "sk_bare", "bearer x", "Basic dTpw"])
def test_any_bearer_or_none_is_accepted(server: LiveServer, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    assert server.get(UNKNOWN, **headers).status == 404


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:1", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:80", "127.8.9.1:1", "[::1]", "[::1]:8000",
     "[::ffff:127.0.0.1]"],
)  # fmt: skip
def test_names_of_this_machine_are_accepted(server: LiveServer, host: str) -> None:
    assert server.get(UNKNOWN, Host=host).status == 404


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example#127.0.0.1",
     "x@127.0.0.1", "10.0.0.1", "0.0.0.0", "", "[::2]", "127.0.0.1:99999", "2130706433", "127.1", "local host", "[::1"],
)  # fmt: skip
@pytest.mark.parametrize("path", [UNKNOWN, "/v1/tasks", "/files/a/1/clip.mp4", "/readyz"])
def test_a_foreign_host_header_is_refused(server: LiveServer, host: str, path: str) -> None:
    """DNS rebinding: a page's host name resolves to loopback, and the browser sends that name as Host."""
    response = server.get(path, Host=host)
    assert response.status == 403 and b"VIVANT_PUBLIC_URL" in response.body
    if path == UNKNOWN:
        assert response.json()["reason"] == "API_NOT_ALLOWED"


def test_health_answers_under_any_name(server: LiveServer) -> None:
    assert server.get("/healthz", Host="10.2.3.4:8000").status == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_page_of_another_site_cannot_submit_blind(server: LiveServer, headers: dict[str, str]) -> None:
    body = {"prompt": "x", "image": picture_uri()}
    before = len(server.get("/v1/tasks?limit=100").json()["tasks"])
    for content in ("application/json", "text/plain"):
        response = server.send("POST", SUBMIT, str(body).encode(), {**headers, "Content-Type": content})
        assert response.status == 403
    assert len(server.get("/v1/tasks?limit=100").json()["tasks"]) == before


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://localhost:3000"}, {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"},
     {"Sec-Fetch-Site": "none"}],
)  # fmt: skip
def test_a_page_of_this_machine_can(server: LiveServer, headers: dict[str, str]) -> None:
    response = server.send("POST", SUBMIT, b"{}", headers)
    assert response.status == 400 and response.json()["reason"] == "INVALID_REQUEST_BODY"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"X-Forwarded-For": "203.0.113.9"}, 403), ({"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}, 403),
     ({"X-Real-Ip": "203.0.113.9"}, 403), ({"X-Forwarded-For": "garbage"}, 403),
     ({"X-Forwarded-For": "127.0.0.1"}, 404), ({"Forwarded": "for=127.0.0.1;proto=http"}, 404),
     ({"Forwarded": "for=203.0.113.9"}, 403), ({"Forwarded": 'proto=http;For="[2001:db8::1]"'}, 403),
     ({"Forwarded": "for=127.0.0.1, for=unknown"}, 403), ({"Forwarded": 'for="[::1]"'}, 404)],
)  # fmt: skip
def test_requests_forwarded_by_a_proxy_are_refused(server: LiveServer, headers: dict[str, str], status: int) -> None:
    assert server.send("GET", UNKNOWN, headers=headers).status == status


@pytest.mark.parametrize(
    "client", [("10.0.0.9", 1), ("192.168.1.2", 1), ("::2", 1), ("fe80::1%eth0", 1), ("name", 1), None]
)
async def test_other_machines_are_refused_whatever_they_say(client: Any) -> None:
    assert await status_for(client, {"host": "localhost"}) == 403


@pytest.mark.parametrize("client", [("127.0.0.1", 1), ("127.3.2.1", 1), ("::1", 1), ("::ffff:127.0.0.1", 1)])
async def test_this_machine_is_accepted(client: Any) -> None:
    assert await status_for(client, {"host": "localhost"}) == 200


async def test_the_host_of_the_public_url_is_accepted() -> None:
    for host, status in (("vivant.lan", 200), ("VIVANT.lan:8443", 200), ("other.lan", 403)):
        assert await status_for(("127.0.0.1", 1), {"host": host}, public_url="https://vivant.lan:8443") == status


def test_two_host_headers_or_none_are_refused(server: LiveServer) -> None:
    for hosts in (b"", b"Host: localhost\r\nHost: evil.example\r\n", b"Host: evil.example\r\nHost: localhost\r\n"):
        with socket.create_connection(("127.0.0.1", int(server.host.split(":")[1])), 10) as raw:
            raw.sendall(b"GET /v1/tasks HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")
            assert raw.recv(100).split()[1] in (b"403", b"400")


async def status_for(client: Any, headers: dict[str, str], public_url: str = "") -> int:
    """What the guard answers; 200 stands for the application behind it. Only `is_open` of the service is asked."""

    class AnOpenService:
        settings = Settings(public_url=public_url)
        timings = DEFAULT_TIMINGS

        async def is_open(self) -> bool:
            return True

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    context = Context(AnOpenService())  # type: ignore[arg-type]  # all that the guard asks of a service
    guard = OpenModeGuard(inside, context=context, refuse=handle_error)
    scope = {
        "type": "http", "method": "GET", "path": "/v1/tasks", "query_string": b"", "client": client,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    assert Request(scope).method == "GET"
    await guard(scope, None, send)  # type: ignore[arg-type]  # the guard reads no body
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.0.0", "256.0.0.1", "::ffff:10.0.0.1", "0.0.0.0", "10.0.0.1", "x"]
)
def test_what_is_not_loopback(text: str) -> None:
    assert not is_loopback(text)
