"""Spoken lines on the clock, with their place in the picture, cut where the clip ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vivant.engines.diorama.storyboard import Line, PictureFacts, Storyboard
from vivant.engines.diorama.timing.acting import TAIL, TIGHTEST
from vivant.engines.diorama.timing.timeline import PlacedLine, Spoken
from vivant.engines.diorama.timing.views import WHOLE, View
from vivant.media import SAMPLE_RATE
from vivant.request import FPS


def room_for_speech(frames: int) -> float:
    """The longest speech, in seconds, that a clip of this many frames can hold."""
    return frames / FPS - TIGHTEST - TAIL


def place_lines(
    board: Storyboard,
    facts: PictureFacts,
    spoken: Sequence[Spoken],
    starts: Sequence[float],
    views: Sequence[tuple[int, View]] = ((0, WHOLE),),
) -> tuple[PlacedLine, ...]:
    """The lines at their starts (seconds), in the order in which they are heard. A line that does not fit is cut at the
    end of the clip; those that would begin after it are dropped. views: (first frame, view) of each segment: a
    speaker is heard from where the view in which the line begins shows the face."""
    samples = round(board.frames / FPS * SAMPLE_RATE)
    placed = []
    for line, one, at in zip(board.lines, spoken, starts, strict=True):
        start = round(at * SAMPLE_RATE)
        view = next(view for first, view in reversed(views) if first <= at * FPS or first == 0)
        if start < samples:
            placed.append(
                PlacedLine(
                    line=line,
                    spoken=_cut(one, samples - start),
                    start=start,
                    pan=_pan(line, facts, view),
                    depth=_depth(line, facts, view),
                )
            )
    return tuple(sorted(placed, key=lambda line: line.start))


def _cut(spoken: Spoken, samples: int) -> Spoken:
    """The part that fits into `samples`: up to the last pause between words or, without one, faded out at the end."""
    if len(spoken.samples) <= samples:
        return spoken
    pauses = [phone.start for phone in spoken.phones if not phone.symbol.isalpha()]
    whole = [round(start * SAMPLE_RATE) for start in pauses if start * SAMPLE_RATE <= samples]
    kept = spoken.samples[: whole[-1] if whole and whole[-1] > samples / 2 else samples].copy()
    fade = min(len(kept), SAMPLE_RATE // 50)
    kept[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    end = len(kept) / SAMPLE_RATE
    phones = tuple(replace(phone, end=min(phone.end, end)) for phone in spoken.phones if phone.start < end)
    return Spoken(samples=kept, phones=phones)


def _pan(line: Line, facts: PictureFacts, view: View) -> float:
    """-1..1: the side on which the view shows the face, halved, as hearing locates less exactly than sight."""
    if not 0 <= line.face_index < len(facts.faces):
        return 0.0
    return float(np.clip((facts.faces[line.face_index].x - view.x) / view.size, -0.5, 0.5))


def _depth(line: Line, facts: PictureFacts, view: View) -> float:
    """0 near .. 1 far: the larger the face is seen, the nearer; one of half the height of the frame is at 0.05."""
    if not 0 <= line.face_index < len(facts.faces):
        return 0.1
    return float(np.clip(0.45 - 0.9 * facts.faces[line.face_index].height / view.size, 0.05, 0.45))
