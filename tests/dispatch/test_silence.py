"""Silence of others is measured only while the one that listens ran, and pauses between failures grow."""

from __future__ import annotations

import pytest

from vivant.dispatch.backoff import Backoff
from vivant.dispatch.silence import Silence


def test_silence_is_the_time_since_something_was_heard() -> None:
    silence = Silence(longest_gap=1, now=100)
    assert [silence.measure(100.5), silence.measure(101.25)] == [0.5, 1.25]
    silence.end()
    assert silence.seconds == 0
    assert silence.measure(101.5) == 0.25


def test_the_time_in_which_this_process_was_stopped_counts_as_one_gap() -> None:
    silence = Silence(longest_gap=1, now=0)
    silence.measure(0.5)
    assert silence.measure(4000) == 1.5
    assert silence.measure(4000.5) == 2.0


def test_a_clock_that_stands_still_adds_nothing() -> None:
    silence = Silence(longest_gap=1, now=5)
    assert silence.measure(5) == 0 and silence.measure(4) == 0


@pytest.mark.parametrize("gap", [0, -1, float("nan")])
def test_a_gap_that_is_not_positive_is_refused(gap: float) -> None:
    with pytest.raises(ValueError, match="longest_gap"):
        Silence(longest_gap=gap, now=0)


def test_pauses_grow_up_to_the_last_and_begin_again_after_a_success() -> None:
    backoff = Backoff((1, 2, 5))
    assert [backoff.fail() for _ in range(5)] == [1, 2, 5, 5, 5]
    backoff.reset()
    assert backoff.fail() == 1
    with pytest.raises(ValueError, match="pauses"):
        Backoff(())
