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
from vivant.media import U8
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


@pytest.mark.parametrize(
    "prompt",
    ["Whip pan to the right.", "A game controller. The camera is static, then at 1 second it whips to the left."],
)
def test_nothing_stands_still_before_or_after_a_whip(analyser: SceneAnalyser, prompt: str) -> None:
    frames = film(analyser, "gamepad", prompt, fixed=False)
    assert all((cv2.absdiff(a, b) > 2).mean() > 0.02 for a, b in zip(frames[6::3], frames[9::3], strict=False))


def test_light_over_a_thing_that_cannot_move_is_seen_in_every_quarter(analyser: SceneAnalyser) -> None:
    frames = film(analyser, "gamepad", "A game controller on a table.", fixed=True)
    assert all(quarter.flow >= 0.25 for quarter in measure(frames, fixed=True).quarters)
    # And it does not flicker: no frame is brighter or darker as a whole than the one before.
    assert np.abs(np.diff(frames.mean(axis=(1, 2)))).max() < 1.0


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("lightning", "Lightning strikes again and again. Static camera."),
        ("city_night", "Lightning. Static camera."),
        ("forest_fog", "A forest. Static camera."),
        ("snow_birds", "Birds in the snow. Static camera."),
        ("sea_cliffs", "Cliffs. Static camera."),
        ("city_night", "A city. Static camera."),
        ("sunset_hills", "Hills. Static camera."),
        ("wine_room", "A room. Static camera."),
    ],
)
def test_what_is_listed_moves_so_that_no_run_of_frames_is_equal(
    analyser: SceneAnalyser, name: str, prompt: str
) -> None:
    frames = film(analyser, name, prompt, fixed=False)
    assert measure(frames, fixed=True).equal_frames <= 6


def test_between_two_strokes_the_sky_broods_and_the_ground_does_not(analyser: SceneAnalyser) -> None:
    frames = film(analyser, "lightning", "Lightning strikes again and again. Static camera.", fixed=True)
    between = frames[36:]  # the stroke is over
    changes = np.stack([cv2.absdiff(a, b) for a, b in zip(between, between[3:], strict=False)]).max(axis=0)
    assert (changes[:240] > 4).mean() > 0.05
    assert (changes[330:] > 4).mean() < 0.01


def test_a_bare_sky_lists_no_clouds_of_its_own_and_light_drifts_in_their_place(analyser: SceneAnalyser) -> None:
    facts = analyser.analyse(photo("city_day.jpg"), CANVAS).facts
    for prompt, listed in (("", False), ("Clouds drift by.", True)):
        board = write(prompt, facts, canvas=CANVAS, seed=3, audio=False, camera_fixed=True, morph=False)
        kinds = {motion.kind for motion in board.motions}
        assert ("clouds" in kinds) is listed
        assert "drifting_light" in kinds


def film(analyser: SceneAnalyser, name: str, prompt: str, *, fixed: bool) -> U8:
    """Luma, uint8 (frames, h, w), of a clip of two seconds."""
    scene = analyser.analyse(photo(f"{name}.jpg"), CANVAS)
    board = write(prompt, scene.facts, canvas=CANVAS, seed=3, audio=False, camera_fixed=fixed, morph=False)
    renderer = render_segment(board, scene, resolve(board, scene.facts, []), FoundThings(scene, analyser.find).find)
    return np.stack([renderer.frame(n).y for n in range(CANVAS.frames)])
