"""When: the times that a prompt gives, and which of its words they are about.

A time that heads a stretch of the prompt ("0-3s:", "[2s-4s]", "第3秒：") holds until the next heading. One that stands
in a sentence ("after 2 seconds she smiles", "2秒后她笑了") holds for its clause, and, where it opens a sentence, for
all of it. Speech is read by nobody here: a quotation is one token.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Reading
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.script.time_words import TimeWords, find_time_words
from vivant.engines.diorama.script.tokens import ends_clause, ends_sentence
from vivant.request import FPS

_ENDING: Final = 1.5  # seconds that "at the end" lasts, where the clip has room
_ARTICLES: Final = frozenset({"a", "an", "the", "create", "make", "generate"})  # before the length that opens a prompt
_TOLD_LENGTH: Final = 0.75  # seconds by which a length that is told may differ from the clip's without a note


@dataclass(frozen=True, slots=True)
class When:
    """Frames `start`..`end`-1; None: the prompt does not say."""

    start: int | None = None
    end: int | None = None


NO_TIME: Final = When()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Tokens first..last-1 happen at `when`; the first ones, up to `told`, tell it. heading: the time stands before a
    stretch of its own, as "0-3s:" does. lasting: what begins then may go on: weather runs through cuts."""

    first: int
    last: int
    when: When
    told: int = 0
    heading: bool = False
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """The times of a prompt. Where two of `stretches` cover a token, the later one counts."""

    frames: int
    stretches: tuple[Stretch, ...] = ()
    steps: tuple[int, ...] = ()  # of each token: the step of the acting that it belongs to, from 0
    turns: tuple[int, ...] = ()  # of each token: how many words such as "then" stand before it

    def when(self, token: int) -> When:
        """The time that the prompt gives for what stands at this token."""
        stretch = self._stretch(token)
        return NO_TIME if stretch is None else stretch.when

    def within(self, shots: Iterable[Stretch]) -> Times:
        """These times, and for what has none that of the shot in which it stands. A time that heads a shot is that of
        the shot: weather that begins in it runs on."""
        shots = tuple(shots)
        starts = {shot.when.start for shot in shots}
        own = tuple(replace(one, lasting=one.heading and one.when.start in starts) for one in self.stretches)
        return replace(self, stretches=shots + own)

    def _stretch(self, token: int) -> Stretch | None:
        return next((one for one in reversed(self.stretches) if one.first <= token < one.last), None)

    def begins(self, token: int) -> When:
        """The time of what lasts from then on. Without a time but after a "then", its fair share of the clip: the
        second of two steps begins in the middle."""
        stretch = self._stretch(token)
        if stretch is not None:
            return When(stretch.when.start or None) if stretch.lasting else stretch.when
        turns = self.turns[-1] if self.turns else 0
        if not turns or not self.turns[token]:
            return NO_TIME
        return When(round(self.turns[token] * self.frames / (turns + 1)))

    def begins_to_play(self, token: int) -> When:
        """The time of music, which goes on where the heading that it began under ends."""
        stretch = self._stretch(token)
        if stretch is not None and stretch.heading:
            return When(stretch.when.start or None)
        return self.begins(token)

    def order(self, token: int) -> int:
        """Which step of the acting this token belongs to: what has a lower number comes first, equal ones together."""
        return self.steps[token] if token < len(self.steps) else 0


def join(moments: Iterable[When]) -> When:
    """From the earliest start to the latest end; a time that is not said on one side leaves that side open."""
    told = list(moments)
    starts, ends = [time.start for time in told], [time.end for time in told]
    return When(
        None if None in starts else min((start for start in starts if start is not None), default=None),
        None if None in ends else max((end for end in ends if end is not None), default=None),
    )


def read_times(reading: Reading, frames: int) -> Found[Times]:
    """Every time of the prompt, in a clip of so many frames. Where some lie beyond its end, all are shrunk alike, and a
    note tells it; a length of the clip that is not its own is told, too."""
    clip = (frames - 1) / FPS
    found = [_as_length(reading, words, clip) for words in find_time_words(reading)]
    notes: list[ScriptNote] = []
    notes += [
        ScriptNote("other_length", (words.text,), (("seconds", f"{clip:g}"),))
        for words in found
        if words.kind == "length" and words.end is not None and abs(words.end - clip) > _TOLD_LENGTH
    ]
    notes += [ScriptNote("time_unread", (words.text,)) for words in found if words.kind == "unread"]
    placed = _resolve([words for words in found if words.kind not in ("length", "unread")], clip)
    longest = max((max(words.start or 0.0, words.end or 0.0) for words in placed), default=0.0)
    scale = 1.0
    if longest > clip + 0.05:
        scale = clip / longest
        beyond = tuple(words.text for words in placed if max(words.start or 0.0, words.end or 0.0) > clip)
        notes.append(ScriptNote("times_shrunk", beyond, (("seconds", f"{clip:g}"), ("told", f"{longest:g}"))))
    stretches = tuple(_stretches(reading, placed, scale, frames))
    spans = tuple((words.first, words.last) for words in found)
    steps, turns = _count_steps(reading, spans)
    return Found(Times(frames, stretches, steps, turns), tuple(notes), spans)


