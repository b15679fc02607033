"""What of a planner's answer the picture allows: motions, lights, things that travel, and what faces and a subject
without one do. The rules are those of the built-in reader; what the picture does not allow is told and not listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from vivant.engines.diorama.planner.intent import (
    PlannedAction,
    PlannedBodyAction,
    PlannedLight,
    PlannedMotion,
    PlannedThing,
    PlannedTravel,
)
from vivant.engines.diorama.planner.moments import frames_of
from vivant.engines.diorama.script import beings, lights, motion_regions, travel
from vivant.engines.diorama.script.found import Found
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.script.times import When, join
from vivant.engines.diorama.storyboard import (
    MOVABLE,
    TRUSTED,
    Action,
    BodyAction,
    BodyActionKind,
    Cue,
    Lighting,
    Motion,
    MotionKind,
    MotionLook,
    PictureFacts,
    Thing,
    Travel,
    TravelKind,
)

# The kind that has each look.
_LOOKS: Final[Mapping[MotionLook, MotionKind]] = {
    "steam": "smoke", "confetti": "petals", "sparkles": "dust", "candle": "fire", "firelight": "fire",
}  # fmt: skip
_UPRIGHT: Final[Mapping[str, TravelKind]] = {"up": "rise", "down": "fall"}  # what it is to go there
_AGAINST: Final = frozenset({("rise", "down"), ("take_off", "down"), ("fall", "up")})

_Timed = TypeVar("_Timed", Motion, Lighting, Cue)


def fit_motions(
    planned: Iterable[PlannedMotion], facts: PictureFacts, find: motion_regions.Find, frames: int
) -> Found[tuple[Motion, ...]]:
    """Raises ValueError for a look that its kind does not have."""
    asked: list[Motion] = []
    words: dict[MotionKind, str] = {}
    for one in planned:
        if one.look and _LOOKS[one.look] != one.kind:
            raise ValueError(f"{one.kind} cannot look like {one.look}, {_LOOKS[one.look]} can")
        when = frames_of(one.start, one.end, frames)
        thing = None if one.thing is None else _thing(one.thing)
        words.setdefault(one.kind, one.words or one.kind)
        asked.append(
            Motion(
                kind=one.kind,
                strength=one.strength,
                direction=one.direction,
                look=one.look,
                thing=thing,
                start=when.start,
                end=when.end,
            )
        )
    wanted = motion_regions.find_regions(join_kinds(asked), facts)
    notes = motion_regions.note_missing_regions(wanted, words, facts, find)
    return Found(motion_regions.keep_seen(wanted), notes)


def fit_lights(
    planned: Iterable[PlannedLight], facts: PictureFacts, frames: int, *, morph: bool
) -> Found[tuple[Lighting, ...]]:
    asked = []
    for one in planned:
        when = frames_of(one.start, one.end, frames)
        asked.append(
            Lighting(kind=one.kind, strength=one.strength, start=when.start, end=when.end, words=one.words or one.kind)
        )
    request = lights.LightRequest(join_kinds(asked), frozenset())
    return lights.fit_lights(request, facts, morph=morph, still=True, cloudy=False)


def fit_travels(
    planned: Iterable[PlannedTravel], facts: PictureFacts, find: motion_regions.Find, frames: int, *, morph: bool
) -> Found[tuple[tuple[Travel, ...], tuple[Motion, ...]]]:
    """What travels, each thing once, and birds that are drawn far off because the picture has none."""
    notes: list[ScriptNote] = []
    travels: dict[Thing, Travel] = {}
    birds: tuple[Motion, ...] = ()
    for one in planned:
        asked, when = _travel(one, notes), frames_of(one.start, one.end, frames)
        thing, words = asked.thing, (asked.words,)
        if thing.kind in ("animal", "person"):
            notes.append(ScriptNote("animals" if thing.kind == "animal" else "bodies", words))
        elif morph or not travel.can_go(thing.kind, asked.kind):
            notes.append(ScriptNote("things", words))
        elif thing in travels:
            notes.append(ScriptNote("planner_second_way", words))
        elif len(travels) == travel.MOST:
            notes.append(ScriptNote("planner_only_some", words, (("most", travel.MOST),)))
        elif find(thing) >= MOVABLE:
            travels[thing] = replace(asked, start=when.start, end=when.end)
        elif thing.kind == "bird" and thing.several and not birds:
            drawn = travel.draw_far_birds(asked, facts, when.start, when.end)
            birds = drawn.value
            notes += drawn.notes
        else:
            notes.append(ScriptNote("not_found", words))
    return Found((tuple(travels.values()), birds), tuple(notes))


def fit_body_actions(
    planned: Iterable[PlannedBodyAction], facts: PictureFacts, frames: int, *, morph: bool
) -> Found[tuple[BodyAction, ...]]:
    """What the subject does, each once per time, or that it breathes. On the way to a last picture it is no layer of
    its own."""
    body = facts.body if facts.body is not None and facts.body.trust >= TRUSTED and not morph else None
    notes: list[ScriptNote] = []
    found: dict[tuple[BodyActionKind, int | None], BodyAction] = {}
    being = body.being if body is not None else ""
    for one in planned:
        words, when = (one.words or one.kind,), frames_of(one.start, one.end, frames)
        # That the words name an animal makes the subject one; that it is a person the picture must show.
        lives = body is not None and (one.being == "animal" or body.being == "person")
        if body is None or not lives or (one.being == "person" and one.kind in beings.OF_ANIMALS):
            notes.append(ScriptNote("animals" if one.being == "animal" else "bodies", words))
            continue
        being = one.being
        missing = beings.find_missing_part(one.kind, body)
        if missing:
            notes.append(ScriptNote(missing, words))
            continue
        if one.kind == "walk":
            notes.append(ScriptNote("legs_stay", words))
        action = BodyAction(
            kind=one.kind, being=one.being, strength=one.strength, start=when.start, end=when.end, order=one.order
        )
        found.setdefault((one.kind, when.start), action)
    if not found and being:
        return Found(beings.choose_life(being), tuple(notes))
    return Found(tuple(found.values()), tuple(notes))


def fit_actions(planned: Iterable[PlannedAction], facts: PictureFacts, frames: int) -> Found[tuple[Action, ...]]:
    """Raises ValueError for a face that is not in the picture."""
    notes: list[ScriptNote] = []
    actions = []
    for one in planned:
        words, when = (one.words or one.kind,), frames_of(one.start, one.end, frames)
        if not facts.faces:
            notes.append(ScriptNote("no_face", words))
            continue
        face = face_index(one.face, len(facts.faces))
        if facts.faces[face].still:
            notes.append(ScriptNote("face_still", words))
            continue
        actions.append(Action(kind=one.kind, face_index=face, start=when.start, end=when.end, order=one.order))
    return Found(tuple(actions), tuple(notes))


def join_kinds(ones: Iterable[_Timed]) -> tuple[_Timed, ...]:
    """Each kind once, as it comes first, as strong as at its strongest, from its first start to its last end."""
    kinds: dict[str, list[_Timed]] = {}
    for one in ones:
        kinds.setdefault(one.kind, []).append(one)
    joined = []
    for same in kinds.values():
        when = join(When(one.start, one.end) for one in same)
        strength = max(one.strength for one in same)
        joined.append(replace(same[0], strength=strength, start=when.start, end=when.end))
    return tuple(joined)


def face_index(number: int, faces: int, none: int = 0) -> int:
    """The index of the face of this number, counted from 1; `none` for 0. Raises ValueError for a face that is not in
    the picture."""
    if number > faces and number > 0 and faces:
        raise ValueError(f"face {number} is not in the picture, which has {faces}")
    return none if number == 0 or not faces else number - 1


def _thing(planned: PlannedThing) -> Thing:
    return Thing(
        kind=planned.kind, colour=planned.colour, place=planned.place, several=planned.several,
        words=planned.words or planned.kind,
    )  # fmt: skip


def _travel(planned: PlannedTravel, notes: list[ScriptNote]) -> Travel:
    """The same as the storyboard has it: what goes up rises. Raises ValueError for what rises downward."""
    if (planned.kind, planned.direction) in _AGAINST:
        raise ValueError(f"a thing cannot {planned.kind.replace('_', ' ')} {planned.direction}")
    thing = _thing(planned.thing)
    words = planned.words or thing.words
    kind, direction = planned.kind, planned.direction
    if direction in _UPRIGHT:
        kind = _UPRIGHT[direction] if kind == "go" else kind
        if kind not in ("rise", "fall", "take_off", "bob", "shake"):
            notes.append(ScriptNote("planner_direction", (words,)))
        direction = ""
    return Travel(
        thing=thing, kind=kind, direction=direction, speed=planned.speed, strength=planned.strength,
        leaves=planned.leaves, order=planned.order, words=words,
    )  # fmt: skip
