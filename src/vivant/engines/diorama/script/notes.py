"""What was asked and could not be done, or was done differently: collected as data, told in the prompt's language.

The sentences stand in notes.toml, English and Chinese. One sentence tells all the words of one reason.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from vivant.engines.diorama.storyboard import Language

_MOST_NOTES: Final = 12
_MOST_WORDS: Final = 12  # phrases that one sentence quotes
_LONGEST: Final = 100  # characters of one of them
_COMMA: Final[Mapping[Language, str]] = {"en": ", ", "zh": "、"}


@dataclass(frozen=True, slots=True)
class ScriptNote:
    """One thing to tell. `reason` is a name in notes.toml, `words` are those of the prompt that it is about, `values`
    what else its sentence says. Raises ValueError for a reason that has no sentence."""

    reason: str
    words: tuple[str, ...] = ()
    values: tuple[tuple[str, str | int], ...] = ()

    def __post_init__(self) -> None:
        if self.reason not in load_sentences():
            raise ValueError(f"ScriptNote.reason must be a name in notes.toml; it is {self.reason!r}.")


def tell(notes: Iterable[ScriptNote], language: Language) -> tuple[str, ...]:
    """The notes as sentences, in order, those of one reason as one. Of very many reasons, the last sentence quotes the
    words of all that have none of their own."""
    grouped: dict[tuple[str, tuple[tuple[str, str | int], ...]], list[str]] = {}
    for note in notes:
        words = grouped.setdefault((note.reason, note.values), [])
        known = {word.casefold() for word in words}
        words += [word for word in dict.fromkeys(note.words) if word.casefold() not in known]
    told = list(grouped.items())
    if len(told) > _MOST_NOTES:
        rest = [word for _, words in told[_MOST_NOTES - 1 :] for word in words]
        told = [*told[: _MOST_NOTES - 1], (("more", ()), rest)]
    return tuple(_sentence(reason, words, dict(values), language) for (reason, values), words in told)


def _sentence(reason: str, words: list[str], values: Mapping[str, str | int], language: Language) -> str:
    quoted = _COMMA[language].join(f"“{shorten(word)}”" for word in words[:_MOST_WORDS])
    if len(words) > _MOST_WORDS:
        quoted += _COMMA[language] + "…"
    return load_sentences()[reason][language].format(words=quoted, **values)


def shorten(text: str, most: int = _LONGEST) -> str:
    """The text on one line, cut with an ellipsis where it is longer than `most` characters."""
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most else line[: most - 1] + "…"


@cache
def load_sentences() -> Mapping[str, Mapping[Language, str]]:
    """Reason -> language -> its sentence, in which {words} are the quoted words. Raises ValueError for a sentence that
    is missing in one of the languages."""
    table: dict[str, dict[Language, str]] = tomllib.loads(
        (files(__package__) / "notes.toml").read_text(encoding="utf-8")
    )
    for reason, sentences in table.items():
        if set(sentences) != set(_COMMA):
            raise ValueError(f"notes.toml: {reason} must have a sentence in {', '.join(_COMMA)}.")
    return table
