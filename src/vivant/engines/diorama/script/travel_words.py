"""The word lists of lexicon/travel.toml: things that can go somewhere, what they do, and where to."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast

from vivant.engines.diorama.script.tokens import LEXICON, fold
from vivant.engines.diorama.script.words import forms_of, load_forms
from vivant.engines.diorama.storyboard import Colour, ThingKind, TravelKind, Where


@dataclass(frozen=True, slots=True)
class TravelWords:
    """Phrases as folded words joined by blanks (English, in all forms) or as characters (Chinese), and what they mean.
    `plural` are the nouns that mean several."""

    things: Mapping[str, ThingKind]
    plural: frozenset[str]
    does: Mapping[str, TravelKind]
    says: Mapping[str, frozenset[str]]
    colours: Mapping[str, Colour]
    places: Mapping[str, Where]


@cache
def load_travel_words() -> TravelWords:
    """The lists that ship."""
    raw = tomllib.loads((LEXICON / "travel.toml").read_text(encoding="utf-8"))
    irregular = load_forms()
    things: dict[str, ThingKind] = {}
    plural: set[str] = {"fish", "geese", "koi", "flock", "aircraft", "鸟群", "鱼群", "鸟儿", "鱼儿", "大雁"}
    for kind, row in raw["things"].items():
        for noun in row["en"]:
            first, _, last = fold(noun).rpartition(" ")
            many = f"{first} {_plural(last)}".strip()
            things[fold(noun)] = things[many] = cast(ThingKind, kind)
            plural.add(many)
        things |= {fold(noun): cast(ThingKind, kind) for noun in row["zh"]}
    does: dict[str, TravelKind] = {}
    for name, row in raw["does"].items():
        for verb in row["en"]:
            base, _, rest = fold(verb).partition(" ")
            for form in (*forms_of(base), *irregular.get(base, ())):
                does[f"{form} {rest}".strip()] = cast(TravelKind, name)
        does |= {fold(verb): cast(TravelKind, name) for verb in row["zh"]}
    return TravelWords(
        things=things,
        plural=frozenset(plural),
        does=does,
        says={name: frozenset(_folded(words)) for name, words in raw["says"].items()},
        colours={word: cast(Colour, name) for name, words in raw["colours"].items() for word in _folded(words)},
        places={word: cast(Where, name) for name, words in raw["places"].items() for word in _folded(words)},
    )


def _plural(noun: str) -> str:
    if noun in ("fish", "koi", "aircraft", "geese"):
        return noun
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else noun + "s"


def _folded(words: Iterable[str]) -> list[str]:
    return [fold(word) for word in words]
