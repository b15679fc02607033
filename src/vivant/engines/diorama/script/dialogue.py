"""What is said: the spoken lines of a prompt, by whom, in which language, and how much of them fits a clip.

A quotation is spoken unless the words around it say otherwise (writing.py); attribution.py finds who says it,
delivery.py how.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from vivant.engines.diorama.script.attribution import (
    TAG_REACH,
    Turn,
    attribute,
    find_lead_start,
    find_speech_verb,
    find_subject,
    guess_speaker,
)
from vivant.engines.diorama.script.delivery import find_tone, find_tones, note_voice_traits
from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Hit, Reading, is_denied
from vivant.engines.diorama.script.languages import seems_foreign
from vivant.engines.diorama.script.notes import ScriptNote, shorten
from vivant.engines.diorama.script.people import Cast, Person, given_names
from vivant.engines.diorama.script.tokens import ends_sentence, is_han
from vivant.engines.diorama.script.writing import is_added_text, is_noise, is_spoken
from vivant.engines.diorama.storyboard import Language, Tone

EN_WORDS_PER_SECOND: Final = 2.6
ZH_CHARACTERS_PER_SECOND: Final = 4.2
PAUSE: Final = 0.35  # seconds between two lines
_TOLERANCE: Final = 1.1  # relative error of the estimate
_LONGER: Final = 1.5  # what would be said after this many lengths of the clip is dropped
_MOST_CHARACTERS_PER_SECOND: Final = 40  # of any text: more than the longest words take; signs and blanks cost too
_LONGEST_WORD: Final = 12  # letters; a longer word takes the time of several

_SENTENCE_ENDS: Final = frozenset(".!?。！？…~")
_TERM_HAN, _TERM_WORDS = 8, 4  # a longer quotation is no mere term
_STAGE_DIRECTION: Final = re.compile(r"[(\[（【<*][^()\[\]（）【】<>*]{1,40}[)\]）】>*]")
_LATIN_WORD: Final = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ](?:[A-Za-zÀ-ÖØ-öø-ÿ']*[A-Za-zÀ-ÖØ-öø-ÿ])?|\d+")
_ODD_SIGNS: Final = re.compile(
    r"[+*#~_=|<>^\\/@]{2,}|(?<![\w])[*#~_=|^\\]|[*#~_=|^\\](?![\w])"
)  # decoration: not spoken
_LOOSE_START: Final = re.compile(r"^[\s:：，,、。.;；)）\]】}-]+(?=\w)")
_KANA: Final = re.compile(r"[\u3040-\u30ff]")
_OTHER_SCRIPT: Final = re.compile(  # Greek to Thai, kana, hangul
    r"[\u0370-\u052f\u0590-\u08ff\u0900-\u0e7f\u1100-\u11ff\u3040-\u30ff\uac00-\ud7af]"
)


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One spoken line. `place`: where it stands in the prompt, in characters; `token`: which of the reading's it is."""

    text: str
    language: Language
    person: Person | None
    tone: Tone
    place: int
    token: int


