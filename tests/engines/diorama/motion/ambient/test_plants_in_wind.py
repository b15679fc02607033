from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, region, scene_of
from vivant.engines.diorama.motion.ambient.gusts import LANES, choose_lane, make_gusts
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Motion
from vivant.media import F32, U8

WIND = Motion(kind="wind", strength=0.7, direction="right")


@pytest.fixture(scope="module")
def bush(texture: U8) -> Scene:
    """A bush between columns 100 and 380, rooted at row 240, in textured surroundings."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[40:240, 100:380] = 1
    return scene_of(texture, plants=region(mask))


def bend(ambient: Ambient, n: int) -> F32:
    field = ambient.field(n)
    assert field is not None
    return field.dx


def test_plants_lean_with_the_wind(bush: Scene, play: Play) -> None:
    rising = np.linspace(0, 1, 73).astype(np.float32)
    # What leans to the right is read from the left.
    for wind, sign in ((WIND, -1), (replace(WIND, direction="left"), 1)):
        dx = bend(play(bush, wind, frames=73, wind=rising), 72)
        assert sign * dx[15:25, 40:80].mean() > 0.5


def test_roots_hold_while_crowns_swing(bush: Scene, play: Play) -> None:
    upright = replace(bush, depth=np.full_like(bush.depth, 0.6))
    ambient = play(upright, replace(WIND, strength=0.4), frames=73, wind=0.4)
    swing = np.mean([np.abs(bend(ambient, n)) for n in range(10, 72, 3)], axis=0)[:, 40:80].mean(axis=1)
    crown, middle, root = swing[18:28].mean(), swing[46:52].mean(), swing[53:57].mean()
    assert crown > 1.15 * middle and middle > 1.3 * root


def test_a_gust_crosses_the_picture_with_the_wind(bush: Scene, play: Play) -> None:
    gust = np.zeros(97, np.float32)
    gust[48:] = 1
    ambient = play(bush, WIND, frames=97, wind=gust)
    bent = np.array([np.abs(bend(ambient, n))[15:40] for n in range(1, 96)])
    left, right = bent[..., 32:42].mean(axis=(1, 2)), bent[..., 78:88].mean(axis=(1, 2))
    calm, before = slice(0, 20), slice(40, 56)
    assert left[before].mean() - left[calm].mean() > 2 * (right[before].mean() - right[calm].mean())
    assert right[75:].mean() > 2 * right[calm].mean()  # and there it comes in the end


def test_parts_of_a_bush_swing_differently_and_neighbours_alike(bush: Scene, play: Play) -> None:
    ambient = play(bush, WIND, frames=73, wind=0.9)
    dx = bend(ambient, 50)[14:54, 34:86]
    assert dx.std() > 0.3  # not all as one
    stretch = np.abs(np.diff(dx, axis=1)) / 4
    assert stretch.mean() < 0.2 and stretch.max() < 1  # and nothing folds


def test_what_is_not_a_plant_stands_still(bush: Scene, play: Play) -> None:
    ambient = play(bush, WIND, frames=49, wind=0.9)
    for n in (5, 30):
        field = ambient.field(n)
        assert field is not None and field.gain is not None
        for values, still in ((field.dx, 0), (field.dy, 0), (field.gain, 1)):
            assert (values[:8] == still).all() and (values[62:] == still).all()
            assert (values[:, :22] == still).all() and (values[:, 98:] == still).all()


def test_no_wind_moves_little_and_a_storm_much(bush: Scene, play: Play) -> None:
    calm, storm = (
        float(np.abs(bend(play(bush, WIND, frames=73, wind=np.full(73, w, np.float32)), 50)).mean()) for w in (0.0, 1.0)
    )
    assert calm * 2.5 < storm


def test_plants_are_as_in_the_picture_at_frame_0_and_at_a_last_picture(bush: Scene, play: Play) -> None:
    ambient = play(bush, WIND, morph=True)
    assert ambient.field(0) is None
    last = ambient.field(48)
    assert last is None or not last.dx.any()
    assert bend(ambient, 1).any()


@pytest.mark.parametrize("seed", range(4))
def test_what_moves_as_one_body_moves_in_every_quarter(seed: int) -> None:
    """A blossom has one swing: a lull of a second, to be expected now and then, would leave it standing."""
    gusts = make_gusts(np.random.default_rng(seed), np.full(97, 0.8, np.float32), 4, 4, 1.6)
    here = np.zeros((3, 3), np.float32)

    def slowest(shift: float) -> float:
        path = gusts.answer[1, gusts.late : gusts.late + 97, int(shift)]
        speed = [float(part.mean()) for part in np.array_split(np.abs(np.diff(path)), 4)]
        return min(speed) / (sum(speed) / 4)

    chosen = slowest(choose_lane(gusts, here, here, here + 1, 97, body=1.0, kind=1)[1])
    assert chosen > 0.6
    assert chosen > np.median([slowest(k * LANES / 16) for k in range(16)])
