"""`vivant serve`: the HTTP server and the service in one process.

The first Ctrl-C (or SIGTERM) drains: no task is accepted, running clips finish, callers may still poll. The second
stops at once; tasks that were running are run again at the next start. Both end whatever hangs (stop_signals.py).
"""

from __future__ import annotations

import asyncio
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
from vivant.api.file_limit import raise_file_limit, watch_descriptors
from vivant.api.forwarding import TrustedProxies
from vivant.api.http_protocol import LimitedHttp
from vivant.api.open_mode import is_loopback
from vivant.api.stop_signals import StopSignals
from vivant.clock import Clock
from vivant.errors import Misconfigured
from vivant.logs import configure_logs, replace_standard_streams
from vivant.private_files import find_exposed, keep_files_private
from vivant.service import build_service
from vivant.settings import Settings
from vivant.timings import DEFAULT_TIMINGS

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

    timings = DEFAULT_TIMINGS
    with StopSignals(first_within=timings.stop_in_all_within, second_within=timings.end_within) as signals:
        keep_files_private()
        replace_standard_streams(also_stdout=True)
        configure_logs(settings.log_format)
        listening = _listen(host, port)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(settings, listening, on_ready, signals, clock))
        except asyncio.CancelledError:
            log.info("stopped before it served")
        finally:
            listening.close()
            if signals.count:  # threads that hang must not hold the interpreter, which waits for some of them
                signals.end_within(timings.step_within)


async def _serve(
    settings: Settings,
    listening: socket.socket,
    on_ready: Callable[[str], None],
    signals: StopSignals,
    clock: Clock | None,
) -> None:
    """Raises CancelledError when a signal comes before requests are answered."""
    service = build_service(settings, clock=clock)
    context = Context(service)
    stopping = _Stopping(context)
    signals.attach(asyncio.get_running_loop(), stopping.on_signal, service.kill_processes)
    address, port = listening.getsockname()[:2]
    try:
        if not is_loopback(address) and await service.is_open():
            raise Misconfigured(
                f"{address} can be reached from other machines, and no API key exists: anybody could use this service. "
                "Make a key with `vivant keys create NAME`, or serve on 127.0.0.1."
            )
        await service.start()
        server = stopping.server = _Server(configure_server(context))
        answering = asyncio.create_task(server.serve(sockets=[listening]))
        watching = asyncio.create_task(
            watch_descriptors(listening.fileno(), every=service.timings.descriptors_looked_at_every)
        )
        while not server.started and not answering.done():
            await asyncio.sleep(0.005)
        if server.started:
            url = _url(address, port)
            log.info("serving", url=url)
            if exposed := next(find_exposed(settings.data), None):
                log.warning("other users of this machine can read files; see `vivant doctor`", path=str(exposed))
            on_ready(url)
        await answering
        watching.cancel()
        await stopping.wait()
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
    """Uvicorn without its own handling of signals: `StopSignals` does that."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Stopping:
    """What the first and the second signal begin. Before there is a server, the first ends the start."""

    def __init__(self, context: Context) -> None:
        self.server: uvicorn.Server | None = None
        self._context = context
        self._starting = asyncio.current_task()
        self._begun: list[asyncio.Task[None]] = []

    def on_signal(self, count: int) -> None:
        log.info("stopping", how="running clips finish; a second Ctrl-C stops at once" if count == 1 else "at once")
        if self.server is None:
            assert self._starting is not None
            self._starting.cancel()
        else:
            self._begun.append(asyncio.create_task(self._drain(self.server) if count == 1 else self._stop(self.server)))

    async def wait(self) -> None:
        """Until what was begun is done."""
        await asyncio.gather(*self._begun)

    async def _drain(self, server: uvicorn.Server) -> None:
        self._context.draining = True
        await self._context.service.stop(drain=True)
        server.should_exit = True

    async def _stop(self, server: uvicorn.Server) -> None:
        server.should_exit = server.force_exit = True
        await self._context.service.stop(drain=False)


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
