from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from vivant.errors import Busy
from vivant.shares import Shares
from vivant.turns import Turns


def make_turns(
    places: int = 2, *, each: int = 1, waiting: int = 100, waiting_each: int = 50, within: float = 10
) -> Turns:
    limits = Shares(waiting, each=waiting_each, full="Too many wait.", share_full="Too many of this key wait.")
    return Turns(places, each=each, waiting=limits, within=within, late="None became free.")


class Work:
    """Requests that hold their place until they are let go; remembers who had a place, in order."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.order: list[str] = []
        self.running: list[str] = []
        self._go: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, *names: str) -> None:
        """A name is its owner and a number: "a1"."""
        for name in names:
            self._go[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._do(name))
        await settle()

    async def _do(self, name: str) -> None:
        async with self._turns.take(name[0]):
            self.order.append(name)
            self.running.append(name)
            try:
                await self._go[name].wait()
            finally:
                self.running.remove(name)

    async def finish(self, name: str) -> None:
        self._go[name].set()
        await self.tasks[name]
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def working(turns: Turns) -> AsyncIterator[Work]:
    work = Work(turns)
    try:
        yield work
    finally:
        for task in work.tasks.values():
            task.cancel()
        await asyncio.gather(*work.tasks.values(), return_exceptions=True)


async def test_no_owner_has_all_places_even_while_one_is_free() -> None:
    async with working(make_turns()) as work:
        await work.start("a1", "a2", "a3")
        assert work.running == ["a1"]
        await work.start("b1")
        assert work.running == ["a1", "b1"]


async def test_a_single_place_goes_to_whoever_asks() -> None:
    async with working(make_turns(1)) as work:
        await work.start("a1", "a2", "b1")
        assert work.running == ["a1"]
        await work.finish("a1")
        await work.finish("a2" if "a2" in work.running else "b1")
        assert len(work.order) == 3


async def test_owners_get_their_turn_one_after_the_other() -> None:
    async with working(make_turns()) as work:
        await work.start("a1", "x1", "a2", "a3", "a4", "b1", "b2", "c1")
        await work.finish("x1")  # its place may not go to a, who has one
        for _ in range(6):
            await work.finish(work.running[0])
        assert work.order == ["a1", "x1", "b1", "a2", "c1", "b2", "a3", "a4"]


async def test_requests_of_one_owner_keep_their_order() -> None:
    async with working(make_turns(2, each=2)) as work:
        await work.start("a1", "a2", "a3", "a4", "a5")
        assert work.running == ["a1", "a2"]
        await work.finish("a2")
        await work.finish("a1")
        assert work.order == ["a1", "a2", "a3", "a4"]


async def test_too_many_waiting_are_busy_in_all_and_per_owner() -> None:
    async with working(make_turns(waiting=6, waiting_each=3)) as work:
        await work.start(*(f"a{n}" for n in range(5)))  # one runs, three wait
        assert isinstance(work.tasks["a4"].exception(), Busy)
        await work.start("b0", "b1", "b2", "b3")
        assert work.running == ["a0", "b0"]
        await work.start("c0")  # six wait
        assert "Too many wait" in str(work.tasks["c0"].exception())


async def test_who_waits_too_long_is_busy_and_leaves_nothing_behind() -> None:
    turns = make_turns(1, within=0.05)
    async with working(turns) as work:
        await work.start("a1")
        with pytest.raises(Busy, match="None became free"):
            async with turns.take("b"):
                pass
        await work.finish("a1")
        async with turns.take("b"), asyncio.timeout(1):
            pass


async def test_a_cancelled_request_gives_its_turn_to_the_next() -> None:
    async with working(make_turns(1)) as work:
        await work.start("a1", "b1", "c1")
        work.tasks["b1"].cancel()
        await work.finish("a1")
        assert work.running == ["c1"]
        await work.start("d1", "e1")
        work._go["c1"].set()
        await asyncio.wait({work.tasks["c1"]})
        work.tasks["d1"].cancel()  # at the moment its turn has come
        await settle()
        assert work.running == ["e1"]


async def test_a_failure_gives_the_place_back() -> None:
    turns = make_turns(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with turns.take("a"):
                raise ZeroDivisionError
    assert not turns._of and turns._free == 1 and not turns._queues


@pytest.mark.parametrize(("places", "each"), [(0, 0), (1, 2), (2, 0), (2, -1)])
def test_limits_that_cannot_be_right_cannot_be_built(places: int, each: int) -> None:
    with pytest.raises(ValueError, match="each"):
        make_turns(places, each=each)
