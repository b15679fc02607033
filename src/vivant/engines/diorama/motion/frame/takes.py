"""A clip with cuts: each take, from one cut to the next, has a renderer of its own, made when its first frame is wanted
and given up when the next take is well under way, so that memory holds no more than two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final, Protocol

from vivant.media import Planes

_LATE: Final = 16  # frames of the next take after which nobody asks for one of the last


class Frames(Protocol):
    """Renders the frames of a clip, in any order and on any thread."""

    def frame(self, n: int) -> Planes: ...


class Takes:
    """Implements Frames."""

    def __init__(self, starts: Sequence[int], make: Callable[[int], Frames]) -> None:
        """starts: the first frame of each take, rising from 0. make: the renderer of a take, by its number."""
        self._starts = tuple(starts)
        self._make = make
        self._made: dict[int, Frames] = {}
        self._lock = Lock()

    def frame(self, n: int) -> Planes:
        take = sum(start <= n for start in self._starts) - 1
        with self._lock:  # the others wait: they want the same take
            if take not in self._made:
                self._made[take] = self._make(take)
            if n - self._starts[take] >= _LATE:
                self._made.pop(take - 1, None)
            renderer = self._made[take]
        return renderer.frame(n)
