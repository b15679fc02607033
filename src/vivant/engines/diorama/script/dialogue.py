"""What is said, by whom and how: the quoted (and a few unquoted) lines of a prompt.

A quotation is spoken unless the words around it say that it is written, a title, or only named so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from vivant.engines.diorama.script.grammar import Hit, Reading, read
from vivant.engines.diorama.script.people import Cast, Mention, Person
from vivant.engines.diorama.script.tokens import Span, ends_clause, ends_sentence, is_han
from vivant.engines.diorama.storyboard import Language, Tone

EN_WORDS_PER_SECOND: Final = 2.6
ZH_CHARACTERS_PER_SECOND: Final = 4.2
PAUSE: Final = 0.35  # seconds between two lines
_LONGER: Final = 1.5  # lines that would end later than this many clips are not even tried

_STAGE: Final = re.compile(r"[(\[（【<*][^()\[\]（）【】<>*]{1,40}[)\]）】>*]")
_TERMINAL: Final = frozenset(".!?,…。！？，~～")
_LATIN_WORD: Final = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ']*[A-Za-zÀ-ÖØ-öø-ÿ]|\d+")
_OTHER_SCRIPT: Final = re.compile(
    r"[\u0370-\u052f\u0590-\u08ff\u0900-\u0e7f\u1100-\u11ff\u3040-\u30ff\uac00-\ud7af]"  # Greek to Thai, kana, hangul
)
_TAG_REACH: Final = 8  # tokens after a quotation in which ", whispers the old man" may stand
_NONE: Final = frozenset({"none", "no", "无", "没有", "n/a", "na", "silence", "-"})


@dataclass(frozen=True, slots=True)
class Said:
    """One line as it is said. `place` is where it stands in the prompt."""

    text: str
    language: Language
    person: Person | None
    tone: Tone
    place: int


@dataclass(frozen=True, slots=True)
class _Tag:
    """The words that say who speaks: a verb of speech, or a label with a colon."""

    verb: Hit | None
    person: Person | None
    named: bool  # it says so for certain


def unquoted(reading: Reading) -> tuple[Span, ...]:
    """Stretches that are speech without marks: `She says: hello there.`, `旁白：清晨的海边。`"""
    spans: list[Span] = []
    for hit in reading.hits:
        if (
            not hit.entry.speech
            or hit.denied
            or hit.last >= len(reading.tokens)
            or reading.tokens[hit.last].text != ":"
        ):
            continue
        heading = hit.entry.role == "heading" and _opens_line(reading, hit.first)
        if not heading and not _subject_known(reading, hit):
            continue
        first = hit.last + 1
        last = _speech_end(reading, first)
        if first >= last or (spans and reading.tokens[first].start < spans[-1].end):
            continue
        start, end = reading.tokens[first].start, reading.tokens[last - 1].end
        words = reading.text[start:end]
        if words.strip(" .。").lower() in _NONE or _only_describes(reading, first, last):
            continue
        spans.append(Span(start, end, words, ":"))
    return tuple(spans)


def _speech_end(reading: Reading, first: int) -> int:
    """One past the last token of speech without marks: the sentence, and those after it on the same line until one
    speaks of the scene again. `first` itself when marks follow after all."""
    last = at = first
    while at < len(reading.tokens) and reading.tokens[at].kind != "line":
        if reading.tokens[at].kind == "quote":
            return last
        at += 1
        if ends_sentence(reading.tokens[at - 1]):
            if last > first and _of_the_scene(reading, last, at):
                return last
            last = at
    return at if last == first or not _of_the_scene(reading, last, at) else last


def _of_the_scene(reading: Reading, first: int, last: int) -> bool:
    return any(
        hit.content or reading.roles(hit.first) & {"camera", "heading"}
        for at in range(first, last)
        for hit in reading.at.get(at, ())
    )


def _opens_line(reading: Reading, token: int) -> bool:
    return token == 0 or ends_sentence(reading.tokens[token - 1]) or ends_clause(reading.tokens[token - 1])


def _subject_known(reading: Reading, verb: Hit) -> bool:
    first, _ = reading.sentence_bounds(verb.first)
    return any(reading.person(at) for at in range(first, verb.first))


def _only_describes(reading: Reading, first: int, last: int) -> bool:
    """ "Voiceover: a calm female voice" tells of a voice and gives it no words."""
    return any(
        (hit.entry.gender and not hit.entry.person) or hit.entry.accent or hit.entry.topic
        for hit in reading.hits
        if first <= hit.first < last
    )


def said(reading: Reading, people: Cast) -> tuple[list[Said], list[str]]:
    """Every line of the prompt in order, and notes on quotations that are not spoken."""
    lines: list[Said] = []
    notes: list[str] = []
    hushed = any(hit.entry.topic == "speech" and hit.denied for hit in reading.hits) or any(
        hit.entry.mute == "speech" and hit.meant for hit in reading.hits
    )
    quotes = [index for index, token in enumerate(reading.tokens) if token.kind == "quote"]
    joined = -1  # the quotation that the last one ran on into
    for number, (token, span) in enumerate(zip(quotes, reading.spans, strict=True)):
        text, direction = _spoken_text(span.inner)
        if not any(c.isalnum() for c in text) or number == joined:
            continue
        before = _region_before(reading, token)
        tag = _tag(reading, people, token, before, lines)
        if not _is_speech(reading, span, token, before, tag) or (hushed and not tag.named):
            notes.append(f"“{_short(text)}” is taken as writing or a name, not as speech.")
            continue
        if number + 1 < len(quotes) and _runs_on(reading, text, token, quotes[number + 1]):
            text = f"{text} {_spoken_text(reading.spans[number + 1].inner)[0]}"
            joined = number + 1
        language = language_of(text)
        if language is None:
            notes.append(f"“{_short(text)}” cannot be spoken: the voices speak English and Chinese.")
            continue
        tone = _tone(reading, people, token, before, tag, direction, text)
        _hear_voice(reading, tag, token, before)
        lines.append(Said(_closed(text), language, tag.person, tone, span.start))
    lines += _greetings(reading, people, lines)
    return sorted(lines, key=lambda line: line.place), notes


def wordless(reading: Reading) -> bool:
    """Someone is said to speak or sing."""
    return any(
        hit.entry.role == "talk"
        and not hit.denied
        and any(reading.person(at) for at in range(*reading.sentence_bounds(hit.first)))
        for hit in reading.hits
    )


def language_of(text: str) -> Language | None:
    """By its script; the majority in a mixed line; None when it is neither English nor Chinese."""
    han = sum(is_han(c) for c in text)
    latin = len(_LATIN_WORD.findall(text))
    other = len(_OTHER_SCRIPT.findall(text))
    if other > han and other > latin:
        return None
    if other and re.search(r"[\u3040-\u30ff]", text) and other * 3 > han:
        return None  # Japanese writes with Chinese characters too
    return "zh" if han and han >= latin else "en"


def seconds(line: Said) -> float:
    """About how long it takes to say."""
    if line.language == "zh":
        han = sum(is_han(c) for c in line.text)
        return han / ZH_CHARACTERS_PER_SECOND + len(_LATIN_WORD.findall(line.text)) / EN_WORDS_PER_SECOND
    return len(_LATIN_WORD.findall(line.text)) / EN_WORDS_PER_SECOND


def fitting(lines: list[Said], clip: float) -> tuple[list[Said], list[str]]:
    """What may fit a clip of so many seconds. The timeline decides exactly; this keeps a novel from being spoken."""
    kept: list[Said] = []
    end = 0.0
    cut = 0
    for line in lines:
        left = clip * _LONGER - end
        if left <= 0:
            cut += 1
            continue
        length = seconds(line)
        if length > left:
            line = replace(line, text=_shortened(line, left))
            cut += 1
        if line.text:
            kept.append(line)
        end += min(length, left) + PAUSE
    notes = []
    total = sum(seconds(line) + PAUSE for line in lines)
    if kept and total - PAUSE > clip:
        notes.append(
            f"The words need about {total:.0f} s and the clip has {clip:.0f} s: the end will not be heard. "
            "Use fewer words or a longer clip."
        )
    return kept, notes


def _shortened(line: Said, left: float) -> str:
    """The line cut where a word ends, after about `left` seconds of speech."""
    if line.language == "zh":
        return line.text[: max(1, int(left * ZH_CHARACTERS_PER_SECOND))]
    words = line.text.split()
    return " ".join(words[: max(1, int(left * EN_WORDS_PER_SECOND))])[:600]


def _spoken_text(inner: str) -> tuple[str, str]:
    """The words without stage directions, and the directions: "[sighs] I know" -> ("I know", "[sighs]")."""
    directions = " ".join(_STAGE.findall(inner))
    return " ".join(_STAGE.sub(" ", inner).split()), directions


def _closed(text: str) -> str:
    """A line does not end in a comma, as quotations before "he says" do."""
    return text.rstrip(",") + "." if text.endswith(",") else text.rstrip("，") + "。" if text.endswith("，") else text


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _region_before(reading: Reading, quote: int) -> int:
    """First token of the words that lead to the quotation: back to a sentence's end or another quotation."""
    at = quote
    while at > 0 and reading.tokens[at - 1].kind != "quote" and not ends_sentence(reading.tokens[at - 1]):
        at -= 1
    # "Anna:\n“Hello”": a label may stand on a line of its own.
    if at == quote and at > 1 and reading.tokens[at - 1].kind == "line" and reading.tokens[at - 2].text == ":":
        at -= 1
        while at > 0 and reading.tokens[at - 1].kind != "quote" and not ends_sentence(reading.tokens[at - 1]):
            at -= 1
    return at


