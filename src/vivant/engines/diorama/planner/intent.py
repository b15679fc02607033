"""What a planner may decide, as its answer writes it: times in seconds, faces counted from 1. The kinds are those of
the storyboard. `answer_schema` gives it as a JSON schema; what does not fit it cannot be read.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from vivant.engines.diorama.storyboard import (
    ActionKind,
    Age,
    Angle,
    Being,
    BodyActionKind,
    Colour,
    CueKind,
    Direction,
    Drift,
    Gender,
    LightKind,
    Mood,
    MotionKind,
    MotionLook,
    MoveKind,
    ShotSize,
    Speed,
    Style,
    Target,
    ThingKind,
    Tone,
    TravelKind,
    Where,
)

MOST: Final = 24  # shots, motions, lights, lines, actions, travels or cues in one answer
Seconds = Annotated[float, Meta(ge=0, le=60)]
Share = Annotated[float, Meta(ge=0, le=1)]
FaceNumber = Annotated[int, Meta(ge=0, le=8)]  # 0: none
Words = Annotated[str, Meta(max_length=100)]


class PlannedMove(msgspec.Struct, frozen=True, kw_only=True):
    kind: MoveKind
    direction: Direction = ""
    speed: Speed = "normal"
    strength: Share = 0.5
    words: Words = ""


class PlannedShot(msgspec.Struct, frozen=True, kw_only=True):
    start: Seconds
    moves: Annotated[tuple[PlannedMove, ...], Meta(max_length=4)] = ()
    cut: bool = False
    size: ShotSize = ""
    target: Target = ""
    angle: Angle = ""
    face: FaceNumber = 0
    words: Words = ""


class PlannedThing(msgspec.Struct, frozen=True, kw_only=True):
    """A thing in the picture, which is then looked for: "the red boat on the left"."""

    kind: ThingKind
    colour: Colour = ""
    place: Where = ""
    several: bool = False
    words: Words = ""


class PlannedMotion(msgspec.Struct, frozen=True, kw_only=True):
    kind: MotionKind
    strength: Share = 0.5
    direction: Drift = ""
    look: MotionLook = ""
    thing: PlannedThing | None = None  # what it comes from: the cup that steams, the leaves that burn
    words: Words = ""
    start: Seconds | None = None
    end: Seconds | None = None


class PlannedLight(msgspec.Struct, frozen=True, kw_only=True):
    kind: LightKind
    strength: Share = 0.5
    words: Words = ""
    start: Seconds | None = None
    end: Seconds | None = None


class PlannedTravel(msgspec.Struct, frozen=True, kw_only=True):
    thing: PlannedThing
    kind: TravelKind
    direction: Drift = ""
    speed: Speed = "normal"
    strength: Share = 0.5
    leaves: bool = False
    words: Words = ""
    start: Seconds | None = None
    end: Seconds | None = None
    order: Annotated[int, Meta(ge=0, le=1000)] = 0


class PlannedLine(msgspec.Struct, frozen=True, kw_only=True):
    text: Annotated[str, Meta(min_length=1, max_length=800)]
    speaker: Words = ""
    gender: Gender = ""
    age: Age = "adult"
    off_screen: bool = False
    tone: Tone = "neutral"
    face: FaceNumber = 0
    start: Seconds | None = None
    end: Seconds | None = None
    order: Annotated[int, Meta(ge=0, le=1000)] = 0


class PlannedAction(msgspec.Struct, frozen=True, kw_only=True):
    kind: ActionKind
    face: FaceNumber = 1
    words: Words = ""
    start: Seconds | None = None
    end: Seconds | None = None
    order: Annotated[int, Meta(ge=0, le=1000)] = 0


class PlannedBodyAction(msgspec.Struct, frozen=True, kw_only=True):
    """What the subject of the picture does if no human face is seen in it: an animal, or a person from behind."""

    kind: BodyActionKind
    being: Being
    strength: Share = 0.5
    words: Words = ""
    start: Seconds | None = None
    end: Seconds | None = None
    order: Annotated[int, Meta(ge=0, le=1000)] = 0


class PlannedCue(msgspec.Struct, frozen=True, kw_only=True):
    kind: CueKind
    strength: Share = 0.5
    start: Seconds | None = None
    end: Seconds | None = None


class PlannedMusic(msgspec.Struct, frozen=True, kw_only=True):
    mood: Mood
    tempo: Annotated[int, Meta(ge=40, le=200)] = 90
    style: Style = ""
    start: Seconds | None = None
    end: Seconds | None = None


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. undone: words of the prompt that nothing here does."""

    shots: Annotated[tuple[PlannedShot, ...], Meta(min_length=1, max_length=MOST)]
    motions: Annotated[tuple[PlannedMotion, ...], Meta(max_length=MOST)] = ()
    lights: Annotated[tuple[PlannedLight, ...], Meta(max_length=MOST)] = ()
    travels: Annotated[tuple[PlannedTravel, ...], Meta(max_length=MOST)] = ()
    lines: Annotated[tuple[PlannedLine, ...], Meta(max_length=MOST)] = ()
    actions: Annotated[tuple[PlannedAction, ...], Meta(max_length=MOST)] = ()
    body_actions: Annotated[tuple[PlannedBodyAction, ...], Meta(max_length=MOST)] = ()
    cues: Annotated[tuple[PlannedCue, ...], Meta(max_length=MOST)] = ()
    music: PlannedMusic | None = None
    undone: Annotated[tuple[Words, ...], Meta(max_length=MOST)] = ()


def answer_schema() -> dict[str, Any]:
    """The JSON schema of an Intent, with its definitions beside it."""
    (reference,), definitions = msgspec.json.schema_components([Intent], ref_template="#/$defs/{name}")
    root: dict[str, Any] = definitions.pop(reference["$ref"].rpartition("/")[2])
    return {**root, "$defs": definitions}


def find_unread(data: object, intent: Intent) -> tuple[str, ...]:
    """The names of the fields in the answer's data that an Intent does not have, each once, in their order."""
    return tuple(dict.fromkeys(_unread(data, msgspec.to_builtins(intent))))


def _unread(data: object, known: object) -> list[str]:
    if isinstance(data, dict) and isinstance(known, dict):
        return [
            name for key, value in data.items() for name in (_unread(value, known[key]) if key in known else [str(key)])
        ]
    if isinstance(data, list) and isinstance(known, (list, tuple)):
        return [name for one, other in zip(data, known, strict=True) for name in _unread(one, other)]
    return []
