"""How fast a light comes: it has its speed within half a second, and does not jump."""

from __future__ import annotations

import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH
from vivant.engines.diorama.storyboard import Lighting, LightKind, Move, Shot, Storyboard
from vivant.engines.diorama.timing.lights import make_lights
from vivant.media import F32
from vivant.request import FPS


def curve(kind: LightKind, seconds: int) -> F32:
    frames = seconds * FPS + 1
    still = Shot(start=0, end=frames, moves=(Move(kind="static"),))
    board = Storyboard(
        width=WIDTH, height=HEIGHT, frames=frames, seed=1, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(still,), lights=(Lighting(kind=kind),),
    )  # fmt: skip
    return make_lights(board)[0]


@pytest.mark.parametrize("seconds", [4, 12])
@pytest.mark.parametrize("kind", ["dusk", "night", "dawn", "vintage", "warm"])
def test_a_change_of_light_has_its_speed_within_half_a_second_and_sets_off_softly(
    kind: LightKind, seconds: int
) -> None:
    steps = np.diff(curve(kind, seconds))
    half = FPS // 2
    assert steps[half - 3 : half].mean() > 0.85 * steps.max()
    assert steps[0] < 0.05 * steps.max()
    assert (steps >= 0).all() and np.abs(np.diff(steps)).max() < 0.35 * steps.max()


def test_evening_comes_faster_at_first_than_at_last_and_is_complete() -> None:
    falls = curve("dusk", 4)
    assert falls[0] == 0 and falls[-1] == pytest.approx(1)
    assert falls[24] > 0.25
