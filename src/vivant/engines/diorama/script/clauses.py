"""Who does what in an English clause: the subject of a verb, and whether a word is a verb at all."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.script.grammar import Reading
from vivant.engines.diorama.script.tokens import ends_sentence
from vivant.engines.diorama.script.words import forms_of

_REACH: Final = 24  # tokens between a verb and its subject
_BE: Final = frozenset({"is", "are", "was", "were", "be", "being", "been", "'s", "'re"})
_CONTRACTED: Final = frozenset(
    {
        "'s",
        "'re",
        "'m",
        "'ve",
        "'ll",
        "'d",
        "doesn",
        "don",
        "didn",
        "isn",
        "aren",
        "wasn",
        "weren",
        "won",
        "can",
        "couldn",
        "haven",
    }
)
# Verbs that are spelled like weather and are none where something does them: "the gun fires", "light streams in".
_NO_WEATHER: Final = frozenset(
    {"fires", "winds", "thunders", "thundering", "storms", "clouds", "dusts", "waters", "streams", "streaming", "pours",
     "pouring", "showers", "drizzles", "drizzling", "snowballs", "breezes", "blazes", "torrents"}
)  # fmt: skip
_BEGINS: Final = frozenset(
    form
    for verb in ("begin", "start", "continue", "proceed")
    for form in forms_of(verb) | {"began", "starting", "beginning"}
)
_SOME_OF_THEM: Final = frozenset({"one", "another", "others", "both", "each"})
_PRONOUNS: Final = frozenset({"he", "she", "they", "we", "i", "you", "who"})
_NOUNS: Final = frozenset({"NN", "NNS", "NNP", "NNPS", "PRP"})
_BETWEEN: Final = frozenset({"RB", "RBR", "MD", "TO", "RP"})  # between a subject and its verb
_OBJECT: Final = 6  # tokens of what is made to do something
_MAKERS: Final = frozenset({"make", "makes", "making", "let", "lets", "have", "has", "see", "sees", "watch", "watches"})
_OPENERS: Final = frozenset({"as", "while", "with", "then", "when"})


def is_verb(reading: Reading, at: int) -> bool:
    """Whether the word at this token tells what someone does, and not what something is like or is called."""
    tags = reading.parts.tags
    tag = tags[at]
    before = tags[at - 1] if at else ""
    after = tags[at + 1] if at + 1 < len(tags) else ""
    if before in ("HYPH", "POS") or reading.tokens[at].text in _CONTRACTED:
        return False
    if reading.names_person(at) and not (before == "PRP" and tag == "VBZ"):
        return False  # a waiter, a hand; but "he hands her the letter"
    if tag == "VBD" and not _is_told_in_the_past(reading, at):
        return False
    if tag in ("VBP", "VB") and before in ("NN", "NNP") and not _is_made_to(reading, at):
        return False  # "a marble surface": a single one would surface with an s
    if tag in ("VBZ", "VBP", "VBD"):
        return before not in ("DT", "PRP$", "JJ") and not (tag == "VBD" and reading.tokens[at - 1].text in _BE)
    if tag == "VBG":
        if before in ("IN", "DT", "PRP$", "JJ", "CD", "POS", "HYPH", "VBG", "TO") or (
            before == "CC" and not _joins_verbs(tags, at)
        ):
            return reading.tokens[at - 1].text in ("while", "then", "before", "after", "by")
        return not (after in ("NN", "NNS", "NNP") and before not in _NOUNS and not _is_be(reading, at - 1))
    if tag == "VB":
        to = at - 2 if before == "RB" and at > 1 and tags[at - 2] == "TO" else at - 1  # "begin to slowly open"
        if tags[to] == "TO":
            return to > 0 and reading.tokens[to - 1].text in _BEGINS
        return before in ("MD", "") or before in _NOUNS or before in ("RB", "CC")
    return False


def _is_told_in_the_past(reading: Reading, at: int) -> bool:
    """Its subject opens the clause, or a verb before it is joined to it: "He turned and walked away"; but "muffled
    voices", "three cats gathered close to her" and "enthusiastic and determined" say what someone is like."""
    tags = reading.parts.tags
    if at and tags[at - 1] == "CC":
        return "VBD" in tags[max(0, at - _OBJECT) : at]
    place = at - 1
    while place >= 0 and tags[place] == "RB":
        place -= 1
    if place < 0 or tags[place] not in _NOUNS:
        return False
    # "her hair tied back", "cars parked on both sides": how they are seen
    if tags[place] != "PRP" and not reading.names_person(place) and _opens_late(reading, place):
        return False
    while place >= 0 and tags[place] in (*_NOUNS, "JJ", "DT", "PRP$", "CD", "HYPH"):
        place -= 1
    return place < 0 or not tags[place] or tags[place] in ("CC", "RB", "VBD")


