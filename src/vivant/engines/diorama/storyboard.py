"""What the embedded engine understood and intends, before a pixel or a sample exists. Plain frozen data that checks
itself: whatever is built with a value that is not allowed raises ValueError.

Motions, lines, actions, cues and music have a time: `start`..`end`-1 in frames, exact where the prompt says it, None
where it does not. What has no start begins when it suits (a motion, a cue and music with the clip), what has no end
lasts as long as it suits (a motion, a cue and music to the end of the clip). `order` is that of lines and actions among
each other: what has a lower one comes first, equal ones go together, as far as no time says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

import msgspec

from vivant.engines.diorama.checks import check_choice, check_number, check_tuple, check_type, check_whole
from vivant.request import SEED_MAX, Canvas

ENGINE: Final = "diorama"
VERSION: Final = "4"  # of the stored form; raised whenever a field changes its name or meaning

Origin = Literal["prompt", "picture", "default"]  # why it is in the storyboard
Language = Literal["en", "zh"]
Speed = Literal["slow", "normal", "fast"]
MoveKind = Literal[
    "static", "pan", "tilt", "zoom", "dolly", "truck", "pedestal", "orbit", "roll", "handheld", "whip", "dolly_zoom",
    "rack_focus",
]  # fmt: skip
Direction = Literal["left", "right", "up", "down", "in", "out", "clockwise", "counterclockwise", ""]
Drift = Literal["left", "right", "up", "down", ""]  # where a motion goes; "": the prompt does not say
MotionKind = Literal[
    "rain", "snow", "water", "falls", "clouds", "wind", "fire", "smoke", "fog", "lightning", "leaves", "petals",
    "dust", "sparks", "fireflies", "bubbles", "drifting_light", "birds", "heat",
    "flag", "sail", "curtain", "clothes", "fur",
]  # fmt: skip
LightKind = Literal[
    "night", "dusk", "dawn", "lamps", "dark", "bright", "sweep", "neon", "flicker", "shadows", "rays", "flare", "stars",
    "moon", "warm", "cold", "golden", "noir", "vintage", "teal", "dreamy", "horror",
]  # fmt: skip
# What a kind looks like where it has several looks; "": as it is usually.
MotionLook = Literal["", "steam", "confetti", "sparkles", "candle", "firelight", "glass"]
CueKind = Literal[
    "rain", "wind", "waves", "stream", "waterfall", "fire", "birds", "crickets", "crowd", "traffic", "thunder",
    "footsteps", "room",
]  # fmt: skip
ActionKind = Literal[
    "smile", "smirk", "laugh", "frown", "sad", "cry", "angry", "fear", "disgust", "surprise", "raise_brow", "squint",
    "pout", "nod", "shake_head", "tilt_head", "turn_head", "look_left", "look_right", "look_up", "look_down",
    "look_away", "look_camera", "move_eyes", "blink", "wink", "close_eyes", "open_eyes", "breathe", "sigh", "yawn",
    "chew", "sing", "talk", "sway",
]  # fmt: skip
# What a subject without a human face does, as far as its parts can be moved where they are.
BodyActionKind = Literal[
    "breathe", "sway", "turn_head", "look_left", "look_right", "look_up", "look_down", "tilt_head", "nod", "shake_head",
    "blink", "twitch_ears", "wag_tail", "flick_tail", "sniff", "chew", "walk",
]  # fmt: skip
Being = Literal["animal", "person", "fish", "bird"]
ShotSize = Literal["wide", "medium", "close-up", "detail", ""]  # "": as the picture is
Target = Literal["face", "eyes", "mouth", "hands", "subject", "left", "right", ""]  # what a shot is framed on
Angle = Literal["low", "high", ""]
# What a thing that the prompt names is, as far as it matters for finding it in the picture and for how it moves.
ThingKind = Literal[
    "boat",
    "car",
    "train",
    "plane",
    "balloon",
    "kite",
    "bird",
    "fish",
    "rocket",
    "person",
    "animal",
    "plant",
    "flag",
    "sail",
    "curtain",
    "scarf",
    "skirt",
    "clothes",
    "fur",
    "cup",
    "candle",
    "lamp",
    "fire",
    "window",
    "sun",
    "other",
]
Colour = Literal[
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey", "",
]  # fmt: skip
Where = Literal["left", "right", "middle", "top", "bottom", "background", "foreground", ""]  # in the picture
# go: sideways; recede, approach: into the depth and out of it; bob: in place, as on water; turn: aside, in a curve.
TravelKind = Literal["go", "rise", "fall", "take_off", "approach", "recede", "turn", "bob", "shake"]
Mood = Literal["calm", "happy", "sad", "tense", "epic", "mysterious", "romantic", "playful"]
Style = Literal[
    "piano", "strings", "guitar", "electronic", "orchestra", "jazz", "rock", "choir", "organ", "harp", "flute",
    "violin", "cello", "bells", "music box", "",
]  # fmt: skip
Tone = Literal["neutral", "happy", "sad", "angry", "whisper", "shout", "excited", "gentle"]
Age = Literal["child", "young", "adult", "old"]
Gender = Literal["woman", "man", ""]

# The directions each move can take; none: the move has no direction.
DIRECTIONS: Final[Mapping[MoveKind, tuple[Direction, ...]]] = {
    "pan": ("left", "right"),
    "tilt": ("up", "down"),
    "zoom": ("in", "out"),
    "dolly": ("in", "out"),
    "truck": ("left", "right"),
    "pedestal": ("up", "down"),
    "orbit": ("left", "right", "clockwise", "counterclockwise"),
    "roll": ("clockwise", "counterclockwise"),
    "whip": ("left", "right"),
    "dolly_zoom": ("in", "out"),  # where the camera goes while the lens keeps the subject's size
    "rack_focus": ("in", "out"),  # from what is far to what is near, and the other way
    "static": (),
    "handheld": (),
}
# What the wind moves where it is, pinned along one side: each kind of thing, and the motion that it makes.
CLOTHS: Final[Mapping[ThingKind, MotionKind]] = {
    "flag": "flag", "sail": "sail", "curtain": "curtain", "scarf": "clothes", "skirt": "clothes", "clothes": "clothes",
    "fur": "fur",
}  # fmt: skip
TRUSTED: Final = 0.5  # trust from which a region of the picture moves and is heard without being asked for
SUBJECT_TRUSTED: Final = 0.3  # trust above which the subject has a place of its own: in depth, and for the camera
FOUND: Final = 0.25  # trust from which something may burn or steam on a thing that the prompt names
DAY: Final = 0.34  # mean luma, 0..1, from which a picture shows day, and stars and the moon are not seen
PORTRAIT: Final = 0.12  # height of a face, share of the canvas, from which the picture is a portrait
LONGEST_LINE: Final = 800  # characters: no clip of twelve seconds has room for more speech
MOVABLE: Final = 0.5  # trust from which a thing that the prompt names may leave its place
TEMPOS: Final = range(40, 201)  # beats per minute that music may have


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A thing in the picture, as the prompt names it: "the red boat on the left". Looking finds it (scene/named.py)."""

    kind: ThingKind
    colour: Colour = ""
    place: Where = ""
    several: bool = False  # all that there are, as "the birds"
    words: str = ""  # those of the prompt that name it

    def __post_init__(self) -> None:
        check_choice("Thing.kind", self.kind, ThingKind)
        check_choice("Thing.colour", self.colour, Colour)
        check_choice("Thing.place", self.place, Where)
        check_type("Thing.several", self.several, bool)
        check_type("Thing.words", self.words, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One camera move. strength 0..1 scales how far it goes; 0.5 is the usual. No direction: the usual one."""

    kind: MoveKind
    direction: Direction = ""
    speed: Speed = "normal"
    strength: float = 0.5
    origin: Origin = "prompt"
    words: str = ""  # those of the prompt that ask for it

    def __post_init__(self) -> None:
        check_choice("Move.kind", self.kind, MoveKind)
        if self.direction not in ("", *DIRECTIONS[self.kind]):
            allowed = ", ".join(map(repr, ("", *DIRECTIONS[self.kind])))
            raise ValueError(f"Move.direction of a {self.kind} must be one of {allowed}; it is {self.direction!r}.")
        check_choice("Move.speed", self.speed, Speed)
        check_number("Move.strength", self.strength, 0, 1)
        check_choice("Move.origin", self.origin, Origin)
        check_type("Move.words", self.words, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """What part of the picture a shot shows. `face_index` is the face that it is framed on; -1: none in particular."""

    size: ShotSize = ""
    target: Target = ""
    angle: Angle = ""
    face_index: int = -1
    words: str = ""  # those of the prompt that ask for it

    def __post_init__(self) -> None:
        check_choice("Framing.size", self.size, ShotSize)
        check_choice("Framing.target", self.target, Target)
        check_choice("Framing.angle", self.angle, Angle)
        check_whole("Framing.face_index", self.face_index, -1)
        check_type("Framing.words", self.words, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """Frames start..end-1 under one set of simultaneous moves.

    cut: the view jumps at `start`, to `framing` where the prompt says one. Without a cut the camera goes on from where
    it is, and only a shot after a cut has a framing: the first one begins with the picture itself.
    """

    start: int
    end: int
    moves: tuple[Move, ...]
    cut: bool = False
    framing: Framing | None = None

    def __post_init__(self) -> None:
        check_whole("Shot.start", self.start, 0)
        check_whole("Shot.end", self.end, self.start + 1)
        check_tuple("Shot.moves", self.moves, Move)
        check_type("Shot.cut", self.cut, bool)
        if self.cut and self.start == 0:
            raise ValueError("Shot.cut must be False for the shot that begins the clip.")
        if self.framing is not None:
            check_type("Shot.framing", self.framing, Framing)
            if not self.cut:
                raise ValueError("Shot.framing must be None where there is no cut.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Something in the scene moves by itself. strength 0..1; direction is where it drifts, if the prompt said.

    has_region: the part of the picture that it moves or comes from (sky, water, plants, fire) is there and may move.
    Without it wind still slants rain, fire flickers, lightning flashes, smoke and sparks come from outside the picture.
    """

    kind: MotionKind
    strength: float = 0.5
    direction: Drift = ""
    origin: Origin = "prompt"
    has_region: bool = True
    start: int | None = None
    end: int | None = None
    look: MotionLook = ""
    thing: Thing | None = None  # what it comes from, if the prompt says: the cup that steams, the leaves that burn
    often: bool = False  # what strikes at moments (lightning) is said to do so again and again

    def __post_init__(self) -> None:
        check_type("Motion.often", self.often, bool)
        check_choice("Motion.kind", self.kind, MotionKind)
        check_choice("Motion.look", self.look, MotionLook)
        if self.thing is not None:
            check_type("Motion.thing", self.thing, Thing)
        _check_time("Motion", self.start, self.end)
        check_number("Motion.strength", self.strength, 0, 1)
        check_choice("Motion.direction", self.direction, Drift)
        check_choice("Motion.origin", self.origin, Origin)
        check_type("Motion.has_region", self.has_region, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lighting:
    """The light of the scene changes. What goes on from one light to another (night, dusk, dawn, lamps, dark, bright,
    sweep) does so from `start` to `end`, what lasts (all others) is there in that time. strength 0..1."""

    kind: LightKind
    strength: float = 0.5
    origin: Origin = "prompt"
    start: int | None = None
    end: int | None = None
    words: str = ""  # those of the prompt that ask for it

    def __post_init__(self) -> None:
        check_choice("Lighting.kind", self.kind, LightKind)
        _check_time("Lighting", self.start, self.end)
        check_number("Lighting.strength", self.strength, 0, 1)
        check_choice("Lighting.origin", self.origin, Origin)
        check_type("Lighting.words", self.words, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """A thing that was found in the picture goes somewhere, whole. strength 0..1 scales how far it goes in a given
    time; 0.5 is the usual. No direction: where there is most room. leaves: it may go out of the picture."""

    thing: Thing
    kind: TravelKind
    direction: Drift = ""
    speed: Speed = "normal"
    strength: float = 0.5
    leaves: bool = False
    origin: Origin = "prompt"
    start: int | None = None
    end: int | None = None
    order: int = 0
    words: str = ""  # those of the prompt that ask for it

    def __post_init__(self) -> None:
        check_type("Travel.thing", self.thing, Thing)
        check_choice("Travel.kind", self.kind, TravelKind)
        check_choice("Travel.direction", self.direction, Drift)
        check_choice("Travel.speed", self.speed, Speed)
        check_number("Travel.strength", self.strength, 0, 1)
        check_type("Travel.leaves", self.leaves, bool)
        check_choice("Travel.origin", self.origin, Origin)
        _check_time("Travel", self.start, self.end)
        check_whole("Travel.order", self.order, 0)
        check_type("Travel.words", self.words, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who says a line, as far as the words (or the face) tell. `name` is the words themselves, e.g. "the old man"."""

    name: str = ""
    gender: Gender = ""
    age: Age = "adult"
    off_screen: bool = False  # a narrator: no lips move

    def __post_init__(self) -> None:
        check_type("Speaker.name", self.name, str)
        check_choice("Speaker.gender", self.gender, Gender)
        check_choice("Speaker.age", self.age, Age)
        check_type("Speaker.off_screen", self.off_screen, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One spoken line, of at most 800 characters. `language` is that of the words spoken, not of the prompt."""

    text: str
    language: Language
    speaker: Speaker
    tone: Tone = "neutral"
    voice: str = ""  # a name of the voice table
    face_index: int = -1  # of the face whose lips move, in the order of PictureFacts.faces; -1: none
    start: int | None = None
    end: int | None = None
    order: int = 0

    def __post_init__(self) -> None:
        _check_time("Line", self.start, self.end)
        check_whole("Line.order", self.order, 0)
        check_type("Line.text", self.text, str)
        check_whole("len(Line.text)", len(self.text), 0, LONGEST_LINE)
        check_choice("Line.language", self.language, Language)
        check_type("Line.speaker", self.speaker, Speaker)
        check_choice("Line.tone", self.tone, Tone)
        check_type("Line.voice", self.voice, str)
        check_whole("Line.face_index", self.face_index, -1)
        if self.speaker.off_screen and self.face_index >= 0:
            raise ValueError(f"Line.face_index of a speaker off screen must be -1; it is {self.face_index}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A face in the picture does something: smile, nod, blink, look, turn…"""

    kind: ActionKind
    face_index: int = 0  # in the order of PictureFacts.faces
    origin: Origin = "prompt"
    start: int | None = None
    end: int | None = None
    order: int = 0

    def __post_init__(self) -> None:
        _check_time("Action", self.start, self.end)
        check_whole("Action.order", self.order, 0)
        check_choice("Action.kind", self.kind, ActionKind)
        check_whole("Action.face_index", self.face_index, 0)
        check_choice("Action.origin", self.origin, Origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyAction:
    """The subject of the picture, in which no human face can be moved, does something. Whatever it does, it breathes
    and moves a little by itself; "breathe" alone lists no more than that."""

    kind: BodyActionKind
    being: Being
    strength: float = 0.5  # 0..1
    origin: Origin = "prompt"
    start: int | None = None
    end: int | None = None
    order: int = 0

    def __post_init__(self) -> None:
        _check_time("BodyAction", self.start, self.end)
        check_whole("BodyAction.order", self.order, 0)
        check_choice("BodyAction.kind", self.kind, BodyActionKind)
        check_choice("BodyAction.being", self.being, Being)
        check_number("BodyAction.strength", self.strength, 0, 1)
        check_choice("BodyAction.origin", self.origin, Origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """A sound to hear. Timing makes it a bed, which lasts, or events, which happen at one moment."""

    kind: CueKind
    strength: float = 0.5  # 0..1
    origin: Origin = "prompt"
    start: int | None = None
    end: int | None = None

    def __post_init__(self) -> None:
        _check_time("Cue", self.start, self.end)
        check_choice("Cue.kind", self.kind, CueKind)
        check_number("Cue.strength", self.strength, 0, 1)
        check_choice("Cue.origin", self.origin, Origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Music:
    """Music under the clip."""

    mood: Mood
    tempo: int  # beats per minute, one of TEMPOS
    style: Style = ""  # "": fitted to the mood
    origin: Origin = "prompt"
    start: int | None = None
    end: int | None = None

    def __post_init__(self) -> None:
        _check_time("Music", self.start, self.end)
        check_choice("Music.mood", self.mood, Mood)
        check_whole("Music.tempo", self.tempo, TEMPOS[0], TEMPOS[-1])
        check_choice("Music.style", self.style, Style)
        check_choice("Music.origin", self.origin, Origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storyboard:
    """The whole intent for one clip."""

    width: int
    height: int
    frames: int
    seed: int
    language: Language  # of the prompt
    audio: bool
    camera_fixed: bool
    morph: bool  # ends on the last picture
    shots: tuple[Shot, ...]
    motions: tuple[Motion, ...] = ()
    lights: tuple[Lighting, ...] = ()
    lines: tuple[Line, ...] = ()
    actions: tuple[Action, ...] = ()
    body_actions: tuple[BodyAction, ...] = ()
    cues: tuple[Cue, ...] = ()
    music: Music | None = None
    travels: tuple[Travel, ...] = ()  # of different things
    notes: tuple[str, ...] = ()  # what was asked and could not be done, or was done differently

    def __post_init__(self) -> None:
        Canvas(self.width, self.height, self.frames)  # raises what it does not allow
        check_whole("Storyboard.seed", self.seed, 0, SEED_MAX)
        check_choice("Storyboard.language", self.language, Language)
        for name in ("audio", "camera_fixed", "morph"):
            check_type(f"Storyboard.{name}", getattr(self, name), bool)
        for name, kind in (
            ("shots", Shot), ("motions", Motion), ("lights", Lighting), ("lines", Line), ("actions", Action),
            ("body_actions", BodyAction), ("cues", Cue), ("travels", Travel), ("notes", str),
        ):  # fmt: skip
            check_tuple(f"Storyboard.{name}", getattr(self, name), kind)
        if self.music is not None:
            check_type("Storyboard.music", self.music, Music)
        for name, kinds in (
            ("motions", [m.kind for m in self.motions]),
            ("lights", [light.kind for light in self.lights]),
            ("cues", [cue.kind for cue in self.cues]),
        ):
            if len(set(kinds)) < len(kinds):
                raise ValueError(f"Storyboard.{name} must be of different kinds; they are {', '.join(kinds)}.")
        music = () if self.music is None else (self.music,)
        timed: tuple[Motion | Lighting | Line | Action | BodyAction | Cue | Music | Travel, ...] = (
            *self.motions, *self.lights, *self.lines, *self.actions, *self.body_actions, *self.cues, *music,
            *self.travels,
        )  # fmt: skip
        for one in timed:
            for name, at in (("start", one.start), ("end", one.end)):
                if at is not None:
                    check_whole(f"{type(one).__name__}.{name}", at, 0, self.frames)
        bounds = [0, *(shot.end for shot in self.shots)]
        if [shot.start for shot in self.shots] != bounds[:-1] or bounds[-1] != self.frames:
            told = ", ".join(f"{shot.start}..{shot.end}" for shot in self.shots)
            raise ValueError(
                f"Storyboard.shots must follow each other from 0 to {self.frames} frames; they are {told}."
            )
        if self.camera_fixed and any(move.kind != "static" for shot in self.shots for move in shot.moves):
            raise ValueError("Storyboard.shots must have static moves only where camera_fixed is True.")
        if not self.audio and (self.cues or self.music):
            raise ValueError("Storyboard.cues must be empty and music None where audio is False.")

    @property
    def canvas(self) -> Canvas:
        return Canvas(self.width, self.height, self.frames)

    def to_data(self) -> dict[str, Any]:
        """Plain data that JSON can hold; `from_data` reads it back."""
        return {"engine": ENGINE, "version": VERSION, **msgspec.to_builtins(self)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Storyboard:
        """Read what `to_data` wrote, also after JSON. Raises ValueError for another engine or version."""
        made_by = (data.get("engine"), data.get("version"))
        if made_by != (ENGINE, VERSION):
            raise ValueError(f"A storyboard of {made_by} cannot be read; known: {(ENGINE, VERSION)}.")
        try:
            return msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise ValueError(f"This is no storyboard: {error}") from error


def _check_time(name: str, start: int | None, end: int | None) -> None:
    """Frames, `end` after `start`."""
    if start is not None:
        check_whole(f"{name}.start", start, 0)
    if end is not None:
        check_whole(f"{name}.end", end, (start or 0) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFact:
    """Where the middle of a face is and how high it is, as shares of the canvas. A face that the border cuts off may
    have its middle a little outside."""

    x: float  # 0 left .. 1 right
    y: float  # 0 top .. 1 bottom
    height: float  # from the brows to the chin
    still: bool = False  # too small, or turned too far away, to be moved

    def __post_init__(self) -> None:
        check_type("FaceFact.still", self.still, bool)
        check_number("FaceFact.x", self.x, -0.5, 1.5)
        check_number("FaceFact.y", self.y, -0.5, 1.5)
        check_number("FaceFact.height", self.height, 0, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyFact:
    """What the outline of the subject and two eyes in it tell, should it be an animal or a person."""

    trust: float  # 0..1: how well its outline is known
    being: Being | Literal[""] = ""  # what the picture itself shows it to be; "": only words can tell
    head: bool = False  # these parts were found
    ears: bool = False
    eyes: bool = False
    tail: bool = False
    eye_seen: bool = False  # one at least that is an animal's, with or without a lid
    upright: bool = False  # a head stands above the trunk, as a person's does

    def __post_init__(self) -> None:
        check_number("BodyFact.trust", self.trust, 0, 1)
        if self.being:
            check_choice("BodyFact.being", self.being, Being)
        for name in ("head", "ears", "eyes", "tail", "eye_seen", "upright"):
            check_type(f"BodyFact.{name}", getattr(self, name), bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingFact:
    """What a second look told of a thing that the prompt names: how surely it was found, its box as shares of
    the canvas, how far it can go to either side on what carries it, in widths (a boat: as far as water is), and the
    side to which it faces, where that was seen. cut_left, cut_right: the border of the picture cuts it off there."""

    thing: Thing
    trust: float
    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0
    reach_left: float = 1.0
    reach_right: float = 1.0
    facing: Drift = ""
    cut_left: bool = False
    cut_right: bool = False

    def __post_init__(self) -> None:
        check_type("ThingFact.thing", self.thing, Thing)
        for name in ("trust", "left", "top", "right", "bottom", "reach_left", "reach_right"):
            check_number(f"ThingFact.{name}", getattr(self, name), 0, 1)
        check_choice("ThingFact.facing", self.facing, Drift)
        check_type("ThingFact.cut_left", self.cut_left, bool)
        check_type("ThingFact.cut_right", self.cut_right, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """What looking at the first frame told; all the script may know of the picture.

    Shares are of the canvas area, 0..1. `*_trust` 0..1: how sure; under TRUSTED the region does not move unless the
    prompt names it, and the camera aims at a subject above SUBJECT_TRUSTED.
    """

    faces: tuple[FaceFact, ...] = ()
    cut_faces: int = 0  # how many the crop to the canvas cuts or leaves out; some may be among `faces` all the same
    subject: float = 0.0
    subject_trust: float = 0.0
    subject_x: float = 0.5  # where its middle is, shares of the canvas
    subject_y: float = 0.5
    body: BodyFact | None = None  # None: too small or too vague to be moved, or a face is there to act
    sky: float = 0.0
    sky_trust: float = 0.0
    bare: bool = False  # no cloud is seen in that sky whose drift would show
    water: float = 0.0
    water_trust: float = 0.0
    plants: float = 0.0
    plants_trust: float = 0.0
    fire: float = 0.0
    fire_trust: float = 0.0
    hair: float = 0.0  # of people
    hair_trust: float = 0.0
    brightness: float = 0.5  # mean luma 0..1
    grey: bool = False  # a black and white photo
    warm: float = 0.0  # how warm its warmest quarter is: 0 neutral .. 1 orange
    cold: float = 0.0  # how cold its coldest quarter is: 0 neutral .. 1 blue
    sun: float = 0.0  # 1 where the sun, or by night the moon, is seen in the sky
    sunny: float = 0.0  # how surely the sun shines on open ground
    lamps: int = 0  # lit lamps
    windows: int = 0  # windows that could be lit
    signs: int = 0  # neon signs
    drawn: float = 0.0  # how surely it is a drawing of flat colours; 0: a photograph
    horizon: float = 0.5  # row, share of the height, at which the ground vanishes
    things: tuple[ThingFact, ...] = ()  # those that the prompt names, in its order, and what floats
    detail: float = 1.0  # pixels of the picture for each of the canvas, along a side

    def __post_init__(self) -> None:
        check_tuple("PictureFacts.faces", self.faces, FaceFact)
        if self.body is not None:
            check_type("PictureFacts.body", self.body, BodyFact)
        check_tuple("PictureFacts.things", self.things, ThingFact)
        check_type("PictureFacts.grey", self.grey, bool)
        check_type("PictureFacts.bare", self.bare, bool)
        check_whole("PictureFacts.cut_faces", self.cut_faces, 0)
        for name in ("lamps", "windows", "signs"):
            check_whole(f"PictureFacts.{name}", getattr(self, name), 0)
        check_number("PictureFacts.detail", self.detail, 0.001, 1000)
        for field in fields(self):
            if field.name not in (
                "faces",
                "things",
                "cut_faces",
                "body",
                "grey",
                "bare",
                "detail",
                "lamps",
                "windows",
                "signs",
            ):
                check_number(f"PictureFacts.{field.name}", getattr(self, field.name), 0, 1)
