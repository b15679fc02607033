from __future__ import annotations

from itertools import pairwise

import numpy as np

from support.scenes import HEIGHT, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.storyboard import Motion

FRAMES = 97


def test_light_drifts_over_the_ground_in_every_quarter_and_the_sky_keeps_its_own(play: Play) -> None:
    grain = np.random.default_rng(1).integers(90, 150, (HEIGHT, WIDTH, 1), np.uint8)
    scene = scene_of(np.repeat(grain, 3, axis=2), sky=region(rows_between(0, 120)))
    ambient = play(scene, Motion(kind="drifting_light"), frames=FRAMES)
    assert ambient.field(0) is None  # the first frame is the picture
    gains = [field.gain for n in range(1, FRAMES, 24) if (field := ambient.field(n)) and field.gain is not None]
    assert len(gains) == 4
    for before, after in pairwise(gains):
        assert (np.abs(after - before)[34:] > 0.03).mean() > 0.3, "the ground"
        assert np.abs(after - before)[:26].max() < 0.005, "the sky"


def test_what_is_white_gets_less_shade_than_what_is_grey(play: Play) -> None:
    rgb = np.random.default_rng(1).integers(90, 150, (HEIGHT, WIDTH, 1), np.uint8).repeat(3, axis=2)
    rgb[:, : WIDTH // 2] = 235
    ambient = play(scene_of(rgb), Motion(kind="drifting_light"), frames=FRAMES)
    gains = [field.gain for n in range(8, FRAMES, 8) if (field := ambient.field(n)) and field.gain is not None]
    deep = np.std(gains, axis=0)
    edge = deep.shape[1] // 2
    assert deep[:, : edge - 12].mean() < 0.9 * deep[:, edge + 12 :].mean()
