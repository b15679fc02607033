"""Light that falls on a head goes along with it as it turns, on rendered frames of photographs."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from support.faces import photo
from vivant.engines.diorama.engine import render_segment
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.motion.frame.light_place import find_way_out
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.found_things import FoundThings
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import Lighting
from vivant.engines.diorama.timing.resolve import resolve
from vivant.media import F32, Planes, fit
from vivant.request import Canvas

_PROMPT = "{} turns {} head to the {}."


def render(name: str, prompt: str, canvas: Canvas, frame: int) -> tuple[Scene, Planes, Planes]:
    """The scene, and a frame without the change of light and the same frame with it."""
    analyser = SceneAnalyser()
    picture = fit(photo(f"{name}.jpg"), canvas.width, canvas.height)
    scene = analyser.analyse(picture, canvas, faces=FaceFinder().find(picture))
    board = write(prompt, scene.facts, canvas=canvas, seed=3, audio=False, camera_fixed=True, morph=False)
    # A prompt for night only darkens a room, and these walls are taken for one: the stronger change is put in.
    board = replace(board, lights=(Lighting(kind="night"),))
    things = FoundThings(scene, analyser.find)
    moved, lit = (
        render_segment(one, scene, resolve(one, scene.facts, []), things.find).frame(frame)
        for one in (replace(board, lights=()), board)
    )
    return scene, moved, lit


def above_black(frame: Planes) -> F32:
    """Its luma, float32 (h, w)."""
    return np.asarray(frame.y.astype(np.float32) - 16, np.float32)


def place_from_face(scene: Scene) -> tuple[F32, F32]:
    """How far each pixel is from the middle of the only face, and how far below it: float32 (h, w), in faces."""
    (face,) = scene.faces
    x, y = face.landmarks[:, :2].mean(0)
    rows, columns = np.mgrid[: scene.depth.shape[0], : scene.depth.shape[1]].astype(np.float32)
    return np.hypot(columns - x, rows - y) / face.size, (rows - y) / face.size


def measure_kept(moved: Planes, lit: Planes) -> F32:
    """The share of its luma that each pixel keeps, float32 (h, w)."""
    return np.asarray(np.maximum(above_black(lit), 0) / np.maximum(above_black(moved), 1), np.float32)


def test_what_a_head_uncovers_at_night_is_as_dark_as_what_lies_beside_it() -> None:
    canvas = Canvas(512, 512, 97)
    scene, moved, lit = render("astronaut", _PROMPT.format("She", "her", "left"), canvas, 90)
    far, down = place_from_face(scene)
    # The wall is bright and grey, her hair is dark, her skin has a colour: what has become wall was behind her.
    u, v = (cv2.resize(plane, (canvas.width, canvas.height)).astype(int) - 128 for plane in (moved.u, moved.v))
    now = above_black(moved)
    wall = (now > 110) & (np.abs(u) < 10) & (np.abs(v) < 10)
    uncovered = wall & (scene.matte.mask > 0.9) & (now - above_black(scene.source.planes) > 30) & (far < 1.2)
    away = wall & (cv2.dilate(scene.matte.mask, np.ones((25, 25), np.uint8)) < 0.02) & (far < 2) & (down < 0)
    kept = measure_kept(moved, lit)
    assert min(uncovered.sum(), away.sum()) > 60
    assert np.median(kept[uncovered]) < np.median(kept[away]) + 0.05


def test_an_ear_that_turns_into_the_dark_takes_the_light_of_its_face_along() -> None:
    canvas = Canvas(368, 496, 97)
    scene, moved, lit = render("portrait_barkla", _PROMPT.format("He", "his", "left"), canvas, 90)
    far, down = place_from_face(scene)
    # His skin is bright and the wall dark: what has become bright beside the head is skin.
    risen = above_black(moved) - above_black(scene.source.planes)
    come = (scene.matte.mask < 0.1) & (risen > 40) & (far < 1.1)
    come &= down < 0.3  # not the collar
    wall = cv2.dilate(scene.matte.mask, np.ones((41, 41), np.uint8)) < 0.02
    kept = measure_kept(moved, lit)
    assert min(come.sum(), wall.sum()) > 60
    assert np.median(kept[come]) > np.median(kept[wall]) + 0.08


def test_the_way_out_of_a_subject_ends_beside_it() -> None:
    extent = np.zeros((40, 60), np.float32)
    cv2.ellipse(extent, (30, 25), (12, 18), 0, 0, 360, 1.0, -1)
    way = find_way_out(extent)
    assert not way[:, extent == 0].any()
    rows, columns = np.nonzero(extent)
    at_x, at_y = columns + way[0, rows, columns] / STEP, rows + way[1, rows, columns] / STEP
    assert (extent[np.rint(at_y).astype(int), np.rint(at_x).astype(int)] == 0).all()
    assert not find_way_out(np.ones((8, 8), np.float32)).any()
