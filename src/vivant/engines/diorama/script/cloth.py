"""Which cloth or coat of hair the wind is to move: the flag that waves, the curtains that billow, the dress in the
wind, the dog's fur. Names them, so that looking can find them where the prompt speaks of them, and only there.

"The flag flutters", "fluttering flags", "the wind lifts her dress", "a woman in a long coat. Strong wind.";
旗帜飘扬, 风吹动窗帘.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vivant.engines.diorama.script.cloth_words import ClothWords, load_cloth_words
from vivant.engines.diorama.script.found import Span
from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.tokens import is_han
from vivant.engines.diorama.script.travel_words import load_travel_words
from vivant.engines.diorama.storyboard import CLOTHS, Colour, MotionKind, Thing, ThingKind, Where

USUAL: Final = 0.5  # strength where the words give none
GENTLE: Final = 0.3  # no stronger than this is expressly gentle, whatever else is said
_LONGEST: Final = 3  # words of one English phrase
_AFTER: Final = 8  # tokens after a noun in which it is said what it does
_RIGHT_BEFORE: Final = 2  # tokens before it: "fluttering red flag"
_BEFORE: Final = 4  # tokens before a noun that say what it is like
_AFTER_NOUN: Final = 5  # and after it, as "on the left"
_DEGREE: Final = 5  # tokens between a verb and the word that says how much


@dataclass(frozen=True, slots=True)
class NamedCloth:
    """Cloth that the prompt speaks of. asked: the words say that it moves, else it is only named and there is wind.
    at: the token from which its time counts; span, words: what asks for it."""

    kind: MotionKind
    thing: Thing
    strength: float
    asked: bool
    at: int
    span: Span
    words: str


def find_cloths(reading: Reading) -> tuple[NamedCloth, ...]:
    """In the order of the prompt, of each kind of motion one: the first that is asked for, else the first that is
    named where the wind blows."""
    found: dict[MotionKind, NamedCloth] = {}
    for first, last, kind in _find_nouns(reading, load_cloth_words()):
        if first in reading.negative or reading.is_unreal(first) or reading.is_heard(first):
            continue
        cloth = _read_cloth(reading, first, last, kind)
        if cloth is not None and (cloth.kind not in found or (cloth.asked and not found[cloth.kind].asked)):
            found[cloth.kind] = cloth
    return tuple(sorted(found.values(), key=lambda cloth: cloth.span))


def name_cloths(reading: Reading) -> tuple[Thing, ...]:
    """What to look for in the picture."""
    return tuple(cloth.thing for cloth in find_cloths(reading))


def _find_nouns(reading: Reading, words: ClothWords) -> Iterable[tuple[int, int, ThingKind]]:
    """(first, last, kind) of each noun, the longest phrase at each place."""
    tokens = reading.tokens
    at = 0
    while at < len(tokens):
        step = 1
        for length in range(_LONGEST, 0, -1) if tokens[at].kind in ("word", "han") else ():
            part = tokens[at : at + length]
            if len(part) < length or any(token.kind != tokens[at].kind for token in part):
                continue
            text = ("" if tokens[at].kind == "han" else " ").join(token.text for token in part)
            if text in words.things and not (length == 1 and reading.parts.tags[at].startswith("VB")):
                yield at, at + length, words.things[text]
                step = length
                break
        at += step


def _read_cloth(reading: Reading, first: int, last: int, kind: ThingKind) -> NamedCloth | None:
    """None where nothing moves it."""
    verb = _find_verb(reading, first, last)
    gusts = [hit for hit in reading.hits if "wind" in hit.entry.motion and hit.meant and not hit.heard]
    near = [hit for hit in gusts if reading.sentence[hit.first] == reading.sentence[first]]
    asked = verb is not None or bool(near)
    if not asked and not gusts:
        return None
    strengths = [hit.entry.motion["wind"] * hit.amount for hit in near or ([] if verb else gusts)]
    # "The flag waves strongly in the breeze": what is said of the verb counts with what is said of the wind.
    gentle = min(strengths, default=1.0) <= GENTLE
    strength = (min(strengths) if gentle else max(strengths, default=USUAL)) * (
        _amount(reading, verb[0], near) if verb is not None else 1.0
    )
    begins, ends = (first, last) if verb is None else (min(first, verb[0]), max(last, verb[1]))
    words = " ".join(reading.text[reading.tokens[begins].start : reading.tokens[ends - 1].end].split())
    return NamedCloth(
        kind=CLOTHS[kind], thing=_name(reading, first, last, kind), strength=min(1.0, max(0.1, round(strength, 3))),
        asked=asked, at=first, span=(begins, ends), words=words,
    )  # fmt: skip


def _find_verb(reading: Reading, first: int, last: int) -> Span | None:
    """The tokens of a verb of motion in the clause of the noun: after it, or right before it."""
    does = load_cloth_words().does
    after, before = range(last, min(last + _AFTER, len(reading.tokens))), range(first - _RIGHT_BEFORE, first)
    places: list[int] = [*after, *(at for at in reversed(before) if at >= 0)]
    for at in places:
        if reading.clause[at] != reading.clause[first] or reading.tokens[at].kind != reading.tokens[first].kind:
            continue
        for length in range(_LONGEST, 0, -1):
            part = reading.tokens[at : at + length]
            text = ("" if reading.tokens[first].kind == "han" else " ").join(token.text for token in part)
            if text in does and "camera" not in reading.roles(at) and not reading.is_unreal(at):
                return at, at + len(part)
    return None


def _amount(reading: Reading, verb: int, near: Iterable[Hit]) -> float:
    """What the adverbs of a verb make of its strength; 1 where a word for the wind beside it has them already."""
    taken = any(abs(hit.first - verb) <= _DEGREE for hit in near)
    if taken:
        return 1.0
    amount = 1.0
    for hit in reading.hits:
        beside = abs(hit.first - verb) <= _DEGREE and reading.clause[hit.first] == reading.clause[verb]
        if beside and hit.entry.amount != 1.0 and hit.first != verb:
            amount *= float(hit.entry.amount)
    return amount


def _name(reading: Reading, first: int, last: int, kind: ThingKind) -> Thing:
    known = load_travel_words()
    before = [token.text for token in reading.tokens[max(0, first - _BEFORE) : first]]
    behind = " ".join(token.text for token in reading.tokens[last : last + _AFTER_NOUN])
    colours: list[Colour] = [known.colours[text] for text in reversed(before) if text in known.colours]
    places: list[Where] = [place for phrase, place in known.places.items() if phrase in behind and behind]
    text = reading.text[reading.tokens[first].start : reading.tokens[last - 1].end]
    several = not is_han(text[0]) and text.endswith("s") and kind != "clothes"
    return Thing(
        kind=kind, colour=colours[0] if colours else "", place=places[0] if places else "", several=several,
        words=" ".join(text.split()),
    )  # fmt: skip
