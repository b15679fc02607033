"""How a long step of the engine lets its caller end it."""

from __future__ import annotations

from collections.abc import Callable

# Called between steps, from any thread: it raises Stopped or EngineFailed when the work is no longer wanted.
Checkpoint = Callable[[], None]


def never_stop() -> None:
    """The checkpoint of a caller who waits for the end in any case."""
