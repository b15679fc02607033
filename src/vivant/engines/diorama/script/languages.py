"""Whether a line in Latin letters is in another language than English.

The words of a line are counted for each language in `languages.toml`: common words that only it has, and words with
letters that English does not use. Words that are common in English count against; names and loan words decide nothing.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]++(?:['’][^\W\d_]++)*")
_MOST_WORDS: Final = 60  # of a line that are looked at
_LEAST, _LEAST_SHARE = 1.5, 0.34  # what must speak for a language, and as a share of the words
_LEAST_OF_A_FEW = 0.9  # in a line of up to four words, none of them common in English
_PINYIN: Final = re.compile(
    r"(?:(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?"
    r"(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|in|un|ia|ie|iu|ua|ui|uo|ue|üe|ün|üan|er"
    r"|a|o|e|i|u|ü|v))"
)
_TONE_MARKS: Final = {"\u0304", "\u0301", "\u030c", "\u0300"}


@dataclass(frozen=True, slots=True)
class _Language:
    """strong: words that only it has. weak: words of it that are English, too, or known to English speakers. letters:
    those of its words that English lacks. marks: those of its punctuation."""

    strong: frozenset[str]
    weak: frozenset[str]
    letters: frozenset[str]
    marks: frozenset[str]


def seems_foreign(text: str) -> bool:
    """Whether a line in Latin letters is clearly not English. Which language it is in is less certain."""
    written = _WORD.findall(unicodedata.normalize("NFC", text))[:_MOST_WORDS]
    words = [word.lower().replace("’", "'").replace("i\u0307", "i") for word in written]
    best = max((_score(language, text, written, words) for language in _languages()), default=0.0)
    best = max(best, _score_pinyin(written, words))
    least = _LEAST_OF_A_FEW if len(words) <= 4 and _english().isdisjoint(words) else _LEAST
    return best >= max(least, _LEAST_SHARE * len(words))


def _score(language: _Language, text: str, written: list[str], words: list[str]) -> float:
    """How much the words speak for the language: 1 for each that only it has; less for letters, signs and words that
    it shares, which alone say nothing; 0 if half as much speaks for English."""
    strong = shared = english = 0.0
    for shown, word in zip(written, words, strict=True):
        if word in language.strong:
            strong += 1
        elif word in language.weak:
            shared += 0.5
        elif word in _english():
            english += 1
        elif word not in _loans() and not language.letters.isdisjoint(word + shown[0]):
            if shown[0].islower():
                strong += 0.9
            else:
                shared += 0.6  # a name, or the first word
    if not language.marks.isdisjoint(text):
        strong += 1
    score = strong + shared if strong >= 0.9 else 0.0
    return score if score > 2 * english else 0.0


def _score_pinyin(written: list[str], words: list[str]) -> float:
    """Every word must be made of syllables of Mandarin, and some be common ones, carry tone marks or be long."""
    plain = [_without_tones(word) for word in words]
    if not all(_is_pinyin(word) for word, _ in plain):
        return 0.0
    score, known = 0.0, 0
    for at, (shown, word, (bare, toned)) in enumerate(zip(written, words, plain, strict=True)):
        if bare in _pinyin_words() or (toned and word not in _loans()):
            known += toned or shown[0].islower() or not at  # else it may be a name
        elif word in _english():
            score -= 2
        elif len(bare) > 4 and shown[0].islower():
            score += 0.5
    return known + score if known > 1 else 0.0


def _is_pinyin(word: str) -> bool:
    at = 0
    while at < len(word):
        match = _PINYIN.match(word, at)
        if match is None:
            return False
        at = match.end()
    return True


def _without_tones(word: str) -> tuple[str, bool]:
    """(the word without tone marks, whether it has some)."""
    apart = unicodedata.normalize("NFD", word)
    plain = "".join(c for c in apart if c not in _TONE_MARKS)
    return unicodedata.normalize("NFC", plain).replace("'", ""), plain != apart


@cache
def _loans() -> frozenset[str]:
    """Words of other languages that English has taken up, and parts of names; they speak for no language."""
    return frozenset(_table()["loans"]["words"].split())


@cache
def _pinyin_words() -> frozenset[str]:
    return frozenset(_table()["pinyin"]["words"].split())


@cache
def _english() -> frozenset[str]:
    return frozenset(_table()["english"]["words"].split())


@cache
def _languages() -> tuple[_Language, ...]:
    return tuple(
        _Language(
            strong=frozenset(entry["words"].split()) - _english() - _loans(),
            weak=frozenset(entry["words"].split()) & (_english() | _loans()),
            letters=frozenset(entry.get("letters", "")),
            marks=frozenset(entry.get("marks", "")),
        )
        for name, entry in _table().items()
        if name not in ("english", "loans", "pinyin")
    )


@cache
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = tomllib.loads(
        (files(__package__) / "languages.toml").read_text(encoding="utf-8")
    )
    return table
