"""Words in capitals: a shouted word is read as a word, an abbreviation stays as it is and is spelled.

A word that is often an abbreviation (US, IT) is a shouted word only among others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]++(?:['’][^\W\d_]++)*")
# Words of two letters that are hardly ever an abbreviation, even alone in a line in small letters.
_SHORT: Final = frozenset(
    {
        "no", "go", "me", "my", "so", "do", "he", "we", "be", "if", "on", "up", "of", "to", "by", "oh", "is", "as",
        "at", "an", "or", "in", "hi", "ha", "ah", "ok",
    }
)  # fmt: skip
_OFTEN_SPELLED: Final = frozenset(
    {
        "us", "it", "am", "pm", "or", "in", "id", "ai", "ad", "ac", "dc", "pa", "ma", "la", "er", "ed", "tv", "pc",
        "pr", "mc", "st", "mt", "ho", "mo", "bo", "co", "cd", "dj", "uk", "un", "eu", "who", "aids", "cat", "can",
        "led",
    }
)  # fmt: skip
_STATES: Final = frozenset(
    {
        "me", "oh", "or", "in", "hi", "ok", "pa", "ma", "la", "mo", "id", "al", "de",
    }
)  # "Portland, OR"  # fmt: skip
_ROMAN: Final = re.compile(r"[IVXLC]{2,}")


def lower_shouted(text: str, is_word: Callable[[str], bool]) -> str:
    """`text` with shouted words in small letters.

    is_word: whether a word in small letters is in the dictionary. The words of a run in capitals are shouted if two of
    them are words and no usual abbreviations, or one in a text all in capitals.
    """
    runs: list[list[re.Match[str]]] = [[]]
    mixed = False
    for match in _WORD.finditer(text):
        if match[0].isupper():
            runs[-1].append(match)
        else:
            mixed = True
            runs.append([])
    lowered: dict[int, str] = {}
    for run in runs:
        plain = sum(_is_plain(match[0].lower(), is_word) for match in run)
        shouted = len(run) > 1 and plain >= (2 if mixed else 1)
        for match in run:
            small = match[0].lower().replace("’", "'")
            if (shouted and _is_shouted(small, is_word)) or (
                small in _SHORT and not (small in _STATES and text.endswith(", ", 0, match.start()))
            ):
                lowered[match.start()] = match[0].lower()
    return _WORD.sub(lambda match: _write(match, lowered.get(match.start())), text)


def _is_plain(small: str, is_word: Callable[[str], bool]) -> bool:
    return small not in _OFTEN_SPELLED and (small in _SHORT or (len(small) > 2 and is_word(small)))


def _is_shouted(small: str, is_word: Callable[[str], bool]) -> bool:
    """Whether a word among shouted ones is one: in the dictionary, or long enough to be a name."""
    if small in ("i", "a", "o") or is_word(small):
        return True
    return len(small) > 4 and bool(re.search("[aeiouy]", small)) and not _ROMAN.fullmatch(small.upper())


def _write(match: re.Match[str], small: str | None) -> str:
    if small is None:
        return match[0]
    begins = match.string[max(0, match.start() - 8) : match.start()].rstrip(" \"“'‘(")[-1:] in ("", ".", "!", "?", "…")
    if small == "i" or small.startswith(("i'", "i’")) or begins:
        return small[0].upper() + small[1:]
    return small
