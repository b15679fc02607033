"""Night over a photographed town, on rendered frames in several shapes: the sky darkens as a whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.faces import photo
from vivant.engines.diorama.engine import render_segment
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.found_things import FoundThings
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.timing.resolve import resolve
from vivant.request import Canvas


@pytest.mark.parametrize("ratio", ["16:9", "21:9", "9:16"])
def test_no_pale_stain_is_left_in_a_night_sky(ratio: str) -> None:
    canvas = Canvas.of("480p", ratio, 4)
    analyser = SceneAnalyser()
    scene = analyser.analyse(photo("city_day.jpg"), canvas)
    board = write(
        "Night falls over the city.", scene.facts, canvas=canvas, seed=3, audio=False, camera_fixed=True, morph=False
    )
    renderer = render_segment(board, scene, resolve(board, scene.facts, []), FoundThings(scene, analyser.find).find)
    luma = cv2.blur(renderer.frame(canvas.frames - 1).y.astype(np.float32), (9, 9))
    open_sky = cv2.erode((scene.sky.mask > 0.9).astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    open_sky[int(0.22 * canvas.height) :] = False  # below stand far houses
    rows = [luma[y][open_sky[y]] for y in range(canvas.height) if open_sky[y].sum() > 0.3 * canvas.width]
    assert len(rows) > 0.1 * canvas.height
    assert max(float(row.max() - np.median(row)) for row in rows) < 14