def _region_after(reading: Reading, quote: int) -> int:
    """One past the last token of the words that may belong to the quotation before them."""
    at = quote + 1
    while at < len(reading.tokens) and not ends_sentence(reading.tokens[at]) and reading.tokens[at].kind != "quote":
        at += 1
    return at


def _tag(reading: Reading, people: Cast, quote: int, before: int, lines: Sequence[Said]) -> _Tag:
    verb = _speech_verb(reading, before, quote)
    last = quote - 1 if quote > before else quote
    colon = last >= before and last < quote and reading.tokens[last].text == ":"
    if verb is not None or colon:
        person = _subject(reading, people, verb.first if verb else quote, before, quote)
        if person is None and colon and verb is None:
            person = _label(reading, people, before, last)
        return _Tag(verb, person or _unnamed(reading, people, quote, lines), True)
    after = _region_after(reading, quote)
    verb = _speech_verb(reading, quote + 1, min(after, quote + 1 + _TAG_REACH), latest=False)
    runs_on = reading.text[: reading.tokens[quote].end].rstrip("\"”」』’'")[-1:] in (",", "，")
    if verb is not None and (runs_on or not _introduces(reading, verb, after)):
        here = people.between(quote + 1, min(after, verb.last + 5))
        doers = [mention for mention in here if not mention.object]
        if doers:
            return _Tag(verb, doers[0].person, True)
    mentions = [m for m in people.between(before, quote) if not m.object] or people.between(before, quote)
    if mentions:
        return _Tag(None, mentions[0].person, False)
    beat = people.between(quote + 1, min(after, quote + 5))
    if beat and not beat[0].object and _follows_closely(reading, quote, beat[0]):
        return _Tag(None, beat[0].person, False)
    return _Tag(None, _unnamed(reading, people, quote, lines), False)


