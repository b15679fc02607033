"""No clip is ever still: whatever the picture, with no words and a camera that does not move, something lives."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.faces import photo
from support.liveliness import measure
from vivant.engines.diorama.engine import render_segment
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.found_things import FoundThings
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.timing.resolve import resolve
from vivant.request import Canvas

PHOTOS = (
    "antelope", "cat_chelsea", "city_day", "dahlia", "drawing_cat", "dune_grass", "leaves", "meadow_trees",
    "mountain_lake", "raccoon", "reeds", "sea_falls", "waves_sunset",
)  # fmt: skip
CANVAS = Canvas(640, 368, 49)


@pytest.fixture(scope="module")
def analyser() -> SceneAnalyser:
    return SceneAnalyser()


@pytest.mark.parametrize("name", PHOTOS)
def test_something_lives_in_every_quarter_without_words_and_with_the_camera_fixed(
    analyser: SceneAnalyser, name: str
) -> None:
    scene = analyser.analyse(photo(f"{name}.jpg"), CANVAS)
    board = write("", scene.facts, canvas=CANVAS, seed=3, audio=False, camera_fixed=True, morph=False)
    renderer = render_segment(board, scene, resolve(board, scene.facts, []), FoundThings(scene, analyser.find).find)
    frames = np.stack([renderer.frame(n).y for n in range(CANVAS.frames)])
    seen = measure(frames, fixed=True)
    assert seen.equal_frames <= 1
    for number, quarter in enumerate(seen.quarters):
        first, last = (frames[k * CANVAS.frames // 4 - (k == 4)] for k in (number, number + 1))
        lit = float((cv2.absdiff(cv2.blur(first, (5, 5)), cv2.blur(last, (5, 5))) > 3).mean())
        assert quarter.flow >= 0.1 or lit >= 0.03, f"quarter {number + 1}: {quarter.flow:.2f} px, {lit:.3f} changes"
