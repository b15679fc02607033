"""Rain on a pane: drops that show the scene upside down hang and run down over it, in every quarter; beside them the
scene is seen softly through the mist, and frame 0 is the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, scene_of
from vivant.engines.diorama.motion.ambient.air import make_air
from vivant.engines.diorama.motion.ambient.window_drops import BEADS, WindowDrops
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import Motion, PictureFacts, Shot, Storyboard
from vivant.media import U8, Planes, to_planes
from vivant.request import Canvas

from support.timelines import still  # isort: skip

FRAMES = 97
QUARTERS = (12, 36, 60, 84)


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Bright above, dark below."""
    picture = np.full((HEIGHT, WIDTH, 3), 210, np.uint8)
    picture[HEIGHT // 2 :] = 60
    return scene_of(picture)


@pytest.fixture(scope="module")
def pane(scene: Scene) -> WindowDrops:
    storyboard = Storyboard(
        width=WIDTH, height=HEIGHT, frames=FRAMES, seed=7, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(Shot(start=0, end=FRAMES, moves=()),),
    )  # fmt: skip
    return WindowDrops(make_air(scene, storyboard, still(FRAMES)), 0.5)


def drawn(pane: WindowDrops, picture: U8, n: int) -> Planes:
    frame = to_planes(picture)
    pane.draw(n, frame)
    return frame


def runners(pane: WindowDrops, n: int) -> tuple[np.ndarray, np.ndarray]:
    drops = pane.drops(n)
    count = len(pane._column)
    return drops["x"][-count:].astype(float), drops["y"][-count:].astype(float)


def test_at_frame_0_the_pane_is_dry(pane: WindowDrops, scene: Scene) -> None:
    assert (drawn(pane, scene.rgb, 0).y == scene.source.planes.y).all()


def test_drops_run_down_in_every_quarter_and_never_up(pane: WindowDrops) -> None:
    for n in QUARTERS:
        (x0, y0), (x1, y1) = runners(pane, n), runners(pane, n + 1)
        same = y1 > y0 - 0.5 * HEIGHT  # the others have come in again above
        assert (y1 - y0)[same].min() >= -1e-3
        assert (y1 - y0)[same].mean() * 640 / WIDTH >= 0.5
        assert np.abs(x1 - x0)[same].max() < 6


def test_a_drop_shows_the_scene_upside_down(pane: WindowDrops, scene: Scene) -> None:
    n = 72
    luma, drops = drawn(pane, scene.rgb, n).y.astype(float), pane.drops(n)
    large = drops[(drops["rx"] > 4) & (drops["share"] > 0.95) & (np.abs(drops["y"] - HEIGHT / 2) < 14)]
    seen = []
    for drop in large:
        x, y, ry = round(float(drop["x"])), float(drop["y"]), float(drop["ry"])
        if 6 < x < WIDTH - 6:
            seen.append(luma[round(y + 0.6 * ry), x] - luma[round(y - 0.6 * ry), x])
    assert len(seen) >= 2
    assert np.median(seen) > 40  # bright below, dark above


def test_tracks_are_left_behind_what_has_run(pane: WindowDrops) -> None:
    count = len(pane._column)
    n = 84
    drops = pane.drops(n)
    tracks = drops[-(BEADS + 1) * count : -count]
    x, y = runners(pane, n)
    there = (tracks["share"] > 0.5).reshape(BEADS, count)
    assert there.sum() > 2 * count
    column = np.tile(np.arange(count), BEADS).reshape(BEADS, count)[there]
    assert (tracks["y"].reshape(BEADS, count)[there] < y[column]).all()
    assert np.abs(tracks["x"].reshape(BEADS, count)[there] - x[column]).max() < 30


def test_beside_the_drops_only_fine_detail_is_lost(play: Play, texture: U8) -> None:
    ambient = play(scene_of(texture), Motion(kind="rain", strength=0.5, look="glass", has_region=False))
    frame = to_planes(texture)
    before = frame.y.astype(np.float32)
    ambient.overlay(40, frame)
    change = np.abs(cv2.GaussianBlur(frame.y.astype(np.float32) - before, (0, 0), 12))
    assert np.median(change) < 12


@pytest.mark.parametrize(
    "prompt",
    [
        "Rain runs down the window",
        "Raindrops slide down the glass as she waits",
        "雨水顺着玻璃流下",
        "雨滴打在窗户上",
        "rain on the window",
    ],
)
def test_rain_on_a_window_is_known_by_its_words(prompt: str) -> None:
    canvas = Canvas.of("480p", "16:9", 5)
    board = write(prompt, PictureFacts(), canvas=canvas, seed=1, audio=True, camera_fixed=False, morph=False)
    (rain,) = [motion for motion in board.motions if motion.kind == "rain"]
    assert rain.look == "glass"
    assert "rain" in {cue.kind for cue in board.cues}


def test_other_rain_wets_no_pane() -> None:
    canvas = Canvas.of("480p", "16:9", 5)
    for prompt in ("Heavy rain in the street", "She looks out of the window at the rain", "大雨倾盆"):
        board = write(prompt, PictureFacts(), canvas=canvas, seed=1, audio=False, camera_fixed=False, morph=False)
        assert {motion.look for motion in board.motions if motion.kind == "rain"} == {""}
