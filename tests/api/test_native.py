"""The API under /v1 and the health checks: tasks, listing, cancelling, problem documents."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from support.live_server import RESULT, LiveServer, picture_uri
from support.records import a_task
from vivant.cli.options import open_record
from vivant.record import tasks

SMALL = {"prompt": "x", "image": picture_uri(), "duration": 4, "resolution": "480p"}


def test_a_task_in_full(server: LiveServer) -> None:
    task_id = server.submit({**SMALL, "seed": 5, "ratio": "1:1"}).json()["id"]
    server.finished(task_id)
    task = server.get(f"/v1/tasks/{task_id}").json()
    assert task["id"] == task_id and task["status"] == "succeeded" and task["progress"] == 1.0 and task["eta"] is None
    assert task["engine"] == "testcard" and task["attempt"] == 1 and task["error"] is None
    assert task["request"]["seed"] == 5 and task["request"]["width"] == 640 and task["request"]["frames"] == 97
    assert task["storyboard"]["engine"] == "testcard"
    video = task["video"]
    assert (video["width"], video["height"], video["frames"], video["has_audio"]) == (640, 640, 97, True)
    assert video["mime"] == "video/mp4" and len(video["sha256"]) == 64 and 0 < video["expires_in"] <= 86_400
    assert len(server.get(video["url"].removeprefix(server.url)).body) == video["size"]
    for name in ("created_at", "started_at", "ended_at"):
        assert re.fullmatch(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", task[name])


def test_cancelling_is_terminal_at_once_and_once(server: LiveServer) -> None:
    task_id = server.submit({**SMALL, "duration": 12, "resolution": "1080p"}).json()["id"]
    cancelled = server.send("POST", f"/v1/tasks/{task_id}/cancel")
    assert cancelled.status == 200 and cancelled.json()["status"] == "cancelled"
    assert cancelled.json()["error"]["code"] and cancelled.json()["video"] is None
    shown = server.result(task_id)
    assert shown["task"]["status"] == "TASK_STATUS_FAILED" and "cancel" in shown["task"]["reason"].lower()
    again = server.send("POST", f"/v1/tasks/{task_id}/cancel")
    assert again.status == 409 and again.json()["code"] == "ILLEGAL_TRANSITION"


def test_a_finished_task_cannot_be_cancelled(server: LiveServer) -> None:
    task_id = server.submit(SMALL).json()["id"]
    server.finished(task_id)
    assert server.send("POST", f"/v1/tasks/{task_id}/cancel").status == 409


def test_listing_goes_page_by_page_newest_first(server: LiveServer) -> None:
    made = [server.submit(SMALL).json()["id"] for _ in range(5)]
    seen: list[str] = []
    after = ""
    while True:
        page = server.get(f"/v1/tasks?limit=2&after={after}").json()
        assert len(page["tasks"]) <= 2
        seen += [task["id"] for task in page["tasks"]]
        if not page["has_more"]:
            assert page["next"] is None
            break
        after = page["next"]
    assert seen[:5] == made[::-1] and len(seen) == len(set(seen))
    for task_id in made:
        server.send("POST", f"/v1/tasks/{task_id}/cancel")
    cancelled = server.get("/v1/tasks?status=cancelled&limit=100").json()["tasks"]
    assert cancelled and all(task["status"] == "cancelled" for task in cancelled)


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("limit=-1", "limit"), ("limit=1.5", "limit"),
     ("limit=", "limit"), ("limit=%D9%A3", "limit"), ("status=done", "status"), ("status=", "status"),
     ("status=QUEUED", "status"),
     ("after=%00", "after"), ("after=" + "a" * 5000, "after")],
)  # fmt: skip
def test_a_bad_query_is_a_problem_document(server: LiveServer, query: str, field: str) -> None:
    response = server.get(f"/v1/tasks?{query}")
    problem = response.json()
    assert response.status == 400 and response.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == 400 and problem["title"] == "Bad Request" and problem["type"] == "about:blank"
    assert problem["errors"] == [{"pointer": f"#/{field}", "detail": problem["detail"]}]
    assert problem["instance"] == "/v1/tasks" and problem["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/tasks/nope", 404, "TASK_NOT_FOUND"), ("GET", "/v1/tasks/%00", 404, "TASK_NOT_FOUND"),
        ("POST", "/v1/tasks/nope/cancel", 404, "TASK_NOT_FOUND"), ("GET", "/v1/tasks/nope/cancel", 405, "WRONG_METHOD"),
        ("GET", "/", 404, "NOT_FOUND"), ("GET", "/v2", 404, "NOT_FOUND"), ("GET", "/v1", 404, "NOT_FOUND"),
        ("DELETE", "/v1/tasks", 405, "WRONG_METHOD"), ("OPTIONS", "/v1/tasks", 405, "WRONG_METHOD"),
        ("GET", "/v1/tasks/", 404, "NOT_FOUND"),
        ("TRACE", "/", 404, "NOT_FOUND"), ("GET", "/%ff", 404, "NOT_FOUND"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_problem_document(
    server: LiveServer, method: str, path: str, status: int, code: str
) -> None:
    response = server.send(method, path)
    assert response.status == status and response.json()["code"] == code
    assert response.headers["Content-Type"] == "application/problem+json"


def test_wrong_methods_name_the_right_ones(server: LiveServer) -> None:
    assert set(server.send("DELETE", RESULT).headers["Allow"].split(", ")) == {"GET", "HEAD"}
    assert server.send("GET", "/v1/tasks/x/cancel").headers["Allow"] == "POST"


def test_there_is_no_cors(server: LiveServer) -> None:
    asked = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
    for method, path in (("OPTIONS", "/v1/tasks"), ("GET", "/v1/tasks"), ("GET", "/healthz")):
        headers = server.send(method, path, headers=asked).headers
        assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_health_and_readiness(server: LiveServer) -> None:
    alive = server.get("/healthz")
    assert alive.status == 200 and alive.json()["status"] == "ok"
    deadline = time.monotonic() + 30
    while (ready := server.get("/readyz")).status != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ready.json() == {
        "ready": True,
        "checks": {"database": True, "storage": True, "scratch": True, "worker": True, "taking_work": True},
    }


def test_a_stopping_service_says_so_and_accepts_no_task(server: LiveServer) -> None:
    server.context.draining = True
    try:
        assert server.get("/healthz").status == 200
        assert server.get("/readyz").status == 503
        response = server.submit(SMALL)
        assert response.status == 503 and response.json()["reason"] == "SERVICE_NOT_AVAILABLE"
        assert int(response.headers["Retry-After"]) > 0
        assert server.get(RESULT + "?task_id=x").status == 404
    finally:
        server.context.draining = False


@pytest.mark.parametrize("given", ["abc", "A-1_b.c:d", "0" * 128])
def test_a_well_formed_request_id_is_kept(server: LiveServer, given: str) -> None:
    assert server.get("/healthz", X_Request_Id=given).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "a b", "0" * 129, "\xe9", "a;b", "<x>"])
def test_any_other_request_id_is_replaced(server: LiveServer, given: str) -> None:
    made = server.get("/healthz", X_Request_Id=given).headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)


def test_responses_are_not_cached(server: LiveServer) -> None:
    for path in ("/v1/tasks", RESULT + "?task_id=x", "/healthz"):
        assert server.get(path).headers["Cache-Control"] == "no-store"


def test_an_internal_error_is_500_without_details(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(server.service, "submit_once", broken)
    monkeypatch.setattr(server.service, "get_task", broken)
    for response, reason in (
        (server.submit(SMALL), "CREATE_TASK_FAILED"),
        (server.get(RESULT + "?task_id=x"), "GET_RESULT_FAILED"),
    ):
        assert response.status == 500 and response.json()["reason"] == reason and b"secret" not in response.body
        assert response.headers["X-Request-Id"]
    own = server.get("/v1/tasks/x")
    assert own.status == 500 and "secret" not in json.dumps(own.json())
    assert server.get("/healthz").status == 200


def test_a_task_that_waits_for_another_engine_says_so(server: LiveServer) -> None:
    waiting = replace(a_task(key_id="", engine="comfyui"), created_at=datetime.now(UTC))
    with open_record(server.settings.data) as connection:
        tasks.insert_queued(connection, waiting)
    try:
        assert server.get(f"/v1/tasks/{waiting.id}").json()["waits_for_engine"] == "comfyui"
        ours = server.submit(SMALL).json()["id"]
        assert server.get(f"/v1/tasks/{ours}").json()["waits_for_engine"] is None
    finally:
        server.send("POST", f"/v1/tasks/{waiting.id}/cancel")
