"""A clip with cuts: each segment, from one cut to the next, has a renderer of its own, made when its first frame is
wanted and given up when the next segment is well under way, so that memory holds no more than two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final, Protocol

from vivant.media import Planes

_LATE: Final = 16  # frames of the next segment after which nobody asks for one of the last


class Frames(Protocol):
    """Renders the frames of a clip, in any order and on any thread."""

    def frame(self, n: int) -> Planes: ...


class Segments:
    """Implements Frames."""

    def __init__(self, starts: Sequence[int], make: Callable[[int], Frames]) -> None:
        """starts: the first frame of each segment, rising from 0. make: the renderer of a segment, by its number."""
        self._starts = tuple(starts)
        self._make = make
        self._made: dict[int, Frames] = {}
        self._lock = Lock()

    def frame(self, n: int) -> Planes:
        segment = sum(start <= n for start in self._starts) - 1
        with self._lock:  # the others wait: they want the same segment
            if segment not in self._made:
                self._made[segment] = self._make(segment)
            if n - self._starts[segment] >= _LATE:
                self._made.pop(segment - 1, None)
            renderer = self._made[segment]
        return renderer.frame(n)