def _opens_late(reading: Reading, noun: int) -> bool:
    """The clause of this noun is not the first of its sentence."""
    first, _ = reading.sentence_bounds(noun)
    return reading.clause[noun] != reading.clause[first]


def _is_made_to(reading: Reading, at: int) -> bool:
    """ "Make the dog jump", "we see the man turn", "the boy and the girl dance"."""
    before = range(max(0, at - _OBJECT), at - 1)
    return any(reading.tokens[place].text in _MAKERS or reading.parts.tags[place] in ("CC", "MD") for place in before)


def _is_be(reading: Reading, at: int) -> bool:
    return at >= 0 and reading.tokens[at].text in _BE


def _joins_verbs(tags: tuple[str, ...], at: int) -> bool:
    """ "Walking and smiling": there is a verb before the "and"."""
    return any(tag.startswith("VB") for tag in tags[max(0, at - 8) : at - 1])


def find_subject(reading: Reading, at: int) -> int | None:
    """The token of the noun or pronoun that does the verb at token `at`; None where the sentence names none."""
    tags = reading.parts.tags
    lower = max(0, at - _REACH)
    place = at - 1
    if tags[at] == "VBG" and at and reading.names_person(at - 1) and tags[at - 1] in _NOUNS:
        return at - 1  # "a shot of a woman walking"
    crossed = False  # an "and" or a comma: the verb shares the subject of the one before it
    while place >= lower and not ends_sentence(reading.tokens[place]):
        token, tag = reading.tokens[place], tags[place]
        if token.kind == "quote":
            crossed = True
        elif token.text in _SOME_OF_THEM and (place + 1 == at or tags[place + 1] == "RB"):
            return place  # "one scrolls on their phone, another looks up"
        elif tag in _NOUNS:
            head = place
            while place > lower and tags[place - 1] in (
                "NN",
                "NNP",
                "NNS",
                "JJ",
                "DT",
                "PRP$",
                "CD",
                "HYPH",
                "POS",
                "VBG",
                "JJR",
            ):
                place -= 1
            before = tags[place - 1] if place else ""
            preposition = before == "IN" and reading.tokens[place - 1].text not in _OPENERS
            of_a_participle = before in ("VBG", "VBN") and not _is_be(reading, place - 2)
            # "the man in the corner raises", "takes the cup and drinks": neither the corner nor the cup
            if not preposition and not of_a_participle and not (before.startswith("VB") and crossed):
                return head
        elif token.kind == "mark" or tag == "CC":
            crossed = True
        place -= 1
    return None


def is_done_by_someone(reading: Reading, at: int) -> bool:
    """Whether the word at this token is a verb that a person or an animal does, or that something does to another:
    "winds the clock", but "the wind moves the leaves"."""
    tags = reading.parts.tags
    if not tags[at].startswith("VB") or not is_verb(reading, at):
        return False
    subject = find_subject(reading, at)
    if subject is None or reading.tokens[subject].text == "it":
        return False
    if reading.names_person(subject) or reading.tokens[subject].text in _PRONOUNS:
        return True
    weather = any(hit.entry.motion for hit in reading.at.get(subject, ()))
    if not weather and reading.tokens[at].text in _NO_WEATHER:
        return True
    return not weather and tags[at] in ("VBZ", "VBP") and "".join(tags[at + 1 : at + 2]) in ("DT", "PRP$", "NN", "NNS")
