"""Turns the steps of the camera into shots that follow each other and fill the clip."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.script.camera import Step
from vivant.engines.diorama.storyboard import Shot
from vivant.request import FPS

_SHORTEST: Final = 1.25  # seconds that a move needs to be noticed


def make_shots(steps: list[Step], frames: int) -> tuple[tuple[Shot, ...], list[str]]:
    """Shots over frames 0..frames-1 in the order of the steps, and notes on what did not fit.

    Steps with times get their times; the others share the clip evenly.
    """
    room = max(1, int(frames / FPS / _SHORTEST))
    notes = []
    if len(steps) > room:
        notes.append(f"{len(steps)} camera moves in turn were asked for; {frames // FPS} s have time for {room}.")
        steps = steps[:room]
    starts = _starts(steps, frames)
    ends = [*starts[1:], frames]
    return tuple(Shot(start=s, end=e, moves=step.moves) for step, s, e in zip(steps, starts, ends, strict=True)), notes


def _starts(steps: list[Step], frames: int) -> list[int]:
    """The first frame of each shot: 0 for the first, rising, the last before the end."""
    even = [round(index * frames / len(steps)) for index in range(len(steps))]
    if any(step.start is None for step in steps):
        return even
    # Times beyond the clip ("6-10s" of five) are shrunk with it.
    length = max(step.end or 0.0 for step in steps)
    scale = min(1.0, (frames / FPS) / length) if length > 0 else 1.0
    given = [0, *(round((step.start or 0.0) * scale * FPS) for step in steps[1:])]
    return given if all(a < b for a, b in zip(given, [*given[1:], frames], strict=True)) else even
