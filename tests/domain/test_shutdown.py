"""Steps of going down: none of them holds the program."""

from __future__ import annotations

import asyncio
import time

from vivant.shutdown import take_step


async def test_a_step_that_hangs_is_left_behind_even_when_it_refuses_to_be_cancelled() -> None:
    refused = 0

    async def stubborn() -> None:
        nonlocal refused
        while refused < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                refused += 1

    began = time.monotonic()
    assert not await take_step("a hung step", stubborn(), within=0.2)
    assert time.monotonic() - began < 5
    await asyncio.sleep(0)
    assert refused == 1  # it was asked


async def test_a_step_that_fails_does_not_stop_the_next_one() -> None:
    async def broken() -> None:
        raise MemoryError

    assert not await take_step("a broken step", broken(), within=1)
    assert await take_step("a step", asyncio.sleep(0), within=1)
