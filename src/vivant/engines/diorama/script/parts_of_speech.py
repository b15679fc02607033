"""Parts of speech of the words of a prompt: English words by a tagger, Chinese ones by a dictionary."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Final

from vivant.engines.diorama import words_chinese, words_english
from vivant.engines.diorama.script.doings import load_doings
from vivant.engines.diorama.script.tokens import Token

# What a verb may be taken for where it follows its subject: "the dog barks", "the lights dim".
_PLURAL_BEFORE: Final = frozenset({"NNS", "NNPS"})
_SINGULAR_BEFORE: Final = frozenset({"NN", "NNP", "PRP"})
_FINITE: Final = frozenset({"VBZ", "VBP", "VBD", "MD"})
# After a verb, but hardly after a plural noun that ends its clause.
_AFTER_A_VERB: Final = frozenset({"IN", "RB", "RP", "DT", "PRP$", "PRP", "TO", "CC", "RBR", ",", ".", ":", ""})
_OPENS_A_SUBJECT: Final = frozenset({"DT", "PRP", "PRP$", "CD", "NNP", "NNS", "PDT"})
_ONE: Final = frozenset({"a", "an", "one", "each", "every", "another"})
_MANY: Final = frozenset({"couple", "crowd", "people", "men", "women", "children", "audience", "crew", "police"})
# What the tagger must give for a word as a verb against what it took it for, by how sure its place makes it. Measured
# on prompts: verbs taken for nouns get -25..20, plural nouns mostly less than -30.
_UNLIKELY, _LIKELY, _SURE = -40.0, -25.0, -9.0
_NO_LETTERS: Final = frozenset({"mark", "line", "arrow", "quote"})


@dataclass(frozen=True, slots=True)
class HanWord:
    """Tokens first..last-1 are one Chinese word; `tag` as words_chinese.tag gives it."""

    first: int
    last: int
    text: str
    tag: str


@dataclass(frozen=True, slots=True)
class PartsOfSpeech:
    """`tags`: a Penn Treebank tag for each token that is an English word, "HYPH" for a part of a hyphenated one, ""
    for all others. `han`: the Chinese words, in order."""

    tags: tuple[str, ...]
    han: tuple[HanWord, ...]


def find_parts_of_speech(
    text: str, tokens: Sequence[Token], sentence: Sequence[int], people: Container[int], borders: Container[int]
) -> PartsOfSpeech:
    """Those of every token; `sentence`: the number of the sentence of each; `people`: the tokens that name someone;
    `borders`: the tokens with which a known phrase begins or before which one ends."""
    tags = [""] * len(tokens)
    first = 0
    while first < len(tokens):
        last = first
        while last < len(tokens) and sentence[last] == sentence[first]:
            last += 1
        _mend(tokens, first, last, tags, people, _tag_english(text, tokens, first, last, tags))
        first = last
    return PartsOfSpeech(tuple(tags), tuple(_find_han_words(tokens, borders)))


def _tag_english(text: str, tokens: Sequence[Token], first: int, last: int, tags: list[str]) -> Callable[[int], float]:
    """Set the tags of the English words among tokens first..last-1, one sentence. Returns how much the tagger likes a
    token as a verb."""
    words: list[str] = []
    places: list[int] = []  # the first token of each word
    at = first
    while at < last:
        end = at
        while end + 1 < last and _is_hyphenated(text, tokens[end], tokens[end + 1]):
            end += 1
        token = tokens[at]
        words.append("," if token.kind in _NO_LETTERS else text[token.start : tokens[end].end] or ",")
        if token.kind == "mark":
            words[-1] = token.text
        places.append(at)
        tags[at : end + 1] = ["HYPH" if end > at else ""] * (end + 1 - at)
        at = end + 1
    if not any(tokens[at].kind == "word" for at in places):
        return lambda at: 0.0
    found = words_english.tag(words)
    for at, tag in zip(places, found, strict=True):
        if tokens[at].kind == "word" and tags[at] != "HYPH":
            tags[at] = tag
    return lambda at: words_english.weigh_as_verb(words, found, bisect.bisect_left(places, at))


def _is_hyphenated(text: str, token: Token, after: Token) -> bool:
    return token.kind in ("word", "number") and after.start == token.end + 1 and text[token.end] == "-"


def _mend(
    tokens: Sequence[Token],
    first: int,
    last: int,
    tags: list[str],
    people: Container[int],
    weigh: Callable[[int], float],
) -> None:
    """The tagger takes "storms" in "the woman storms into" for a noun: what follows the subject of a clause that has no
    other verb is its verb, if the word can be one; so is what opens a clause that shares its subject with the one
    before ("she walks in, steps back")."""
    start = first
    told = False  # a verb stands before, whose subject may be shared
    for end in range(first, last + 1):
        if end < last and tokens[end].kind not in _NO_LETTERS and tags[end] != "CC" and tokens[end].text != "as":
            continue
        if not any(tag in _FINITE for tag in tags[start:end]):
            shared = told or any(place in people for place in range(first, start))
            verb = _find_missed_verb(_Clause(tokens, start, end, tags, people, shared), weigh)
            if verb is not None:
                tags[verb] = "VBZ" if tokens[verb].text.endswith("s") else "VBP"
        told = told or any(tag in _FINITE for tag in tags[start:end])
        start = end + 1


@dataclass(frozen=True, slots=True)
class _Clause:
    """Tokens start..end-1, without a finite verb so far. shared: someone acts before, or a verb stands there."""

    tokens: Sequence[Token]
    start: int
    end: int
    tags: list[str]
    people: Container[int]
    shared: bool

    @property
    def follows_as(self) -> bool:
        """ "As milk bursts upward": a subject and its verb come next."""
        return self.start > 0 and self.tokens[self.start - 1].text == "as"


def _find_missed_verb(clause: _Clause, weigh: Callable[[int], float]) -> int | None:
    """The first word that can be the verb of the clause and that its place makes one."""
    for at in range(clause.start, clause.end):
        if not _can_be_verb(clause, at):
            continue
        least = _least_weight(clause, at)
        if least is not None and (least == -math.inf or weigh(at) >= least):
            before = at - 1
            if before >= clause.start and clause.tags[before] == "JJ":
                clause.tags[before] = "NN"  # "the referee shrugs": no adjective
            return at
    return None


def _can_be_verb(clause: _Clause, at: int) -> bool:
    """By its form and by what follows."""
    tags, text = clause.tags, clause.tokens[at].text
    misread = text in load_doings().misread
    if tags[at] == "NN" and text.endswith("s") and not misread:
        return False  # a lens, a dress
    if tags[at] not in ("NN", "NNS") and not (tags[at] == "IN" and misread and text.endswith("s")):
        return False
    after = tags[at + 1] if at + 1 < clause.end else ""
    if after in _AFTER_A_VERB or (misread and after == "JJ"):
        return True
    return after in ("NN", "NNS", "JJ") and tags[at] == "NNS"  # "exhales smoke"


def _least_weight(clause: _Clause, at: int) -> float | None:
    """What the tagger must give at least for the word as a verb, the less the surer its place is; None where no verb
    can stand."""
    words = load_doings()
    tokens, tags, start = clause.tokens, clause.tags, clause.start
    text = tokens[at].text
    misread = text in words.misread
    third = text.endswith("s") and not text.endswith("ss")
    common = misread or (third and not words_english.is_known(text)) or words_english.may_be_verb(text)
    after = tags[at + 1] if at + 1 < clause.end else ""
    if at == start or (at == start + 1 and tags[start] == "RB"):
        # it shares the subject of the clause before: "nods, exhales smoke"; but "boots, gloves and a hat"
        if not clause.shared or not third:
            return None
        if misread and after in _AFTER_A_VERB:
            return -math.inf
        if not common or after in ("", "CC"):
            return None
        return _SURE if after == "IN" else _LIKELY  # "floodlights behind"
    before, before_tag = tokens[at - 1].text, tags[at - 1]
    if tokens[start].text in ("make", "let", "have") and tags[at] == "NN" and before_tag in _SINGULAR_BEFORE:
        return -math.inf
    someone = at - 1 in clause.people and third
    plural = before_tag in _PLURAL_BEFORE or before in _MANY
    if third:
        fits = before_tag in _SINGULAR_BEFORE or (before_tag == "NNS" and _is_in_a_phrase(clause, at - 1))
        fits = fits or (misread and someone)
    else:
        fits = plural
    if not fits:
        return None
    if before_tag == "PRP" or (third and _is_one(clause, at)):
        return _UNLIKELY  # "a golden retriever bounds": "a" wants a single one
    known = words.light_nouns | words.animals | words.bodies | words.movers
    does = any(place in clause.people for place in range(start, at)) or before in known
    opens = tags[start] in _OPENS_A_SUBJECT or (start == at - 1 and (before_tag != "NN" or clause.follows_as))
    opens = opens or after == "RP" or text in words.sounds  # "confetti bursts out", "the toaster pops"
    if after in ("NN", "NNS", "JJ"):
        return _LIKELY if common and (does or opens) else None
    if misread and (does or opens):
        return -math.inf if does else _UNLIKELY
    if does or opens:
        return _LIKELY if common else _SURE
    return None


def _is_one(clause: _Clause, at: int) -> bool:
    """The words from the start of the clause to this one are "a …" or "each …", without a preposition."""
    words = range(clause.start, at)
    if not words or clause.tokens[clause.start].text not in _ONE:
        return False
    return not any(clause.tags[word] in ("IN", "TO", "VBN", "VBG") for word in words)


def _is_in_a_phrase(clause: _Clause, at: int) -> bool:
    """The plural noun belongs to a preposition, and the subject stands before it: "the girl with braids skips"."""
    place = at - 1
    while place > clause.start and clause.tags[place] in ("JJ", "DT", "PRP$", "CD", "NN", "HYPH"):
        place -= 1
    return place > clause.start and clause.tags[place] == "IN" and clause.tags[place - 1] in _SINGULAR_BEFORE


def _find_han_words(tokens: Sequence[Token], borders: Container[int]) -> list[HanWord]:
    found: list[HanWord] = []
    first = 0
    while first < len(tokens):
        last = first
        while last < len(tokens) and tokens[last].kind == "han" and not (last > first and last in borders):
            last += 1
        at = first
        for word in words_chinese.segment("".join(token.text for token in tokens[first:last])) if last > first else ():
            found.append(HanWord(at, at + len(word), word, words_chinese.tag(word)))
            at += len(word)
        first = max(last, first + 1)
    return found