def find_utterances(reading: Reading, cast: Cast) -> Found[tuple[DraftLine, ...]]:
    """Every line of the prompt in order, and notes on quotations that are not spoken."""
    lines: list[DraftLine] = []
    notes: list[ScriptNote] = []
    spans: list[Span] = []
    turns: list[Turn] = []
    speech_denied = any(hit.entry.topic == "speech" and hit.denied for hit in reading.hits)
    quotes = [index for index, token in enumerate(reading.tokens) if token.kind == "quote"]
    names = given_names(reading)
    silent: set[int] = set()  # quotations that are not spoken
    joined = -1  # the quotation that the last one ran on into
    for number, (quote, quotation) in enumerate(zip(quotes, reading.quotations, strict=True)):
        spans.append((quote, quote + 1))
        text, direction = _split_directions(quotation.inner)
        if not any(c.isalnum() for c in text) or number == joined:
            continue
        before = find_lead_start(reading, quote, silent)
        tag = attribute(reading, cast, quote, before, turns)
        if not is_spoken(reading, quotation, quote, before, tag) or (speech_denied and not tag.certain):
            silent.add(quote)
            if is_added_text(reading, quotation, before):
                notes.append(ScriptNote("no_writing", (_abbreviate(text),)))
            elif is_noise(text):
                notes.append(ScriptNote("no_such_sound", (_abbreviate(text),)))
            elif text not in names and _may_be_meant_as_speech(text):
                notes.append(ScriptNote("not_speech", (_abbreviate(text),)))
            continue
        if number + 1 < len(quotes) and _runs_on(reading, text, quote, quotes[number + 1]):
            text = f"{text} {_split_directions(reading.quotations[number + 1].inner)[0]}"
            joined = number + 1
        language = language_of(text)
        if language is None:
            notes.append(ScriptNote("unspeakable", (_abbreviate(text),)))
            continue
        if language == "en" and seems_foreign(text):
            notes.append(ScriptNote("read_as_english", (_abbreviate(text),)))
        how = find_tone(reading, cast, quote, before, tag, direction, text)
        note_voice_traits(reading, quote, before, tag)
        turns.append(Turn(tag.person, quotation.start))
        if tag.verb is not None:
            spans.append((tag.verb.first, tag.verb.last))
            if tag.verb.entry.sung:
                notes.append(ScriptNote("not_sung", (reading.written(tag.verb),)))
        lines.append(DraftLine(_end_sentence(text), language, tag.person, how, quotation.start, quote))
    lines += _greetings(reading, cast, turns)
    return Found(tuple(sorted(lines, key=lambda line: line.place)), tuple(notes), tuple(spans))


def find_wordless_speech(reading: Reading, cast: Cast, lines: Sequence[DraftLine]) -> Found[tuple[str, ...]]:
    """The words by which someone is said to speak or sing of whom no line is given."""
    speakers = {line.person for line in lines}
    found: list[Hit] = []
    for hit in reading.hits:
        if hit.entry.role != "talk" or is_denied(reading, hit):
            continue
        first, last = reading.sentence_bounds(hit.first)
        if not any(reading.names_person(at) for at in range(first, last)):
            continue
        if any(reading.tokens[at].kind == "quote" for at in range(hit.first, min(last + 1, len(reading.tokens)))):
            continue  # the words are given, though no voice may speak them
        if lines:  # then it must be clear that it is somebody else's speech
            doers = [m for m in cast.between(first, hit.first) if not m.is_object]
            quoted = any(reading.tokens[at].kind == "quote" for at in range(first, min(last + 1, len(reading.tokens))))
            if quoted or not doers or doers[-1].person in speakers or None in speakers:
                continue
        found.append(hit)
    return Found(tuple(reading.written(hit) for hit in found), spans=tuple((hit.first, hit.last) for hit in found))


def language_of(text: str) -> Language | None:
    """By its script; the majority in a mixed line; None when it is neither English nor Chinese."""
    han = sum(is_han(c) for c in text)
    latin = len(_LATIN_WORD.findall(text))
    other = len(_OTHER_SCRIPT.findall(text))
    if other > han and other > latin:
        return None
    if len(_KANA.findall(text)) * 3 > han > 0:
        return None  # Japanese writes with Chinese characters too
    return "zh" if han and han >= latin else "en"


def estimate_seconds(line: DraftLine) -> float:
    """About how long it takes to say."""
    han = sum(is_han(c) for c in line.text) if line.language == "zh" else 0
    words = han / ZH_CHARACTERS_PER_SECOND + sum(map(_words, _LATIN_WORD.findall(line.text))) / EN_WORDS_PER_SECOND
    return max(words, len(line.text) / _MOST_CHARACTERS_PER_SECOND)


