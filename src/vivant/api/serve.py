"""`vivant serve`: the HTTP server and the service in one process.

The first Ctrl-C (or SIGTERM) drains: no task is accepted, running clips finish, callers may still poll. The second
stops at once; tasks that were running are run again at the next start.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import structlog
import uvicorn

from vivant.api.app import build_app
from vivant.api.connection_places import ConnectionPlaces
from vivant.api.context import Context
from vivant.api.file_limit import raise_file_limit
from vivant.api.forwarding import TrustedProxies
from vivant.api.http_protocol import LimitedHttp
from vivant.api.open_mode import is_loopback
from vivant.clock import Clock
from vivant.errors import Misconfigured
from vivant.logs import configure_logs, replace_standard_streams
from vivant.private_files import find_exposed, keep_files_private
from vivant.service import build_service
from vivant.settings import Settings

log = structlog.get_logger(__name__)

BACKLOG: Final = 2048  # connections that may wait to be accepted, enough for a burst of polls


def serve(
    settings: Settings, host: str, port: int, on_ready: Callable[[str], None] = lambda url: None, *,
    clock: Clock | None = None,
) -> None:  # fmt: skip
    """Serve until a signal. Port 0 picks a free one; `on_ready` gets the URL once requests are answered.

    Raises Misconfigured when the address cannot be bound, or is not loopback although no API key exists.
    """
    import uvloop

    keep_files_private()
    replace_standard_streams(also_stdout=True)
    configure_logs(settings.log_format)
    listening = _listen(host, port)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, listening, on_ready, clock))
    finally:
        listening.close()


async def _serve(
    settings: Settings, listening: socket.socket, on_ready: Callable[[str], None], clock: Clock | None
) -> None:
    service = build_service(settings, clock=clock)
    address, port = listening.getsockname()[:2]
    try:
        if not is_loopback(address) and await service.is_open():
            raise Misconfigured(
                f"{address} can be reached from other machines, and no API key exists: anybody could use this service. "
                "Make a key with `vivant keys create NAME`, or serve on 127.0.0.1."
            )
        await service.start()
        context = Context(service)
        server = _Server(configure_server(context))
        stopping = _on_signals(context, server)
        try:
            answering = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started and not answering.done():
                await asyncio.sleep(0.005)
            if server.started:
                url = _url(address, port)
                log.info("serving", url=url)
                if exposed := next(find_exposed(settings.data), None):
                    log.warning("other users of this machine can read files; see `vivant doctor`", path=str(exposed))
                on_ready(url)
            await answering
        finally:
            await asyncio.gather(*stopping)
    finally:
        await service.stop(drain=False)


def configure_server(context: Context, places: ConnectionPlaces | None = None) -> uvicorn.Config:
    """Uvicorn's configuration for the application. `places` limits connections; not given: as the system allows."""
    proxies = TrustedProxies(context.settings.trusted_networks)
    places = places or ConnectionPlaces(
        file_limit=raise_file_limit(),
        workers=context.settings.workers,
        shares_total=lambda peer: is_loopback(peer) or proxies.trusts(peer),
    )
    return uvicorn.Config(
        build_app(context),
        http=partial(LimitedHttp, timings=context.service.timings, places=places),  # type: ignore[arg-type]  # called, never subclassed
        ws="none",
        lifespan="off",  # _serve starts and stops the parts
        log_config=None,
        access_log=False,
        proxy_headers=False,  # forwarding.py does that
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=5,
    )


class _Server(uvicorn.Server):
    """Uvicorn without its own handling of signals: `_on_signals` does that."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _on_signals(context: Context, server: uvicorn.Server) -> list[asyncio.Task[None]]:
    """Handle SIGINT and SIGTERM from now on. Each signal adds the task that stops the service to the returned list."""
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []

    async def drain() -> None:
        context.draining = True
        await context.service.stop(drain=True)
        server.should_exit = True

    async def stop() -> None:
        server.should_exit = server.force_exit = True
        await context.service.stop(drain=False)

    def on_signal() -> None:
        log.info("stopping", how="running clips finish; a second Ctrl-C stops at once" if not tasks else "at once")
        if len(tasks) < 2:
            tasks.append(loop.create_task(stop() if tasks else drain()))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return tasks


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket, not yet listening. Raises Misconfigured."""
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(target)
        except OSError:
            listening.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        raise Misconfigured(
            f"Cannot listen on {host} port {port}: {error}. Is something serving there already? "
            "Choose another --port, or 0 for a free one."
        ) from None
    return listening


def _url(address: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, f"[{address}]" if ":" in address else address)
    return f"http://{shown}:{port}"
