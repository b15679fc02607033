"""The words of a prompt that tell a time, in English and Chinese, as seconds or shares of the clip. What they are about
is for times.py."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from vivant.engines.diorama.script.grammar import Reading
from vivant.engines.diorama.script.tokens import fold

# How `start` and `end` of a time count. seconds: from the start of the clip. share: as shares of the clip. from the
# end: `start` seconds before the end; None: shortly before it. later: after the time before. lasting: `end` seconds
# from the end of the one before. share lasting: the same as a share. length: `end` is the length of the clip. bare: it
# may be that, or any other time of `end` seconds. unread: nobody knows which time it tells.
Kind = Literal["seconds", "share", "from the end", "later", "lasting", "share lasting", "length", "bare", "unread"]

_MOST: Final = 60  # times that are read
_WORDS: Final[dict[str, float]] = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "half a": 0.5, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5,
    "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "十一": 11,
    "十二": 12, "半": 0.5, "几": 2, "a few": 2, "a couple of": 2,
}  # fmt: skip
# No clip needs longer numbers or wider gaps; without these bounds blanks and digits are tried in every division.
_CLOCK: Final = r"\d{1,2}:\d{2}(?:[.:]\d{1,3})?"
_FIGURE: Final = rf"(?:{_CLOCK}|\d{{1,4}}(?:\.\d{{1,3}})?)"
_NUMBER: Final = (
    rf"(?:{_FIGURE}|half a|a few|a couple of|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|an|a"
    r"|十[一二]?|[一二两三四五六七八九半几])"
)
_UNIT: Final = r"(?:seconds?|secs?|s(?![a-z])|\"|″|秒钟|秒)"
_GAP: Final = r"[ \t\u3000-]{0,2}"
_TO: Final = r"[ \t]{0,2}(?:-|–|—|~|～|→|to|and|through|until|至|到)[ \t]{0,2}"
_OPEN, _CLOSE = r"[\[({【〔（<|*]", r"[\])}】〕）>|*]"


_HEADED: Final = re.compile("^(?:画面|镜头|场景|内容|分镜|动作|visual|scene)(?=[ \t]{0,2}[:：])")  # 0–3秒画面：

Read = Callable[[list[float]], tuple[float | None, float | None]]  # numbers -> start and end


@dataclass(frozen=True, slots=True)
class TimeWords:
    """Tokens first..last-1 tell a time. heading: what follows is headed by it, as "0-3s:" heads."""

    first: int
    last: int
    text: str
    kind: Kind
    start: float | None
    end: float | None
    heading: bool


@dataclass(frozen=True, slots=True)
class _Form:
    """A way to write a time: its pattern, and what the numbers in it mean."""

    pattern: re.Pattern[str]  # its groups are the numbers
    kind: Kind
    read: Read
    heading: bool | None  # None: where it stands like one


def find_time_words(reading: Reading) -> list[TimeWords]:
    """The times of a prompt in order, none overlapping another, at most 60. Speech is not looked into."""
    text = list(fold(reading.text))
    for quotation in reading.quotations:
        text[quotation.start : quotation.end] = " " * (quotation.end - quotation.start)
    folded = "".join(text)
    starts = [token.start for token in reading.tokens]
    taken: list[tuple[int, int]] = []
    found: list[TimeWords] = []
    for form in _FORMS:  # the fullest forms first
        for match in form.pattern.finditer(folded):
            begin, end = match.span()
            if any(begin < b and a < end for a, b in taken) or len(found) == _MOST:
                continue
            first, last = bisect.bisect_left(starts, begin), bisect.bisect_left(starts, end)
            if first >= len(starts) or first >= last:
                continue
            start, stop = form.read([_value(number) for number in match.groups() if number])
            if start is not None and stop is not None and stop <= start:
                continue
            taken.append((begin, end))
            heading = _is_heading(folded, begin, end) if form.heading is None else form.heading
            written = " ".join(reading.text[begin:end].split())
            found.append(TimeWords(first, last, written, form.kind, start, stop, heading))
    return sorted(found, key=lambda words: words.first)


def _is_heading(text: str, begin: int, end: int) -> bool:
    """It stands in brackets, before a colon or a dash, or alone at the start of a line."""
    after = _HEADED.sub("", text[end : end + 6].lstrip(" \t*"))
    before = text[max(0, begin - 40) : begin].rstrip(" \t*#-|")
    return (
        text[end - 1] in "])}】〕）>|:："
        or after[:1] in (":", "：", "]", ")", "}", "】", "|", "–", "—")
        or (before[-1:] in ("", "\n") and after[:1] in ("-", "\n"))
    )


def _value(written: str) -> float:
    """Seconds, or a number of them."""
    text = written.strip()
    if text in _WORDS:
        return _WORDS[text]
    minutes, colon, seconds = text.partition(":")
    return int(minutes) * 60 + float(seconds.replace(":", ".")) if colon else float(text)


def _range(numbers: list[float]) -> tuple[float, float]:
    return numbers[0], numbers[1]


def _from(numbers: list[float]) -> tuple[float, None]:
    return numbers[0], None


def _until(numbers: list[float]) -> tuple[float, float]:
    return 0.0, numbers[0]


def _lasting(numbers: list[float]) -> tuple[None, float]:
    return None, numbers[0]


def _always(start: float | None, end: float | None = None) -> Read:
    return lambda numbers: (start, end)


def _ordinal_second(numbers: list[float]) -> tuple[float, None]:
    """The first second begins with the clip; 第3秒 and "the third second" are what a player shows as 3 s."""
    return (0.0 if numbers[0] == 1 else numbers[0]), None


def _forms() -> Iterator[_Form]:
    def form(pattern: str, kind: Kind, read: Read, heading: bool | None = None) -> _Form:
        return _Form(re.compile(pattern), kind, read, heading)

    n, f, unit = rf"({_NUMBER})", rf"({_FIGURE})", rf"{_GAP}{_UNIT}"
    alone = r"(?<![\d.:])"
    # The length of the whole clip.
    yield form(
        rf"(?:total )?(?:duration|length|runtime|总时长|视频时长|时长)[】\])]?[ \t]{{0,2}}[:：]?[ \t]{{0,2}}"
        rf"(?:about |约)?{f}{unit}(?!{_TO}\d)",
        "length", _lasting, False,
    )  # fmt: skip
    decade = r"(?!(?:(?:19|20)\d|[1-9])0s )"  # "a 90s music video"
    yield form(
        rf"{alone}{decade}{f}{unit}(?:[ -][a-z]{{1,14}}){{0,2}}[ -]?(?:clip|video|film|的?(?:视频|短片|广告))(?![a-z])",
        "length", _lasting, False,
    )  # fmt: skip
    # "Scene 1 · 3 sec", 镜头2（3秒）: how long a numbered shot lasts.
    yield form(
        rf"(?:shot|scene|镜头|分镜|场景|第)[ #]{{0,2}}(?:\d{{1,2}}|[一二三四五六七八九十]{{1,2}})"
        rf"(?:个?(?:镜头|分镜|场景))?"
        rf"[ \t*]{{0,3}}[·|(\[（【,:：–—-][ \t]{{0,2}}(?:duration:? )?{f}{unit}(?!{_TO}\d)(?:[ \t]{{0,2}}{_CLOSE})?",
        "lasting", _lasting, True,
    )  # fmt: skip
    # Ranges.
    yield form(
        rf"{_OPEN}?(?:从?第|from |between |seconds? |t=)?{alone}{f}(?:{unit})?{_TO}(?:第|t=)?{f}"
        rf"(?:{unit}|(?<=:\d\d)(?!\d)|(?=[ \t]{{0,2}}{_CLOSE}[ \t]{{0,2}}[:：]))(?:之间|期间|内)?{_CLOSE}?",
        "seconds", _range,
    )  # fmt: skip
    yield form(rf"(?:从?第)?{n}秒?(?:到|至)第?{n}秒(?:之间|期间)?", "seconds", _range)
    yield form(rf"(?:between |from |in )seconds? {n}{_TO}{n}(?![.:]?\d)", "seconds", _range)
    yield form(rf"(?:between |from ){n}{_TO}{n}{unit}", "seconds", _range)
    # What lies at the end, at the beginning, in the middle.
    yield form(
        rf"(?:(?:in|for|during|over) )?the (?:last|final) {n}{unit}|(?:last|final) {f}{unit}|(?:最后|后){n}秒钟?",
        "from the end", _from,
    )  # fmt: skip
    yield form(r"(?:in|during) the (?:last|final) second", "from the end", _always(1.0))
    yield form(
        rf"(?:(?:for|in|during|within|over) )?the first {n}{unit}|first {f}{unit}|(?:前|开头|开始的?){n}秒钟?",
        "seconds", _until,
    )  # fmt: skip
    yield form(r"(?:in|during|for) the first second", "seconds", _always(0.0, 1.0))
    yield form(
        r"(?:at |by |around |about )?(?:the )?(?:halfway(?: through| point| mark)?|midway(?: through)?)"
        r"(?: (?:the|this) (?:clip|video|shot))?"
        r"|(?:in|at|around) the (?:middle|midpoint) of the (?:clip|video|shot|scene)|中途|到一半时?|过半时|视频中段",
        "share", _always(0.5),
    )  # fmt: skip
    yield form(
        r"(?:at|from|in) the (?:very )?(?:beginning|start|outset)(?: of the (?:clip|video|shot))?"
        r"|视频开头|片头|视频开始时",
        "share", _always(0.0),
    )  # fmt: skip
    yield form(
        r"(?:at|near|toward|towards|by) the (?:very )?end(?: of the (?:clip|video|shot|scene))?(?! of the [a-z])"
        r"|in the (?:final|closing|last) moments?|视频(?:结尾|末尾|最后)[时处]?|片尾|结尾[时处]",
        "from the end", _always(None),
    )  # fmt: skip
    # How long something lasts.
    yield form(
        rf"for (?:about |another )?{n}{unit}|持续约?{n}秒钟?|(?<=静止|停留|保持|不动|定格){n}秒钟?",
        "lasting", _lasting, False,
    )  # fmt: skip
    yield form(
        rf"over (?:the course of )?(?:the next )?{n}{unit}"
        rf"|(?<![\d.:]){f}[ -]second(?= (?:slow )?(?:push|pan|zoom|dolly|tilt|track|orbit))",
        "seconds", _lasting, False,
    )  # fmt: skip
    # Moments.
    yield form(
        rf"(?:after |in )another {n}{unit}|(?<![a-z\d.:]){n}{unit} later"
        rf"|(?:再过|又过了?|过了?|再等){n}秒钟?(?:之后|以后|后)?",
        "later", _from,
    )  # fmt: skip
    yield form(
        rf"(?:starting at|beginning at|at around|at about|after|at|from|by|around|exactly at) (?:the )?{f}"
        rf"(?:{_GAP}{_UNIT}(?:[ -](?:mark|point))?|(?<=:\d\d)(?!\d))",
        "seconds", _from,
    )  # fmt: skip
    yield form(rf"after (?:about )?{n}{unit}", "seconds", _from)
    yield form(rf"until (?:the |t ?= ?)?{n}{unit}(?:[ -]mark)?|until second {f}", "seconds", _until)
    share = r"([1-9]\d?)[ ]?[%％]"
    yield form(rf"(?:the )?first {share}|前{share}", "share", lambda numbers: (0.0, numbers[0] / 100))
    yield form(rf"(?:the )?(?:last|final) {share}|[后末]{share}", "share", lambda numbers: (1 - numbers[0] / 100, 1.0))
    yield form(rf"(?:middle|next) {share}|中间?{share}", "share lasting", lambda numbers: (None, numbers[0] / 100))
    yield form(rf"(?:at|on|from|by) (?:the )?second {f}(?!\.?\d)", "seconds", _from)
    yield form(rf"(?:at|by|around) the {n}[ -]second (?:mark|point)", "seconds", _from)
    yield form(r"at the (first|second|third|fourth|fifth) second(?: mark)?", "seconds", _ordinal_second)
    yield form(
        rf"(?<![a-z\d.:]){n}{unit} in(?:to (?:the )?(?:clip|video|shot|scene))?(?=[ \t]*[,.:;–—]|$)", "seconds", _from
    )
    yield form(rf"(?<![a-z])t[ ]?[=+][ ]?{f}(?:{unit})?|@[ ]?{f}{unit}", "seconds", _from)
    yield form(rf"[在到约]?第{n}秒钟?(?:的时候|开始|左右|[时处起后])?", "seconds", _ordinal_second)
    yield form(rf"[在约]?{n}秒钟?(?:之后|以后|的时候|开始|[后时处起])", "seconds", _from)
    yield form(rf"{_OPEN}[ \t]{{0,2}}{f}{unit}[ \t]{{0,2}}(?:{_CLOSE}|(?=[:：]))", "seconds", _from, True)
    yield form(
        rf"(?:(?<=\n)|^)[ \t]{{0,3}}({_CLOCK})(?=[ \t]{{0,2}}[:：–—-])|(?:在|at )({_CLOCK})处?", "seconds", _from
    )
    yield form(rf"(?:(?<=\n)|^)[ \t]{{0,3}}(?:[-*] )?{f}{unit}(?=[ \t]{{0,2}}[:：])", "seconds", _from, True)
    yield form(rf"every {n}{unit}|每{n}秒钟?", "unread", _always(None), False)
    yield form(rf"{alone}{f}{_GAP}(?:seconds?|secs?|秒钟|秒)(?![a-z])", "bare", _lasting, False)


_FORMS: Final = tuple(_forms())
