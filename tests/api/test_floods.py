"""`vivant serve` as a real process under clients that have no key: its memory, its files, and its answers to others."""

from __future__ import annotations

import contextlib
import re
import resource
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.live_server import SUBMIT
from support.raw_http import connect
from support.serve_process import serve_process

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory and limits from /proc"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
CHUNKED = f"POST {SUBMIT} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True)
class Process:
    pid: int
    url: str

    def memory(self) -> int:
        """MiB in memory now."""
        return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[0]) // 1024

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def answers(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(self.url + "/healthz", timeout=20) as response:
            return bool(response.status == 200)
        return False


@contextlib.contextmanager
def serving(data: Path, *, files: tuple[int, int] | None = None) -> Iterator[Process]:
    """A service in a process of its own; `files`: its limits of open files, soft and hard."""
    limit: Callable[[], None] | None = None
    if files is not None:
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, files)  # noqa: E731  run by the child
    with serve_process(data, in_child=limit) as (process, url):
        yield Process(process.pid, url)


@pytest.mark.parametrize(
    ("first", "again"),
    [(CHUNKED + b"0\r\n", b"a: b\r\n" * 2000), (CHUNKED + b"0\r\nx: ", b"c" * 16384),
     (CHUNKED + b"1;", b"c" * 16384), (b"", GET * 300)],
    ids=["trailers", "one trailer", "a chunk extension", "requests whose answers nobody reads"],
)  # fmt: skip
def test_a_flood_takes_no_memory_and_no_service_from_others(tmp_path: Path, first: bytes, again: bytes) -> None:
    """One connection took 1,121 MiB in 8 s."""
    with serving(tmp_path) as service:
        assert service.answers()
        before = service.memory()
        until = time.monotonic() + 4

        def flood() -> None:
            while time.monotonic() < until:
                with contextlib.suppress(OSError), connect(service, receive_buffer=4096) as connection:
                    connection.settimeout(1)
                    connection.sendall(first)
                    while time.monotonic() < until:
                        connection.sendall(again)

        threads = [threading.Thread(target=flood) for _ in range(8)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            assert service.answers()
            time.sleep(0.1)
        assert service.memory() - before < 64


def test_connections_never_take_the_last_files(tmp_path: Path) -> None:
    with serving(tmp_path, files=(256, 256)) as service:
        held = []
        for _ in range(300):
            connection = connect(service)
            held.append(connection)
            with contextlib.suppress(OSError):
                connection.sendall(GET)
        time.sleep(0.5)
        assert service.open_files() < 256 - 32
        for _ in range(5):
            assert service.answers()  # those that wait between requests make room
        for connection in held:
            connection.close()
    assert (tmp_path / "log").read_text().count("connections refused") <= 1


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="changes the limit of another process")
@pytest.mark.parametrize("left", [5, None], ids=["and libuv's spare one is lost, too", "but libuv's spare one"])
def test_a_service_without_a_free_descriptor_accepts_again_when_there_are_some(
    tmp_path: Path, left: int | None
) -> None:
    """Accepting fails with EMFILE. Were libuv to report that, uvloop would close the listening socket for good."""
    with serving(tmp_path) as service:
        assert service.answers()
        taken = {int(file.name) for file in Path(f"/proc/{service.pid}/fd").iterdir()}
        free = next(number for number in range(65536) if number not in taken)
        before = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (left or free, before[1]))
        held = [connect(service) for _ in range(5)]  # by the system, before they are accepted
        deadline = time.monotonic() + (30 if left else 1)  # with libuv's spare one others come and go
        while "no descriptor is free" not in (log := (tmp_path / "log").read_text()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not left or "no descriptor is free" in log
        assert service.open_files() <= len(taken)
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, before)
        for connection in held:
            connection.close()
        assert all(service.answers() for _ in range(3))


def test_the_limit_of_open_files_is_raised_at_the_start(tmp_path: Path) -> None:
    with serving(tmp_path, files=(256, 1024)) as service:
        limits = Path(f"/proc/{service.pid}/limits").read_text()
        assert re.search(r"Max open files\s+1024\s", limits)
        held = [connect(service) for _ in range(400)]
        for connection in held:
            connection.sendall(GET)
        assert all(connection.recv(4096).split()[1] == b"200" for connection in held)
        for connection in held:
            connection.close()
