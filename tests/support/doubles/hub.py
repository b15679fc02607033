"""HubDouble: a model hub on loopback, as huggingface_hub asks it: the listing of a commit with hashes, HEAD and GET of
files with ranges. It counts what it sends, can cut an answer off, and can lie."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

COMMIT: Final = "a" * 40


class HubDouble:
    """files: of its one repository. large: those that are listed with a SHA-256, as LFS has them; the others have git's
    id. `with` starts and stops it."""

    def __init__(self, files: Mapping[str, bytes], *, large: frozenset[str] = frozenset(), gated: bool = False) -> None:
        self.files = dict(files)
        self.served = dict(files)  # what is sent; other than `files`, it lies
        self.large, self.gated = large, gated
        self.cut_after: int | None = None  # bytes of the next file that has more; then the connection ends
        self.sent: dict[str, int] = {}  # bytes of each file
        self.ranges: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def list_files(self) -> list[dict[str, Any]]:
        listed = []
        for path, data in self.files.items():
            entry: dict[str, Any] = {"rfilename": path, "size": len(data), "blobId": git_blob(data)}
            if path in self.large:
                entry["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
            listed.append(entry)
        return listed


def git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: HubDouble
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None: ...

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        if self.hub.gated:
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."}, body=body)
        elif listing := re.fullmatch(r"/api/models/[^/]+/[^/]+/revision/([^/]+)", path):
            if listing[1] not in ("main", COMMIT):
                self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body=body)
                return
            answer = {"id": "owner/model", "sha": COMMIT, "siblings": self.hub.list_files()}
            self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"}, body=body)
        elif (found := re.fullmatch(r"/[^/]+/[^/]+/resolve/[^/]+/(.+)", path)) and found[1] in self.hub.served:
            self._send_file(found[1], body=body)
        else:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"}, body=body)

    def _send_file(self, name: str, *, body: bool) -> None:
        data, status = self.hub.served[name], 200
        headers = {
            "X-Repo-Commit": COMMIT,
            "ETag": f'"{hashlib.sha256(self.hub.files[name]).hexdigest()}"',
            "Accept-Ranges": "bytes",
        }
        wanted = self.headers.get("Range")
        if body and wanted:
            self.hub.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            data, status = data[start:], 206
        cut = self.hub.cut_after if body and len(data) > (self.hub.cut_after or len(data)) else None
        if cut is not None:
            self.hub.cut_after = None
        if body:
            self.hub.sent[name] = self.hub.sent.get(name, 0) + len(data if cut is None else data[:cut])
        self._send(status, data, headers, body=body, cut=cut)

    def _send(
        self, status: int, data: bytes, headers: Mapping[str, str], *, body: bool, cut: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data if cut is None else data[:cut])
        if cut is not None:
            self.close_connection = True
