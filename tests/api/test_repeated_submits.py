"""A submit that is repeated with its Idempotency-Key makes one task; queues and files have limits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.live_server import SUBMIT, LiveServer, picture_uri
from vivant.api.dialects.novita import read_submission
from vivant.errors import InvalidRequest
from vivant.settings import Settings


def body(**fields: Any) -> dict[str, Any]:
    return {"prompt": "a lake", "image": picture_uri(), "resolution": "480p", "duration": 4, "seed": 7, **fields}


def count_tasks(server: LiveServer) -> int:
    return len(server.get("/v1/tasks?limit=100").json()["tasks"])


def count_folders(server: LiveServer) -> int:
    return len(list((server.settings.data / "files" / "tasks").iterdir()))


def test_the_same_submit_twice_makes_one_task(server: LiveServer) -> None:
    before = count_tasks(server)
    first = server.submit(body(), Idempotency_Key="twice")
    again = server.submit(dict(reversed(body(unknown=1, fps=24).items())), Idempotency_Key="twice")
    assert (first.status, again.status) == (200, 200)
    assert first.json() == again.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert count_tasks(server) == before + 1
    task_id = first.json()["task_id"]
    other = server.submit(body(), Idempotency_Key="another")
    assert other.json()["task_id"] != task_id


@pytest.mark.parametrize("change", [{"prompt": "a sea"}, {"seed": 8}, {"image": picture_uri(481)}])
def test_another_request_with_the_same_key_is_422(server: LiveServer, change: dict[str, Any]) -> None:
    key = f"changed-{next(iter(change))}"
    assert server.submit(body(), Idempotency_Key=key).status == 200
    refused = server.submit(body(**change), Idempotency_Key=key)
    assert (refused.status, refused.json()["reason"]) == (422, "INVALID_REQUEST_BODY")
    assert "idempotency key" in refused.json()["message"] and refused.json()["metadata"] == {}


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "\xe9"])
def test_a_key_of_a_wrong_form_is_400(server: LiveServer, key: str) -> None:
    refused = server.submit(body(), Idempotency_Key=key)
    assert (refused.status, refused.json()["reason"]) == (400, "INVALID_REQUEST_BODY")
    assert refused.json()["message"].startswith("Idempotency-Key: ")


def test_a_key_may_be_used_again_after_a_refused_submit(server: LiveServer) -> None:
    assert server.submit(body(image="data:image/png;base64,AAAA"), Idempotency_Key="mended").status == 400
    assert server.submit(body(), Idempotency_Key="mended").status == 200


def test_many_at_once_make_one_task(server: LiveServer) -> None:
    before, folders = count_tasks(server), count_folders(server)
    found: list[str] = []

    def submit() -> None:
        found.append(server.submit(body(prompt="at once"), Idempotency_Key="at-once").json()["task_id"])

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8 and len(set(found)) == 1
    assert count_tasks(server) == before + 1
    assert count_folders(server) == folders + 1  # the pictures of the other seven are gone


@pytest.fixture
def picture_server() -> Iterator[tuple[str, list[str]]]:
    """A web server with a picture, and the paths that were asked for."""
    import base64

    asked: list[str] = []
    png = base64.b64decode(picture_uri().partition(",")[2])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(png)))
            self.end_headers()
            self.wfile.write(png)

        def log_message(self, *_: object) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_port}/p.png", asked
    web.shutdown()
    web.server_close()


def test_a_replay_does_not_fetch_the_picture_again(
    tmp_path: Path, picture_server: tuple[str, list[str]]
) -> None:  # fmt: skip
    url, asked = picture_server
    with LiveServer(tmp_path, egress_allow=url.split("/")[2]) as server:
        first = server.submit(body(image=url), Idempotency_Key="fetched")
        assert first.status == 200, first.body
        assert server.submit(body(image=url), Idempotency_Key="fetched").json() == first.json()
    assert len(asked) == 1


def test_equal_requests_have_one_digest_however_they_are_written() -> None:
    long = picture_uri() + " " * 20_000  # cut out of the body as a LongString
    plain = b'{"prompt": "a lake", "image": "%s"}' % long.encode()
    escaped = (
        b'{"image": "%s", "prompt": "\\u0061 lake", "duration": 5, "seed": null}' % long.replace("/", "\\/").encode()
    )
    other = plain.replace(b"a lake", b"a sea")
    digests = [read_submission(text).digest() for text in (plain, escaped, other)]
    assert digests[0] == digests[1] != digests[2]
    swapped = [
        read_submission(b'{"prompt": "x", "image": "%s", "last_image": "%s"}' % pair).digest()
        for pair in ((b"one", b"two"), (b"two", b"one"), (b"onetwo", b""))
    ]
    assert len(set(swapped)) == 3
    with pytest.raises(InvalidRequest):
        read_submission(b'{"prompt": "x", "image": "%s\xc3\xa9"}' % (b"x" * 20_000)).digest()


def test_a_key_may_queue_so_many_tasks_and_is_told_so(tmp_path: Path) -> None:
    with LiveServer(tmp_path, queue_per_key=2) as server:
        answers = [server.submit(body(duration=12, resolution="1080p"), Idempotency_Key=f"n{n}") for n in range(6)]
        refused = [answer for answer in answers if answer.status != 200]
        assert refused and {answer.status for answer in refused} == {429}
        assert refused[0].json()["reason"] == "RATE_LIMIT_EXCEEDED"
        assert "may wait at once" in refused[0].json()["message"]
        assert int(refused[0].headers["Retry-After"]) > 0
        assert server.submit(body(duration=12, resolution="1080p"), Idempotency_Key="n0").json() == answers[0].json()
        accepted = [answer for answer in answers if answer.status == 200]
        assert count_tasks(server) == len(accepted)
        assert len(list((tmp_path / "files" / "tasks").iterdir())) == len(accepted)


def test_the_settings_are_the_limits() -> None:
    limits = Settings(queue_per_key=1, queue_total=2, stored_gb_per_key=3, stored_gb_total=4).limits
    assert (limits.queued_per_key, limits.queued_total) == (1, 2)
    assert (limits.stored_per_key, limits.stored_total) == (3 * 10**9, 4 * 10**9)


def test_two_keys_in_one_request_are_refused(server: LiveServer) -> None:
    import http.client
    import json

    connection = http.client.HTTPConnection(server.host, timeout=60)
    connection.putrequest("POST", SUBMIT)
    data = json.dumps(body()).encode()
    for name, value in (("Content-Length", str(len(data))), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")):
        connection.putheader(name, value)
    connection.endheaders(data)
    response = connection.getresponse()
    assert response.status == 400 and b"Idempotency-Key: may be sent once" in response.read()
    connection.close()
