"""When: the times that a prompt gives, and which of its words they are about.

A time stands before what it is about ("0-3s: pan left") and holds until the next one. Speech is read by nobody here: a
quotation is one token.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Reading
from vivant.request import FPS

_RANGE: Final = re.compile(
    # No clip needs longer numbers or wider gaps; without these bounds blanks and digits are tried in every division.
    r"(?<!\d)(?P<from>\d{1,4}(?:[.:]\d{1,4})?)\s{0,3}(?:s|sec|seconds|秒)?\s{0,3}(?:-|–|—|~|to|至|到)"
    r"\s{0,3}(?P<to>\d{1,4}(?:[.:]\d{1,4})?)(?:\s{0,3}(?:s|sec|secs|seconds|second|秒)\b|秒|(?<=:\d\d))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class When:
    """Frames `start`..`end`-1; None: the prompt does not say."""

    start: int | None = None
    end: int | None = None


NO_TIME: Final = When()


@dataclass(frozen=True, slots=True)
class Stretch:
    """The words from token `first` on, up to the next stretch, happen at `when`."""

    first: int
    when: When


@dataclass(frozen=True, slots=True)
class Times:
    """The times of a prompt; `stretches` are in the order of its words."""

    stretches: tuple[Stretch, ...] = ()

    def when(self, token: int) -> When:
        """The time of what stands at this token."""
        before = bisect.bisect_right(self.stretches, token, key=lambda stretch: stretch.first)
        return self.stretches[before - 1].when if before else NO_TIME


def join(moments: Iterable[When]) -> When:
    """From the earliest start to the latest end; a time that is not said on one side leaves that side open."""
    told = list(moments)
    starts, ends = [time.start for time in told], [time.end for time in told]
    return When(
        None if None in starts else min((start for start in starts if start is not None), default=None),
        None if None in ends else max((end for end in ends if end is not None), default=None),
    )


def read_times(reading: Reading, frames: int) -> Found[Times]:
    """Every time of the prompt, in a clip of so many frames. Times beyond its end are shrunk with all others."""
    ranges = [
        (match.start(), _seconds(match["from"]), _seconds(match["to"])) for match in _RANGE.finditer(reading.text)
    ]
    ranges = [told for told in ranges if told[1] < told[2]]
    if not ranges:
        return Found(Times())
    scale = min(1.0, (frames / FPS) / max(end for _, _, end in ranges))
    stretches: list[Stretch] = []
    spans: list[Span] = []
    starts = [token.start for token in reading.tokens]
    for place, start, end in ranges:
        first = bisect.bisect_left(starts, place)
        if first == len(starts):
            continue
        begin = min(frames - 1, round(start * scale * FPS))
        stretches.append(Stretch(first, When(begin, max(begin + 1, min(frames, round(end * scale * FPS))))))
        spans.append((first, first + 1))
    return Found(Times(tuple(stretches)), spans=tuple(spans))


def _seconds(text: str) -> float:
    minutes, colon, seconds = text.partition(":")
    return int(minutes) * 60 + float(seconds.replace(":", ".")) if colon else float(text)
