"""Who says a quotation: the subject of the verb beside it, the label before it, or whoever was speaking."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from vivant.engines.diorama.script.doings import load_doings
from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.parts_of_speech import HanWord
from vivant.engines.diorama.script.people import Cast, Mention, Person
from vivant.engines.diorama.script.tokens import ends_clause, ends_sentence, is_han
from vivant.engines.diorama.storyboard import Gender

TAG_REACH: Final = 8  # tokens after a quotation in which ", whispers the old man" may stand
_LEAD_REACH: Final = 80  # tokens before it
_NAME_LENGTH: Final = 4  # tokens of the name of someone unknown
_ARTICLES: Final = frozenset({"a", "an", "the"})
# Names of a field that tells who speaks, as tokens.
_WHO: Final = frozenset(
    {"character", "speaker", "name", "who", "role", "角 色", "人 物", "说 话 人", "说 话 者", "发 言 人"}
)
_INNER: Final = re.compile("inner|internal|thought|thinks|独白|心声|心想|心里|内心")
_MANNERS: Final = ("声音", "语气", "口吻", "嗓音", "嗓门", "语调", "微笑", "表情")
_SOME_OF_THEM: Final = frozenset({"one", "another", "both"})
_ONLY: Final = frozenset({"only", "just", "then", "finally", "simply", "now", "also", "suddenly"})
_DETERMINERS: Final = _ARTICLES | {"his", "her", "my"}


@dataclass(frozen=True, slots=True)
class Tag:
    """The words that say who speaks. `certain`: there is a verb of speech or a label, so it is speech."""

    verb: Hit | None
    person: Person | None
    certain: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """Who spoke before, and where in the prompt."""

    person: Person | None
    place: int


def find_lead_start(reading: Reading, quote: int, silent: Collection[int] = ()) -> int:
    """First token of the words that lead to a quotation: back to a sentence's end or another quotation, but over the
    quotations in `silent`, which nobody speaks."""
    at = _find_lead_start_on_line(reading, quote, silent)
    # "Anna:\n“Hello”": a label may stand on a line of its own.
    if at == quote and at > 1 and reading.tokens[at - 1].kind == "line" and reading.tokens[at - 2].text == ":":
        return _find_lead_start_on_line(reading, at - 1, silent)
    return at


def _find_lead_start_on_line(reading: Reading, at: int, silent: Collection[int]) -> int:
    limit = max(0, at - _LEAD_REACH)
    while at > limit:
        token = reading.tokens[at - 1]
        if ends_sentence(token) or (token.kind == "quote" and at - 1 not in silent):
            break
        at -= 1
    return at


def find_trail_end(reading: Reading, quote: int) -> int:
    """One past the last token of the words that may belong to the quotation before them."""
    at = quote + 1
    while at < len(reading.tokens) and not ends_sentence(reading.tokens[at]) and reading.tokens[at].kind != "quote":
        at += 1
    return at


def attribute(reading: Reading, cast: Cast, quote: int, before: int, turns: Sequence[Turn]) -> Tag:
    """Who says the quotation at token `quote`, whose leading words start at token `before`."""
    last = quote - 1
    while last > before and reading.tokens[last].kind == "line":
        last -= 1
    colon = before <= last and reading.tokens[last].text == ":"
    verb = find_speech_verb(reading, before, quote)
    if verb is not None or colon:
        person = _speaker_in_heading(cast, verb) or find_subject(
            reading, cast, verb.first if verb else quote, before, quote
        )
        if person is None:
            person = _unknown_doer(reading, cast, verb, before, quote) if verb else _label(reading, cast, before, last)
        if person is None:
            person = _unknown_opening(reading, cast, before, verb.first if verb else last)
        if person is None:
            person = _named_voice(reading, cast, before, quote)
        if person is None:
            person = _named_on_line_before(reading, cast, before)
        person = person or guess_speaker(reading, cast, quote, turns, later=False)
        return Tag(verb, _whose_thoughts(cast, person, quote), True)
    after = find_trail_end(reading, quote)
    verb = find_speech_verb(reading, quote + 1, min(after, quote + 1 + TAG_REACH), latest=False)
    if verb is not None and (_runs_on(reading, quote) or not _introduces(reading, verb, after)):
        doers = [m for m in cast.between(quote + 1, min(after, verb.last + _NAME_LENGTH + 1)) if not m.is_object]
        person = doers[0].person if doers else _unknown_doer(reading, cast, verb, quote + 1, after)
        if person is not None and not _doers_are_joined(reading, doers):
            return Tag(verb, person, True)
    mentions = [m for m in cast.between(before, quote) if not m.is_object] or cast.between(before, quote)
    if mentions:
        return Tag(None, mentions[0].person, False)
    follower = next(iter(cast.between(quote + 1, min(after, quote + 5))), None)  # “Hello!” The woman smiles.
    if follower and not follower.is_object and _follows_directly(reading, quote, follower):
        just_spoke = bool(turns) and turns[-1].person is follower.person and _bare_between(reading, quote)
        if not just_spoke:  # who has just spoken does not answer
            return Tag(None, follower.person, False)
    return Tag(None, guess_speaker(reading, cast, quote, turns), False)


def _doers_are_joined(reading: Reading, doers: list[Mention]) -> bool:
    """ "A boy and a girl talk": two doers joined by "and" leave open who speaks."""
    return len(doers) > 1 and any("and" in reading.roles(at) for at in range(doers[0].last, doers[1].first))


def _named_on_line_before(reading: Reading, cast: Cast, first: int) -> Person | None:
    """`Character: Yeti` on the line before `Line: …`, as in a table."""
    end = first - 1
    if end < 0 or reading.tokens[end].kind != "line":
        return None
    start = end
    while start > max(0, end - _LEAD_REACH) and reading.tokens[start - 1].kind != "line":
        start -= 1
    colon = next((at for at in range(start, end) if reading.tokens[at].text == ":"), end)
    if " ".join(token.text for token in reading.tokens[start:colon]) not in _WHO:
        return None
    named = cast.between(colon + 1, end)
    return named[0].person if named else _named(reading, cast, colon + 1, end)


def _speaker_in_heading(cast: Cast, verb: Hit | None) -> Person | None:
    """A heading that names who speaks: 旁白：“…”"""
    here = cast.between(verb.first, verb.first + 1) if verb else []
    return here[0].person if here else None


def _whose_thoughts(cast: Cast, person: Person | None, quote: int) -> Person | None:
    """An inner voice is that of whoever acted last, unseen: "Internal monologue: …" """
    if person is None or person.kind != "voice" or not _INNER.search(person.head):
        return person
    thinker = cast.doer(quote)
    if thinker is not None and thinker.kind == "someone":
        person.name, person.age = thinker.name, person.age or thinker.age
        person.gender, person.usually = person.gender or thinker.gender, person.usually or thinker.usually
    return person


def find_speech_verb(reading: Reading, first: int, last: int, *, latest: bool = True) -> Hit | None:
    """The last (or first) verb of speech among tokens first..last-1."""
    found = [
        hit
        for at in range(first, last)
        for hit in reading.at.get(at, ())
        if hit.entry.speech and hit.first == at and hit.entry.role != "greeting"
    ]
    return (found[-1] if latest else found[0]) if found else None


def is_done_by_a_person(reading: Reading, first: int, last: int) -> bool:
    """The nearest noun before is a person, not a thing that bears writing: he reads, the sign reads."""
    for at in range(last - 1, first - 1, -1):
        if any(hit.entry.writing in ("noun", "title") for hit in reading.at.get(at, ())):
            return False
        if reading.names_person(at):
            return True
    return False


def find_subject(reading: Reading, cast: Cast, verb: int, first: int, quote: int) -> Person | None:
    """Who does the verb at token `verb`: looked for in its clause, in the clauses before it, then after it."""
    here = cast.between(first, verb)
    doers = [mention for mention in here if not mention.is_object]
    if doers:
        own = [m for m in doers if reading.clause[m.first] == reading.clause[min(verb, len(reading.clause) - 1)]]
        if own and not is_han(reading.tokens[own[-1].first].text[0]) and not _shares_subject(reading, verb):
            return own[-1].person  # "the man smiles and the woman says"
        if own:
            return own[0].person  # "the man hugs the woman and says"; 男人抱住女人说
        nearest = reading.clause[doers[-1].first]
        return next(m for m in doers if reading.clause[m.first] == nearest).person
    after = [m for m in cast.between(verb, quote) if not m.is_object]
    if after:
        return after[0].person  # says the old man, "…"
    return here[0].person if here else None  # "close-up of a woman saying"


def _shares_subject(reading: Reading, verb: int) -> bool:
    """Going back over adverbs, the verb follows an "and", a "then" or a comma."""
    at = verb - 1
    while at >= 0 and "and" not in reading.roles(at) and _is_manner(reading, at):
        at -= 1
    return at >= 0 and (bool({"and", "then"} & reading.roles(at)) or ends_clause(reading.tokens[at]))


def _is_manner(reading: Reading, at: int) -> bool:
    """An adverb: softly, very slowly, 温柔地."""
    return bool({"adverb", "filler", "very"} & reading.roles(at)) or any(
        hit.entry.tone or hit.entry.speed for hit in reading.at.get(at, ())
    )


def _runs_on(reading: Reading, quote: int) -> bool:
    """The quotation ends in a comma, so the sentence goes on after it."""
    return reading.text[: reading.tokens[quote].end].rstrip("\"”」』’'")[-1:] in (",", "，")


def _introduces(reading: Reading, verb: Hit, after: int) -> bool:
    """The verb stands before the next quotation: `“Hi.” She says: “Bye.”`"""
    return (
        after < len(reading.tokens)
        and reading.tokens[after].kind == "quote"
        and all(reading.tokens[at].text in (":", ",") for at in range(verb.last, after))
    )


def _follows_directly(reading: Reading, quote: int, mention: Mention) -> bool:
    """No clause ends between the quotation and the mention after it."""
    return not any(ends_clause(reading.tokens[at]) for at in range(quote + 2, mention.first))


# --- people the lexicon does not know


def _label(reading: Reading, cast: Cast, first: int, colon: int) -> Person | None:
    """`Zara: “Hello”`: a capitalised label that is not in the lexicon."""
    first = max((at + 1 for at in range(first, colon) if ends_clause(reading.tokens[at])), default=first)
    words = [token for token in reading.tokens[first:colon] if token.kind in ("word", "han")]
    if not words or any(reading.text[token.start].islower() for token in words):
        return None
    return _named(reading, cast, first, colon)


def _unknown_doer(reading: Reading, cast: Cast, verb: Hit, first: int, last: int) -> Person | None:
    """The doer of the verb when the lexicon does not know the noun: "yells the foreman", "Zara says", 小二哥说."""
    end = verb.first
    while end > first and (_is_manner(reading, end - 1) or reading.tokens[end - 1].text in _ONLY):
        end -= 1
    at = end
    while at > first and end - at < _NAME_LENGTH and _may_name(reading, at - 1):
        at -= 1
    if at < end:
        return _named(reading, cast, at, end)
    at = end = verb.last
    while end < last and end - at < _NAME_LENGTH and _may_name(reading, end):
        end += 1
    if end - at > 1 and reading.tokens[at].text in _DETERMINERS:
        return _named(reading, cast, at, end)
    return None


def _unknown_opening(reading: Reading, cast: Cast, first: int, last: int) -> Person | None:
    """The unknown noun that opens the sentence: "The preacher raises his hands and shouts", 霸道总裁冷笑：“…”"""
    if first < last and is_han(reading.tokens[first].text[0]):
        return _noun_opening(reading, cast, first, last)
    at = first
    while at < last and at - first < _NAME_LENGTH and _may_name(reading, at):
        at += 1
    if at < last and reading.tokens[at].kind in ("word", "han") and not reading.at.get(at):
        at = min(at, first + 2)  # unknown words follow, so where the name ends is a guess
    return _named(reading, cast, first, at) if at - first > 1 else None


def _noun_opening(reading: Reading, cast: Cast, first: int, last: int) -> Person | None:
    """敌人首领在阴影中低声说道: the noun with which the sentence opens, before a verb, an adverb or a preposition."""
    known = load_doings()
    words = [word for word in reading.parts.han if first <= word.first < last]
    named: list[HanWord] = []
    for word in words:
        if word.tag not in ("n", "x") or word.text in known.misread or (named and word.first != named[-1].last):
            break
        named.append(word)
    if not named or len(named) == len(words) or words[len(named)].tag[0] not in "vpdac" or named[0].first != first:
        return None
    if named[-1].text in known.no_doers | known.fixtures | known.light_nouns | known.movers:
        return None
    return _named(reading, cast, named[0].first, named[-1].last)


def _named_voice(reading: Reading, cast: Cast, first: int, quote: int) -> Person | None:
    """ "A woman's voice says “…” over the loudspeaker": a voice, seen or not."""
    for at in range(first, quote):
        for hit in reading.at.get(at, ()):
            if hit.entry.gender and not hit.entry.person:
                unseen = any(m.person.kind == "voice" for m in cast.between(quote + 1, find_trail_end(reading, quote)))
                name = reading.written(hit)
                person = Person(
                    name=name, head=name.lower(), gender=hit.entry.gender, kind="voice" if unseen else "someone"
                )
                cast.people.append(person)
                return person
    return None


def _may_name(reading: Reading, at: int) -> bool:
    """A token that may be part of a name or of an unknown noun."""
    token = reading.tokens[at]
    if token.text in _ARTICLES:
        return True
    return token.kind in ("word", "han") and all(
        hit.entry.mood or hit.entry.age or hit.entry.amount != 1.0 for hit in reading.at.get(at, ())
    )


def _named(reading: Reading, cast: Cast, first: int, last: int) -> Person | None:
    """Someone new by the words first..last-1, or whoever had that name before."""
    article = ""
    if reading.tokens[first].text in _ARTICLES and last - first > 1:
        first, article = first + 1, "the "
    words = reading.tokens[first:last]
    if not words or len(words) > _NAME_LENGTH:
        return None
    covering = [hit for at in range(first, last) for hit in reading.at.get(at, ())]
    if any(hit.content or hit.entry.role in ("heading", "field") for hit in covering):
        return None
    text = " ".join(reading.text[words[0].start : words[-1].end].split())
    if words[0].text in _SOME_OF_THEM:
        text = reading.text[words[0].start : words[0].end]  # "One leans in and says"
    if text.endswith(_MANNERS) or text in load_doings().misread or text.startswith(("压低", "提高", "放低")):
        return None  # 西装男抬眼，压低声音：“…”
    if not article and (text[0].islower() or (is_han(text[0]) and len(text) == 1)):
        return None
    known = next((person for person in cast.people if person.head == text.lower()), None)
    if known is None:
        gender: Gender = "man" if text.endswith("man") else ""  # the foreman; women are in the lexicon
        known = Person(name=article + text, head=text.lower(), gender=gender)
        cast.people.append(known)
    return known


# --- nobody is named beside it


def guess_speaker(
    reading: Reading, cast: Cast, quote: int, turns: Sequence[Turn], *, later: bool = True
) -> Person | None:
    """Who speaks when nobody is named: speakers take turns, else whoever spoke or was mentioned last goes on; None when
    the prompt names nobody.

    `later`: someone named only after the quotation may be meant.
    """
    able = [person for person in cast.people if person.kind != "voice"] or cast.people
    if turns:
        speaker = turns[-1].person
        if speaker in able and len(able) > 1 and _bare_between(reading, quote):
            return able[(able.index(speaker) + 1) % len(able)]
        earlier = [m for m in cast.between(0, quote) if not m.is_object]
        if earlier and reading.tokens[earlier[-1].first].start > turns[-1].place:
            return earlier[-1].person
        return speaker
    earlier = [m for m in cast.between(0, quote) if not m.is_object] or cast.between(0, quote)
    if earlier:
        sentence = reading.sentence[earlier[-1].first]
        return next(m for m in earlier if reading.sentence[m.first] == sentence).person
    return able[0] if later and able else None


def _bare_between(reading: Reading, quote: int) -> bool:
    """Only punctuation stands between this quotation and the one before."""
    at = quote - 1
    while at >= 0 and reading.tokens[at].kind in ("mark", "line"):
        at -= 1
    return at >= 0 and reading.tokens[at].kind == "quote"
