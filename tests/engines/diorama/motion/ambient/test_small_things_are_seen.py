"""Small things in the air are seen to move in every quarter of a clip, by day and before a dark background."""

from __future__ import annotations

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

CANVAS = Canvas(640, 368, 73)


@pytest.mark.parametrize(
    ("name", "prompt", "share"),
    [
        ("antelope", "Dust floats in the air. Nothing else moves.", 0.022),
        ("wine_room", "Sparkles float in the air. Nothing else moves.", 0.022),
        ("city_day", "Confetti falls. Nothing else moves.", 0.06),
    ],
)  # fmt: skip
def test_what_floats_is_seen_in_every_quarter(name: str, prompt: str, share: float) -> None:
    """share: of the frame that visibly changes within 3 frames in the weakest quarter, in which they fade in."""
    analyser = SceneAnalyser()
    scene = analyser.analyse(photo(f"{name}.jpg"), CANVAS)
    board = write(prompt, scene.facts, canvas=CANVAS, seed=3, audio=False, camera_fixed=True, morph=False)
    renderer = render_segment(board, scene, resolve(board, scene.facts, []), FoundThings(scene, analyser.find).find)
    frames = np.stack([renderer.frame(n).y for n in range(CANVAS.frames)])
    assert min(quarter.changed for quarter in measure(frames, fixed=True).quarters) >= share
