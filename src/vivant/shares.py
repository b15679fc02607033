"""Limits on what callers may hold at once (bytes in memory, fetches, connections): so much in all, and so much for each
owner, so that no single one takes everything. To be used from the event loop's thread only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from vivant.errors import Busy, LimitReached


class Shares:
    """`total` units, of which one owner (an API key, or the address of a peer) may hold `each` at a time.

    `full` and `share_full` are the sentences that a caller is told when the one or the other limit is reached.
    Raises ValueError unless 0 < each <= total.
    """

    def __init__(self, total: int, *, each: int, full: str, share_full: str) -> None:
        if not 0 < each <= total:
            raise ValueError(f"each: must be from 1 to the total of {total}, got {each!r}.")
        self.total = total
        self.each = each
        self.used = 0
        self._full = full
        self._share_full = share_full
        self._of: Counter[str] = Counter()

    def used_by(self, owner: str) -> int:
        """What this owner holds now."""
        return self._of[owner]

    @contextmanager
    def hold(self, owner: str, units: int = 0) -> Iterator[Holding]:
        """Hold `units` until the block ends. Raises Busy when fewer are free, LimitReached when fewer are left
        of the owner's share."""
        holding = Holding(self, owner)
        try:
            holding.grow(units)
            yield holding
        finally:
            holding.release()


class Holding:
    """What one request holds of `shares`; may grow until it is released."""

    def __init__(self, shares: Shares, owner: str) -> None:
        self._shares = shares
        self._owner = owner
        self.units = 0

    def grow(self, units: int) -> None:
        """Hold `units` more. Raises Busy when fewer are free, LimitReached when fewer are left of the owner's share;
        then nothing more is held.
        """
        if units < 0:
            raise ValueError(f"units: must not be negative, got {units!r}.")
        shares = self._shares
        if shares.used + units > shares.total:
            raise Busy(shares._full)
        if shares.used_by(self._owner) + units > shares.each:
            raise LimitReached(shares._share_full)
        shares.used += units
        shares._of[self._owner] += units
        self.units += units

    def release(self) -> None:
        """Give everything back; a second call changes nothing."""
        shares = self._shares
        shares.used -= self.units
        shares._of[self._owner] -= self.units
        if shares._of[self._owner] <= 0:
            del shares._of[self._owner]  # else every owner ever seen stays in memory
        self.units = 0
