from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WATERLINE, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.motion.ambient import falls
from vivant.engines.diorama.motion.ambient.stream import EARLIER, REACH
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Motion
from vivant.media import F32, U8


@pytest.fixture(scope="module")
def cascade() -> Scene:
    """A white fall with upright streaks between columns 160 and 320, above a pool; rock beside it."""
    chance = np.random.default_rng(2)
    rock = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 2.0)
    grey = 55 + 60 * rock
    streaks = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), sigmaX=1.4, sigmaY=22)
    grey[40:220, 160:320] = (150 + 500 * streaks)[40:220, 160:320]
    grey[220:] = 120
    picture: U8 = np.clip(np.repeat(grey[..., None], 3, 2), 0, 255).astype(np.uint8)
    wet = rows_between(220, HEIGHT)
    wet[40:220, 150:330] = 1
    return scene_of(picture, water=region(wet))


def middle(values: F32) -> F32:
    """The body of the fall on the quarter grid."""
    return values[20:48, 46:74]


def test_a_fall_is_found_by_its_upright_streaks(cascade: Scene) -> None:
    found = falls.find_falling(cascade.source.planes.y, cascade.water.mask, 1.0)
    assert found[80:180, 190:290].mean() > 0.9
    assert found[:200, :120].max() == 0 and found[:200, 360:].max() == 0


def test_a_mirrored_steep_shore_is_not_a_fall() -> None:
    """Upright streaks as well, but dark and faint."""
    chance = np.random.default_rng(2)
    streaks = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), sigmaX=2.0, sigmaY=9)
    picture = np.clip(np.repeat((45 + 70 * streaks)[..., None], 3, 2), 0, 255).astype(np.uint8)
    lake = scene_of(picture, water=region(rows_between(WATERLINE, HEIGHT)))
    assert falls.find_falling(lake.source.planes.y, lake.water.mask, 1.0).max() == 0


def test_falling_water_comes_from_above(cascade: Scene, play: Play) -> None:
    ambient = play(cascade, Motion(kind="falls"))
    first = ambient.flow(3)
    assert first is not None
    # Sampled upstream: above, and hardly to the side.
    assert middle(first.ay).mean() < -4
    assert np.abs(middle(first.ax)).mean() < 0.3 * np.abs(middle(first.ay)).mean()


def test_a_stream_starts_as_the_picture_and_is_already_flowing(cascade: Scene, play: Play) -> None:
    ambient = play(cascade, Motion(kind="falls"))
    assert ambient.flow(0) is None
    steps = [ambient.flow(n) for n in (1, 2, 3)]
    ways = [middle(step.ay).mean() for step in steps if step is not None]
    shares = [middle(step.weight).max() for step in steps if step is not None]
    assert (
        ways[0] < 0
        and ways[1] == pytest.approx(2 * ways[0], rel=0.1)
        and ways[2] == pytest.approx(3 * ways[0], rel=0.15)
    )
    assert shares[0] < 0.25  # the first copy alone, but for the parts that change over first


def test_a_copy_is_unseen_when_it_starts_again(cascade: Scene, play: Play) -> None:
    ambient = play(cascade, Motion(kind="falls"), frames=73)
    flows = [ambient.flow(n) for n in range(1, 73)]
    for before, after in pairwise(flows):
        assert before is not None and after is not None
        for jump, seen in (
            (after.ay - before.ay, np.minimum(1 - before.weight, 1 - after.weight)),
            (after.by - before.by, np.minimum(before.weight, after.weight)),
        ):
            assert (seen[np.abs(jump) > 12] < 0.2).all()


def test_no_copy_is_carried_further_than_its_path(cascade: Scene, play: Play) -> None:
    ambient = play(cascade, Motion(kind="falls", strength=0.5), frames=73)
    far = max(float(np.abs(f.ay).max()) for n in range(1, 73) if (f := ambient.flow(n)) is not None)
    fastest = falls.SPEED * (0.45 + 0.55) * 1.25 * min(WIDTH, HEIGHT) / 720
    assert far <= fastest * falls.PERIOD * max(REACH, 0.5 + EARLIER) + 6


def test_parts_do_not_change_over_together(cascade: Scene, play: Play) -> None:
    ambient = play(cascade, Motion(kind="falls"), frames=73)
    spreads = [float(middle(f.weight).std()) for n in range(24, 73) if (f := ambient.flow(n)) is not None]
    assert np.mean(spreads) > 0.1


def test_what_is_not_water_takes_no_part(cascade: Scene, play: Play) -> None:
    flow = play(cascade, Motion(kind="falls")).flow(20)
    assert flow is not None
    assert flow.mask[:, :34].max() == 0 and flow.mask[:, 84:].max() == 0
    assert flow.mask.max() > 0.9


def test_a_stream_ends_before_a_last_picture(cascade: Scene, play: Play) -> None:
    ambient = play(cascade, Motion(kind="falls"), morph=True)
    late = ambient.flow(44)
    assert late is not None and 0 < late.mask.max() < 1
    assert ambient.flow(48) is None


def test_streaks_of_light_come_down_with_a_fall(cascade: Scene, play: Play) -> None:
    ambient = play(cascade, Motion(kind="falls"), frames=73)
    shifts = []
    for n in range(20, 60, 4):
        now, soon = ambient.field(n), ambient.field(n + 1)
        assert now is not None and now.gain is not None and soon is not None and soon.gain is not None
        one, two = (
            cv2.resize(middle(gain) - 1, None, fx=1, fy=4, interpolation=cv2.INTER_CUBIC)
            for gain in (now.gain, soon.gain)
        )
        fit = {s: float((one[12:-12] * two[12 + s : len(two) - 12 + s]).sum()) for s in range(-10, 11)}
        shifts.append(max(fit, key=fit.__getitem__))  # px
        assert float(one.std()) > 0.02
    assert np.median(shifts) > 1


def test_a_bright_reflection_in_a_mirror_does_not_fall_unasked(play: Play) -> None:
    chance = np.random.default_rng(2)
    streaks = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), sigmaX=5.0, sigmaY=30)
    picture = np.clip(np.repeat((150 + 300 * streaks)[..., None], 3, 2), 0, 255).astype(np.uint8)
    mirror = scene_of(picture, water=region(rows_between(WATERLINE, HEIGHT)))
    assert play(mirror, Motion(kind="water")).flow(10) is None
