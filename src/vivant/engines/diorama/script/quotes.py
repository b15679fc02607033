"""Where a prompt quotes something: straight and curly marks, corner brackets, guillemets, book title marks.

It finds the stretches; whether one is spoken is for dialogue.py to judge.
"""

from __future__ import annotations

import bisect
import re
from typing import Final

from vivant.engines.diorama.script.tokens import Quotation, is_han

_CLOSERS: Final = {
    '"': '"＂”“',
    "＂": '"＂”',
    "“": '”"＂',
    "”": "”“",  # typed the wrong way round
    "„": "“”",
    "〝": "〞",
    "「": "」",
    "『": "』",
    "«": "»",
    "《": "》",
}
BRACED: Final = "{"  # {…} marks speech in the prompts of some tools
SPOKEN: Final = "<S>"  # and <S>…<E> in those of others
_SPOKEN_END: Final = re.compile("</?[es]>", re.IGNORECASE)
_TIME: Final = re.compile(r"[\d\s.:~～–—-]{1,16}(?:s|sec|秒)?")
_NESTED: Final = re.compile("[^“”]*(?:“[^“”]*”[^“”]*)*")
_SINGLE: Final = "'‘"
_SINGLE_LONGEST: Final = 300  # characters; a longer stretch between two apostrophes is not a quotation
_BRACED_LONGEST: Final = 600  # characters
_BLANKS: Final = re.compile(r"\s+")
_ANY_MARK: Final = re.compile("<[Ss]>|[" + "".join(_CLOSERS) + _SINGLE + BRACED + "]")


def find_quotations(text: str) -> tuple[Quotation, ...]:
    """The quoted stretches of a cleaned prompt in order; none inside another.

    A mark that is never closed quotes to the end of its line. An apostrophe or an inch mark quotes nothing.
    """
    paragraphs = [blanks.start() for blanks in _BLANKS.finditer(text) if blanks[0].count("\n") > 1]
    quotations: list[Quotation] = []
    at = 0
    while match := _ANY_MARK.search(text, at):
        quotation = _quotation_at(text, match.start(), match.group(), paragraphs)
        if quotation is None:
            at = match.end()
            continue
        quotations.append(quotation)
        at = quotation.end
    return tuple(quotations)


def _quotation_at(text: str, start: int, mark: str, paragraphs: list[int]) -> Quotation | None:
    """paragraphs: where each ends, rising; a quotation does not go beyond."""
    if len(mark) > 1:
        return _tagged_quotation_at(text, start, mark)
    if mark == BRACED:
        return _braced_quotation_at(text, start)
    if mark in _SINGLE:
        return _single_quotation_at(text, start)
    if mark in '"＂”' and text[start - 1 : start].isdigit():
        return None  # five feet ten inches: 5'10"
    after = bisect.bisect_left(paragraphs, start)
    limit = paragraphs[after] if after < len(paragraphs) else len(text)
    places = [place for closer in _CLOSERS[mark] if (place := text.find(closer, start + 1, limit)) != -1]
    if places:
        close = _close_around_nested(text, start, limit) or min(places)
        return Quotation(start, close + 1, text[start + 1 : close], mark)
    line = text.find("\n", start)
    end = len(text) if line == -1 else line
    if mark == "”" or not text[start + 1 : end].strip():
        return None
    return Quotation(start, end, text[start + 1 : end], mark)


def _close_around_nested(text: str, start: int, limit: int) -> int:
    """The straight mark that closes a straight one, where curly ones stand in pairs between: "I “really” mean it."; 0
    where none does."""
    close = text.find('"', start + 1, limit) if text[start] == '"' else -1
    inner = text[start + 1 : close] if close != -1 else ""
    return close if "“" in inner and _NESTED.fullmatch(inner) else 0


def _tagged_quotation_at(text: str, start: int, mark: str) -> Quotation | None:
    """<S>Hello.<E>; without its end to the end of the line."""
    line = text.find("\n", start)
    limit = len(text) if line == -1 else line
    found = _SPOKEN_END.search(text, start + len(mark), limit)
    close, end = (found.start(), found.end()) if found else (limit, limit)
    inner = text[start + len(mark) : close]
    return Quotation(start, end, inner, SPOKEN) if inner.strip() else None


def _braced_quotation_at(text: str, start: int) -> Quotation | None:
    """{Hello.} on one line, with nothing in it that only JSON and templates have."""
    close = text.find("}", start, start + _BRACED_LONGEST)
    inner = text[start + 1 : close] if close != -1 else ""
    if _TIME.fullmatch(inner):
        return None  # {0-2s}
    if not inner.strip() or any(c in inner for c in '{\n"') or text[start - 1 : start] in ("{", "$"):
        return None
    return Quotation(start, close + 1, inner, BRACED)


def _single_quotation_at(text: str, start: int) -> Quotation | None:
    """'Come here' is a quotation, don't and the dogs' bowl are not: the mark must open a word and close one."""
    before, after = text[start - 1 : start], text[start + 1 : start + 2]
    if (before.isalnum() and not is_han(before)) or not after or after.isspace() or after.isdigit():
        return None
    closer = "’" if text[start] == "‘" else "'"
    close = start + 1
    while (close := text.find(closer, close + 1, start + _SINGLE_LONGEST)) != -1:
        follower = text[close + 1 : close + 2]
        if "\n" in text[start:close]:
            return None
        if not text[close - 1].isspace() and (not follower.isalnum() or is_han(follower)):
            return Quotation(start, close + 1, text[start + 1 : close], text[start])
    return None
