"""Speech without quotation marks: `She says: hello there.`, `旁白：清晨的海边。`, `男主：你为什么要走？`.
Also the reverse: a whole prompt that stands in quotation marks.
"""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.script.grammar import Hit, Reading, read
from vivant.engines.diorama.script.tokens import Quotation, ends_clause, ends_sentence

MARK: Final = ":"  # of the quotations found here
_MOST: Final = 40  # colons that are looked at
_LONGEST: Final = 200  # tokens
_SUBJECT_REACH: Final = 30  # tokens before a verb in which its subject may stand
_LONGEST_LINE: Final = 40  # tokens; a longer quotation describes a clip
_NAME: Final = 4  # tokens of an unknown name
_DIRECTION: Final = 12  # tokens in the brackets of a label
_NONE: Final = frozenset({"none", "no", "无", "没有", "n/a", "na", "silence", "-"})
# Words and marks of direct address.
_ADDRESSING: Final = frozenset(
    ["i", "you", "we", "me", "my", "your", "let", "!", "?", "我", "你", "咱", "吗", "吧", "呢", "啊"]
)


def find_unquoted_speech(reading: Reading) -> tuple[Quotation, ...]:
    """The stretches of the prompt after a colon that are spoken words, in order, none overlapping another.

    A verb of speech with its subject, a heading (Dialogue, 旁白) or a person opens them. After a mere person the words
    must address someone, for `Woman: tall, in a red coat` describes.
    """
    quotations: list[Quotation] = []
    openings = sorted({**_unknown_names(reading), **_openings(reading)}.items())
    for first, certain in openings[:_MOST]:
        if first >= len(reading.tokens) or (quotations and reading.tokens[first].start < quotations[-1].end):
            continue
        last = _end(reading, first)
        if first >= last:
            continue
        if not certain and not _addresses(reading, first, last):
            continue
        start, end = reading.tokens[first].start, reading.tokens[last - 1].end
        words = reading.text[start:end]
        if words.strip(" .。").lower() in _NONE or _only_describes(reading, first, last):
            continue
        quotations.append(Quotation(start, end, words, MARK))
    return tuple(quotations)


def is_wrapped_description(reading: Reading) -> bool:
    """The marks are around the whole prompt, and what is inside describes a clip: "A slow pan over a lake, 4K"."""
    spoken = [token for token in reading.tokens if token.kind != "mark"]
    if len(spoken) != 1 or spoken[0].kind != "quote":
        return False
    inner = read(reading.quotations[0].inner)
    if _addresses(inner, 0, len(inner.tokens)):
        return False
    camera = any(hit.entry.camera or hit.entry.role == "camera" for hit in inner.hits)
    return camera or len(inner.tokens) > _LONGEST_LINE


def _openings(reading: Reading) -> dict[int, bool]:
    """Tokens after a colon that may be speech -> whether a word of speech stands before the colon."""
    found = {}
    for hit in reading.hits:
        colon = _colon_after(reading, hit.last)
        if colon and _opens_speech(reading, hit):
            found[colon + 1] = hit.entry.speech or colon > hit.last + 1
    return found


def _colon_after(reading: Reading, at: int) -> int:
    """The last colon right after a label that ends at token `at`, over a stage direction: 女主（哭着）：; 0 if none."""
    tokens = reading.tokens
    if at < len(tokens) and len(tokens[at].text) == 1 and tokens[at].kind in ("word", "number"):
        at += 1  # 角色A
    if at < len(tokens) and tokens[at].text in ("(", "["):
        close = next((n for n in range(at + 1, min(at + _DIRECTION, len(tokens))) if tokens[n].text in (")", "]")), 0)
        at = close + 1 if close else at
    colon = 0
    while at < len(tokens) and tokens[at].text == ":":
        colon, at = at, at + 1
    return colon


def _unknown_names(reading: Reading) -> dict[int, bool]:
    """`Pam: Of course I did.`: a capitalised word that is not in the lexicon opens the line."""
    found = {}
    for at in range(len(reading.tokens) - 2):
        opens = at == 0 or reading.tokens[at - 1].kind == "line"
        if not opens:
            continue
        last = at
        while last < at + _NAME and last < len(reading.tokens) and _is_unknown(reading, last):
            last += 1
        colon = _colon_after(reading, last) if last > at else 0
        if colon:
            found[colon + 1] = False
    return found


def _is_unknown(reading: Reading, at: int) -> bool:
    """A Chinese character or a capitalised word that the lexicon does not know."""
    token = reading.tokens[at]
    capital = token.kind == "word" and reading.text[token.start].isupper()
    lettered = capital and len(token.text) == 1  # A: … B: …
    return lettered or ((capital or token.kind == "han") and at not in reading.at)


def _opens_speech(reading: Reading, hit: Hit) -> bool:
    """A heading or a person that opens a line, or a verb of speech with its subject."""
    if hit.denied:
        return False
    if hit.entry.role == "heading" or hit.entry.person == "someone":
        return _opens_line(reading, hit.first)
    if not hit.entry.speech:
        return False
    first, _ = reading.sentence_bounds(hit.first)
    return any(reading.names_person(at) for at in range(max(first, hit.first - _SUBJECT_REACH), hit.first))


def _opens_line(reading: Reading, token: int) -> bool:
    return token == 0 or ends_sentence(reading.tokens[token - 1]) or ends_clause(reading.tokens[token - 1])


def _end(reading: Reading, first: int) -> int:
    """One past the last token of the speech: the sentence, and those after it on the same line until one speaks of the
    scene again. `first` itself when quotation marks follow after all."""
    last = at = first
    while at < min(len(reading.tokens), first + _LONGEST) and reading.tokens[at].kind != "line":
        if reading.tokens[at].kind == "quote":
            return last
        at += 1
        if ends_sentence(reading.tokens[at - 1]):
            if last > first and _describes_scene(reading, last, at):
                return last
            last = at
    return at if last == first or not _describes_scene(reading, last, at) else last


def _describes_scene(reading: Reading, first: int, last: int) -> bool:
    """Something in tokens first..last-1 describes the clip, or opens the next line of speech. What addresses someone
    is speech, whatever it speaks of: “你说，我不配。”"""
    addressed = _addresses(reading, first, last)
    return any(
        (hit.entry.camera if addressed else hit.content)
        or reading.roles(hit.first) & {"camera", "heading"}
        or (hit.entry.person and hit.last < len(reading.tokens) and reading.tokens[hit.last].text == ":")
        for at in range(first, last)
        for hit in reading.at.get(at, ())
    )


def _addresses(reading: Reading, first: int, last: int) -> bool:
    """Someone is addressed: there are words such as I, you, 吗, or a question or exclamation mark."""
    return any(token.text in _ADDRESSING for token in reading.tokens[first:last])


def _only_describes(reading: Reading, first: int, last: int) -> bool:
    """ "Voiceover: a calm female voice" describes a voice and gives it no words."""
    return not _addresses(reading, first, last) and any(
        (hit.entry.gender and not hit.entry.person) or hit.entry.accent or hit.entry.topic
        for at in range(first, last)
        for hit in reading.at.get(at, ())
    )
