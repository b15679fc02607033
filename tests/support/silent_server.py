"""A server that accepts connections and never answers: a hung object store."""

from __future__ import annotations

import socket
from typing import Self

import pytest


class SilentServer:
    """Listens on a loopback port of its own; `with` starts and stops it. The system accepts the connections and takes
    what is sent until its buffers are full; nobody reads it.
    """

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listening.getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()


def use_as_s3(monkeypatch: pytest.MonkeyPatch, port: int) -> str:
    """The URL of a store in a bucket at this port; the environment, which workers inherit, says how to reach it."""
    for name, value in {
        "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "REGION": "us-east-1", "ALLOW_HTTP": "true",
        "ENDPOINT": f"http://127.0.0.1:{port}",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", value)
    return "s3://bucket/secret-prefix"
