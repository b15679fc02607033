"""Reads a prompt: finds its words and, for each, what stands around it: denied, only compared, only heard, how much,
how fast. It knows how sentences are built; what a word does to the clip is decided in camera.py, motions.py and so on.
The roles that words have in grammar are listed in words.py.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from vivant.engines.diorama.script.negative import find_negative
from vivant.engines.diorama.script.parts_of_speech import PartsOfSpeech, find_parts_of_speech
from vivant.engines.diorama.script.quotes import find_quotations
from vivant.engines.diorama.script.tokens import (
    Quotation,
    Token,
    blank_unreadable,
    ends_clause,
    ends_sentence,
    fold,
    is_han,
    tokenise,
)
from vivant.engines.diorama.script.words import Entry, load_lexicon

_LONGEST_SENTENCE: Final = 200  # tokens; the longest in 465 prompts that people wrote has 132
_NO_ROLES: Final[frozenset[str]] = frozenset()
_LONGEST_PHRASE: Final = 100  # characters
_CONTEXT: Final = 24  # tokens around a word in which a phrase of its `unless` counts
_DENYING: Final = frozenset({"not", "near"})
_NOT_REACH: Final = 9  # tokens after "without" that it still denies
_NEAR_REACH: Final = 3
_LIKE_REACH: Final = 4
_LIKE_REACH_HAN: Final = 8  # characters
_MENTION_REACH: Final = 12
_HEAR_REACH: Final = 24
_LISTED: Final = 5  # tokens of one piece of a list
_SOUND_HAN: Final = frozenset("声音响")
_ALONE_LENGTH: Final = 8
_ENDS_REACH: Final = 3
_ADVERB_REACH: Final = 5  # "slowly" may stand far from its verb
_ADJECTIVE_REACH: Final = 2  # "heavy" stands beside its noun
_NOTHING_AFTER: Final = frozenset({"none", "off", "no", "无", "0", "关"})  # "music: none"


@dataclass(slots=True, eq=False)
class Hit:
    """A phrase of the lexicon in the prompt, tokens first..last-1, and what the words around it do to it."""

    entry: Entry
    first: int
    last: int
    denied: bool = False  # "no rain", "the rain has stopped"
    over: bool = False  # denied because it comes, or came, to an end
    compared: bool = False  # "like rain", "a poster of the sea": not in this scene
    heard: bool = False  # "the sound of rain": for the ear only
    amount: float = 1.0
    speed: Literal["slow", "fast", ""] = ""

    @property
    def content(self) -> bool:
        """It means something that degrees ("slowly") and negations can apply to."""
        e = self.entry
        return bool(
            e.camera
            or e.motion
            or e.light
            or e.sound
            or e.music
            or e.action
            or e.body
            or e.cannot
            or e.cut
            or e.topic
            or e.speech
            or e.mute
            or e.mood
        )

    @property
    def meant(self) -> bool:
        """Neither denied nor a mere comparison."""
        return not (self.denied or self.compared)


@dataclass(eq=False)
class Reading:
    """A prompt read once. `text` is the cleaned prompt that the places of tokens and quotations refer to."""

    text: str
    quotations: tuple[Quotation, ...]
    tokens: tuple[Token, ...]
    negative: frozenset[int] = frozenset()  # tokens of the parts that list what is not wanted
    hits: list[Hit] = field(default_factory=list)
    sentence: list[int] = field(default_factory=list)  # of each token
    clause: list[int] = field(default_factory=list)  # of each token; clauses are numbered through the prompt
    at: dict[int, list[Hit]] = field(default_factory=dict)  # token -> hits that cover it
    _roles: dict[int, frozenset[str]] = field(default_factory=dict)  # asked for many times a token
    _people: set[int] = field(default_factory=set)
    _sentence_roles: dict[int, frozenset[str]] = field(default_factory=dict)

    def roles(self, token: int) -> frozenset[str]:
        """The jobs in grammar of the phrase that covers this token."""
        return self._roles.get(token, _NO_ROLES)

    def sentence_has(self, token: int, roles: frozenset[str]) -> bool:
        """Whether a word with one of these roles stands in the sentence of this token: asked before a walk back."""
        if not self._sentence_roles:
            found: dict[int, set[str]] = {}
            for at, at_roles in self._roles.items():
                found.setdefault(self.sentence[at], set()).update(at_roles)
            self._sentence_roles = {number: frozenset(all_of_it) for number, all_of_it in found.items()}
        return not roles.isdisjoint(self._sentence_roles.get(self.sentence[token], _NO_ROLES))

    @cached_property
    def parts(self) -> PartsOfSpeech:
        """The parts of speech of the words."""
        phrases = [hit for hit in self.hits if hit.last - hit.first > 1]
        borders = {place for hit in phrases for place in (hit.first, hit.last)}
        return find_parts_of_speech(self.text, self.tokens, self.sentence, self._people, borders)

    def is_heard(self, token: int) -> bool:
        """The prompt speaks of sound here: "the sound of …", `Audio: …`."""
        return _is_heard(self, Hit(Entry(source=""), token, token + 1))

    def is_unreal(self, token: int) -> bool:
        """What stands here is denied, compared or only mentioned."""
        probe = Hit(Entry(source="", sound={"room": 1.0}), token, token + 1)
        return is_denied(self, probe) or _is_compared(self, probe)

    def names_person(self, token: int) -> bool:
        """Whether the phrase that covers this token names a person, an animal, a voice or a part of a body."""
        return token in self._people

    def cover(self) -> None:
        """ScriptNote again which tokens the hits cover, after hits were added or taken out."""
        self.at.clear()
        for hit in self.hits:
            for token in range(hit.first, hit.last):
                self.at.setdefault(token, []).append(hit)
        self._roles = {at: frozenset(h.entry.role for h in hits if h.entry.role) for at, hits in self.at.items()}
        self._people = {at for at, hits in self.at.items() if any(hit.entry.person for hit in hits)}
        self._sentence_roles.clear()

    def written(self, hit: Hit) -> str:
        """The words of the prompt, as they stand there; shortened where more than words stands between them."""
        first = self.tokens[hit.first].start
        words = " ".join(self.text[first : min(self.tokens[hit.last - 1].end, first + 2 * _LONGEST_PHRASE)].split())
        return words if len(words) <= _LONGEST_PHRASE else words[: _LONGEST_PHRASE - 1] + "…"

    def sentence_bounds(self, token: int) -> tuple[int, int]:
        """(first, last): the sentence of this token is tokens first..last-1."""
        number = self.sentence[token]
        return bisect.bisect_left(self.sentence, number), bisect.bisect_right(self.sentence, number)


def read(prompt: str, unquoted: tuple[Quotation, ...] = ()) -> Reading:
    """Read any text. Never raises. `unquoted` are stretches to be taken as quoted although no marks stand there."""
    text = blank_unreadable(prompt)
    quotations = tuple(sorted((*find_quotations(text), *unquoted), key=lambda quotation: quotation.start))
    folded = fold(text)
    tokens = tokenise(folded, quotations)
    reading = Reading(text, quotations, tokens, find_negative(folded, tokens))
    for found in load_lexicon().find(tokens):
        reading.hits += [Hit(entry, found.first, found.last) for entry in found.entries]
    reading.cover()
    _mark_clauses(reading)
    reading.hits = [hit for hit in reading.hits if not _is_excluded(reading, hit)]
    reading.cover()
    for hit in reading.hits:
        if hit.content:
            hit.denied = is_denied(reading, hit)
            if not hit.denied and _is_over(reading, hit):
                hit.denied = hit.over = True
            hit.compared = _is_compared(reading, hit)
            hit.heard = bool(hit.entry.motion or hit.entry.light or hit.entry.action) and _is_heard(reading, hit)
    _attach_degrees(reading)
    return reading


def _mark_clauses(reading: Reading) -> None:
    """Number sentences and clauses. A text without full stops is cut into sentences all the same: what one word means
    is looked for in its sentence, which must cost a bounded time."""
    sentence = clause = first = 0
    for index, token in enumerate(reading.tokens):
        opens = "as" in reading.roles(index) and not (index and "as" in reading.roles(index - 1))
        if opens and index:
            clause += 1
        reading.sentence.append(sentence)
        reading.clause.append(clause)
        if ends_sentence(token) or index + 1 - first == _LONGEST_SENTENCE:
            sentence, clause, first = sentence + 1, clause + 1, index + 1
        elif ends_clause(token):
            clause += 1


def _is_excluded(reading: Reading, hit: Hit) -> bool:
    """A phrase of its entry's `unless` stands in the same sentence, not far away."""
    if not hit.entry.unless:
        return False
    first, last = reading.sentence_bounds(hit.first)
    near = reading.tokens[max(first, hit.first - _CONTEXT) : min(last, hit.last + _CONTEXT)]
    words = " " + " ".join(token.text for token in near) + " "
    return any(f" {phrase} " in words for phrase in hit.entry.unless)


