"""The storyboard resolved to exact frames, curves and events: the one thing that both picture and sound read.

Data only; `resolve.py` makes it. Whatever is built with a value that is not allowed raises ValueError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np

from vivant.engines.diorama.checks import (
    check_array,
    check_choice,
    check_number,
    check_tuple,
    check_type,
    check_whole,
)  # fmt: skip
from vivant.engines.diorama.storyboard import Line, Music
from vivant.engines.diorama.timing.curves import HOME, BodyCurves, CameraCurves, FaceCurves
from vivant.engines.diorama.timing.travel import TravelCurves
from vivant.engines.diorama.timing.views import WHOLE, View
from vivant.media import F32, SAMPLE_RATE, SAMPLES_PER_FRAME
from vivant.request import FPS, SEED_MAX

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

    def __post_init__(self) -> None:
        check_type("Phone.symbol", self.symbol, str)
        check_number("Phone.start", self.start, 0)
        check_number("Phone.end", self.end, self.start)
        check_type("Phone.accent", self.accent, bool)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spoken:
    """A line as sound. samples: float32 (n,), mono, 48 kHz; leading and trailing silence trimmed, times shifted."""

    samples: F32
    phones: tuple[Phone, ...]

    def __post_init__(self) -> None:
        check_array("Spoken.samples", self.samples, np.float32, (None,))
        check_tuple("Spoken.phones", self.phones, Phone)
        for before, after in pairwise(self.phones):
            if abs(after.start - before.end) > 1e-6:
                raise ValueError(f"Spoken.phones must follow each other; {after} does not follow {before}.")
        if self.phones and self.phones[-1].end > (len(self.samples) + 1) / SAMPLE_RATE:
            raise ValueError(
                f"Spoken.phones must end within the samples, at {len(self.samples) / SAMPLE_RATE:.3f} s at most; "
                f"they end at {self.phones[-1].end:.3f} s."
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedLine:
    """A spoken line on the clock. start: sample at 48 kHz."""

    line: Line
    spoken: Spoken
    start: int
    pan: float = 0.0  # -1 left .. 1 right, where the speaker stands in the picture
    depth: float = 0.2  # 0 near .. 1 far

    def __post_init__(self) -> None:
        check_type("PlacedLine.line", self.line, Line)
        check_type("PlacedLine.spoken", self.spoken, Spoken)
        check_whole("PlacedLine.start", self.start, 0)
        check_number("PlacedLine.pan", self.pan, -1, 1)
        check_number("PlacedLine.depth", self.depth, 0, 1)

    @property
    def end(self) -> int:
        """One past its last sample."""
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

    def __post_init__(self) -> None:
        check_type("Event.id", self.id, str)
        if not self.id:
            raise ValueError("Event.id must not be empty.")
        check_choice("Event.kind", self.kind, EventKind)
        check_type("Event.time", self.time, Fraction)
        check_number("Event.time", float(self.time), 0)
        check_number("Event.strength", self.strength, 0, 1)
        check_number("Event.x", self.x, -1, 1)
        check_number("Event.depth", self.depth, 0, 1)
        check_type("Event.cause", self.cause, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """A sound that lasts for the whole clip. How it swells follows the timeline's curves."""

    kind: BedKind
    strength: float = 0.5  # 0..1
    depth: float = 0.5  # 0 near .. 1 far
    asked: bool = True  # the prompt named it; False: it only fits the picture, and is mixed as quiet ambience
    start: int = 0  # frames start..end-1; None: to the end of the clip
    end: int | None = None

    def __post_init__(self) -> None:
        check_choice("Bed.kind", self.kind, BedKind)
        check_number("Bed.strength", self.strength, 0, 1)
        check_number("Bed.depth", self.depth, 0, 1)
        check_type("Bed.asked", self.asked, bool)
        check_whole("Bed.start", self.start, 0)
        if self.end is not None:
            check_whole("Bed.end", self.end, self.start + 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """One clip, frame by frame. The curves are float32 (frames,); `faces` are in the order of the picture's faces."""

    frames: int
    seed: int
    wind: F32  # 0 calm .. 1 the strongest
    flicker: F32  # firelight, -1 darkest .. 1 brightest; 0 where nothing burns
    light: F32  # gain of the whole picture, about 1: lightning
    camera: CameraCurves
    lights: tuple[F32, ...] = ()  # of each lighting of the storyboard, in order: how far, or how much, 0..1
    faces: tuple[FaceCurves, ...] = ()
    body: BodyCurves | None = None  # of a subject without a face that can be moved
    cuts: tuple[int, ...] = ()  # frames at which a new segment starts: the view jumps there
    views: tuple[View, ...] = (WHOLE,)  # what each segment shows, one more than there are cuts
    events: tuple[Event, ...] = ()
    beds: tuple[Bed, ...] = ()
    lines: tuple[PlacedLine, ...] = ()
    music: Music | None = None
    travels: tuple[TravelCurves, ...] = ()  # of the storyboard's travels whose thing was found
    room: float = 0.2  # 0 dry and open air .. 1 a large hall

    def __post_init__(self) -> None:
        check_whole("Timeline.frames", self.frames, 1)
        check_whole("Timeline.seed", self.seed, 0, SEED_MAX)
        check_array("Timeline.wind", self.wind, np.float32, (self.frames,), 0, 1)
        check_array("Timeline.flicker", self.flicker, np.float32, (self.frames,), -1, 1)
        check_array("Timeline.light", self.light, np.float32, (self.frames,), 0)
        check_type("Timeline.camera", self.camera, CameraCurves)
        check_tuple("Timeline.lights", self.lights, np.ndarray)
        for curve in self.lights:
            check_array("Timeline.lights", curve, np.float32, (self.frames,), 0, 1)
        for name, kind in (
            ("faces", FaceCurves), ("cuts", int), ("events", Event), ("beds", Bed), ("lines", PlacedLine),
            ("travels", TravelCurves),
        ):  # fmt: skip
            check_tuple(f"Timeline.{name}", getattr(self, name), kind)
        if self.music is not None:
            check_type("Timeline.music", self.music, Music)
        check_number("Timeline.room", self.room, 0, 1)
        check_whole("CameraCurves.frames", self.camera.frames, self.frames, self.frames)
        if self.body is not None:
            check_type("Timeline.body", self.body, BodyCurves)
            check_whole("BodyCurves.frames", self.body.frames, self.frames, self.frames)
        for face in self.faces:
            check_whole("FaceCurves.frames", face.frames, self.frames, self.frames)
        if list(self.cuts) != sorted({cut for cut in self.cuts if 0 < cut < self.frames}):
            raise ValueError(f"Timeline.cuts must rise from 1 to at most {self.frames - 1}; they are {self.cuts}.")
        check_tuple("Timeline.views", self.views, View)
        check_whole("len(Timeline.views)", len(self.views), len(self.cuts) + 1, len(self.cuts) + 1)
        self._check_events()
        for line in self.lines:
            check_whole("PlacedLine.end", line.end, 0, self.samples)
            check_whole("Line.face_index", line.line.face_index, -1, len(self.faces) - 1)

    def _check_events(self) -> None:
        """In order of time and inside the clip, each under an id of its own, no effect before its cause."""
        earlier: set[str] = set()
        last = Fraction(0)
        for event in self.events:
            if not last <= event.time <= self.seconds:
                raise ValueError(
                    f"Timeline.events must be in order of time, at most {float(self.seconds):.3f} s; "
                    f"{event.id} at {float(event.time):.3f} s follows one at {float(last):.3f} s."
                )
            if event.id in earlier:
                raise ValueError(f"Timeline.events must have an id each; {event.id!r} is that of two.")
            if event.cause and event.cause not in earlier:
                raise ValueError(f"Event.cause must be the id of an earlier event; {event.cause!r} is none.")
            earlier.add(event.id)
            last = event.time

    @property
    def segments(self) -> tuple[tuple[int, int], ...]:
        """(start, end): the frames from one cut to the next."""
        return tuple(pairwise((0, *self.cuts, self.frames)))

    def of_segment(self, segment: int, faces: Sequence[int]) -> Timeline:
        """What the picture of one segment reads: at home outside of it, without cuts, with these of the faces only."""
        start, end = self.segments[segment]
        home = CameraCurves.at_home(self.frames)
        camera = {}
        for name in HOME:
            camera[name] = getattr(home, name).copy()
            camera[name][start:end] = getattr(self.camera, name)[start:end]
        return replace(
            self,
            camera=CameraCurves(**camera),
            faces=tuple(self.faces[index] for index in faces),
            cuts=(),
            views=(self.views[segment],),
            lines=(),
            travels=tuple(travel.within(self.views[segment]) for travel in self.travels),
        )

    @property
    def samples(self) -> int:
        """Of the soundtrack."""
        return SAMPLES_PER_FRAME * self.frames

    @property
    def seconds(self) -> Fraction:
        return Fraction(self.frames, FPS)
