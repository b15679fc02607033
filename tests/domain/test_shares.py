from __future__ import annotations

import pytest

from vivant.errors import Busy, LimitReached
from vivant.shares import Shares


def shares(total: int = 100, each: int = 60) -> Shares:
    return Shares(total, each=each, full="All is taken.", share_full="Your share is taken.")


def test_everything_is_given_back_whatever_happens() -> None:
    of = shares()
    with pytest.raises(ZeroDivisionError), of.hold("a", 40) as held:
        held.grow(20)
        assert of.used == of.used_by("a") == 60
        raise ZeroDivisionError
    assert of.used == of.used_by("a") == 0


def test_no_owner_can_take_more_than_its_share() -> None:
    of = shares()
    with of.hold("a", 60) as held:
        with pytest.raises(LimitReached, match="Your share is taken"):
            held.grow(1)
        with pytest.raises(Busy, match="Your share is taken"), of.hold("a", 1):
            pass
        with of.hold("b", 40):
            assert of.used == 100


def test_nobody_can_take_more_than_there_is() -> None:
    of = shares()
    with of.hold("a", 60), of.hold("b", 40):
        for owner in ("a", "b", "c"):
            with pytest.raises(Busy, match="All is taken"), of.hold(owner, 1):
                pass
    assert of.used == 0


def test_a_refusal_takes_nothing() -> None:
    of = shares()
    with of.hold("a", 10) as held:
        with pytest.raises(Busy):
            held.grow(51)
        assert held.units == of.used == 10


def test_an_owner_who_holds_nothing_takes_no_memory() -> None:
    of = shares()
    for number in range(1000):
        with of.hold(f"owner {number}", 1):
            pass
    assert len(of._of) == 0


@pytest.mark.parametrize(("total", "each"), [(0, 0), (10, 0), (10, 11), (-1, -1)])
def test_shares_that_cannot_be_right_cannot_be_built(total: int, each: int) -> None:
    with pytest.raises(ValueError, match="each"):
        shares(total, each)


def test_nothing_shrinks_by_growing() -> None:
    with shares().hold("a", 10) as held, pytest.raises(ValueError, match="negative"):
        held.grow(-1)
