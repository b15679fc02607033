"""Hot air makes what is behind it waver: where it is, in every quarter, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from support.faces import photo
from support.liveliness import Box, measure
from support.scenes import HEIGHT, WIDTH, Play
from vivant.engines.diorama.engine import render_segment
from vivant.engines.diorama.motion.ambient import shimmer
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.found_things import FoundThings
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import Motion
from vivant.engines.diorama.timing.resolve import resolve
from vivant.media import U8
from vivant.request import Canvas

CANVAS = Canvas(640, 368, 73)


def film(name: str, prompt: str) -> U8:
    analyser = SceneAnalyser()
    scene = analyser.analyse(photo(f"{name}.jpg"), CANVAS)
    board = write(prompt, scene.facts, canvas=CANVAS, seed=3, audio=False, camera_fixed=True, morph=False)
    renderer = render_segment(board, scene, resolve(board, scene.facts, []), FoundThings(scene, analyser.find).find)
    return np.stack([renderer.frame(n).y for n in range(CANVAS.frames)])


@pytest.mark.parametrize(
    ("name", "prompt", "where"),
    [
        ("dune_grass", "Heat haze shimmers over the dunes. Nothing else moves.", (0.0, 0.6, 1.0, 0.85)),
        ("mountain_path", "热浪滚滚。其他都不动。", (0.0, 0.35, 1.0, 0.75)),
    ],
)
def test_heat_haze_lies_over_the_ground(name: str, prompt: str, where: Box) -> None:
    seen = measure(film(name, prompt), fixed=True, where=where)
    assert seen.flow >= 0.5
    assert seen.in_place >= 0.6
    assert seen.equal_frames == 0


def test_nothing_wavers_at_frame_0_and_nothing_far_above_the_ground(lake: Scene, play: Play) -> None:
    ambient = play(lake, Motion(kind="heat", strength=0.8))
    assert ambient.field(0) is None
    fields = [field for n in (6, 18, 30, 42) if (field := ambient.field(n)) is not None]
    row = round(lake.horizon / 4)
    for field in fields:
        assert np.abs(field.dx[row : row + 6]).max() > 0.5
        assert np.abs(field.dx[: max(1, row - 12)]).max(initial=0) < 0.05
    assert np.abs(fields[0].dx - fields[1].dx).max() > 0.5


def test_the_air_over_a_fire_wavers_above_it_and_not_beside_it() -> None:
    weight = shimmer.over_fire((120.0, 130.0, 150.0, 190.0), 30.0, (HEIGHT, WIDTH))
    assert weight[(120 - 24) // 4, 170 // 4] > 0.9
    assert weight[140 // 4 :].max() == 0
    assert weight[:, : 60 // 4].max() < 0.05
