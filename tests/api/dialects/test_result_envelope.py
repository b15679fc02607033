"""The task-result body in every state of a task."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.live_server import RESULT, LiveServer, picture_uri
from vivant.api.dialects.novita import build_envelope
from vivant.request import Brief
from vivant.task import Artifact, Status, Task

CREATED = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
TASK = Task(
    id="t1",
    key_id="",
    status=Status.QUEUED,
    request=Brief(prompt='say "hi"', seed=7).resolve(1600, 900, has_last_frame=False),
    engine="testcard",
    created_at=CREATED,
)
ARTIFACT = Artifact(
    path="tasks/t1/1/clip.mp4", size=9, sha256="ab" * 32, width=1280, height=720, frames=121, has_audio=True
)


def at(status: Status, **changes: Any) -> Task:
    started = {"started_at": CREATED + timedelta(seconds=1), "attempt": 1} if status is not Status.QUEUED else {}
    ended = {"ended_at": CREATED + timedelta(seconds=9)} if status.is_terminal else {}
    done = {"artifact": ARTIFACT, "progress": 1.0} if status is Status.SUCCEEDED else {}
    failed = {"error_code": "X"} if status.is_terminal and not done else {}
    return replace(TASK, **{"status": status, **started, **ended, **done, **failed, **changes})


@pytest.mark.parametrize(
    ("status", "wire"),
    [
        (Status.QUEUED, "TASK_STATUS_QUEUED"),
        (Status.RUNNING, "TASK_STATUS_PROCESSING"),
        (Status.SUCCEEDED, "TASK_STATUS_SUCCEED"),
        (Status.FAILED, "TASK_STATUS_FAILED"),
        (Status.CANCELLED, "TASK_STATUS_FAILED"),
        (Status.EXPIRED, "TASK_STATUS_FAILED"),
    ],
)
def test_every_status_has_one_of_four_names_and_nothing_is_null(status: Status, wire: str) -> None:
    body = build_envelope(at(status), eta=3.2, video=("http://x/clip.mp4", 60) if status is Status.SUCCEEDED else None)
    assert body["task"]["status"] == wire
    assert (body["task"]["reason"] != "") == (wire == "TASK_STATUS_FAILED")
    assert "null" not in json.dumps(body)
    assert set(body) == {"extra", "task", "images", "videos", "audios"}
    times = [body["extra"]["debug_info"][f"{name}_time_ms"] for name in ("submit", "execute", "complete")]
    assert all(text.isdigit() for text in times)
    assert times[0] == str(int(CREATED.timestamp() * 1000))
    assert (times[2] != "0") == status.is_terminal


def test_a_finished_task_in_full() -> None:
    body = build_envelope(
        at(Status.SUCCEEDED, progress=1.0), eta=0.0, video=("http://x/files/t1/1/clip.mp4?s=1", 86_400)
    )
    info = json.loads(body["extra"]["debug_info"].pop("request_info"))
    assert info["prompt"] == 'say "hi"' and info["ratio"] == "16:9" and info["seed"] == 7
    assert body == {
        "extra": {
            "seed": "7",
            "enable_nsfw_detection": False,
            "debug_info": {
                "submit_time_ms": "1795348800250", "execute_time_ms": "1795348801250",
                "complete_time_ms": "1795348809250",
            },
        },
        "task": {
            "task_id": "t1", "status": "TASK_STATUS_SUCCEED", "reason": "", "task_type": "IMG_TO_VIDEO", "eta": 0,
            "progress_percent": 100,
        },
        "images": [],
        "videos": [{"video_url": "http://x/files/t1/1/clip.mp4?s=1", "video_url_ttl": "86400", "video_type": "mp4"}],
        "audios": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "progress", "percent"),
    [
        (Status.QUEUED, 0.0, 0), (Status.RUNNING, 0.0, 0), (Status.RUNNING, 0.509, 50), (Status.RUNNING, 0.9999, 99),
        (Status.RUNNING, 1.0, 99), (Status.SUCCEEDED, 1.0, 100), (Status.FAILED, 0.5, 50), (Status.CANCELLED, 1.0, 99),
    ],
)  # fmt: skip
def test_progress_is_a_whole_percentage_and_100_means_done(status: Status, progress: float, percent: int) -> None:
    task = build_envelope(at(status, progress=progress), eta=0, video=None)["task"]
    assert task["progress_percent"] == percent and type(task["progress_percent"]) is int


@pytest.mark.parametrize(("eta", "shown"), [(0.0, 0), (0.1, 1), (3.0, 3), (3.2, 4), (-1.0, 0)])
def test_eta_is_in_whole_seconds_and_never_negative(eta: float, shown: int) -> None:
    assert build_envelope(at(Status.RUNNING), eta=eta, video=None)["task"]["eta"] == shown


def test_the_reason_is_what_went_wrong() -> None:
    assert (
        build_envelope(at(Status.FAILED, error_message="Out of memory."), eta=0, video=None)["task"]["reason"]
        == "Out of memory."
    )
    assert (
        build_envelope(at(Status.EXPIRED, error_message="Time is over."), eta=0, video=None)["task"]["reason"]
        == "The task did not end within the time it was given (execution_expires_after)."
    )
    assert "cancelled" in build_envelope(at(Status.CANCELLED), eta=0, video=None)["task"]["reason"].lower()


def test_a_task_lives_through_the_statuses_over_http(server: LiveServer) -> None:
    body = {"prompt": "x", "image": picture_uri(640, 480), "last_image": picture_uri(480, 640), "duration": 4,
            "resolution": "480p", "seed": 0, "generate_audio": False}  # fmt: skip
    response = server.submit(body)
    assert response.status == 200
    sent = response.json()
    assert list(sent) == ["id", "task_id"] and sent["id"] == sent["task_id"]
    first = server.result(sent["id"])
    assert first["task"]["status"] in ("TASK_STATUS_QUEUED", "TASK_STATUS_PROCESSING")
    assert first["videos"] == [] and first["extra"]["seed"] == "0"
    last = server.finished(sent["id"])
    (video,) = last["videos"]
    assert video["video_url"].startswith(server.url + "/files/") and video["video_url_ttl"] == "86400"
    assert last["task"] == {"task_id": sent["id"], "status": "TASK_STATUS_SUCCEED", "reason": "",
                            "task_type": "IMG_TO_VIDEO", "eta": 0, "progress_percent": 100}  # fmt: skip
    times = last["extra"]["debug_info"]
    assert int(times["submit_time_ms"]) <= int(times["execute_time_ms"]) <= int(times["complete_time_ms"])
    by_path = server.get(f"{RESULT}/{sent['id']}").json()
    assert by_path["task"] == last["task"]


def test_minus_one_becomes_a_seed_and_is_reported(server: LiveServer) -> None:
    ids = [
        server.submit({"prompt": "x", "image": picture_uri(), "seed": -1, "duration": 4}).json()["id"] for _ in range(2)
    ]
    seeds = [int(server.result(task_id)["extra"]["seed"]) for task_id in ids]
    assert seeds[0] != seeds[1] and all(0 <= seed < 2**32 for seed in seeds)
    for task_id in ids:
        server.send("POST", f"/v1/tasks/{task_id}/cancel")


@pytest.mark.parametrize(
    "task_id",
    ["nope", "00000000-0000-7000-8000-000000000000", "%00", "%ff", "%ED%A0%80", "..%2F..", "'%20OR%201=1--", "a" * 5000,
     "%F0%9F%8E%AC"],
)  # fmt: skip
def test_an_unknown_or_malformed_id_is_404(server: LiveServer, task_id: str) -> None:
    response = server.get(f"{RESULT}?task_id={task_id}")
    assert response.status == 404 and response.json()["reason"] == "TASK_NOT_FOUND"


@pytest.mark.parametrize("query", ["", "?", "?task_id=", "?id=x", "?task_id"])
def test_a_missing_id_is_400(server: LiveServer, query: str) -> None:
    response = server.get(RESULT + query)
    assert response.status == 400 and response.json()["reason"] == "INVALID_REQUEST_BODY"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v3/", 404), ("POST", "/v3/async/seedance-v1-pro-i2v", 404),
        ("POST", "/v3/async/seedance-v1.5-pro-i2v/", 404),
        ("DELETE", RESULT, 405), ("PUT", "/v3/async/seedance-v1.5-pro-i2v", 405), ("PATCH", "/v3/%00", 404),
        ("GET", "/v3/%ED%A0%80", 404),
    ],
)  # fmt: skip
def test_other_addresses_are_not_there(server: LiveServer, method: str, path: str, status: int) -> None:
    response = server.send(method, path)
    assert response.status == status and response.json()["reason"] == "API_NOT_FOUND"
