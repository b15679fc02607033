"""A stream that neither blocks nor raises, on files that fail in every way the system offers."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vivant.background_stream import MAX_LINE, MAX_UNFINISHED, BackgroundStream

PATIENCE = 20.0


def told(lines: int) -> str:
    return f"lost {lines}"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def read(end: int) -> str:
    return os.read(end, 2**20).decode()


def test_lines_are_written_in_order_and_the_last_at_the_end(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        stream = BackgroundStream(file.fileno())
        for n in range(1000):
            stream.put(f"line {n}")
        print("printed ", end="", file=stream)
        print("in parts", "without an end", sep="\n", end="", file=stream)
        stream.finish(PATIENCE)
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines == [*(f"line {n}" for n in range(1000)), "printed in parts", "without an end"]


def test_a_pipe_that_nobody_reads_stops_no_writer_and_the_loss_is_told_in_one_line(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    stream = BackgroundStream(writing, describe_loss=told, max_waiting=50)
    line = "x" * 1000
    for _ in range(500):  # a pipe holds 64 KiB, so most of these find no place
        stream.put(line)
    text = read(reading)
    while "lost" not in text:
        text += read(reading)
    *written, notice = text.splitlines()
    assert set(written) == {line}
    assert notice == told(500 - len(written))
    stream.put("after")
    assert read(reading) == "after\n"
    stream.finish(PATIENCE)


def test_a_pipe_that_another_process_made_non_blocking_is_waited_for(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    fcntl.fcntl(writing, fcntl.F_SETFL, os.O_NONBLOCK)
    stream = BackgroundStream(writing, describe_loss=told)
    for n in range(200):
        stream.put(f"{n:04} " + "x" * 1000)
    text = ""
    while "0199" not in text:
        text += read(reading)
    assert [line[:4] for line in text.splitlines()] == [f"{n:04}" for n in range(200)]
    stream.finish(PATIENCE)


def test_a_reader_that_ended_is_survived_and_the_next_reader_gets_the_log(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    gone, broken = os.pipe()
    os.close(gone)
    stream = BackgroundStream(broken, describe_loss=told)
    stream.put("nobody gets this")
    stream.put("nor this")
    until(lambda: stream.lost == 2)
    os.dup2(writing, broken)
    stream.put("heard again")
    text = ""
    while text.count("\n") < 2:
        text += read(reading)
    assert text.splitlines() == ["heard again", told(2)]
    stream.finish(PATIENCE)
    os.close(broken)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_full_disk_is_survived_and_the_log_goes_on_when_there_is_room(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    stream = BackgroundStream(full, describe_loss=told)
    for n in range(3):
        stream.put(f"lost {n}")
    until(lambda: stream.lost == 3)
    with (tmp_path / "log").open("wb") as file:
        os.dup2(file.fileno(), full)
    stream.put("room again")
    stream.finish(PATIENCE)
    os.close(full)
    assert (tmp_path / "log").read_text().splitlines() == ["room again", told(3)]


def test_a_line_that_was_cut_off_by_a_full_disk_does_not_run_into_the_next(tmp_path: Path) -> None:
    code = f"""
import resource, sys, time
from vivant.background_stream import BackgroundStream
file = open({str(tmp_path / "log")!r}, "wb")
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
stream = BackgroundStream(file.fileno())
stream.put("too long for ten bytes")
while not stream.lost:
    time.sleep(0.01)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
stream.put("whole")
stream.finish(20)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)
    assert (tmp_path / "log").read_text() == "too long f\nwhole\n"


def test_a_closed_descriptor_is_survived() -> None:
    descriptor = os.open(os.devnull, os.O_WRONLY)
    stream = BackgroundStream(descriptor)
    os.close(descriptor)
    stream.put("nowhere")
    until(lambda: stream.lost == 1)
    assert not stream.isatty()
    stream.finish(PATIENCE)


def test_the_end_waits_for_a_stalled_reader_no_longer_than_it_is_told(pipe: tuple[int, int]) -> None:
    stream = BackgroundStream(pipe[1])
    for _ in range(100):
        stream.put("x" * 1000)
    started = time.monotonic()
    stream.finish(0.2)
    assert time.monotonic() - started < PATIENCE / 2


def test_many_threads_write_at_once_and_every_line_is_whole(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        stream = BackgroundStream(file.fileno(), max_waiting=10_000)

        def work(name: str) -> None:
            for n in range(500):
                stream.put(f"{name} {n}")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stream.finish(PATIENCE)
    lines = (tmp_path / "log").read_text().splitlines()
    for name in "abcd":
        assert [line for line in lines if line[0] == name] == [f"{name} {n}" for n in range(500)]


def test_lines_of_any_length_take_a_bounded_memory(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        stream = BackgroundStream(file.fileno())
        stream.put("x" * 10 * MAX_LINE)
        for _ in range(10):
            stream.write("y" * (MAX_UNFINISHED // 3))  # no line break ever
        stream.put("\ud800")
        stream.finish(PATIENCE)
    lines = (tmp_path / "log").read_text().splitlines()
    assert all(len(line) <= MAX_LINE + 1 for line in lines)
    assert "\\ud800" in lines


def test_it_takes_text_only_as_every_text_stream() -> None:
    stream = BackgroundStream(2)
    with pytest.raises(TypeError):
        stream.write(b"bytes")  # type: ignore[arg-type]
    stream.finish(PATIENCE)
