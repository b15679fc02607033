"""An object store that accepts connections and never answers, and one that is not there: both are errors in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from support.silent_server import SilentServer, use_as_s3
from vivant.blocking import BlockingCalls
from vivant.errors import StorageFailed
from vivant.storage.artifacts import Artifacts
from vivant.storage.downloads import Downloads
from vivant.task import Artifact

WITHIN = 1.0  # seconds for one request
CALLS: dict[str, Callable[[Artifacts], Any]] = {
    "put": lambda store: store.put("x", b"x"),
    "put of a long file": lambda store: store.put("x", bytes(20_000_000)),
    "create": lambda store: store.create("x", b"x"),
    "get": lambda store: store.get("x"),
    "size": lambda store: store.size("x"),
    "delete": lambda store: store.delete("x/"),
    "task_ids": lambda store: store.task_ids(),
    "has_clip": lambda store: store.has_clip("x"),
    "check": lambda store: store.check(),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_store_that_never_answers_is_an_error_in_time(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with SilentServer() as server:
        store = Artifacts(use_as_s3(monkeypatch, server.port), within=WITHIN)
        began = time.monotonic()
        with pytest.raises(StorageFailed) as caught:
            CALLS[call](store)
        assert time.monotonic() - began < 4 * WITHIN
    told, detail = str(caught.value), caught.value.detail
    assert not any(private in told for private in ("127.0.0.1", "bucket", "secret-prefix", "http"))
    assert str(server.port) in detail  # for the log


@pytest.mark.parametrize("call", ["put", "get", "check"])
def test_a_store_that_is_not_there_is_an_error_in_time(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with SilentServer() as server:
        port = server.port
    store = Artifacts(use_as_s3(monkeypatch, port), within=WITHIN)
    began = time.monotonic()
    with pytest.raises(StorageFailed):
        CALLS[call](store)
    assert time.monotonic() - began < 4 * WITHIN


async def test_a_download_from_a_store_that_hangs_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = BlockingCalls("The file store", threads=1, within=WITHIN, late=StorageFailed)
    with SilentServer() as server:
        downloads = Downloads(Artifacts(use_as_s3(monkeypatch, server.port)), calls, within=WITHIN)
        artifact = Artifact(path="x", size=1, sha256="0" * 64, width=64, height=64, frames=1, has_audio=False)
        began = time.monotonic()
        with pytest.raises(StorageFailed):
            await downloads.open(artifact)
        with pytest.raises(StorageFailed):
            await downloads._requester("x")(0, 1)
        assert time.monotonic() - began < 8 * WITHIN
    calls.close()
