"""Quotations that nobody speaks: writing on signs, titles, names, "scare quotes", pieces of code."""

from __future__ import annotations

import re
from typing import Final

from vivant.engines.diorama.script.attribution import Tag, find_speech_verb, is_done_by_a_person
from vivant.engines.diorama.script.grammar import Hit, Reading, read
from vivant.engines.diorama.script.quotes import BRACED, SPOKEN
from vivant.engines.diorama.script.tokens import Quotation, ends_clause, ends_sentence, is_han
from vivant.engines.diorama.script.unquoted import MARK

_TERMINAL: Final = frozenset(".!?,…。！？，~～")
_ENDINGS: Final = frozenset(".!?…。！？")
_BETWEEN: Final = frozenset([":", ",", "-", "(", "[", "是", "着", "了", "的", "is"])  # may stand between word and mark
_RELATIVES: Final = frozenset({"that", "which", "saying", "reading", "with"})
# Before a name: the "cool" kids, 像“星星”.
_NAMING: Final = frozenset(
    ["a", "an", "the", "this", "his", "her", "its", "their", "my", "of", "'s", "in", "as",
     "个", "种", "的", "为", "以", "像"]
)  # fmt: skip
_REMARK: Final = 8  # tokens of a remark in brackets
_TERM_HAN: Final = 12  # characters of a term that 的 follows
_LABEL_HAN, _LABEL_WORDS = 6, 4  # a longer quotation is not a mere name
_OVERLAY_REACH: Final = 40  # characters
_OVERLAY: Final = re.compile(
    r"(?<![a-z])(?:subtitles?|captions?|titles?|overlays?|on[- ]screen|end cards?|lower[- ]thirds?)(?![a-z])"
    r"|字幕|标题|片名|花字|弹幕"
)
_AFTER: Final = 4  # tokens in which “…”字样 or "…" sign may follow


def is_spoken(reading: Reading, quotation: Quotation, quote: int, before: int, tag: Tag) -> bool:
    """Whether the quotation at token `quote` is speech. Without a word about it, it is: speech goes in double quotes.

    `before` is the first token of the words that lead to it.
    """
    if quotation.mark in (MARK, SPOKEN):
        return True
    if quotation.mark == BRACED and not tag.certain:
        return False  # a placeholder
    if quotation.mark == "《" or _is_code(reading.text, quotation.start):
        return False
    if _is_key(reading.text, quotation):
        return False
    said = tag.verb is not None and reading.tokens[quote - 1].text == ":"
    if not said and any(h.entry.cannot == "no_writing" for at in range(before, quote) for h in reading.at.get(at, ())):
        return False  # Title appears in gold: “…”
    punctuated = quote > before and reading.tokens[quote - 1].text in (":", ",")
    if _is_title(reading, quote, before, tag, punctuated=punctuated):
        return False
    if _on_a_sign(reading, quote, before, tag) or _is_field_value(reading, quote, before):
        return False
    sentence = quotation.inner.rstrip()[-1:] in _ENDINGS or (punctuated and tag.verb is not None)
    if not sentence and _sign_follows(reading, quote):
        return False
    if tag.certain:
        return True
    if is_noise(quotation.inner):
        return False
    if quotation.mark in "'‘" and quotation.inner.rstrip()[-1:] not in _TERMINAL:
        return False  # "a warm, 'golden hour' palette"
    return not _is_label(reading, quotation, quote, before, punctuated=punctuated)


def is_added_text(reading: Reading, quotation: Quotation, before: int) -> bool:
    """Whether the words that lead to the quotation, from token `before` on, want it laid over the picture (a title
    card, 字幕); a sign in the scene is there already."""
    lead = reading.text[max(reading.tokens[before].start, quotation.start - _OVERLAY_REACH) : quotation.start].lower()
    found = list(_OVERLAY.finditer(lead))
    return bool(found) and not re.search(r"[,，。;；]", lead[found[-1].end() :])


def _is_code(text: str, start: int) -> bool:
    """name="value", alert("hi"): the mark follows a sign that follows a letter."""
    return start > 1 and text[start - 1] in "=([" and (text[start - 2].isalnum() or text[start - 2] in "_]")


def _is_key(text: str, quotation: Quotation) -> bool:
    """`"description": …` in broken JSON."""
    before = text[: quotation.start].rstrip()[-1:]
    return (
        before in ("{", ",", "，")
        and text[quotation.end : quotation.end + 2].lstrip()[:1] in (":", "：")
        and ("{" in text[: quotation.start])
    )


