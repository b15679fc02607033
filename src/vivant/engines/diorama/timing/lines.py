"""Gives spoken lines their moments in the clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from vivant.engines.diorama.storyboard import Line, PictureFacts, Storyboard
from vivant.engines.diorama.timing.timeline import PlacedLine, Spoken
from vivant.media import SAMPLE_RATE
from vivant.request import FPS

LEAD: Final = 0.45  # s of picture before the first word
TAIL: Final = 0.35  # s of picture after the last word
PAUSE: Final = 0.35  # s between lines of one speaker
TURN: Final = 0.5  # s between lines of two speakers
TIGHTEST: Final = 0.12  # s, when a clip is short of time


def room_for_speech(frames: int) -> float:
    """The longest speech, in seconds, that a clip of this many frames can hold."""
    return frames / FPS - TIGHTEST - TAIL


def place_lines(board: Storyboard, facts: PictureFacts, spoken: Sequence[Spoken]) -> tuple[PlacedLine, ...]:
    """The lines with their starts: after a short lead, with pauses between, all inside the clip if they fit. A line
    that does not fit is cut at the end of the clip; lines after it are dropped."""
    if not spoken:
        return ()
    lengths = [len(one.samples) / SAMPLE_RATE for one in spoken]
    gaps = [TURN if a.speaker != b.speaker else PAUSE for a, b in zip(board.lines, board.lines[1:], strict=False)]
    seconds = board.frames / FPS
    silence = LEAD + sum(gaps)
    free = seconds - TAIL - sum(lengths)
    # Where time is short, all silences shrink alike, down to TIGHTEST.
    squeeze = min(1.0, max(0.0, free) / silence) if silence else 1.0
    at = max(TIGHTEST, LEAD * squeeze)
    placed = []
    for index, (line, one) in enumerate(zip(board.lines, spoken, strict=True)):
        start = round(at * SAMPLE_RATE)
        left = round(seconds * SAMPLE_RATE) - start
        if left <= 0:
            break
        placed.append(
            PlacedLine(line=line, spoken=_cut(one, left), start=start, pan=_pan(line, facts), depth=_depth(line, facts))
        )
        at += lengths[index] + (max(TIGHTEST, gaps[index] * squeeze) if index < len(gaps) else 0)
    return tuple(placed)


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


def _pan(line: Line, facts: PictureFacts) -> float:
    """-1..1: the side on which the face is, halved, as hearing locates less exactly than sight."""
    return (facts.faces[line.face_index].x * 2 - 1) * 0.5 if 0 <= line.face_index < len(facts.faces) else 0.0


def _depth(line: Line, facts: PictureFacts) -> float:
    """0 near .. 1 far: the larger the face, the nearer; a face of half the height of the picture is at 0.05."""
    if not 0 <= line.face_index < len(facts.faces):
        return 0.1
    return float(np.clip(0.45 - 0.9 * facts.faces[line.face_index].height, 0.05, 0.45))