def _follows_closely(reading: Reading, quote: int, mention: Mention) -> bool:
    return not any(ends_clause(reading.tokens[at]) for at in range(quote + 2, mention.first))


def _speech_verb(reading: Reading, first: int, last: int, *, latest: bool = True) -> Hit | None:
    found = [
        hit
        for at in range(first, last)
        for hit in reading.at.get(at, ())
        if hit.entry.speech and hit.first == at and hit.entry.role != "greeting"
    ]
    return (found[-1] if latest else found[0]) if found else None


def _introduces(reading: Reading, verb: Hit, after: int) -> bool:
    """The verb stands before the next quotation: `“Hi.” She says: “Bye.”`"""
    return (
        after < len(reading.tokens)
        and reading.tokens[after].kind == "quote"
        and all(reading.tokens[at].text in (":", ",") for at in range(verb.last, after))
    )


def _subject(reading: Reading, people: Cast, verb: int, first: int, quote: int) -> Person | None:
    """Who does the verb at token `verb`: looked for in its clause, then in the clauses before it, then after it."""
    here = people.between(first, verb)
    doers = [mention for mention in here if not mention.object]
    if doers:
        clause = reading.clause[verb] if verb < len(reading.clause) else -1
        own = [m for m in doers if reading.clause[m.first] == clause]
        if own and not is_han(reading.tokens[own[-1].first].text[0]) and not _shares_subject(reading, verb):
            return own[-1].person  # "the man smiles and the woman says"
        if own:
            return own[0].person  # "the man hugs the woman and says"; 男人抱住女人说
        nearest = reading.clause[doers[-1].first]
        return next(m for m in doers if reading.clause[m.first] == nearest).person
    after = [m for m in people.between(verb, quote) if not m.object]
    if after:
        return after[0].person  # says the old man, "…"
    return here[0].person if here else None  # "close-up of a woman saying"


