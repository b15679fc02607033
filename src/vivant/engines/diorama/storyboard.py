"""What the embedded engine understood and intends, before a pixel or a sample exists. Plain frozen data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from vivant.request import Canvas

ENGINE: Final = "diorama"
VERSION: Final = "1"

Origin = Literal["prompt", "picture", "default"]  # why it is in the storyboard
Language = Literal["en", "zh"]
Speed = Literal["slow", "normal", "fast"]
MoveKind = Literal["static", "pan", "tilt", "zoom", "dolly", "truck", "pedestal", "orbit", "roll", "handheld"]
Direction = Literal["left", "right", "up", "down", "in", "out", "clockwise", "counterclockwise", ""]
MotionKind = Literal[
    "rain", "snow", "water", "falls", "clouds", "wind", "fire", "smoke", "fog", "lightning", "leaves", "petals",
    "dust", "sparks", "fireflies", "bubbles",
]  # fmt: skip
CueKind = Literal[
    "rain", "wind", "waves", "stream", "waterfall", "fire", "birds", "crickets", "crowd", "traffic", "thunder",
    "footsteps", "room",
]  # fmt: skip
Mood = Literal["calm", "happy", "sad", "tense", "epic", "mysterious", "romantic", "playful"]
Tone = Literal["neutral", "happy", "sad", "angry", "whisper", "shout", "excited", "gentle"]
Age = Literal["child", "young", "adult", "old"]
Gender = Literal["woman", "man", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One camera move. strength 0..1 scales how far it goes (0.5 is the tasteful usual)."""

    kind: MoveKind
    direction: Direction = ""
    speed: Speed = "normal"
    strength: float = 0.5
    origin: Origin = "prompt"
    words: str = ""  # those of the prompt that ask for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """Frames start..end-1 under one set of simultaneous moves."""

    start: int
    end: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Something in the scene moves by itself. strength 0..1; direction is where it drifts, if the prompt said."""

    kind: MotionKind
    strength: float = 0.5
    direction: Direction = ""
    origin: Origin = "prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who says a line, as far as the words (or the face) tell. `name` is the words themselves, e.g. "the old man"."""

    name: str = ""
    gender: Gender = ""
    age: Age = "adult"
    off_screen: bool = False  # a narrator: no lips move


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One spoken line. `language` is that of the words spoken, not of the prompt."""

    text: str
    language: Language
    speaker: Speaker
    tone: Tone = "neutral"
    voice: str = ""  # a name of the voice table
    face_index: int = -1  # index of the face whose lips move; -1: none


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A person or animal in the picture does something: smile, nod, blink, look, turn…"""

    kind: str
    face_index: int = 0  # index of the face
    origin: Origin = "prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """A sound to hear. Beds last the whole clip; events happen once or at their own rhythm."""

    kind: CueKind
    strength: float = 0.5  # 0..1
    origin: Origin = "prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Music:
    mood: Mood
    tempo: int  # beats per minute
    style: str = ""  # e.g. "piano", "strings", "guitar", "electronic", "" = fitted to the mood
    origin: Origin = "prompt"


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
    lines: tuple[Line, ...] = ()
    actions: tuple[Action, ...] = ()
    cues: tuple[Cue, ...] = ()
    music: Music | None = None
    notes: tuple[str, ...] = ()  # what was asked and could not be done, or was done differently

    @property
    def canvas(self) -> Canvas:
        return Canvas(self.width, self.height, self.frames)

    def to_data(self) -> dict[str, Any]:
        return {"engine": ENGINE, "version": VERSION, **asdict(self)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Storyboard:
        """Read what `to_data` wrote, also after JSON. Raises ValueError for another engine or version."""
        fields = dict(data)
        made_by = (fields.pop("engine", None), fields.pop("version", None))
        if made_by != (ENGINE, VERSION):
            raise ValueError(f"A storyboard of {made_by} cannot be read; known: {(ENGINE, VERSION)}.")
        shots = tuple(
            Shot(start=shot["start"], end=shot["end"], moves=tuple(Move(**move) for move in shot["moves"]))
            for shot in data["shots"]
        )
        lines = tuple(Line(**{**line, "speaker": Speaker(**line["speaker"])}) for line in data["lines"])
        return cls(
            **{
                **fields,
                "shots": shots,
                "motions": tuple(Motion(**motion) for motion in data["motions"]),
                "lines": lines,
                "actions": tuple(Action(**action) for action in data["actions"]),
                "cues": tuple(Cue(**cue) for cue in data["cues"]),
                "music": Music(**data["music"]) if data["music"] else None,
                "notes": tuple(data["notes"]),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFact:
    """Where a face is, as shares of the canvas (0..1), and how large."""

    x: float
    y: float
    height: float
    mouth_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """What looking at the first frame told; all the script may know of the picture.

    Shares are of the canvas area, 0..1. `*_trust` 0..1: how sure; under 0.5 the region is not moved by itself
    unless the prompt names it.
    """

    faces: tuple[FaceFact, ...] = ()
    subject: float = 0.0
    subject_trust: float = 0.0
    subject_x: float = 0.5  # where its middle is, shares of the canvas
    subject_y: float = 0.5
    sky: float = 0.0
    sky_trust: float = 0.0
    water: float = 0.0
    water_trust: float = 0.0
    plants: float = 0.0
    plants_trust: float = 0.0
    fire: float = 0.0
    fire_trust: float = 0.0
    brightness: float = 0.5  # mean luma 0..1
    grey: bool = False  # a black and white photo
    horizon: float = 0.5  # share of the height
