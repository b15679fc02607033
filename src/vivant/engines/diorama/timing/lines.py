"""Puts spoken lines on the clock."""

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
TURN: Final = 0.5  # s between lines of two speakers: an answer needs a breath
TIGHTEST: Final = 0.12  # s, when a clip is short of time


def room_for_speech(frames: int) -> float:
    """The longest speech, in seconds, that a clip of this many frames can hold."""
    return frames / FPS - TIGHTEST - TAIL


def place_lines(board: Storyboard, facts: PictureFacts, spoken: Sequence[Spoken]) -> tuple[PlacedLine, ...]:
    """Put the lines on the clock: after a short lead, with breathing space, all inside the clip if they fit at all."""
    if not spoken:
        return ()
    lengths = [len(one.samples) / SAMPLE_RATE for one in spoken]
    gaps = [TURN if a.speaker != b.speaker else PAUSE for a, b in zip(board.lines, board.lines[1:], strict=False)]
    seconds = board.frames / FPS
    air = LEAD + sum(gaps)
    free = seconds - TAIL - sum(lengths)
    # Short of time, all silences shrink alike, down to a bare breath.
    squeeze = min(1.0, max(0.0, free) / air) if air else 1.0
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
    """What fits into `samples`: up to the last pause between words, or, without one, a fade where the time ends."""
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
    """A voice leans to where its face is, half as far: ears are less exact than eyes."""
    return (facts.faces[line.face_index].x * 2 - 1) * 0.5 if 0 <= line.face_index < len(facts.faces) else 0.0


def _depth(line: Line, facts: PictureFacts) -> float:
    """A large face is near. A face of half the picture's height stands at arm's length."""
    if not 0 <= line.face_index < len(facts.faces):
        return 0.1
    return float(np.clip(0.45 - 0.9 * facts.faces[line.face_index].height, 0.05, 0.45))
