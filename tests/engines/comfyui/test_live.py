"""The websocket is a hint: whatever its peer does, it holds nobody and breaks nothing."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from vivant.engines.comfyui.live import MOST_BYTES, LiveProgress
from vivant.engines.comfyui.progress import ProgressMeter
from vivant.errors import Stopped

JOB = "0ecb510e-0b27-4d3e-879e-ce16da75b1fa"


def listen(url: str) -> LiveProgress:
    return LiveProgress(url, {"X-Key": "a"}, JOB.replace("-", ""), ProgressMeter(JOB, ["9"], "7"))


def step(value: int, most: int = 4) -> str:
    return json.dumps({"type": "progress", "data": {"prompt_id": JOB, "node": "9", "value": value, "max": most}})


@contextmanager
def speaking(speak: Callable[[ServerConnection], None]) -> Iterator[str]:
    def handle(connection: ServerConnection) -> None:
        try:
            speak(connection)
        except ConnectionClosed:
            return

    with serve(handle, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join(5)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_speaks_with_the_client_id_and_the_headers() -> None:
    asked: list[tuple[str, str | None]] = []

    def speak(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append((connection.request.path, connection.request.headers.get("X-Key")))
        connection.send(step(2))
        connection.recv()

    with speaking(speak) as url:
        live = listen(url + "/behind/a/proxy")
        live.start(5, lambda: None)
        until(lambda: live.meter.fraction > 0)
        live.close()
    assert asked == [("/behind/a/proxy/ws?clientId=" + JOB.replace("-", ""), "a")]


def test_messages_that_are_none_are_passed_over() -> None:
    def speak(connection: ServerConnection) -> None:
        for message in ("nonsense", "[" * 100_000, "null", b"\x00\x00\x00\x01preview", '{"type": {}}', step(1)):
            connection.send(message)
        connection.recv()

    with speaking(speak) as url:
        live = listen(url)
        live.start(5, lambda: None)
        until(lambda: live.meter.fraction > 0)
        live.close()


@pytest.mark.parametrize("rude", ["large", "cut"])
def test_after_a_message_that_is_too_large_or_a_cut_it_is_opened_again(rude: str) -> None:
    times: list[int] = []

    def speak(connection: ServerConnection) -> None:
        times.append(1)
        if len(times) > 1:
            connection.send(step(3))
            connection.recv()
        elif rude == "large":
            connection.send("x" * (MOST_BYTES + 1))
            connection.recv()
        else:
            connection.socket.shutdown(socket.SHUT_RDWR)

    with speaking(speak) as url:
        live = listen(url)
        live.start(5, lambda: None)
        until(lambda: live.meter.fraction > 0)
        live.close()
    assert len(times) == 2


def test_a_peer_that_never_answers_holds_neither_the_start_nor_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        live = listen(f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        live.start(0.3, lambda: None)
        assert time.monotonic() - began < 1
        began = time.monotonic()
        live.close()
        assert time.monotonic() - began < 1
        until(lambda: "vivant-comfyui-progress" not in {thread.name for thread in threading.enumerate()})


def test_the_wait_for_it_can_be_stopped() -> None:
    def stop() -> None:
        raise Stopped

    with socket.create_server(("127.0.0.1", 0)) as silent:
        live = listen(f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(Stopped):
            live.start(5, stop)
        assert time.monotonic() - began < 1
        live.close()


def test_a_server_that_refuses_websockets_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
    live = listen(f"http://127.0.0.1:{port}")
    began = time.monotonic()
    live.start(5, lambda: None)
    assert time.monotonic() - began < 1
    live.close()
