"""Parts of speech of English words, by the averaged perceptron that hibari ships (Apache-2.0; trained on spaCy's tags).

Speech needs the same tagger for words with two readings; a process holds it once.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any


def tag(words: Sequence[str]) -> list[str]:
    """The Penn Treebank tag of each word and mark of a sentence, in order. No word may be empty."""
    tags: list[str] = load_tagger()(list(words))
    return tags


def weigh_as_verb(words: Sequence[str], tags: Sequence[str], at: int) -> float:
    """By how much the tagger likes word `at` better as a finite verb than as what it took it for; mostly negative. Its
    form decides whether as one of the third person singular. `tags`: of all words, as `tag` gives them."""
    from hibari.g2p import tagger as perceptron

    tagger = load_tagger()
    first = max(0, at - 2)
    padded = [*perceptron.START, *tags[first:at]][-2:]
    context = perceptron.context(list(words), tagger.vocab)
    scores: dict[str, float] = {}
    for feature in perceptron.features(at, words[at], context, padded[1], padded[0]):
        for name, weight in tagger.weights.get(feature, {}).items():
            scores[name] = scores.get(name, 0.0) + weight
    return scores.get("VBZ" if words[at].endswith("s") else "VBP", 0.0) - scores.get(tags[at], 0.0)


def is_known(word: str) -> bool:
    """Whether the tagger has met the word often enough to weigh it by itself."""
    return load_tagger().vocab is None or word in load_tagger().vocab


@cache
def load_tagger() -> Any:
    """hibari's tagger: 0.25 s and 46 MiB, once a process."""
    from hibari.g2p.tagger import Tagger

    packed = (files("hibari") / "assets" / "tagger.json.gz").read_bytes()
    return Tagger(json.loads(gzip.decompress(packed)))


def may_be_verb(word: str) -> bool:
    """Whether the tagger has met the word, or what it is the -s form of, often enough as a verb to weigh it, and not
    only as a noun."""
    tagger = load_tagger()
    if str(tagger.tagdict.get(word, "")).startswith("NN"):
        return False
    forms = (word, word.removesuffix("s"), word.removesuffix("es"))
    return any(
        tag in ("VB", "VBP", "VBZ") and weight > 0
        for form in forms
        for tag, weight in tagger.weights.get(f"w={form}", {}).items()
    )
