"""Which things of the picture the prompt sends somewhere: boats that sail, cars that drive, balloons that rise. Names
them, so that looking can find them; what was found becomes a Travel, what was not a note.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Final

from vivant.engines.diorama.script.clauses import find_subject
from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Reading
from vivant.engines.diorama.script.motion_regions import find_regions
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.script.times import Times
from vivant.engines.diorama.script.tokens import is_han
from vivant.engines.diorama.script.travel_words import TravelWords, load_travel_words
from vivant.engines.diorama.storyboard import (
    MOVABLE,
    Colour,
    Drift,
    Motion,
    PictureFacts,
    Speed,
    Thing,
    ThingFact,
    ThingKind,
    Travel,
    TravelKind,
    Where,
)

_ASIDE: Final[frozenset[TravelKind]] = frozenset({"go", "turn", "take_off"})
_HAS_FRONT: Final[frozenset[ThingKind]] = frozenset({"car", "train", "plane", "boat", "fish"})
_FLOATING: Final[frozenset[ThingKind]] = frozenset({"boat", "bird"})
AFLOAT: Final = 0.6  # trust from which a boat rocks without being asked to
_ROCKING: Final = 0.4  # how much, as a strength
MOST: Final = 3  # things that travel in one clip
TRAVELLING: Final[frozenset[ThingKind]] = frozenset(
    {"boat", "car", "train", "plane", "balloon", "kite", "bird", "fish", "rocket"}
)
_AFTER: Final = 8  # tokens after a verb that say where it leads
_BEFORE: Final = 4  # tokens before a noun that say what it is like
_AFTER_NOUN: Final = 5  # and after it, as "in the background"
_LONGEST: Final = 3  # words of one English phrase
_FLOATS: Final = frozenset({"float", "floats", "floating", "漂浮", "浮动", "漂荡"})
_NONE: Final = frozenset({"no", "without", "any", "never"})
_SOUND: Final = frozenset({"sound", "sounds", "noise", "noises", "audio"})
_MANY: Final = frozenset("群几些数双排队")  # 一群鸟, 几只海鸥
_GAP: Final = 6  # tokens between a noun and its verb that the tagger took for a noun
_AUXILIARIES: Final = frozenset(
    {"is", "are", "begins", "begin", "starts", "start", "to", "then", "and", "slowly", "gently", "softly", "quickly",
     "gradually", "gracefully", "peacefully", "lazily", "calmly", "suddenly", "rapidly", "swiftly", "smoothly"}
)  # fmt: skip
_PLACING: Final = frozenset(
    {"on", "in", "at", "the", "left", "right", "middle", "center", "centre", "background", "foreground", "distance",
     "top", "bottom", "sky", "water", "lake", "sea", "road", "above", "below"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Going:
    """Something that goes somewhere, and the tokens that say so."""

    travel: Travel
    first: int
    last: int
    at: int  # the token of the verb


def name_things(reading: Reading) -> tuple[Thing, ...]:
    """The things that the prompt sends somewhere, in its order, each once, and a boat that it only speaks of."""
    sent = tuple(dict.fromkeys(going.travel.thing for going in _find_goings(reading)))
    return sent if any(thing.kind == "boat" for thing in sent) else (*sent, *_find_boat(reading))


def _find_boat(reading: Reading) -> tuple[Thing, ...]:
    """The boat that stands in the words without doing anything: it will rock on its water."""
    words = load_travel_words()
    for at, token in enumerate(reading.tokens):
        before = {reading.tokens[k].text for k in range(max(0, at - 2), at)}
        if token.kind != "word" or words.things.get(token.text) != "boat" or at in reading.negative:
            continue
        if not before & _NONE:
            return (_name(reading, at, at, words),)
    return ()


def choose_floating(travels: tuple[Travel, ...], facts: PictureFacts) -> tuple[Travel, ...]:
    """Boats, and birds on the water, that were surely found and that nothing was asked of rock on their water."""
    if any(travel.thing.kind in _FLOATING for travel in travels):
        return ()
    afloat = [fact for fact in facts.things if fact.thing.kind in _FLOATING and fact.trust >= AFLOAT]
    afloat = [fact for fact in afloat if not fact.cut_left and not fact.cut_right]
    return tuple(Travel(thing=fact.thing, kind="bob", strength=_ROCKING, origin="picture") for fact in afloat[:1])


def find_travels(reading: Reading, times: Times, facts: PictureFacts) -> Found[tuple[Travel, ...]]:
    """What travels: the things of `facts` that were found. The first thing that is said of each counts. What was not
    found is left to the last step, which tells it."""
    facts_of = {fact.thing: fact for fact in facts.things}
    travels: dict[Thing, Travel] = {}
    spans: list[Span] = []
    notes: list[ScriptNote] = []
    for going in _find_goings(reading):
        thing = going.travel.thing
        if thing not in facts_of or facts_of[thing].trust < MOVABLE:
            continue
        spans.append((going.first, going.last))
        if thing in travels:
            continue
        aimed, told = _aim(going.travel, facts_of[thing])
        notes += told
        if aimed is not None:
            when = times.when(going.at)
            travels[thing] = _with_time(aimed, when.start, when.end, times.order(going.at))
    return Found(tuple(travels.values()), tuple(notes), tuple(spans))


def _aim(travel: Travel, fact: ThingFact) -> tuple[Travel | None, list[ScriptNote]]:
    """The travel the way that the thing faces, unless the words name a side; None where it cannot go. What differs from
    what one would expect is told."""
    cut = fact.cut_left or fact.cut_right
    if travel.kind not in _ASIDE and not (travel.kind == "recede" and cut):
        return travel, []
    asked = travel.direction
    if cut:  # beyond the border nothing of it is left to be shown
        only: Drift = "left" if fact.cut_left else "right"
        if (fact.cut_left and fact.cut_right) or asked not in ("", only):
            return None, [ScriptNote("cut_off", (travel.words,))]
        kind: TravelKind = "go" if travel.kind == "recede" else travel.kind  # smaller, it would end in mid-air
        return replace(travel, kind=kind, direction=only, leaves=True), []
    if not asked and fact.facing:
        return replace(travel, direction=fact.facing), []
    if asked and fact.facing not in ("", asked):
        return travel, [ScriptNote("backwards", (travel.words,))]
    if not asked and not fact.facing and travel.thing.kind in _HAS_FRONT:
        return travel, [ScriptNote("no_front", (travel.words,))]
    return travel, []


def find_far_birds(reading: Reading, times: Times, facts: PictureFacts) -> Found[tuple[Motion, ...]]:
    """Birds that are to fly and that the picture does not show: drawn far off, before its sky, if there is one."""
    looked_for = {fact.thing for fact in facts.things if fact.trust < MOVABLE}
    for going in _find_goings(reading):
        travel = going.travel
        if travel.thing not in looked_for or travel.thing.kind != "bird" or not travel.thing.several:
            continue
        when = times.begins(going.at)
        seen = draw_far_birds(travel, facts, when.start, when.end)
        return Found(seen.value, seen.notes, ((going.first, going.last),))
    return Found(())


def draw_far_birds(
    travel: Travel, facts: PictureFacts, start: int | None, end: int | None
) -> Found[tuple[Motion, ...]]:
    """Birds far off that fly as `travel` says, from frame `start` to `end`, where the picture has a sky for them."""
    birds = Motion(kind="birds", direction=travel.direction, start=start, end=end)
    (birds,) = find_regions((birds,), facts)
    if birds.has_region:
        return Found((birds,))
    return Found((), (ScriptNote("no_sky_for_birds", (travel.words,)),))


def can_go(thing: ThingKind, kind: TravelKind) -> bool:
    """Whether such a thing goes in such a way. What has legs would skate, what is rooted or built stays; the sun rises
    behind a boat, prices fall, no car does."""
    return thing in TRAVELLING and not (kind in ("rise", "fall", "take_off") and thing in ("car", "train", "boat"))


def find_missing(reading: Reading, facts: PictureFacts) -> tuple[Span, ...]:
    """The words for things that were to travel, were looked for and not found."""
    looked_for = {fact.thing for fact in facts.things if fact.trust < MOVABLE}
    return tuple((going.first, going.last) for going in _find_goings(reading) if going.travel.thing in looked_for)


def _with_time(travel: Travel, start: int | None, end: int | None, order: int) -> Travel:
    return replace(travel, start=start, end=end, order=order)


def _find_goings(reading: Reading) -> list[_Going]:
    goings = sorted((*_find_english(reading), *_find_chinese(reading)), key=lambda going: going.first)
    kept: list[_Going] = []
    for going in goings:
        unreal = going.first in reading.negative or reading.is_unreal(going.first) or reading.is_unreal(going.at)
        unreal = unreal or _is_heard(reading, going.first)
        if not unreal and len({one.travel.thing for one in kept} | {going.travel.thing}) <= MOST:
            kept.append(going)
    return kept


def _is_heard(reading: Reading, noun: int) -> bool:
    """ "The sound of cars passing" asks for no car."""
    before = range(max(0, noun - _BEFORE), noun)
    named = any(reading.tokens[at].text in _SOUND and reading.clause[at] == reading.clause[noun] for at in before)
    return named or reading.is_heard(noun)


# --- English


def _find_english(reading: Reading) -> list[_Going]:
    words = load_travel_words()
    goings = []
    for at, token in enumerate(reading.tokens):
        if token.kind != "word":
            continue
        verb = _longest(reading, at, words.does)
        if verb is None:
            continue
        noun = _find_doer(reading, at, words)
        if noun is None:
            continue
        last = _end_of_clause(reading, at)
        # "Slowly" stands before its verb, too.
        before = {token.text for token in reading.tokens[noun + 1 : at]} & (words.says["slow"] | words.says["fast"])
        after = before | {reading.tokens[k].text for k in range(at, last)}
        thing = _name(reading, noun, at, words)
        travel = _travel(thing, words.does[verb], after, words, _quote(reading, noun, last))
        if travel is not None:
            goings.append(_Going(travel, noun, last, at))
    return goings


def _longest(reading: Reading, at: int, phrases: Container[str]) -> str | None:
    """The longest phrase of a table that begins at this token, as it is written there."""
    for length in range(_LONGEST, 0, -1):
        text = " ".join(token.text for token in reading.tokens[at : at + length])
        if text in phrases:
            return text
    return None


def _find_doer(reading: Reading, verb: int, words: TravelWords) -> int | None:
    """The token of the thing that does the verb."""
    if reading.parts.tags[verb].startswith("VB"):
        subject = find_subject(reading, verb)
        if subject is not None and reading.tokens[subject].text in words.things:
            return subject
    at = verb - 1
    between = _AUXILIARIES | _PLACING
    while at >= 0 and verb - at <= _GAP and reading.tokens[at].text in between:
        at -= 1
    return at if at >= 0 and reading.tokens[at].text in words.things else None


def _end_of_clause(reading: Reading, verb: int) -> int:
    last = verb + 1
    while last < min(verb + _AFTER, len(reading.tokens)) and reading.clause[last] == reading.clause[verb]:
        if reading.tokens[last].kind not in ("word", "number") or reading.roles(last) & {"as", "then", "but", "and"}:
            break
        last += 1
    return last


def _name(reading: Reading, noun: int, verb: int, words: TravelWords) -> Thing:
    text = reading.tokens[noun].text
    before = [token.text for token in reading.tokens[max(0, noun - _BEFORE) : noun]]
    behind = " ".join(token.text for token in reading.tokens[noun + 1 : min(verb, noun + 1 + _AFTER_NOUN)])
    places = [place for phrase, place in words.places.items() if phrase in behind and behind]
    kind, colour = words.things[text], _colour(before, words)
    return Thing(
        kind=kind,
        colour=colour,
        place=places[0] if places else "",
        several=text in words.plural,
        words=_quote(reading, noun if not colour else noun - 1, noun + 1),
    )


def _colour(before: list[str], words: TravelWords) -> Colour:
    return next((words.colours[text] for text in reversed(before) if text in words.colours), "")


# --- Chinese


def _find_chinese(reading: Reading) -> list[_Going]:
    """In each clause the first noun of a thing, and after it what it does."""
    if not any(token.kind == "han" for token in reading.tokens):
        return []
    words = load_travel_words()
    nouns = sorted((noun for noun in words.things if is_han(noun[0])), key=len, reverse=True)
    verbs = sorted((verb for verb in words.does if is_han(verb[0])), key=len, reverse=True)
    goings = []
    first = 0
    while first < len(reading.tokens):
        last = first
        while last < len(reading.tokens) and reading.tokens[last].kind == "han":
            last += 1
        text = "".join(token.text for token in reading.tokens[first:last])
        noun = _first_of(text, nouns)
        verb = None if noun is None else _first_of(text, verbs, noun[0] + len(noun[1]))
        if noun is not None and verb is not None:
            at, said = noun
            colours = [words.colours[c] for c in text[max(0, at - _BEFORE) : at] if c in words.colours]
            places: list[Where] = [place for phrase, place in words.places.items() if phrase in text[:at]]
            kind: ThingKind = words.things[said]
            thing = Thing(
                kind=kind, colour=colours[-1] if colours else "", place=places[0] if places else "",
                several=said in words.plural or not _MANY.isdisjoint(text[max(0, at - _BEFORE) : at]), words=said,
            )  # fmt: skip
            does = words.does[verb[1]]
            told = {phrase for phrases in words.says.values() for phrase in phrases if phrase in text[at:]} | {verb[1]}
            travel = _travel(thing, does, told, words, _quote(reading, first + at, last))
            if travel is not None:
                goings.append(_Going(travel, first + at, last, first + verb[0]))
        first = max(last, first + 1)
    return goings


def _first_of(text: str, phrases: list[str], start: int = 0) -> tuple[int, str] | None:
    """The phrase that comes first in the text from `start` on, the longest of those that begin there."""
    places = [(text.find(phrase, start), phrase) for phrase in phrases]
    found = [(at, phrase) for at, phrase in places if at >= 0]
    return min(found, key=lambda one: (one[0], -len(one[1])), default=None)


# --- both


def _travel(thing: Thing, does: TravelKind, told: set[str], words: TravelWords, quote: str) -> Travel | None:
    """told: the words behind the verb."""

    def said(name: str) -> bool:
        return not told.isdisjoint(words.says[name])

    kind = does
    if kind in ("go", "turn") and said("away"):
        kind = "recede"
    if kind in ("go", "approach") and said("toward") and said("viewer"):
        kind = "approach"
    if kind == "go" and (said("up") or thing.kind == "rocket") and thing.kind in ("balloon", "kite", "plane", "rocket"):
        kind = "rise"
    if kind == "go" and thing.kind in ("boat", "fish", "bird") and not told.isdisjoint(_FLOATS):
        kind = "bob"
    if kind == "take_off" and thing.kind in ("rocket", "balloon", "kite"):
        kind = "rise"
    if not can_go(thing.kind, kind):
        return None
    direction: Drift = "left" if said("left") else "right" if said("right") else ""
    speed: Speed = "slow" if said("slow") else "fast" if said("fast") else "normal"
    return Travel(
        thing=thing,
        kind=kind,
        direction=direction,
        speed=speed,
        leaves=said("leaves") or kind == "recede" or thing.kind in ("bird", "rocket"),
        words=quote,
    )


def _quote(reading: Reading, first: int, last: int) -> str:
    return " ".join(reading.text[reading.tokens[max(first, 0)].start : reading.tokens[last - 1].end].split())
