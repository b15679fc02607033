"""What a request's head may say: one Host, no unknown expectation, and any number of slashes at the path's start."""

from __future__ import annotations

import pytest

from support.live_server import RESULT, SUBMIT, LiveServer
from support.raw_http import connect, exchange, read_to_the_end


@pytest.mark.parametrize("slashes", ["//", "///", "////////"])
def test_several_slashes_at_the_start_of_a_path_are_one(server: LiveServer, slashes: str) -> None:
    for method, path, status in (
        ("POST", SUBMIT, 400), ("GET", RESULT + "?task_id=x", 404), ("GET", "/v1/tasks", 200), ("GET", "/healthz", 200),
        ("GET", "/v3/nothing", 404), ("GET", "/v3", 404), ("GET", "/files/x/1/clip.mp4", 403),
    ):  # fmt: skip
        response = server.send(method, slashes + path[1:])
        assert response.status == status, (method, path)
        if path.startswith("/v3"):
            assert set(response.json()) == {"code", "reason", "message", "metadata"}


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.example"]])
def test_a_request_without_exactly_one_host_is_refused(server: LiveServer, hosts: list[str]) -> None:
    head = "".join(f"Host: {host}\r\n" for host in hosts).encode()
    (refused,) = exchange(server, b"GET /v1/tasks HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n")
    assert refused.status == 400 and "Host" in refused.json()["detail"] and refused.json()["request_id"]
    (flat,) = exchange(server, b"GET " + RESULT.encode() + b" HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n")
    assert flat.status == 400 and flat.json()["reason"] == "INVALID_REQUEST_BODY"


def test_http_1_0_needs_no_host(server: LiveServer) -> None:
    (answer,) = exchange(server, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert answer.status == 200


@pytest.mark.parametrize("expectation", ["200-ok", "100-continue, x", "x"])
def test_an_expectation_that_nobody_knows_is_417(server: LiveServer, expectation: str) -> None:
    assert server.send("GET", "/v1/tasks", headers={"Expect": expectation}).status == 417
    response = server.send("POST", SUBMIT, b"{}", {"Expect": expectation})
    assert response.status == 417 and response.json()["reason"] == "INVALID_REQUEST_BODY"


@pytest.mark.parametrize("target", ["http://[x", "http:///x", "http://a:99999/"])
def test_a_target_that_cannot_be_read_is_refused_in_words(server: LiveServer, target: str) -> None:
    with connect(server) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = read_to_the_end(connection)
    assert int(answer.split()[1]) == 400
    assert b"target or one of its headers cannot be read" in answer
