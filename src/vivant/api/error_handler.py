"""Turns every error into a response in the dialect of the request's path. Only here all exceptions are caught."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from vivant.api.dialects import native, novita
from vivant.api.http_errors import WrongMethod
from vivant.errors import Busy, NotFound, VivantError

log = structlog.get_logger(__name__)

RETRY_AFTER = 5  # seconds, where the error does not say
MAX_TEXT = 2000  # characters of an error's text, which may quote the caller


def handle_error(request: Request, error: Exception) -> Response:
    """The response to a request that ended in `error`."""
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)  # the client is gone
    headers: Mapping[str, str] = {}
    if isinstance(error, HTTPException):
        headers = error.headers or {}  # Allow
        error = _from_router(request, error)
    if not isinstance(error, VivantError):
        error = VivantError()
    dialect = novita if (request.scope["path"] + "/").startswith(novita.PREFIX) else native
    response: Response = dialect.error_response(request, error, str(error)[:MAX_TEXT])
    response.headers.update(headers)
    if error.retryable or response.status_code == 503:
        response.headers["Retry-After"] = str(error.retry_after if isinstance(error, Busy) else RETRY_AFTER)
    if response.status_code >= 500 and response.status_code != 503:
        log.error("internal error", path=request.scope["path"], code=error.code, error=str(error))
    return response


def _from_router(request: Request, error: HTTPException) -> VivantError:
    """Starlette's own 404 and 405 as errors of ours."""
    path = request.scope["path"][:200]
    if error.status_code == 404:
        return NotFound(f"There is nothing at {request.method} {path}.")
    if error.status_code == 405:
        return WrongMethod(f"{path} does not take {request.method}.")
    return VivantError(error.detail)
