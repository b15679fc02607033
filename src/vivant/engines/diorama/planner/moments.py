"""Times of a planner's answer, in seconds, as frames of the clip."""

from __future__ import annotations

from vivant.engines.diorama.script.times import When
from vivant.request import FPS


def frames_of(start: float | None, end: float | None, frames: int) -> When:
    """Frames `start`..`end`-1 in a clip of so many frames, None where the answer does not say. Raises ValueError for a
    start after the clip's end, or an end that is not after the start."""
    clip = (frames - 1) / FPS
    if start is not None and start >= clip:
        raise ValueError(f"something begins at {start:g} s of a clip of {clip:g} s")
    if end is not None and end <= (start or 0.0):
        raise ValueError(f"something ends at {end:g} s and begins at {start or 0.0:g} s")
    first = None if start is None else min(frames - 2, round(start * FPS))
    return When(first, None if end is None else max((first or 0) + 1, min(frames, round(end * FPS))))
