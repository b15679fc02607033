from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, region, scene_of
from vivant.engines.diorama.motion.ambient import blades
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Drift, Motion, MotionKind
from vivant.media import F32, U8, Planes

PARTICLES: list[MotionKind] = ["leaves", "petals", "dust", "sparks", "fireflies", "bubbles"]


def draw(scene: Scene, ambient: Ambient, n: int) -> Planes:
    source = scene.source.planes
    frame = Planes(source.y.copy(), source.u.copy(), source.v.copy())
    ambient.overlay(n, frame)
    return frame


def change(scene: Scene, ambient: Ambient, n: int) -> F32:
    difference: F32 = draw(scene, ambient, n).y.astype(np.float32) - scene.source.planes.y
    return np.abs(difference)


@pytest.mark.parametrize("kind", PARTICLES)
def test_particles_are_not_in_the_picture_and_come_in_softly(night: Scene, play: Play, kind: MotionKind) -> None:
    ambient = play(night, Motion(kind=kind, strength=0.8))
    assert not change(night, ambient, 0).any()
    first, later = change(night, ambient, 1).sum(), change(night, ambient, 30).sum()
    assert later > 200
    assert first < 0.2 * later


def test_confetti_is_thrown_and_there_within_a_quarter_of_a_second(night: Scene, play: Play) -> None:
    ambient = play(night, Motion(kind="petals", look="confetti", strength=0.5))
    first, soon, later = (change(night, ambient, n).sum() for n in (1, 7, 30))
    assert not change(night, ambient, 0).any()
    assert first < 0.1 * later
    assert soon > 0.8 * later


def test_confetti_has_square_ends_where_a_petal_is_round() -> None:
    covered = {}
    for name, roundness in (("petal", 1.0), ("paper", 2.0)):
        frame = Planes(np.full((64, 64), 16, np.uint8), *(np.full((32, 32), 128, np.uint8) for _ in "uv"))
        slip = blades.make_batch(1)
        for field, value in {"x": 32, "y": 32, "length": 20, "width": 10, "soft": 0.5, "alpha": 1, "luma": 216}.items():
            slip[field] = value
        slip["cb"] = slip["cr"] = 128
        slip["roundness"] = roundness
        blades.draw(frame, slip)
        covered[name] = (frame.y.astype(float) - 16) / 200
    assert covered["paper"].sum() == pytest.approx(40 * 20, rel=0.05)  # its area: nothing is rounded off
    assert covered["paper"][24, 14] > 0.9 > 0.1 > covered["petal"][24, 14]  # a corner
    assert covered["paper"][32, 54] < 0.1  # and it ends where it ends


@pytest.mark.parametrize("kind", PARTICLES)
def test_particles_leave_before_a_last_picture(night: Scene, play: Play, kind: MotionKind) -> None:
    ambient = play(night, Motion(kind=kind, strength=0.8), morph=True)
    assert not change(night, ambient, 48).any()


@pytest.mark.parametrize("kind", PARTICLES)
def test_more_strength_is_more_particles(night: Scene, play: Play, kind: MotionKind) -> None:
    few, many = (
        sum(float(change(night, play(night, Motion(kind=kind, strength=s), seed=seed), 30).sum()) for seed in range(4))
        for s in (0.1, 1.0)
    )
    assert many > 1.6 * few


@pytest.mark.parametrize("kind", PARTICLES)
def test_particles_move_but_do_not_jump(night: Scene, play: Play, kind: MotionKind) -> None:
    """Two frames in a row are not equal, and nearer to each other than frames far apart."""
    ambient = play(night, Motion(kind=kind, strength=0.6), wind=0.3)
    frames = [draw(night, ambient, n).y.astype(np.float32) for n in range(24, 44)]
    near = np.mean([np.abs(a - b).mean() for a, b in pairwise(frames)])
    far = np.mean([np.abs(a - b).mean() for a, b in zip(frames, frames[10:], strict=False)])
    assert 0 < near < far


