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
