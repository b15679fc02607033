"""An S3 server over a folder, as a program: the calls that obstore makes for Vivant and no more (no multipart uploads,
signatures are not checked). A test can stop the whole process (SIGSTOP); then it is a store that accepts connections
and never answers.

    python s3_server.py FOLDER

prints its port. Sources: the S3 API reference, for the shape of ListObjectsV2 and DeleteObjects.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

CHANGED = "2026-01-01T00:00:00.000Z"


class S3Handler(BaseHTTPRequestHandler):
    """One connection. Paths are /BUCKET/KEY; every bucket exists."""

    protocol_version = "HTTP/1.1"
    root: Path

    def do_PUT(self) -> None:
        target, data = self._file(), self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("If-None-Match") == "*" and target.exists():
            return self._answer(412, error="PreconditionFailed")
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self.root)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).replace(target)
        return self._answer(200, headers={"ETag": _etag(data)})

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True)
        if "list-type" in query:
            return self._list(query.get("prefix", [""])[0], query.get("delimiter", [""])[0])
        return self._send_file(with_body=True)

    def do_HEAD(self) -> None:
        self._send_file(with_body=False)

    def do_DELETE(self) -> None:
        self._file().unlink(missing_ok=True)
        self._answer(204)

    def do_POST(self) -> None:
        """DeleteObjects."""
        body = ElementTree.fromstring(self.rfile.read(int(self.headers["Content-Length"])))
        keys = [str(node.text) for node in body.iter() if node.tag.rpartition("}")[2] == "Key"]
        for key in keys:
            self._file(key).unlink(missing_ok=True)
        deleted = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        pass

    def _file(self, key: str | None = None) -> Path:
        _, _, rest = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        path = (self.root / "objects" / (rest if key is None else key)).resolve()
        assert path.is_relative_to(self.root.resolve())
        return path

    def _send_file(self, *, with_body: bool) -> None:
        try:
            data = self._file().read_bytes()
        except (FileNotFoundError, IsADirectoryError):
            return self._answer(404, error="NoSuchKey")
        headers = {"ETag": _etag(data), "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end = int(wanted[1]), min(int(wanted[2] or len(data)) + 1, len(data))
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
            return self._answer(206, data[start:end], headers)
        if with_body:
            return self._answer(200, data, headers)
        return self._answer(200, headers=headers, length=len(data))

    def _list(self, prefix: str, delimiter: str) -> None:
        objects = self.root / "objects"
        keys = sorted(str(path.relative_to(objects)) for path in objects.rglob("*") if path.is_file())
        listed, folders = [], set()
        for key in (key for key in keys if key.startswith(prefix)):
            below = key[len(prefix) :]
            if delimiter and delimiter in below:
                folders.add(prefix + below.partition(delimiter)[0] + delimiter)
            else:
                data = (objects / key).read_bytes()
                listed.append(
                    f"<Contents><Key>{escape(key)}</Key><LastModified>{CHANGED}</LastModified>"
                    f"<ETag>{escape(_etag(data))}</ETag><Size>{len(data)}</Size></Contents>"
                )
        common = "".join(f"<CommonPrefixes><Prefix>{escape(p)}</Prefix></CommonPrefixes>" for p in sorted(folders))
        body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(listed)}{common}</ListBucketResult>"
        self._answer(200, body.encode())

    def _answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None, *, length: int | None = None,
        error: str = "",
    ) -> None:  # fmt: skip
        if error and self.command != "HEAD":
            body = f"<Error><Code>{error}</Code></Error>".encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


class S3Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: clients that gave up while the process was stopped are expected."""


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def main() -> None:
    S3Handler.root = Path(sys.argv[1])
    (S3Handler.root / "objects").mkdir(parents=True, exist_ok=True)
    server = S3Server(("127.0.0.1", 0), S3Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
