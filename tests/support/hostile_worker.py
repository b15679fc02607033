"""A worker that also knows the engines below, most of which do one thing that engines must not do.

Run as a program by the fleets of tests; the registry of the real worker is not changed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

from vivant.dispatch import worker
from vivant.dispatch.messages import Reported
from vivant.engines import registry
from vivant.engines.base import Watch
from vivant.engines.testcard.engine import CardStoryboard, Testcard
from vivant.errors import BackendLost, EngineFailed, Misconfigured, OutOfMemory, RefusedByBackend
from vivant.media import Clip, Pictures, Planes


class Still(Testcard):
    """Makes the quickest clip: its first frame 97 times, without sound."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        clip = super().render(storyboard, pictures, watch)
        return replace(clip, frames=repeat(next(clip.frames), clip.canvas.frames), soundtrack=None)


class Slow(Still):
    """Obeys its watch, but takes 0.03 s for each frame: 3 s in all."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        clip = super().render(storyboard, pictures, watch)
        return replace(clip, frames=_slowly(clip.frames))


def _slowly(frames: Iterator[Planes]) -> Iterator[Planes]:
    for frame in frames:
        time.sleep(0.03)
        yield frame


class Endless(Still):
    """Obeys its watch, and works until it is told to stop: for tests whose task must not end by itself, however slow
    the machine."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            watch.raise_if_stopping()
            time.sleep(0.01)
        return super().render(storyboard, pictures, watch)


class Chatty(Endless):
    """Reports a thousand times in a moment, up to half of the job, and then nothing more."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        for n in range(1, 1001):
            watch.report(n / 2000)
        return super().render(storyboard, pictures, watch)


class Pondering(Still):
    """Obeys its watch, and plans until it is told to stop."""

    def plan(self, request: Any, pictures: Pictures, watch: Watch) -> CardStoryboard:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            watch.raise_if_stopping()
            time.sleep(0.01)
        return super().plan(request, pictures, watch)


class Brooding(Still):
    """Plans without ever asking its watch, while its process goes on to send heartbeats."""

    def plan(self, request: Any, pictures: Pictures, watch: Watch) -> CardStoryboard:
        time.sleep(60)
        return super().plan(request, pictures, watch)


class Deaf(Still):
    """Never checks whether it must stop, and starts a process that would outlive it."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        if storyboard.seed == 1:
            time.sleep(60)
        return super().render(storyboard, pictures, watch)


class Crashing(Testcard):
    """Crashes while it renders, and leaves a process that holds the worker's streams open."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        if os.fork() == 0:
            time.sleep(120)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError("unreachable")


class Frozen(Still):
    """Stops the whole process, heartbeats included."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        if storyboard.seed == 1 and not watch.remembered:
            watch.remember({"froze": True})
            os.kill(os.getpid(), signal.SIGSTOP)
        return super().render(storyboard, pictures, watch)


class Deadlocked(Testcard):
    """Hangs while its process goes on to send heartbeats."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        time.sleep(60)
        return super().render(storyboard, pictures, watch)


class Refusing(Testcard):
    """Fails with a reason."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        raise EngineFailed("The picture is too dark.")


class Buggy(Testcard):
    """Raises an unexpected error, and prints to both streams."""

    def plan(self, request: Any, pictures: Pictures, watch: Watch) -> CardStoryboard:
        print("a line on standard output")
        print("a line on standard error", file=sys.stderr)
        raise KeyError("shots")


class Unready(Testcard):
    """Cannot be set up until a file exists."""

    def setup(self) -> None:
        if not Path(os.environ["VIVANT_TEST_WEIGHTS"]).exists():
            raise Misconfigured("The weights are missing.")


class Forgetful(Still):
    """Counts its attempts with `remember`, and crashes right after it, twice."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        attempts = watch.remembered.get("attempts", 0) + 1
        watch.remember({"attempts": attempts})
        if attempts < 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().render(storyboard, pictures, watch)


class Careful(Still):
    """Works for a second, then remembers something and goes on."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        time.sleep(1)
        watch.remember({"step": 1})
        return super().render(storyboard, pictures, watch)


class Greedy(Still):
    """Takes more memory than its worker may, by lowering that limit."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        assert isinstance(watch, worker.WorkerWatch)
        watch._channel.memory_limit = 2**20
        time.sleep(10)
        return super().render(storyboard, pictures, watch)


class Cramped(Testcard):
    """Limits files to 100 kB, as if the disk were full."""

    def setup(self) -> None:
        import resource

        super().setup()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


class Talkative(Still):
    """Prints some 40 MB: a progress bar without a single line break, then lines without end."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        for _ in range(200):
            sys.stderr.write("\r" + "#" * 99_999)
        for n in range(300_000):
            print(f"step {n} of a computation that somebody wanted to follow")
        print("the last words of this job", flush=True)
        return super().render(storyboard, pictures, watch)


class Abandoning(Testcard):
    """Crashes, and leaves a process in a session of its own that holds the worker's streams open."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        if os.fork() == 0:
            os.setsid()
            time.sleep(60)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError("unreachable")


class Flooding(Still):
    """Sends as many reports as it can for three seconds, past the limit of its watch."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        assert isinstance(watch, worker.WorkerWatch)
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            watch.raise_if_stopping()
            for _ in range(100):
                watch._channel.send(Reported(0.5))
        return super().render(storyboard, pictures, watch)


class Losing(Still):
    """Loses the server behind it, at the first attempt; the second shows which process made it."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        pids = [*watch.remembered.get("pids", []), os.getpid()]
        watch.remember({"pids": pids})
        if len(pids) == 1:
            raise BackendLost("The server went away.")
        return replace(super().render(storyboard, pictures, watch), report=lambda: {"pids": pids})


class Bloated(Testcard):
    """Takes more memory than there is."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        raise OutOfMemory(f"Process {os.getpid()} has too little memory for {storyboard.width} pixels.")


class Exhausted(Testcard):
    """An allocation of it fails."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        raise MemoryError


class Declining(Testcard):
    """Has a server behind it that will not make this clip."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        raise RefusedByBackend("The picture shows somebody.")


class Costly(Still):
    """Tells what it took."""

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        report = {"model": "big", "cost": {"amount": 0.25, "currency": "USD"}}
        return replace(super().render(storyboard, pictures, watch), report=lambda: report)


class Asleep(Still):
    """Answers its setup, and generates nothing."""

    def probe(self, watch: Watch) -> None:
        raise EngineFailed("The server generated nothing within 60 s.")


for engine in (
    Still, Slow, Endless, Chatty, Pondering, Brooding, Deaf, Crashing, Frozen, Deadlocked, Refusing, Buggy, Unready,
    Forgetful, Careful, Greedy, Cramped, Talkative, Abandoning, Flooding,
    Losing, Bloated, Exhausted, Declining, Costly, Asleep,
):  # fmt: skip
    registry.ENGINES[engine.__name__.lower()] = registry.EngineEntry(
        "vivant.engines.testcard.card", f"{__name__}:{engine.__name__}"
    )

if __name__ == "__main__":
    worker.main()
