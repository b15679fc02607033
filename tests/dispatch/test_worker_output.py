"""What workers print becomes a bounded number of bounded lines."""

from __future__ import annotations

from vivant.dispatch.worker_output import BURST, LINE_BYTES, PER_SECOND, WorkerOutput


def test_bytes_become_lines_wherever_they_are_cut() -> None:
    output = WorkerOutput()
    text = "eins\nzwei\r\n\n  \ndrei 你好\n".encode()
    lines = [line for n in range(len(text)) for line in output.feed(text[n : n + 1], now=0.0)]
    assert lines == ["eins", "zwei", "drei 你好"]


def test_the_last_line_needs_no_end() -> None:
    output = WorkerOutput()
    assert output.feed(b"Segmentation", now=0.0) == []
    assert output.feed(b" fault", now=0.0) == []
    assert output.finish(now=0.0) == ["Segmentation fault"]


def test_a_line_without_end_is_cut_and_keeps_no_memory() -> None:
    output = WorkerOutput()
    for _ in range(1000):
        assert output.feed(b"#" * 65_536, now=0.0) == []
    assert output.finish(now=0.0) == ["#" * LINE_BYTES]


def test_a_progress_bar_of_carriage_returns_becomes_lines() -> None:
    assert WorkerOutput().feed(b"\r 1 %\r 2 %\r", now=0.0) == ["1 %", "2 %"]


def test_too_many_lines_are_dropped_and_counted_until_time_has_passed() -> None:
    output = WorkerOutput()
    assert len(output.feed(b"x\n" * (BURST + 70), now=0.0)) == BURST
    assert output.feed(b"x\n" * 30, now=0.0) == []
    assert output.take_dropped() == 0  # told once, and not for each line
    assert len(output.feed(b"x\n" * 1000, now=2.0)) == 2 * PER_SECOND
    output.feed(b"", now=3.0)
    assert output.take_dropped() == 100 + 1000 - 2 * PER_SECOND
    assert output.take_dropped() == 0


def test_what_is_no_text_is_shown_as_such() -> None:
    assert WorkerOutput().feed(b"\xff\xfe picture\n", now=0.0) == ["\ufffd\ufffd picture"]
