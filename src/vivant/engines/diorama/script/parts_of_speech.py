"""Parts of speech of the words of a prompt: English words by a tagger, Chinese ones by a dictionary."""

from __future__ import annotations

from collections.abc import Container, Sequence
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
_AFTER_A_VERB: Final = frozenset({"IN", "RB", "RP", "DT", "PRP$", "PRP", "TO", "CC", ",", ".", ":", ""})
_OPENS_A_SUBJECT: Final = frozenset({"DT", "PRP", "PRP$", "CD", "NNP", "NNS", "PDT"})
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
        _tag_english(text, tokens, first, last, tags)
        _mend(tokens, first, last, tags, people)
        first = last
    return PartsOfSpeech(tuple(tags), tuple(_find_han_words(tokens, borders)))


def _tag_english(text: str, tokens: Sequence[Token], first: int, last: int, tags: list[str]) -> None:
    """Set the tags of the English words among tokens first..last-1, one sentence."""
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
        return
    for at, tag in zip(places, words_english.tag(words), strict=True):
        if tokens[at].kind == "word" and tags[at] != "HYPH":
            tags[at] = tag


def _is_hyphenated(text: str, token: Token, after: Token) -> bool:
    return token.kind in ("word", "number") and after.start == token.end + 1 and text[token.end] == "-"


def _mend(tokens: Sequence[Token], first: int, last: int, tags: list[str], people: Container[int]) -> None:
    """The tagger takes "storms" in "the woman storms into" for a noun: what follows the subject of a clause that has no
    other verb is its verb, if the word can be one; so is what opens a clause that shares its subject with the one
    before ("she walks in, steps back")."""
    start = first
    told = False  # a verb stands before, whose subject may be shared
    for end in range(first, last + 1):
        if end < last and tokens[end].kind not in _NO_LETTERS and tags[end] != "CC" and tokens[end].text != "as":
            continue
        if not any(tag in _FINITE for tag in tags[start:end]):
            verb = _find_missed_verb(
                tokens, start, end, tags, people, shared=told or any(place in people for place in range(first, start))
            )
            if verb is not None:
                tags[verb] = "VBZ" if tags[verb] == "NNS" else "VBP"
        told = told or any(tag in _FINITE for tag in tags[start:end])
        start = end + 1


def _find_missed_verb(
    tokens: Sequence[Token], start: int, end: int, tags: list[str], people: Container[int], *, shared: bool
) -> int | None:
    words = load_doings()
    for at in range(start, end):
        text = tokens[at].text
        misread = text in words.misread
        taken = tags[at] == "IN" and misread and text.endswith("s")  # "the comedian taps the mic"
        if not taken and (tags[at] not in ("NNS", "NN") or not (misread or words_english.may_be_verb(text))):
            continue
        after = tags[at + 1] if at + 1 < end else ""
        if after not in _AFTER_A_VERB and not (misread and after == "JJ"):
            continue
        if at == start or (at == start + 1 and tags[start] == "RB"):
            if shared and tags[at] == "NNS" and misread:
                return at
            continue
        before = tokens[at - 1].text
        if tokens[start].text in ("make", "let", "have") and tags[at] == "NN" and tags[at - 1] in _SINGULAR_BEFORE:
            return at
        before_tag = tags[at - 1]
        fits = before_tag in (_SINGULAR_BEFORE if tags[at] == "NNS" else _PLURAL_BEFORE)
        someone = at - 1 in people and misread and text.endswith("s")  # "the referee shrugs": no adjective
        if not (taken or fits or someone):
            continue
        # "Market stalls" opens with no article: a noun and its plural
        opens = tags[start] in _OPENS_A_SUBJECT or (start == at - 1 and before_tag != "NN")
        does = before_tag == "PRP" or any(place in people for place in range(start, at))
        known = words.light_nouns | words.animals | words.bodies | words.movers
        does = does or before in known
        if does if misread else opens:
            if someone and not fits:
                tags[at - 1] = "NN"
            return at
    return None


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