def is_denied(reading: Reading, hit: Hit) -> bool:
    """A "no", "without" or 没有 before it reaches this far, or it stands in a list of what is not wanted."""
    if hit.first in reading.negative:
        return not hit.entry.mute
    if not reading.sentence_has(hit.first, _DENYING):
        return False
    listed = False  # "no rain, wind or snow": the commas of a list do not stop a "no"
    for at in range(hit.first - 1, max(-1, hit.first - 2 * _NOT_REACH), -1):
        if reading.sentence[at] != reading.sentence[hit.first]:
            return False
        token, roles = reading.tokens[at], reading.roles(at)
        if "not" in roles:
            return listed or hit.first - at <= _NOT_REACH
        if "near" in roles:
            return hit.first - at <= _NEAR_REACH
        if roles & {"but", "as", "then"} or token.kind == "quote":
            return False
        if "and" in roles and reading.names_person(at + 1):
            return False
        if ends_clause(token):
            if token.text != "," or not _in_a_list(reading, at):
                return False
            listed = True
    return False


def _in_a_list(reading: Reading, comma: int) -> bool:
    """The comma belongs to a list that ends in "or": "no music, text or people"."""
    for at in range(comma + 1, min(comma + 10, len(reading.tokens))):
        if "or" in reading.roles(at):
            return True
        if ends_sentence(reading.tokens[at]) or reading.roles(at) & {"as", "camera", "but"}:
            return False
    return False


