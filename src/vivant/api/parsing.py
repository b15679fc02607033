"""Parses request bodies where that may take long: in threads of its own, and one body at a time for each API key.

Parsing holds the interpreter lock most of the time, so a key that sends many large bodies would slow down all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from vivant.blocking import BlockingCalls
from vivant.errors import Busy

T = TypeVar("T")
IN_A_THREAD: Final = 32 * 1024  # bytes from which on a body is parsed in a thread: shorter ones take about a ms
THREADS: Final = 2


class Parsing:
    """`within`: seconds for one body; parsing takes time in proportion to the body, so only a hung machine needs it."""

    def __init__(self, *, within: float) -> None:
        self._calls = BlockingCalls("The parsing of bodies", threads=THREADS, within=within, late=Busy)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self, parse: Callable[[bytearray], T], body: bytearray, *, owner: str) -> T:
        """What `parse` returns or raises. Raises Busy when it takes too long."""
        if len(body) < IN_A_THREAD:
            return parse(body)
        turn = self._turns.setdefault(owner, asyncio.Lock())
        async with turn:
            return await self._calls.run(parse, body)
