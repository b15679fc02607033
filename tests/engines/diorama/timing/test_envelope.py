"""What has a time is there in it and nowhere else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from vivant.engines.diorama.storyboard import Motion
from vivant.engines.diorama.timing.envelope import make_envelope


@pytest.mark.parametrize(("start", "end"), [(48, None), (None, 60), (48, 96), (48, 50), (70, 71), (0, 30), (96, 97)])
def test_it_is_there_in_its_time_and_nowhere_else(start: int | None, end: int | None) -> None:
    there = make_envelope(Motion(kind="rain", start=start, end=end), 97)
    inside = np.zeros(97, bool)
    inside[start or 0 : end] = True
    assert np.array_equal(there > 0, inside)


def test_it_comes_and_goes_within_half_a_second_or_so_and_never_at_once() -> None:
    there = make_envelope(Motion(kind="rain", start=24, end=72), 97)
    assert there[24 + 15 : 72 - 15].min() == 1
    assert max(abs(b - a) for a, b in pairwise(there)) < 0.2


def test_a_short_time_is_faded_in_half_and_reaches_all_of_it() -> None:
    assert make_envelope(Motion(kind="rain", start=24, end=36), 97).max() > 0.99


def test_what_begins_and_ends_with_a_cut_is_there_and_gone_at_once() -> None:
    there = make_envelope(Motion(kind="rain", start=24, end=72), 97, cuts={24, 72})
    assert there[24] == there[71] == 1 and there[23] == there[72] == 0


def test_without_a_time_it_is_always_there() -> None:
    assert (make_envelope(Motion(kind="rain"), 97) == 1).all()
