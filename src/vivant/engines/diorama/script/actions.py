"""What a face in the picture is asked to do: smile, nod, look left… and whose face it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from vivant.engines.diorama.script.clauses import find_subject
from vivant.engines.diorama.script.cloth_words import load_cloth_words
from vivant.engines.diorama.script.doings import load_doings
from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.script.people import Cast, Mention
from vivant.engines.diorama.script.times import Times
from vivant.engines.diorama.script.tokens import ends_clause, ends_sentence
from vivant.engines.diorama.storyboard import Action, ActionKind, FaceFact, Line

_BEFORE: Final = 16  # tokens before a verb in which its subject is looked for
_SEEN_REACH: Final = 8  # tokens after "looks at" that tell where
_EVERYONE: Final = frozenset({
    "they", "both", "everyone", "everybody", "two", "couple", "people",
    "他们", "她们", "两人", "二人", "大家", "众人", "俩",
})  # fmt: skip
_TO: Final[dict[str, ActionKind]] = {
    "left": "look_left", "right": "look_right", "up": "look_up", "down": "look_down", "away": "look_away",
}  # fmt: skip
_BY_CAMERA: Final = ("look_", "turn_", "tilt_")  # what a camera may do, too
_BY_THINGS: Final = frozenset({"", "sway", "blink", "wink"})  # what cloth and lights do, too
_SPOKEN: Final = frozenset({"talk", "sing"})  # what a face with lines of its own does by speaking them


def find_actions(
    reading: Reading,
    cast: Cast,
    times: Times,
    faces: tuple[FaceFact, ...],
    lines: tuple[Line, ...],
    done: Collection[Span] = (),
) -> Found[tuple[Action, ...]]:
    """The actions of the prompt in order, each once per face and time; a note where there is no face to do them.
    `order` is the place of their words. Who has `lines` moves the lips with them and not as the prompt says. `done` are
    the words for what a subject without a human face does."""
    actions: dict[tuple[str, int, int | None], Action] = {}
    spans: list[Span] = []
    words: list[str] = []
    speakers = {line.face_index for line in lines}
    animals: list[str] = []
    still: list[str] = []
    for hit in reading.hits:
        if (hit.first, hit.last) in done:
            continue
        if not hit.entry.action or not hit.meant or hit.heard or is_heard_from_afar(reading, hit):
            continue
        if describes_a_thing(reading, hit) or is_done_by_thing(reading, hit):
            continue
        if hit.entry.action.startswith(_BY_CAMERA) and is_done_by_camera(reading, hit):
            continue
        mention = cast.doer_mention(hit.first)
        if mention is not None and mention.person.kind == "animal" and mention.person.face_index not in speakers:
            spans.append((hit.first, hit.last))
            animals.append(reading.written(hit))
            continue
        actors = _actors(reading, hit, mention, len(faces))
        when = times.when(hit.first)
        seen = [(actor, _kind(reading, hit, cast, actor, faces)) for actor in actors]
        doing = [(actor, kind) for actor, kind in seen if kind and not (kind in _SPOKEN and actor in speakers)]
        if any(kind for _, kind in seen):
            spans.append((hit.first, hit.last))
        if doing and not (hit.entry.action in _SPOKEN and lines):
            words.append(reading.written(hit))
        for actor, kind in doing:
            if faces and faces[actor].still:
                still.append(reading.written(hit))
                continue
            action = Action(
                kind=kind,
                face_index=actor,
                start=when.start,
                end=when.end,
                order=times.order(hit.first),
            )
            actions.setdefault((action.kind, action.face_index, action.start), action)
    notes = [ScriptNote("animals", tuple(animals))] if animals else []
    if still:
        notes.append(ScriptNote("face_still", tuple(still)))
    if not faces and words:
        notes.append(ScriptNote("no_face", tuple(words)))
    return Found(tuple(actions.values()) if faces else (), tuple(notes), tuple(spans))


def _kind(reading: Reading, hit: Hit, cast: Cast, actor: int, faces: tuple[FaceFact, ...]) -> ActionKind | None:
    """What the face `actor` does. Where one looks "at" something, the words around tell where that is: a side, a thing
    that is up, down or away, or a person with a face. None: nothing tells."""
    if not hit.entry.action or hit.entry.needs != "thing":
        return hit.entry.action or None
    for at in range(hit.last - 1, min(hit.last + _SEEN_REACH, len(reading.tokens))):
        token = reading.tokens[at]
        if at >= hit.last and (ends_clause(token) or ends_sentence(token) or token.kind == "quote"):
            break
        for other in reading.at.get(at, ()):
            entry = other.entry
            if entry.seen == "each other":
                others = [index for index in range(len(faces)) if index != actor]
                return _towards(actor, others[0], faces) if others and actor < len(faces) else None
            if entry.seen:
                return _TO[entry.seen]
            if entry.face in ("left", "right"):
                return _TO[entry.face]
            if entry.direction in _TO and not entry.camera:
                return _TO[entry.direction]
    for mention in cast.between(hit.last, hit.last + _SEEN_REACH):
        index = mention.person.face_index
        if index is not None and index != actor and index < len(faces) and actor < len(faces):
            return _towards(actor, index, faces)
    return None


def _towards(actor: int, other: int, faces: tuple[FaceFact, ...]) -> ActionKind:
    return "look_left" if faces[other].x < faces[actor].x else "look_right"


def is_done_by_camera(reading: Reading, hit: Hit) -> bool:
    """ "The camera turns to the man"."""
    clause = reading.clause[hit.first]
    for at in range(hit.first - 1, max(-1, hit.first - _BEFORE), -1):
        if reading.clause[at] != clause or reading.names_person(at):
            return False
        if "camera" in reading.roles(at):
            return True
    return False


def describes_a_thing(reading: Reading, hit: Hit) -> bool:
    """ "Blinking red security cameras": the participle says what a thing is like."""
    tags = reading.parts.tags
    if hit.last - hit.first > 1 or tags[hit.first] != "VBG" or (hit.first and reading.names_person(hit.first - 1)):
        return False
    at = hit.last
    while at < len(tags) and tags[at] in ("JJ", "NN", "VBN"):
        if reading.names_person(at):
            return False
        at += 1
    ends = at < len(tags) and tags[at] == "NNS" and not reading.names_person(at)
    return ends and not any(h.entry.action for h in reading.at.get(at, ()))


def is_done_by_thing(reading: Reading, hit: Hit) -> bool:
    """What does it is light, cloth or something else that moves by itself: "the curtains sway", "the signs blink"."""
    doer = find_subject(reading, hit.first) if hit.entry.action in _BY_THINGS else None
    if doer is None or reading.names_person(doer):
        return False
    text = reading.tokens[doer].text
    moves = any(other.entry.motion or other.entry.light for other in reading.at.get(doer, ()))
    return moves or text in load_doings().light_nouns or text in load_cloth_words().things


def is_heard_from_afar(reading: Reading, hit: Hit) -> bool:
    """Something heard stands right before the verb: "gulls cry"; or what does it has no face: "fridge hum"."""
    tags, before = reading.parts.tags, hit.first - 1
    noise = reading.tokens[hit.first].text in load_doings().sounds
    if noise and before >= 0 and tags[before] == "NN" and not reading.names_person(before):
        return True
    at = hit.first - 1
    while at >= 0 and "adverb" in reading.roles(at):
        at -= 1
    return any(other.entry.sound and not other.entry.person for other in reading.at.get(at, ()))


def _actors(reading: Reading, hit: Hit, mention: Mention | None, faces: int) -> tuple[int, ...]:
    """The faces that do it: all of them where "they" or "both" stands before the verb, else that of the person named
    last as a doer; the first face when nobody was."""
    if not faces:
        return (0,)
    first = max(mention.first if mention else 0, hit.first - _BEFORE)
    if faces > 1 and _names_everyone(reading, range(first, hit.last + 1)):
        return tuple(range(faces))
    index = mention.person.face_index if mention else None
    return (0,) if index is None or not 0 <= index < faces else (index,)


def _names_everyone(reading: Reading, tokens: Iterable[int]) -> bool:
    for at in tokens:
        if at >= len(reading.tokens):
            return False
        text = reading.tokens[at].text
        pair = text + (reading.tokens[at + 1].text if at + 1 < len(reading.tokens) else "")
        if text in _EVERYONE or pair in _EVERYONE or any(h.entry.seen == "each other" for h in reading.at.get(at, ())):
            return True
    return False