def is_noise(text: str) -> bool:
    """ "BANG!", “叮铃铃”: every word of it is a noise written out."""
    reading = read(text)
    words = [at for at, token in enumerate(reading.tokens) if token.kind in ("word", "han", "number")]
    return bool(words) and all("noise" in reading.roles(at) for at in words)


def _is_title(reading: Reading, quote: int, before: int, tag: Tag, *, punctuated: bool) -> bool:
    """The word right before is "reads", "titled", 写着, "the song": but he reads, "…" and whispers the words "…"."""
    adjacent = _adjacent(reading, quote, before)
    if any(hit.entry.cannot == "no_writing" for hit in adjacent):
        return True  # 出现字幕“…”
    hit = next((hit for hit in adjacent if hit.entry.writing in ("verb", "title")), None)
    if hit is None:
        return False
    if hit.entry.writing == "title":
        return not (punctuated and tag.verb is not None and tag.verb.first > hit.first)
    said = find_speech_verb(reading, max(before, hit.first - 3), hit.first) is not None
    return not said and not (punctuated and is_done_by_a_person(reading, before, hit.first))


def _adjacent(reading: Reading, quote: int, before: int) -> list[Hit]:
    """The phrases right before the quotation, over words such as "is" and marks."""
    at = quote - 1
    while at >= before and reading.tokens[at].text in _BETWEEN:
        at -= 1
    if at > before and reading.tokens[at].text == ")":  # 结尾文字（可选）：“…”
        opening = next((n for n in range(at, max(before, at - _REMARK), -1) if reading.tokens[n].text == "("), before)
        at = opening - 1
    return list(reading.at.get(at, ())) if at >= before else []


def _on_a_sign(reading: Reading, quote: int, before: int, tag: Tag) -> bool:
    """A sign, a poster, a screen is the nearest noun before, and no one else does the saying."""
    verb = tag.verb if tag.verb is not None and before <= tag.verb.first < quote else None
    start = verb.first if verb else quote
    for at in range(start - 1, before - 1, -1):
        hits = reading.at.get(at, ())
        if any(hit.entry.writing == "noun" for hit in hits):
            relative = any(reading.tokens[i].text in _RELATIVES for i in range(at, quote))
            someone = verb is not None and any(reading.names_person(i) for i in range(before, at))
            return relative or not someone
        if any(hit.entry.person not in ("", "body") for hit in hits):
            return False
        if ends_clause(reading.tokens[at]) and verb is None and at != quote - 1:
            return False
    return False


def _is_field_value(reading: Reading, quote: int, before: int) -> bool:
    """The value of a field: `Style: "Studio Ghibli"`."""
    return quote - 2 >= before and reading.tokens[quote - 1].text == ":" and "field" in reading.roles(quote - 2)


def _sign_follows(reading: Reading, quote: int) -> bool:
    """A sign, a style or the word 字样 follows the quotation."""
    for at in range(quote + 1, min(quote + 1 + _AFTER, len(reading.tokens))):
        token, hits = reading.tokens[at], reading.at.get(at, ())
        if ends_clause(token) or ends_sentence(token) or reading.names_person(at) or any(h.entry.speech for h in hits):
            return False
        if any(hit.entry.writing for hit in hits):
            return True
        if at <= quote + 2 and token.text in ("style", "风", "声"):
            return True
    return False


def _is_label(reading: Reading, quotation: Quotation, quote: int, before: int, *, punctuated: bool) -> bool:
    """Scare quotes and names: the "cool" kids, 充满“科技感”的城市. Short, unpunctuated, inside a clause."""
    text = quotation.inner.strip()
    if punctuated or quote == before or text[-1:] in _TERMINAL or "\n" in text:
        return False
    if reading.tokens[quote + 1 : quote + 2] and reading.tokens[quote + 1].text == "的" and len(text) <= _TERM_HAN:
        return True  # 展现出“想触碰却收回手”的克制
    if sum(is_han(c) for c in text) > _LABEL_HAN or len(text.split()) > _LABEL_WORDS:
        return False
    previous = reading.tokens[quote - 1]
    if previous.kind not in ("word", "han"):
        return False
    if previous.text in _NAMING:
        return True
    following = reading.tokens[quote + 1] if quote + 1 < len(reading.tokens) else None
    if following is None or following.kind not in ("word", "han"):
        return False
    if any(hit.entry.person not in ("", "body") for hit in reading.at.get(quote + 1, ())):
        return False
    if reading.names_person(quote - 1):
        return False
    return reading.text[following.start].islower() or is_han(following.text[0])