def _shares_subject(reading: Reading, verb: int) -> bool:
    at = verb - 1
    while at >= 0 and ({"adverb", "filler", "very"} & reading.roles(at) - {"and"} or _is_manner(reading, at)):
        if "and" in reading.roles(at):
            return True
        at -= 1
    return at >= 0 and (bool({"and", "then"} & reading.roles(at)) or ends_clause(reading.tokens[at]))


def _is_manner(reading: Reading, at: int) -> bool:
    return any(hit.entry.tone or hit.entry.speed for hit in reading.at.get(at, ()))


def _label(reading: Reading, people: Cast, first: int, colon: int) -> Person | None:
    """`Zara: “Hello”`: a name nobody taught us."""
    while first < colon and any(ends_clause(reading.tokens[at]) for at in range(first, colon)):
        first += 1
    words = [token for token in reading.tokens[first:colon] if token.kind in ("word", "han")]
    if (
        not words
        or len(words) > 4
        or any(h.content or h.entry.role == "heading" for h in reading.hits if first <= h.first < colon)
    ):
        return None
    name = " ".join(reading.text[words[0].start : words[-1].end].split())
    known = next((person for person in people.people if person.head == name.lower()), None)
    if known is None:
        known = Person(name=name, head=name.lower())
        people.people.append(known)
    return known


def _unnamed(reading: Reading, people: Cast, quote: int, lines: Sequence[Said]) -> Person | None:
    """Nobody is named beside it: turns are taken, else whoever spoke or was spoken of last goes on."""
    able = [person for person in people.people if person.kind != "voice"] or people.people
    if lines:
        speaker = lines[-1].person
        between = quote > 0 and reading.tokens[quote - 1].kind in ("quote", "line", "mark")
        if between and _bare_between(reading, quote) and speaker in able and len(able) > 1:
            return able[(able.index(speaker) + 1) % len(able)]
        earlier = [m for m in people.between(0, quote) if not m.object]
        if earlier and reading.tokens[earlier[-1].first].start > lines[-1].place:
            return earlier[-1].person
        return speaker
    earlier = [m for m in people.between(0, quote) if not m.object] or people.between(0, quote)
    if earlier:
        sentence = reading.sentence[earlier[-1].first]
        return next(m for m in earlier if reading.sentence[m.first] == sentence).person
    return able[0] if len(able) == 1 else None


def _bare_between(reading: Reading, quote: int) -> bool:
    """Nothing but marks since the quotation before."""
    at = quote - 1
    while at >= 0 and reading.tokens[at].kind in ("mark", "line"):
        at -= 1
    return at >= 0 and reading.tokens[at].kind == "quote"


def _runs_on(reading: Reading, text: str, quote: int, following: int) -> bool:
    """ "Hello," she says, "how are you?" is one sentence with its speaker in the middle."""
    if text[-1] not in ",，" or following - quote > _TAG_REACH:
        return False
    between = range(quote + 1, following)
    return (
        following > quote + 1
        and reading.tokens[following - 1].text == ","
        and not any(ends_sentence(reading.tokens[at]) for at in between)
        and _speech_verb(reading, quote + 1, following) is not None
    )


