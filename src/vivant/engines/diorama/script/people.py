"""Who is in a prompt: people, animals and voices, each once, however often they are named; what "she" stands for.

It knows what the words say of someone (gender, age, accent, place in the picture), not what they do or say.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import Final, Literal

from vivant.engines.diorama.script.grammar import Hit, Reading, is_denied
from vivant.engines.diorama.script.tokens import ends_clause, ends_sentence, is_han
from vivant.engines.diorama.script.words import PersonKind, Place
from vivant.engines.diorama.storyboard import Age, Gender

_BEFORE: Final = 5  # tokens of description before a noun: "a tired old British man"
_AFTER: Final = 9  # and after it: "a woman in a red coat on the left"
_LONGEST_NAME: Final = 100  # characters
_ARTICLES: Final = frozenset(
    {"a", "an", "the", "this", "that", "his", "her", "one", "my", "another", "two", "our", "their"}
)
_ANOTHER: Final = frozenset({"another", "second", "other", "另", "另外"})
_PLURALS: Final = frozenset({"they", "we", "i", "you", "他们", "她们", "它们", "我们", "我", "你"})


@dataclass(slots=True, eq=False)
class Person:
    """Someone of the prompt. `usually` is the gender that readers suppose while no word tells it. `face_index` is the
    face of the picture that is theirs, once casting.py has found it."""

    name: str
    kind: PersonKind = "someone"
    head: str = ""  # the noun
    gender: Gender = ""
    usually: Gender = ""
    age: Age | Literal[""] = ""
    accents: set[str] = field(default_factory=set)
    place: Place = ""
    face_index: int | None = None

    @property
    def heard_as(self) -> Gender:
        """The gender of the voice."""
        return self.gender or self.usually

    def __post_init__(self) -> None:
        if len(self.name) > _LONGEST_NAME:  # letters without end, or a page of decoration inside the name
            self.name = self.name[: _LONGEST_NAME - 1] + "…"


@dataclass(frozen=True, slots=True)
class Mention:
    """Tokens first..last-1 name the person. `is_object`: spoken to or looked at, not the doer."""

    first: int
    last: int
    person: Person
    is_object: bool


@dataclass(slots=True)
class Cast:
    """Everyone in a prompt, and every place that names one of them, in order."""

    people: list[Person] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)

    def between(self, first: int, last: int) -> list[Mention]:
        """Mentions that start at tokens first..last-1."""
        start = bisect.bisect_left(self.mentions, first, key=lambda mention: mention.first)
        return self.mentions[start : bisect.bisect_left(self.mentions, last, key=lambda mention: mention.first)]

    def doer(self, token: int) -> Person | None:
        """Who was last named as a doer before this token."""
        mention = self.doer_mention(token)
        return mention.person if mention else None

    def doer_mention(self, token: int) -> Mention | None:
        """Where that was."""
        for mention in reversed(self.between(0, token)):
            if not mention.is_object and mention.person.kind != "voice":
                return mention
        return None


def find_people(reading: Reading) -> Cast:
    """Everyone the prompt names, in order."""
    cast = Cast()
    for hit in reading.hits:
        kind = hit.entry.person
        if not kind or is_denied(reading, hit):
            continue
        words = reading.written(hit).lower()
        if kind == "body":
            _note_gender(cast, hit, words)
            continue
        if kind == "pronoun":
            person = _resolve_pronoun(cast, hit, words)
        else:
            person = _resolve_noun(reading, cast, hit, kind, words)
        if person is not None:
            cast.mentions.append(Mention(hit.first, hit.last, person, _is_object(reading, hit)))
    return cast


def _note_gender(cast: Cast, hit: Hit, words: str) -> None:
    """A possessive ("the teacher smiles, her eyes bright") tells the gender of who was mentioned last."""
    gender: Gender = "woman" if words == "her" else "man" if words == "his" else ""
    if gender and cast.mentions and not cast.mentions[-1].person.gender:
        cast.mentions[-1].person.gender = gender


def _resolve_pronoun(cast: Cast, hit: Hit, words: str) -> Person | None:
    """The last person of that gender, or the last whose gender was open and is now known, or someone new."""
    if words in ("it", "它"):
        return next((m.person for m in reversed(cast.mentions) if m.person.kind == "animal"), None)
    if words in _PLURALS or not hit.entry.gender:
        return None
    for wanted in (hit.entry.gender, ""):
        for mention in reversed(cast.mentions):
            person = mention.person
            if person.gender == wanted and (person.kind != "voice" or wanted):
                person.gender = hit.entry.gender
                return person
    person = Person(name=words, head=words, gender=hit.entry.gender)
    cast.people.append(person)
    return person


def _resolve_noun(reading: Reading, cast: Cast, hit: Hit, kind: PersonKind, words: str) -> Person | None:
    """The person a noun names: someone known, or someone new; None for a noun that names nobody."""
    entry = hit.entry
    label = hit.last < len(reading.tokens) and reading.tokens[hit.last].text == ":"
    if entry.role == "nobody" or (entry.role == "anyone" and label):  # "Subject: a young woman"
        return None
    described = Person(name=_name(reading, hit), kind=kind, head=words, gender=entry.gender, age=entry.age)
    described.usually = entry.usually
    if entry.accent:
        described.accents.add(entry.accent)
    another = _note_description(reading, hit, described)
    if entry.role == "anyone" and cast.people and not another and not described.place:
        return next((p for p in reversed(cast.people) if p.kind != "voice"), None)
    if not another and (known := _find_known(cast, described)):
        known.age = known.age or described.age
        known.gender = known.gender or described.gender
        known.usually = known.usually or described.usually
        known.place = known.place or described.place
        known.accents |= described.accents
        return known
    cast.people.append(described)
    return described


def _note_description(reading: Reading, hit: Hit, person: Person) -> bool:
    """Take up age, accent and place said beside the noun. True if the words say that this is another one."""
    another = False
    for at in range(hit.first - 1, max(-1, hit.first - 1 - _BEFORE), -1):
        token = reading.tokens[at]
        if ends_clause(token) or ends_sentence(token) or token.kind == "quote" or reading.names_person(at):
            break
        another = another or token.text in _ANOTHER
        _note_traits(reading, at, person)
    for at in range(hit.last, min(hit.last + _AFTER, len(reading.tokens))):
        token = reading.tokens[at]
        if (
            ends_sentence(token)
            or token.kind == "quote"
            or (reading.names_person(at) and not _of_the_body(reading, at))
        ):
            break
        if token.text in (":", ",") and is_han(reading.tokens[hit.first].text[0]):
            break
        if any(other.entry.speech or other.entry.camera for other in reading.at.get(at, ())):
            break
        _note_traits(reading, at, person, after=True)
    return another


def _of_the_body(reading: Reading, at: int) -> bool:
    return all(hit.entry.person in ("body", "") for hit in reading.at.get(at, ()))


def _note_traits(reading: Reading, at: int, person: Person, *, after: bool = False) -> None:
    """Take up what the words at this token say of a person. after: they follow the noun."""
    for hit in reading.at.get(at, ()):
        entry = hit.entry
        if entry.person or entry.camera:
            continue
        # "an old man on the left": places and years may follow the noun, bare adjectives may not.
        loose = hit.last - hit.first == 1 and after and reading.tokens[at - 1].text != "("
        if entry.age and not person.age and not loose:
            person.age = entry.age
        if entry.face and not person.place and (not loose or is_han(reading.tokens[at].text[0])):
            person.place = entry.face
        if entry.accent:
            person.accents.add(entry.accent)
        if entry.gender and not person.gender:
            person.gender = entry.gender


def _find_known(cast: Cast, new: Person) -> Person | None:
    """The last person of the same noun whose age, place and gender do not contradict."""
    for known in reversed(cast.people):
        if known.kind != new.kind or not _same_noun(known.head, new.head):
            continue
        if new.age and known.age and new.age != known.age:
            continue
        if new.place and known.place and new.place != known.place:
            continue
        if new.gender and known.gender and new.gender != known.gender:
            continue
        return known
    return None


def _same_noun(one: str, other: str) -> bool:
    if is_han(one[0]) or is_han(other[0]):
        return one.endswith(other) or other.endswith(one)
    return one.split()[-1] == other.split()[-1]


def _is_object(reading: Reading, hit: Hit) -> bool:
    """ "To", "at", 对 or 看着 stands before it, with nothing but its own article and adjectives between."""
    for at in range(hit.first - 1, max(-1, hit.first - 1 - _BEFORE), -1):
        token, roles = reading.tokens[at], reading.roles(at)
        if "to" in roles:
            return True
        if ends_clause(token) or ends_sentence(token) or token.kind == "quote" or reading.names_person(at):
            return False
        if roles & {"and", "as", "then"} or any(h.content for h in reading.at.get(at, ())):
            return False
        if token.text in _ARTICLES and at and "to" not in reading.roles(at - 1):
            return False
    return False


def _name(reading: Reading, hit: Hit) -> str:
    """The words themselves, from the article on: "the old man", 左边的女人."""
    first = hit.first
    han = is_han(reading.tokens[hit.first].text[0])
    for at in range(hit.first - 1, max(-1, hit.first - 1 - _BEFORE), -1):
        token, hits = reading.tokens[at], reading.at.get(at, ())
        describes = token.text == "的" or any(h.entry.age or h.entry.face or h.entry.accent for h in hits)
        if han and describes:
            first = at
        elif han or token.kind != "word" or reading.names_person(at) or {"to", "as", "and", "then"} & reading.roles(at):
            break
        elif token.text in _ARTICLES:
            words = reading.text[token.end : reading.tokens[hit.last - 1].end]
            article = "the" if token.text in ("a", "an", "one") else token.text
            return f"{article} {' '.join(words.split())}"
    text = reading.text[reading.tokens[first].start : reading.tokens[hit.last - 1].end]
    return " ".join(text.split()).removeprefix("的")
