"""Turns the steps of the camera into shots that follow each other and fill the clip."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.script.camera import Step
from vivant.engines.diorama.script.found import Found
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.storyboard import Shot
from vivant.request import FPS

_SHORTEST: Final = 1.25  # seconds that a move needs to be noticed


def make_shots(steps: tuple[Step, ...], frames: int) -> Found[tuple[Shot, ...]]:
    """Shots over frames 0..frames-1 in the order of the steps, at least one step; a note on those that did not fit.

    Steps with times get their times; the others share the clip evenly.
    """
    room = max(1, int(frames / FPS / _SHORTEST))
    notes: tuple[ScriptNote, ...] = ()
    if len(steps) > room:
        dropped = tuple(move.words for step in steps[room:] for move in step.moves)
        values = (("asked", len(steps)), ("seconds", frames // FPS), ("room", room))
        notes = (ScriptNote("too_many_moves", dropped, values),)
        steps = steps[:room]
    starts = _starts(steps, frames)
    ends = [*starts[1:], frames]
    shots = tuple(Shot(start=s, end=e, moves=step.moves) for step, s, e in zip(steps, starts, ends, strict=True))
    return Found(shots, notes)


def _starts(steps: tuple[Step, ...], frames: int) -> list[int]:
    """The first frame of each shot: 0 for the first, rising, the last before the end."""
    even = [round(index * frames / len(steps)) for index in range(len(steps))]
    given = [0, *(step.when.start for step in steps[1:] if step.when.start is not None)]
    rises = all(a < b for a, b in zip(given, [*given[1:], frames], strict=True))
    return given if rises and len(given) == len(steps) and steps[0].when.end is not None else even