# --- is it spoken at all?


def _is_speech(reading: Reading, span: Span, quote: int, before: int, tag: _Tag) -> bool:
    if span.mark == "《":
        return False
    if span.mark == ":":
        return True
    if _is_code(reading.text, span.start):
        return False
    adjacent = _adjacent(reading, quote, before)
    punctuated = quote > before and reading.tokens[quote - 1].text in (":", ",")
    writing = next((hit for hit in adjacent if hit.entry.writing), None)
    if writing is not None and writing.entry.writing != "noun":
        if writing.entry.writing == "verb":
            spoken_of = _speech_verb(reading, max(before, writing.first - 3), writing.first)
            return spoken_of is not None or (punctuated and _doer_between(reading, before, writing.first))
        if not (punctuated and tag.verb is not None and tag.verb.first > writing.first):
            return False
    if _on_a_sign(reading, quote, before, tag, punctuated=punctuated) or _named_after(reading, quote):
        return False
    if tag.named:
        return True
    if span.mark in "'‘" and not (punctuated or span.inner.rstrip()[-1:] in _TERMINAL):
        return False
    return not _only_so_called(reading, span, quote, before, punctuated=punctuated)


def _is_code(text: str, start: int) -> bool:
    """name="value", alert("hi"): the mark follows a sign that follows a letter."""
    return start > 1 and text[start - 1] in "=([" and (text[start - 2].isalnum() or text[start - 2] in "_]")


def _adjacent(reading: Reading, quote: int, before: int) -> list[Hit]:
    """Hits on the last real words before the quotation."""
    at = quote - 1
    while at >= before and (
        reading.tokens[at].text in (":", ",", "-", "是", "着", "了", "的", "is") or reading.tokens[at].text in "(["
    ):
        at -= 1
    return list(reading.at.get(at, ())) if at >= before else []


def _doer_between(reading: Reading, first: int, last: int) -> bool:
    """The nearest noun before is a person, not a thing that bears writing: he reads, the sign reads."""
    for at in range(last - 1, first - 1, -1):
        hits = reading.at.get(at, ())
        if any(hit.entry.writing in ("noun", "title") for hit in hits):
            return False
        if reading.person(at):
            return True
    return False


def _on_a_sign(reading: Reading, quote: int, before: int, tag: _Tag, *, punctuated: bool) -> bool:
    """A sign, a poster, a screen is the nearest noun before, and no one else does the saying."""
    at = tag.verb.first if tag.verb is not None and before <= tag.verb.first < quote else quote
    for place in range(at - 1, before - 1, -1):
        hits = reading.at.get(place, ())
        if any(hit.entry.writing == "noun" for hit in hits):
            relative = any(
                reading.tokens[i].text in ("that", "which", "saying", "reading", "with") for i in range(place, quote)
            )
            someone = any(reading.person(i) for i in range(before, place)) and tag.verb is not None
            return relative or not someone
        if reading.person(place) and not all(h.entry.person == "body" for h in hits if h.entry.person):
            return False
        if ends_clause(reading.tokens[place]) and not (punctuated and place == quote - 1) and tag.verb is None:
            return False
    return False


def _named_after(reading: Reading, quote: int) -> bool:
    """A sign, a title or the word 字样 directly follows the quotation."""
    for at in range(quote + 1, min(quote + 5, len(reading.tokens))):
        token = reading.tokens[at]
        hits = reading.at.get(at, ())
        if ends_clause(token) or ends_sentence(token) or reading.person(at) or any(h.entry.speech for h in hits):
            return False
        if any(hit.entry.writing in ("noun", "title") for hit in hits) or token.text in ("style", "风", "声"):
            return True
        if any(hit.entry.writing == "verb" for hit in hits):
            return True
    return False


