"""A simulator of an OpenAI-compatible chat endpoint on loopback: real HTTP, answers as each test wants them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["ChatHandler"], None]


class ChatHandler(BaseHTTPRequestHandler):
    """`answer` says what to do with each request; `asked` are the bodies, `keys` the Authorization headers."""

    answer: Answer
    asked: list[dict[str, Any]]
    keys: list[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"path": self.path, **body})
        self.keys.append(self.headers.get("Authorization", ""))
        try:
            type(self).answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_request(self, *args: Any) -> None: ...

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def say(self, content: str) -> None:
        """Answer with a chat completion of this content."""
        message = {"role": "assistant", "content": content}
        self.reply(200, json.dumps({"choices": [{"index": 0, "message": message}]}).encode())

    def drip(self) -> None:
        """A byte now and then, without end."""
        self.send_response(200)
        self.send_header("Content-Length", "100000000")
        self.end_headers()
        while True:
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def drip_until_closed(self) -> None:
        """The same without a length: an HTTP/1.0 answer that ends when the connection does."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        while True:
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def pour(self) -> None:
        """Bytes without end, as fast as they go."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000000000")
        self.end_headers()
        while True:
            self.wfile.write(b" " * 65536)


@contextmanager
def chat_endpoint(answer: Answer) -> Iterator[tuple[str, type[ChatHandler]]]:
    """(base URL, the handler class with what was asked)."""
    handler = type("Handler", (ChatHandler,), {"answer": staticmethod(answer), "asked": [], "keys": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", handler
    finally:
        server.shutdown()
        server.server_close()
