"""A motion that has a time is seen in it and nowhere else, and nothing jumps where it begins or ends."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from support.scenes import HEIGHT, WATERLINE, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Motion, MotionKind
from vivant.engines.diorama.timing.timeline import Event
from vivant.media import U8, Planes

START, END, FRAMES = 24, 60, 73
OVERLAYS: list[MotionKind] = [
    "rain", "snow", "fog", "smoke", "leaves", "petals", "dust", "sparks", "fireflies", "bubbles",
]  # fmt: skip


@pytest.fixture(scope="module")
def everything(texture: U8) -> Scene:
    """Water below, sky above, plants between them, a fire on the left."""
    fire = np.zeros((HEIGHT, WIDTH), np.float32)
    fire[HEIGHT // 3 : 2 * HEIGHT // 3, : WIDTH // 4] = 1
    plants = rows_between(80, WATERLINE) * (1 - fire)
    return scene_of(
        texture,
        water=region(rows_between(WATERLINE, HEIGHT)),
        sky=region(rows_between(0, 80)),
        plants=region(plants),
        fire=region(fire),
    )


def draw(scene: Scene, ambient: Ambient, n: int) -> Planes:
    source = scene.source.planes
    frame = Planes(source.y.copy(), source.u.copy(), source.v.copy())
    ambient.overlay(n, frame)
    return frame


@pytest.mark.parametrize("kind", OVERLAYS)
def test_what_is_in_front_is_there_in_its_time_only(night: Scene, play: Play, kind: MotionKind) -> None:
    ambient = play(night, Motion(kind=kind, strength=0.9, start=START, end=END), frames=FRAMES)
    changed = [
        not np.array_equal(draw(night, ambient, n).y, night.source.planes.y)
        for n in (1, START - 1, START + 12, (START + END) // 2, END, FRAMES - 1)
    ]
    assert changed == [False, False, True, True, False, False]


def moved(ambient: Ambient, n: int) -> float:
    field = ambient.field(n)
    return 0.0 if field is None else float(np.abs(field.dx).max() + np.abs(field.dy).max())


@pytest.mark.parametrize("kind", ["water", "wind"])
def test_what_swings_is_at_rest_outside_its_time(everything: Scene, play: Play, kind: MotionKind) -> None:
    ambient = play(everything, Motion(kind=kind, strength=0.9, start=START, end=END), frames=FRAMES)
    assert [moved(ambient, n) > 0 for n in (1, START - 1, START + 12, END - 12, END, FRAMES - 1)] == [
        False, False, True, True, False, False,
    ]  # fmt: skip


def test_clouds_set_off_at_their_time_and_stop_where_they_are(lake: Scene, play: Play) -> None:
    ambient = play(lake, Motion(kind="clouds", strength=0.9, start=START, end=END), frames=FRAMES)

    def way(n: int) -> float:
        drift = ambient.drift(n)
        return 0.0 if drift is None else float(np.abs(drift.ax).max())

    ways = [way(n) for n in range(FRAMES)]
    assert max(ways[: START + 1]) < 0.01
    assert ways[END] > 3
    assert ways[END] == pytest.approx(ways[FRAMES - 1], abs=0.05)
    speeds = np.abs(np.diff(ways))
    assert np.abs(np.diff(speeds)).max() < 0.25 * speeds.max()  # no sudden start or stop


def test_one_current_waits_while_another_flows(everything: Scene, play: Play) -> None:
    ambient = play(everything, Motion(kind="falls"), Motion(kind="fire", start=START), frames=FRAMES)
    before = ambient.flow(START - 1)
    after = ambient.flow(START + 12)
    assert before is not None and after is not None
    flames = np.s_[HEIGHT // 12 : 2 * HEIGHT // 12, : WIDTH // 16]
    assert np.abs(before.ay[flames]).max() == 0 < np.abs(after.ay[flames]).max()


def test_a_stroke_is_seen_in_the_very_frame_that_was_asked_for(lake: Scene, play: Play) -> None:
    stroke = Event(id="strike0", kind="strike", time=Fraction(START, 24), strength=0.8)
    ambient = play(lake, Motion(kind="lightning", start=START), frames=FRAMES, events=(stroke,))
    assert np.array_equal(draw(lake, ambient, START - 1).y, lake.source.planes.y)
    assert not np.array_equal(draw(lake, ambient, START).y, lake.source.planes.y)
