"""Values of the engine that cannot be right cannot be built; the message says what is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, scene_of
from support.timelines import still
from vivant.engines.diorama.motion.ambient.stream import Current
from vivant.engines.diorama.motion.fields import Field, Flow, Patch, Rect
from vivant.engines.diorama.scene.border import Borders
from vivant.engines.diorama.scene.scene import Face, Region, Source
from vivant.engines.diorama.sound.music.ensemble import Instrument
from vivant.engines.diorama.sound.music.harmony import Chord
from vivant.engines.diorama.sound.music.soundfont import Note
from vivant.engines.diorama.sound.speech.prosody import Prosody
from vivant.engines.diorama.sound.speech.voices import Voice
from vivant.engines.diorama.storyboard import (
    Action,
    Cue,
    FaceFact,
    Framing,
    Lighting,
    Line,
    Motion,
    Move,
    Music,
    PictureFacts,
    Shot,
    Speaker,
    Storyboard,
)
from vivant.engines.diorama.timing.curves import CameraCurves, FaceCurves
from vivant.engines.diorama.timing.timeline import Bed, Event, Phone, PlacedLine, Spoken
from vivant.media import F32

LINE = Line(text="Hello.", language="en", speaker=Speaker())
STILL = Shot(start=0, end=97, moves=(Move(kind="static"),))
BOARD = Storyboard(
    width=640, height=640, frames=97, seed=1, language="en", audio=True, camera_fixed=False, morph=False,
    shots=(STILL,), motions=(Motion(kind="rain"),), lights=(Lighting(kind="night", words="night falls"),),
    lines=(LINE,), actions=(Action(kind="smile"),),
    cues=(Cue(kind="rain"),), music=Music(mood="calm", tempo=72), notes=("A note.",),
)  # fmt: skip


HOME = CameraCurves.at_home(97)
FACE = FaceCurves.at_rest(97)
SPOKEN = Spoken(samples=np.zeros(4800, np.float32), phones=(Phone(symbol="a", start=0.0, end=0.1),))
PLACED = PlacedLine(line=LINE, spoken=SPOKEN, start=0)
STRIKE = Event(id="strike0", kind="strike", time=Fraction(1))
THUNDER = Event(id="thunder0", kind="thunder", time=Fraction(2), cause="strike0")
CLIP = replace(still(97), faces=(FACE,), events=(STRIKE, THUNDER), beds=(Bed(kind="rain"),), lines=(PLACED,))
GRID = np.zeros((4, 6), np.float32)
PATCH = Patch(Rect(2, 4, 8, 4), *(np.zeros(shape, np.uint8) for shape in ((8, 16), (2, 4), (2, 4))))
NOTE = Note(start=0.0, length=1.0, key=60, velocity=80, program=0)
SCENE = scene_of(np.full((HEIGHT, WIDTH, 3), 90, np.uint8))


def curve(value: float, frames: int = 97) -> F32:
    return np.full(frames, value, np.float32)


def a(value: object) -> Any:
    """A value of a type that mypy would refuse."""
    return value


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: Move(kind=a("slide")), "Move.kind must be one of 'static', 'pan'"),
    (
        lambda: Move(kind="pan", direction="up"),
        "Move.direction of a pan must be one of '', 'left', 'right'",
    ),
    (lambda: Move(kind="pan", direction=a(None)), "Move.direction of a pan must be one of '', 'left', 'right'"),
    (lambda: Move(kind="static", direction="left"), "Move.direction of a static must be one of ''; it is 'left'"),
    (lambda: Move(kind="pan", speed=a("quick")), "Move.speed must be one of 'slow', 'normal', 'fast'"),
    (lambda: Move(kind="pan", strength=1.5), "Move.strength must be a number from 0 to 1; it is 1.5"),
    (lambda: Move(kind="pan", strength=float("nan")), "Move.strength must be a number from 0 to 1; it is nan"),
    (lambda: Move(kind="pan", strength=a(True)), "Move.strength must be a number from 0 to 1; it is True"),
    (lambda: Move(kind="pan", strength=a("1")), "Move.strength must be a number from 0 to 1; it is '1'"),
    (lambda: Move(kind="pan", origin=a("user")), "Move.origin must be one of 'prompt', 'picture', 'default'"),
    (lambda: Move(kind="pan", words=a(None)), "Move.words must be of type str"),
    (lambda: Shot(start=-1, end=97, moves=()), "Shot.start must be a whole number of at least 0; it is -1"),
    (lambda: Shot(start=5, end=5, moves=()), "Shot.end must be a whole number of at least 6; it is 5"),
    (lambda: Shot(start=0, end=a(9.5), moves=()), "Shot.end must be a whole number of at least 1; it is 9.5"),
    (lambda: Shot(start=0, end=9, moves=a([])), "Shot.moves must be a tuple of Move"),
    (lambda: Shot(start=0, end=9, moves=(), cut=True), "Shot.cut must be False for the shot that begins the clip"),
    (lambda: Shot(start=3, end=9, moves=(), framing=Framing()), "Shot.framing must be None where there is no cut"),
    (lambda: Framing(size=a("huge")), "Framing.size must be one of 'wide'"),
    (lambda: Framing(face_index=-2), "Framing.face_index must be a whole number of at least -1; it is -2"),
    (lambda: Action(kind="nod", start=-1), "Action.start must be a whole number of at least 0; it is -1"),
    (lambda: Cue(kind="rain", start=9, end=9), "Cue.end must be a whole number of at least 10; it is 9"),
    (lambda: Action(kind="nod", order=-1), "Action.order must be a whole number of at least 0; it is -1"),
    (
        lambda: replace(BOARD, motions=(Motion(kind="rain", end=98),)),
        "Motion.end must be a whole number from 0 to 97; it is 98",
    ),
    (lambda: Lighting(kind=a("sun")), "Lighting.kind must be one of 'night'"),
    (lambda: Lighting(kind="rays", strength=1.5), "Lighting.strength must be a number from 0 to 1; it is 1.5"),
    (
        lambda: replace(BOARD, lights=(Lighting(kind="rays"), Lighting(kind="rays"))),
        "Storyboard.lights must be of different kinds; they are rays, rays",
    ),
    (
        lambda: replace(BOARD, lights=(Lighting(kind="rays", end=98),)),
        "Lighting.end must be a whole number from 0 to 97",
    ),
    (lambda: Motion(kind=a("hail")), "Motion.kind must be one of 'rain'"),
    (lambda: Motion(kind="rain", strength=-0.1), "Motion.strength must be a number from 0 to 1; it is -0.1"),
    (
        lambda: Motion(kind="rain", direction=a("in")),
        "Motion.direction must be one of 'left', 'right', 'up'",
    ),
    (lambda: Speaker(gender=a("girl")), "Speaker.gender must be one of 'woman', 'man', ''"),
    (lambda: Speaker(age=a("")), "Speaker.age must be one of 'child', 'young', 'adult', 'old'"),
    (lambda: Speaker(off_screen=a(1)), "Speaker.off_screen must be of type bool; it is 1"),
    (lambda: replace(LINE, language=a("fr")), "Line.language must be one of 'en', 'zh'; it is 'fr'"),
    (lambda: replace(LINE, text=a(b"hi")), "Line.text must be of type str"),
    (lambda: replace(LINE, text="a" * 801), "len(Line.text) must be a whole number from 0 to 800; it is 801"),
    (lambda: replace(LINE, speaker=a("him")), "Line.speaker must be of type Speaker"),
    (lambda: replace(LINE, tone=a("loud")), "Line.tone must be one of 'neutral'"),
    (lambda: replace(LINE, face_index=-2), "Line.face_index must be a whole number of at least -1; it is -2"),
    (
        lambda: replace(LINE, speaker=Speaker(off_screen=True), face_index=0),
        "Line.face_index of a speaker off screen must be -1; it is 0",
    ),
    (lambda: Action(kind=a("fly")), "Action.kind must be one of 'smile'"),
    (lambda: Action(kind="smile", face_index=-1), "Action.face_index must be a whole number of at least 0; it is -1"),
    (lambda: Cue(kind=a("splash")), "Cue.kind must be one of 'rain'"),
    (lambda: Cue(kind="rain", strength=7), "Cue.strength must be a number from 0 to 1; it is 7"),
    (lambda: Music(mood=a("grumpy"), tempo=72), "Music.mood must be one of 'calm'"),
    (lambda: Music(mood="calm", tempo=300), "Music.tempo must be a whole number from 40 to 200; it is 300"),
    (lambda: Music(mood="calm", tempo=72, style=a("polka")), "Music.style must be one of 'piano'"),
    (lambda: replace(BOARD, width=641), "even"),
    (lambda: replace(BOARD, frames=0, shots=()), "frame"),
    (lambda: replace(BOARD, seed=-1), "Storyboard.seed must be a whole number from 0 to 4294967295; it is -1"),
    (lambda: replace(BOARD, language=a("de")), "Storyboard.language must be one of 'en', 'zh'"),
    (lambda: replace(BOARD, morph=a(0)), "Storyboard.morph must be of type bool; it is 0"),
    (lambda: replace(BOARD, shots=()), "Storyboard.shots must follow each other from 0 to 97"),
    (lambda: replace(BOARD, shots=(replace(STILL, end=96),)), "from 0 to 97 frames; they are 0..96"),
    (lambda: replace(BOARD, shots=(replace(STILL, start=1),)), "from 0 to 97 frames; they are 1..97"),
    (
        lambda: replace(BOARD, shots=(replace(STILL, end=50), replace(STILL, start=49))),
        "from 0 to 97 frames; they are 0..50, 49..97",
    ),
    (lambda: replace(BOARD, motions=a([Motion(kind="rain")])), "Storyboard.motions must be a tuple of Motion"),
    (lambda: replace(BOARD, lines=a(("Hello.",))), "Storyboard.lines must be a tuple of Line"),
    (lambda: replace(BOARD, notes=a((None,))), "Storyboard.notes must be a tuple of str"),
    (lambda: replace(BOARD, music=a("piano")), "Storyboard.music must be of type Music"),
    (
        lambda: replace(BOARD, camera_fixed=True, shots=(replace(STILL, moves=(Move(kind="pan"),)),)),
        "Storyboard.shots must have static moves only where camera_fixed is True",
    ),
    (lambda: replace(BOARD, audio=False), "Storyboard.cues must be empty and music None where audio is False"),
    (
        lambda: replace(BOARD, cues=(Cue(kind="rain"), Cue(kind="rain", strength=0.2))),
        "Storyboard.cues must be of different kinds; they are rain, rain",
    ),
    (lambda: replace(BOARD, motions=(Motion(kind="rain"),) * 2), "Storyboard.motions must be of different kinds"),
    (lambda: FaceFact(x=2, y=0, height=0.2), "FaceFact.x must be a number from -0.5 to 1.5; it is 2"),
    (lambda: FaceFact(x=0, y=0, height=-1), "FaceFact.height must be a number from 0 to 2; it is -1"),
    (lambda: PictureFacts(water=1.01), "PictureFacts.water must be a number from 0 to 1; it is 1.01"),
    (lambda: PictureFacts(sky_trust=a(None)), "PictureFacts.sky_trust must be a number from 0 to 1; it is None"),
    (lambda: PictureFacts(grey=a("yes")), "PictureFacts.grey must be of type bool"),
    # timing
    (
        lambda: replace(HOME, x=a(np.zeros(97))),
        "CameraCurves.x must be a float32 array of shape (97)",
    ),
    (lambda: replace(HOME, pan=curve(0, 96)), "CameraCurves.pan must be a float32 array of shape (97)"),
    (
        lambda: replace(HOME, zoom=curve(0)),
        "CameraCurves.zoom must be finite from 0.01 to 100",
    ),
    (lambda: replace(HOME, roll=curve(np.nan)), "CameraCurves.roll must be finite; it goes from nan to nan"),
    (lambda: replace(FACE, jaw=curve(1.5)), "FaceCurves.jaw must be finite from 0 to 1; it goes from 1.5 to 1.5"),
    (lambda: replace(FACE, smile=curve(-2)), "FaceCurves.smile must be finite from -1 to 1"),
    (lambda: replace(FACE, yaw=a([0.0] * 97)), "FaceCurves.yaw must be a float32 array of shape (97)"),
    (lambda: Phone(symbol="a", start=0.2, end=0.1), "Phone.end must be a number of at least 0.2; it is 0.1"),
    (lambda: Phone(symbol="a", start=-0.1, end=0.1), "Phone.start must be a number of at least 0; it is -0.1"),
    (lambda: replace(SPOKEN, samples=a(np.zeros(9))), "Spoken.samples must be a float32 array of shape (n)"),
    (lambda: replace(SPOKEN, samples=np.zeros((2, 9), np.float32)), "shape (n); it is float32 (2, 9)"),
    (lambda: replace(SPOKEN, samples=SPOKEN.samples[:2400]), "Spoken.phones must end within the samples, at 0.050 s"),
    (lambda: replace(SPOKEN, phones=SPOKEN.phones * 2), "Spoken.phones must follow each other"),
    (lambda: replace(PLACED, start=-1), "PlacedLine.start must be a whole number of at least 0; it is -1"),
    (lambda: replace(PLACED, pan=2.0), "PlacedLine.pan must be a number from -1 to 1; it is 2.0"),
    (
        lambda: replace(STRIKE, kind=a("splash")),
        "Event.kind must be one of 'strike', 'thunder', 'step', 'wave'",
    ),
    (lambda: replace(STRIKE, id=""), "Event.id must not be empty"),
    (lambda: replace(STRIKE, strength=7), "Event.strength must be a number from 0 to 1; it is 7"),
    (lambda: replace(STRIKE, x=-1.5), "Event.x must be a number from -1 to 1; it is -1.5"),
    (lambda: replace(STRIKE, time=a(1.0)), "Event.time must be of type Fraction; it is 1.0"),
    (lambda: replace(STRIKE, time=Fraction(-1)), "Event.time must be a number of at least 0; it is -1.0"),
    (lambda: Bed(kind=a("thunder")), "Bed.kind must be one of 'rain'"),
    (lambda: Bed(kind="rain", depth=-1), "Bed.depth must be a number from 0 to 1; it is -1"),
    (lambda: replace(CLIP, frames=98), "Timeline.wind must be a float32 array of shape (98); it is float32 (97,)"),
    (lambda: replace(CLIP, flicker=curve(2)), "Timeline.flicker must be finite from -1 to 1"),
    (lambda: replace(CLIP, light=curve(-1)), "Timeline.light must be finite of at least 0"),
    (
        lambda: replace(CLIP, camera=CameraCurves.at_home(96)),
        "CameraCurves.frames must be a whole number equal to 97",
    ),
    (lambda: replace(CLIP, faces=(FaceCurves.at_rest(96),)), "FaceCurves.frames must be a whole number equal to 97"),
    (lambda: replace(CLIP, cuts=(0,)), "Timeline.cuts must rise from 1 to at most 96; they are (0,)"),
    (lambda: replace(CLIP, cuts=(50, 20)), "Timeline.cuts must rise from 1 to at most 96"),
    (lambda: replace(CLIP, cuts=a((True,))), "Timeline.cuts must be a tuple of int; it is (True,)"),
    (lambda: replace(CLIP, room=1.2), "Timeline.room must be a number from 0 to 1; it is 1.2"),
    (lambda: replace(CLIP, beds=a(("rain",))), "Timeline.beds must be a tuple of Bed"),
    (lambda: replace(CLIP, lines=(replace(PLACED, start=193_000),)), "PlacedLine.end must be a whole number from 0 to"),
    (
        lambda: replace(CLIP, lines=(replace(PLACED, line=replace(LINE, face_index=1)),)),
        "Line.face_index must be a whole number from -1 to 0; it is 1",
    ),
    (lambda: replace(CLIP, events=(replace(THUNDER, cause=""), STRIKE)), "Timeline.events must be in order of time"),
    (lambda: replace(CLIP, events=(replace(STRIKE, time=Fraction(5)),)), "in order of time, at most 4.042 s"),
    (
        lambda: replace(CLIP, events=(STRIKE, STRIKE)),
        "Timeline.events must have an id each; 'strike0' is that of two",
    ),
    (lambda: replace(CLIP, events=(THUNDER,)), "Event.cause must be the id of an earlier event; 'strike0' is none"),
    # scene
    (
        lambda: Region(a(np.zeros((4, 4))), 1.0),
        "Region.mask must be a float32 array of shape (n, n)",
    ),
    (lambda: Region(np.full((4, 4), 2, np.float32), 1.0), "Region.mask must be finite from 0 to 1"),
    (lambda: Region(np.zeros((4, 4), np.float32), 1.1), "Region.trust must be a number from 0 to 1; it is 1.1"),
    (lambda: replace(HOME, x=a(None)), "CameraCurves.x must be of type ndarray; it is None"),
    (lambda: replace(FACE, jaw=a(None)), "FaceCurves.jaw must be of type ndarray; it is None"),
    (lambda: Source(a(None), SCENE.source.y2), "Source.planes must be of type Planes; it is None"),
    (lambda: replace(SCENE, source=a(None)), "Scene.source must be of type Source; it is None"),
    (lambda: replace(SCENE, facts=a(None)), "Scene.facts must be of type PictureFacts; it is None"),
    (lambda: replace(SCENE, sky=a(None)), "Scene.sky must be of type Region; it is None"),
    (lambda: Source(SCENE.source.planes, SCENE.source.planes.y), "Source.y2 must be a uint8 array of shape"),
    (
        lambda: Face(np.zeros((468, 3), np.float32), 0.9, 80.0),
        "Face.landmarks must be a float32 array of shape",
    ),
    (lambda: replace(SCENE, depth=SCENE.depth[:-1]), "Scene.depth must be a float32 array of shape (272, 480)"),
    (
        lambda: replace(SCENE, rgb=SCENE.rgb.astype(np.float32)),
        "Scene.rgb must be a uint8 array of shape (272, 480, 3",
    ),
    (lambda: replace(SCENE, sky=Region(np.zeros((4, 4), np.float32), 1.0)), "Scene.sky.mask must be a float32 array"),
    (lambda: replace(SCENE, waterline=-1.0), "Scene.waterline must be a number from 0 to 272; it is -1.0"),
    (
        lambda: replace(SCENE, facts=PictureFacts(faces=(FaceFact(x=0.5, y=0.5, height=0.3),))),
        "Scene.faces must be a whole number equal to 1; it is 0",
    ),
    (lambda: Borders(left=1.5), "Borders.left must be a number from 0 to 1; it is 1.5"),
    # motion
    (lambda: Rect(1, 0, 4, 4), "Rect.left must be even; it is 1"),
    (lambda: Rect(0, -2, 4, 4), "Rect.top must be a whole number of at least 0; it is -2"),
    (lambda: Rect(0, 0, 0, 4), "Rect.width must be a whole number of at least 2; it is 0"),
    (lambda: Field(GRID, GRID[1:]), "Field.dy must be a float32 array of shape (4, 6); it is float32 (3, 6)"),
    (lambda: Field(GRID, GRID + np.float32(np.nan)), "Field.dy must be finite"),
    (lambda: Field(GRID, GRID, a(GRID.astype(float))), "Field.gain must be a float32 array of shape (4, 6)"),
    (lambda: Flow(GRID, GRID, GRID, GRID, GRID + 2, GRID), "Flow.weight must be finite from 0 to 1"),
    (
        lambda: Current(GRID, GRID, GRID, 0.0, np.zeros(3)),
        "Current.period must be a number of at least 0.01; it is 0.0",
    ),
    (lambda: replace(PATCH, y2=PATCH.y2[:4]), "Patch.y2 must be a uint8 array of shape (8, 16)"),
    (lambda: replace(PATCH, u=PATCH.y2), "Patch.u must be a uint8 array of shape (2, 4)"),
    # sound
    (lambda: replace(NOTE, velocity=0), "Note.velocity must be a whole number from 1 to 127; it is 0"),
    (lambda: replace(NOTE, start=-1.0), "Note.start must be a number of at least 0; it is -1.0"),
    (lambda: replace(NOTE, pan=2.0), "Note.pan must be a number from -1 to 1; it is 2.0"),
    (lambda: Chord("V", 7, 9, (7, 11, 2)), "Chord.tones must be the root, two more at least, and among them the bass"),
    (lambda: Chord("V", 19, 19, (19, 11, 2)), "Chord.tones must be a whole number from 0 to 11; it is 19"),
    (lambda: Instrument(role=a("solo"), program=0), "Instrument.role must be one of 'melody', 'chords', 'bass'"),
    (
        lambda: Instrument(role="bass", program=0, low=60, high=48),
        "Instrument.high must be a whole number from 60",
    ),
    (lambda: Prosody(breath=1.2), "Prosody.breath must be a number from 0 to 1; it is 1.2"),
    (
        lambda: Voice(language="en", gender="man", age="old", tables={"am_michael": 0.6}),
        "Voice.tables must have shares that sum to 1; they sum to 0.6",
    ),
]


@pytest.mark.parametrize(("build", "told"), WRONG, ids=lambda value: "" if callable(value) else value)
def test_a_value_that_cannot_be_right_is_refused_with_what_is_allowed(build: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        build()


def test_a_storyboard_survives_json() -> None:
    assert Storyboard.from_data(json.loads(json.dumps(BOARD.to_data()))) == BOARD


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": "1"}, "A storyboard of ('diorama', '1') cannot be read"),
        ({"engine": "testcard"}, "A storyboard of ('testcard', '4') cannot be read"),
        ({"seed": "1"}, "This is no storyboard: Expected `int`, got `str` - at `$.seed`"),
        ({"motions": [{"kind": "hail"}]}, "at `$.motions[0].kind`"),
        ({"motions": [{"kind": "rain", "strength": 7}]}, "Motion.strength must be a number from 0 to 1; it is 7"),
        ({"shots": []}, "Storyboard.shots must follow each other"),
    ],
)
def test_a_stored_storyboard_with_a_wrong_value_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        Storyboard.from_data(BOARD.to_data() | change)
