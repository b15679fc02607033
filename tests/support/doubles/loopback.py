"""What all doubles of servers stand on: a real HTTP server on a loopback port, which writes down what it was asked."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class UploadedFile:
    """A file of a form."""

    field: str
    name: str
    data: bytes


@dataclass(frozen=True)
class Seen:
    """A request that came. headers: names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> tuple[dict[str, str], list[UploadedFile]]:
        """Fields and files of a multipart form; empty for any other body."""
        kind, _, boundary = self.headers.get("content-type", "").partition("boundary=")
        fields: dict[str, str] = {}
        files: list[UploadedFile] = []
        if not kind.startswith("multipart/form-data"):
            return fields, files
        for part in self.body.split(b"--" + boundary.strip('"').encode())[1:-1]:
            head, _, data = part.partition(b"\r\n\r\n")
            names = {
                piece.partition("=")[0].strip(): piece.partition("=")[2].strip().strip('"')
                for line in head.decode().split("\r\n")
                if line.lower().startswith("content-disposition")
                for piece in line.split(";")
            }
            data = data.removesuffix(b"\r\n")
            if "filename" in names:
                files.append(UploadedFile(names["name"], names["filename"], data))
            else:
                fields[names["name"]] = data.decode()
        return fields, files


@dataclass(frozen=True)
class Reply:
    """What is answered: JSON data, or bytes with a media type."""

    status: int = 200
    data: Any = None
    raw: bytes | None = None
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class LoopbackDouble:
    """Listens on a loopback port of its own; `with` starts and stops it. `answer` says what is answered."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._lock = threading.RLock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, seen: Seen) -> Reply:
        """Called for one request at a time."""
        raise NotImplementedError

    def asked(self, method: str, path: str = "") -> list[Seen]:
        """The requests that came with this method, whose paths begin so."""
        return [one for one in self.seen if one.method == method and one.path.startswith(path)]

    def come_up(self) -> None:
        """Listen, at the same port as before."""
        handler = type("Handler", (_Handler,), {"double": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True, name="double").start()

    def go_down(self) -> None:
        """Listen no more: connections are refused."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Self:
        self.come_up()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_down()


class _Handler(BaseHTTPRequestHandler):
    double: LoopbackDouble

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
        with self.double._lock:
            self.double.seen.append(seen)
            reply = self.double.answer(seen)
        data = reply.raw if reply.raw is not None else json.dumps(reply.data).encode()
        with contextlib.suppress(OSError):  # whoever asked has left
            self.send_response(reply.status)
            for name, value in {"Content-Type": reply.media_type, **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do_PUT = _handle  # noqa: N815  their names are http.server's

    def log_message(self, *args: Any) -> None: ...
