"""The timeline: when lines are spoken and events happen, and that everything lies inside the clip."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from vivant.engines.diorama.storyboard import Cue, FaceFact, Line, Motion, Move, PictureFacts, Shot, Speaker, Storyboard
from vivant.engines.diorama.timing.lines import room_for_speech
from vivant.engines.diorama.timing.resolve import resolve
from vivant.engines.diorama.timing.timeline import Event, Phone, Spoken, Timeline

FACE = FaceFact(x=0.75, y=0.4, height=0.3)
FACTS = PictureFacts(faces=(FACE,), sky=0.3, sky_trust=0.9)


def board(seconds: int = 5, **fields: Any) -> Storyboard:
    frames = 24 * seconds + 1
    shot = Shot(start=0, end=frames, moves=(Move(kind="static"),))
    plain = Storyboard(
        width=864,
        height=496,
        frames=frames,
        seed=11,
        language="en",
        audio=True,
        camera_fixed=False,
        morph=False,
        shots=(shot,),
    )
    return replace(plain, **fields)


def line(text: str = "Hello.", speaker: str = "the man", face: int = 0) -> Line:
    return Line(text=text, language="en", speaker=Speaker(name=speaker), voice="am_michael", face_index=face)


def spoken(seconds: float) -> Spoken:
    n = round(seconds * 48_000)
    return Spoken(
        samples=np.full(n, 0.1, np.float32),
        phones=tuple(Phone(symbol="a", start=i * 0.1, end=(i + 1) * 0.1) for i in range(int(seconds * 10))),
    )


def kinds(timeline: Timeline, kind: str) -> list[Event]:
    return [event for event in timeline.events if event.kind == kind]


def test_a_line_begins_after_a_breath_and_ends_inside_the_clip() -> None:
    timeline = resolve(board(lines=(line(),)), FACTS, [spoken(2.0)])
    [placed] = timeline.lines
    assert 0.3 < placed.start / 48_000 < 0.7
    assert placed.end < timeline.samples


def test_lines_follow_each_other_and_never_overlap() -> None:
    lines = (line(), line(speaker="the woman", face=-1), line())
    placed = resolve(board(8, lines=lines), FACTS, [spoken(1.5), spoken(2.0), spoken(1.0)]).lines
    assert len(placed) == 3
    for one, after in itertools.pairwise(placed):
        assert after.start - one.end >= 0.12 * 48_000


def test_a_full_clip_shrinks_its_silences_and_loses_no_word() -> None:
    length = room_for_speech(97) - 0.12 - 0.01
    timeline = resolve(board(4, lines=(line(), line())), FACTS, [spoken(length / 2), spoken(length / 2)])
    assert [len(p.spoken.samples) for p in timeline.lines] == [round(length / 2 * 48_000)] * 2
    assert timeline.lines[-1].end <= timeline.samples


def test_speech_that_cannot_fit_is_cut_at_the_end_without_a_click() -> None:
    timeline = resolve(board(4, lines=(line(), line())), FACTS, [spoken(3.0), spoken(3.0)])
    assert timeline.lines[-1].end <= timeline.samples
    cut = timeline.lines[-1].spoken
    assert cut.samples[-1] == 0
    assert all(phone.end <= len(cut.samples) / 48_000 + 1e-9 for phone in cut.phones)


def test_a_voice_comes_from_the_side_of_the_face_that_speaks() -> None:
    assert resolve(board(lines=(line(),)), FACTS, [spoken(1.0)]).lines[0].pan == pytest.approx(0.25)
    assert resolve(board(lines=(line(face=-1),)), FACTS, [spoken(1.0)]).lines[0].pan == 0.0


def test_thunder_follows_its_stroke_by_the_distance_sound_travels() -> None:
    timeline = resolve(
        board(8, motions=(Motion(kind="lightning", strength=0.8),), cues=(Cue(kind="thunder"),)), FACTS, []
    )
    strokes = {event.id: event for event in kinds(timeline, "strike")}
    assert strokes
    for thunder in kinds(timeline, "thunder"):
        stroke = strokes[thunder.cause]
        delay = thunder.time - stroke.time
        assert Fraction(1, 5) <= delay <= 2
        assert thunder.x == stroke.x
    near, far = min(strokes.values(), key=lambda e: e.depth), max(strokes.values(), key=lambda e: e.depth)
    after = {event.cause: event.time for event in kinds(timeline, "thunder")}
    assert after[near.id] - near.time <= after[far.id] - far.time


def test_the_sky_lights_up_in_the_frame_of_the_stroke_and_not_before() -> None:
    timeline = resolve(board(8, motions=(Motion(kind="lightning"),)), FACTS, [])
    light = timeline.light
    first = int(kinds(timeline, "strike")[0].time * 24)
    assert np.all(light[:first] == 1)
    assert light[first] > 1.15


def test_flashes_stay_under_three_a_second() -> None:
    """More than three general flashes a second can trigger seizures (WCAG 2.3.1)."""
    for seed in range(20):
        timeline = resolve(board(12, seed=seed, motions=(Motion(kind="lightning", strength=1.0),)), FACTS, [])
        light = timeline.light
        peaks = [
            n
            for n in range(1, len(light) - 1)
            if light[n] > 1.1 and light[n] > light[n - 1] and light[n] >= light[n + 1]
        ]
        assert all(len([p for p in peaks if n <= p < n + 24]) <= 3 for n in peaks)


def test_steps_keep_a_walking_pace() -> None:
    times = [float(event.time) for event in kinds(resolve(board(10, cues=(Cue(kind="footsteps"),)), FACTS, []), "step")]
    gaps = np.diff(times)
    assert len(times) >= 15
    assert 0.4 < gaps.min() <= gaps.max() < 0.65
    assert gaps.std() > 0.002  # steps are not perfectly regular


def test_cues_become_beds_or_events_but_never_both() -> None:
    cues = tuple(Cue(kind=kind) for kind in ("rain", "thunder", "footsteps", "waves", "traffic"))
    timeline = resolve(board(cues=cues), FACTS, [])
    assert {bed.kind for bed in timeline.beds} == {"rain", "waves", "traffic"}
    assert {event.kind for event in timeline.events} == {"thunder", "step", "wave", "pass"}


def test_events_and_curves_stay_inside_the_clip() -> None:
    cues = tuple(Cue(kind=kind) for kind in ("thunder", "footsteps", "waves", "traffic", "fire", "wind"))
    for seconds in (4, 12):
        motions = (Motion(kind="lightning"), Motion(kind="fire"))
        timeline = resolve(board(seconds, cues=cues, motions=motions), FACTS, [])
        assert all(0 <= event.time <= timeline.seconds for event in timeline.events)
        assert all(0 <= event.strength <= 1 and -1 <= event.x <= 1 for event in timeline.events)
        for curve in (timeline.wind, timeline.flicker, timeline.light):
            assert curve.shape == (timeline.frames,)
            assert curve.dtype == np.float32
            assert np.isfinite(curve).all()
        assert timeline.camera.frames == timeline.frames
        assert all(face.frames == timeline.frames for face in timeline.faces)


def test_the_same_seed_gives_the_same_timeline_and_another_seed_another() -> None:
    cues = (Cue(kind="footsteps"), Cue(kind="waves"))
    one, same, other = (resolve(board(cues=cues, seed=seed), FACTS, []) for seed in (1, 1, 2))
    assert one.events == same.events
    assert one.events != other.events
    assert np.array_equal(one.wind, same.wind)
    assert not np.array_equal(one.wind, other.wind)


def test_firelight_flickers_only_where_something_burns() -> None:
    assert not resolve(board(), FACTS, []).flicker.any()
    flicker = resolve(board(motions=(Motion(kind="fire", strength=0.8),)), FACTS, []).flicker
    assert flicker[0] == 0
    assert 0.5 < np.abs(flicker).max() <= 0.8 + 1e-6


def test_a_cut_is_where_a_shot_says_so_and_nowhere_else() -> None:
    pan, zoom = Move(kind="pan"), Move(kind="zoom")
    shots = (Shot(start=0, end=60, moves=(pan,)), Shot(start=60, end=121, moves=(zoom,)))
    assert resolve(board(shots=shots), FACTS, []).cuts == ()
    cut = (shots[0], replace(shots[1], cut=True))
    assert resolve(board(shots=cut), FACTS, []).cuts == (60,)
    assert resolve(board(), FACTS, []).cuts == ()


def test_open_air_is_drier_than_a_room() -> None:
    assert resolve(board(), FACTS, []).room < resolve(board(), PictureFacts(), []).room
