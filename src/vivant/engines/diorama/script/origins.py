"""What something rises from, by the words of the prompt: the cup that steams, the leaves that burn, the chimney.

"Steam curls from the red cup", "flames over the dry leaves", "the leaves burn", "a burning house", "chimney smoke";
杯子冒着热气, 从烟囱里升起炊烟, 燃烧的树叶.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.tokens import ends_clause, ends_sentence
from vivant.engines.diorama.storyboard import Colour, Thing, ThingKind, Where

_REACH: Final = 7  # tokens between what rises and the word after which the thing is named
_LONGEST: Final = 6  # tokens of a name
_BESIDE: Final = 4  # tokens after the name in which its place is said
_NOUNS: Final = frozenset({"NN", "NNS", "NNP", "NNPS"})
_INSIDE: Final = frozenset({"JJ", "JJR", "JJS", "DT", "PRP$", "CD", "VBN", "HYPH", "VBG"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What origins.toml says."""

    before: frozenset[str]
    nowhere: frozenset[str]
    smoking: frozenset[str]
    other: frozenset[str]
    kinds: Mapping[str, ThingKind]
    colours: Mapping[str, Colour]
    places: Mapping[str, Where]


@cache
def _load_words() -> _Words:
    table: dict[str, Any] = tomllib.loads((files(__package__) / "origins.toml").read_text(encoding="utf-8"))

    def read(name: str) -> dict[str, Any]:
        return {word: meaning for meaning, words in table[name].items() for word in words.split()}

    return _Words(
        before=frozenset(table["from"].split()),
        nowhere=frozenset(table["nowhere"].split()),
        smoking=frozenset(table["smoking"].split()),
        other=frozenset(table["other"].split()),
        kinds=read("kinds"),
        colours=read("colours"),
        places=read("places"),
    )


def find_origin(reading: Reading, hit: Hit) -> Thing | None:
    """The thing that a motion comes from; None where the prompt names none."""
    if reading.tokens[hit.first].kind == "han":
        return _find_han(reading, hit)
    return _within(reading, hit) or _after(reading, hit) or _described(reading, hit) or _before(reading, hit)


def _within(reading: Reading, hit: Hit) -> Thing | None:
    """ "Chimney smoke", "steaming coffee": a phrase that holds the thing itself."""
    known = _load_words()
    for at in range(hit.first, hit.last):
        if reading.tokens[at].text in known.kinds or reading.tokens[at].text in known.smoking:
            return _thing(reading, at, at + 1)
    if hit.first and reading.parts.tags[hit.first - 1] in _NOUNS and reading.tokens[hit.first].text == "smoke":
        word = reading.tokens[hit.first - 1].text
        if word in known.smoking:
            return _thing(reading, hit.first - 1, hit.first)
    return None


def _after(reading: Reading, hit: Hit) -> Thing | None:
    """ "… curls from the red cup"."""
    at = hit.last
    for at in range(hit.last, min(hit.last + _REACH, len(reading.tokens))):
        token = reading.tokens[at]
        if ends_clause(token) or ends_sentence(token) or "camera" in reading.roles(at) or "and" in reading.roles(at):
            return None
        if token.text in _load_words().before:
            found = _name(reading, at + 1)
            if found is not None:
                return found
    return None


def _described(reading: Reading, hit: Hit) -> Thing | None:
    """ "A burning house", "the steaming cup"."""
    if not reading.tokens[hit.last - 1].text.endswith("ing") or hit.last >= len(reading.tokens):
        return None
    if reading.parts.tags[hit.last] not in _NOUNS | {"JJ"} or ends_clause(reading.tokens[hit.last]):
        return None
    return _name(reading, hit.last)


def _before(reading: Reading, hit: Hit) -> Thing | None:
    """ "The leaves burn", "the cup is steaming"."""
    if not reading.parts.tags[hit.first].startswith("VB"):
        return None
    at = hit.first - 1
    while at >= 0 and (
        reading.parts.tags[at] in ("RB", "MD")
        or reading.parts.tags[at].startswith("VB")
        or "adverb" in reading.roles(at)
    ):
        at -= 1
    if at < 0 or reading.clause[at] != reading.clause[hit.first] or reading.parts.tags[at] not in _NOUNS:
        return None
    first = at
    while first > 0 and reading.parts.tags[first - 1] in _NOUNS | _INSIDE and at - first < _LONGEST:
        first -= 1
    return _thing(reading, first, at + 1)


def _name(reading: Reading, first: int) -> Thing | None:
    """The noun phrase that begins here."""
    last = first
    end = min(first + _LONGEST, len(reading.tokens))
    while last < end and reading.parts.tags[last] in _NOUNS | _INSIDE and reading.clause[last] == reading.clause[first]:
        last += 1
    while last > first and reading.parts.tags[last - 1] not in _NOUNS:
        last -= 1
    return _thing(reading, first, last) if last > first else None


def _thing(reading: Reading, first: int, last: int) -> Thing | None:
    known = _load_words()
    words = [token.text for token in reading.tokens[first:last]]
    head = words[-1]
    # The tagger takes verbs for nouns: "smoke from a campfire drifts".
    nowhere = any(words[k] in known.nowhere and reading.parts.tags[first + k] in _NOUNS for k in range(len(words)))
    if nowhere or head in known.nowhere or reading.is_unreal(last - 1) or reading.tokens[last - 1].kind != "word":
        return None
    kind: ThingKind = next((known.kinds[word] for word in reversed(words) if word in known.kinds), "other")
    if kind == "person" or reading.names_person(last - 1):
        return None  # hands and faces do not burn
    colour: Colour = next((known.colours[word] for word in words if word in known.colours), "")
    place: Where = ""
    for at in range(last, min(last + _BESIDE, len(reading.tokens))):
        if ends_clause(reading.tokens[at]) or ends_sentence(reading.tokens[at]):
            break
        place = place or known.places.get(reading.tokens[at].text, "")
    text = reading.text[reading.tokens[first].start : reading.tokens[last - 1].end]
    return Thing(
        kind=kind,
        colour=colour,
        place=place,
        several=head.endswith("s") and kind != "cup",
        words=" ".join(text.split()),
    )


def _find_han(reading: Reading, hit: Hit) -> Thing | None:
    """The nearest noun before it in its clause that is known, or after it: 燃烧的树叶."""
    known = _load_words()
    nouns = [word for word in reading.parts.han if word.text in known.kinds or word.text in known.other]
    same = [word for word in nouns if reading.clause[word.first] == reading.clause[hit.first]]
    before = [word for word in same if word.last <= hit.first]
    after = [word for word in same if word.first >= hit.last and word.first - hit.last <= 2]
    for word in [*after[:1], *reversed(before)]:
        colours = [
            known.colours[c.text]
            for c in reading.tokens[max(0, word.first - 3) : word.first]
            if c.text in known.colours
        ]
        kind = known.kinds.get(word.text, "other")
        if kind != "person" and not reading.is_unreal(word.first):
            return Thing(kind=kind, colour=colours[-1] if colours else "", words=word.text)
    return None
