"""Segments Chinese text into words and knows their parts of speech.

Method and data are jieba's (MIT): the likeliest path through its frequency dictionary, and a hidden Markov model with
four states for unknown words. Only its data files are read: importing jieba writes a cache into the temporary folder,
installs a log handler and, with an old setuptools, warns.
"""

from __future__ import annotations

import importlib.util
import pickle
from functools import cache
from math import log
from pathlib import Path
from sys import intern
from typing import Final

from vivant.errors import Misconfigured

_IMPOSSIBLE: Final = -3.14e100
# States of the model: B begin, M middle, E end of a word, S single character. State -> those that may precede it.
_BEFORE: Final = {"B": "ES", "M": "MB", "S": "SE", "E": "BM"}


def segment(text: str) -> list[str]:
    """The words of `text` (Chinese characters only), in order; joined they are `text` again."""
    frequency, total, longest, _ = _dictionary()
    best: list[tuple[float, int]] = [(0.0, 0)] * (len(text) + 1)  # score of the rest, end of its first word
    for start in range(len(text) - 1, -1, -1):
        ends = [e for e in range(start + 1, min(start + longest, len(text)) + 1) if frequency.get(text[start:e])]
        best[start] = max((log(frequency.get(text[start:e]) or 1) - total + best[e][0], e) for e in ends or [start + 1])
    words: list[str] = []
    at = single = 0  # text[single:at] are single characters not yet in `words`
    while at < len(text):
        end = best[at][1]
        if end - at > 1:
            words += [*_unknown(text[single:at]), text[at:end]]
            single = end
        at = end
    return words + _unknown(text[single:])


def tag(word: str) -> str:
    """Its part of speech as jieba's dictionary has it: v and vn verbs, r pronouns, p prepositions, d adverbs, u
    particles, i and l idioms …; "n" for all nouns and names, "x" for what is not in it."""
    frequency, _, _, tags = _dictionary()
    return tags.get(word, "n") if word in frequency else "x"


def count(word: str) -> int:
    """How often the word occurs in the corpus that the dictionary was counted in; 0 if it is not in it."""
    return _dictionary()[0].get(word, 0)


def is_name(word: str) -> bool:
    """Whether the dictionary has the word as a person's name, first or last or both."""
    return word in _names()


def _unknown(run: str) -> list[str]:
    """The words of a run of single characters (names, new words), by the hidden Markov model."""
    if len(run) < 2 or _dictionary()[0].get(run):
        return list(run)  # in the dictionary, but its characters are likelier separately
    start, move, emit = _model()
    scores = {s: start[s] + emit[s].get(run[0], _IMPOSSIBLE) for s in "BMES"}
    paths = {s: s for s in "BMES"}
    for character in run[1:]:
        reached = {
            s: max((scores[b] + move[b].get(s, _IMPOSSIBLE) + emit[s].get(character, _IMPOSSIBLE), b) for b in before)
            for s, before in _BEFORE.items()
        }
        scores = {s: score for s, (score, _) in reached.items()}
        paths = {s: paths[b] + s for s, (_, b) in reached.items()}
    path = paths[max("ES", key=lambda s: (scores[s], s))]
    ends = [i + 1 for i, state in enumerate(path) if state in "ES"]
    return [run[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]


@cache
def _names() -> frozenset[str]:
    lines = (_jieba() / "dict.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for word, _, tag in (line.split(" ", 2) for line in lines) if tag.startswith("nr"))


@cache
def _dictionary() -> tuple[dict[str, int], float, int, dict[str, str]]:
    """(word -> frequency, log of their sum, length of the longest word, word -> tag of what is no noun and no name)."""
    frequency: dict[str, int] = {}
    tags: dict[str, str] = {}
    for line in (_jieba() / "dict.txt").read_text(encoding="utf-8").splitlines():
        word, count, kind = line.split(" ", 2)
        frequency[word] = int(count)
        if not kind.startswith("n"):
            tags[word] = intern(kind)
    return frequency, log(sum(frequency.values())), max(map(len, frequency)), tags


@cache
def _model() -> tuple[dict[str, float], dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Log probabilities of the hidden Markov model: start states, transitions, characters in each state."""
    folder = _jieba() / "finalseg"
    start, move, emit = (pickle.loads((folder / f"prob_{name}.p").read_bytes()) for name in ("start", "trans", "emit"))
    return start, move, emit


def _jieba() -> Path:
    spec = importlib.util.find_spec("jieba")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured("The package jieba, whose dictionary Chinese speech needs, is not installed.")
    return Path(spec.submodule_search_locations[0])
