"""The storyboard resolved to exact frames, curves and events: the one thing that both picture and sound read.

Data only; `resolve.py` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from vivant.engines.diorama.storyboard import Line, Music
from vivant.engines.diorama.timing.curves import CameraCurves, FaceCurves
from vivant.media import F32

EventKind = Literal["strike", "thunder", "step", "wave", "pass"]
BedKind = Literal[
    "rain", "wind", "waves", "stream", "waterfall", "fire", "birds", "crickets", "crowd", "traffic", "room"
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """One phoneme or silence as it is heard. Seconds from the start of `Spoken.samples`; each starts where the one
    before ends. A silence carries its punctuation mark; stress, length and tone marks are no phones of their own."""

    symbol: str  # Kokoro's own symbol
    start: float
    end: float
    accent: bool = False  # the vowel of a stressed syllable, or one with a falling tone


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spoken:
    """A line as sound. samples: float32 (n,), mono, 48 kHz; leading and trailing silence trimmed, times shifted."""

    samples: F32
    phones: tuple[Phone, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedLine:
    """A spoken line on the clock. start: sample at 48 kHz."""

    line: Line
    spoken: Spoken
    start: int
    pan: float = 0.0  # -1 left .. 1 right, where the speaker stands in the picture
    depth: float = 0.2  # 0 near .. 1 far

    @property
    def end(self) -> int:
        return self.start + len(self.spoken.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens once. Sound hits its transient at `time`, picture shows it in the frame of `time`."""

    id: str
    kind: EventKind
    time: Fraction  # seconds
    strength: float = 0.5  # 0..1
    x: float = 0.0  # -1 left .. 1 right
    depth: float = 0.5  # 0 near .. 1 far
    cause: str = ""  # id of the event that caused it: a thunder's strike


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """A sound that lasts. Frames start..end; its slow life follows the timeline's curves (wind, flicker)."""

    kind: BedKind
    start: int
    end: int
    strength: float = 0.5
    x: float = 0.0
    depth: float = 0.5
    asked: bool = True  # the prompt named it; False: it only fits the picture, and is mixed as quiet ambience


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """One clip, frame by frame. The curves are float32 (frames,); `faces` are in the order of the picture's faces."""

    frames: int
    seed: int
    wind: F32  # 0 calm .. 1 the strongest
    flicker: F32  # firelight, -1 darkest .. 1 brightest; 0 where nothing burns
    light: F32  # gain of the whole picture, about 1: lightning
    camera: CameraCurves
    faces: tuple[FaceCurves, ...] = ()
    cuts: tuple[int, ...] = ()
    events: tuple[Event, ...] = ()
    beds: tuple[Bed, ...] = ()
    lines: tuple[PlacedLine, ...] = ()
    music: Music | None = None
    room: float = 0.2  # 0 dry and open air .. 1 a large hall

    @property
    def samples(self) -> int:
        return 2000 * self.frames

    @property
    def seconds(self) -> Fraction:
        return Fraction(self.frames, 24)
