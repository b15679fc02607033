"""A budget for the bytes of callers' pictures in memory. To be used from the event loop's thread only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from vivant.errors import Busy

IN_FLIGHT: Final = 256 * 2**20  # bytes, about three of the largest bodies


class ByteBudget:
    """A fixed number of bytes, of which `reserve` hands out parts."""

    def __init__(self, total: int = IN_FLIGHT) -> None:
        self.total = total
        self.used = 0

    @contextmanager
    def reserve(self, size: int = 0) -> Iterator[Reservation]:
        """Reserve `size` bytes until the block ends. Raises Busy when fewer are free."""
        reservation = Reservation(self)
        try:
            reservation.grow(size)
            yield reservation
        finally:
            self.used -= reservation.size
            reservation.size = 0


class Reservation:
    """Bytes reserved from a budget; may grow while its block runs."""

    def __init__(self, budget: ByteBudget) -> None:
        self.budget = budget
        self.size = 0

    def grow(self, more: int) -> None:
        """Reserve `more` bytes. Raises Busy, and reserves nothing, when fewer are free."""
        if self.budget.used + more > self.budget.total:
            raise Busy("The service holds all the picture bytes it can; send this request again shortly.")
        self.budget.used += more
        self.size += more
