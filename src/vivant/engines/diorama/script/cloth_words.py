"""The word lists of lexicon/cloth.toml: cloth and coats that the wind moves, and how they move."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast

from vivant.engines.diorama.script.tokens import LEXICON, fold
from vivant.engines.diorama.script.words import forms_of, load_forms
from vivant.engines.diorama.storyboard import ThingKind


@dataclass(frozen=True, slots=True)
class ClothWords:
    """Phrases as folded words joined by blanks (English, in all forms) or as characters (Chinese), and what they
    mean."""

    things: Mapping[str, ThingKind]
    does: frozenset[str]


@cache
def load_cloth_words() -> ClothWords:
    """The lists that ship."""
    raw = tomllib.loads((LEXICON / "cloth.toml").read_text(encoding="utf-8"))
    irregular = load_forms()
    things: dict[str, ThingKind] = {}
    for name, row in raw["things"].items():
        kind = cast(ThingKind, name)
        for noun in map(fold, row["en"]):
            things[noun] = kind
            things[noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")] = kind
        things |= {fold(noun): kind for noun in row["zh"]}
    does = {fold(verb) for verb in raw["does"]["zh"]}
    for verb in map(fold, raw["does"]["en"]):
        base, _, rest = verb.partition(" ")
        does |= {f"{form} {rest}".strip() for form in (*forms_of(base), *irregular.get(base, ()))}
    return ClothWords(things, frozenset(does))
