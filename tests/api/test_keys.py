"""With keys: requests without one are refused, and no key sees the tasks of another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.live_server import RESULT, SUBMIT, LiveServer, picture_uri
from support.raw_http import connect, read_to_the_end
from vivant.cli.options import open_record
from vivant.record import keys


def make_key(data: Path, name: str) -> str:
    """As `vivant keys create` does."""
    with open_record(data) as connection:
        return keys.create(connection, name=name, now=datetime.now(UTC))[1]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, str, str]]:
    """A service with two keys, made before it started."""
    data = tmp_path_factory.mktemp("keys")
    ann, bob = make_key(data, "ann"), make_key(data, "bob")
    with LiveServer(data) as server:
        yield server, ann, bob


ROUTES = [
    ("POST", SUBMIT),
    ("GET", RESULT + "?task_id=x"),
    ("GET", RESULT + "/x"),
    ("GET", "/v1/tasks"),
    ("GET", "/v1/tasks/x"),
    ("POST", "/v1/tasks/x/cancel"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_key_and_a_wrong_key_are_refused(guarded: tuple[LiveServer, str, str], method: str, path: str) -> None:
    server, ann, _ = guarded
    novita = path.startswith("/v3")
    for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}):
        response = server.send(method, path, headers=headers)
        assert response.status == (400 if novita else 401)
        assert response.json()["reason" if novita else "code"] == ("MISSING_API_KEY" if novita else "MISSING_KEY")
    for wrong in (
        "sk_wrong",
        ann[:-1],
        ann[:-1] + ("0" if ann[-1] != "0" else "1"),
        ann + "0",
        ann.upper(),
        "\xff",
        f"x {ann}",
    ):
        response = server.send(method, path, headers={"Authorization": f"Bearer {wrong}"})
        assert response.status == (403 if novita else 401)
        assert response.json()["reason" if novita else "code"] == ("INVALID_API_KEY" if novita else "UNKNOWN_KEY")


@pytest.mark.parametrize(("path", "status"), [(RESULT + "?task_id=x", 403), ("/v1/tasks", 401)])
def test_two_keys_in_one_request_are_refused(guarded: tuple[LiveServer, str, str], path: str, status: int) -> None:
    """Proxies and servers disagree on which one counts."""
    server, ann, bob = guarded
    lines = "".join(f"Authorization: Bearer {key}\r\n" for key in (ann, bob))
    with connect(server) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n".encode())
        answer = read_to_the_end(connection)
    assert int(answer.split()[1]) == status and b"send one" in answer


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {}", "{}"])
def test_the_key_is_accepted_with_scheme_and_bare(guarded: tuple[LiveServer, str, str], form: str) -> None:
    server, ann, _ = guarded
    assert server.get(RESULT + "?task_id=x", Authorization=form.format(ann)).status == 404


def test_a_body_is_not_read_before_the_key_was_seen(guarded: tuple[LiveServer, str, str]) -> None:
    server, _, _ = guarded
    response = server.send("POST", SUBMIT, None, {"Content-Length": str(80 * 2**20)})  # none of them ever sent
    assert response.status == 400 and response.json()["reason"] == "MISSING_API_KEY"


def test_with_keys_host_and_origin_do_not_matter(guarded: tuple[LiveServer, str, str]) -> None:
    server, ann, _ = guarded
    headers = {
        "Authorization": ann,
        "Host": "vivant.example",
        "Origin": "https://x.example",
        "X-Forwarded-For": "1.2.3.4",
    }
    assert server.send("GET", RESULT + "?task_id=x", headers=headers).status == 404


@pytest.mark.parametrize(
    "host", ["[::1", "a b", "x\xff", "", "a/b", "a?b", "a:b:c", "evil.example/x", "u@h", "[::1]:80"]
)
def test_an_odd_host_header_is_no_internal_error(guarded: tuple[LiveServer, str, str], host: str) -> None:
    server, ann, _ = guarded
    for path, status in ((RESULT + "?task_id=x", 404), ("/v3/x", 404), ("/x", 404), ("/healthz", 200)):
        assert server.send("GET", path, headers={"Host": host, "Authorization": ann}).status == status


def test_links_start_with_the_requests_host_if_it_is_valid(guarded: tuple[LiveServer, str, str]) -> None:
    server, ann, _ = guarded
    task_id = server.submit(
        {"prompt": "x", "image": picture_uri(), "duration": 4, "resolution": "480p"}, Authorization=ann
    ).json()["id"]
    while server.get(f"/v1/tasks/{task_id}", Authorization=ann).json()["status"] in ("queued", "running"):
        time.sleep(0.05)
    for host, start in (
        ("vivant.example:1", "http://vivant.example:1/files/"),
        ("[::1", server.url),
        ("a b", server.url),
    ):
        response = server.get(f"{RESULT}?task_id={task_id}", Authorization=ann, Host=host).json()
        assert response["videos"][0]["video_url"].startswith(start)


def test_a_task_is_for_its_key_only_and_its_video_for_any_bearer_of_the_link(
    guarded: tuple[LiveServer, str, str],
) -> None:
    server, ann, bob = guarded
    body = {"prompt": "x", "image": picture_uri(), "duration": 4, "resolution": "480p"}
    task_id = server.submit(body, Authorization=ann).json()["id"]
    for path in (f"{RESULT}?task_id={task_id}", f"{RESULT}/{task_id}", f"/v1/tasks/{task_id}"):
        assert server.get(path, Authorization=bob).status == 404
        assert server.get(path, Authorization=ann).status == 200
    assert server.send("POST", f"/v1/tasks/{task_id}/cancel", headers={"Authorization": bob}).status == 404
    assert task_id not in server.get("/v1/tasks", Authorization=bob).body.decode()
    assert task_id in server.get("/v1/tasks", Authorization=ann).body.decode()
    while server.get(f"/v1/tasks/{task_id}", Authorization=ann).json()["status"] in ("queued", "running"):
        time.sleep(0.05)
    url = server.get(f"{RESULT}?task_id={task_id}", Authorization=ann).json()["videos"][0]["video_url"]
    assert server.get(url.removeprefix(server.url)).status == 200  # no key: the link is the permission


def test_the_first_key_ends_open_mode_at_once_and_revoking_it_does_not_bring_it_back(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as server:
        assert server.get(RESULT + "?task_id=x").status == 404
        text = make_key(tmp_path, "first")
        deadline = 200
        while (response := server.get(RESULT + "?task_id=x")).status == 404 and deadline:
            deadline -= 1
            time.sleep(0.05)
        assert response.status == 400 and response.json()["reason"] == "MISSING_API_KEY"
        assert server.get(RESULT + "?task_id=x", Authorization=text).status == 404
        with open_record(tmp_path) as connection:
            keys.revoke(connection, text.split("_")[1], now=datetime.now(UTC))
        while (response := server.get(RESULT + "?task_id=x", Authorization=text)).status == 404 and deadline:
            deadline -= 1
            time.sleep(0.05)
        assert response.status == 403 and response.json()["reason"] == "INVALID_API_KEY"
        assert server.get(RESULT + "?task_id=x").status == 400  # not open again
