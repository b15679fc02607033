"""The hosted provider's own Python client, unmodified, against a real server: submit, poll, wait, download."""

from __future__ import annotations

import pytest
from novita_client import NovitaClient
from novita_client.exceptions import NovitaResponseError

from support.live_server import SUBMIT, LiveServer, picture_uri


@pytest.fixture
def client(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> NovitaClient:
    monkeypatch.setattr("novita_client.settings.DEFAULT_POLL_INTERVAL", 0.2)
    client = NovitaClient("sk_whatever", base_url=server.url)
    client.session.trust_env = False
    return client


def test_the_official_client_submits_waits_and_downloads(server: LiveServer, client: NovitaClient) -> None:
    response = client._post(
        SUBMIT, {"prompt": "a calm day", "image": picture_uri(), "resolution": "480p", "duration": 4}
    )
    assert response["id"] == response["task_id"]
    seen = []
    result = client.wait_for_task_v3(response["task_id"], callback=lambda r: seen.append(r.task))
    assert result.task.status.value == "TASK_STATUS_SUCCEED" and result.task.progress_percent == 100
    assert {task.status.value for task in seen} <= {
        "TASK_STATUS_QUEUED", "TASK_STATUS_PROCESSING", "TASK_STATUS_SUCCEED",
    }  # fmt: skip
    assert [task.progress_percent for task in seen] == sorted(task.progress_percent for task in seen)
    assert isinstance(result.extra.seed, int) and result.extra.debug_info.complete_time_ms > 0
    assert result.get_video_urls()[0].startswith(f"{server.url}/files/{response['task_id']}/")
    video = server.get(
        result.get_video_urls()[0].removeprefix(server.url)
    )  # its own download forks a pool; not in a test
    assert video.status == 200 and video.body[4:8] == b"ftyp"
    assert result.images == []


def test_the_official_client_reads_a_cancelled_task(server: LiveServer, client: NovitaClient) -> None:
    body = {"prompt": "x", "image": picture_uri(), "duration": 12, "resolution": "1080p", "service_tier": "flex"}
    task_id = client._post(SUBMIT, body)["task_id"]
    assert client.async_task_result(task_id).task.status.value in ("TASK_STATUS_QUEUED", "TASK_STATUS_PROCESSING")
    assert server.send("POST", f"/v1/tasks/{task_id}/cancel").status == 200
    result = client.wait_for_task_v3(task_id)
    assert result.task.status.value == "TASK_STATUS_FAILED" and result.task.reason
    assert result.videos == []


def test_the_official_client_raises_on_errors(client: NovitaClient) -> None:
    with pytest.raises(NovitaResponseError, match=r"400.*INVALID_REQUEST_BODY"):
        client._post(SUBMIT, {"prompt": "x"})
    with pytest.raises(NovitaResponseError, match="404"):
        client.async_task_result("no-such-task")
