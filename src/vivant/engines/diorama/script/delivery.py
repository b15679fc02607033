"""How a line is said: its tone, and what the words beside the verb tell of the voice."""

from __future__ import annotations

import bisect
import itertools
from typing import Final

from vivant.engines.diorama.script.attribution import Tag, find_trail_end
from vivant.engines.diorama.script.grammar import Reading, read
from vivant.engines.diorama.script.people import Cast
from vivant.engines.diorama.script.tokens import ends_sentence, is_han
from vivant.engines.diorama.storyboard import Tone

_VOICE: Final = ("voice", "tone", "voiceover", "narration", "narrator", "嗓音", "声音", "语气", "语调")
_MOST_TALKS: Final = 12  # mentions of talk that are read for each line
_QUIET: Final = frozenset({"soft", "quiet"})
_OPENING: Final = 4  # tokens at the start of a sentence in which it must name the voice
_REACH: Final = 16  # tokens of that sentence which are read


def find_tone(reading: Reading, cast: Cast, quote: int, before: int, tag: Tag, direction: str, text: str) -> Tone:
    """The tone of a quotation: from its stage directions, its verb, the words before it, those after, its marks."""
    if direction and (staged := [hit.entry.tone for hit in read(direction).hits if hit.entry.tone]):
        return staged[0]
    if tag.verb is not None and tag.verb.entry.tone:
        return tag.verb.entry.tone
    if told := find_tones(reading, before, quote):
        return told[-1]
    after = find_trail_end(reading, quote)
    follows = tag.verb is not None and tag.verb.first > quote
    bracketed = quote + 1 < after and reading.tokens[quote + 1].text == "("
    if (follows or bracketed) and (told := find_tones(reading, quote + 1, after)):
        return told[0]
    if told := _tones_of_voice(reading, quote, after):
        return told[0]
    if tag.person is not None and before > 0 and reading.tokens[before - 1].kind != "quote":
        first, last = reading.sentence_bounds(before - 1)
        named = any(mention.person is tag.person for mention in cast.between(first, last))
        if named and (told := find_tones(reading, first, last)):
            return told[-1]
    if told := _tones_of_talk(reading, cast, tag):
        return told[0]
    return _tone_of_punctuation(text)


def _tones_of_talk(reading: Reading, cast: Cast, tag: Tag) -> list[Tone]:
    """ "She speaks excitedly to the camera", said without words elsewhere, of the same person."""
    talks = (hit for hit in reading.hits if hit.entry.role == "talk")
    for hit in itertools.islice(talks, _MOST_TALKS):
        if cast.doer(hit.first) in (None, tag.person):
            number = reading.clause[hit.first]
            first, last = bisect.bisect_left(reading.clause, number), bisect.bisect_right(reading.clause, number)
            if told := find_tones(reading, first, last):
                return told
    return []


def find_tones(reading: Reading, first: int, last: int) -> list[Tone]:
    """The tones told by tokens first..last-1, in order."""
    tones: list[Tone] = []
    for at in range(first, last):
        tones += [h.entry.tone for h in reading.at.get(at, ()) if h.entry.tone and h.first == at and not h.denied]
        # "a soft, complaining voice"; but not "soft light".
        if reading.tokens[at].text in _QUIET and any(t.text in _VOICE for t in reading.tokens[at + 1 : at + _OPENING]):
            tones.append("gentle")
    return tones


def note_voice_traits(reading: Reading, quote: int, before: int, tag: Tag) -> None:
    """Give the speaker the accent and gender said of the voice: "in a British accent", "a woman's voice says"."""
    if tag.person is None or tag.verb is None:
        return
    first, last = (before, quote) if tag.verb.first < quote else (quote, find_trail_end(reading, quote))
    for at in range(first, last):
        for hit in reading.at.get(at, ()):
            if hit.entry.accent and at > tag.verb.first:
                tag.person.accents.add(hit.entry.accent)
            if hit.entry.gender and not hit.entry.person and not tag.person.gender:
                tag.person.gender = hit.entry.gender


def _tones_of_voice(reading: Reading, quote: int, after: int) -> list[Tone]:
    """ "“You came.” Her voice is soft."; “好的”，声音温柔: in the words that follow, or in the next sentence."""
    starts = [quote + 1]
    if after + 1 < len(reading.tokens) and ends_sentence(reading.tokens[after]):
        starts.append(after + 1)
    for start in starts:
        last = min(len(reading.tokens), start + _REACH)
        end = next((at for at in range(start, last) if ends_sentence(reading.tokens[at])), last)
        opening = "".join(token.text for token in reading.tokens[start : min(start + _OPENING, end)])
        if any(word in opening for word in _VOICE):
            return find_tones(reading, start, end)
    return []


def _tone_of_punctuation(text: str) -> Tone:
    """Capitals are shouted, two exclamation marks excited."""
    words = [word for word in text.split() if any(c.isalpha() for c in word)]
    if len(words) > 1 and text.isupper() and not any(is_han(c) for c in text):
        return "shout"
    return "excited" if text.endswith(("!!", "！！")) else "neutral"
