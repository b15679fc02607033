"""The HTTP application: its addresses, and the order in which a request is checked.

    request id -> uncaught errors -> lingering close -> deadlines of the body -> head -> forwarding -> open-mode guard
    -> route -> key -> body limits -> dialect -> intake -> service

Handlers translate and nothing else. There are no CORS headers: pages of other sites may not call this API.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from vivant.api import files, health
from vivant.api.body_deadlines import BodyDeadlines
from vivant.api.context import Context
from vivant.api.dialects import native, novita
from vivant.api.error_handler import handle_error
from vivant.api.forwarding import Forwarding, TrustedProxies
from vivant.api.lingering_close import LingeringClose
from vivant.api.open_mode import OpenModeGuard
from vivant.api.request_head import RequestHead
from vivant.api.request_ids import RequestIds
from vivant.api.uncaught_errors import UncaughtErrors
from vivant.errors import VivantError


def build_app(context: Context) -> ASGIApp:
    """The application over parts that the caller starts and stops."""
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
    timings = context.service.timings
    proxies = TrustedProxies(context.settings.trusted_networks)
    checked = RequestHead(Forwarding(inner, proxies, links_are_set=bool(context.settings.public_url)), handle_error)
    return RequestIds(UncaughtErrors(LingeringClose(BodyDeadlines(checked, timings), timings), handle_error))