def _is_over(reading: Reading, hit: Hit) -> bool:
    """The rain has stopped; stopped raining; 雨停了; music: none."""
    for at in range(hit.last, min(hit.last + _ENDS_REACH, len(reading.tokens))):
        token = reading.tokens[at]
        if reading.sentence[at] != reading.sentence[hit.first] or reading.names_person(at) or token.kind == "quote":
            break
        if "ends" in reading.roles(at):
            return True
        if token.text in _NOTHING_AFTER and _ends_here(reading, at):
            return True
        if any(other.content for other in reading.at.get(at, ())) or token.text in ",，、":
            break
    at = hit.first - 1
    while at >= 0 and "filler" in reading.roles(at) and reading.clause[at] == reading.clause[hit.first]:
        at -= 1
    return at >= 0 and "ends" in reading.roles(at) and reading.clause[at] == reading.clause[hit.first]


def _ends_here(reading: Reading, at: int) -> bool:
    """The clause ends with the phrase at this token."""
    after = at + max(1, max((hit.last - at for hit in reading.at.get(at, ())), default=1))
    return (
        after >= len(reading.tokens)
        or reading.clause[after] != reading.clause[at]
        or ends_clause(reading.tokens[after])
        or ends_sentence(reading.tokens[after])
    )


def _is_compared(reading: Reading, hit: Hit) -> bool:
    """Like rain, as white as snow, 如雪, 雪花般; a poster of the sea, a song about rain."""
    if not (hit.entry.motion or hit.entry.light or hit.entry.sound):
        return False
    if hit.last < len(reading.tokens) and "as_if" in reading.roles(hit.last):
        return True
    if hit.entry.motion and _is_of_something(reading, hit):
        return True
    for at in range(hit.first - 1, max(-1, hit.first - _MENTION_REACH), -1):
        if reading.clause[at] != reading.clause[hit.first]:
            return False
        roles = reading.roles(at)
        if "mention" in roles:
            return True
        reach = _LIKE_REACH_HAN if reading.tokens[at].kind == "han" else _LIKE_REACH
        if "like" in roles and hit.first - at <= reach:
            return True
    return False


