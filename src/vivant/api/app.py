"""The HTTP application: which addresses there are, and in which order a request passes the gates.

    request id -> linger -> open-mode guard -> route -> key -> body within limits -> dialect -> intake -> service

Handlers translate and nothing else. There is no CORS: a browser page of another site has no business here.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from vivant.api import files, health
from vivant.api.auth import OpenModeGuard
from vivant.api.context import Context
from vivant.api.dialects import native, novita
from vivant.api.error_handler import handle_error
from vivant.api.lingering_close import LingeringClose
from vivant.api.request_ids import RequestIds
from vivant.errors import VivantError


def build_app(context: Context) -> ASGIApp:
    """The application over parts that somebody else starts and stops."""
    inner = Starlette(
        routes=[*health.routes(context), *novita.routes(context), *native.routes(context), *files.routes(context)],
        middleware=[Middleware(OpenModeGuard, context=context, refuse=handle_error)],
        exception_handlers={
            VivantError: handle_error,
            HTTPException: handle_error,
            ClientDisconnect: handle_error,
            Exception: handle_error,
        },
    )
    inner.router.redirect_slashes = False
    return RequestIds(LingeringClose(inner))
