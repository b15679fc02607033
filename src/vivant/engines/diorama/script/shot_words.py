"""Where the prompt begins a new shot: numbered shots ("Shot 2:", 镜头二：), words for a cut, a number of shots. Also
what the words of a shot say of its framing. What becomes of it is for shots.py."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, replace
from typing import Final

from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.tokens import fold
from vivant.engines.diorama.storyboard import Angle, ShotSize, Target

_MOST: Final = 40  # numbered shots that are read
_HEADING: Final = re.compile(
    r"(?:(?:shot|scene|cut|clip|beat)[ \t]{0,2}#?[ \t]{0,2}(?:\d{1,2}|one|two|three|four|five|six|[a-f])(?![a-z\d])"
    r"|第[ \t]{0,2}(?:\d{1,2}|[一二三四五六七八九十]{1,2})[ \t]{0,2}个?(?:镜头|分镜|镜|幕|场景|场|个画面)"
    r"|(?:分镜头|镜头|分镜|场景|画面)[ \t]{0,2}(?:\d{1,2}|[一二三四五六七八九十]{1,2})(?![\d个秒]))"
    # What follows makes it a heading and no mention: "in scene 1 she walks".
    r"(?=[ \t*_]{0,4}(?:[:：.、,，|·\-–—(（\[【\])】*\n]|$))"
)
_COUNT: Final = re.compile(
    r"(?<![\w.-])(\d{1,2}|two|three|four|five|six|seven|eight)[ \t-]{1,2}(?:different |quick |distinct |separate )?"
    r"(?:shots|camera angles|shot sequence|camera shots)(?![a-z])"
    r"|([二两三四五六七八\d])[ \t]{0,2}个(?:不同的?)?(?:镜头|分镜|机位)"
)
_NUMBERS: Final = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "二": 2, "两": 2, "三": 3, "四": 4,
    "五": 5, "六": 6, "七": 7, "八": 8,
}  # fmt: skip
_SAME_CUT: Final = 14  # tokens after a heading in which a word for a cut tells of the same one
_SAME_WORDS: Final = 3  # tokens after a word for a cut in which another tells of the same one
_NEAR: Final = 8  # tokens between a size and what the shot is framed on
_OFTEN: Final = 4  # shots of a montage


@dataclass(frozen=True, slots=True)
class Boundary:
    """A shot begins at this token. heading: it is numbered ("Shot 2:"). hit: the word for the cut, if there is one."""

    token: int
    words: str
    heading: bool
    hit: Hit | None = None

    @property
    def is_reverse(self) -> bool:
        return self.hit is not None and self.hit.entry.cut == "reverse"

    @property
    def is_soft(self) -> bool:
        return self.hit is not None and self.hit.entry.cut == "soft"


@dataclass(frozen=True, slots=True)
class Described:
    """What the words of a stretch say of the framing; `token` is where."""

    size: ShotSize
    target: Target
    angle: Angle
    token: int
    words: str


def find_boundaries(reading: Reading) -> tuple[Boundary, ...]:
    """Where shots begin, in order. A word for a cut right after a heading tells of the same cut."""
    found = [*_find_headings(reading)]
    # Where shots are numbered, what is said of cuts before the first is said of all: "Hard cuts only."
    opening = found[0].token if len(found) > 1 else 0
    found += [
        Boundary(hit.first, reading.written(hit), heading=False, hit=hit)
        for hit in reading.hits
        if hit.first >= opening
        and hit.entry.cut in ("hard", "soft", "reverse")
        and hit.meant
        and _goes_on(reading, hit)
    ]
    found.sort(key=lambda boundary: (boundary.token, not boundary.heading))
    kept: list[Boundary] = []
    for boundary in found:
        if kept and not boundary.heading and _is_same_cut(reading, kept[-1], boundary.token):
            kept[-1] = replace(kept[-1], hit=kept[-1].hit or boundary.hit)
        else:
            kept.append(boundary)
    return tuple(kept)


def count_shots(reading: Reading) -> tuple[int, str]:
    """(how many shots the prompt asks for without saying where they begin, the words that say it); (0, "") if none."""
    if (match := _COUNT.search(_without_speech(reading))) is not None:
        written = match[1] or match[2]
        number = _NUMBERS.get(written) or (int(written) if written.isdecimal() else 0)
        if number > 1:
            return number, reading.text[match.start() : match.end()]
    many = next((hit for hit in reading.hits if hit.entry.cut == "many" and hit.meant), None)
    return (0, "") if many is None else (_OFTEN, reading.written(many))


def find_view(reading: Reading, first: int, last: int, cut: Hit | None = None) -> Described | None:
    """The framing that tokens first..last-1 describe: the size said first, what stands beside it, the angle.
    cut: the words for the cut that begins them; what they name is shown near."""
    hits = [hit for at in range(first, last) for hit in reading.at.get(at, ()) if hit.first == at and not hit.denied]
    sized = next((hit for hit in hits if hit.entry.size), None)
    angled = next((hit for hit in hits if hit.entry.angle), None)
    lead = sized or angled
    if lead is None and _is_close(reading, first, last):
        return Described("close-up", "", "", first, "close")
    if lead is None and cut is not None:  # "cut to her hands"
        lead = next((hit for hit in hits if hit.entry.target and hit.first - cut.last <= _NEAR), None)
    if lead is None:
        return None
    near = [
        hit
        for hit in hits
        if hit.entry.target and hit is not lead and -_NEAR <= hit.first - lead.first <= _NEAR + lead.last - lead.first
    ]
    near.sort(key=lambda hit: abs(hit.first - lead.first))
    return Described(
        size=sized.entry.size if sized else "close-up" if lead.entry.target else "",
        target=near[0].entry.target if near else lead.entry.target,
        angle=angled.entry.angle if angled else "",
        token=lead.first,
        words=reading.written(lead),
    )


def _is_close(reading: Reading, first: int, last: int) -> bool:
    """ "Shot 3: Close. She turns.": the one word between two marks."""
    words = [token.text for token in reading.tokens[first : min(last, first + _SAME_CUT)]]
    return any(
        before in (":", "]", ")", ",") and word in ("close", "tight") and after in (".", ",", ";")
        for before, word, after in zip(words, words[1:], words[2:], strict=False)
    )


def _find_headings(reading: Reading) -> list[Boundary]:
    text = _without_speech(reading)
    starts = [token.start for token in reading.tokens]
    found: list[Boundary] = []
    for match in _HEADING.finditer(text):
        at = bisect.bisect_left(starts, match.start())
        if at < len(starts) and len(found) < _MOST:
            found.append(Boundary(at, reading.text[match.start() : match.end()], heading=True))
    return found


def _goes_on(reading: Reading, hit: Hit) -> bool:
    """Something is said after it: "smooth transition" at the end of a prompt is a wish of style."""
    return hit.entry.cut == "reverse" or any(
        token.kind in ("word", "han", "quote") for token in reading.tokens[hit.last :]
    )


def _without_speech(reading: Reading) -> str:
    text = list(fold(reading.text))
    for quotation in reading.quotations:
        text[quotation.start : quotation.end] = " " * (quotation.end - quotation.start)
    return "".join(text)


def _is_same_cut(reading: Reading, boundary: Boundary, token: int) -> bool:
    """The words for a cut at this token tell of the one at `boundary`: nothing has been done or said since."""
    if token - boundary.token > (_SAME_CUT if boundary.heading else _SAME_WORDS):
        return False
    first = boundary.token + 1 if boundary.hit is None else boundary.hit.last
    return not any(
        reading.tokens[at].kind == "quote"
        or any(
            hit.entry.camera
            or hit.entry.action
            or hit.entry.motion
            or hit.entry.light
            or hit.entry.speech
            or hit.entry.cannot
            for hit in reading.at.get(at, ())
        )
        for at in range(first, token)
    )