def _is_of_something(reading: Reading, hit: Hit) -> bool:
    """ "A river of phones", "a storm of applause", "clouds of dust"; but "waves of the sea", "a steaming cup of
    tea"."""
    if hit.entry.look == "steam" and hit.last - hit.first > 1:
        return False
    if hit.last + 1 >= len(reading.tokens) or reading.tokens[hit.last].text != "of":
        return False
    after = reading.tokens[hit.last + 1]
    return after.kind == "word" and "filler" not in reading.roles(hit.last + 1)


def _is_heard(reading: Reading, hit: Hit) -> bool:
    """The sound of rain; audio: rain and thunder; 下雨的声音."""
    listed = True
    chunk = hit.first  # where the clause being walked through starts
    for at in range(hit.first - 1, max(-1, hit.first - _HEAR_REACH), -1):
        if reading.sentence[at] != reading.sentence[hit.first]:
            break
        roles = reading.roles(at)
        if "hear" in roles:
            heading = reading.tokens[at + 1].text == ":"
            return heading or reading.clause[at] == reading.clause[hit.first] or listed
        if hit.entry.action and reading.tokens[at].text in _SOUND_HAN:
            break  # 听到钢琴声抬起头: what is heard ends here
        if reading.tokens[at].text == ",":
            # "the sound of rain, thunder and wind": short pieces between commas are a list
            listed = listed and chunk - at <= _LISTED and not is_han(reading.tokens[hit.first].text[0])
            chunk = at
        if roles & {"camera", "as", "but"} or reading.names_person(at) or reading.tokens[at].kind == "quote":
            break
    for at in range(hit.last, min(hit.last + 5, len(reading.tokens))):
        if reading.clause[at] != reading.clause[hit.first]:
            break
        if "hear" in reading.roles(at) and reading.tokens[at].text in _SOUND_HAN:
            return True  # 下雨的声音, but not 下着雨能听到
    return False


def _attach_degrees(reading: Reading) -> None:
    """Each "slowly", "heavy" or 轻轻 goes to the nearest word it can belong to; between two, to the later."""
    contents = [hit for hit in reading.hits if hit.content and not hit.entry.topic]
    firsts = [hit.first for hit in contents]
    for index, hit in enumerate(reading.hits):
        entry = hit.entry
        if (not entry.speed and entry.amount == 1.0) or (hit.content and not entry.mood) or entry.role == "very":
            if hit.content and entry.speed:
                hit.speed = hit.speed or entry.speed
            continue
        before = reading.hits[index - 1] if index else None
        very = before is not None and before.entry.role == "very" and before.last == hit.first
        amount = entry.amount**1.5 if very else entry.amount
        denied = is_denied(reading, hit)  # "not too fast"
        place = bisect.bisect_left(firsts, hit.first)
        target = _nearest(reading, hit, contents[max(0, place - 3) : place + 4])
        if target is None or denied:
            continue
        target.amount *= amount
        target.speed = target.speed or entry.speed


def _nearest(reading: Reading, degree: Hit, contents: list[Hit]) -> Hit | None:
    """The word that a degree belongs to: the nearest within reach, in its clause or, if it stands alone, the next."""
    word = reading.tokens[degree.last - 1].text
    adverb = word.endswith("ly") or (is_han(word[0]) and degree.last - degree.first > 1)
    reach = _ADVERB_REACH if adverb else _ADJECTIVE_REACH
    best: tuple[float, Hit] | None = None
    alone = _is_alone(reading, degree)
    for hit in contents:
        if hit is degree or hit.first == degree.first or reading.sentence[hit.first] != reading.sentence[degree.first]:
            continue
        near = reading.clause[hit.first] == reading.clause[degree.first]
        if not near and not (alone and abs(reading.clause[hit.first] - reading.clause[degree.first]) == 1):
            continue
        distance = hit.first - degree.last if hit.first >= degree.last else degree.first - hit.last + 0.5
        if distance <= reach + alone * _ALONE_LENGTH and (best is None or distance < best[0]):
            best = (distance, hit)
    return best[1] if best else None


def _is_alone(reading: Reading, degree: Hit) -> bool:
    """Nothing else is said in its clause: "Slow, cinematic push-in"."""
    clause = reading.clause[degree.first]
    at = bisect.bisect_left(reading.clause, clause)
    stop = at + _ALONE_LENGTH
    while at < len(reading.tokens) and reading.clause[at] == clause:
        if at >= stop or any(hit.content and not hit.entry.mood for hit in reading.at.get(at, ())):
            return False
        at += 1
    return True