def _only_so_called(reading: Reading, span: Span, quote: int, before: int, *, punctuated: bool) -> bool:
    """Scare quotes and names: the "cool" kids, 充满“科技感”的城市. Short, unpunctuated, inside a clause."""
    text = span.inner.strip()
    if punctuated or quote == before or text[-1:] in _TERMINAL or "\n" in text:
        return False
    han = sum(is_han(c) for c in text)
    if han > 6 or len(text.split()) > 4:
        return False
    previous = reading.tokens[quote - 1]
    if previous.kind not in ("word", "han"):
        return False
    if previous.text in (
        "a",
        "an",
        "the",
        "this",
        "his",
        "her",
        "its",
        "their",
        "of",
        "'s",
        "s",
        "in",
        "as",
        "my",
        "个",
        "种",
        "的",
        "为",
        "以",
        "像",
    ):
        return True
    following = reading.tokens[quote + 1] if quote + 1 < len(reading.tokens) else None
    if following is None or following.kind not in ("word", "han") or reading.person(quote + 1):
        return False
    if reading.person(quote - 1):
        return False
    return reading.text[following.start].islower() or is_han(following.text[0])


# --- how it is said


def _hear_voice(reading: Reading, tag: _Tag, quote: int, before: int) -> None:
    """ "Speaks in a British accent": what is said of the voice beside the verb belongs to the speaker."""
    if tag.person is None or tag.verb is None:
        return
    first, last = (before, quote) if tag.verb.first < quote else (quote, _region_after(reading, quote))
    for at in range(max(first, tag.verb.first), last):
        for hit in reading.at.get(at, ()):
            if hit.entry.accent:
                tag.person.accents.add(hit.entry.accent)
            if hit.entry.gender and not hit.entry.person and not tag.person.gender:
                tag.person.gender = hit.entry.gender


def _tone(reading: Reading, people: Cast, quote: int, before: int, tag: _Tag, direction: str, text: str) -> Tone:
    if direction and (staged := [hit.entry.tone for hit in read(direction).hits if hit.entry.tone]):
        return cast(Tone, staged[0])
    if tag.verb is not None and tag.verb.entry.tone:
        return cast(Tone, tag.verb.entry.tone)
    if tones := _tones(reading, before, quote):
        return tones[-1]
    after = _region_after(reading, quote)
    follows = tag.verb is not None and tag.verb.first > quote
    if (follows or (quote + 1 < after and reading.tokens[quote + 1].text in "(（")) and (
        tones := _tones(reading, quote + 1, after)
    ):
        return tones[0]
    if before > 0 and tag.person is not None:
        first, last = reading.sentence_bounds(before - 1)
        if any(mention.person is tag.person for mention in people.between(first, last)) and (
            tones := _tones(reading, first, last)
        ):
            return tones[-1]
    words = [word for word in text.split() if any(c.isalpha() for c in word)]
    if len(words) > 1 and text.isupper() and not any(is_han(c) for c in text):
        return "shout"
    return "excited" if text.endswith(("!!", "！！")) else "neutral"


def _tones(reading: Reading, first: int, last: int) -> list[Tone]:
    return [
        cast(Tone, hit.entry.tone)
        for at in range(first, last)
        for hit in reading.at.get(at, ())
        if hit.entry.tone and hit.first == at and not hit.denied
    ]


def _greetings(reading: Reading, people: Cast, lines: Sequence[Said]) -> list[Said]:
    """ "She waves and says hello": a greeting needs no quotation marks."""
    found = []
    for hit in reading.hits:
        if hit.entry.role != "greeting" or hit.denied:
            continue
        first, last = reading.sentence_bounds(hit.first)
        if any(reading.tokens[at].kind == "quote" for at in range(first, last)):
            continue
        han = is_han(reading.tokens[hit.first].text)
        spoken = reading.tokens[hit.first + 1 : hit.last]
        text = reading.text[spoken[0].start : spoken[-1].end]
        text = f"{text}。" if han else f"{text[0].upper()}{' '.join(text[1:].split())}."
        language: Language = "zh" if han else "en"
        person = _subject(reading, people, hit.first, first, hit.last) or _unnamed(reading, people, hit.first, lines)
        tone = _tones(reading, first, hit.first)
        found.append(Said(text, language, person, tone[-1] if tone else "neutral", spoken[0].start))
    return found