def _words(written: str) -> int:
    """How many usual words a word or a figure takes: every digit about one ("1984": nineteen eighty four)."""
    return len(written) if written.isdecimal() else -(-len(written) // _LONGEST_WORD)


def fit_to_clip(lines: Sequence[DraftLine], clip: float) -> Found[tuple[DraftLine, ...]]:
    """What may fit a clip of so many seconds, and a note when not all of it will be heard.

    The timeline decides exactly, once the speech exists; this keeps very long texts from being synthesised.
    """
    total = sum(estimate_seconds(line) + PAUSE for line in lines) - PAUSE
    if total <= clip * _TOLERANCE:
        return Found(tuple(lines))
    _, unheard = _cut(lines, clip)
    note = ScriptNote("too_many_words", (_abbreviate(unheard),), (("need", round(total)), ("seconds", round(clip))))
    return Found(tuple(_cut(lines, clip * _LONGER)[0]), (note,))


def _cut(lines: Sequence[DraftLine], seconds: float) -> tuple[list[DraftLine], str]:
    """The lines, as far as they are said in that time, and the words that follow then; "" if none do."""
    kept: list[DraftLine] = []
    for line in lines:
        if seconds <= 0:
            return kept, line.text
        length = estimate_seconds(line)
        if length > seconds:
            text = _shorten(line, seconds)
            return [*kept, replace(line, text=text)], line.text[len(text) :].strip()
        kept.append(line)
        seconds -= length + PAUSE
    return kept, ""


def _shorten(line: DraftLine, left: float) -> str:
    """The line cut where a word ends, after about `left` seconds of speech."""
    if line.language == "zh":
        return line.text[: max(1, int(left * ZH_CHARACTERS_PER_SECOND))]
    most = max(1, int(left * _MOST_CHARACTERS_PER_SECOND))
    room = left * EN_WORDS_PER_SECOND
    kept: list[str] = []
    for word in line.text.split():
        room -= sum(map(_words, _LATIN_WORD.findall(word)))
        if room < 0:
            # A first word that is too long already, twenty digits say, is cut inside.
            return " ".join(kept or [word[: max(1, int(left * EN_WORDS_PER_SECOND))]])[:most]
        kept.append(word)
    return " ".join(kept)[:most]


def _split_directions(inner: str) -> tuple[str, str]:
    """The words without stage directions, and the directions: "[sighs] I know" -> ("I know", "[sighs]")."""
    directions = " ".join(_STAGE_DIRECTION.findall(inner))
    words = _ODD_SIGNS.sub(" ", _STAGE_DIRECTION.sub(" ", inner))
    return " ".join(_LOOSE_START.sub("", words).split()), directions


def _end_sentence(text: str) -> str:
    """The line with a full stop for a comma at its end, as in `“Hello,” he says`."""
    if text.endswith(","):
        return text.rstrip(",") + "."
    return text.rstrip("，") + "。" if text.endswith("，") else text


def _abbreviate(text: str) -> str:
    return shorten(text, 40)


def _may_be_meant_as_speech(text: str) -> bool:
    """A sentence; a sign, a title or a term in quotation marks needs no word."""
    han = sum(is_han(c) for c in text)
    return text[-1] in _SENTENCE_ENDS or han > _TERM_HAN or len(text.split()) > _TERM_WORDS


def _runs_on(reading: Reading, text: str, quote: int, following: int) -> bool:
    """ "Hello," she says, "how are you?" is one sentence with its speaker in the middle."""
    if text[-1] not in ",，" or not 1 < following - quote <= TAG_REACH:
        return False
    return (
        reading.tokens[following - 1].text == ","
        and not any(ends_sentence(reading.tokens[at]) for at in range(quote + 1, following))
        and find_speech_verb(reading, quote + 1, following) is not None
    )


def _greetings(reading: Reading, cast: Cast, turns: Sequence[Turn]) -> list[DraftLine]:
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
        words = " ".join(reading.text[spoken[0].start : spoken[-1].end].split())
        text = f"{words}。" if han else f"{words[0].upper()}{words[1:]}."
        person = find_subject(reading, cast, hit.first, first, hit.last) or guess_speaker(
            reading, cast, hit.first, turns
        )
        how = find_tones(reading, first, hit.first)
        tone = how[-1] if how else "neutral"
        found.append(DraftLine(text, "zh" if han else "en", person, tone, spoken[0].start, hit.first))
    return found