def _as_length(reading: Reading, words: TimeWords, clip: float) -> TimeWords:
    """ "An 8-second video of …", "10秒，…": a time about which nothing else is said is the length of the clip where it
    is as long, opens the prompt, stands alone between two marks or is an adjective."""
    if words.kind != "bare":
        return words
    equal = words.end is not None and abs(words.end - clip) <= _TOLD_LENGTH
    first = words.first == 0 or _is_mark(reading, words.first - 1)
    alone = first and (words.last >= len(reading.tokens) or _is_mark(reading, words.last))
    before = reading.text[: reading.tokens[words.first].start][-2:]
    opens = all(token.text in _ARTICLES for token in reading.tokens[: words.first])
    told = equal or alone or opens or "-" in words.text or before in ("延长", "精准", "时长", "生成", "一段")
    return replace(words, kind="length" if told else "unread")


def _is_mark(reading: Reading, at: int) -> bool:
    return ends_clause(reading.tokens[at]) or ends_sentence(reading.tokens[at])


def _resolve(found: Sequence[TimeWords], clip: float) -> list[TimeWords]:
    """The times as seconds of the clip: shares of it, times from its end, and times after the one before."""
    resolved: list[TimeWords] = []
    before = ended = 0.0  # the last moment that was told, and the end of what was told
    closing = False  # the last one counts from the end of the clip, so what lasts from it ends with the clip
    for words in found:
        start, end = words.start, words.end
        match words.kind:
            case "share":
                start = None if start is None else start * clip
                end = None if end is None else end * clip
            case "from the end":
                start, end = max(0.0, clip - (start or min(_ENDING, clip / 3))), None
            case "later":
                start = before + (start or 0.0)
            case "lasting" | "share lasting":
                start, end = ended, ended + (end or 0.0) * (clip if words.kind == "share lasting" else 1)
                end = min(end, clip) if closing else end
        closing = words.kind == "from the end"
        resolved.append(replace(words, start=start, end=end))
        before = before if start is None else start
        ended = max(ended, end or before)
    return resolved


def _stretches(reading: Reading, placed: Sequence[TimeWords], scale: float, frames: int) -> Iterable[Stretch]:
    headings = [words.first for words in placed if words.heading]
    for index, words in enumerate(placed):
        if words.heading:
            after = bisect.bisect_right(headings, words.first)
            first, last = words.first, headings[after] if after < len(headings) else len(reading.tokens)
        else:
            following = placed[index + 1].first if index + 1 < len(placed) else len(reading.tokens)
            first, last = _reach(reading, words, following)
        yield Stretch(first, last, _frames(words, scale, frames), words.last, words.heading)


def _frames(words: TimeWords, scale: float, frames: int) -> When:
    start = None if words.start is None else min(frames - 2, max(0, round(words.start * scale * FPS)))
    end = None
    if words.end is not None:
        end = round(words.end * scale * FPS)
        # The last frame starts where the clip's length ends.
        end = frames if end >= frames - 1 else max((start or 0) + 1, end)
    return When(start, end)


def _reach(reading: Reading, words: TimeWords, following: int) -> Span:
    """The tokens that a time inside a sentence is about: "After 2 seconds, she smiles and waves." and "She smiles after
    2 seconds, then waves." """
    start, stop = reading.sentence_bounds(words.first)
    first = words.first
    while first > start and not ends_clause(reading.tokens[first - 1]) and not _is_then(reading, first - 1):
        first -= 1
    opens = all(
        {"then", "and", "filler", "as"} & reading.roles(at) or reading.tokens[at].kind == "mark"
        for at in range(first, words.first)
    )
    last = words.last
    if opens:
        # The rest of the sentence, as far as nothing else says when.
        while last < min(stop, following) and not (last > words.last and _is_then(reading, last)):
            last += 1
        return words.first, last
    while last < min(stop, following) and not ends_clause(reading.tokens[last]) and not _is_then(reading, last):
        last += 1
    return first, last


def _is_then(reading: Reading, at: int) -> bool:
    return "then" in reading.roles(at) or reading.tokens[at].kind == "arrow"


def _count_steps(reading: Reading, spans: Sequence[Span]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(steps, turns) of each token: a clause is a step, unless "while" or "meanwhile" opens it; a "then" is a turn and
    a step. A "then" that is part of a time ("2秒后") turns nothing."""
    timed = {at for first, last in spans for at in range(first, last)}
    steps: list[int] = []
    turns: list[int] = []
    step = turn = 0
    said = False  # something but "meanwhile" has been said in this step
    for at, token in enumerate(reading.tokens):
        together = "as" in reading.roles(at)
        if at and reading.clause[at] != reading.clause[at - 1] and said and not together:
            step, said = step + 1, False
        if at and at not in timed and _is_then(reading, at) and not _is_then(reading, at - 1):
            turn += 1
            step, said = step + said, False
        said = said or not (together or token.kind in ("mark", "line"))
        steps.append(step)
        turns.append(turn)
    return tuple(steps), tuple(turns)
