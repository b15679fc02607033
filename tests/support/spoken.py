"""Lines with known phonemes for the tests of faces: a buzz, as loud as each phoneme would be."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vivant.engines.diorama.storyboard import Line, Speaker, Tone
from vivant.engines.diorama.timing.timeline import Phone, PlacedLine, Spoken
from vivant.media import SAMPLE_RATE

LOUDNESS = {"p": 0.05, "b": 0.1, "t": 0.05, "k": 0.05, "m": 0.4, "f": 0.2, "v": 0.3, "s": 0.3, " ": 0.0, ",": 0.0}


def spoken_line(
    phones: Iterable[tuple[str, float]],
    *,
    start: float = 0.5,
    face: int = 0,
    off_screen: bool = False,
    tone: Tone = "neutral",
    loudness: float = 0.2,
) -> PlacedLine:
    """A placed line from (symbol, seconds) pairs, beginning at `start` seconds of the clip."""
    timed, parts, at, accent = [], [], 0.0, False
    chance = np.random.default_rng(1)
    for symbol, seconds in phones:
        if symbol == "ˈ":  # a mark: what follows is stressed
            accent = True
            continue
        timed.append(Phone(symbol=symbol, start=at, end=at + seconds, accent=accent))
        samples = round((at + seconds) * SAMPLE_RATE) - round(at * SAMPLE_RATE)
        parts.append(chance.standard_normal(samples) * loudness * LOUDNESS.get(symbol, 1.0))
        at, accent = at + seconds, False
    line = Line(
        text="", language="en", speaker=Speaker(off_screen=off_screen), face_index=-1 if off_screen else face, tone=tone
    )
    spoken = Spoken(samples=np.concatenate(parts).astype(np.float32), phones=tuple(timed))
    return PlacedLine(line=line, spoken=spoken, start=round(start * SAMPLE_RATE))


SENTENCE = (
    ("m", 0.08), ("ˈ", 0), ("ɑ", 0.15), ("p", 0.09), ("i", 0.12), (" ", 0.03), ("b", 0.08), ("ˈ", 0), ("O", 0.2),
    ("t", 0.07), (",", 0.4), ("f", 0.09), ("ˈ", 0), ("I", 0.18), ("v", 0.07), (" ", 0.03), ("m", 0.08), ("u", 0.16),
    ("v", 0.08), ("s", 0.1),
)  # fmt: skip
