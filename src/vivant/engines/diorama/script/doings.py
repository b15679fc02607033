"""The word lists of lexicon/doings.toml: which verbs ask for nothing, and what a doing is about."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from vivant.engines.diorama.script.tokens import LEXICON, fold
from vivant.engines.diorama.script.words import forms_of, load_forms


@dataclass(frozen=True, slots=True)
class DoingWords:
    """Words as tokens have them, English verbs in all their forms; Chinese and English together."""

    quiet: frozenset[str]
    but: frozenset[str]  # with another word, quiet verbs are none: "sits", but "sits down"
    light: frozenset[str]
    effects: frozenset[str]
    carried: frozenset[str]
    sounds: frozenset[str]
    sound_nouns: frozenset[str]
    heard: frozenset[str]
    no_sounds: frozenset[str]
    looks: frozenset[str]
    no_doers: frozenset[str]
    fixtures: frozenset[str]
    light_nouns: frozenset[str]
    light_changes: frozenset[str]
    bodies: frozenset[str]
    headings: frozenset[str]
    movers: frozenset[str]  # things that move when a verb follows them
    animals: frozenset[str]
    misread: frozenset[str]
    orders: frozenset[str]

    @property
    def nouns(self) -> frozenset[str]:
        """All nouns that the lists name."""
        return self.no_doers | self.light_nouns | self.bodies | self.animals


@cache
def load_doings() -> DoingWords:
    """The lists that ship."""
    raw: dict[str, dict[str, list[str]]] = tomllib.loads((LEXICON / "doings.toml").read_text(encoding="utf-8"))
    return DoingWords(
        quiet=_verbs(raw["quiet"]),
        but=_verbs({"en": raw["quiet"]["but"]}),
        light=_verbs(raw["light"]),
        effects=_verbs(raw["effects"]),
        carried=_verbs(raw["carried"]),
        sounds=_verbs(raw["sounds"]),
        sound_nouns=frozenset(raw["sounds"]["nouns"]),
        heard=frozenset(raw["sounds"]["heard"]),
        no_sounds=_words({"zh": raw["sounds"]["no_sounds"]}),
        looks=_words(raw["looks"]),
        no_doers=_words(raw["no_doers"]),
        fixtures=_words(raw["fixtures"]),
        light_nouns=_words(raw["light_nouns"]),
        light_changes=_verbs(raw["light_changes"]),
        bodies=_words(raw["bodies"]),
        headings=_words(raw["headings"]),
        movers=_words(raw["movers"]),
        animals=_words(raw["animals"]),
        misread=_verbs(raw["misread"]),
        orders=_verbs(raw["orders"]),
    )


def _verbs(row: dict[str, list[str]]) -> frozenset[str]:
    irregular = load_forms()
    return frozenset(_fold(row.get("zh", ()))) | {
        f"{form} {rest}".strip()
        for verb in _fold(row.get("en", ()))
        for base, _, rest in [verb.partition(" ")]
        for form in (*forms_of(base), *irregular.get(base, ()))
    }


def _words(row: dict[str, list[str]]) -> frozenset[str]:
    return frozenset(_fold((*row.get("en", ()), *row.get("zh", ()))))


def _fold(words: Iterable[str]) -> list[str]:
    return [fold(word) for word in words]
