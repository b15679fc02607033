"""Errors outside the application proper, with real middlewares around an application that is broken on purpose."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from vivant.api.error_handler import handle_error
from vivant.api.lingering_close import LingeringClose
from vivant.api.request_ids import RequestIds
from vivant.api.uncaught_errors import UncaughtErrors
from vivant.timings import DEFAULT_TIMINGS

Messages = list[MutableMapping[str, Any]]


def raises(error: BaseException, *, begun: bool = False) -> ASGIApp:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    return broken


async def call(broken: ASGIApp, path: str) -> tuple[Messages, BaseException]:
    """What is sent, and the error that the HTTP server gets."""
    sent: Messages = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    app = RequestIds(UncaughtErrors(LingeringClose(broken, DEFAULT_TIMINGS), handle_error))
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "headers": [(b"x-request-id", b"mine")],
        "query_string": b"",
    }
    try:
        await app(scope, receive, send)
    except BaseException as error:  # noqa: BLE001  CancelledError is one
        return sent, error
    raise AssertionError("the HTTP server must get the error, too")


@pytest.mark.parametrize(
    ("error", "status", "code", "reason"),
    [(RuntimeError("a secret"), 500, "INTERNAL", None),
     (asyncio.CancelledError(), 503, "STOPPED", "SERVICE_NOT_AVAILABLE")],
)  # fmt: skip
async def test_an_error_of_a_middleware_is_answered_in_the_form_of_the_address(
    error: BaseException, status: int, code: str, reason: str | None
) -> None:
    sent, raised = await call(raises(error), "/v1/tasks")
    assert raised is error
    headers = dict(sent[0]["headers"])
    assert sent[0]["status"] == status and headers[b"content-type"] == b"application/problem+json"
    assert headers[b"x-request-id"] == b"mine" and headers[b"connection"] == b"close"
    assert (b"retry-after" in headers) == (status == 503)
    problem = json.loads(sent[1]["body"])
    assert problem["code"] == code and problem["request_id"] == "mine" and "secret" not in str(problem)

    sent, _ = await call(raises(error), "/v3/async/task-result")
    flat = json.loads(sent[1]["body"])
    assert sent[0]["status"] == status and flat["code"] == status and flat["reason"] and "secret" not in str(flat)
    assert reason in (None, flat["reason"])


async def test_an_error_behind_the_start_of_an_answer_is_left_to_the_server() -> None:
    error = RuntimeError()
    sent, raised = await call(raises(error, begun=True), "/v1/tasks")
    assert raised is error and [message["type"] for message in sent] == ["http.response.start"]