@pytest.mark.parametrize("kind", PARTICLES)
def test_particles_are_the_same_each_time(night: Scene, play: Play, kind: MotionKind) -> None:
    one, two = (draw(night, play(night, Motion(kind=kind)), 33) for _ in range(2))
    assert np.array_equal(one.y, two.y) and np.array_equal(one.u, two.u) and np.array_equal(one.v, two.v)


def test_fireflies_and_sparks_bring_their_own_colour(night: Scene, play: Play) -> None:
    flies = draw(night, play(night, Motion(kind="fireflies", strength=1.0)), 30)
    assert flies.u.min() < 100  # yellow-green: little blue
    sparks = draw(night, play(night, Motion(kind="sparks", strength=1.0)), 30)
    assert sparks.v.max() > 140  # red


def test_sparks_rise_from_the_fire_that_is_seen(play: Play) -> None:
    dark: U8 = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    hearth = np.zeros((HEIGHT, WIDTH), np.float32)
    hearth[200:250, 60:140] = 1
    scene = scene_of(dark, fire=region(hearth))
    ambient = play(scene, Motion(kind="sparks", strength=0.8), wind=np.zeros(49, np.float32))
    seen = sum(change(scene, ambient, n) for n in range(20, 48, 3))
    assert isinstance(seen, np.ndarray)
    assert seen[:, 220:].sum() < 0.02 * seen.sum()
    assert seen[100:200, 40:160].sum() > 0


def test_sparks_that_rain_down_fall(night: Scene, play: Play) -> None:
    ambient = play(night, Motion(kind="sparks", direction="down", has_region=False), wind=np.zeros(49, np.float32))
    assert _shift_down(night, ambient) > 1.5 > 0 > _shift_down(night, play(night, Motion(kind="sparks")))


def _shift_down(scene: Scene, ambient: Ambient) -> float:
    """Pixels by which what is drawn goes down from one frame to the next, where they fit best."""
    found = []
    for n in (20, 28, 36):
        one, two = (change(scene, ambient, k) for k in (n, n + 1))
        fits = [float((one[24:-24] * np.roll(two, -d, axis=0)[24:-24]).sum()) for d in range(-20, 21)]
        found.append(int(np.argmax(fits)) - 20)
    return float(np.median(found))


@pytest.mark.parametrize(("side", "sign"), [("left", -1), ("right", 1)])
def test_leaves_go_with_the_wind(night: Scene, play: Play, side: Drift, sign: int) -> None:
    leaves = Motion(kind="leaves", strength=1.0, direction=side)
    ambient = play(night, leaves, wind=np.ones(49, np.float32))
    shifts = range(-24, 25)
    score = np.zeros(len(shifts))
    for n in range(20, 40):
        now, soon = change(night, ambient, n)[:, 30:-30], change(night, ambient, n + 1)
        score += [float((now * soon[:, 30 + s : WIDTH - 30 + s]).sum()) for s in shifts]
    assert sign * shifts[int(score.argmax())] > 2


def test_every_kind_of_motion_can_be_asked_for_in_any_picture(lake: Scene, night: Scene, play: Play) -> None:
    """None fails for want of a region, and none touches frame 0."""
    for scene in (lake, night):
        for kind in get_args(MotionKind):
            ambient = play(scene, Motion(kind=kind), frames=25)
            assert ambient.field(0) is None and ambient.flow(0) is None
            assert not change(scene, ambient, 0).any()
            for n in (1, 24):
                ambient.field(n), ambient.flow(n)
                draw(scene, ambient, n)


def test_frames_made_on_two_threads_are_the_frames_made_in_a_row(lake: Scene, play: Play) -> None:
    kinds: list[MotionKind] = ["rain", "snow", "water", "clouds", "leaves", "fog"]
    ambient = play(lake, *(Motion(kind=kind) for kind in kinds), frames=33)

    def make(n: int) -> tuple[bytes, ...]:
        field, drift, frame = ambient.field(n), ambient.drift(n), draw(lake, ambient, n)
        assert field is not None and drift is not None
        return tuple(a.tobytes() for a in (field.dx, field.dy, drift.ax, drift.by, frame.y, frame.u))

    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(make, reversed(range(1, 33))))
    assert together[::-1] == [make(n) for n in range(1, 33)]
