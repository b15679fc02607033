"""The HTTP server with a real service on a real socket, for the tests of api/."""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import json
import threading
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import uvicorn
import uvloop
from PIL import Image

from vivant.api.connection_places import ConnectionPlaces
from vivant.api.context import Context
from vivant.api.limits import MAX_BODY_BYTES
from vivant.api.serve import configure_server
from vivant.intake.pictures import Intake
from vivant.service import Service, build_service
from vivant.settings import Settings
from vivant.timings import DEFAULT_TIMINGS, Timings

T = TypeVar("T")
SUBMIT = "/v3/async/seedance-v1.5-pro-i2v"
RESULT = "/v3/async/task-result"
PATIENCE = 90.0  # seconds within which a 4 s test card must be done on a busy machine


@dataclass(frozen=True)
class HttpResponse:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class LiveServer:
    """Service, intake and application in a thread of their own. `with` starts and stops them."""

    def __init__(
        self, data: Path, *, timings: Timings = DEFAULT_TIMINGS, max_body_bytes: int = MAX_BODY_BYTES,
        places: ConnectionPlaces | None = None, **settings: Any
    ) -> None:  # fmt: skip
        self._places = places
        self._timings, self._max_body_bytes = timings, max_body_bytes
        self.settings = Settings(**{"data": data, "engines": ("testcard",), **settings})
        self.context: Context
        self.url = ""
        self._up = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._up.wait(60)
        if self._fault is not None:
            raise self._fault
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(60)
        assert not self._thread.is_alive()

    @property
    def service(self) -> Service:
        return self.context.service

    @property
    def intake(self) -> Intake:
        return self.context.intake

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as `vivant serve`
                runner.run(self._serve())
        except BaseException as error:
            self._fault = error
            raise
        finally:
            self._up.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        service = build_service(self.settings, timings=self._timings)
        await service.start()
        self.context = Context(service, max_body_bytes=self._max_body_bytes)
        config = configure_server(self.context, self._places)
        config.port = 0
        self._server = uvicorn.Server(config)
        serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.01)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        self._up.set()
        await serving
        await service.stop(drain=False)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the event loop of the service."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def send(
        self, method: str, path: str, body: bytes | Iterable[bytes] | None = None, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        """One request, exactly as given. An iterable body goes out chunked."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return HttpResponse(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def submit(self, body: Any, **headers: str) -> HttpResponse:
        """POST to the Novita address; anything but bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", SUBMIT, data, {"Content-Type": "application/json", **named})

    def result(self, task_id: str) -> Any:
        response = self.get(f"{RESULT}?task_id={task_id}")
        assert response.status == 200, response.body
        return response.json()

    def finished(self, task_id: str) -> Any:
        """The result of a task once it has ended."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self.result(task_id)
            if found["task"]["status"] in ("TASK_STATUS_SUCCEED", "TASK_STATUS_FAILED"):
                return found
            time.sleep(0.1)
        raise AssertionError(f"task {task_id} did not end: {found}")


def picture_uri(width: int = 480, height: int = 360, kind: str = "PNG") -> str:
    """A small grey picture as a data URI."""
    data = io.BytesIO()
    Image.new("L", (width, height), 90).save(data, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode()}"
