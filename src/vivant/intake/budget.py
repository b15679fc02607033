"""How many bytes of callers' pictures the process may hold at once. One thread only: the event loop's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from vivant.errors import Busy

IN_FLIGHT: Final = 256 * 2**20  # bytes: three of the largest bodies the contract allows


class ByteBudget:
    """A fixed number of bytes, lent and given back. `reserve` is the only way to borrow."""

    def __init__(self, total: int = IN_FLIGHT) -> None:
        self.total = total
        self.used = 0

    @contextmanager
    def reserve(self, size: int = 0) -> Iterator[Reservation]:
        """Borrow `size` bytes until the block ends. Raises Busy when so many are not free."""
        reservation = Reservation(self)
        try:
            reservation.grow(size)
            yield reservation
        finally:
            self.used -= reservation.size
            reservation.size = 0


class Reservation:
    """Bytes borrowed from a budget; may grow while its block runs."""

    def __init__(self, budget: ByteBudget) -> None:
        self.budget = budget
        self.size = 0

    def grow(self, more: int) -> None:
        """Borrow `more` bytes. Raises Busy, and borrows nothing, when so many are not free."""
        if self.budget.used + more > self.budget.total:
            raise Busy("The service holds all the picture bytes it can; send this request again shortly.")
        self.budget.used += more
        self.size += more
