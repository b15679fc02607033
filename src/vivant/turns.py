"""Turns at a few places (decoder processes), handed out so that no owner of many requests delays another with one.

To be used from the event loop's thread only.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vivant.errors import Busy
from vivant.shares import Shares


class Turns:
    """`places` places, of which one owner (an API key) has at most `each` at a time, even while others are free.

    Who finds none waits at most `within` seconds. Owners get their turn one after the other, each with its oldest
    request. `waiting` limits how many requests wait, in all and of one owner. `late` is the sentence of the Busy that
    is raised after `within` seconds. Raises ValueError unless 0 < each <= places.
    """

    def __init__(self, places: int, *, each: int, waiting: Shares, within: float, late: str) -> None:
        if not 0 < each <= places:
            raise ValueError(f"each: must be from 1 to the {places} places, got {each!r}.")
        self._free = places
        self._each = each
        self._waiting = waiting
        self._within = within
        self._late = late
        self._of: Counter[str] = Counter()  # places by owner
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}  # by owner, in the order of their next turns

    @asynccontextmanager
    async def take(self, owner: str) -> AsyncIterator[None]:
        """Hold a place until the block ends. Raises Busy when too many wait or none becomes free in time."""
        await self._wait(owner)
        try:
            yield
        finally:
            self._release(owner)

    async def _wait(self, owner: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._waiting.hold(owner, 1):
            queue = self._queues.setdefault(owner, deque())
            queue.append(turn)
            self._hand_out()
            try:
                async with asyncio.timeout(self._within):
                    await turn
            except (TimeoutError, asyncio.CancelledError) as error:
                if turn.done() and not turn.cancelled():  # its turn came at the same moment
                    self._release(owner)
                else:
                    self._leave(owner, turn)
                if isinstance(error, TimeoutError):
                    raise Busy(self._late) from None
                raise

    def _leave(self, owner: str, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(owner)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._queues[owner]

    def _release(self, owner: str) -> None:
        self._free += 1
        self._of[owner] -= 1
        if not self._of[owner]:
            del self._of[owner]  # else every owner ever seen stays in memory
        self._hand_out()

    def _hand_out(self) -> None:
        """Give free places to the owners next in turn that may have one more."""
        while self._free:
            owner = next((owner for owner in self._queues if self._of[owner] < self._each), None)
            if owner is None:
                return
            queue = self._queues.pop(owner)
            turn = queue.popleft()
            if queue:
                self._queues[owner] = queue  # behind all others
            if not turn.done():  # else its caller has just been cancelled
                self._free -= 1
                self._of[owner] += 1
                turn.set_result(None)
