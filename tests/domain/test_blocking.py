from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from vivant.blocking import BlockingCalls
from vivant.errors import LimitReached, StorageFailed


@pytest.fixture
def wedge() -> Iterator[threading.Event]:
    """Set at the end: lets every call that hangs on it return."""
    release = threading.Event()
    yield release
    release.set()


def calls(threads: int = 2, within: float = 0.2) -> BlockingCalls:
    return BlockingCalls("The file store", threads=threads, within=within, late=StorageFailed)


async def test_a_call_returns_what_the_function_returns() -> None:
    assert await calls(within=10).run(divmod, 7, 3) == (2, 1)


async def test_a_call_raises_what_the_function_raises() -> None:
    def fail(error: BaseException) -> None:
        raise error

    for kind in (KeyError, TimeoutError, OSError):
        with pytest.raises(kind):
            await calls(within=10).run(fail, kind("of its own"))


async def test_a_call_that_hangs_fails_at_its_deadline(wedge: threading.Event) -> None:
    of = calls()
    with pytest.raises(StorageFailed, match=r"The file store did not answer within 0\.2 s"):
        await of.run(wedge.wait)
    assert of.hung == 1


async def test_a_hanging_call_takes_one_thread_and_the_others_work_on(wedge: threading.Event) -> None:
    of = calls(threads=2)
    with pytest.raises(StorageFailed):
        await of.run(wedge.wait)
    assert [await of.run(abs, -n, within=10) for n in range(20)] == list(range(20))


async def test_while_all_threads_hang_calls_fail_at_once_and_afterwards_work_again(wedge: threading.Event) -> None:
    of = calls(threads=2)
    failures = await asyncio.gather(*(of.run(wedge.wait) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(failure, StorageFailed) for failure in failures)
    assert of.hung == 2  # the other three never began
    with pytest.raises(StorageFailed, match="2 calls hang"):
        await of.run(abs, -1, within=1000)
    wedge.set()
    while of.hung:
        await asyncio.sleep(0.01)
    assert await of.run(abs, -1, within=10) == 1


async def test_a_call_that_never_began_is_never_made(wedge: threading.Event) -> None:
    of = calls(threads=1, within=10)
    made: list[int] = []
    first = asyncio.create_task(of.run(wedge.wait))
    await asyncio.sleep(0.05)
    with pytest.raises(StorageFailed):
        await of.run(made.append, 1, within=0.05)
    wedge.set()
    await first
    await of.run(abs, 1)
    assert made == []


async def test_all_threads_work_at_once() -> None:
    meet = threading.Barrier(4)
    of = calls(threads=4, within=20)
    await asyncio.gather(*(of.run(meet.wait) for _ in range(4)))


async def test_a_cancelled_caller_leaves_at_once(wedge: threading.Event) -> None:
    of = calls(within=1000)
    caller = asyncio.create_task(of.run(wedge.wait))
    await asyncio.sleep(0.05)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert of.hung == 1


async def test_closed_calls_raise_and_nobody_waits_for_a_hanging_one(wedge: threading.Event) -> None:
    of = calls()
    with pytest.raises(StorageFailed):
        await of.run(wedge.wait)
    of.close()
    with pytest.raises(StorageFailed, match="going down"):
        await of.run(abs, 1)


def test_a_hanging_call_does_not_delay_the_end_of_the_program() -> None:
    program = """
import asyncio, threading
from vivant.blocking import BlockingCalls
from vivant.errors import StorageFailed
async def main():
    try:
        await BlockingCalls("It", threads=1, within=0.1, late=StorageFailed).run(threading.Event().wait)
    except StorageFailed as error:
        print(error)
asyncio.run(main())
"""
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("It did not answer") and done.stderr == ""
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(("threads", "within"), [(0, 1.0), (-1, 1.0), (1, 0.0), (1, -1.0), (1, float("nan"))])
def test_limits_that_cannot_be_right_cannot_be_built(threads: int, within: float) -> None:
    with pytest.raises(ValueError, match=r"threads|within"):
        calls(threads, within)


async def test_an_owner_whose_calls_hang_gets_no_more_threads_and_others_do(wedge: threading.Event) -> None:
    calls = BlockingCalls("A name server", threads=4, each=2, within=0.1, late=StorageFailed)
    for _ in range(2):
        with pytest.raises(StorageFailed):
            await calls.run(wedge.wait, 10, owner="evil")
    with pytest.raises(LimitReached):  # although both calls were given up: their threads still hang
        await calls.run(time.monotonic, owner="evil")
    assert await calls.run(time.monotonic, owner="good") > 0
    wedge.set()
    async with asyncio.timeout(5):
        while calls.hung:
            await asyncio.sleep(0.01)
    assert await calls.run(time.monotonic, owner="evil") > 0


async def test_a_call_that_never_began_frees_its_owner_s_place(wedge: threading.Event) -> None:
    calls = BlockingCalls("A name server", threads=1, each=1, within=5, late=StorageFailed)
    running = asyncio.create_task(calls.run(wedge.wait, 5, owner="a"))
    await asyncio.sleep(0.05)
    with pytest.raises(StorageFailed):
        await calls.run(time.monotonic, owner="b", within=0.05)
    wedge.set()
    await running
    assert await calls.run(time.monotonic, owner="b") > 0


@pytest.mark.parametrize("error", [StopIteration(), KeyboardInterrupt(), SystemExit(1), GeneratorExit()])
async def test_what_would_end_a_loop_or_a_generator_reaches_the_caller_as_an_ordinary_error(
    error: BaseException,
) -> None:
    def work() -> None:
        raise error

    calls = BlockingCalls("The store", threads=1, within=5, late=StorageFailed)
    with pytest.raises(RuntimeError, match=type(error).__name__):
        await asyncio.wait_for(calls.run(work), 3)
    calls.close()


async def test_a_system_without_room_for_a_thread_is_an_error_that_passes() -> None:
    of = BlockingCalls("The file store", threads=2, within=10, late=StorageFailed, each=1)
    usual = threading.stack_size(2**50)  # more than any system has
    try:
        for _ in range(3):
            with pytest.raises(StorageFailed, match="The file store cannot be called now"):
                await of.run(abs, -1, owner="a")
    finally:
        threading.stack_size(usual)
    assert await of.run(abs, -1, owner="a") == 1
    threading.stack_size(2**50)
    try:
        assert await of.run(abs, -2, owner="a") == 2  # by the thread that is there
    finally:
        threading.stack_size(usual)
