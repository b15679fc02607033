"""English words with two readings: which one a line means, from the words around it.

Two means: for words whose readings go with noun and verb (record, object), the part of speech is corrected where the
word before leaves no doubt, since the tagger errs on short lines; for the others (lead, bass, minute) cues in
`heteronyms_english.toml` name the reading.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

_NEAR: Final = 6  # words on either side that a cue looks at
_BEGIN, _END = "^", "$"
_MARKS: Final = frozenset('.!?;:…—,"“”()')
_VERB_AFTER: Final = frozenset(
    {
        "to", "will", "would", "can", "could", "should", "may", "might", "must", "shall", "don't", "doesn't",
        "didn't", "won't", "can't", "couldn't", "wouldn't", "shouldn't", "cannot", "never", "please", "let's",
        "gonna", "wanna", "i'll", "you'll", "we'll", "they'll", "he'll", "she'll", "it'll", "i", "you", "we", "they",
        "ca", "do", "did", "wo", "n't", "'ll", "not",
    }
)  # fmt: skip
_NOUN_AFTER: Final = frozenset(
    {
        "the", "a", "an", "this", "my", "your", "his", "its", "our", "their", "no", "any", "every", "each",
        "another", "one", "first", "second", "last", "new", "old", "world", "gold", "of", "daily", "good", "bad",
        "big", "small", "whole", "same",
    }
)  # fmt: skip
_OBJECT: Final = frozenset(
    {
        "the", "a", "an", "this", "that", "these", "those", "my", "your", "his", "her", "its", "our", "their", "it",
        "me", "him", "us", "them", "all",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cue:
    """A reading and what must stand around the word for it; an empty set asks nothing."""

    reading: str
    before: frozenset[str]
    second_before: frozenset[str]
    after: frozenset[str]
    not_before: frozenset[str]
    not_after: frozenset[str]
    near: frozenset[str]

    def fits(self, second_before: str, before: str, after: str, near: frozenset[str]) -> bool:
        return (
            (not self.before or before in self.before)
            and (not self.second_before or second_before in self.second_before)
            and (not self.after or after in self.after)
            and before not in self.not_before
            and after not in self.not_after
            and (not self.near or bool(self.near & near))
        )


def choose(tokens: Sequence[Any], readings: Any, *, british: bool = False) -> None:
    """Set the symbols, or correct the tag, of each of hibari's `tokens` that is a word with two readings.

    readings: hibari's dictionary; `readings.get(word)` is symbols, or symbols by part of speech. Changes `tokens`.
    """
    words = [_written(token.text) for token in tokens]
    for at, (token, word) in enumerate(zip(tokens, words, strict=True)):
        if token.phonemes is not None or not word.isalpha():
            continue
        before, after = _neighbour(words, at, -1), _neighbour(words, at, 1)
        cues = _cues(british).get(word)
        if cues is not None:
            second = words[at - 2] if at > 1 else _BEGIN
            near = frozenset(words[max(0, at - _NEAR) : at] + words[at + 1 : at + 1 + _NEAR])
            token.phonemes = next((cue.reading for cue in cues if cue.fits(second, before, after, near)), None)
            if token.phonemes is not None:
                token.rating = 5
                continue
        by_tag = readings.get(word)
        if isinstance(by_tag, dict):
            token.tag = _correct_tag(token.tag, by_tag, before, after)


def _correct_tag(tag: str, by_tag: dict[str, str], before: str, after: str) -> str:
    if "VERB" in by_tag or "NOUN" in by_tag:
        verb = before in _VERB_AFTER or (before == _BEGIN and after in _OBJECT)
        if verb and "None" not in by_tag and not tag.startswith("VB"):
            return "VB"
        if before in _NOUN_AFTER and "ADJ" not in by_tag and tag.startswith("VB"):
            return "NN"
    return tag


def _written(text: str) -> str:
    return text.lower().replace("’", "'")


def _neighbour(words: Sequence[str], at: int, step: int) -> str:
    """The word beside, over quotation marks; "^" or "$" at the line's ends and at marks between clauses."""
    at += step
    while 0 <= at < len(words) and words[at] in ("'", '"', "“", "”", "‘"):
        at += step
    if not 0 <= at < len(words) or words[at] in _MARKS:
        return _BEGIN if step < 0 else _END
    return words[at]


@cache
def _cues(british: bool) -> dict[str, list[_Cue]]:
    """Word -> its cues, in order."""
    text = resources.files(__package__).joinpath("heteronyms_english.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    lists: dict[str, str] = table["lists"]
    accent: dict[str, str] = table["british"] if british else {}

    def words(written: str) -> frozenset[str]:
        return frozenset(re.sub(r"@(\w+)", lambda m: lists[m[1]], written).split())

    return {
        form: [
            _Cue(
                reading=accent.get(cue["reading"], cue["reading"]),
                before=words(cue.get("before", "")),
                second_before=words(cue.get("second_before", "")),
                after=words(cue.get("after", "")),
                not_before=words(cue.get("not_before", "")),
                not_after=words(cue.get("not_after", "")),
                near=words(cue.get("near", "")),
            )
            for cue in entry["cue"]
        ]
        for entry in table["word"]
        for form in entry["forms"].split()
    }
