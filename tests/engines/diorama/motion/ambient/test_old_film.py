"""Film that is old: grain over the whole frame and a picture that weaves in its gate, in every quarter; nothing else of
a vintage grade has them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, scene_of
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Lighting
from vivant.media import F32, Planes

FRAMES = 97


@pytest.fixture(scope="module")
def board_of_squares() -> Scene:
    rgb = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    rgb[60:200:40, :] = 60
    rgb[:, 60:420:60] = 60
    return scene_of(cv2.GaussianBlur(rgb, (0, 0), 2.0).astype(np.uint8))


def shown(scene: Scene, ambient: Ambient, n: int) -> F32:
    source = scene.source.planes
    frame = Planes(source.y.copy(), source.u.copy(), source.v.copy())
    if n:
        ambient.overlay(n, frame)
    return frame.y.astype(np.float32)


def test_old_film_has_grain_and_weaves_in_every_quarter(board_of_squares: Scene, play: Play) -> None:
    ambient = play(board_of_squares, frames=FRAMES, lights=(Lighting(kind="vintage", words="old film"),))
    still = shown(board_of_squares, ambient, 0)
    assert np.array_equal(still, board_of_squares.source.planes.y)
    for first in (20, 40, 64, 84):
        moved = []
        for n in range(first, first + 12):
            now = shown(board_of_squares, ambient, n)
            moved.append(cv2.phaseCorrelate(still, now)[0])
            flat = (now - cv2.GaussianBlur(now, (0, 0), 4.0))[70:90, 70:110]
            assert 1.5 < flat.std() < 12
        assert 0.3 < np.ptp(moved, axis=0).max() < 4  # pixels


def test_the_film_runs_within_half_a_second_though_its_colours_take_longer(board_of_squares: Scene, play: Play) -> None:
    ambient = play(board_of_squares, frames=FRAMES, lights=(Lighting(kind="vintage", words="old film"),))
    grain = []
    for n in (1, 12, 60):
        now = shown(board_of_squares, ambient, n)
        grain.append((now - cv2.GaussianBlur(now, (0, 0), 4.0))[70:90, 70:110].std())
    assert grain[0] < 0.3 * grain[2]
    assert grain[1] > 0.8 * grain[2]


def test_the_grain_of_one_frame_is_not_that_of_the_next_and_the_same_each_time(
    board_of_squares: Scene, play: Play
) -> None:
    light = Lighting(kind="vintage", words="8mm film")
    one, again = (play(board_of_squares, frames=FRAMES, lights=(light,)) for _ in range(2))
    assert np.array_equal(shown(board_of_squares, one, 50), shown(board_of_squares, again, 50))
    first, second = (shown(board_of_squares, one, n)[70:90, 70:110] for n in (50, 51))
    first, second = first - cv2.GaussianBlur(first, (0, 0), 3), second - cv2.GaussianBlur(second, (0, 0), 3)
    assert abs(float(np.corrcoef(first.ravel(), second.ravel())[0, 1])) < 0.5


@pytest.mark.parametrize("light", [Lighting(kind="vintage", words="sepia"), Lighting(kind="warm", words="film")])
def test_a_grade_that_is_no_film_has_neither(board_of_squares: Scene, play: Play, light: Lighting) -> None:
    ambient = play(board_of_squares, frames=FRAMES, lights=(light,))
    assert np.array_equal(shown(board_of_squares, ambient, 50), shown(board_of_squares, ambient, 0))
