"""Vivant's own small API under /v1, for what no provider's API has. Errors are RFC 9457 problem documents.

Errors at addresses outside every dialect have this form, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vivant.api.context import TASK_ID, Context
from vivant.api.http_errors import (
    BodyTooLarge,
    BodyTooSlow,
    HeadTooLarge,
    RangeNotSatisfiable,
    UnknownExpectation,
    WrongMethod,
)
from vivant.api.responses import json_response
from vivant.engine_choice import EngineChoice
from vivant.errors import (
    Busy,
    IdempotencyMismatch,
    IllegalTransition,
    InvalidRequest,
    LimitReached,
    MissingKey,
    NotAuthorized,
    NotFound,
    Stopped,
    StorageFailed,
    UnknownKey,
    VivantError,
)
from vivant.printable import hide_addresses
from vivant.task import Status, Task

PAGE: Final = range(1, 101)  # tasks in one answer

STATUS_CODES: Final[dict[type[VivantError], int]] = {
    BodyTooLarge: 413,
    BodyTooSlow: 408,
    HeadTooLarge: 431,
    RangeNotSatisfiable: 416,
    IdempotencyMismatch: 422,
    UnknownExpectation: 417,
    InvalidRequest: 400,
    MissingKey: 401,
    UnknownKey: 401,
    NotAuthorized: 403,
    WrongMethod: 405,
    NotFound: 404,
    IllegalTransition: 409,
    LimitReached: 429,
    Busy: 503,
    Stopped: 503,
    StorageFailed: 503,
}


def routes(context: Context) -> list[Route]:
    async def show(request: Request) -> Response:
        key_id = await context.authenticate(request)
        task = await context.find_task(request.path_params["task_id"], key_id=key_id)
        return json_response(await describe_task(context, request, task))

    async def list_tasks(request: Request) -> Response:
        key_id = await context.authenticate(request)
        query = request.query_params
        limit = _parse_limit(query.get("limit", "50"))
        status = _parse_status(query.get("status"))
        after = query.get("after", "")
        if after and not TASK_ID.fullmatch(after):
            raise InvalidRequest("must be the id of a task, as `next` of the page before says.", field="after")
        # One more than requested shows whether there are more.
        found = await context.service.list_tasks(key_id=key_id, status=status, limit=limit + 1, after=after)
        more = len(found) > limit
        tasks = found[:limit]
        return json_response(
            {
                "tasks": [await describe_task(context, request, task) for task in tasks],
                "has_more": more,
                "next": tasks[-1].id if more else None,
            }
        )

    async def cancel(request: Request) -> Response:
        key_id = await context.authenticate(request)
        task = await context.find_task(request.path_params["task_id"], key_id=key_id)
        task = await context.service.cancel(task.id, key_id=key_id)
        return json_response(await describe_task(context, request, task))

    async def list_models(request: Request) -> Response:
        await context.authenticate(request)
        health = context.service.health()["engines"]
        choice = context.service.choice
        described = [describe_model(choice, engine, health[engine]) for engine in choice.engines]
        return json_response({"object": "list", "data": described})

    return [
        Route("/v1/models", list_models, methods=["GET"]),
        Route("/v1/tasks", list_tasks, methods=["GET"]),
        Route("/v1/tasks/{task_id}", show, methods=["GET"]),
        Route("/v1/tasks/{task_id}/cancel", cancel, methods=["POST"]),
    ]


async def describe_task(context: Context, request: Request, task: Task) -> dict[str, Any]:
    """A task as its owner sees it."""
    here = context.service.choice.engines
    video = None
    if task.artifact is not None:
        path, seconds = await context.service.make_link(task)
        video = {
            "url": context.absolute_url(request, path),
            "expires_in": seconds,
            "size": task.artifact.size,
            "sha256": task.artifact.sha256,
            "width": task.artifact.width,
            "height": task.artifact.height,
            "frames": task.artifact.frames,
            "has_audio": task.artifact.has_audio,
            "mime": task.artifact.mime,
        }
    return {
        "id": task.id,
        "status": task.status.value,
        "progress": 1.0 if task.status is Status.SUCCEEDED else round(task.progress, 4),
        "eta": None if task.status.is_terminal else round(await context.service.estimate_eta(task), 1),
        "created_at": _iso_time(task.created_at),
        "started_at": _iso_time(task.started_at),
        "ended_at": _iso_time(task.ended_at),
        "engine": task.engine,
        "attempt": task.attempt,
        "request": {
            **{name: value for name, value in task.request.to_data().items() if name != "version"},
            "width": task.request.canvas.width,
            "height": task.request.canvas.height,
            "frames": task.request.canvas.frames,
        },
        "storyboard": task.storyboard,
        "report": task.report,
        "fallbacks": list(task.fallbacks),
        "video": video,
        "waits_for_engine": task.engine if task.status is Status.QUEUED and task.engine not in here else None,
        "error": {"code": task.error_code, "message": task.error_message} if task.error_code else None,
    }


def describe_model(choice: EngineChoice, engine: str, health: Mapping[str, Any]) -> dict[str, Any]:
    """An engine as a model that can be asked for, in the form of OpenAI's list with more fields. health: of its
    workers."""
    described: dict[str, Any] = {
        "id": engine,
        "object": "model",
        "created": 0,
        "owned_by": "vivant",
        "names": choice.names_of(engine),
        "default": engine == choice.engines[0],
        "health": {
            "state": "ready" if health["ready"] else "not ready",
            "workers": health["workers"],
            "ready": health["ready"],
            "error": hide_addresses(health["error"]),
        },
    }
    card = choice.cards.get(engine)
    return described | card.to_data() if card is not None else described


def error_response(request: Request, error: VivantError, text: str) -> Response:
    """A problem document (RFC 9457) with our error code added."""
    status = next((STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES), 500)
    if status == 500:
        text = "Something went wrong inside the service; its log says more under this answer's X-Request-Id."
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": text,
        "instance": request.scope["path"][:200],
        "code": error.code,
        "request_id": str(request.scope.get("state", {}).get("request_id", "")),
    }
    if isinstance(error, InvalidRequest) and error.field:
        problem["errors"] = [{"pointer": f"#/{error.field}", "detail": text}]
    response = json_response(problem, status=status, media_type="application/problem+json")
    if isinstance(error, RangeNotSatisfiable):
        response.headers["Content-Range"] = f"bytes */{error.size}"
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _parse_limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) in PAGE):
        raise InvalidRequest(f"must be an integer from {PAGE[0]} to {PAGE[-1]}; got {text[:60]!r}.", field="limit")
    return int(text)


def _parse_status(text: str | None) -> Status | None:
    if text is None:
        return None
    if text not in list(Status):
        raise InvalidRequest(f"must be one of {', '.join(Status)}; got {text[:60]!r}.", field="status")
    return Status(text)


def _iso_time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
